"""The debate screen: what the keys do with a debate that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.display.modes import Mode
from debate_tui.display.statistics import Statistics
from debate_tui.domain.errors import DebateError
from debate_tui.tui.arrangement import Arrangement
from debate_tui.tui.modes import TOLD
from debate_tui.tui.screens.moderated import ModeratedView
from debate_tui.tui.screens.searched import SearchedView
from debate_tui.tui.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.display.statistics import Report
    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import Form
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.widgets.footer import Footer


class DebateScreen(SearchedView, ModeratedView):
    """`on_mode` is called with every mode the user chooses; for the rest see `DebateView`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "next_mode"),
        Binding("1", "mode('synchronized')"),
        Binding("2", "mode('staggered')"),
        Binding("3", "mode('hybrid')"),
        Binding("space", "pause_all"),
        Binding("p", "pause_one"),
        Binding("tab", "focus_pane(1)"),
        Binding("shift+tab", "focus_pane(-1)"),
        Binding("z", "zoom"),
        Binding("x", "stop_turn"),
        Binding("r", "retry_turn"),
        Binding("t", "reasoning"),
        Binding("y", "copy_turn"),
        Binding("e", "export"),
        Binding("s", "statistics"),
        Binding("question_mark,f1", "help"),
        Binding("enter", "explain"),
        Binding("escape", "back"),
    ]

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        measure: Callable[[], Statistics] = Statistics,
        on_mode: Callable[[Mode], None],
        on_ready: Callable[[], None],
        on_pause: Callable[[], None],
        unwritten: Callable[[], int],
        slow_writes: Callable[[], int],
    ) -> None:
        super().__init__(
            log,
            buffer,
            commands,
            options,
            statistics=statistics,
            measure=measure,
            on_ready=on_ready,
            on_pause=on_pause,
            unwritten=unwritten,
            slow_writes=slow_writes,
        )
        self._buffer = buffer
        self._on_mode = on_mode
        self._reasoning_shown = False

    # Keys: what is shown

    def action_next_mode(self) -> None:
        """The next display mode."""
        self._switch(self._clock.mode.next)

    def action_mode(self, mode: str) -> None:
        """One of the display modes."""
        self._switch(Mode(mode))

    def _switch(self, mode: Mode) -> None:
        self._clock.switch(mode)
        self._wake()
        self._show_headline()
        self._say(f"{mode.value}: {TOLD[mode]}")
        self._on_mode(mode)

    def action_focus_pane(self, step: int) -> None:
        """Give the keys to the next pane, or the one before."""
        self._turn_to((self._here + step) % len(self._panes))

    def action_zoom(self) -> None:
        """Give the whole screen to the pane that has the keys, or take it back."""
        if self._fit.arrangement is not Arrangement.TABS:
            self._zoomed = not self._zoomed
            self._arrange()

    def action_back(self) -> None:
        """Close what is open."""
        if self.searching:
            self.close_search()
        elif self._interjector is not None:
            self._close_interjector()
        elif self._question is not None:
            self._close_question()
        elif not self.refuse_vote() and self._zoomed:
            self.action_zoom()

    def action_reasoning(self) -> None:
        """Show or hide the debaters' thinking."""
        self._reasoning_shown = not self._reasoning_shown
        for pane in self._panes:
            pane.prose.show_reasoning(shown=self._reasoning_shown)
        self._say("Thinking is shown" if self._reasoning_shown else "Thinking is folded")

    # Keys: what is taken along

    async def action_copy_turn(self) -> None:
        """Copy what the debater said last."""
        if text := self._pane.script.answer:
            await self._copy(text)
        else:
            self._say(f"{self._debater} has said nothing yet")

    async def on_text_selected(self) -> None:
        """Copy what was selected with the mouse."""
        if text := self.get_selected_text():
            await self._copy(text)

    async def _copy(self, text: str) -> None:
        from debate_tui.tui.copying import copy

        said, path = await copy(self.app, text, self._options.copies)
        self._say(said, Tone.FINISHED, path=path)

    def action_export(self) -> None:
        """Ask what to export the debate to, as far as it has come, and do it."""
        from debate_tui.domain.exports import FORMS
        from debate_tui.tui.screens.menu import ExportScreen

        def export(place: int | None) -> None:
            if place is not None:
                self.run_worker(self._export(FORMS[place]), name="export")

        self.app.push_screen(ExportScreen(self._glyphs), export)

    async def _export(self, form: Form) -> None:
        from debate_tui.tui.exporting import named, write

        try:
            path = await write(await self._whole(), form, Path.cwd())
        except DebateError as error:
            self._say(error.message, Tone.FAILED)
        else:
            self._say("Wrote ", Tone.FINISHED, path=named(path))

    async def _whole(self) -> Sequence[Event]:
        """The debate as far as there is one."""
        return await self._follower.held()

    # Keys: what is explained

    def action_help(self) -> None:
        """Explain keys and badges."""
        from debate_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs))

    def action_statistics(self) -> None:
        """Show how fast everybody's words come, and what they went through."""
        from debate_tui.tui.screens.statistics import StatisticsScreen

        speakers = [pane.speaker for pane in self._panes]
        self.app.push_screen(
            StatisticsScreen(speakers, self._follower.statistics, self._report, self._glyphs)
        )

    def _report(self) -> Report:
        return self._follower.statistics.report(self._buffer.statistics())

    def action_explain(self) -> None:
        """Show the whole of what is wrong with the debater's stream; in a search, the next match."""
        if self.searching:
            self.action_step(1)
            return
        speaker = self._pane.speaker
        trouble = speaker.fault
        if not self._decisions.ask(speaker.id, self._debater) and trouble is not None:
            from debate_tui.tui.screens.trouble import TroubleScreen

            self.app.push_screen(TroubleScreen(self._debater, trouble, self._glyphs))

    # Keys: what is asked of the debate

    def action_pause_all(self) -> None:
        """Pause everybody, or go on."""
        if commands := self._commanding():
            (commands.resume if self._all_paused else commands.pause)(None)

    def action_pause_one(self) -> None:
        """Pause the debater that has the keys, or go on."""
        if commands := self._commanding():
            speaker = self._pane.speaker
            (commands.resume if speaker.paused else commands.pause)(speaker.id)

    def action_stop_turn(self) -> None:
        """End the debater's turn where it is."""
        if commands := self._commanding():
            commands.stop(self._pane.speaker.id)

    def action_retry_turn(self) -> None:
        """Try the debater's turn again."""
        if commands := self._commanding():
            commands.retry(self._pane.speaker.id)

    # Messages of widgets

    async def on_footer_pressed(self, message: Footer.Pressed) -> None:
        """Do what the key would do."""
        await self.run_action(message.action)

    @property
    def _debater(self) -> str:
        return self._name_of(self._pane.speaker.id)
