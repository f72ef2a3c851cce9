"""The app around the history screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.archive import HistorySelection
from debate_tui.tui.dressed import BaseApp
from debate_tui.tui.glyphs import ASCII, UNICODE
from debate_tui.tui.screens.history import HistoryScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.record.summary import DebateSummary
    from debate_tui.tui.archive import HistoryStore
    from debate_tui.tui.options import ScreenOptions


class HistoryApp(BaseApp[HistorySelection]):
    """Returns what the user wants to see next, `None` if nothing; see `HistoryScreen`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c,ctrl+q", "quit", priority=False)]

    def __init__(
        self,
        store: HistoryStore,
        summaries: Sequence[DebateSummary],
        options: ScreenOptions,
        *,
        filter_text: str = "",
        selected_debate: str = "",
        on_theme: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(options, on_theme=on_theme)
        glyphs = ASCII if options.ascii else UNICODE
        self._history_screen = HistoryScreen(
            store, summaries, glyphs, self.exit, filter_text=filter_text, selected_debate=selected_debate
        )

    def get_default_screen(self) -> HistoryScreen:
        """The history is all there is."""
        return self._history_screen

    def on_ready(self) -> None:
        """The first frame is painted: do what could wait until now."""
        self.load_themes()

    def warn(self, text: str) -> None:
        """See `BaseApp.warn`."""
        self._history_screen.warn(text)
