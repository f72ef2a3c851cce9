"""The header: topic, phase, display mode and elapsed time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.wording import format_clock
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import Badge
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, clip, pieces_width

if TYPE_CHECKING:
    from debate_tui.tui.symbols import Glyphs


MIN_TOPIC_CELLS = 14
"""Cells that the names of the judges leave to the topic."""
MIN_READERS_CELLS = 10


class HeaderContent(Struct, frozen=True, kw_only=True):
    """The content of the header.

    `elapsed_seconds` is in whole seconds; `phase_progress` is from 0 to 1 for each step. `expected_seconds`
    is the expected duration of all turns together, or `None` if unknown. `judging_status` is shown while the
    judges read, and the names of those who still do, `readers`, as far as there is room; `cost` is the cost
    of the debate so far. With `is_replay`, ``replay`` replaces the time, which a replay shows elsewhere.
    """

    topic: str = ""
    phase: str = ""
    mode: str = ""
    elapsed_seconds: int = 0
    expected_seconds: int | None = None
    phase_progress: tuple[float, ...] = ()
    cost: str = ""
    judging_status: str = ""
    readers: str = ""
    is_paused: bool = False
    ending: Badge | None = None
    is_replay: bool = False


class Header(TextRows):
    """Two lines; the second is both the panes' border and the progress bar."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._content = HeaderContent()

    def update(self, content: HeaderContent) -> None:
        """Show this content."""
        self._content = content
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the line with topic and state, and the progress bar."""
        line, glyphs = self._content, self._glyphs
        between = Piece(f"  {glyphs.separator}  ", Tone.FAINT)
        parts = []
        if line.is_paused:
            parts.append(Piece(f"{glyphs.paused} paused", Tone.PAUSED, bold=True))
        if line.ending is not None:
            parts.append(Piece(line.ending.text(glyphs), line.ending.tone, bold=True))
        elif line.judging_status:
            parts.append(Piece(f"{glyphs.streaming} {line.judging_status}", Tone.STREAMING, bold=True))
        elif line.phase:
            parts.append(Piece(line.phase, Tone.TEXT))
        parts.append(Piece(line.mode, Tone.QUIET))
        time = format_clock(line.elapsed_seconds)
        if line.expected_seconds is not None:
            time += f" of ~{format_clock(line.expected_seconds)}"
        parts.append(Piece("replay", Tone.FOCUS) if line.is_replay else Piece(time, Tone.QUIET))
        right = [parts[0]]
        for part in parts[1:]:
            right += [between, part]
        if line.readers:
            after = 1 + 2 * line.is_paused
            right[after:after] = self._fit_readers(width - pieces_width(right))
        topic = Row((Piece(line.topic, Tone.TEXT, bold=True),), tuple(right))
        spent = (Piece(f"  {line.cost}", Tone.QUIET),) if line.cost else ()
        return topic, Row((*self._progress_bar(width - pieces_width(spent)), *spent))

    def _fit_readers(self, width: int) -> tuple[Piece, ...]:
        room = width - MIN_TOPIC_CELLS
        names = Piece(f": {self._content.readers}", Tone.STREAMING)
        return clip((names,), room, self._glyphs.ellipsis) if room >= MIN_READERS_CELLS else ()

    def _progress_bar(self, width: int) -> tuple[Piece, ...]:
        glyphs, progress = self._glyphs, self._content.phase_progress
        if not progress or width < 3 * len(progress):
            return (Piece(glyphs.thin_line * width, Tone.FAINT),)
        pieces: list[Piece] = []
        count = len(progress)
        room = width - count + 1
        for step, done in enumerate(progress):
            cells = room * (step + 1) // count - room * step // count
            if pieces:
                pieces.append(Piece(" "))
            filled = round(cells * done)
            pieces.append(Piece(glyphs.heavy_line * filled, Tone.FOCUS))
            pieces.append(Piece(glyphs.thin_line * (cells - filled), Tone.FAINT))
        return tuple(piece for piece in pieces if piece.text)


# The title bar of a screen.


class TitleBar(TextRows):
    """A title with a status at the right, and a rule below."""

    DEFAULT_CSS = "TitleBar { height: 2; background: $background; }"

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._title = title
        self._status = ""

    def update_status(self, text: str) -> None:
        """Show this status at the right."""
        self._status = text
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        title = Row((Piece(self._title, Tone.TEXT, bold=True),), (Piece(self._status, Tone.QUIET),))
        return title, Row((Piece(self._glyphs.thin_line * width, Tone.FAINT),))
