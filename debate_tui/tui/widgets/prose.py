"""The widget that shows a page: it renders the rows in view and nothing else, and scrolls by itself."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from debate_tui.display.markdown import UNICODE, Hit, Page, Place, Row, Signs, Spot, Voice
from debate_tui.tui import compositing
from debate_tui.tui.widgets.ink import Ink

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Offset, Region
    from textual.selection import Selection

SETTLE = 0.004
"""Seconds at a time that are spent on wrapping what is out of sight."""

WHEEL = 3

_ROW_BITS = 24


class Prose(compositing.RowWidget, can_focus=True):
    """Shows what is spoken, headed and noted, after `flush`.

    It follows the end of the text until the reader scrolls up, and stays put then; `unseen` is the number of lines
    below that have never been in view. It has no border and no padding, and no children.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "line(-1)", show=False),
        Binding("down", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    def __init__(self, signs: Signs = UNICODE) -> None:
        super().__init__()
        self.following = True
        self.leap = 1
        """Lines to scroll by at once while following; more than one where the terminal is slow."""
        self._page = Page(80, signs)
        self._top = 0
        self._seen = 0
        self._rows: list[Row] = []
        self._strips: dict[int, tuple[Row, Strip]] = {}
        self._shown: list[Strip] = []
        self._mark = -1
        self._ink: Ink | None = None
        self._settling = False
        self._pattern: re.Pattern[str] | None = None
        self._hits: list[Hit] = []
        self._hit = -1

    # What is shown

    def speak(self, text: str, voice: Voice = "answer", turn: int = 0) -> None:
        """Add sanitised Markdown; it goes on where the last text of this voice and turn ended."""
        self._page.speak(text, voice, turn)

    def head(self, text: str, turn: int = 0) -> None:
        """Begin a part under a heading."""
        self._page.head(text, turn)

    def note(self, text: str, tone: str = "quiet", turn: int = 0) -> None:
        """Add a notice in the colour of a theme variable."""
        self._page.note(text, tone, turn)

    def drop(self, turn: int) -> None:
        """Take back what was said and noted in a turn; its heading stays."""
        self._page.drop(turn)

    def clear(self) -> None:
        """Remove everything."""
        self._page.clear()

    def flush(self) -> None:
        """Show all that; with the frame that is open, or the next one."""
        changed = self._page.flush()
        if changed is None:
            return
        if self._pattern is not None:
            self._search_from(changed)
        self._settle_top()
        self._show()

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return self._page.line_count

    @property
    def unseen(self) -> int:
        """How many lines at the end have never been in view."""
        return max(0, self._page.line_count - self._seen)

    @property
    def reasoning_shown(self) -> bool:
        """Whether thinking is shown in full, or as one line."""
        return self._page.reasoning_shown

    def show_reasoning(self, *, shown: bool) -> None:
        """Show or fold the thinking in the whole text; the reader stays where they are."""
        spot = self._page.spot_of(self._top)
        self._page.show_reasoning(shown=shown)
        self._page.flush()
        self._top = self._page.line_of(spot)
        self._settle_top()
        self._show()

    # Where the reader is

    def scroll_by(self, lines: int) -> None:
        """Scroll; at the end, follow."""
        self._go(self._top + lines)

    def _go(self, top: int) -> None:
        self.following = top >= self._bottom
        self._top = top
        self._settle_top()
        with compositing.frame(self.screen):
            self._show()

    @property
    def _bottom(self) -> int:
        return max(0, self._page.line_count - self.size.height)

    def _settle_top(self) -> None:
        bottom = self._bottom
        if self.following:
            if self.leap > 1 and self._top < bottom < self._top + self.size.height:
                bottom = self._top - (self._top - bottom) // self.leap * self.leap
            self._top = bottom
        self._top = max(0, min(self._top, bottom))
        self._seen = min(max(self._seen, self._top + self.size.height), self._page.line_count)

    def action_line(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_by(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages, less a line to keep one's place by."""
        self.scroll_by(pages * max(1, self.size.height - 1))

    def action_top(self) -> None:
        """Go to the top."""
        self._go(0)

    def action_bottom(self) -> None:
        """Go to the end, and follow it."""
        self._go(self._bottom)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_by(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_by(WHEEL)

    # Search

    def search(self, pattern: str, *, regex: bool = False) -> int:
        """Mark all matches, also those to come, whatever their case; an empty pattern ends it. How many there are."""
        text = pattern if regex else re.escape(pattern)
        self._pattern = re.compile(text, re.IGNORECASE) if pattern else None
        self._hits = list(self._page.find(self._pattern)) if self._pattern else []
        self._hit = -1
        self._redraw()
        return len(self._hits)

    @property
    def matches(self) -> int:
        """How many matches there are by now."""
        return len(self._hits)

    def show_match(self, index: int) -> None:
        """Scroll to a match, counted from 0 at the top."""
        hit = self._hits[index]
        self._hit = index
        line = self._page.line_of(_spot(hit.section, hit.block, hit.start))
        self._strips.clear()
        self._go(max(0, line - self.size.height // 3))

    def _search_from(self, line: int) -> None:
        """Search again what has changed."""
        assert self._pattern is not None
        spot = self._page.spot_of(line)
        first = (spot.section, spot.place.block)
        del self._hits[bisect_left(self._hits, first, key=lambda hit: hit[:2]) :]
        self._hits += self._page.find(self._pattern, first)

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it was written, paragraphs in one line; offsets are blocks and their characters."""
        sections = self._page.sections
        if not sections:
            return None
        first = _block(selection.start) if selection.start else (0, 0)
        last = _block(selection.end) if selection.end else (sections[-1].number, 1 << _ROW_BITS)
        texts: list[str] = []
        for section, block in self._page.blocks(first, last):
            span = selection.get_span(_y(section, block))
            if span is not None:
                text = self._page.text(section, block)
                texts.append(text[span[0] : None if span[1] < 0 else span[1]])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """A row with offsets, for the mouse to find its place in the text."""
        self._take_rows()
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self._pen().base)
        section, block, line = self._rows[y]
        if block < 0:
            return self.row(y)
        strip = self._strip(self._rows[y])
        place = _y(section, block)
        segments: list[Segment] = []
        offset = line.start - line.indent - 1
        for text, style, _ in strip:
            for character in text if offset < line.start else (text,):
                at = Style.from_meta({"offset": (max(line.start, offset), place)})
                segments.append(Segment(character, style + at if style else at))
                offset += len(character)
        return Strip(segments, strip.cell_length)

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows within `crop`."""
        self._take_rows()
        rows = [self.row(y) for y in range(crop.y, crop.bottom)]
        return rows if crop.width == self.size.width else [row.crop(crop.x, crop.right) for row in rows]

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget."""
        return self._shown[y]

    def tick(self) -> None:
        """Move the position mark; to be called a few times a second."""
        rows = {self._mark}
        self._place_mark()
        if self._mark not in rows:
            self._put_together()
            compositing.show(self, {row for row in (*rows, self._mark) if row >= 0})

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew what is in view, and the rest little by little; the reader stays where they are."""
        width = event.size.width - 2
        if width != self._page.width:
            spot = self._page.spot_of(self._top)
            self._page.resize(width)
            self._strips.clear()
            self._top = self._page.line_of(spot)
            self._settle()
        self._settle_top()
        self._place_mark()
        self._take_rows(anew=True)

    def notify_style_update(self) -> None:
        """Forget the colours when the theme or a class changes."""
        super().notify_style_update()
        self._ink = None
        self._redraw()

    def _settle(self) -> None:
        if not self._settling:
            self._settling = True
            self.set_timer(0.01, self._settle_more)

    def _settle_more(self) -> None:
        self._settling = False
        spot = self._page.spot_of(self._top)
        done = self._page.settle(SETTLE)
        self._top = self._page.line_of(spot)
        self._settle_top()
        self._show()
        if not done:
            self._settle()

    def _redraw(self) -> None:
        self._strips.clear()
        self._show()

    def _show(self) -> None:
        """Have repainted what is different from what was painted last."""
        if not self.is_attached or not self.size:
            return
        before = self._shown
        self._take_rows(anew=True)
        compositing.show(
            self, [y for y, strip in enumerate(self._shown) if y >= len(before) or before[y] is not strip]
        )

    def _take_rows(self, *, anew: bool = False) -> None:
        height = self.size.height
        if not anew and len(self._shown) == height and self._ink is not None:
            return
        self._rows = self._page.rows(self._top, self._top + height)
        self._put_together()

    def _put_together(self) -> None:
        """Put the rows together, each strip made once."""
        old, new = self._strips, {}
        width, height = self.size
        shown: list[Strip] = []
        for row in self._rows:
            key = id(row.line)
            entry = old.get(key)
            if entry is None or entry[0] != row:
                entry = (row, self._strip(row))
            new[key] = entry
            shown.append(entry[1])
        self._strips = new
        if len(shown) < height:
            shown += [Strip.blank(width, self._pen().base)] * (height - len(shown))
        if 0 <= self._mark < height:
            shown[self._mark] = self._marked(shown[self._mark])
        self._shown = shown

    def _pen(self) -> Ink:
        if self._ink is None:
            self._ink = Ink.of(self)
            self._strips.clear()
        return self._ink

    def _strip(self, row: Row) -> Strip:
        ink = self._pen()
        width = self.size.width
        line = row.line
        segments = [Segment(" ", ink.base)]
        segments += [Segment(text, ink.style(style)) for text, style in self._lit(row)]
        space = max(0, width - line.cells - 2)
        if space and line.fill:
            segments.append(Segment(" " * space, ink.style(line.fill)))
            space = 0
        segments.append(Segment(" " * (space + 1), ink.base))
        strip = Strip(
            _merged(segments), line.cells + 2 + (width - line.cells - 2 if line.cells + 2 < width else 0)
        )
        strip = strip if strip.cell_length == width else strip.adjust_cell_length(width, ink.base)
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.background_colors[1])
        return strip

    def _lit(self, row: Row) -> list[tuple[str, str]]:
        """The runs of a row, with what is selected and what was searched for in styles of their own."""
        line = row.line
        spans = self._spans(row)
        if not spans:
            return list(line.runs)
        runs: list[tuple[str, str]] = []
        offset = line.start - line.indent
        for text, style in line.runs:
            edges = {0, len(text)}
            for start, end, _ in spans:
                edges |= {min(max(0, edge - offset), len(text)) for edge in (start, end)}
            places = sorted(edges)
            for begin, stop in zip(places, places[1:], strict=False):
                extra = [name for start, end, name in spans if start <= offset + begin < end]
                runs.append((text[begin:stop], " ".join([style, *extra[-1:]]).strip()))
            offset += len(text)
        return runs

    def _spans(self, row: Row) -> list[tuple[int, int, str]]:
        spans: list[tuple[int, int, str]] = []
        if row.block < 0:
            return spans
        key = (row.section, row.block)
        end = row.line.start + len(row.line.content)
        for index in range(bisect_left(self._hits, key, key=lambda hit: hit[:2]), len(self._hits)):
            hit = self._hits[index]
            if hit[:2] != key:
                break
            if hit.end > row.line.start and hit.start < end:
                name = "match current" if index == self._hit else "match"
                spans.append((max(hit.start, row.line.start), hit.end, name))
        selection = self.text_selection
        span = selection.get_span(_y(*key)) if selection is not None else None
        if span is not None:
            spans.append((max(span[0], row.line.start), end if span[1] < 0 else span[1], "selection"))
        return spans

    def _place_mark(self) -> None:
        height, lines = self.size.height, self._page.line_count
        bottom = self._bottom
        self._mark = -1 if lines <= height else round(self._top * (height - 1) / max(1, bottom))

    def _marked(self, strip: Strip) -> Strip:
        width = self.size.width
        return Strip([*strip.crop(0, width - 1), Segment("▐", self._pen().style("border"))], width)


def _merged(segments: list[Segment]) -> list[Segment]:
    merged = [segments[0]]
    for segment in segments[1:]:
        if segment.style == merged[-1].style:
            merged[-1] = Segment(merged[-1].text + segment.text, segment.style)
        else:
            merged.append(segment)
    return merged


def _y(section: int, block: int) -> int:
    """A block as a row of the selection's coordinates: those of the text, which neither scrolling nor wrapping changes."""
    return section << _ROW_BITS | block


def _block(offset: Offset) -> tuple[int, int]:
    return offset.y >> _ROW_BITS, offset.y & ((1 << _ROW_BITS) - 1)


def _spot(section: int, block: int, offset: int) -> Spot:
    return Spot(section, Place(block, offset))
