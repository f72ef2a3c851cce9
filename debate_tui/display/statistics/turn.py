"""One turn, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.statistics.report import TokenCount
from debate_tui.display.statistics.report import TurnFigures as TurnFigures

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason, Usage

BYTES_PER_TOKEN = 4.2
"""An estimate for prose in any script, used until the provider says how many tokens there were."""
MIN_RATE_SECONDS = 0.5
"""Seconds of flowing text below which a speed says nothing."""


def estimate_tokens(size: float) -> int:
    """About how many tokens so many bytes of UTF-8 are."""
    return round(size / BYTES_PER_TOKEN)


def mean_rate(tokens: float, seconds: float) -> float | None:
    """Tokens per second; `None` where the time is too short to say."""
    return tokens / seconds if seconds >= MIN_RATE_SECONDS else None


class TurnMeasurements:
    """A turn under way or over; times are the log's, sizes in bytes of UTF-8.

    `size` is what counts of its text, `superseded_size` what no longer does, `reasoning_size` what of both
    was reasoning. `streaming_seconds` is the time in which all of it came, `attempts` the number of
    connections it came by.
    """

    __slots__ = (
        "answer_at",
        "attempt",
        "attempts",
        "cost",
        "ended_at",
        "first_at",
        "number",
        "reason",
        "reasoning_size",
        "size",
        "started_at",
        "streaming_seconds",
        "superseded_size",
        "ttft_ms",
        "usage",
    )

    def __init__(self, number: int, started_at: float) -> None:
        self.number = number
        self.started_at = started_at
        self.first_at = self.answer_at = self.ended_at = 0.0
        self.size = self.superseded_size = self.reasoning_size = 0
        self.streaming_seconds = 0.0
        self.attempt = self.attempts = 0
        self.usage: Usage | None = None
        self.cost: float | None = None
        self.ttft_ms: int | None = None
        self.reason: FinishReason | None = None

    @property
    def tokens(self) -> TokenCount:
        """As the provider counts them, else as estimated."""
        return self._count_tokens(estimate_tokens(self.size))

    @property
    def streamed_tokens(self) -> int:
        """All tokens whose text came: reasoning that is only counted takes no time to come."""
        hidden = 0 if self.reasoning_size or self.usage is None else self.usage.reasoning_tokens or 0
        return self._count_tokens(estimate_tokens(self.size + self.superseded_size), hidden).count

    @property
    def first_token_seconds(self) -> float | None:
        """Seconds from its beginning to its first text."""
        if self.ttft_ms is not None:
            return self.ttft_ms / 1000
        return self.first_at - self.started_at if self.first_at else None

    def restart(self, at: float) -> None:
        """Its text no longer counts; if it was over, neither does when it began."""
        if self.reason is not None:
            self.started_at = at
            self.first_at = 0.0
            self.ttft_ms = None
        self.superseded_size += self.size
        self.size = 0
        self.answer_at = 0.0
        self.usage = self.reason = None

    def resume(self, at: float) -> None:
        """It was over and is not: the time between is none of its own."""
        self.reason = None
        self.shift_start(at - self.ended_at)

    def shift_start(self, seconds: float) -> None:
        """Take it as if it had begun later."""
        self.started_at += seconds
        self.first_at += seconds if self.first_at else 0.0
        self.answer_at += seconds if self.answer_at else 0.0

    def figures(self) -> TurnFigures:
        """What there is to say about it."""
        return TurnFigures(
            number=self.number,
            first_token=self.first_token_seconds,
            first_answer=self.answer_at - self.started_at if self.answer_at else None,
            has_reasoning=self.reasoning_size > 0,
            tokens=self.tokens if self.size or self.usage else None,
            mean_rate=mean_rate(self.streamed_tokens, self.streaming_seconds),
            cost=self.cost,
            reason=self.reason,
        )

    def _count_tokens(self, estimated: int, hidden: int = 0) -> TokenCount:
        """The provider's count without what is `hidden`, unless it must lack something.

        A connection that broke may have taken its count with it.
        """
        known = self.usage.output_tokens if self.usage is not None else None
        if known is None or (self.attempts > 1 and known - hidden < estimated):
            return TokenCount(estimated, is_estimated=True)
        return TokenCount(max(0, known - hidden))
