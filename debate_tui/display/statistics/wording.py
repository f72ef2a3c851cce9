"""Statistics in words, the same on screen and in a table. Everything in them is one line and sanitised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from debate_tui.display.statistics.report import Break, Figures, Painting, Report, Spread, Tokens
    from debate_tui.domain.stream import FaultReport

    Parts = tuple[str, ...]

MAX_MESSAGE = 200


class Measure(NamedTuple):
    """One row of figures: what it is called, and what it says of a debater in full and in few cells.

    Parts are shown with something between them; without parts, nothing is known.
    """

    label: str
    full: Callable[[Figures], Parts]
    short: Callable[[Figures], Parts]
    always: bool = True
    """Whether the row is shown even if nothing is known about anybody."""
    trouble: bool = False
    """Whether it is about faults."""


class Incident(NamedTuple):
    """A fault in words: seconds since the debate began, whose, what, and what was done about it."""

    at: float
    name: str
    fault: str
    message: str
    outcome: str
    lost: bool


def duration(seconds: float) -> str:
    """A time in the unit it is best read in."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """A time as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def amount(size: float) -> str:
    """A number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def brief(count: int) -> str:
    """A number in five cells at most, up to a thousand millions."""
    if count < 1000:
        return f"{count}"
    unit, size = ("k", count / 1000) if count < 999_500 else ("M", count / 1_000_000)
    return f"{size:.1f}{unit}" if size < 99.95 else f"{size:.0f}{unit}"


def times(count: int) -> str:
    """How often."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def live(report: Report) -> tuple[Measure, ...]:
    """The rows for a debate under way; those left out have nothing to say about anybody."""
    return tuple(measure for measure in _LIVE if _speaks(measure, report))


def summary(report: Report) -> tuple[Measure, ...]:
    """The rows for a debate that is over."""
    return tuple(measure for measure in _SUMMARY if _speaks(measure, report))


def _speaks(measure: Measure, report: Report) -> bool:
    return measure.always or any(measure.full(figures) for figures in report.streams)


def incidents(report: Report) -> list[Incident]:
    """Everything that broke, oldest first."""
    found = [
        Incident(
            broken.at,
            one_line(figures.name, 40),
            kind(broken.fault),
            one_line(broken.fault.message, MAX_MESSAGE),
            ", ".join(_outcome(broken)),
            broken.wait is None,
        )
        for figures in report.streams
        for broken in figures.breaks
    ]
    return sorted(found, key=lambda incident: incident.at)


def painting(painting: Painting) -> Iterator[str]:
    """What the screen had to do."""
    yield f"{painting.flushes:,} flushes"
    if painting.frames.p50 is not None and painting.frames.p95 is not None:
        yield f"frame {duration(painting.frames.p50)}"
        yield f"p95 {duration(painting.frames.p95)}"


def kind(fault: FaultReport) -> str:
    """What kind of fault, with the HTTP status if there was one."""
    return f"{_word(fault)} ({fault.status})" if fault.status is not None else _word(fault)


def _word(fault: FaultReport) -> str:
    return fault.kind.replace("_", " ")


def _outcome(broken: Break) -> Iterator[str]:
    if broken.wait is None:
        yield "given up"
        return
    yield f"retry {broken.retry}/{broken.max_retries} after {duration(broken.wait)}"
    if broken.offset is None:
        return
    if broken.superseded or not broken.offset:
        yield "began anew" if broken.superseded else "from the start"
    else:
        yield f"went on at {broken.offset:,}{_WHERE[broken.origin]}"


_WHERE = {
    None: "",
    Origin.START: ", from a restart",
    Origin.CURSOR: ", behind the last event",
    Origin.CONTINUATION: ", as a continuation",
}
_ORIGIN = {
    None: "",
    Origin.START: "restart",
    Origin.CURSOR: "last event",
    Origin.CONTINUATION: "continued",
}


def _maybe(seconds: float | None, before: str = "") -> Parts:
    return () if seconds is None else (f"{before}{duration(seconds)}",)


def _spread(spread: Spread) -> Parts:
    return *_maybe(spread.p50), *_maybe(spread.p95)


def _tokens(tokens: Tokens | None) -> str:
    if tokens is None:
        return "0"
    return f"{'~' if tokens.estimated else ''}{tokens.count:,}"


def _tokens_short(tokens: Tokens | None) -> str:
    if tokens is None:
        return "0"
    return f"{'~' if tokens.estimated else ''}{brief(tokens.count)}"


def _state(figures: Figures) -> Parts:
    return ("removed" if figures.removed else figures.turn.reason or figures.state,)


def _turns(figures: Figures) -> Parts:
    return (f"{figures.turns:,}",)


def _speed(figures: Figures) -> Parts:
    return f"{figures.now:,.0f} now", *_mean(figures.turn.rate)


def _speed_short(figures: Figures) -> Parts:
    return f"{figures.now:,.0f}", *_mean(figures.turn.rate)


def _mean(rate: float | None, word: str = " mean") -> Parts:
    return () if rate is None else (f"{rate:,.0f}{word}",)


def _first_byte(figures: Figures) -> Parts:
    usual = _maybe(figures.first_bytes.p50, "usually ") if figures.connections > 1 else ()
    return *_maybe(figures.first_byte), *usual


