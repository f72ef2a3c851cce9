"""The visible part of a page: which lines are in view, and the rows that show them in the current theme."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.geometry import Size
from textual.strip import Strip

from debate_tui.tui.painter import RowStrip
from debate_tui.tui.widgets.page_search import highlight_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.color import Color as RichColor
    from textual.geometry import Offset
    from textual.selection import Selection
    from textual.widget import Widget

    from debate_tui.display.markdown import Line, Page, PageRow, Run
    from debate_tui.tui.styles import Tone
    from debate_tui.tui.widgets.page_search import PageSearch


class Viewport:
    """A window of `height` lines on a page, starting at line `top`.

    While `following`, it moves with the end of the page, by `scroll_step` lines at a time. With a step of
    more than 1, it may extend beyond the end, and the blank rows are filled before it moves again. With a
    step of 0, it stays where it is, although new text is out of view. `seen_lines` is the number of lines
    from the top that have been in view.
    """

    def __init__(self, page: Page) -> None:
        self.top = 0
        self.height = 0
        self.following = True
        self.scroll_step = 1
        self.seen_lines = 0
        self.page = page

    @property
    def end(self) -> int:
        """The first line below the window."""
        return self.top + self.height

    @property
    def max_top(self) -> int:
        """The largest `top` for which the window does not extend beyond the page."""
        return max(0, self.page.line_count - self.height)

    @property
    def position_row(self) -> int:
        """The row for the position mark, or −1 if the whole page is in view."""
        return round(min(1, self.top / self.max_top) * (self.height - 1)) if self.max_top else -1

    def scroll_to(self, top: int) -> None:
        """Scroll to a line; at the end of the page, start following it."""
        self.top = max(0, min(top, self.max_top))
        self.following = self.top == self.max_top
        self._update_seen_lines()

    def adjust_top(self) -> None:
        """Stay within a page that has changed, and at its end while following."""
        beyond = self.top - self.max_top
        if not self.following or beyond >= (self.scroll_step or self.height):
            self.top = min(self.top, self.max_top)
        elif beyond < 0 and self.scroll_step:
            leap = max(1, min(self.scroll_step, self.height - 1))
            self.top += -(beyond // leap) * leap
        self._update_seen_lines()

    @contextmanager
    def keep_position(self) -> Iterator[None]:
        """Show the same text at the top after the lines of the page have changed within the block."""
        spot = self.page.position_at(self.top)
        yield
        self.top = self.page.line_at(spot)
        self.adjust_top()

    def resize(self, width: int, height: int, prose_width: int | None = None) -> None:
        """Resize the window and rewrap the page if its width changes; keep the scroll position."""
        self.height = height
        if (width, prose_width) == (self.page.width, self.page.prose_width):
            self.adjust_top()
            return
        with self.keep_position():
            self.page.resize(width, prose_width)

    def measure(self, seconds: float) -> bool:
        """Count lines that are out of sight for up to `seconds`; return whether all are counted."""
        with self.keep_position():
            return self.page.measure(seconds)

    def _update_seen_lines(self) -> None:
        self.seen_lines = min(max(self.seen_lines, self.end), self.page.line_count)


_BLOCK_BITS = 24

MAX_PROSE_WIDTH = 90
"""The maximum columns of prose in a page that has the screen to itself."""


class PageView:
    """The rows of a page that are in view, with styles, selection, search matches and a position mark.

    `strips` are the rows as they were built last, for a widget of `size`. The position mark stays in its row
    until `move_mark` is called.
    """

    def __init__(
        self,
        widget: Widget,
        viewport: Viewport,
        search: PageSearch,
        position_symbol: str,
        highlight: Tone,
    ) -> None:
        self.strips: list[Strip] = []
        self.size = Size(0, 0)
        self._widget = widget
        self._page = viewport.page
        self._viewport = viewport
        self._search = search
        self._position_symbol = position_symbol
        self._highlight = highlight
        self._limits_prose = False
        self._margins = (0, 0)  # blank columns on the left, and those on the right that nothing fills
        self.style_resolver: StyleResolver | None = None
        """The styles the rows were built with; `None` after a change of the theme."""
        self._first_line = 0  # the line of the page they start at
        self._rows: list[PageRow] = []
        self._row_strips: list[RowStrip] = []  # the rows without the mark and blank rows
        self._position_row = -1

    def resize(self, size: Size) -> None:
        """Wrap the page for another size; `build` makes the rows."""
        self.size = size
        self._rows = []
        width = size.width - 2
        free = max(0, width - MAX_PROSE_WIDTH) if self._limits_prose else 0
        self._margins = (free // 2, free - free // 2)
        self._viewport.resize(width - free // 2, size.height, width - free if free else None)
        self.move_mark()

    def limit_prose(self, *, limited: bool) -> None:
        """Set whether prose is centred and wrapped at `MAX_PROSE_WIDTH`, from the next resize on."""
        if limited != self._limits_prose:
            self._limits_prose = limited
            self.size = Size(0, 0)

    def move_mark(self) -> bool:
        """Put the position mark in its row; return whether it has moved."""
        before, self._position_row = self._position_row, self._viewport.position_row
        return before != self._position_row

    def build(self, changed: int = 0) -> list[int]:
        """Build the rows; lines before `changed` are reused. Return the rows that differ from before."""
        size, view = self.size, self._viewport
        if self.style_resolver is None:
            self.style_resolver = StyleResolver(self._widget, self._highlight)
            self._rows = []
        styles = self.style_resolver
        selection = self._widget.text_selection
        skipped = view.top - self._first_line
        kept = 0
        if selection is None and not self._search.active and skipped >= 0:
            kept = max(0, min(changed - self._first_line, len(self._rows)) - skipped)
        rows = self._page.rows(view.top + kept, view.end)
        strips = [
            styles.build_strip(self._highlighted_runs(row, selection), row.line, size.width, self._margins)
            for row in rows
        ]
        self._rows = self._rows[skipped : skipped + kept] + rows
        self._row_strips = self._row_strips[skipped : skipped + kept] + strips
        self._first_line = view.top
        blanks = [styles.blank_strip(size.width)] * (size.height - len(self._rows))
        before, self.strips = self.strips, [*self._row_strips, *blanks]
        if 0 <= self._position_row < size.height:
            row = self.strips[self._position_row].crop(0, size.width - 1)
            self.strips[self._position_row] = Strip(
                [*row, *styles.symbol_strip(self._position_symbol, "border")], size.width
            )
        return _differing_rows(before, self.strips)

    def selected_text(self, selection: Selection) -> str | None:
        """Return the selected text, one line per paragraph; offsets are blocks and characters within them."""
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
        return "\n".join(texts)

    def strip_with_offsets(self, y: int) -> Strip:
        """Return a row with text offsets, which map the mouse to the text; it is never painted."""
        strip = self.strips[y]
        if y >= len(self._rows) or self._rows[y].block < 0:
            return strip
        section, block, line = self._rows[y]
        place = _selection_row(section, block)
        end = line.start + len(line.content)
        segments: list[Segment] = []
        offset = line.start - line.indent - 1 - self._margins[0]
        for text, style, _ in strip:
            # Cells before the text get the offset of its start, one per character. Those after it get none,
            # which counts as its end.
            inner, outer = text[: max(0, end - offset)], text[max(0, end - offset) :]
            for piece in inner if offset < line.start else (inner,):
                at = Style.from_meta({"offset": (max(line.start, offset), place)})
                segments.append(Segment(piece, style + at if style else at))
                offset += len(piece)
            segments.append(Segment(outer, style))
        return Strip([segment for segment in segments if segment.text], strip.cell_length)

    def _highlighted_runs(self, row: PageRow, selection: Selection | None) -> Sequence[Run]:
        """Return the runs of a row with the selection and search matches highlighted."""
        if row.block < 0 or (selection is None and not self._search.active):
            return row.line.runs
        spans = list(self._search.highlights(row.section, row.block))
        span = selection.get_span(_selection_row(row.section, row.block)) if selection is not None else None
        if span is not None:
            end = row.line.start + len(row.line.content) if span[1] < 0 else span[1]
            spans.append((span[0], end, "selection"))
        return highlight_runs(row, spans)


def _differing_rows(before: list[Strip], after: list[Strip]) -> list[int]:
    same = min(len(before), len(after))
    rows = [y for y in range(same) if before[y] is not after[y] and before[y] != after[y]]
    return [*rows, *range(same, len(after))]


def _selection_row(section: int, block: int) -> int:
    """Return the selection row of a block; it depends on the text only, not on scrolling."""
    return section << _BLOCK_BITS | block


def _block_at(offset: Offset) -> tuple[int, int]:
    return offset.y >> _BLOCK_BITS, offset.y & ((1 << _BLOCK_BITS) - 1)


# The appearance of named styles in the current theme.


_STYLE_TABLE: dict[str, tuple[str, str, Style]] = {
    "heading": ("prose-heading", "", Style(bold=True)),
    "strong": ("prose-strong", "", Style(bold=True)),
    "emphasis": ("prose-emphasis", "", Style(italic=True)),
    "strike": ("", "", Style(strike=True)),
    "code": ("prose-code", "prose-code-background", Style()),
    "link": ("prose-link", "", Style(underline=True)),
    "url": ("quiet", "", Style()),
    "marker": ("prose-marker", "", Style()),
    "border": ("prose-border", "", Style()),
    "quote": ("prose-quote", "", Style()),
    "reasoning": ("quiet", "", Style(italic=True)),
    "keyword": ("syntax-keyword", "", Style()),
    "string": ("syntax-string", "", Style()),
    "number": ("syntax-number", "", Style()),
    "comment": ("syntax-comment", "", Style(italic=True)),
    "name": ("syntax-name", "", Style()),
    "selection": ("screen-selection-foreground", "screen-selection-background", Style()),
    "match": ("highlight", "panel", Style(underline=True)),
    "current": ("background", "highlight", Style(bold=True, underline=False)),
}
"""Colour, background and attributes; colours are theme variables, or `highlight`, the tone of matches.

