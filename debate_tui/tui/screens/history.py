"""The history screen: search, replay, resume, export and delete recorded debates."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from debate_tui.domain.errors import DebateError
from debate_tui.domain.exports import EXPORT_TYPES
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import debate_state
from debate_tui.tui.base_app import BaseApp
from debate_tui.tui.screens.dialogs import ConfirmDeleteScreen, ExportMenuScreen
from debate_tui.tui.screens.export import display_path, export_to_folder
from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import ASCII, UNICODE
from debate_tui.tui.widgets.footer import Footer, KeyHint, NoticeBar
from debate_tui.tui.widgets.header import TitleBar
from debate_tui.tui.widgets.input_bars import FilterBar
from debate_tui.tui.widgets.option_list import MarkedList, to_lines
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Resize
    from textual.timer import Timer
    from textual.widgets import Input, OptionList

    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import DebateSummary
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.symbols import Glyphs


class HistorySelection(NamedTuple):
    """The chosen debate, what to do with it, and the filter to restore afterwards."""

    debate: str
    action: Literal["replay", "continue"]
    filter_text: str


DETAILS_MIN_WIDTH = 110
"""Columns from which the details are shown beside the list."""

MESSAGE_SECONDS = 6.0

MAX_TOPIC_CHARACTERS = 400

_ENDING_LOOKS = {
    "complete": ("done", Tone.FINISHED),
    "stopped": ("stopped", Tone.PAUSED),
    "failed": ("failed", Tone.FAILED),
    "live": ("streaming", Tone.STREAMING),
    "interrupted": ("cut", Tone.PAUSED),
}
"""The glyph and the tone for each state of a recorded debate."""

_FILTER_HINTS = (
    KeyHint("enter", "replay", "replay"),
    KeyHint("tab", "list", "focus_list"),
    KeyHint("esc", "show all", "back"),
)


def format_when(seconds: float) -> str:
    """Return a time (in seconds since the epoch) in local time, relative to today."""
    moment, now = (datetime.fromtimestamp(at).astimezone() for at in (seconds, time.time()))
    days = (now.date() - moment.date()).days
    day = {0: "today", 1: "yesterday"}.get(days, f"{moment:%Y-%m-%d}")
    return f"{day} {moment:%H:%M}"


def debate_rows(summary: DebateSummary, glyphs: Glyphs) -> Iterator[tuple[Piece, ...]]:
    """Yield the two rows of a debate in the list."""
    yield (Piece(one_line(summary.topic, MAX_TOPIC_CHARACTERS), bold=True),)
    facts = (
        format_when(summary.started),
        one_line(summary.format, 40),
        ", ".join(one_line(debater.name, 40) for debater in summary.debaters),
    )
    separator = f" {glyphs.separator} "
    yield _state_piece(summary, glyphs), Piece(f"{separator}{separator.join(facts)}", Tone.QUIET)


def detail_rows(summary: DebateSummary, glyphs: Glyphs) -> Iterator[tuple[Piece, ...]]:
    """Yield the details of a debate: topic, state, times and debaters."""
    yield (Piece(one_line(summary.topic, MAX_TOPIC_CHARACTERS), bold=True),)
    yield ()
    yield (_state_piece(summary, glyphs),)
    yield ()
    facts = {
        "started": format_when(summary.started),
        "ended" if summary.finished else "last event": format_when(summary.updated),
        "format": one_line(summary.format, 40),
        "events": f"{summary.events:,}",
        "id": summary.debate,
    }
    for label, value in facts.items():
        yield Piece(label.ljust(12), Tone.QUIET), Piece(value)
    for debater in summary.debaters:
        yield ()
        side = one_line(debater.side, 40)
        name = Piece(one_line(debater.name, 40), bold=True)
        yield name, Piece(f" {glyphs.separator} {side}" if side else "", Tone.QUIET)
        yield (Piece(one_line(debater.model or debater.source, 80), Tone.QUIET),)


def _state_piece(summary: DebateSummary, glyphs: Glyphs) -> Piece:
    """Return how a debate ended; one without an end is still live or was interrupted."""
    state = debate_state(summary.finished, live=summary.live)
    glyph, tone = _ENDING_LOOKS[state]
    return Piece(f"{getattr(glyphs, glyph)} {state}", tone)


class DebateList(MarkedList):
    """The list of recorded debates, two rows each; a click highlights, a double click opens."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("g", "first"), Binding("G", "last")]
    rows_per_option = 2

    def on_click(self, event: Click) -> None:
        """Highlight the clicked debate without opening it."""
        index = event.style.meta.get("option")
        if event.chain == 1 and index is not None:
            self.highlighted = index
            event.prevent_default()


