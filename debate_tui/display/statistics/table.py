"""The table of statistics, the same on screen and for ``--stats``. All texts are one line and sanitised."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import StreamOrigin
from debate_tui.domain.wording import count_of, format_clock, format_duration, format_money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from debate_tui.display.statistics.collector import StatisticsReport
    from debate_tui.display.statistics.stream import StreamStatistics, TokenCount

    Parts = tuple[str, ...]

MAX_MESSAGE = 200
SLOW_FRAME_SECONDS = 0.05
"""Frame time from which painting is slow enough to be reported."""


class StatisticsRow(NamedTuple):
    """A row: its label, and the parts of each debater's text, most important first; none if unknown."""

    label: str
    cells: tuple[Parts, ...]
    is_about_faults: bool


def table_rows(report: StatisticsReport) -> list[StatisticsRow]:
    """Return the rows that have something to show for at least one debater."""
    rows = [
        StatisticsRow(
            label, tuple(format_parts(stream, report) for stream in report.streams), label in _FAULT_LABELS
        )
        for label, format_parts in _FORMATTERS.items()
    ]
    return [row for row in rows if any(row.cells)]


def format_title(report: StatisticsReport) -> str:
    """Return what the table is about: the time, and the speed of painting if it is low."""
    title = f"Stream statistics, {format_clock(report.elapsed)}"
    if report.frame_time is None or report.frame_time < SLOW_FRAME_SECONDS:
        return title
    return f"{title}, slow frames ({format_duration(report.frame_time)})"


def _state(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    status = stream.status
    if status is not None and status.state == "reconnecting" and status.retry:
        return (f"reconnecting {status.retry}/{status.max_retries}",)
    state = status.state if status is not None else "waiting"
    return ("removed" if stream.is_removed else stream.turn.reason or state,)


def _rate(stream: StreamStatistics, report: StatisticsReport) -> Parts:
    current, mean = stream.current_rate(report.now), stream.mean_rate
    return _known((f"{current:,.0f} now" if current else "", "" if mean is None else f"{mean:,.0f} mean"))


def _tokens(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    total, turn = stream.tokens, stream.turn.tokens
    return _known((_count(total), f"{_count(turn)} this turn" if turn and turn.count != total.count else ""))


def _first_token(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    turn, median = stream.turn, stream.median_first_token
    return _known(
        (
            _duration("", turn.first_token),
            _duration("answer ", turn.first_answer),
            _duration("median ", median) if median != turn.first_token else "",
        )
    )


def _reconnects(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    if not stream.reconnections:
        return ("none",) if stream.connections else ()
    return f"{stream.reconnections:,}", f"waited {format_duration(stream.retry_wait)}"


_ORIGINS = {
    None: "",
    StreamOrigin.START: "after a restart",
    StreamOrigin.CURSOR: "event id",
    StreamOrigin.CONTINUATION: "continuation",
}


def _resumed(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    resumption = stream.resumption
    if resumption is None:
        return ()
    if resumption.superseded or not resumption.offset:
        return ("from the start",)
    return _known((f"at character {resumption.offset:,}", _ORIGINS[resumption.origin]))


def _faults(stream: StreamStatistics, _: StatisticsReport) -> Parts:
    if stream.last_fault is None:
        return ()
    kinds = (f"{kind} × {count:,}" if count > 1 else kind for kind, count in stream.faults.items())
    return *kinds, one_line(stream.last_fault.message, MAX_MESSAGE)


def _backpressure(stream: StreamStatistics, report: StatisticsReport) -> Parts:
    pane = report.buffers.get(stream.info.id)
    if pane is None:
        return ()
    if not pane.wait_count:
        return ("none",)
    return count_of(pane.wait_count, "wait"), format_duration(pane.wait_seconds)


def _known(parts: Parts) -> Parts:
    return tuple(part for part in parts if part)


def _duration(label: str, seconds: float | None) -> str:
    return "" if seconds is None else f"{label}{format_duration(seconds)}"


def _count(tokens: TokenCount) -> str:
    return f"{'~' if tokens.is_estimated else ''}{tokens.count:,}"


_FORMATTERS: dict[str, Callable[[StreamStatistics, StatisticsReport], Parts]] = {
    "state": _state,
    "tokens/s": _rate,
    "tokens": _tokens,
    "cost": lambda stream, _: () if stream.cost is None else (format_money(stream.cost),),
    "first token": _first_token,
    "longest gap": lambda stream, _: _known((_duration("", stream.longest_gap),)),
    "connection": lambda stream, _: _known(
        (one_line(stream.transport, 20), _duration("first byte ", stream.first_byte))
    ),
    "reconnects": _reconnects,
    "resumed": _resumed,
    "faults": _faults,
    "backpressure": _backpressure,
}
_FAULT_LABELS = frozenset({"reconnects", "resumed", "faults"})


# The table as plain text.


COLUMN_GAP = "  "
PART_SEPARATOR = ", "
UNKNOWN_VALUE = "-"


def format_table(report: StatisticsReport) -> str:
    """Return the table with a column for each debater."""
    rows = [
        ("", *(one_line(stream.info.name, 40) for stream in report.streams)),
        *(
            (row.label, *(PART_SEPARATOR.join(parts) or UNKNOWN_VALUE for parts in row.cells))
            for row in table_rows(report)
        ),
    ]
    lines = ["", format_title(report), *_align_columns(rows)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _align_columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(cell_len, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        yield COLUMN_GAP + COLUMN_GAP.join(padded)
