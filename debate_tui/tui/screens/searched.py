"""A debate that is searched: all panes at once, and while text streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.hints import FOUND, SEARCHING
from debate_tui.tui.screens.view import DebateView
from debate_tui.tui.search import Search
from debate_tui.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from typing import Any

    from debate_tui.tui.widgets.footer import Hint
    from debate_tui.tui.widgets.searchline import SearchLine


class SearchedView(DebateView):
    """``/`` opens the line in which one types what to search for; at the first match panes get the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", priority=True),
        Binding("n", "step(1)"),
        Binding("N,shift+enter", "step(-1)"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._search = Search([pane.prose for pane in self._panes])
        self._line: SearchLine | None = None
        self._due = 0
        """The step that was asked for while nothing was found yet."""

    @property
    def searching(self) -> bool:
        """Whether the search is open."""
        return self._line is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever types text may type a slash."""
        return not (action == "search" and not isinstance(self.focused, Prose))

    def _hints(self) -> tuple[Hint, ...]:
        if self._line is None:
            return super()._hints()
        if self.focused is self._line.input:
            return SEARCHING
        return FOUND if isinstance(self.focused, Prose) else super()._hints()

    async def action_search(self) -> None:
        """Ask what to search for; the next key goes there already."""
        if self._line is None:
            from debate_tui.tui.widgets.searchline import SearchLine

            self._line = SearchLine(self._glyphs)
            await self.mount(self._line, before=self._footer)
            self._say("")
        self.set_focus(self._line.input)
        self._show_hints()

    def action_step(self, steps: int) -> None:
        """Go to the next match, or to the one before."""
        if self._line is None:
            self._say("/ searches all panes")
            return
        if self._line.input.value != self._search.text:  # keys are quicker than the message that it was typed
            self._look_for(self._line.input.value)
        pane = self._search.step(steps, self._here)
        self._due = steps if pane < 0 else 0
        if pane >= 0:
            self._turn_to(pane)
        self._show_standing()

    def close_search(self) -> None:
        """Take the marks away, and give the keys back."""
        if self._line is not None:
            self._focus_here()
            self._line.remove()
            self._line = None
            self._search.look_for("")
            self._show_hints()

    def _look_for(self, text: str) -> None:
        self._due = 0
        self._search.look_for(text)
        self._show_standing()

    def _show_standing(self) -> None:
        if self._line is not None:
            self._line.count.show(self._search.standing if self._search.text else None)

    # Messages of widgets

    def on_search_line_typed(self, message: SearchLine.Typed) -> None:
        """Search for that."""
        if message.text != self._search.text:
            self._look_for(message.text)

    def on_prose_found(self, message: Prose.Found) -> None:
        """Count again, and go to the match that was asked for before it was found."""
        self._search.hear(message.prose, done=message.done)
        standing = self._search.standing
        if self._due and standing.total:
            self.action_step(self._due)
        elif standing.done:
            self._due = 0
        self._show_standing()
