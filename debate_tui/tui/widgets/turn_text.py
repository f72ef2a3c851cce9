"""The widget for a debater's text: it grows, follows its end, and can be scrolled and searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widget import Widget

from debate_tui.display.markdown import UNICODE_SYMBOLS, MarkdownSymbols, Page
from debate_tui.tui import painter
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.page_search import SLICE_INTERVAL, TIME_SLICE, PageSearch
from debate_tui.tui.widgets.page_view import PageView, Viewport

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.selection import Selection
    from textual.strip import Strip

WHEEL_LINES = 3
"""Lines per step of the mouse wheel."""


class TurnText(painter.RowWidget, can_focus=True):
    """A debater's page: what is written on `page` shows after `flush`.

    It follows the end of the text until the reader scrolls up, and then keeps its position. Search matches
    are shown in the tone `highlight`. It has no border, no padding and no children.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "line(-1)", show=False),
        Binding("down", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    class Scrolled(Message):
        """Posted when the reader has scrolled, not when the text has grown."""

        def __init__(self, turn_text: TurnText) -> None:
            super().__init__()
            self.turn_text = turn_text

    class SearchProgress(Message):
        """Posted after each slice of a search; `done` if the end of the text was reached."""

        def __init__(self, turn_text: TurnText, *, done: bool) -> None:
            super().__init__()
            self.turn_text = turn_text
            self.done = done

    def __init__(self, symbols: MarkdownSymbols = UNICODE_SYMBOLS, highlight: Tone = Tone.FOCUS) -> None:
        super().__init__()
        self.page = Page(80, symbols)
        self.viewport = Viewport(self.page)
        self.page_search = PageSearch(
            self.page,
            call_later=self.set_timer,
            report_progress=lambda done: self.post_message(self.SearchProgress(self, done=done)),
        )
        self.page_view = PageView(self, self.viewport, self.page_search, symbols.position_marker, highlight)
        self._flush_deferred = False
        self._wrapping = False

    # Content

    def flush(self) -> None:
        """Show what was written, in the open frame or the next one.

        Text that is out of sight is processed later, when the number of lines is needed.
        """
        if self.viewport.following or self.page.first_changeable_line < self.viewport.end:
            self._flush_page()
        else:
            self._flush_deferred = True

    def clear(self) -> None:
        """Remove everything, and follow the text that comes."""
        self.page.clear()
        self.viewport.seen_lines = 0
        self.viewport.following = True

    @property
    def line_count(self) -> int:
        """Number of lines."""
        self._flush_if_deferred()
        return self.page.line_count

    @property
    def unseen_lines(self) -> int:
        """Number of lines at the end that have never been in view; 0 while following."""
        view = self.viewport
        return 0 if view.following else max(0, self.line_count - view.seen_lines)

    def set_reasoning_visible(self, *, visible: bool) -> None:
        """Expand or collapse the reasoning in the whole text; keep the scroll position."""
        with self.viewport.keep_position():
            self.page.set_reasoning_visible(visible=visible)
            self.page.flush()
        self.page_search.rescan_from(0)
        self._repaint()

    def tick(self) -> None:
        """Move the position mark and process deferred text; call it a few times a second."""
        self._flush_if_deferred()
        top = self.viewport.top
        self.viewport.adjust_top()
        if self.page_view.move_mark() or self.viewport.top != top:
            self._repaint(self.page.line_count)

    def _flush_page(self) -> None:
        self._flush_deferred = False
        changed = self.page.flush()
        if changed is None:
            return
        self.page_search.rescan_from(changed)
        if self.viewport.following or changed < self.viewport.end:
            self.viewport.adjust_top()
            self._repaint(changed)

    def _flush_if_deferred(self) -> None:
        if self._flush_deferred:
            self._flush_page()

    # Scrolling

    def action_line(self, lines: int) -> None:
        """Scroll by lines and show it immediately; at the end, start following."""
        self.show_line(self.viewport.top + lines)
        self.post_message(self.Scrolled(self))

    def action_page(self, pages: int) -> None:
        """Scroll by pages, with one line of overlap."""
        self.action_line(pages * max(1, self.viewport.height - 1))

    def action_top(self) -> None:
        """Scroll to the top."""
        self.action_line(-self.viewport.top)

    def action_bottom(self) -> None:
        """Scroll to the end and follow it."""
        self.action_line(self.line_count)

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    def scroll_by_wheel(self, event: events.MouseScrollUp | events.MouseScrollDown) -> None:
        event.stop()
        self.action_line(WHEEL_LINES if isinstance(event, events.MouseScrollDown) else -WHEEL_LINES)

    def show_line(self, top: int) -> None:
        """Scroll until a line is at the top, and show it immediately; at the end, start following."""
        self._flush_if_deferred()
        self.viewport.scroll_to(top)
        self.page_view.move_mark()
        with painter.frame(self.screen):
            self._repaint(self.page.line_count)

    # Search

    def search(self, text: str) -> None:
        """Highlight all matches in any case, including those in text to come; an empty text ends the search.

        A long text is searched in several slices; `SearchProgress` is posted after each.
        """
        self._flush_if_deferred()
        self.page_search.start(text)
        self._repaint()

    def show_match(self, index: int) -> None:
        """Scroll to a match, counted from 0 at the top, and highlight it as the current one."""
        line = self.page.line_at(self.page_search.select(index))
        self.action_line(line - self.viewport.height // 3 - self.viewport.top)

    def clear_current_match(self) -> None:
        """Highlight the current match like the others again."""
        if self.page_search.current_match is not None:
            self.page_search.current_match = None
            self._repaint()

    # Selection and focus

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, and what ends it."""
        text = self.page_view.selected_text(selection)
        return None if text is None else (text, "\n")

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()

    @on(events.Focus)
    @on(events.Blur)
    def track_focus(self, event: events.Focus | events.Blur) -> None:
        """Notify only the parent, without a repaint: the text looks the same with or without the focus."""
        event.prevent_default()
        focused = isinstance(event, events.Focus)
        self.set_reactive(Widget.has_focus, focused)
        if self.parent is not None:
            self.parent.post_message(DescendantFocus(self) if focused else DescendantBlur(self))

    # Painting

    def render_line(self, y: int) -> Strip:
        """Return a row with text offsets, which map the mouse to the text; it is never painted."""
        self._build_rows()
        return self.page_view.strip_with_offsets(y)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._build_rows()
        rows = self.page_view.strips[crop.y : crop.bottom]
        return rows if crop.width == self.size.width else [row.crop(crop.x, crop.right) for row in rows]

    def row(self, y: int) -> Strip:
        return self.page_view.strips[y]

    def on_resize(self) -> None:
        """Rewrap what is in view immediately, and the rest in slices."""
        self._build_rows()

    def notify_style_update(self) -> None:
        """Discard the cached styles when the theme or a class changes."""
        super().notify_style_update()
        self.page_view.style_resolver = None
        self._repaint()

    def _repaint(self, changed: int = 0) -> None:
        """Repaint the rows that differ from what was painted last; lines before `changed` are the same."""
        if self.is_attached:
            painter.repaint_rows(self, self._build_rows(changed))

    def _build_rows(self, changed: int | None = None) -> list[int]:
        """Build the rows if the size, the theme or lines from `changed` on have changed.

        Return those that differ from before.
        """
        if self.size != self.page_view.size:
            self.page_view.resize(self.size)
            if not self._wrapping:
                self._wrapping = True
                self.set_timer(SLICE_INTERVAL, self._wrap_slice)
        elif changed is None and self.page_view.style_resolver is not None:
            return []
        return self.page_view.build(changed or 0)

    def _wrap_slice(self) -> None:
        self._wrapping = not self.viewport.measure(TIME_SLICE)
        self._repaint()
        if self._wrapping:
            self.set_timer(SLICE_INTERVAL, self._wrap_slice)