class HistoryScreen(Screen[None]):
    """The list of recorded debates, filtered by words.

    It first shows those of `summaries` that match `filter_text`, with the debate whose id is
    `selected_debate` highlighted. `check_resumable` raises `DebateError` if the debate with this id cannot be
    resumed. `on_selection` is called with what the user wants to see next.
    """

    DEFAULT_CSS = """
    HistoryScreen {
        layout: vertical;
        background: $background;
        color: $foreground;
        overflow: hidden;
        DebateList { height: 1fr; width: 1fr; padding: 0 1; }
        #history { height: 1fr; }
        #details { height: 1fr; width: 48; padding: 0 2; border-left: solid $faint; }
        &.-ascii #details { border-left: ascii $faint; }
    }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "replay"),
        Binding("c", "resume"),
        Binding("e", "export"),
        Binding("d,delete", "delete"),
        Binding("slash", "filter", priority=True),
        Binding("tab", "focus_list"),
        Binding("up", "move(-1)"),
        Binding("down", "move(1)"),
        Binding("escape", "back"),
    ]

    def __init__(
        self,
        store: DebateStore,
        check_resumable: Callable[[str], Awaitable[object]],
        summaries: Sequence[DebateSummary],
        glyphs: Glyphs,
        on_selection: Callable[[HistorySelection], None],
        *,
        filter_text: str = "",
        selected_debate: str = "",
    ) -> None:
        super().__init__()
        self._store = store
        self._check_resumable = check_resumable
        self._summaries = tuple(summaries)
        self._glyphs = glyphs
        self._selection_callback = on_selection
        self._initial_filter = filter_text
        self._initial_selection = selected_debate
        self._found: list[DebateSummary] = []
        """The debates in the list."""
        self._message_timer: Timer | None = None
        self._title_bar = TitleBar("Recorded debates", glyphs)
        self._filter_bar = FilterBar()
        self._debate_list = DebateList(glyphs)
        self._details = Static(id="details")
        self._notice_bar = NoticeBar(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.thin_line.isascii(), "-ascii")

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom."""
        self._filter_bar.input.value = self._initial_filter
        yield self._title_bar
        yield self._filter_bar
        with Horizontal(id="history"):
            yield self._debate_list
            yield self._details
        yield self._notice_bar
        yield self._footer

    def on_mount(self) -> None:
        """Highlight the debate seen last, or the newest."""
        self._show_debates(self._initial_selection)
        self.set_focus(self._debate_list)

    def on_resize(self, event: Resize) -> None:
        """Show the details if there is enough room."""
        self._details.display = event.size.width >= DETAILS_MIN_WIDTH

    def warn(self, text: str) -> None:
        """Show above the footer a problem with the program's own files."""
        self._notice_bar.update(text, self.size.width)

    # Display

    @property
    def highlighted_debate(self) -> DebateSummary | None:
        """The highlighted debate."""
        index = self._debate_list.highlighted
        return self._found[index] if index is not None and index < len(self._found) else None

    def _show_debates(self, selected_debate: str = "") -> None:
        """List the debates that match the filter, and highlight this one or the one in its place."""
        words, index = self._filter_bar.input.value, self._debate_list.highlighted or 0
        self._found = [summary for summary in self._summaries if summary.matches(words)]
        options = [
            Option(to_lines(debate_rows(summary, self._glyphs), self._glyphs)) for summary in self._found
        ]
        if not options:
            about = f"No debate matches “{one_line(words, 60)}”." if words.strip() else "No debates recorded."
            options = [Option(to_lines([(), (Piece(about, Tone.QUIET),)], self._glyphs), disabled=True)]
        ids = [summary.debate for summary in self._found]
        self._debate_list.set_options(options)
        if ids:
            self._debate_list.highlighted = ids.index(selected_debate) if selected_debate in ids else index
        total = len(self._summaries)
        count = f"{len(ids)} of {total}" if len(ids) < total else f"{total}"
        self._title_bar.update_status(f"{count} {'debate' if total == 1 else 'debates'}, newest first")
        self._show_highlighted()

    def _show_highlighted(self) -> None:
        summary = self.highlighted_debate
        rows = detail_rows(summary, self._glyphs) if summary is not None else ()
        self._details.update(to_lines(rows, self._glyphs))
        self._show_hints()

    def _show_hints(self) -> None:
        if self._is_filtering:
            self._footer.set_hints(_FILTER_HINTS)
            return
        chosen = self.highlighted_debate
        free = chosen is not None and not chosen.live
        unfinished = chosen is not None and chosen.finished != "complete"
        offered = (
            (chosen is not None, KeyHint("enter", "replay", "replay", 1)),
            (free and unfinished, KeyHint("c", "resume", "resume", 2)),
            (chosen is not None, KeyHint("e", "export", "export", 3)),
            (free, KeyHint("d", "delete", "delete", 4)),
            (True, KeyHint("/", "filter", "filter", 2)),
            (bool(self._filter_bar.input.value), KeyHint("esc", "show all", "back", 5)),
            (True, KeyHint("T", "theme", "app.themes", 6)),
            (True, KeyHint("q", "quit", "app.quit", 0)),
        )
        self._footer.set_hints([hint for wanted, hint in offered if wanted])

    def _show_message(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        self._footer.show_status(text, tone, path=path)
        if self._message_timer is not None:
            self._message_timer.stop()
        self._message_timer = self.set_timer(MESSAGE_SECONDS, lambda: self._footer.show_status(""))

    @property
    def _is_filtering(self) -> bool:
        return self.focused is self._filter_bar.input

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the filter key while the user types a filter, which may contain a slash."""
        return not (action == "filter" and self._is_filtering)

    # Keys

    def action_replay(self) -> None:
        """Replay the debate."""
        if self._is_filtering:
            self._apply_filter()
        if chosen := self.highlighted_debate:
            self._selection_callback(HistorySelection(chosen.debate, "replay", self._filter_bar.input.value))

    def action_resume(self) -> None:
        """Resume the debate where it was interrupted."""
        chosen = self.highlighted_debate
        if chosen is not None and chosen.finished == "complete":
            self._show_message("This debate is complete; there is nothing to resume")
        elif chosen is not None:
            self.run_worker(self._resume(chosen.debate), exclusive=True)

    async def _resume(self, debate: str) -> None:
        try:
            await self._check_resumable(debate)
        except DebateError as error:
            self._show_message(f"{error.message} {error.hint}".strip(), Tone.FAILED)
        else:
            self._selection_callback(HistorySelection(debate, "continue", self._filter_bar.input.value))

    def action_export(self) -> None:
        """Ask for a file type and export the debate."""
        if chosen := self.highlighted_debate:
            debate = chosen.debate

            def export(index: int | None) -> None:
                if index is not None:
                    self.run_worker(self._export(debate, index), exclusive=True)

            self.app.push_screen(ExportMenuScreen(self._glyphs), export)

    async def _export(self, debate: str, form_index: int) -> None:
        try:
            path = await export_to_folder(
                await self._store.events(debate), EXPORT_TYPES[form_index], Path.cwd()
            )
        except DebateError as error:
            self._show_message(error.message, Tone.FAILED)
        else:
            self._show_message("Wrote ", Tone.FINISHED, path=display_path(path))

    def action_delete(self) -> None:
        """Delete the debate after confirmation."""
        if chosen := self.highlighted_debate:
            debate = chosen.debate

            def delete(index: int | None) -> None:
                if index:
                    self.run_worker(self._delete(debate), exclusive=True)

            self.app.push_screen(ConfirmDeleteScreen(chosen.topic, self._glyphs), delete)

    async def _delete(self, debate: str) -> None:
        try:
            if (await self._store.find(debate)).live:
                self._show_message("The debate is running in another program", Tone.FAILED)
                return
            await self._store.delete(debate)
            self._summaries = tuple(await self._store.debates())
        except DebateError as error:
            self._show_message(error.message, Tone.FAILED)
        else:
            self._show_debates()
            self._show_message("Deleted")

    def action_filter(self) -> None:
        """Focus the filter immediately, so that the next key goes there."""
        self.set_focus(self._filter_bar.input)

    def action_focus_list(self) -> None:
        """Focus the list."""
        self.set_focus(self._debate_list)

    def action_move(self, steps: int) -> None:
        """Move the highlight, also while the filter has the focus."""
        if steps < 0:
            self._debate_list.action_cursor_up()
        else:
            self._debate_list.action_cursor_down()

    def action_back(self) -> None:
        """Clear the filter and show all debates."""
        self._filter_bar.input.value = ""
        self.set_focus(self._debate_list)

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        """Show the debates that match the filter."""
        self._apply_filter()

    def _apply_filter(self) -> None:
        chosen = self.highlighted_debate
        self._show_debates(chosen.debate if chosen else "")

    def on_descendant_focus(self) -> None:
        """Update the hints for the new focus."""
        self._show_hints()

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        """Show the details of the highlighted debate."""
        self._show_highlighted()

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Replay the debate."""
        self.action_replay()


class HistoryApp(BaseApp[HistorySelection]):
    """An app that returns what the user wants to see next, or `None`; see `HistoryScreen`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c,ctrl+q", "quit", priority=False)]

    def __init__(
        self,
        store: DebateStore,
        check_resumable: Callable[[str], Awaitable[object]],
        summaries: Sequence[DebateSummary],
        options: ScreenOptions,
        *,
        filter_text: str = "",
        selected_debate: str = "",
    ) -> None:
        super().__init__(options)
        glyphs = ASCII if options.ascii else UNICODE
        self._history_screen = HistoryScreen(
            store,
            check_resumable,
            summaries,
            glyphs,
            self.exit,
            filter_text=filter_text,
            selected_debate=selected_debate,
        )

    def get_default_screen(self) -> HistoryScreen:
        """Return the history screen, the only one in this app."""
        return self._history_screen

    def on_ready(self) -> None:
        """Load the themes after the first frame is painted."""
        self.load_themes()

    def warn(self, text: str) -> None:
        """See `BaseApp.warn`."""
        self._history_screen.warn(text)
