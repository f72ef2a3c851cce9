"""Statistics as text, the same on screen and in a table. Each text is one line and sanitised."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import StreamOrigin
from debate_tui.domain.wording import format_clock, format_duration, format_money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from debate_tui.display.statistics.report import (
        FrameFigures,
        Interruption,
        Quantiles,
        StatisticsReport,
        StreamFigures,
        TokenCount,
    )
    from debate_tui.domain.stream import FaultReport

    Parts = tuple[str, ...]


MAX_MESSAGE = 200


class StatisticsRow(NamedTuple):
    """A row of figures: its label, and functions that format a debater's figures in full or in few cells.

    Parts are shown with a separator between them; no parts means that nothing is known.
    """

    label: str
    full_text: Callable[[StreamFigures], Parts]
    short_text: Callable[[StreamFigures], Parts]
    always_visible: bool = True
    """Whether the row is shown even if nothing is known about any debater."""
    is_about_faults: bool = False


class Incident(NamedTuple):
    """A fault as text: seconds since the debate began, debater, fault, and what was done about it."""

    at: float
    name: str
    fault: str
    message: str
    outcome: str
    is_fatal: bool


def format_bytes(size: float) -> str:
    """Format a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def format_compact(count: int) -> str:
    """Format a number up to a thousand million in no more than five cells."""
    if count < 1000:
        return f"{count}"
    unit, size = ("k", count / 1000) if count < 999_500 else ("M", count / 1_000_000)
    return f"{size:.1f}{unit}" if size < 99.95 else f"{size:.0f}{unit}"


