"""The history screen: search, read, play, resume, export and delete recorded debates."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from debate_tui.domain.errors import DebateError
from debate_tui.domain.exports import EXPORT_TYPES, ExportType
from debate_tui.domain.sanitise import one_line
from debate_tui.record.summary import digest_events
from debate_tui.tui.screens.dialogs import ConfirmDeleteScreen, ExportMenuScreen
from debate_tui.tui.screens.export import display_path, export_to_folder
from debate_tui.tui.single_screen import TitledScreen
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.debate_list import DebateList, DigestCache, detail_rows
from debate_tui.tui.widgets.footer import KeyHint
from debate_tui.tui.widgets.input_bars import FilterBar
from debate_tui.tui.widgets.option_list import to_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.timer import Timer
    from textual.widgets import Input, OptionList

    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import DebateSummary
    from debate_tui.tui.symbols import Glyphs


class HistorySelection(NamedTuple):
    """What the user wants to see next, and of which debate; the filter is to be restored afterwards.

    ``read`` shows the whole debate, ``play`` plays it from the start; ``back`` returns to the start screen.
    """

    debate: str
    action: Literal["read", "play", "continue", "back"]
    filter_text: str


class HistoryOptions(NamedTuple):
    """How the history screen starts.

    It first shows the debates that match `filter_text`, with the one whose id is `selected_debate`
    highlighted. `can_go_back` says whether a start screen is to be returned to.
    """

    filter_text: str = ""
    selected_debate: str = ""
    can_go_back: bool = False


_EXPORT_TYPES: tuple[ExportType, ...] = (*EXPORT_TYPES, "prompts")

DETAILS_MIN_WIDTH = 110
"""Columns from which the details are shown beside the list."""

MESSAGE_SECONDS = 6.0

DIGESTS_PER_UPDATE = 20
"""How many debates are read before the list shows what was found."""

_FILTER_HINTS = (
    KeyHint("enter", "read", "open('read')"),
    KeyHint("tab", "list", "focus_list"),
    KeyHint("esc", "show all", "back"),
    KeyHint("F1", "help", "app.help", 0),
)


class HistoryScreen(TitledScreen):
    """The list of recorded debates, filtered by words.

    `check_resumable` raises `DebateError` if the debate with this id cannot be resumed. `digests` are those
    that have been read before; the others are read once the list is shown. The app exits with what the user
    wants to see next.
    """

    DEFAULT_CSS = """
    HistoryScreen {
        DebateList { height: 1fr; width: 1fr; padding: 0 1; }
        #history { height: 1fr; }
        #details { height: 1fr; width: 48; padding: 0 2; border-left: solid $faint; }
        &.-ascii #details { border-left: ascii $faint; }
    }
    """
    AUTO_FOCUS = None
    HELP_TOPIC: ClassVar[str] = "history"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "open('play')"),
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
        *,
        options: HistoryOptions,
        digests: DigestCache,
    ) -> None:
        super().__init__("Recorded debates", glyphs)
        self._store = store
        self._check_resumable = check_resumable
        self._summaries = tuple(summaries)
        self._history_options = options
        self._digests = digests
        self._message_timer: Timer | None = None
        self._filter_bar = FilterBar()
        self._debate_list = DebateList(glyphs, digests)
        self._details = Static(id="details")

    def compose(self) -> ComposeResult:
        self._filter_bar.input.value = self._history_options.filter_text
        yield self._title_bar
        yield self._filter_bar
        with Horizontal(id="history"):
            yield self._debate_list
            yield self._details
        yield self._notice_bar
        yield self._footer

    def on_mount(self) -> None:
        """Highlight the debate seen last, or the newest, and read the digests after the first frame."""
        self._show_debates(self._history_options.selected_debate)
        self.set_focus(self._debate_list)
        self.call_after_refresh(lambda: self.run_worker(self._read_digests(), name="digests"))

    def on_resize(self, event: Resize) -> None:
        """Show the details if there is enough room."""
        self._details.display = event.size.width >= DETAILS_MIN_WIDTH

    async def _read_digests(self) -> None:
        """Read who won, how long it took and what it cost, newest debate first."""
        unread = [summary for summary in self._summaries if self._digests.get(summary) is None]
        for count, summary in enumerate(unread, 1):
            with suppress(DebateError):  # it was deleted, or is damaged, which opening it reports
                events = await self._store.events(summary.debate, deltas=False)
                self._digests.put(summary, digest_events(events))
            if count % DIGESTS_PER_UPDATE == 0 or count == len(unread):
                self._debate_list.show_digests()
                self._show_highlighted()

    # Display

    def _show_debates(self, selected_debate: str = "") -> None:
        """List the debates that match the filter, and highlight this one or the one in its place."""
        words = self._filter_bar.input.value
        found = [summary for summary in self._summaries if summary.matches(words)]
        about = f"No debate matches “{one_line(words, 60)}”." if words.strip() else "No debates recorded."
        self._debate_list.show_debates(found, selected=selected_debate, empty_text=about)
        total = len(self._summaries)
        count = f"{len(found)} of {total}" if len(found) < total else f"{total}"
        self._title_bar.update_status(f"{count} {'debate' if total == 1 else 'debates'}, newest first")
        self._show_highlighted()

    def _show_highlighted(self) -> None:
        summary = self._debate_list.highlighted_debate
        rows = detail_rows(summary, self._digests.get(summary), self._glyphs) if summary is not None else ()
        self._details.update(to_lines(rows, self._glyphs))
        self._show_hints()

    def _show_hints(self) -> None:
        if self._is_filtering:
            self._footer.set_hints(_FILTER_HINTS)
            return
        chosen, is_filtered = self._debate_list.highlighted_debate, bool(self._filter_bar.input.value)
        free = chosen is not None and not chosen.live
        unfinished = chosen is not None and chosen.finished != "complete"
        offered = (
            (chosen is not None, KeyHint("enter", "read", "open('read')", 1)),
            (chosen is not None, KeyHint("space", "play", "open('play')", 2)),
            (free and unfinished, KeyHint("c", "resume", "resume", 2)),
            (chosen is not None, KeyHint("e", "export", "export", 3)),
            (free, KeyHint("d", "delete", "delete", 4)),
            (True, KeyHint("/", "filter", "filter", 2)),
            (is_filtered, KeyHint("esc", "show all", "back", 5)),
            (
                self._history_options.can_go_back and not is_filtered,
                KeyHint("esc", "new debate", "back", 1),
            ),
            (True, KeyHint("T", "theme", "app.themes", 6)),
            (True, KeyHint("?", "help", "app.help", 0)),
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

    def action_open(self, action: Literal["read", "play"]) -> None:
        """Show the whole debate at its end, or play it from the start."""
        if self._is_filtering:
            self._apply_filter()
        if chosen := self._debate_list.highlighted_debate:
            self.app.exit(HistorySelection(chosen.debate, action, self._filter_bar.input.value))

    def action_resume(self) -> None:
        """Resume the debate where it was interrupted."""
        chosen = self._debate_list.highlighted_debate
        if chosen is not None and chosen.finished == "complete":
            self._show_message("This debate is complete; there is nothing to resume")
        elif chosen is not None:
            self.run_worker(self._resume(chosen.debate), exclusive=True, group="command")

    async def _resume(self, debate: str) -> None:
        try:
            await self._check_resumable(debate)
        except DebateError as error:
            self._show_message(f"{error.message} {error.hint}".strip(), Tone.FAILED)
        else:
            self.app.exit(HistorySelection(debate, "continue", self._filter_bar.input.value))

    def action_export(self) -> None:
        """Ask for a file type and export the debate."""
        if chosen := self._debate_list.highlighted_debate:
            debate = chosen.debate

            def export(index: int | None) -> None:
                if index is not None:
                    self.run_worker(self._export(debate, index), exclusive=True, group="command")

            self.app.push_screen(ExportMenuScreen(self._glyphs, _EXPORT_TYPES), export)

    async def _export(self, debate: str, form_index: int) -> None:
        try:
            path = await export_to_folder(
                await self._store.events(debate),
                _EXPORT_TYPES[form_index],
                Path.cwd(),
                setup=await self._store.setup(debate),
                material=await self._store.material(debate),
            )
        except DebateError as error:
            self._show_message(error.message, Tone.FAILED)
        else:
            self._show_message("Wrote ", Tone.FINISHED, path=display_path(path))

    def action_delete(self) -> None:
        """Delete the debate after confirmation."""
        if chosen := self._debate_list.highlighted_debate:
            debate = chosen.debate

            def delete(index: int | None) -> None:
                if index:
                    self.run_worker(self._delete(debate), exclusive=True, group="command")

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
        self.set_focus(self._debate_list)

    def action_move(self, steps: int) -> None:
        """Move the highlight, also while the filter has the focus."""
        if steps < 0:
            self._debate_list.action_cursor_up()
        else:
            self._debate_list.action_cursor_down()

    def action_back(self) -> None:
        """Clear the filter and show all debates; without a filter, return to the start screen."""
        if self._filter_bar.input.value or self._is_filtering:
            self._filter_bar.input.value = ""
            self.set_focus(self._debate_list)
        elif self._history_options.can_go_back:
            self.app.exit(HistorySelection("", "back", ""))

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        self._apply_filter()

    def _apply_filter(self) -> None:
        chosen = self._debate_list.highlighted_debate
        self._show_debates(chosen.debate if chosen else "")

    def on_descendant_focus(self) -> None:
        self._show_hints()

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        """Show the details of the highlighted debate."""
        self._show_highlighted()

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        self.action_open("read")
