"""The course of a debate as the header tells it: where it is, since when, how long yet, and at what price."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.elapsed import DebateClock
from debate_tui.tui.forecast import DurationEstimator
from debate_tui.tui.tones import Tone
from debate_tui.tui.totals import format_totals
from debate_tui.tui.widgets.badge import Badge
from debate_tui.tui.widgets.header import HeaderContent

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.tui.agenda import PhaseProgress
    from debate_tui.tui.follower import LogFollower
    from debate_tui.tui.glyphs import Glyphs

MAX_TOPIC_CHARACTERS = 400

ESTIMATE_STEP_SECONDS = 30
"""The expected time is told in steps of so much, so that it does not flicker."""

_END_BADGES = {
    "complete": Badge("done", "over", Tone.FINISHED),
    "stopped": Badge("stopped", "stopped", Tone.WAITING),
    "failed": Badge("failed", "failed", Tone.FAILED),
}


class DebateStatus:
    """What is known of the debate as a whole; `topic` is its name until the log tells it."""

    def __init__(
        self, follower: LogFollower, phase_progress: PhaseProgress, topic: str, glyphs: Glyphs
    ) -> None:
        self._follower = follower
        self._transcript = follower.transcript
        self._phase_progress = phase_progress
        self._topic = topic
        self._glyphs = glyphs
        self._debate_clock = DebateClock(self._transcript)
        self._duration_estimator = DurationEstimator(self._transcript, phase_progress)

    def apply(self, event: Event) -> None:
        """Take what concerns the debate as a whole, in the order of the log."""
        self._debate_clock.synchronise(event.at)
        self._duration_estimator.apply(event)

    def headline(self, mode: str, *, paused: bool) -> HeaderContent:
        """All that the header says; `paused` is whether every debater is."""
        transcript = self._transcript
        ended = _END_BADGES[transcript.finish_reason] if transcript.finish_reason is not None else None
        return HeaderContent(
            topic=one_line(transcript.topic or self._topic, MAX_TOPIC_CHARACTERS),
            phase=self._phase_progress.current_phase_label,
            mode=mode,
            elapsed_seconds=self._debate_clock.elapsed_seconds,
            expected_seconds=self._expected_seconds(),
            phase_progress=self._phase_progress.step_completion(),
            cost=format_totals(self._follower, self._glyphs),
            judging_status=self._judging_text(),
            is_paused=paused and ended is None,
            ending=ended,
        )

    def _expected_seconds(self) -> int | None:
        """Seconds from the debate's beginning to its last word."""
        elapsed = self._debate_clock
        remaining = self._duration_estimator.remaining_seconds(elapsed.log_time)
        if remaining is None:
            return None
        return ESTIMATE_STEP_SECONDS * math.ceil(
            (elapsed.elapsed_seconds + remaining) / ESTIMATE_STEP_SECONDS
        )

    def _judging_text(self) -> str:
        if not self._phase_progress.is_judging:
            return ""
        verdicts = sum(bool(verdict.model) for verdict in self._transcript.verdicts)
        so_far = f", {verdicts} verdict{'s' if verdicts > 1 else ''} so far" if verdicts else ""
        return f"the judges are reading{so_far}"
