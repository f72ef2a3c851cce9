"""The badge: what a debater's stream is doing, as icon, word and colour, in one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import UNICODE, Glyphs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.domain.events import StreamStatus
    from debate_tui.domain.stream import FinishReason, StreamState


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


# The meter: how quick and how much, in one quiet line under a pane's text.


class TurnMetrics(Struct, frozen=True, kw_only=True):
    """What is known of a turn's speed and size.

    `words` are those of `target_words`, 0 where no number was asked for; `rate` is in tokens per second;
    `tokens_estimated` says that `tokens` was reckoned from the text. `cost` is the debater's so far, in US
    dollars, `None` where no price is known; it is not all of it unless `complete`.
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
    """The longest form of a reading that fits; empty before there is anything to tell."""
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
    """Long and short form of each figure, in the order shown; the first is the first to go."""
    parts = []
    if metrics.ttft_ms is not None:
        first = (
            f"{metrics.ttft_ms / 1000:.1f}s" if metrics.ttft_ms < 99_950 else f"{metrics.ttft_ms // 1000}s"
        )
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
    cost = _cost_text(metrics, glyphs)
    if cost:
        parts.append((cost, cost))
    return parts


def format_token_count(tokens: int) -> str:
    """A number of tokens in a few characters."""
    return f"{tokens:,}" if tokens < 10_000 else f"{tokens / 1000:.1f}k"


def _cost_text(metrics: TurnMetrics, glyphs: Glyphs) -> str:
    if metrics.cost is None and not metrics.is_finished:
        return ""
    return format_cost(metrics.cost, glyphs, complete=metrics.cost_complete)


def format_cost(cost: float | None, glyphs: Glyphs, *, complete: bool) -> str:
    """US dollars; what is not known is never guessed, and a sum that lacks something says so."""
    if cost is None:
        return f"${glyphs.missing_value}"
    more = "" if complete else "+"
    if not cost:
        return f"$0{more}"
    return f"${cost:.4f}{more}" if cost < 0.1 else f"${cost:.2f}{more}"
