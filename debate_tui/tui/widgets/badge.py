"""The badge: the state of a debater's stream as an icon, a word and a colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from debate_tui.domain.wording import describe_fault_kind, format_duration, format_money
from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import UNICODE, Glyphs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.domain.events import StreamStatus
    from debate_tui.domain.stream import FinishReason, StreamState


class Badge(Struct, frozen=True):
    """A badge: the name of a glyph, a word, optional details, and a tone."""

    glyph_name: str
    word: str
    tone: Tone
    details: tuple[str, ...] = ()

    def icon(self, glyphs: Glyphs) -> str:
        """Return the glyph."""
        icon: str = getattr(glyphs, self.glyph_name)
        return icon

    def text(self, glyphs: Glyphs) -> str:
        """Return the badge as one line."""
        details = f" {glyphs.separator} ".join(self.details)
        return " ".join(part for part in (self.icon(glyphs), self.word, details) if part)


WAITING = Badge("waiting", "waiting", Tone.WAITING)
PAUSED = Badge("paused", "paused", Tone.PAUSED)
YOUR_TURN = Badge("interjection", "your turn", Tone.FOCUS)
REMOVED = Badge("failed", "removed", Tone.FAILED)

STATE_BADGES: Mapping[StreamState, Badge] = {
    "waiting": WAITING,
    "connecting": Badge("connecting", "connecting", Tone.WAITING),
    "connected": Badge("connected", "connected", Tone.CONNECTED),
    "streaming": Badge("streaming", "streaming", Tone.STREAMING),
    "paused": PAUSED,
    "reconnecting": Badge("reconnecting", "reconnecting", Tone.RECONNECTING),
    "failed": Badge("failed", "failed", Tone.FAILED),
    "finished": Badge("done", "done", Tone.FINISHED),
}

FINISH_BADGES: Mapping[FinishReason, Badge] = {
    "complete": STATE_BADGES["finished"],
    "length": Badge("cut", "cut", Tone.FINISHED),
    "refused": Badge("refused", "refused", Tone.WAITING),
    "stopped": Badge("stopped", "stopped", Tone.WAITING),
    "skipped": Badge("skipped", "skipped", Tone.WAITING),
    "failed": STATE_BADGES["failed"],
}

_NAMED_RETRY_KINDS = frozenset({"rate_limited", "overloaded"})
"""Faults that the badge names while it waits to reconnect: the server answers, but not now."""

_PAUSABLE_STATES = frozenset({"waiting", "connecting", "connected", "streaming", "reconnecting"})


def badge_for(
    status: StreamStatus | None,
    finish_reason: FinishReason | None = None,
    *,
    paused: bool = False,
    seconds_left: float | None = None,
) -> Badge:
    """Return the badge for a stream's latest status.

    `finish_reason` is how the debater's last turn ended, or `None` while it is in progress. `paused` says
    whether the debater, or every debater, is paused. `seconds_left` is the time left until the next
    connection.
    """
    if status is not None and status.state == "failed" and finish_reason in (None, "failed"):
        failed = STATE_BADGES["failed"]
        return failed if status.error is None else replace(failed, word=describe_fault_kind(status.error))
    if finish_reason is not None and (status is None or status.state in ("finished", "failed", "waiting")):
        return FINISH_BADGES[finish_reason]
    if paused and (status is None or status.state in _PAUSABLE_STATES):
        return PAUSED
    if status is None:
        return WAITING
    if status.state == "reconnecting":
        return _reconnecting_badge(status, seconds_left)
    return STATE_BADGES[status.state]


def _reconnecting_badge(status: StreamStatus, seconds_left: float | None) -> Badge:
    badge, fault = STATE_BADGES["reconnecting"], status.error
    named = fault is not None and fault.kind in _NAMED_RETRY_KINDS
    word = describe_fault_kind(fault) if fault is not None and named else badge.word
    tries = f"{status.retry}/{status.max_retries}" if status.retry else ""
    wait = f"{math.ceil(seconds_left)}s" if seconds_left and seconds_left > 0 else ""
    return replace(badge, word=word, details=tuple(filter(None, (tries, wait))))


# The meter: speed, size and cost of a turn, in one line below a pane's text.


class TurnMetrics(Struct, frozen=True, kw_only=True):
    """Figures on a turn's speed, size and cost.

    `target_words` is the number of words requested, or 0 if none was. `tokens_per_second` is the mean rate.
    `tokens_estimated` says that `tokens` is an estimate from the text. `cost` is the debater's total so far
    in US dollars, or `None` if no price is known; it is incomplete unless `cost_complete` is set.
    """

    words: int = 0
    target_words: int = 0

    ttft_ms: int | None = None
    tokens: int | None = None
    tokens_estimated: bool = False
    tokens_per_second: float | None = None
    cost: float | None = None
    cost_complete: bool = True
    is_finished: bool = False


def format_metrics(metrics: TurnMetrics, width: int, glyphs: Glyphs = UNICODE) -> str:
    """Return the longest form of the figures that fits; empty if there are none yet."""
    parts = _metric_texts(metrics, glyphs)
    between = f" {glyphs.separator} "
    for form in (0, 1):
        text = between.join(part[form] for part in parts)
        if cell_len(text) <= width:
            return text
    while parts:
        parts.pop(0)
        text = between.join(part[1] for part in parts)
        if cell_len(text) <= width:
            return text
    return ""


def _metric_texts(metrics: TurnMetrics, glyphs: Glyphs) -> list[tuple[str, str]]:
    """Return the long and short form of each figure in display order; the first are dropped first."""
    parts = []
    if metrics.ttft_ms is not None:
        first = format_duration(metrics.ttft_ms / 1000)
        parts.append((f"{first} to first token", first))
    if metrics.words and metrics.target_words:
        said = f"{metrics.words}/{metrics.target_words}"
        parts.append((f"{said} words", f"{said} w"))
    if metrics.tokens is None:
        return parts
    about = "~" if metrics.tokens_estimated else ""
    count = format_token_count(metrics.tokens)
    parts.append((f"{about}{count} tokens", f"{about}{count} tok"))
    if metrics.tokens_per_second is not None:
        rate = f"{metrics.tokens_per_second:,.0f}"
        parts.append((f"{rate} tokens/s", f"{rate}/s"))
    if metrics.cost is not None or metrics.is_finished:
        cost = format_money(metrics.cost, complete=metrics.cost_complete, unknown=glyphs.missing_value)
        parts.append((cost, cost))
    return parts


def format_token_count(tokens: int) -> str:
    """Return a short form of a number of tokens."""
    return f"{tokens:,}" if tokens < 10_000 else f"{tokens / 1000:.1f}k"
