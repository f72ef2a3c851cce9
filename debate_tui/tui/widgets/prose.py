"""The widget that shows a page: it renders the rows in view and nothing else, and scrolls by itself."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from debate_tui.display.markdown import UNICODE, Page, Place, Signs, Spot
from debate_tui.tui import compositing
from debate_tui.tui.widgets.finder import Finder, lit_up, pattern
from debate_tui.tui.widgets.ink import Ink
from debate_tui.tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.geometry import Offset, Region
    from textual.selection import Selection

    from debate_tui.display.markdown import Row, Run, Voice
    from debate_tui.tui.sgr import RowStrip

SLICE = 0.004
"""Seconds at a time that are spent on wrapping or searching what is out of sight."""

PAUSE = 0.01
"""Seconds between two such moments, for keys and new text."""

WHEEL = 3
"""Lines that one step of the mouse wheel scrolls."""

_BLOCK_BITS = 24


class Prose(compositing.RowWidget, can_focus=True):
    """Shows what is spoken, headed and noted, after `flush`.

    It follows the end of the text until the reader scrolls up, and stays put then; `unseen` is the number of
    lines below that have never been in view. It has no border, no padding and no children.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "line(-1)", show=False),
        Binding("down", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    class Found(Message):
        """A search has come further; `done` if it has come to the end."""

        def __init__(self, prose: Prose, matches: int, *, done: bool) -> None:
            super().__init__()
            self.prose = prose
            self.matches = matches
            self.done = done

    def __init__(self, signs: Signs = UNICODE) -> None:
        super().__init__()
        self._page = Page(80, signs)
        self._view = Viewport(self._page)
        self._extent = Size(0, 0)  # what the rows are made for,
        self._ink: Ink | None = None  # and with;
        self._first = 0  # the line they begin with,
        self._rows: list[Row] = []
        self._strips: list[RowStrip] = []  # what they look like,
        self._shown: list[Strip] = []  # and what was painted, the position mark included
        self._mark = -1
        self._behind = False
        self._settling = False
        self._looking = False
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
        self._view.seen = 0

    def flush(self) -> None:
        """Show all that; with the frame that is open, or the next one.

        Text that ends up out of sight waits until somebody asks how much of it there is.
        """
        if self._view.following or self._page.changes_from < self._view.end:
            self._catch_up()
        else:
            self._behind = True

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        self._catch_up_if_behind()
        return self._page.line_count

    @property
    def unseen(self) -> int:
        """How many lines at the end have never been in view."""
        return max(0, self.line_count - self._view.seen)

    @property
    def following(self) -> bool:
        """Whether the end of the text stays in view."""
        return self._view.following

    @following.setter
    def following(self, following: bool) -> None:
        self._view.following = following

    @property
    def leap(self) -> int:
        """Lines to scroll by at once while following; more than one is for slow terminals."""
        return self._view.leap

    @leap.setter
    def leap(self, lines: int) -> None:
        self._view.leap = lines

    @property
    def reasoning_shown(self) -> bool:
        """Whether thinking is shown in full, or as one line."""
        return self._page.reasoning_shown

    def show_reasoning(self, *, shown: bool) -> None:
        """Show or fold the thinking in the whole text; the reader stays where they are."""
        self._view.show_reasoning(shown=shown)
        self._look_again(0)
        self._show()

    def _catch_up(self) -> None:
        self._behind = False
        changed = self._page.flush()
        if changed is None:
            return
        self._look_again(changed)
        if self._view.following or changed < self._view.end:
            self._view.keep_up()
            self._show(changed)

    def _catch_up_if_behind(self) -> None:
        if self._behind:
            self._catch_up()

    # Where the reader is

    def scroll_by(self, lines: int) -> None:
        """Scroll, and show it at once; at the end, follow."""
        self._go(self._view.top + lines)

    def action_line(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_by(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages, less a line to keep one's place by."""
        self.scroll_by(pages * max(1, self._view.height - 1))

    def action_top(self) -> None:
        """Go to the top."""
        self._go(0)

    def action_bottom(self) -> None:
        """Go to the end, and follow it."""
        self._go(self.line_count)

    def on_focus(self, event: events.Focus) -> None:
        """Nothing of it looks different with the keys: only its pane is told, and nothing repainted."""
        event.prevent_default()
        self._has_keys(DescendantFocus(self), has_focus=True)

    def on_blur(self, event: events.Blur) -> None:
        """See `on_focus`."""
        event.prevent_default()
        self._has_keys(DescendantBlur(self), has_focus=False)

    def _has_keys(self, told: Message, *, has_focus: bool) -> None:
        self.set_reactive(Widget.has_focus, has_focus)
        if self.parent is not None:
            self.parent.post_message(told)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_by(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_by(WHEEL)

    def _go(self, top: int) -> None:
        self._catch_up_if_behind()
        self._view.go(top)
        self._mark = self._view.mark()
        with compositing.frame(self.screen):
            self._show(self._page.line_count)

    # Search

    def search(self, text: str) -> None:
        """Mark all matches whatever their case, those to come too; no text ends it.

        Looking through a long text takes several moments: `Found` says each time how far it has come.
        """
        self._catch_up_if_behind()
        self._finder = Finder(self._page, pattern(text)) if text else None
        self._look()
        self._show()

    @property
    def matches(self) -> int:
        """How many matches have been found by now."""
        return len(self._finder.hits) if self._finder is not None else 0

    def show_match(self, index: int) -> None:
        """Scroll to a match, counted from 0 at the top, and light it up."""
        if self._finder is None:
            return
        hit = self._finder.current = self._finder.hits[index]
        line = self._page.line_of(Spot(hit.section, Place(hit.block, hit.start)))
        self._go(line - self._view.height // 3)

    def leave_match(self) -> None:
        """Light the match that was shown last no brighter than the others."""
        if self._finder is not None and self._finder.current is not None:
            self._finder.current = None
            self._show()

    @property
    def match_ahead(self) -> int:
        """The first match that the reader has not passed yet; how many there are, if there is none."""
        if self._finder is None:
            return 0
        spot = self._page.spot_of(self._view.top)
        return bisect_left(self._finder.hits, (spot.section, *spot.place), key=lambda hit: hit[:3])

    def _look_again(self, line: int) -> None:
        if self._finder is not None:
            self._finder.look_again(line)
            self._look()

    def _look(self) -> None:
        if self._finder is None or self._looking:
            return
        done = self._finder.look(SLICE)
        self.post_message(self.Found(self, self.matches, done=done))
        if not done:
            self._looking = True
            self.set_timer(PAUSE, self._look_on)

    def _look_on(self) -> None:
        self._looking = False
        self._look()

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

    def tick(self) -> None:
        """Move the position mark, and read what has been waiting; to be called a few times a second."""
        self._catch_up_if_behind()
        mark = self._view.mark()
        if mark != self._mark:
            self._mark = mark
            self._show(self._page.line_count)

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
            mark = Segment("▐", self._ink.style("border"))
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
