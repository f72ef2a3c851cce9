"""What a turn has cost over all its connections."""

from __future__ import annotations

from debate_tui.domain.stream import Usage

MOST_TOKENS = 2**53
"""No count is believed to be more; with greater ones no rate and no price can be reckoned."""


class Accounts:
    """Adds up usage: a broken connection was paid for too."""

    def __init__(self) -> None:
        self._before: Usage | None = None
        self._now: Usage | None = None

    def connect(self, *, same_answer: bool) -> None:
        """A new connection; if it carries on the `same_answer`, what it reports replaces, else it adds."""
        if not same_answer:
            self._before, self._now = _sum(self._before, self._now), None

    def so_far(self, usage: Usage) -> Usage:
        """Take what the present connection has cost so far, and return the turn's total."""
        self._now = _latest(self._now, _believable(usage))
        return _sum(self._before, self._now) or usage

    def total(self, usage: Usage | None) -> Usage | None:
        """The turn's total, if `usage` is what the present connection reported at its end."""
        return _sum(self._before, _latest(self._now, usage and _believable(usage)))


def _believable(usage: Usage) -> Usage:
    """What may have been spent; a count that cannot be is one that nobody told."""
    return Usage(*(n if n is not None and 0 <= n <= MOST_TOKENS else None for n in _figures(usage)))


def _latest(old: Usage | None, new: Usage | None) -> Usage | None:
    if old is None or new is None:
        return new or old
    return Usage(*(b if b is not None else a for a, b in zip(_figures(old), _figures(new), strict=True)))


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    return other if one is None else one if other is None else one + other


def _figures(usage: Usage) -> tuple[int | None, int | None, int | None]:
    return usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
