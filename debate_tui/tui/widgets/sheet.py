"""The widget that shows the rows of a page that are in view, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from debate_tui.display.markdown import Page
from debate_tui.tui import compositing
from debate_tui.tui.widgets.finder import lit_up
from debate_tui.tui.widgets.ink import Ink
from debate_tui.tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Offset, Region
    from textual.selection import Selection

    from debate_tui.display.markdown import Row, Run, Signs
    from debate_tui.tui.sgr import RowStrip
    from debate_tui.tui.widgets.finder import Finder

SLICE = 0.004
"""Seconds at a time that are spent on wrapping or searching what is out of sight."""

PAUSE = 0.01
"""Seconds between two such moments, for keys and new text."""

_BLOCK_BITS = 24


class Sheet(compositing.RowWidget):
    """Rows with their colours, what is selected and what was searched for, and a mark of where they are.

    What shows another part of the page, or another page, says so with `_show`, which has repainted what
    is not as it was painted last.
    """

    def __init__(self, signs: Signs) -> None:
        super().__init__()
        self._page = Page(80, signs)
        self._place = signs.place
        self._view = Viewport(self._page)
        self._finder: Finder | None = None
        self._extent = Size(0, 0)  # what the rows are made for,
        self._ink: Ink | None = None  # and with;
        self._first = 0  # the line they begin with,
        self._rows: list[Row] = []
        self._strips: list[RowStrip] = []  # what they look like,
        self._shown: list[Strip] = []  # and what was painted, the position mark included
        self._mark = -1
        self._settling = False

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, each paragraph in one line; offsets are blocks and their characters."""
        sections = self._page.sections
        if not sections:
            return None
        first = _block(selection.start) if selection.start else (0, 0)
        last = _block(selection.end) if selection.end else (sections[-1].number, 1 << _BLOCK_BITS)
        texts: list[str] = []
        for section, block in self._page.blocks(first, last):
            span = selection.get_span(_y(section, block))
            if span is not None:
                text = self._page.text(section, block)
                texts.append(text[span[0] : None if span[1] < 0 else span[1]])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self._show()

    def render_line(self, y: int) -> Strip:
        """A row with offsets, for the mouse to find its place in the text; never painted."""
        self._make_rows()
        strip = self._shown[y]
        if y >= len(self._rows) or self._rows[y].block < 0:
            return strip
        section, block, line = self._rows[y]
        place = _y(section, block)
        end = line.start + len(line.content)
        segments: list[Segment] = []
        offset = line.start - line.indent - 1
        for text, style, _ in strip:
            # What stands before the text is all at its beginning, character by character; what stands behind
            # it has no offset, and so is at its end.
            inner, outer = text[: max(0, end - offset)], text[max(0, end - offset) :]
            for piece in inner if offset < line.start else (inner,):
                at = Style.from_meta({"offset": (max(line.start, offset), place)})
                segments.append(Segment(piece, style + at if style else at))
                offset += len(piece)
            segments.append(Segment(outer, style))
        return Strip([segment for segment in segments if segment.text], strip.cell_length)

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows within `crop`."""
        self._make_rows()
        rows = self._shown[crop.y : crop.bottom]
        return rows if crop.width == self._extent.width else [row.crop(crop.x, crop.right) for row in rows]

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget."""
        return self._shown[y]

    def on_resize(self) -> None:
        """Wrap anew what is in view, and the rest little by little."""
        self._make_rows()

    def notify_style_update(self) -> None:
        """Forget the colours when the theme or a class changes."""
        super().notify_style_update()
        self._ink = None
        self._show()

    def _settle(self) -> None:
        self._settling = not self._view.settle(SLICE)
        self._show()
        if self._settling:
            self.set_timer(PAUSE, self._settle)

    def _show(self, changed: int = 0) -> None:
        """Have repainted what is not as it was painted last; lines before `changed` are the same."""
        if not self.is_attached:
            return
        before = self._shown
        self._make_rows(changed)
        after = self._shown
        same = min(len(before), len(after))
        rows = [y for y in range(same) if before[y] is not after[y] and before[y] != after[y]]
        compositing.show(self, [*rows, *range(same, len(after))])

    def _make_rows(self, changed: int | None = None) -> None:
        """Make the rows for the size there is now; those from line `changed` on anew."""
        size = self.size
        if size != self._extent:
            self._fit(size)
        elif changed is None and self._ink is not None:
            return
        if self._ink is None:
            self._ink = Ink(self)
            self._rows = []
        selection = self.text_selection
        plain = selection is None and self._finder is None
        view, skipped = self._view, self._view.top - self._first
        kept = min((changed or 0) - self._first, len(self._rows)) - skipped if plain and skipped >= 0 else 0
        kept = max(0, kept)
        rows = self._page.rows(view.top + kept, view.end)
        strips = [self._ink.strip(self._runs(row, selection), row.line, size.width) for row in rows]
        self._rows = self._rows[skipped : skipped + kept] + rows
        self._strips = self._strips[skipped : skipped + kept] + strips
        self._first = view.top
        blanks = [self._ink.blank(size.width)] * (size.height - len(self._rows))
        self._shown = [*self._strips, *blanks]
        if 0 <= self._mark < size.height:
            row = self._shown[self._mark].crop(0, size.width - 1)
            mark = Segment(self._place, self._ink.style("border"))
            self._shown[self._mark] = Strip([*row, mark], size.width)

    def _fit(self, size: Size) -> None:
        self._extent = size
        self._rows = []
        self._view.resize(size.width - 2, size.height)
        self._mark = self._view.mark()
        if not self._settling:
            self._settling = True
            self.set_timer(PAUSE, self._settle)

    def _runs(self, row: Row, selection: Selection | None) -> Sequence[Run]:
        """The runs of a row, with what is selected and what was searched for in styles of their own."""
        if row.block < 0 or (selection is None and self._finder is None):
            return row.line.runs
        spans = list(self._finder.lit(row.section, row.block)) if self._finder is not None else []
        span = selection.get_span(_y(row.section, row.block)) if selection is not None else None
        if span is not None:
            end = row.line.start + len(row.line.content) if span[1] < 0 else span[1]
            spans.append((span[0], end, "selection"))
        return lit_up(row, spans)


def _y(section: int, block: int) -> int:
    """A block as a row of the selection's coordinates: those of the text, which no scrolling changes."""
    return section << _BLOCK_BITS | block


def _block(offset: Offset) -> tuple[int, int]:
    return offset.y >> _BLOCK_BITS, offset.y & ((1 << _BLOCK_BITS) - 1)
