"""The course of a debate as the header tells it: where it is, since when, how long yet, and at what price."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.elapsed import Elapsed
from debate_tui.tui.forecast import Forecast
from debate_tui.tui.tones import Tone
from debate_tui.tui.totals import in_all
from debate_tui.tui.widgets.badge import Badge
from debate_tui.tui.widgets.header import Headline

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.tui.agenda import Agenda
    from debate_tui.tui.follower import Follower
    from debate_tui.tui.glyphs import Glyphs

LONGEST_TOPIC = 400

STEP_SECONDS = 30
"""The expected time is told in steps of so much, so that it does not flicker."""

_ENDINGS = {
    "complete": Badge("done", "over", Tone.FINISHED),
    "stopped": Badge("stopped", "stopped", Tone.WAITING),
    "failed": Badge("failed", "failed", Tone.FAILED),
}


class Course:
    """What is known of the debate as a whole; `topic` is its name until the log tells it."""

    def __init__(self, follower: Follower, agenda: Agenda, topic: str, glyphs: Glyphs) -> None:
        self._follower = follower
        self._transcript = follower.transcript
        self._agenda = agenda
        self._topic = topic
        self._glyphs = glyphs
        self._elapsed = Elapsed(self._transcript)
        self._forecast = Forecast(self._transcript, agenda)

    def see(self, event: Event) -> None:
        """Take what concerns the debate as a whole, in the order of the log."""
        self._elapsed.see(event.at)
        self._forecast.see(event)

    def headline(self, mode: str, *, paused: bool) -> Headline:
        """All that the header says; `paused` is whether every debater is."""
        transcript = self._transcript
        ended = _ENDINGS[transcript.finished] if transcript.finished is not None else None
        return Headline(
            topic=one_line(transcript.topic or self._topic, LONGEST_TOPIC),
            phase=self._agenda.now,
            mode=mode,
            elapsed=self._elapsed.seconds,
            expected=self._expected(),
            progress=self._agenda.progress(),
            spent=in_all(self._follower, self._glyphs),
            judging=self._judging(),
            paused=paused and ended is None,
            ended=ended,
        )

    def _expected(self) -> int | None:
        """Seconds from the debate's beginning to its last word."""
        elapsed = self._elapsed
        remaining = self._forecast.remaining(elapsed.now)
        if remaining is None:
            return None
        return STEP_SECONDS * math.ceil((elapsed.seconds + remaining) / STEP_SECONDS)

    def _judging(self) -> str:
        if not self._agenda.judging:
            return ""
        verdicts = sum(bool(verdict.model) for verdict in self._transcript.verdicts)
        so_far = f", {verdicts} verdict{'s' if verdicts > 1 else ''} so far" if verdicts else ""
        return f"the judges are reading{so_far}"
