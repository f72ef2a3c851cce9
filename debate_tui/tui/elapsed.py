"""How long a debate has been going on, in its own time: live, as it passes; in a replay, as it passed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debate_tui.domain.transcript import Transcript


class DebateClock:
    """Between two events a debate's time is taken to pass as the clock's does."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._offset_from_wall_clock = 0.0

    def synchronise(self, at: float) -> None:
        """An event of this time has come now."""
        self._offset_from_wall_clock = time.time() - at

    @property
    def log_time(self) -> float:
        """What time it is in the debate."""
        return time.time() - self._offset_from_wall_clock

    @property
    def elapsed_seconds(self) -> int:
        """Whole seconds since the debate began; they stand still once it is over."""
        transcript = self._transcript
        if not transcript.started_at:
            return 0
        latest = self.log_time if transcript.finished_at is None else transcript.finished_at
        return max(0, int(latest - transcript.started_at))
