"""``--stats``: a debate's figures as a table of plain text."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from debate_tui.display.statistics.wording import clock, duration, incidents, painting, summary
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.display.statistics.report import Report

GAP = "  "
BETWEEN = ", "
UNKNOWN = "-"


def table(report: Report) -> str:
    """The figures in aligned columns, one for each debater; below them everything that broke."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield ""
    yield f"Stream statistics ({duration(report.elapsed)})"
    names = [one_line(figures.name, 40) for figures in report.streams]
    rows = [("", *names)]
    for measure in summary(report):
        values = (BETWEEN.join(measure.full(figures)) or UNKNOWN for figures in report.streams)
        rows.append((measure.label, *values))
    yield from _aligned(rows)
    if report.painting is not None:
        yield f"{GAP}screen: {BETWEEN.join(painting(report.painting))}"
    if broken := incidents(report):
        yield ""
        yield "What broke"
        yield from _aligned(
            [
                (clock(incident.at), incident.name, incident.fault, incident.outcome, incident.message)
                for incident in broken
            ]
        )


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(cell_len, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        yield GAP + GAP.join(padded)
