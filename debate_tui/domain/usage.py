"""What a debate has cost: tokens and money of each debater, of the judges, and of all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import Usage
    from debate_tui.domain.transcript import Transcript

Number = TypeVar("Number", int, float)


class Spending(Struct, frozen=True):
    """Tokens, as providers counted them, and US dollars, at known prices; nothing in it is a guess.

    A figure is `None` where nobody said; it is the least that was spent unless all who spent said, which is
    what `counted` (tokens) and `priced` (money) tell.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    counted: bool = True
    priced: bool = True

    @property
    def tokens(self) -> int | None:
        """Sent and answered together."""
        return _add_known(self.input_tokens, self.output_tokens)

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            _add_known(self.input_tokens, other.input_tokens),
            _add_known(self.output_tokens, other.output_tokens),
            _add_known(self.cost, other.cost),
            self.counted and other.counted,
            self.priced and other.priced,
        )


NO_SPENDING = Spending()


class CostBreakdown(Struct, frozen=True):
    """Who spent what: the debaters by their ids, and the judges together."""

    debaters: dict[str, Spending]
    judges: Spending

    @property
    def total(self) -> Spending:
        """All of it."""
        return _sum_spending((*self.debaters.values(), self.judges))


def compute_costs(transcript: Transcript) -> CostBreakdown:
    """What the turns that ended and the verdicts of a debate have cost."""
    spent: dict[str, list[Spending]] = {debater: [] for debater in transcript.debaters}
    for turn in transcript.turns.values():
        if turn.finished:
            spent.setdefault(turn.debater, []).append(_to_spending(turn.usage, turn.cost))
    return CostBreakdown(
        {debater: _sum_spending(each) for debater, each in spent.items()},
        _sum_spending(
            _to_spending(verdict.usage, verdict.cost) for verdict in transcript.verdicts if verdict.model
        ),
    )


def _to_spending(usage: Usage | None, cost: float | None) -> Spending:
    into = usage.input_tokens if usage is not None else None
    out = usage.output_tokens if usage is not None else None
    return Spending(into, out, cost, counted=into is not None and out is not None, priced=cost is not None)


def _sum_spending(parts: Iterable[Spending]) -> Spending:
    return sum(parts, NO_SPENDING)


def _add_known(one: Number | None, other: Number | None) -> Number | None:
    return other if one is None else one if other is None else one + other
