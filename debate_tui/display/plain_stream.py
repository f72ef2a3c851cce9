"""A debate as plain text on a terminal: turns stream one after another, above a line with their states."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from debate_tui.display.markdown.wrap import cell_width, wrap, wrap_code
from debate_tui.display.plain import PlainFormatter, format_sources
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.sanitise import Sanitiser, one_line
from debate_tui.domain.wording import (
    debater_label,
    debater_name,
    describe_debate_end,
    describe_quotes,
    describe_turn_end,
    round_title,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterator, Sequence

    from debate_tui.display.markdown.wrap import Span
    from debate_tui.display.output import OutputWriter
    from debate_tui.display.plain import PlainParagraph
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Turn

HEAD_START = 200
"""Characters of a turn after which it no longer waits for one that started earlier but has no text yet."""

MAX_STATE_CHARACTERS = 40
"""Maximum length of a debater's state in the status line."""

MAX_COLUMNS = 100
"""Maximum columns of text on a terminal; lines longer than this are hard to read."""

_ERASE_BELOW = "\x1b[J"
_LINE_PREFIX = re.compile(r"(?:\s|>|[-*+]\s|\d{1,3}[.)]\s)*")
_CODE_FENCE = re.compile(r"\s*(?:```|~~~)")
_TABLE_ROW = re.compile(r"\s*\|")


