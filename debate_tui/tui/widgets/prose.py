"""The widget that shows what is said: it grows, follows its end, is scrolled and searched."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widget import Widget

from debate_tui.display.markdown import UNICODE, Place, Signs, Spot
from debate_tui.tui import compositing
from debate_tui.tui.widgets.finder import Finder, pattern
from debate_tui.tui.widgets.sheet import PAUSE, SLICE, Sheet

if TYPE_CHECKING:
    from textual import events

    from debate_tui.display.markdown import Voice

WHEEL = 3
"""Lines that one step of the mouse wheel scrolls."""


class Prose(Sheet, can_focus=True):
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
        super().__init__(signs)
        self._behind = False
        self._looking = False

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
        """How many lines at the end have never been in view; none while they come into it by themselves."""
        return 0 if self._view.following else max(0, self.line_count - self._view.seen)

    @property
    def following(self) -> bool:
        """Whether the end of the text stays in view."""
        return self._view.following

    @following.setter
    def following(self, following: bool) -> None:
        self._view.following = following

    @property
    def leap(self) -> int:
        """Lines to scroll by at once while following; any number but one is for slow terminals."""
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

    def tick(self) -> None:
        """Move the position mark, and read what has been waiting; to be called a few times a second."""
        self._catch_up_if_behind()
        top = self._view.top
        self._view.keep_up()
        mark = self._view.mark()
        if self._view.top != top or mark != self._mark:
            self._mark = mark
            self._show(self._page.line_count)

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
