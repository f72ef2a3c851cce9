"""The debate screen: the key bindings for a debate on screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.display.display_modes import DisplayMode
from debate_tui.display.statistics import Statistics
from debate_tui.domain.errors import DebateError
from debate_tui.session.commands import Pause, Resume, Retry, StopTurn
from debate_tui.tui.key_hints import MODE_DESCRIPTIONS
from debate_tui.tui.layout import LayoutKind
from debate_tui.tui.screens.moderation import ModerationView
from debate_tui.tui.screens.search import SearchView
from debate_tui.tui.styles import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.statistics import StatisticsReport
    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import ExportType
    from debate_tui.record.log import ReadableLog
    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.widgets.footer import Footer


class DebateScreen(SearchView, ModerationView):
    """`DebateView` with key bindings; `on_mode` is called with every display mode the user chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "next_mode"),
        Binding("1", "mode('synchronized')"),
        Binding("2", "mode('staggered')"),
        Binding("3", "mode('hybrid')"),
        Binding("space", "pause_all"),
        Binding("p", "pause_pane"),
        Binding("tab", "focus_pane(1)"),
        Binding("shift+tab", "focus_pane(-1)"),
        Binding("z", "zoom"),
        Binding("x", "stop_turn"),
        Binding("r", "retry_turn"),
        Binding("t", "toggle_reasoning"),
        Binding("y", "copy_turn"),
        Binding("e", "export"),
        Binding("s", "statistics"),
        Binding("question_mark,f1", "help"),
        Binding("enter", "show_fault"),
        Binding("escape", "back"),
    ]

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        make_statistics: Callable[[], Statistics] = Statistics,
        on_mode: Callable[[DisplayMode], None],
        on_ready: Callable[[], None],
        on_round_break: Callable[[], None],
        pending_writes: Callable[[], int],
        slow_writes: Callable[[], int],
    ) -> None:
        super().__init__(
            log,
            buffer,
            handle,
            options,
            statistics=statistics,
            make_statistics=make_statistics,
            on_ready=on_ready,
            on_round_break=on_round_break,
            pending_writes=pending_writes,
            slow_writes=slow_writes,
        )
        self._buffer = buffer
        self._on_mode = on_mode
        self._is_reasoning_visible = False

    # Keys: display

    def action_next_mode(self) -> None:
        """Switch to the next display mode."""
        self._set_display_mode(self._frame_clock.mode.next)

    def action_mode(self, mode: str) -> None:
        """Switch to a display mode."""
        self._set_display_mode(DisplayMode(mode))

    def _set_display_mode(self, mode: DisplayMode) -> None:
        self._frame_clock.set_mode(mode)
        self._wake_frame_loop()
        self._update_header()
        self._show_message(f"{mode.value}: {MODE_DESCRIPTIONS[mode]}")
        self._on_mode(mode)

    def action_focus_pane(self, step: int) -> None:
        """Focus the next or the previous pane."""
        self._select_pane((self._current_index + step) % len(self._panes))

    def action_zoom(self) -> None:
        """Expand the focused pane to the whole screen, or restore all panes."""
        if self._pane_layout.kind is not LayoutKind.TABS:
            self._zoomed = not self._zoomed
            self._place_panes()

    def action_back(self) -> None:
        """Close whatever is open."""
        if self.is_searching:
            self.close_search()
        elif self._interjection_bar is not None:
            self._close_interjection_bar()
        elif self._answer_bar is not None:
            self._close_answer_bar()
        elif not self.decline_vote() and self._zoomed:
            self.action_zoom()

    def action_toggle_reasoning(self) -> None:
        """Expand or collapse the debaters' reasoning."""
        self._is_reasoning_visible = not self._is_reasoning_visible
        for pane in self._panes:
            pane.turn_text.set_reasoning_visible(visible=self._is_reasoning_visible)
        self._show_message("Thinking is shown" if self._is_reasoning_visible else "Thinking is folded")

    # Keys: copy and export

    async def action_copy_turn(self) -> None:
        """Copy the debater's latest answer."""
        if text := self._current_pane.content.answer:
            await self._copy_to_clipboard(text)
        else:
            self._show_message(f"{self._current_debater_name} has said nothing yet")

    async def on_text_selected(self) -> None:
        """Copy the text selected with the mouse."""
        if text := self.get_selected_text():
            await self._copy_to_clipboard(text)

    async def _copy_to_clipboard(self, text: str) -> None:
        from debate_tui.tui.export import copy_text

        said, path = await copy_text(self.app, text, self._options.clipboard_file)
        self._show_message(said, Tone.FINISHED, path=path)

    def action_export(self) -> None:
        """Ask for a file type and export the debate so far."""
        from debate_tui.domain.exports import EXPORT_TYPES
        from debate_tui.tui.screens.dialogs import ExportMenuScreen

        def export(index: int | None) -> None:
            if index is not None:
                self.run_worker(self._export(EXPORT_TYPES[index]), name="export")

        self.app.push_screen(ExportMenuScreen(self._glyphs), export)

    async def _export(self, form: ExportType) -> None:
        from debate_tui.tui.export import display_path, export_to_folder

        try:
            path = await export_to_folder(await self._all_events(), form, Path.cwd())
        except DebateError as error:
            self._show_message(error.message, Tone.FAILED)
        else:
            self._show_message("Wrote ", Tone.FINISHED, path=display_path(path))

    async def _all_events(self) -> Sequence[Event]:
        """Return all events of the debate so far."""
        return await self._follower.read_all()

    # Keys: information

    def action_help(self) -> None:
        """Show the help for keys and badges."""
        from debate_tui.tui.screens.dialogs import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs))

    def action_statistics(self) -> None:
        """Show the stream statistics."""
        from debate_tui.tui.screens.statistics import StatisticsScreen

        speakers = [pane.state for pane in self._panes]
        self.app.push_screen(
            StatisticsScreen(speakers, self._follower.statistics, self._report, self._glyphs)
        )

    def _report(self) -> StatisticsReport:
        return self._follower.statistics.report(self._buffer.statistics())

    def action_show_fault(self) -> None:
        """Show the full error of the debater's stream; while searching, go to the next match."""
        if self.is_searching:
            self.action_next_match(1)
            return
        speaker = self._current_pane.state
        trouble = speaker.fault
        if not self._decisions.ask(speaker.id, self._current_debater_name) and trouble is not None:
            from debate_tui.tui.screens.dialogs import FaultScreen

            self.app.push_screen(FaultScreen(self._current_debater_name, trouble, self._glyphs))

    # Keys: commands to the debate

    def action_pause_all(self) -> None:
        """Pause or resume all debaters."""
        if handle := self._command_handler():
            handle(Resume() if self._is_all_paused else Pause())

    def action_pause_pane(self) -> None:
        """Pause or resume the focused debater."""
        if handle := self._command_handler():
            speaker = self._current_pane.state
            handle(Resume(speaker.id) if speaker.is_paused else Pause(speaker.id))

    def action_stop_turn(self) -> None:
        """End the debater's current turn where it is."""
        if handle := self._command_handler():
            handle(StopTurn(self._current_pane.state.id))

    def action_retry_turn(self) -> None:
        """Retry the debater's turn."""
        if handle := self._command_handler():
            handle(Retry(self._current_pane.state.id))

    # Messages from widgets

    async def on_footer_pressed(self, message: Footer.Pressed) -> None:
        """Run the action of the clicked hint."""
        await self.run_action(message.action)

    @property
    def _current_debater_name(self) -> str:
        return self._debater_name(self._current_pane.state.id)
