"""Rows of plain text outside the panes' content; a change repaints these rows without a new layout."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from debate_tui.domain.sanitise import sanitise
from debate_tui.tui import painter
from debate_tui.tui.styles import Tone, resolve_colour
from debate_tui.tui.symbols import UNICODE, Glyphs, to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.geometry import Region


_WHITESPACE_TO_SPACES = str.maketrans("\n\t", "  ")


class Piece(NamedTuple):
    """A run of text in a tone or a colour of its own; it is never parsed as markup."""

    text: str
    tone: Tone | str = Tone.TEXT
    bold: bool = False


class Row(NamedTuple):
    """One row; `left` is cut with an ellipsis where it would overlap `right`, which is aligned right."""

    left: tuple[Piece, ...] = ()
    right: tuple[Piece, ...] = ()


def sanitise_piece(piece: Piece) -> Piece:
    """Return a piece without control characters, whatever the source of its text."""
    if piece.text.isprintable():
        return piece
    return piece._replace(text=sanitise(piece.text).translate(_WHITESPACE_TO_SPACES))


def pieces_width(pieces: Sequence[Piece]) -> int:
    """Return the total width of pieces in cells."""
    return sum(cell_len(piece.text) for piece in pieces)


def merge_cells(cells: Iterable[tuple[str, Tone]]) -> tuple[Piece, ...]:
    """Merge cells into one piece for each run of one tone."""
    return tuple(
        Piece("".join(text for text, _ in run), tone)
        for tone, run in groupby(cells, key=lambda cell: cell[1])
    )


def clip(pieces: Sequence[Piece], width: int, ellipsis: str = "…") -> tuple[Piece, ...]:
    """Cut pieces to at most `width` cells, with an ellipsis if anything is cut."""
    if pieces_width(pieces) <= width:
        return tuple(pieces)
    room = width - cell_len(ellipsis)
    if room < 0:
        return ()
    kept: list[Piece] = []
    for piece in pieces:
        cells = cell_len(piece.text)
        if cells > room:
            text = set_cell_size(piece.text, room).rstrip()
            kept.append(piece._replace(text=text + ellipsis))
            break
        kept.append(piece)
        room -= cells
    return tuple(kept)


def justify(row: Row, width: int, ellipsis: str = "…") -> tuple[Piece, ...]:
    """Lay out a row to exactly `width` cells."""
    right = clip(row.right, width, ellipsis)
    gap = 2 if row.left and right else 0
    left = clip(row.left, max(0, width - pieces_width(right) - gap), ellipsis)
    space = max(0, width - pieces_width(left) - pieces_width(right))
    return (*left, Piece(" " * space), *right)


class TextRows(painter.RowWidget):
    """A widget with a fixed number of rows.

    Subclasses implement `rows`; `refresh_rows` repaints those that changed. Painting bypasses Textual's box
    model, so the widget has no border and no padding; the blank cell at either end is part of the rows' own
    layout (`inset`).
    """

    ALLOW_SELECT = False
    inset = 1

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._current_rows: tuple[Row, ...] = ()
        self._layout_size = Size(0, 0)
        self._base_style: Style | None = None
        self._style_cache: dict[tuple[Tone | str, bool], Style] = {}

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the current rows for `width` cells; must be cheap, as it runs several times a second."""
        raise NotImplementedError

    def refresh_rows(self) -> None:
        """Build the rows again and repaint those that changed."""
        if not self.is_mounted or not self.size.width or not self.display:
            self._layout_size = Size(0, 0)  # rebuild the rows when the widget is next shown
            return
        rows = self.rows(self.size.width - 2 * self.inset)
        if len(rows) != len(self._current_rows):
            self._current_rows = rows
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(self._current_rows, rows, strict=True)) if old != new]
        if changed:
            self._current_rows = rows
            painter.repaint_rows(self, changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows within `crop` (in the widget's own cells), as of the last `refresh_rows`.

        They are not rebuilt: the compositor also requests rows that it does not paint.
        """
        if self._layout_size != self.size:
            self._layout_size = self.size
            self._current_rows = self.rows(self.size.width - 2 * self.inset)
        return [self.row(y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def row(self, y: int) -> Strip:
        return self._render_row(
            self._current_rows[y] if y < len(self._current_rows) else Row(), self.size.width
        )

    def notify_style_update(self) -> None:
        """Discard the cached styles when the theme or a class changes."""
        self._base_style = None
        self._style_cache.clear()
        super().notify_style_update()

    def _render_row(self, row: Row, width: int) -> Strip:
        row = Row(tuple(map(self._to_drawable, row.left)), tuple(map(self._to_drawable, row.right)))
        inset = Piece(" " * self.inset)
        pieces = (inset, *justify(row, width - 2 * self.inset, self._glyphs.ellipsis), inset)
        return Strip(
            [Segment(text, self._style_for(tone, bold)) for text, tone, bold in pieces if text], width
        )

    def _to_drawable(self, piece: Piece) -> Piece:
        """Return a piece that is sanitised and, if necessary, in ASCII."""
        piece = sanitise_piece(piece)
        if piece.text.isascii() or not self._glyphs.is_ascii:
            return piece
        return piece._replace(text=to_ascii(piece.text))

    def _style_for(self, tone: Tone | str, bold: bool) -> Style:
        style = self._style_cache.get((tone, bold))
        if style is None:
            if self._base_style is None:
                self._base_style = self.visual_style.rich_style
            colour = resolve_colour(self.app.theme_variables, tone).rich_color
            style = self._apply_line_filters(self._base_style + Style(color=colour, bold=bold or None))
            self._style_cache[(tone, bold)] = style
        return style

    def _apply_line_filters(self, style: Style) -> Style:
        """Return a style after Textual's line filters, which change nothing else about a line."""
        segments = [Segment(" ", style)]
        for line_filter in self.get_line_filters():
            segments = line_filter.apply(segments, self.background_colors[1])
        return segments[0].style or style
