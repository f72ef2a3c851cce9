"""The widget that renders the visible rows of a page, and only those."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from debate_tui.display.markdown import Page
from debate_tui.tui import painter
from debate_tui.tui.styles import StyleResolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.geometry import Offset, Region
    from textual.selection import Selection

    from debate_tui.display.markdown import MarkdownSymbols, PageRow, Run
    from debate_tui.tui.painter import RowStrip


# The scroll position: following the end of the page, or fixed at a line above it.


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
        self._page = page

    @property
    def end(self) -> int:
        """The first line below the window."""
        return self.top + self.height

    @property
    def max_top(self) -> int:
        """The largest `top` for which the window does not extend beyond the page."""
        return max(0, self._page.line_count - self.height)

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

    def resize(self, width: int, height: int) -> None:
        """Resize the window and rewrap the page if its width changes; keep the scroll position."""
        self.height = height
        if width != self._page.width:
            spot = self._page.position_at(self.top)
            self._page.resize(width)
            self.top = self._page.line_at(spot)
        self.adjust_top()

    def measure(self, seconds: float) -> bool:
        """Count lines that are out of sight for up to `seconds`; return whether all are counted."""
        spot = self._page.position_at(self.top)
        done = self._page.measure(seconds)
        self.top = self._page.line_at(spot)
        self.adjust_top()
        return done

    def set_reasoning_visible(self, *, visible: bool) -> None:
        """Expand or collapse the reasoning; keep the scroll position."""
        spot = self._page.position_at(self.top)
        self._page.set_reasoning_visible(visible=visible)
        self._page.flush()
        self.top = self._page.line_at(spot)
        self.adjust_top()

    def position_row(self) -> int:
        """Return the row for the position mark, or −1 if the whole page is in view."""
        return round(min(1, self.top / self.max_top) * (self.height - 1)) if self.max_top else -1

    def _update_seen_lines(self) -> None:
        self.seen_lines = min(max(self.seen_lines, self.end), self._page.line_count)


# Search matches in a page that may still grow, and their highlights in a row.


BlockId = tuple[int, int]
"""The number of a section, and of a block in its document."""

Highlight = tuple[int, int, str]
"""Start and end in a block's text, and the name of the style."""

_AFTER_LAST_BLOCK = (1 << 62, 0)


class SearchMatch(NamedTuple):
    """A match: its block and its range of characters in it."""

    section: int
    block: int
    start: int
    end: int


