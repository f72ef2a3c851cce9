"""What a turn has cost over all its connections."""

from __future__ import annotations

from debate_tui.domain.stream import Usage

MAX_PLAUSIBLE_TOKENS = 2**53
"""No count is believed to be more; with greater ones no rate and no price can be reckoned."""


class UsageTotals:
    """Adds up usage: a broken connection was paid for too."""

    def __init__(self) -> None:
        self._previous: Usage | None = None
        self._current: Usage | None = None

    def start_connection(self, *, resumes_answer: bool) -> None:
        """A new connection; if it carries on the `resumes_answer`, what it reports replaces, else it adds."""
        if not resumes_answer:
            self._previous, self._current = _add_usage(self._previous, self._current), None

    def add_update(self, usage: Usage) -> Usage:
        """Take what the present connection has cost so far, and return the turn's total."""
        self._current = _merge_latest(self._current, _plausible(usage))
        return _add_usage(self._previous, self._current) or usage

    def total(self, usage: Usage | None) -> Usage | None:
        """The turn's total, if `usage` is what the present connection reported at its end."""
        return _add_usage(self._previous, _merge_latest(self._current, usage and _plausible(usage)))


def _plausible(usage: Usage) -> Usage:
    """What may have been spent; a count that cannot be is one that nobody told."""
    return Usage(
        *(n if n is not None and 0 <= n <= MAX_PLAUSIBLE_TOKENS else None for n in _token_counts(usage))
    )


def _merge_latest(old: Usage | None, new: Usage | None) -> Usage | None:
    if old is None or new is None:
        return new or old
    return Usage(
        *(b if b is not None else a for a, b in zip(_token_counts(old), _token_counts(new), strict=True))
    )


def _add_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    return other if one is None else one if other is None else one + other


def _token_counts(usage: Usage) -> tuple[int | None, int | None, int | None]:
    return usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