def format_occurrences(count: int) -> str:
    """Format how often something happened."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def live_rows(report: StatisticsReport) -> tuple[StatisticsRow, ...]:
    """Return the rows for a running debate, without those that have nothing to show for any debater."""
    return tuple(measure for measure in _LIVE_ROWS if _is_visible(measure, report))


def summary_rows(report: StatisticsReport) -> tuple[StatisticsRow, ...]:
    """Return the rows for a finished debate, without those that have nothing to show for any debater."""
    return tuple(measure for measure in _SUMMARY_ROWS if _is_visible(measure, report))


def _is_visible(measure: StatisticsRow, report: StatisticsReport) -> bool:
    return measure.always_visible or any(measure.full_text(figures) for figures in report.streams)


def list_incidents(report: StatisticsReport) -> list[Incident]:
    """Return all faults, oldest first."""
    found = [
        Incident(
            broken.at,
            one_line(figures.name, 40),
            format_fault_kind(broken.fault),
            one_line(broken.fault.message, MAX_MESSAGE),
            ", ".join(_describe_recovery(broken)),
            broken.retry_delay is None,
        )
        for figures in report.streams
        for broken in figures.interruptions
    ]
    return sorted(found, key=lambda incident: incident.at)


def format_frames(frames: FrameFigures) -> Iterator[str]:
    """Yield the figures of painting."""
    yield f"{frames.flushes:,} flushes"
    if frames.frame_times.p50 is not None and frames.frame_times.p95 is not None:
        yield f"frame {format_duration(frames.frame_times.p50)}"
        yield f"p95 {format_duration(frames.frame_times.p95)}"


def format_fault_kind(fault: FaultReport) -> str:
    """Format the kind of a fault, with the HTTP status if there was one."""
    return f"{_fault_name(fault)} ({fault.status})" if fault.status is not None else _fault_name(fault)


def _fault_name(fault: FaultReport) -> str:
    return fault.kind.replace("_", " ")


def _describe_recovery(broken: Interruption) -> Iterator[str]:
    if broken.retry_delay is None:
        yield "given up"
        return
    yield f"retry {broken.retry}/{broken.max_retries} after {format_duration(broken.retry_delay)}"
    if broken.offset is None:
        return
    if broken.superseded or not broken.offset:
        yield "began anew" if broken.superseded else "from the start"
    else:
        yield f"went on at {broken.offset:,}{_RESUME_ORIGIN_PHRASES[broken.origin]}"


_RESUME_ORIGIN_PHRASES = {
    None: "",
    StreamOrigin.START: ", from a restart",
    StreamOrigin.CURSOR: ", behind the last event",
    StreamOrigin.CONTINUATION: ", as a continuation",
}
_RESUME_ORIGIN_WORDS = {
    None: "",
    StreamOrigin.START: "restart",
    StreamOrigin.CURSOR: "last event",
    StreamOrigin.CONTINUATION: "continued",
}


def _optional_duration(seconds: float | None, prefix: str = "") -> Parts:
    return () if seconds is None else (f"{prefix}{format_duration(seconds)}",)


def _quantile_parts(quantiles: Quantiles) -> Parts:
    return *_optional_duration(quantiles.p50), *_optional_duration(quantiles.p95)


def _format_tokens(tokens: TokenCount | None) -> str:
    if tokens is None:
        return "0"
    return f"{'~' if tokens.is_estimated else ''}{tokens.count:,}"


def _format_tokens_short(tokens: TokenCount | None) -> str:
    if tokens is None:
        return "0"
    return f"{'~' if tokens.is_estimated else ''}{format_compact(tokens.count)}"


def _state(figures: StreamFigures) -> Parts:
    return ("removed" if figures.is_removed else figures.turn.reason or figures.state,)


def _turns(figures: StreamFigures) -> Parts:
    return (f"{figures.completed_turns:,}",)


def _rate(figures: StreamFigures) -> Parts:
    return f"{figures.current_rate:,.0f} now", *_format_mean(figures.turn.mean_rate)


def _rate_short(figures: StreamFigures) -> Parts:
    return f"{figures.current_rate:,.0f}", *_format_mean(figures.turn.mean_rate)


def _format_mean(rate: float | None, word: str = " mean") -> Parts:
    return () if rate is None else (f"{rate:,.0f}{word}",)


def _first_byte(figures: StreamFigures) -> Parts:
    usual = _optional_duration(figures.first_byte_times.p50, "usually ") if figures.connections > 1 else ()
    return *_optional_duration(figures.first_byte), *usual


def _first_token(figures: StreamFigures) -> Parts:
    usual = _optional_duration(figures.first_token_times.p50, "usually ") if figures.completed_turns else ()
    return *_optional_duration(figures.turn.first_token), *usual


def _first_answer(figures: StreamFigures) -> Parts:
    """Format the time to the first answer, only if reasoning came before it."""
    return _optional_duration(figures.turn.first_answer) if figures.turn.has_reasoning else ()


def _received_text(figures: StreamFigures) -> Parts:
    return format_bytes(figures.received_bytes), f"{figures.chunks:,}"


def _received_text_short(figures: StreamFigures) -> Parts:
    return format_bytes(figures.received_bytes), format_compact(figures.chunks)


def _transport(figures: StreamFigures) -> Parts:
    how = {None: "", True: "reused", False: "new"}[figures.connection_reused]
    whose = {None: "", True: "one stream for all", False: "a stream each"}[figures.shared]
    return tuple(part for part in (one_line(figures.transport, 20), how, whose) if part)


def _connections(figures: StreamFigures) -> Parts:
    reused = (f"{figures.reused_connections:,} reused",) if figures.reused_connections else ()
    return f"{figures.connections:,}", *reused


def _reconnected(figures: StreamFigures) -> Parts:
    waited = (f"waited {format_duration(figures.retry_wait)}",) if figures.reconnections else ()
    return format_occurrences(figures.reconnections), *waited


def _reconnected_short(figures: StreamFigures) -> Parts:
    count = figures.reconnections
    return (
        (format_compact(count), format_duration(figures.retry_wait))
        if count
        else (format_occurrences(count),)
    )


def _fault(figures: StreamFigures) -> Parts:
    if not figures.interruptions:
        return ()
    fault = figures.interruptions[-1].fault
    return format_fault_kind(fault), one_line(fault.message, MAX_MESSAGE)


def _fault_short(figures: StreamFigures) -> Parts:
    return (_fault_name(figures.interruptions[-1].fault),) if figures.interruptions else ()


def _resumed(figures: StreamFigures) -> Parts:
    resumed = next((broken for broken in reversed(figures.interruptions) if broken.offset is not None), None)
    if resumed is None:
        return ()
    if resumed.superseded:
        return ("anew",)
    if not resumed.offset:
        return ("from the start",)
    where = _RESUME_ORIGIN_WORDS[resumed.origin]
    return f"at {resumed.offset:,}", *((where,) if where else ())


def _buffer(figures: StreamFigures) -> Parts:
    buffer = figures.buffer
    return () if buffer is None else (f"{buffer.pending_size:,}", f"{buffer.peak_size:,}")


def _buffer_short(figures: StreamFigures) -> Parts:
    buffer = figures.buffer
    return () if buffer is None else (format_compact(buffer.pending_size), format_compact(buffer.peak_size))


def _backpressure(figures: StreamFigures) -> Parts:
    buffer = figures.buffer
    if buffer is None:
        return ()
    return format_occurrences(buffer.wait_count), *(
        (format_duration(buffer.wait_seconds),) if buffer.wait_count else ()
    )


def _backpressure_short(figures: StreamFigures) -> Parts:
    buffer = figures.buffer
    if buffer is None or not buffer.wait_count:
        return _backpressure(figures)
    return format_compact(buffer.wait_count), format_duration(buffer.wait_seconds)


def _cost(figures: StreamFigures) -> Parts:
    return () if figures.cost is None else (format_money(figures.cost),)


def _first_part(parts: Callable[[StreamFigures], Parts]) -> Callable[[StreamFigures], Parts]:
    return lambda figures: parts(figures)[:1]


def _single_width_row(
    label: str,
    parts: Callable[[StreamFigures], Parts],
    *,
    always_visible: bool = True,
    is_about_faults: bool = False,
) -> StatisticsRow:
    """Return a row whose full text is short enough already."""
    return StatisticsRow(label, parts, parts, always_visible, is_about_faults)


_CHUNK_GAP_ROW = _single_width_row("gap p50, p95", lambda figures: _quantile_parts(figures.chunk_gaps))
_TEXT_ROW = StatisticsRow("text, chunks", _received_text, _received_text_short)
_COST_ROW = _single_width_row("cost", _cost, always_visible=False)
_CONNECTIONS_ROW = _single_width_row("connections", _connections)
_RECONNECTED_ROW = StatisticsRow("reconnected", _reconnected, _reconnected_short, is_about_faults=True)
_BACKPRESSURE_ROW = StatisticsRow("held back", _backpressure, _backpressure_short, always_visible=False)

_LIVE_ROWS = (
    StatisticsRow("tokens/s", _rate, _rate_short),
    StatisticsRow(
        "tokens, all",
        lambda figures: (_format_tokens(figures.turn.tokens), _format_tokens(figures.tokens)),
        lambda figures: (_format_tokens_short(figures.turn.tokens), _format_tokens_short(figures.tokens)),
    ),
    _COST_ROW,
    StatisticsRow("first byte", _first_byte, _first_part(_first_byte)),
    StatisticsRow("first token", _first_token, _first_part(_first_token)),
    _single_width_row("first answer", _first_answer, always_visible=False),
    _CHUNK_GAP_ROW,
    _TEXT_ROW,
    StatisticsRow("transport", _transport, _first_part(_transport)),
    _CONNECTIONS_ROW,
    _RECONNECTED_ROW,
    StatisticsRow("last fault", _fault, _fault_short, always_visible=False, is_about_faults=True),
    StatisticsRow("went on", _resumed, _first_part(_resumed), always_visible=False, is_about_faults=True),
    StatisticsRow("buffer, peak", _buffer, _buffer_short, always_visible=False),
    _BACKPRESSURE_ROW,
)
_SUMMARY_ROWS = (
    _single_width_row("state", _state),
    _single_width_row("turns", _turns),
    _single_width_row("tokens/s mean", lambda figures: _format_mean(figures.mean_rate, "")),
    _single_width_row("tokens", lambda figures: (_format_tokens(figures.tokens),)),
    _COST_ROW,
    _single_width_row("first byte p50, p95", lambda figures: _quantile_parts(figures.first_byte_times)),
    _single_width_row("first token p50, p95", lambda figures: _quantile_parts(figures.first_token_times)),
    _single_width_row("chunk gap p50, p95", lambda figures: _quantile_parts(figures.chunk_gaps)),
    _TEXT_ROW,
    _single_width_row("transport", _transport),
    _CONNECTIONS_ROW,
    _RECONNECTED_ROW,
    _single_width_row("buffer peak", lambda figures: _buffer(figures)[1:], always_visible=False),
    _BACKPRESSURE_ROW,
)


# The table of plain text that ``--stats`` prints.


COLUMN_GAP = "  "
PART_SEPARATOR = ", "
UNKNOWN_VALUE = "-"


def format_table(report: StatisticsReport) -> str:
    """Return the figures as a table with a column per debater, followed by a list of all faults."""
    return "".join(f"{line.rstrip()}\n" for line in _table_lines(report))


def _table_lines(report: StatisticsReport) -> Iterator[str]:
    yield ""
    yield f"Stream statistics ({format_duration(report.elapsed)})"
    names = [one_line(figures.name, 40) for figures in report.streams]
    rows = [("", *names)]
    for measure in summary_rows(report):
        values = (
            PART_SEPARATOR.join(measure.full_text(figures)) or UNKNOWN_VALUE for figures in report.streams
        )
        rows.append((measure.label, *values))
    yield from _align_columns(rows)
    if report.frames is not None:
        yield f"{COLUMN_GAP}screen: {PART_SEPARATOR.join(format_frames(report.frames))}"
    if broken := list_incidents(report):
        yield ""
        yield "What broke"
        yield from _align_columns(
            [
                (format_clock(incident.at), incident.name, incident.fault, incident.outcome, incident.message)
                for incident in broken
            ]
        )


def _align_columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(cell_len, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        yield COLUMN_GAP + COLUMN_GAP.join(padded)