class WordWrapper:
    """Wraps Markdown source that arrives in pieces; words are printed once they are complete.

    Continuation lines are indented like the text of their list item or quote; tables and code are broken
    anywhere. Blank lines at the end of the text are never printed. `columns` returns the width of the
    terminal; its last column stays empty, because terminals differ in where the cursor is after it. `column`
    is where the cursor is, from 0.
    """

    def __init__(self, columns: Callable[[], int]) -> None:
        self.column = 0
        self._columns = columns
        self._row = ""
        self._printed = 0
        self._indent = ""
        self._hanging: str | None = None
        self._line_breaks = 0
        self._is_code = self._is_fence = self._is_verbatim = False
        self.is_empty = True
        """Whether nothing has been printed."""

    def feed(self, text: str) -> str:
        """Add a piece of text and return what to print now."""
        first, *others = text.replace("\t", "    ").split("\n")
        self._row += first
        parts = [self._print_row(is_complete=False)]
        for line in others:
            parts.append(self._end_line())
            self._row = line
            parts.append(self._print_row(is_complete=False))
        return "".join(parts)

    def finish(self) -> str:
        """Return the rest of the text, without a line break at its end."""
        return self._print_row(is_complete=True)

    def _end_line(self) -> str:
        rest = self._print_row(is_complete=True)
        self._is_code ^= self._is_fence
        self._row = self._indent = ""
        self._printed, self._hanging = 0, None
        self._line_breaks += not self.is_empty
        return rest

    def _print_row(self, *, is_complete: bool) -> str:
        """Return the printable rest of the row, and of the rows into which it has grown."""
        if self._hanging is None:
            self._is_fence = _CODE_FENCE.match(self._row) is not None
            self._is_verbatim = self._is_code or self._is_fence or _TABLE_ROW.match(self._row) is not None
        parts: list[str] = []
        width = max(1, min(self._columns() - 1, MAX_COLUMNS))
        while True:
            spans = self._split_row(width - len(self._indent))
            if len(spans) == 1:
                break
            parts.append(self._print_until(spans[0][1]))
            if self._hanging is None:
                self._hanging = "" if self._is_verbatim else _hanging_indent(self._row, width // 2)
            self._row, self._printed, self._indent = self._row[spans[1][0] :], 0, self._hanging
            self._line_breaks += 1
        if is_complete or self._is_verbatim:
            parts.append(self._print_until(len(self._row.rstrip(" "))))
        else:
            parts.append(self._print_until(len(self._row[: self._row.rfind(" ") + 1].rstrip(" "))))
        return "".join(parts)

    def _split_row(self, room: int) -> list[Span]:
        """Return spans of the row that fit; blanks at its beginning are kept, up to half the room."""
        if self._is_verbatim:
            return wrap_code(self._row, max(1, room))
        blanks = len(self._row) - len(self._row.lstrip(" "))
        if blanks > room // 2:
            self._row, blanks = self._row[blanks:], 0
        return wrap(self._row, max(1, room - blanks))

    def _print_until(self, end: int) -> str:
        if end <= self._printed:
            return ""
        start = "" if self._printed else "\n" * self._line_breaks + self._indent
        text = self._row[self._printed : end]
        self._printed, self._line_breaks, self.is_empty = end, 0, False
        self.column = cell_width(self._indent + self._row[:end])
        return start + text


def _hanging_indent(line: str, limit: int) -> str:
    """Return what continuation lines begin with: blanks under a list item's text, and ``>`` in quotes."""
    prefix = _LINE_PREFIX.match(line)
    indent = re.sub(r"[^>\s]", " ", prefix[0]) if prefix else ""
    return indent if len(indent) <= limit else ""


class _StreamedTurn:
    """A turn that is printed while it streams; `ending` is set once it has finished.

    `notes` are paragraphs after its text.
    """

    def __init__(self, number: int, heading: str, columns: Callable[[], int], text: str) -> None:
        self.number = number
        self.heading = heading
        self.ending: str | None = None
        self.notes: tuple[str, ...] = ()
        self.has_heading = False
        self.has_text = bool(text)
        self._columns = columns
        self._sanitiser = Sanitiser()
        self._pending = [self._sanitiser.feed(text)] if text else []
        self._wrapper = WordWrapper(columns)
        self._is_restarted = False

    @property
    def is_ready(self) -> bool:
        """Whether there is anything to print."""
        return bool(self._pending) or self.ending is not None

    @property
    def column(self) -> int:
        """The column of the cursor after the printed text."""
        return self._wrapper.column

    @property
    def is_ahead(self) -> bool:
        """Whether there is so much to print that the turn need not wait for another that is not ready."""
        return self.ending is not None or sum(map(len, self._pending)) >= HEAD_START

    def add(self, text: str) -> None:
        """Add a piece of text as received."""
        self.has_text = True
        self._pending.append(self._sanitiser.feed(text))

    def restart(self) -> None:
        """Drop the text: a new answer follows."""
        self._pending, self._sanitiser = [], Sanitiser()
        self._is_restarted = not self._wrapper.is_empty

    def print_text(self) -> str:
        """Return the text to print now; after the ending, all of it."""
        if not self.is_ready:
            return ""
        note = ""
        if self._is_restarted:
            note = "\n\n(The answer starts again.)\n\n"
            self._is_restarted, self._wrapper = False, WordWrapper(self._columns)
        text = "".join(self._pending)
        self._pending = []
        if self.ending is None:
            return note + self._wrapper.feed(text if not self._wrapper.is_empty else text.lstrip("\n"))
        rest = self._wrapper.feed(text + self._sanitiser.flush()) + self._wrapper.finish()
        if self._wrapper.is_empty:
            rest = "(no text)"
        notes = (*self.notes, f"({self.ending})") if self.ending else self.notes
        return f"{note}{rest}\n" + "".join(f"\n{paragraph}\n" for paragraph in notes)


class StreamFormatter:
    """A fold over the debate log that yields plain text for a terminal, as it arrives.

    Turns that stream at the same time are printed one after another, in the order in which they started; one
    that is far behind has to wait. What happens meanwhile is printed after the turns that had begun. `notes`
    are lines for standard error.
    """

    def __init__(self, columns: Callable[[], int], notice: str = "") -> None:
        self._columns = columns
        self._plain = PlainFormatter(notice)
        self._queue: list[_StreamedTurn | str] = []
        self._current: _StreamedTurn | None = None
        self._separator = ""
        self._message = ""
        self.notes: list[str] = []

    @property
    def column(self) -> int:
        """The column of the cursor, from 0."""
        return self._current.column if self._current is not None else 0

    @property
    def width(self) -> int:
        """Columns for the status line."""
        return max(1, self._columns() - 1)

    @property
    def status(self) -> str:
        """One line about what goes on, with the states of the debaters; empty after the end."""
        transcript = self._plain.transcript
        if transcript.phase is None or transcript.finish_reason is not None:
            return self._message
        states = [
            f"{debater_name(transcript, debater)}: {one_line(words, MAX_STATE_CHARACTERS)}"
            for debater in transcript.active_debaters
            if (words := self._plain.statuses.get(debater))
        ]
        return f"[{self._message or f'{round_title(transcript.phase)}. ' + '; '.join(states)}]"

    def apply(self, event: Event) -> str:
        """Process one event and return what to print."""
        transcript = self._plain.transcript
        if event.seq and event.seq <= transcript.seq:
            return ""
        turn = transcript.turns.get(event.turn) if isinstance(event, TurnDelta) else None
        length = turn.length if turn is not None else 0
        paragraphs = self._plain.apply(event)
        match event:
            case TurnStarted():
                self._open_turn(event.turn)
            case TurnDelta():
                if turn is not None and turn.length > length:
                    self._find_turn(event.turn).add(event.text)
            case TurnSuperseded():
                self._find_turn(event.turn).restart()
            case TurnFinished():
                if finished := transcript.turns.get(event.turn):
                    printed = self._find_turn(event.turn)
                    printed.ending = describe_turn_end(event.reason, finished.faults)
                    printed.notes = (*_quote_notes(finished), *format_sources(finished))
            case _:
                self._add_paragraphs(event, paragraphs)
        return self._print_queue()

    def finish(self) -> str:
        """Return what is missing if the log ends early; nothing if the debate was finished."""
        transcript = self._plain.transcript
        for item in self._queue:
            if isinstance(item, _StreamedTurn) and item.ending is None:
                item.ending = describe_turn_end(None)
        self._queue = [item for item in self._queue if isinstance(item, str) or item.has_text]
        if transcript.seq and transcript.finish_reason is None:
            self._queue.append(describe_debate_end(None))
        return self._print_queue()

    def _open_turn(self, number: int) -> _StreamedTurn:
        turn = self._plain.transcript.turns[number]
        heading = f"### {debater_label(self._plain.transcript, turn.debater)}"
        opened = _StreamedTurn(number, heading, self._columns, turn.text)
        self._queue.append(opened)
        return opened

    def _find_turn(self, number: int) -> _StreamedTurn:
        """Return a turn to be printed; one that has been printed as finished is opened again."""
        turns = (item for item in self._queue if isinstance(item, _StreamedTurn) and item.number == number)
        return next(turns, None) or self._open_turn(number)

    def _add_paragraphs(self, event: Event, paragraphs: Sequence[PlainParagraph]) -> None:
        dropped = isinstance(event, StreamStatus) and event.dropped
        for paragraph in paragraphs:
            if paragraph.to_stderr:
                self.notes.append(paragraph.text)
            if not paragraph.to_stderr or dropped:
                self._queue.append(paragraph.text)
        if isinstance(event, DebatePaused | PhaseStarted):
            self._message = "".join(paragraph.text for paragraph in paragraphs if paragraph.to_stderr)
        elif isinstance(event, DebateResumed | DebateFinished):
            self._message = ""

    def _print_queue(self) -> str:
        """Print what is ready: whole paragraphs, and the text of one turn."""
        parts: list[str] = []
        while (item := self._current or self._next_item()) is not None:
            if isinstance(item, str):
                wrapper = WordWrapper(self._columns)
                parts += self._separator, wrapper.feed(item), wrapper.finish(), "\n"
            else:
                if not item.has_heading:
                    item.has_heading = True
                    parts += self._separator, item.heading, "\n\n"
                parts.append(item.print_text())
                if item.ending is None:
                    self._current = item
                    break
            self._separator = "\n"
            self._current = None
            self._queue.remove(item)
        return "".join(parts)

    def _next_item(self) -> _StreamedTurn | str | None:
        """Return the next item to print, or `None` if it is not there yet.

        That is the oldest item, or a turn before the next paragraph that is far ahead of the oldest.
        """
        for item in self._queue:
            is_oldest = item is self._queue[0]
            if isinstance(item, str):
                return item if is_oldest else None
            if item.is_ready and (is_oldest or item.is_ahead):
                return item
        return None


def _quote_notes(turn: Turn) -> Iterator[str]:
    """Yield a paragraph about the turn's quotes: its text is printed before they are checked."""
    if turn.quotes:
        missing = "; ".join(f"“{one_line(quote.text)}”" for quote in turn.quotes if not quote.found)
        yield f"({describe_quotes(turn.quotes)}{f'; not found: {missing}' if missing else ''})"


async def write_stream(
    batches: AsyncIterable[Sequence[Event]],
    out: OutputWriter,
    err: OutputWriter | None,
    *,
    columns: Callable[[], int],
    notice: str = "",
) -> bool:
    """Write a debate to a terminal that can move its cursor, as it arrives, above a status line.

    `columns` returns the terminal's width. Status lines also go to `err`, if it is another file. Returns and
    raises the same as `write_plain`. The cursor is always at the end of the text, so that other output does
    no harm.
    """
    formatter = StreamFormatter(columns, notice)
    shown = ""
    try:
        async for batch in batches:
            text = "".join(map(formatter.apply, batch))
            status = formatter.status
            if text or status != shown:
                await out.write(f"{_ERASE_BELOW if shown else ''}{text}{_below(status, formatter)}")
                shown = status
            await _write_notes(formatter, err)
        await out.write(f"{_ERASE_BELOW if shown else ''}{formatter.finish()}")
    except BrokenPipeError:
        return False
    return True


async def _write_notes(formatter: StreamFormatter, err: OutputWriter | None) -> None:
    notes, formatter.notes = formatter.notes, []
    if err is not None and notes:
        with suppress(BrokenPipeError):
            await err.write("".join(f"{note}\n" for note in notes))


def _below(status: str, formatter: StreamFormatter) -> str:
    """Return what prints a status below the cursor and moves the cursor back."""
    if not status:
        return ""
    start, end = wrap_code(status, formatter.width)[0]
    return f"\n{status[start:end]}\x1b[A\x1b[{formatter.column + 1}G"
