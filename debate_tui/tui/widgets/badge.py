"""The badge: what a debater's stream is doing, as icon, word and colour, in one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.tui.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.domain.events import StreamStatus
    from debate_tui.domain.stream import FinishReason, StreamState
    from debate_tui.tui.glyphs import Glyphs


class Badge(Struct, frozen=True):
    """What to show: the name of a glyph, a word, details if there are any, and the tone of it all."""

    glyph_name: str
    word: str
    tone: Tone
    details: tuple[str, ...] = ()

    def text(self, glyphs: Glyphs) -> str:
        """The badge as one line."""
        icon: str = getattr(glyphs, self.glyph_name)
        details = f" {glyphs.separator} ".join(self.details)
        return " ".join(part for part in (icon, self.word, details) if part)


WAITING = Badge("waiting", "waiting", Tone.WAITING)
PAUSED = Badge("paused", "paused", Tone.PAUSED)
REMOVED = Badge("failed", "removed", Tone.FAILED)

_STATE_BADGES: Mapping[StreamState, Badge] = {
    "waiting": WAITING,
    "connecting": Badge("connecting", "connecting", Tone.WAITING),
    "connected": Badge("connected", "connected", Tone.CONNECTED),
    "streaming": Badge("streaming", "streaming", Tone.STREAMING),
    "paused": PAUSED,
    "reconnecting": Badge("reconnecting", "reconnecting", Tone.RECONNECTING),
    "failed": Badge("failed", "failed", Tone.FAILED),
    "finished": Badge("done", "done", Tone.FINISHED),
}

_FINISH_BADGES: Mapping[FinishReason, Badge] = {
    "complete": _STATE_BADGES["finished"],
    "length": Badge("cut", "cut", Tone.FINISHED),
    "refused": Badge("refused", "refused", Tone.WAITING),
    "stopped": Badge("stopped", "stopped", Tone.WAITING),
    "skipped": Badge("skipped", "skipped", Tone.WAITING),
    "failed": _STATE_BADGES["failed"],
}

_PAUSABLE_STATES = frozenset({"waiting", "connecting", "connected", "streaming", "reconnecting"})


def badge_for(
    status: StreamStatus | None,
    finish_reason: FinishReason | None = None,
    *,
    paused: bool = False,
    seconds_left: float | None = None,
) -> Badge:
    """The badge for a stream's last status.

    `finish_reason` is how the debater's last turn ended, `None` while it is under way; `paused` whether the
    debater, or everybody, is held; `seconds_left` the rest of the wait before the next connection.
    """
    if finish_reason is not None and (status is None or status.state in ("finished", "failed", "waiting")):
        return _FINISH_BADGES[finish_reason]
    if paused and (status is None or status.state in _PAUSABLE_STATES):
        return PAUSED
    if status is None:
        return WAITING
    if status.state == "reconnecting":
        return Badge("reconnecting", "reconnecting", Tone.RECONNECTING, _retry_details(status, seconds_left))
    return _STATE_BADGES[status.state]


def _retry_details(status: StreamStatus, seconds_left: float | None) -> tuple[str, ...]:
    tries = f"{status.retry}/{status.max_retries}" if status.retry else ""
    wait = f"{math.ceil(seconds_left)}s" if seconds_left and seconds_left > 0 else ""
    return tuple(part for part in (tries, wait) if part)
