"""One turn, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.statistics.report import Tokens
from debate_tui.display.statistics.report import Turn as Figures

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason, Usage

BYTES_PER_TOKEN = 4.2
"""An estimate for prose in any script, used until the provider says how many tokens there were."""
SHORTEST_RUN = 0.5
"""Seconds of flowing text below which a speed says nothing."""


def estimate(size: float) -> int:
    """About how many tokens so many bytes of UTF-8 are."""
    return round(size / BYTES_PER_TOKEN)


def speed(tokens: float, seconds: float) -> float | None:
    """Tokens per second; `None` where the time is too short to say."""
    return tokens / seconds if seconds >= SHORTEST_RUN else None


class Turn:
    """A turn under way or over; times are the log's, sizes in bytes of UTF-8.

    `size` is what counts of its text, `dropped` what no longer does, `thought` what of both was reasoning.
    `flowed` is the time in which all of it came, `attempts` the number of connections it came by.
    """

    __slots__ = (
        "answer_at",
        "attempt",
        "attempts",
        "cost",
        "dropped",
        "ended_at",
        "first_at",
        "flowed",
        "number",
        "reason",
        "size",
        "started_at",
        "thought",
        "ttft_ms",
        "usage",
    )

    def __init__(self, number: int, started_at: float) -> None:
        self.number = number
        self.started_at = started_at
        self.first_at = self.answer_at = self.ended_at = 0.0
        self.size = self.dropped = self.thought = 0
        self.flowed = 0.0
        self.attempt = self.attempts = 0
        self.usage: Usage | None = None
        self.cost: float | None = None
        self.ttft_ms: int | None = None
        self.reason: FinishReason | None = None

    @property
    def tokens(self) -> Tokens:
        """As the provider counts them, else as estimated."""
        return self._counted(estimate(self.size))

    @property
    def flowing(self) -> int:
        """All tokens whose text came: reasoning that is only counted takes no time to come."""
        hidden = 0 if self.thought or self.usage is None else self.usage.reasoning_tokens or 0
        return self._counted(estimate(self.size + self.dropped), hidden).count

    @property
    def first_token(self) -> float | None:
        """Seconds from its beginning to its first text."""
        if self.ttft_ms is not None:
            return self.ttft_ms / 1000
        return self.first_at - self.started_at if self.first_at else None

    def begin_anew(self, at: float) -> None:
        """Its text no longer counts; if it was over, neither does when it began."""
        if self.reason is not None:
            self.started_at = at
            self.first_at = 0.0
            self.ttft_ms = None
        self.dropped += self.size
        self.size = 0
        self.answer_at = 0.0
        self.usage = self.reason = None

    def go_on(self, at: float) -> None:
        """It was over and is not: the time between is none of its own."""
        self.reason = None
        self.delay(at - self.ended_at)

    def delay(self, seconds: float) -> None:
        """Take it as if it had begun later."""
        self.started_at += seconds
        self.first_at += seconds if self.first_at else 0.0
        self.answer_at += seconds if self.answer_at else 0.0

    def figures(self) -> Figures:
        """What there is to say about it."""
        return Figures(
            number=self.number,
            first_token=self.first_token,
            first_answer=self.answer_at - self.started_at if self.answer_at else None,
            reasoned=self.thought > 0,
            tokens=self.tokens if self.size or self.usage else None,
            rate=speed(self.flowing, self.flowed),
            cost=self.cost,
            reason=self.reason,
        )

    def _counted(self, estimated: int, hidden: int = 0) -> Tokens:
        """The provider's count without what is `hidden`, unless it must lack something.

        A connection that broke may have taken its count with it.
        """
        known = self.usage.output_tokens if self.usage is not None else None
        if known is None or (self.attempts > 1 and known - hidden < estimated):
            return Tokens(estimated, estimated=True)
        return Tokens(max(0, known - hidden))
