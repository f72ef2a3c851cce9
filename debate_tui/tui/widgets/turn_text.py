"""The widget for a debater's text: it grows, follows its end, and can be scrolled and searched."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widget import Widget

from debate_tui.display.markdown import UNICODE_SYMBOLS, DocumentPosition, MarkdownSymbols, PagePosition
from debate_tui.tui import painter
from debate_tui.tui.widgets.page_view import SLICE_INTERVAL, TIME_SLICE, MatchFinder, PageView, search_pattern

if TYPE_CHECKING:
    from textual import events

    from debate_tui.display.markdown import TextKind

WHEEL_LINES = 3
"""Lines per step of the mouse wheel."""


class TurnText(PageView, can_focus=True):
    """A debater's text, headings and notices, shown after `flush`.

    It follows the end of the text until the reader scrolls up, and then keeps its position. `unseen_lines` is
    the number of lines below that have never been in view. It has no border, no padding and no children.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "line(-1)", show=False),
        Binding("down", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    class SearchProgress(Message):
        """Posted after each slice of a search; `done` if the end of the text was reached."""

        def __init__(self, turn_text: TurnText, match_count: int, *, done: bool) -> None:
            super().__init__()
            self.turn_text = turn_text
            self.match_count = match_count
            self.done = done

    def __init__(self, symbols: MarkdownSymbols = UNICODE_SYMBOLS) -> None:
        super().__init__(symbols)
        self._flush_deferred = False
        self._scan_scheduled = False

    # Content

    def append_text(self, text: str, kind: TextKind = "answer", turn: int = 0) -> None:
        """Append sanitised Markdown; it continues the last text of the same kind and turn."""
        self._page.append_text(text, kind, turn)

    def append_heading(self, text: str, turn: int = 0) -> None:
        """Start a section with a heading."""
        self._page.append_heading(text, turn)

    def append_notice(self, text: str, tone: str = "quiet", turn: int = 0) -> None:
        """Append a notice in the colour of a theme variable."""
        self._page.append_notice(text, tone, turn)

    def discard_turn(self, turn: int) -> None:
        """Remove the texts and notices of a turn; its heading stays."""
        self._page.discard_turn(turn)

    def clear(self) -> None:
        """Remove everything."""
        self._page.clear()
        self._viewport.seen_lines = 0

    def flush(self) -> None:
        """Show what was appended, in the open frame or the next one.

        Text that is out of sight is processed later, when the number of lines is needed.
        """
        if self._viewport.following or self._page.first_changeable_line < self._viewport.end:
            self._flush_page()
        else:
            self._flush_deferred = True

    @property
    def line_count(self) -> int:
        """Number of lines."""
        self._flush_if_deferred()
        return self._page.line_count

    @property
    def unseen_lines(self) -> int:
        """Number of lines at the end that have never been in view; 0 while following."""
        return 0 if self._viewport.following else max(0, self.line_count - self._viewport.seen_lines)

    @property
    def following(self) -> bool:
        """Whether the end of the text stays in view."""
        return self._viewport.following

    @following.setter
    def following(self, following: bool) -> None:
        self._viewport.following = following

    @property
    def scroll_step(self) -> int:
        """Lines to scroll at a time while following; values other than 1 are for slow terminals."""
        return self._viewport.scroll_step

    @scroll_step.setter
    def scroll_step(self, lines: int) -> None:
        self._viewport.scroll_step = lines

    @property
    def reasoning_visible(self) -> bool:
        """Whether reasoning is shown in full rather than as one line."""
        return self._page.reasoning_visible

    def set_reasoning_visible(self, *, visible: bool) -> None:
        """Expand or collapse the reasoning in the whole text; keep the scroll position."""
        self._viewport.set_reasoning_visible(visible=visible)
        self._rescan_from(0)
        self._repaint_changed()

    def _flush_page(self) -> None:
        self._flush_deferred = False
        changed = self._page.flush()
        if changed is None:
            return
        self._rescan_from(changed)
        if self._viewport.following or changed < self._viewport.end:
            self._viewport.adjust_top()
            self._repaint_changed(changed)

    def _flush_if_deferred(self) -> None:
        if self._flush_deferred:
            self._flush_page()

    def tick(self) -> None:
        """Move the position mark and process deferred text; call it a few times a second."""
        self._flush_if_deferred()
        top = self._viewport.top
        self._viewport.adjust_top()
        mark = self._viewport.position_row()
        if self._viewport.top != top or mark != self._position_row:
            self._position_row = mark
            self._repaint_changed(self._page.line_count)

    # Scrolling

    def scroll_by(self, lines: int) -> None:
        """Scroll and show it immediately; at the end, start following."""
        self._move_to(self._viewport.top + lines)

    def action_line(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_by(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages, with one line of overlap."""
        self.scroll_by(pages * max(1, self._viewport.height - 1))

    def action_top(self) -> None:
        """Scroll to the top."""
        self._move_to(0)

    def action_bottom(self) -> None:
        """Scroll to the end and follow it."""
        self._move_to(self.line_count)

    def on_focus(self, event: events.Focus) -> None:
        """Notify only the parent, without a repaint: the text looks the same with or without the focus."""
        event.prevent_default()
        self._set_focus_flag(DescendantFocus(self), has_focus=True)

    def on_blur(self, event: events.Blur) -> None:
        """See `on_focus`."""
        event.prevent_default()
        self._set_focus_flag(DescendantBlur(self), has_focus=False)

    def _set_focus_flag(self, message: Message, *, has_focus: bool) -> None:
        self.set_reactive(Widget.has_focus, has_focus)
        if self.parent is not None:
            self.parent.post_message(message)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_by(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_by(WHEEL_LINES)

    def _move_to(self, top: int) -> None:
        self._flush_if_deferred()
        self._viewport.scroll_to(top)
        self._position_row = self._viewport.position_row()
        with painter.frame(self.screen):
            self._repaint_changed(self._page.line_count)

    # Search

    def search(self, text: str) -> None:
        """Highlight all matches in any case, including those in text to come; an empty text ends the search.

        A long text is searched in several slices; `SearchProgress` is posted after each.
        """
        self._flush_if_deferred()
        self._finder = MatchFinder(self._page, search_pattern(text)) if text else None
        self._scan()
        self._repaint_changed()

    @property
    def match_count(self) -> int:
        """Number of matches found so far."""
        return len(self._finder.matches) if self._finder is not None else 0

    def show_match(self, index: int) -> None:
        """Scroll to a match, counted from 0 at the top, and highlight it as the current one."""
        if self._finder is None:
            return
        hit = self._finder.current_match = self._finder.matches[index]
        line = self._page.line_at(PagePosition(hit.section, DocumentPosition(hit.block, hit.start)))
        self._move_to(line - self._viewport.height // 3)

    def clear_current_match(self) -> None:
        """Highlight the current match like the others again."""
        if self._finder is not None and self._finder.current_match is not None:
            self._finder.current_match = None
            self._repaint_changed()

    @property
    def next_match_index(self) -> int:
        """Index of the first match not above the visible part; the number of matches if there is none."""
        if self._finder is None:
            return 0
        spot = self._page.position_at(self._viewport.top)
        return bisect_left(self._finder.matches, (spot.section, *spot.position), key=lambda hit: hit[:3])

    def _rescan_from(self, line: int) -> None:
        if self._finder is not None:
            self._finder.invalidate_from(line)
            self._scan()

    def _scan(self) -> None:
        if self._finder is None or self._scan_scheduled:
            return
        done = self._finder.scan(TIME_SLICE)
        self.post_message(self.SearchProgress(self, self.match_count, done=done))
        if not done:
            self._scan_scheduled = True
            self.set_timer(SLICE_INTERVAL, self._continue_scan)

    def _continue_scan(self) -> None:
        self._scan_scheduled = False
        self._scan()
