"""The widget that shows the rows of a page that are in view, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from debate_tui.display.markdown import Page
from debate_tui.tui import compositing
from debate_tui.tui.widgets.finder import highlight_runs
from debate_tui.tui.widgets.ink import StyleResolver
from debate_tui.tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Offset, Region
    from textual.selection import Selection

    from debate_tui.display.markdown import MarkdownSymbols, PageRow, Run
    from debate_tui.tui.sgr import RowStrip
    from debate_tui.tui.widgets.finder import MatchFinder

TIME_SLICE = 0.004
"""Seconds at a time that are spent on wrapping or searching what is out of sight."""

SLICE_INTERVAL = 0.01
"""Seconds between two such moments, for keys and new text."""

_BLOCK_BITS = 24


class PageView(compositing.RowWidget):
    """Rows with their colours, what is selected and what was searched for, and a mark of where they are.

    What shows another part of the page, or another page, says so with `_repaint_changed`, which has repainted
    what is not as it was painted last.
    """

    def __init__(self, symbols: MarkdownSymbols) -> None:
        super().__init__()
        self._page = Page(80, symbols)
        self._position_symbol = symbols.position_marker
        self._viewport = Viewport(self._page)
        self._finder: MatchFinder | None = None
        self._laid_out_size = Size(0, 0)  # what the rows are made for,
        self._style_resolver: StyleResolver | None = None  # and with;
        self._first_line = 0  # the line they begin with,
        self._rows: list[PageRow] = []
        self._line_strips: list[RowStrip] = []  # what they look like,
        self._painted_strips: list[Strip] = []  # and what was painted, the position mark included
        self._position_row = -1
        self._wrapping = False

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, each paragraph in one line; offsets are blocks and their characters."""
        sections = self._page.sections
        if not sections:
            return None
        first = _block_at(selection.start) if selection.start else (0, 0)
        last = _block_at(selection.end) if selection.end else (sections[-1].number, 1 << _BLOCK_BITS)
        texts: list[str] = []
        for section, block in self._page.blocks_between(first, last):
            span = selection.get_span(_selection_row(section, block))
            if span is not None:
                text = self._page.block_text(section, block)
                texts.append(text[span[0] : None if span[1] < 0 else span[1]])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self._repaint_changed()

    def render_line(self, y: int) -> Strip:
        """A row with offsets, for the mouse to find its place in the text; never painted."""
        self._build_rows()
        strip = self._painted_strips[y]
        if y >= len(self._rows) or self._rows[y].block < 0:
            return strip
        section, block, line = self._rows[y]
        place = _selection_row(section, block)
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
        self._build_rows()
        rows = self._painted_strips[crop.y : crop.bottom]
        return (
            rows
            if crop.width == self._laid_out_size.width
            else [row.crop(crop.x, crop.right) for row in rows]
        )

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget."""
        return self._painted_strips[y]

    def on_resize(self) -> None:
        """Wrap anew what is in view, and the rest little by little."""
        self._build_rows()

    def notify_style_update(self) -> None:
        """Forget the colours when the theme or a class changes."""
        super().notify_style_update()
        self._style_resolver = None
        self._repaint_changed()

    def _wrap_time_slice(self) -> None:
        self._wrapping = not self._viewport.measure(TIME_SLICE)
        self._repaint_changed()
        if self._wrapping:
            self.set_timer(SLICE_INTERVAL, self._wrap_time_slice)

    def _repaint_changed(self, changed: int = 0) -> None:
        """Have repainted what is not as it was painted last; lines before `changed` are the same."""
        if not self.is_attached:
            return
        before = self._painted_strips
        self._build_rows(changed)
        after = self._painted_strips
        same = min(len(before), len(after))
        rows = [y for y in range(same) if before[y] is not after[y] and before[y] != after[y]]
        compositing.repaint_rows(self, [*rows, *range(same, len(after))])

    def _build_rows(self, changed: int | None = None) -> None:
        """Make the rows for the size there is now; those from line `changed` on anew."""
        size = self.size
        if size != self._laid_out_size:
            self._resize_page(size)
        elif changed is None and self._style_resolver is not None:
            return
        if self._style_resolver is None:
            self._style_resolver = StyleResolver(self)
            self._rows = []
        selection = self.text_selection
        plain = selection is None and self._finder is None
        view, skipped = self._viewport, self._viewport.top - self._first_line
        kept = (
            min((changed or 0) - self._first_line, len(self._rows)) - skipped if plain and skipped >= 0 else 0
        )
        kept = max(0, kept)
        rows = self._page.rows(view.top + kept, view.end)
        strips = [
            self._style_resolver.build_strip(self._highlighted_runs(row, selection), row.line, size.width)
            for row in rows
        ]
        self._rows = self._rows[skipped : skipped + kept] + rows
        self._line_strips = self._line_strips[skipped : skipped + kept] + strips
        self._first_line = view.top
        blanks = [self._style_resolver.blank_strip(size.width)] * (size.height - len(self._rows))
        self._painted_strips = [*self._line_strips, *blanks]
        if 0 <= self._position_row < size.height:
            row = self._painted_strips[self._position_row].crop(0, size.width - 1)
            mark = Segment(self._position_symbol, self._style_resolver.style("border"))
            self._painted_strips[self._position_row] = Strip([*row, mark], size.width)

    def _resize_page(self, size: Size) -> None:
        self._laid_out_size = size
        self._rows = []
        self._viewport.resize(size.width - 2, size.height)
        self._position_row = self._viewport.position_row()
        if not self._wrapping:
            self._wrapping = True
            self.set_timer(SLICE_INTERVAL, self._wrap_time_slice)

    def _highlighted_runs(self, row: PageRow, selection: Selection | None) -> Sequence[Run]:
        """The runs of a row, with what is selected and what was searched for in styles of their own."""
        if row.block < 0 or (selection is None and self._finder is None):
            return row.line.runs
        spans = list(self._finder.highlights(row.section, row.block)) if self._finder is not None else []
        span = selection.get_span(_selection_row(row.section, row.block)) if selection is not None else None
        if span is not None:
            end = row.line.start + len(row.line.content) if span[1] < 0 else span[1]
            spans.append((span[0], end, "selection"))
        return highlight_runs(row, spans)


def _selection_row(section: int, block: int) -> int:
    """A block as a row of the selection's coordinates: those of the text, which no scrolling changes."""
    return section << _BLOCK_BITS | block


def _block_at(offset: Offset) -> tuple[int, int]:
    return offset.y >> _BLOCK_BITS, offset.y & ((1 << _BLOCK_BITS) - 1)
