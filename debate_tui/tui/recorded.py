"""A recorded debate in words: when it was held, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.badge import Badge

if TYPE_CHECKING:
    from debate_tui.record.summary import DebateSummary

_ENDING_BADGES = {
    "complete": Badge("done", "complete", Tone.FINISHED),
    "stopped": Badge("stopped", "stopped", Tone.PAUSED),
    "failed": Badge("failed", "failed", Tone.FAILED),
}
_INTERRUPTED_BADGE = Badge("cut", "broken off", Tone.PAUSED)
_LIVE_BADGE = Badge("streaming", "live", Tone.STREAMING)


def ending_badge(summary: DebateSummary) -> Badge:
    """How the debate ended; a record without an end is that of a killed debate, or of one under way."""
    return _ENDING_BADGES.get(summary.finished or "", _LIVE_BADGE if summary.live else _INTERRUPTED_BADGE)


def format_when(seconds: float, now: float) -> str:
    """A moment in local time, as people say it at another; both in seconds since the epoch."""
    moment, today = (datetime.fromtimestamp(at).astimezone() for at in (seconds, now))
    days = (today.date() - moment.date()).days
    if days == 0:
        return f"today {moment:%H:%M}"
    if days == 1:
        return f"yesterday {moment:%H:%M}"
    return f"{moment:%Y-%m-%d %H:%M}"


def debater_names(summary: DebateSummary) -> str:
    """Who debates."""
    return ", ".join(one_line(debater.name, 40) for debater in summary.debaters)