def _first_token(figures: Figures) -> Parts:
    usual = _maybe(figures.first_tokens.p50, "usually ") if figures.turns else ()
    return *_maybe(figures.turn.first_token), *usual


def _first_answer(figures: Figures) -> Parts:
    """Only where reasoning came first."""
    return _maybe(figures.turn.first_answer) if figures.turn.reasoned else ()


def _text(figures: Figures) -> Parts:
    return amount(figures.size), f"{figures.chunks:,}"


def _text_short(figures: Figures) -> Parts:
    return amount(figures.size), brief(figures.chunks)


def _transport(figures: Figures) -> Parts:
    how = {None: "", True: "reused", False: "new"}[figures.reused]
    whose = {None: "", True: "one stream for all", False: "a stream each"}[figures.shared]
    return tuple(part for part in (one_line(figures.transport, 20), how, whose) if part)


def _connections(figures: Figures) -> Parts:
    reused = (f"{figures.reuses:,} reused",) if figures.reuses else ()
    return f"{figures.connections:,}", *reused


def _reconnected(figures: Figures) -> Parts:
    waited = (f"waited {duration(figures.waited)}",) if figures.reconnections else ()
    return times(figures.reconnections), *waited


def _reconnected_short(figures: Figures) -> Parts:
    count = figures.reconnections
    return (brief(count), duration(figures.waited)) if count else (times(count),)


def _fault(figures: Figures) -> Parts:
    if not figures.breaks:
        return ()
    fault = figures.breaks[-1].fault
    return kind(fault), one_line(fault.message, MAX_MESSAGE)


def _fault_short(figures: Figures) -> Parts:
    return (_word(figures.breaks[-1].fault),) if figures.breaks else ()


def _resumed(figures: Figures) -> Parts:
    resumed = next((broken for broken in reversed(figures.breaks) if broken.offset is not None), None)
    if resumed is None:
        return ()
    if resumed.superseded:
        return ("anew",)
    if not resumed.offset:
        return ("from the start",)
    where = _ORIGIN[resumed.origin]
    return f"at {resumed.offset:,}", *((where,) if where else ())


def _buffer(figures: Figures) -> Parts:
    buffer = figures.buffer
    return () if buffer is None else (f"{buffer.fill:,}", f"{buffer.peak:,}")


def _buffer_short(figures: Figures) -> Parts:
    buffer = figures.buffer
    return () if buffer is None else (brief(buffer.fill), brief(buffer.peak))


def _held(figures: Figures) -> Parts:
    buffer = figures.buffer
    if buffer is None:
        return ()
    return times(buffer.waits), *((duration(buffer.waited),) if buffer.waits else ())


def _held_short(figures: Figures) -> Parts:
    buffer = figures.buffer
    if buffer is None or not buffer.waits:
        return _held(figures)
    return brief(buffer.waits), duration(buffer.waited)


def _cost(figures: Figures) -> Parts:
    return () if figures.cost is None else (f"${figures.cost:.4f}" if figures.cost else "$0",)


def _first(parts: Callable[[Figures], Parts]) -> Callable[[Figures], Parts]:
    return lambda figures: parts(figures)[:1]


def _all(
    label: str, parts: Callable[[Figures], Parts], *, always: bool = True, trouble: bool = False
) -> Measure:
    """A row that is short enough already."""
    return Measure(label, parts, parts, always, trouble)


_GAPS = _all("gap p50, p95", lambda figures: _spread(figures.gaps))
_TEXT = Measure("text, chunks", _text, _text_short)
_COST = _all("cost", _cost, always=False)
_CONNECTIONS = _all("connections", _connections)
_RECONNECTED = Measure("reconnected", _reconnected, _reconnected_short, trouble=True)
_HELD = Measure("held back", _held, _held_short, always=False)

_LIVE = (
    Measure("tokens/s", _speed, _speed_short),
    Measure(
        "tokens, all",
        lambda figures: (_tokens(figures.turn.tokens), _tokens(figures.tokens)),
        lambda figures: (_tokens_short(figures.turn.tokens), _tokens_short(figures.tokens)),
    ),
    _COST,
    Measure("first byte", _first_byte, _first(_first_byte)),
    Measure("first token", _first_token, _first(_first_token)),
    _all("first answer", _first_answer, always=False),
    _GAPS,
    _TEXT,
    Measure("transport", _transport, _first(_transport)),
    _CONNECTIONS,
    _RECONNECTED,
    Measure("last fault", _fault, _fault_short, always=False, trouble=True),
    Measure("went on", _resumed, _first(_resumed), always=False, trouble=True),
    Measure("buffer, peak", _buffer, _buffer_short, always=False),
    _HELD,
)
_SUMMARY = (
    _all("state", _state),
    _all("turns", _turns),
    _all("tokens/s mean", lambda figures: _mean(figures.rate, "")),
    _all("tokens", lambda figures: (_tokens(figures.tokens),)),
    _COST,
    _all("first byte p50, p95", lambda figures: _spread(figures.first_bytes)),
    _all("first token p50, p95", lambda figures: _spread(figures.first_tokens)),
    _all("chunk gap p50, p95", lambda figures: _spread(figures.gaps)),
    _TEXT,
    _all("transport", _transport),
    _CONNECTIONS,
    _RECONNECTED,
    _all("buffer peak", lambda figures: _buffer(figures)[1:], always=False),
    _HELD,
)
