"""The widget that shows a page: it renders the rows in view and nothing else, and scrolls by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from debate_tui.display.markdown import UNICODE, Page, Place, Row, Signs, Spot, Voice
from debate_tui.tui import compositing
from debate_tui.tui.sgr import RowStrip
from debate_tui.tui.widgets.finder import Finder, lit_up, pattern
from debate_tui.tui.widgets.ink import Ink

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Offset, Region
    from textual.selection import Selection

    from debate_tui.tui.widgets.finder import Lit

SETTLE = 0.004
"""Seconds at a time that are spent on wrapping what is out of sight."""

WHEEL = 3
"""Lines that one step of the mouse wheel scrolls."""

_BLOCK_BITS = 24


class Prose(compositing.RowWidget, can_focus=True):
    """Shows what is spoken, headed and noted, after `flush`.

    It follows the end of the text until the reader scrolls up, and stays put then; `unseen` is the number of
    lines below that have never been in view. It has no border, no padding and no children. `leap` is by how many
    lines at once it scrolls while following; more than one is for slow terminals.
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
        self._page = Page(80, signs)
        self._top = 0
        self._seen = 0
        self._first = 0  # the line the rows begin with,
        self._rows: list[Row] = []
        self._strips: list[RowStrip] = []  # what they look like,
        self._shown: list[Strip] = []  # and what was painted, the position mark included
        self._mark = -1
        self._made_with: Ink | None = None
        self._settling = False
        self._behind = False
        self._finder: Finder | None = None

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
        self._seen = 0

    def flush(self) -> None:
        """Show all that; with the frame that is open, or the next one."""
        if self.following or self._page.changes_from < self._top + self.size.height:
            self._catch_up()
        else:
            self._behind = True

    def _catch_up(self) -> None:
        """Read what was said; what is out of sight is left for when somebody asks."""
        self._behind = False
        changed = self._page.flush()
        if changed is None:
            return
        if self._finder is not None:
            self._finder.again(changed)
        if self.following or changed < self._top + self.size.height:
            self._settle_top()
            self._show(changed)

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        if self._behind:
            self._catch_up()
        return self._page.line_count

    @property
    def unseen(self) -> int:
        """How many lines at the end have never been in view."""
        return max(0, self.line_count - self._seen)

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
        if self._finder is not None:
            self._finder.again(0)
        self._settle_top()
        self._show()

    # Where the reader is

    def scroll_by(self, lines: int) -> None:
        """Scroll, and show it at once; at the end, follow."""
        self._go(self._top + lines)

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

    @property
    def _bottom(self) -> int:
        return max(0, self.line_count - self.size.height)

    def _go(self, top: int) -> None:
        self._top = max(0, top)
        self.following = self._top >= self._bottom
        self._settle_top()
        self._place_mark()
        with compositing.frame(self.screen):
            self._show(self._page.line_count)

    def _settle_top(self) -> None:
        """Keep the view within the text, and at its end while following."""
        bottom = self._bottom
        if self.following and self._top < bottom:
            leap = min(self.leap, max(1, self.size.height - 1))
            self._top += (
                -((self._top - bottom) // leap) * leap if bottom - self._top < self.size.height else 0
            )
            self._top = max(self._top, bottom)
        elif not self.following or self._top - bottom >= self.leap:
            self._top = max(0, min(self._top, bottom))
        self._seen = min(max(self._seen, self._top + self.size.height), self._page.line_count)

    # Search

    def search(self, text: str) -> int:
        """Mark all matches whatever their case, those to come too; how many there are. No text ends it."""
        self._catch_up()
        self._finder = Finder(self._page, pattern(text)) if text else None
        self._show()
        return self.matches

    @property
    def matches(self) -> int:
        """How many matches there are by now."""
        if self._behind:
            self._catch_up()
        return len(self._finder.hits) if self._finder is not None else 0

    def show_match(self, index: int) -> None:
        """Scroll to a match, counted from 0 at the top, and light it up."""
        if self._finder is None:
            return
        hit = self._finder.hits[index]
        self._finder.current = index
        self._rows = []
        line = self._page.line_of(Spot(hit.section, Place(hit.block, hit.start)))
        self._go(max(0, line - self.size.height // 3))

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
        return rows if crop.width == self.size.width else [row.crop(crop.x, crop.right) for row in rows]

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget."""
        return self._shown[y]

    def tick(self) -> None:
        """Move the position mark; to be called a few times a second."""
        before = self._mark
        self._place_mark()
        if self._mark != before:
            self._show(self._page.line_count)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew what is in view, and the rest little by little; the reader stays where they are."""
        width = event.size.width - 2
        if width != self._page.width:
            spot = self._page.spot_of(self._top)
            self._page.resize(width)
            self._top = self._page.line_of(spot)
            self._settle_later()
        self._settle_top()
        self._place_mark()
        self._rows = []
        self._make_rows(0)

    def notify_style_update(self) -> None:
        """Forget the colours when the theme or a class changes."""
        super().notify_style_update()
        self._made_with = None
        self._show()

    def _settle_later(self) -> None:
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
            self._settle_later()

    def _show(self, changed: int = 0) -> None:
        """Have repainted what is different from what was painted last; lines before `changed` are the same."""
        if not self.is_attached or not self.size:
            return
        before = self._shown
        self._make_rows(changed)
        compositing.show(
            self,
            [
                y
                for y, strip in enumerate(self._shown)
                if y >= len(before) or (strip is not before[y] and strip != before[y])
            ],
        )

    def _make_rows(self, changed: int | None = None) -> None:
        """Make what is not made yet, with the lines from `changed` on anew."""
        height = self.size.height
        if self._made_with is None:
            self._made_with = Ink(self)
            changed = 0
        elif changed is None:
            if len(self._shown) == height:
                return
            changed = 0
        if self._finder is not None or self.text_selection is not None:
            changed = 0
        kept = max(0, min(changed - self._first, len(self._rows)) - (self._top - self._first))
        if self._top < self._first:
            kept = 0
        skipped = self._top - self._first
        rows = self._page.rows(self._top + kept, self._top + height)
        self._rows = self._rows[skipped : skipped + kept] + rows
        self._strips = self._strips[skipped : skipped + kept] + [self._strip(row) for row in rows]
        self._first = self._top
        self._put_together(height)

    def _put_together(self, height: int) -> None:
        assert self._made_with is not None
        width = self.size.width
        shown: list[Strip] = [*self._strips]
        if len(shown) < height:
            shown += [self._made_with.blank(width)] * (height - len(shown))
        if 0 <= self._mark < height:
            row = shown[self._mark].crop(0, width - 1)
            shown[self._mark] = Strip([*row, Segment("▐", self._made_with.style("border"))], width)
        self._shown = shown

    def _strip(self, row: Row) -> RowStrip:
        assert self._made_with is not None
        line = row.line
        lit = self._lit(row) if self._finder is not None or self.text_selection is not None else []
        runs = lit_up(row, lit) if lit else line.runs
        return self._made_with.strip(runs, line.cells, self.size.width, line.fill)

    def _lit(self, row: Row) -> list[Lit]:
        if row.block < 0:
            return []
        spans = list(self._finder.lit(row.section, row.block)) if self._finder is not None else []
        selection = self.text_selection
        span = selection.get_span(_y(row.section, row.block)) if selection is not None else None
        if span is not None:
            end = row.line.start + len(row.line.content) if span[1] < 0 else span[1]
            spans.append((span[0], end, "selection"))
        return spans

    def _place_mark(self) -> None:
        height, bottom = self.size.height, self._bottom
        self._mark = round(self._top * (height - 1) / bottom) if bottom else -1


def _y(section: int, block: int) -> int:
    """A block as a row of the selection's coordinates, which are those of the text: no scrolling changes them."""
    return section << _BLOCK_BITS | block


def _block(offset: Offset) -> tuple[int, int]:
    return offset.y >> _BLOCK_BITS, offset.y & ((1 << _BLOCK_BITS) - 1)