Any other name is itself a variable."""


class StyleResolver:
    """The styles of a widget and the strips drawn with them; create a new one when the theme changes.

    `highlight` is the tone of search matches.
    """

    def __init__(self, widget: Widget, highlight: Tone) -> None:
        self.base_style = widget.visual_style.rich_style
        variables = widget.app.theme_variables
        self._variables = {**variables, "highlight": variables[highlight]}
        self._filters = widget.get_line_filters()
        self._background = widget.background_colors[1]
        self._styles: dict[str, Style] = {"": self.base_style}
        self._blank_strips: dict[int, RowStrip] = {}

    def style(self, names: str) -> Style:
        """Return the style for space-separated names; later names override earlier ones."""
        style = self._styles.get(names)
        if style is None:
            style = self.base_style
            for name in names.split():
                colour, background, attributes = _STYLE_TABLE.get(name, (name, "", Style()))
                style += attributes + Style(color=self._colour(colour), bgcolor=self._colour(background))
            self._styles[names] = style
        return style

    def build_strip(
        self, runs: Iterable[Run], line: Line, width: int, margins: tuple[int, int] = (0, 0)
    ) -> RowStrip:
        """Build a row of `width` cells from runs, with a blank at either end and the line's `fill`.

        `margins` are further blanks on the left, and on the right unless the line needs that space.
        """
        base = self.base_style
        left, right = margins
        text, style = " " * (left + 1), base
        segments: list[Segment] = []
        for run, names in runs:
            following = self.style(names)
            if following is style:
                text += run
            else:
                segments.append(Segment(text, style))
                text, style = run, following
        free = width - left - line.width - 2
        if free > right and line.fill:
            segments += [Segment(text, style), Segment(" " * (free - right), self.style(line.fill))]
            text, style, free = "", base, right
        end = " " * (max(0, free) + 1)
        if style is base:
            segments.append(Segment(text + end, base))
        else:
            segments += [Segment(text, style), Segment(end, base)]
        strip = RowStrip(segments, max(width, left + line.width + 2))
        return strip if free >= 0 and not self._filters else self._fit_and_filter(strip, width)

    def blank_strip(self, width: int) -> RowStrip:
        """Return an empty row."""
        if width not in self._blank_strips:
            self._blank_strips[width] = self._fit_and_filter(
                RowStrip([Segment(" " * width, self.base_style)], width), width
            )
        return self._blank_strips[width]

    def symbol_strip(self, symbol: str, name: str) -> RowStrip:
        """Return a symbol of one cell in the style of this name."""
        return self._fit_and_filter(RowStrip([Segment(symbol, self.style(name))], 1), 1)

    def _fit_and_filter(self, row: RowStrip, width: int) -> RowStrip:
        strip = row.adjust_cell_length(width, self.base_style)
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, self._background)
        return RowStrip(strip, width)

    def _colour(self, variable: str) -> RichColor | None:
        """Return a theme variable's colour over the widget's background; `None` if it is transparent."""
        try:
            colour = Color.parse(self._variables.get(variable, "transparent"))
        except ColorParseError:
            return None
        if not colour.a and colour.ansi is None:
            return None
        return (self._background + colour).rich_color if colour.a < 1 else colour.rich_color
