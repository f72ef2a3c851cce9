"""What was measured, beside what it was to be."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Figure(NamedTuple):
    """One row: `measured` and `target` as they are shown, and whether the one is within the other."""

    what: str
    measured: str
    target: str
    met: bool


def at_most(what: str, measured: float, target: float, form: str) -> Figure:
    """A figure that is the better the smaller it is; `form` shows both, such as ``{:.2f} ×``."""
    return Figure(what, form.format(measured), f"≤ {form.format(target)}", measured <= target)


def at_least(what: str, measured: float, target: float, form: str) -> Figure:
    """A figure that is the better the larger it is."""
    return Figure(what, form.format(measured), f"≥ {form.format(target)}", measured >= target)


def table(command: str, figures: Iterable[Figure]) -> None:
    """Print the rows as Markdown, each as soon as it is there."""
    print(f"\n| `{command}` | measured | target | |\n|---|---|---|---|", flush=True)
    for figure in figures:
        print(
            f"| {figure.what} | {figure.measured} | {figure.target} | {'✓' if figure.met else '✗'} |",
            flush=True,
        )


def percentile(values: Sequence[float], per_cent: int) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[per_cent - 1]