class MatchFinder:
    """The matches of a pattern in page order, as far as the page has been searched."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self.matches: list[SearchMatch] = []
        self.current_match: SearchMatch | None = None
        self._page = page
        self._pattern = pattern
        self._next_block: BlockId = (0, 0)

    def scan(self, seconds: float) -> bool:
        """Search for up to `seconds`; return whether the end of the page was reached."""
        deadline = time.perf_counter() + seconds
        for block in self._page.blocks_between(self._next_block, _AFTER_LAST_BLOCK):
            self.matches += [SearchMatch(*block, start, end) for start, end in self._find_in_block(block)]
            self._next_block = block[0], block[1] + 1
            if time.perf_counter() > deadline:
                return False
        return True

    def invalidate_from(self, line: int) -> None:
        """Discard the matches from a line on, because the page has changed there."""
        spot = self._page.position_at(line)
        # If everything has changed, sections before the first one may have been removed too.
        self._next_block = min(
            self._next_block, (spot.section, max(0, spot.position.block)) if line else (0, 0)
        )
        del self.matches[bisect_left(self.matches, self._next_block, key=lambda hit: hit[:2]) :]

    def highlights(self, section: int, block: int) -> Iterator[Highlight]:
        """Yield the highlights of a block, whether or not it has been searched yet."""
        for start, end in self._find_in_block((section, block)):
            current = self.current_match == (section, block, start, end)
            yield start, end, "match current" if current else "match"

    def _find_in_block(self, block: BlockId) -> Iterator[tuple[int, int]]:
        for match in self._pattern.finditer(self._page.block_text(*block)):
            yield match.span()


def search_pattern(text: str) -> re.Pattern[str]:
    """Return a pattern that matches a text in any case."""
    return re.compile(re.escape(text), re.IGNORECASE)


def highlight_runs(row: PageRow, highlights: list[Highlight]) -> list[Run]:
    """Return the runs of a row with the style of each highlight added; the last one wins."""
    line = row.line
    if not highlights:
        return list(line.runs)
    runs: list[Run] = []
    offset = line.start - line.indent
    for text, style in line.runs:
        edges = {0, len(text)}
        for start, end, _ in highlights:
            edges |= {min(max(0, max(edge, line.start) - offset), len(text)) for edge in (start, end)}
        begin, *stops = sorted(edges)
        for stop in stops:
            at = offset + begin
            names = [name for start, end, name in highlights if max(start, line.start) <= at < end]
            runs.append((text[begin:stop], f"{style} {names[-1]}" if names else style))
            begin = stop
        offset += len(text)
    return runs


TIME_SLICE = 0.004
"""Seconds per slice of wrapping or searching text that is out of sight."""

SLICE_INTERVAL = 0.01
"""Seconds between two slices, left for keys and new text."""

_BLOCK_BITS = 24


class PageView(painter.RowWidget):
    """A view of a page with styles, selection, search matches and a position mark.

    Subclasses call `_repaint_changed` after they change or replace the visible part; it repaints the rows
    that differ from what was painted last.
    """

    def __init__(self, symbols: MarkdownSymbols) -> None:
        super().__init__()
        self._page = Page(80, symbols)
        self._position_symbol = symbols.position_marker
        self._viewport = Viewport(self._page)
        self._finder: MatchFinder | None = None
        self._laid_out_size = Size(0, 0)  # the size the rows were laid out for
        self._style_resolver: StyleResolver | None = None  # the styles they were rendered with
        self._first_line = 0  # the line of the page they start at
        self._rows: list[PageRow] = []
        self._line_strips: list[RowStrip] = []  # the rendered rows
        self._painted_strips: list[Strip] = []  # the same as painted, with the position mark
        self._position_row = -1
        self._wrapping = False

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, one line per paragraph.

        Offsets in the selection are blocks and characters within them.
        """
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
        """Show the selection."""
        self._repaint_changed()

    def render_line(self, y: int) -> Strip:
        """Return a row with text offsets, which map the mouse to the text; it is never painted."""
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
            # Cells before the text get the offset of its start, one per character. Those after it get none,
            # which counts as its end.
            inner, outer = text[: max(0, end - offset)], text[max(0, end - offset) :]
            for piece in inner if offset < line.start else (inner,):
                at = Style.from_meta({"offset": (max(line.start, offset), place)})
                segments.append(Segment(piece, style + at if style else at))
                offset += len(piece)
            segments.append(Segment(outer, style))
        return Strip([segment for segment in segments if segment.text], strip.cell_length)

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows within `crop`."""
        self._build_rows()
        rows = self._painted_strips[crop.y : crop.bottom]
        return (
            rows
            if crop.width == self._laid_out_size.width
            else [row.crop(crop.x, crop.right) for row in rows]
        )

    def row(self, y: int) -> Strip:
        """Return one row over the whole width of the widget."""
        return self._painted_strips[y]

    def on_resize(self) -> None:
        """Rewrap what is in view immediately, and the rest in slices."""
        self._build_rows()

    def notify_style_update(self) -> None:
        """Discard the cached styles when the theme or a class changes."""
        super().notify_style_update()
        self._style_resolver = None
        self._repaint_changed()

    def _wrap_time_slice(self) -> None:
        self._wrapping = not self._viewport.measure(TIME_SLICE)
        self._repaint_changed()
        if self._wrapping:
            self.set_timer(SLICE_INTERVAL, self._wrap_time_slice)

    def _repaint_changed(self, changed: int = 0) -> None:
        """Repaint rows that differ from what was painted last; lines before `changed` are the same."""
        if not self.is_attached:
            return
        before = self._painted_strips
        self._build_rows(changed)
        after = self._painted_strips
        same = min(len(before), len(after))
        rows = [y for y in range(same) if before[y] is not after[y] and before[y] != after[y]]
        painter.repaint_rows(self, [*rows, *range(same, len(after))])

    def _build_rows(self, changed: int | None = None) -> None:
        """Build the rows for the current size; lines before `changed` are reused."""
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
        """Return the runs of a row with the selection and search matches highlighted."""
        if row.block < 0 or (selection is None and self._finder is None):
            return row.line.runs
        spans = list(self._finder.highlights(row.section, row.block)) if self._finder is not None else []
        span = selection.get_span(_selection_row(row.section, row.block)) if selection is not None else None
        if span is not None:
            end = row.line.start + len(row.line.content) if span[1] < 0 else span[1]
            spans.append((span[0], end, "selection"))
        return highlight_runs(row, spans)


def _selection_row(section: int, block: int) -> int:
    """Return the selection row of a block; it depends on the text only, not on scrolling."""
    return section << _BLOCK_BITS | block


def _block_at(offset: Offset) -> tuple[int, int]:
    return offset.y >> _BLOCK_BITS, offset.y & ((1 << _BLOCK_BITS) - 1)


class SearchPosition(NamedTuple):
    """The position of a search.

    `current` is the match that is shown, counted from 1 over all panes, or 0 for none. `is_complete` says
    whether `total` includes all matches.
    """

    current: int
    total: int
    is_complete: bool
