"""The debate screen: its widgets, its controllers and its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import Reactive, var
from textual.screen import Screen

from debate_tui.display.statistics import Statistics
from debate_tui.domain.events import STEP_PAUSE, DebatePaused, PhaseStarted
from debate_tui.domain.sanitise import one_line
from debate_tui.tui import painter
from debate_tui.tui.key_hints import HintState, debate_hints
from debate_tui.tui.log_follower import LogFollower
from debate_tui.tui.notifications import Notifier
from debate_tui.tui.screens.debate_display import DebateDisplay
from debate_tui.tui.screens.debate_view import DebateView
from debate_tui.tui.screens.editor import EditorController
from debate_tui.tui.screens.export import ExportController
from debate_tui.tui.screens.material import MaterialController
from debate_tui.tui.screens.moderation import ModerationController, PauseController
from debate_tui.tui.screens.search import SearchController
from debate_tui.tui.screens.voting import OutcomeController, VotingController
from debate_tui.tui.widgets.footer import NoticeBar, Notices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.geometry import Size
    from textual.widget import Widget

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.statistics import StatisticsReport
    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.debate_view import Controller, DebateKind
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.pane_grid import PaneGrid
    from debate_tui.tui.widgets.turn_text import TurnText


class DebateScreen(painter.BlankWidget, Screen[None]):
    """A screen for one debate log; `handle` is `None` if the debate takes no commands.

    Without a log, it shows what `options` contain until `attach_log` is called. The screen fills and drains
    `buffer` by itself; code that reads sources only has to await its `wait_for_room`. `on_ready` is called
    once, after the first frame is painted: the time to start the session. Pass `statistics` for a debate that
    runs in this process, whose session updates them; for any other log, the screen measures them as it
    follows the log.

    What keys do is in `controllers`: an action like ``search.open`` belongs to the controller of that name.
    """

    AUTO_FOCUS = None
    KIND: ClassVar[DebateKind] = "debate"
    HELP_TOPIC: ClassVar[str] = "debate"
    RESERVED_ROWS: ClassVar[int] = 0
    """Rows between the panes and the footer that are always in use."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "display.next_mode"),
        Binding("1", "display.set_mode('synchronized')"),
        Binding("2", "display.set_mode('staggered')"),
        Binding("3", "display.set_mode('hybrid')"),
        Binding("t", "display.toggle_reasoning"),
        Binding("tab", "panes.select_next(1)"),
        Binding("shift+tab", "panes.select_next(-1)"),
        Binding("z", "panes.zoom"),
        Binding("left_square_bracket", "panes.jump_turn(-1)"),
        Binding("right_square_bracket", "panes.jump_turn(1)"),
        Binding("S", "panes.toggle_scrolling"),
        Binding("space", "pausing.toggle_all"),
        Binding("p", "pausing.toggle_pane"),
        Binding("w", "pausing.toggle_step"),
        Binding("x", "moderation.stop_turn"),
        Binding("r", "moderation.retry_turn"),
        Binding("i", "moderation.interject"),
        Binding("M", "moderation.open_menu"),
        Binding("v", "voting.open"),
        Binding("J", "outcome.judge"),
        Binding("c", "material.toggle"),
        Binding("slash", "search.open", priority=True),
        Binding("n", "search.next(1)"),
        Binding("N,shift+enter", "search.next(-1)"),
        Binding("y", "exports.copy_turn"),
        Binding("Y", "exports.copy_debate"),
        Binding("e", "exports.open_menu"),
        Binding("s", "statistics"),
        Binding("enter", "enter"),
        Binding("escape", "back"),
    ]

    # Textual (8.2) would repaint the whole screen on focus changes, which is not needed: widgets that change
    # with the focus repaint themselves. Removable once its reactive does not repaint.
    focused: Reactive[Widget | None] = var(None, init=False)

    class Ready(Message):
        """Posted after the first frame is painted and `on_ready` was called."""

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        make_statistics: Callable[[], Statistics] = Statistics,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._log = log
        self._buffer = buffer
        self._on_ready = on_ready
        self._is_styled = False
        self._notices = Notices(lasting=options.notice)
        self._follower = LogFollower(
            buffer,
            statistics=statistics,
            make_statistics=make_statistics,
            on_debate_event=self._queue_event,
            on_active_change=lambda: self.debate_display.frame_loop.wake(),
        )
        self.view = DebateView(
            self, self._follower, buffer.panes, handle, options, kind=self.KIND, hints=self._hints
        )
        self.debate_display = DebateDisplay(self.view, buffer)
        self.material = MaterialController(self.view)
        self.search = SearchController(self.view, self.material)
        self.moderation = ModerationController(self.view)
        self.pausing = PauseController(self.view, self.moderation.fault_decisions)
        self.exports = ExportController(self.view, self.read_events)
        self.outcome = OutcomeController(self.view, self.read_events, self.exports.action_open_menu)
        self.voting = VotingController(self.view, self.outcome)
        self.editor = EditorController(self.view, Notifier(self.view))
        self.controllers = self._name_controllers()
        self.debate_display.bars.append(self.voting.bar)
        self._notice_bar = NoticeBar(self.view.glyphs, self.dismiss_notices)
        self.set_class(options.ascii, "-ascii")

    def _name_controllers(self) -> dict[str, Controller | PaneGrid]:
        return {
            "display": self.debate_display,
            "panes": self.view.panes,
            "material": self.material,
            "editor": self.editor,
            "search": self.search,
            "moderation": self.moderation,
            "voting": self.voting,
            "outcome": self.outcome,
            "pausing": self.pausing,
            "exports": self.exports,
        }

    # Life cycle

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom, laid out for the terminal's size from the first frame on."""
        self._fit_to(self.app.size)
        yield self.debate_display.header
        if self.view.panes.tabs.display:
            yield self.view.panes.tabs
        yield self.view.panes
        yield self._notice_bar
        yield from self.debate_display.bars
        yield self.view.footer

    async def on_mount(self) -> None:
        """Follow the log, if there is one, and start painting it."""
        self.view.panes.focus_current()
        if self._log is not None:
            await self._follower.open(self._log)
        self.debate_display.start()
        self.call_after_refresh(self._report_ready)

    def _report_ready(self) -> None:
        if self._on_ready is not None:
            self._on_ready()
        self.post_message(self.Ready())

    async def attach_log(self, log: ReadableLog) -> None:
        """Show this debate on a screen built without a log; can be called from any task."""
        await self._follower.open(log)

    def on_unmount(self) -> None:
        self._follower.close()

    def update_node_styles(self, animate: bool = True) -> None:
        """Update all styles, except on the first call: every widget was styled when it was mounted.

        Textual (8.2) repeats that when a screen is first shown, which would delay the first frame. Removable
        once it does not.
        """
        if self._is_styled:
            super().update_node_styles(animate)
        self._is_styled = True

    def on_resize(self, event: Resize) -> None:
        """Rearrange the panes if the terminal's new size requires it."""
        self._fit_to(event.size)

    def _fit_to(self, size: Size) -> None:
        self.view.panes.fit_to(size, self.RESERVED_ROWS)
        self._show_notices(size.width)
        self.view.update_hints()

    # Notices

    def warn(self, text: str) -> None:
        """Show a problem above the footer until an empty text removes it; can be called from any task."""

        def show() -> None:
            self._notices.warning = text
            self._show_notices(self.size.width)

        self.call_later(show)

    def show_wait_notice(self, reason: str, progress: str = "") -> None:
        """Show above the footer what the debate is waiting for; can be called from any task.

        An empty `reason` removes the notice.
        """

        def show() -> None:
            self._notices.waiting = (
                f"{reason} {self.view.glyphs.separator} {progress}" if progress else reason
            )
            self._show_notices(self.size.width)

        self.call_later(show)

    def _show_notices(self, width: int) -> None:
        too_small = self.view.panes.too_small_message if self._notices.shows_size else ""
        lasting = () if too_small else (self.view.options.sharing_notice, self._notices.lasting)
        notices = (too_small or self._notices.waiting or self._notices.warning, *lasting)
        dismissible = (too_small, self._notices.warning, self._notices.lasting)
        self._notice_bar.dismissible = any(notice and notice in notices for notice in dismissible)
        self._notice_bar.update("\n".join(filter(None, notices)), width)

    def dismiss_notices(self) -> bool:
        """Remove the notices the user can do without; return whether there were any."""
        if not self._notice_bar.dismissible:
            return False
        self._notices.warning = self._notices.lasting = ""
        self._notices.shows_size = False
        self._show_notices(self.size.width)
        return True

    # The debate

    def _queue_event(self, event: Event) -> None:
        """Queue an event; the log's writer calls this from a task without an active app."""
        self.call_next(self._apply_event, event)

    def _apply_event(self, event: Event) -> None:
        self.debate_display.apply(event)
        self.moderation.fault_decisions.apply(event)
        self.voting.apply(event)
        self.editor.notifier.apply(event)
        if isinstance(event, DebatePaused) and not event.debater and event.reason not in ("user", STEP_PAUSE):
            self.warn(one_line(event.reason))  # a limit that blocks further turns
        if isinstance(event, PhaseStarted) and len(self.view.transcript.steps) > 1:
            self._notices.lasting, self._notices.shows_size = "", False
            self._show_notices(self.size.width)
        self.view.update_hints()

    async def read_events(self) -> Sequence[Event]:
        """Return all events of the debate so far."""
        return await self._follower.read_all()

    def statistics_report(self) -> StatisticsReport:
        """Return the current statistics of all streams."""
        return self._follower.statistics.report(self._buffer.statistics())

    # Hints

    def _hints(self) -> Sequence[KeyHint]:
        """Return the hints for the keys that do something now."""
        return (
            self.editor.hints()
            or self.search.hints()
            or self.moderation.hints()
            or self.material.hints()
            or self.debate_hints(self._hint_state())
        )

    def debate_hints(self, state: HintState) -> tuple[KeyHint, ...]:
        """Return the hints while no input is open."""
        return debate_hints(state)

    def _hint_state(self) -> HintState:
        view, current = self.view, self.view.panes.current
        return HintState(
            takes_commands=view.handle is not None,
            undecided=view.debater_name(self.moderation.fault_decisions.next_debater or ""),
            can_pause=self.pausing.can_pause,
            resumes_all=self.pausing.resumes_all,
            resumes_pane=self.pausing.resumes_pane,
            is_over=view.is_over,
            is_judging=view.phase_progress.is_judging,
            is_zoomed=view.panes.is_zoomed,
            scrolls_together=view.panes.scrolls_together,
            has_failed=bool(current.state.problem),
            has_reasoning=current.content.has_reasoning,
            has_material=bool(view.transcript.material),
            has_verdict=bool(view.transcript.verdicts),
            is_asking=self.voting.is_asking,
            can_judge=view.options.ending is not None,
            is_between_rounds=self.pausing.is_between_rounds,
            waits_between_rounds=self.pausing.waits_between_rounds,
            can_write=self.editor.can_enter,
        )

    # Keys

    def action_back(self) -> None:
        """Leave the editor, or close what is open: search, input, question, material, zoom, or notices."""
        if (
            self.editor.leave()
            or self.search.close()
            or self.moderation.close()
            or self.voting.decline()
            or self.material.close()
        ):
            return
        if self.view.panes.is_zoomed:
            self.view.panes.action_zoom()
        else:
            self.dismiss_notices()

    def action_enter(self) -> None:
        """Ask for the decision after a fault, go to the editor, or show the current debater's error.

        While searching, go to the next match instead.
        """
        if self.search.is_open:
            self.search.action_next(1)
            return
        debater = self.view.panes.current.state
        if self.moderation.fault_decisions.ask() or self.editor.enter():
            return
        if debater.fault is not None:
            from debate_tui.tui.screens.dialogs import FaultScreen

            name = self.view.debater_name(debater.id)
            self.app.push_screen(FaultScreen(name, debater.fault, self.view.glyphs))

    def action_statistics(self) -> None:
        """Show the stream statistics."""
        from debate_tui.tui.screens.statistics import StatisticsScreen

        self.app.push_screen(StatisticsScreen(self.statistics_report, self.view.glyphs))

    # Messages from widgets

    async def on_text_selected(self) -> None:
        if text := self.get_selected_text():
            await self.exports.copy(text)

    def on_turn_text_search_progress(self, message: TurnText.SearchProgress) -> None:
        self.search.update_progress(message.turn_text, done=message.done)
