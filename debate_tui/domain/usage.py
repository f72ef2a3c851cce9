"""Tokens and money: of one turn over all its connections, and of a debate, per debater and in total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from debate_tui.domain.debate import iter_rounds
from debate_tui.domain.stream import Usage, add_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import Report, Verdict
    from debate_tui.domain.transcript import Transcript


class Spending(Struct, frozen=True):
    """Tokens as counted by providers, and US dollars at known prices; nothing is estimated.

    A figure is `None` if unknown. It is a minimum if some counts are missing: `counted` (tokens) and
    `priced` (money) say whether all are known.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    counted: bool = True
    priced: bool = True

    @property
    def tokens(self) -> int | None:
        """Input and output tokens together."""
        return add_known(self.input_tokens, self.output_tokens)

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            add_known(self.input_tokens, other.input_tokens),
            add_known(self.output_tokens, other.output_tokens),
            add_known(self.cost, other.cost),
            self.counted and other.counted,
            self.priced and other.priced,
        )


NO_SPENDING = Spending()


class CostBreakdown(Struct, frozen=True):
    """The cost per debater, by id, and of all judges together, with that of reports."""

    debaters: dict[str, Spending]
    judges: Spending

    @property
    def total(self) -> Spending:
        """The sum over debaters and judges."""
        return _sum_spending((*self.debaters.values(), self.judges))


def compute_costs(transcript: Transcript) -> CostBreakdown:
    """Add up the cost of a debate's finished turns, verdicts and report."""
    spent: dict[str, list[Spending]] = {debater: [] for debater in transcript.debaters}
    for turn in transcript.turns.values():
        if turn.finished:
            spent.setdefault(turn.debater, []).append(_to_spending(turn.usage, turn.cost))
    judged: tuple[Verdict | Report, ...] = (
        *(verdict for verdict in transcript.verdicts if verdict.model),
        *transcript.reports,
    )
    return CostBreakdown(
        {debater: _sum_spending(each) for debater, each in spent.items()},
        _sum_spending(_to_spending(each.usage, each.cost) for each in judged),
    )


def _to_spending(usage: Usage | None, cost: float | None) -> Spending:
    into = usage.input_tokens if usage is not None else None
    out = usage.output_tokens if usage is not None else None
    return Spending(into, out, cost, counted=into is not None and out is not None, priced=cost is not None)


def _sum_spending(parts: Iterable[Spending]) -> Spending:
    return sum(parts, NO_SPENDING)


# Token usage of a turn over all its connections.


def merge_usage(old: Usage | None, new: Usage | None) -> Usage | None:
    """Return the newer counts, and the older ones where the newer report has none."""
    if old is None or new is None:
        return new or old
    pairs = zip(structs.astuple(old), structs.astuple(new), strict=True)
    return Usage(*(b if b is not None else a for a, b in pairs))


MAX_PLAUSIBLE_TOKENS = 2**53
"""Higher counts are ignored, as no rate or price can be computed from them."""


class UsageTotals:
    """Adds up usage: an interrupted connection also costs money."""

    def __init__(self) -> None:
        self._previous: Usage | None = None
        self._current: Usage | None = None

    @property
    def has_earlier(self) -> bool:
        """Whether an earlier connection reported usage, which the current one's cost does not include."""
        return self._previous is not None

    def start_connection(self, *, resumes_answer: bool) -> None:
        """Start a connection; its reports replace the last one's with `resumes_answer`, else add to them."""
        if not resumes_answer:
            self._previous, self._current = add_known(self._previous, self._current), None

    def add_update(self, usage: Usage) -> Usage:
        """Record the current connection's usage so far; return the turn's total."""
        self._current = merge_usage(self._current, _plausible(usage))
        return add_known(self._previous, self._current) or usage

    def total(self, usage: Usage | None) -> Usage | None:
        """Return the turn's total, with `usage` from the end of the current connection."""
        return add_known(self._previous, merge_usage(self._current, usage and _plausible(usage)))


def _plausible(usage: Usage) -> Usage:
    """Return the usage with impossible counts removed, as if they had not been reported."""
    counts: tuple[int | None, ...] = structs.astuple(usage)
    return Usage(*(n if n is not None and 0 <= n <= MAX_PLAUSIBLE_TOKENS else None for n in counts))


# The tokens of a debate that has not started


_TOKENS_PER_WORD = 1.4
_PROMPT_TOKENS = 300
"""Instructions, names and topic in each request."""
_DEFAULT_WORDS = 200
"""The length of a turn where the format asks for none."""
_VERDICT_TOKENS = 400
_READINGS = 2
"""How often a judge reads a debate."""


_BYTES_PER_TOKEN = 4
"""In UTF-8, where letters that take more tokens also take more bytes."""


def estimate_tokens(text: str) -> int:
    """Return roughly how many tokens a text has."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def estimate_usage(
    format_: Format, debaters: int, material: Sequence[int] = (), judge_material: int = 0
) -> tuple[list[Usage], Usage]:
    """Return roughly the tokens of each debater, and of one judge, without reasoning.

    Turns are taken to be as long as the format asks for, and to be read by everyone who may see them. Each
    debater's tokens of `material`, and `judge_material`, are in all of their requests.
    """
    spoken, received, sent = ([0.0] * debaters for _ in range(3))
    given = (*material, *[0] * (debaters - len(material)))
    for round_ in iter_rounds(format_):
        phase = round_.phase
        length = (phase.words or _DEFAULT_WORDS) * _TOKENS_PER_WORD
        before = tuple(spoken)
        for place in phase.speakers or range(1, debaters + 1):
            who = place - 1
            visible = {"none": 0.0, "own": before[who], "previous": sum(before)}
            sent[who] += _PROMPT_TOKENS + given[who] + visible.get(phase.sees, sum(spoken))
            received[who] += length
            spoken[who] += length
    read = _PROMPT_TOKENS + judge_material + sum(spoken)
    judge = Usage(round(_READINGS * read), _READINGS * _VERDICT_TOKENS)
    return [Usage(round(sent[who]), round(received[who])) for who in range(debaters)], judge
