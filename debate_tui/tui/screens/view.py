"""A debate log on screen: header, panes and footer, and what is painted in them when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.reactive import Reactive, var
from textual.screen import Screen

from debate_tui.display import markdown
from debate_tui.display.modes import FrameClock
from debate_tui.display.statistics import Statistics
from debate_tui.domain.events import DebateFinished, DebatePaused, DebateResumed, DebaterInfo, PhaseStarted
from debate_tui.domain.sanitise import one_line
from debate_tui.tui import compositing
from debate_tui.tui.agenda import Agenda
from debate_tui.tui.arrangement import Arrangement, Fit, fit
from debate_tui.tui.course import Course
from debate_tui.tui.follower import Follower
from debate_tui.tui.glyphs import ASCII, UNICODE
from debate_tui.tui.hints import hints
from debate_tui.tui.pulse import Pulse
from debate_tui.tui.screens.decisions import Decisions
from debate_tui.tui.speaker import Speaker
from debate_tui.tui.thrift import Thrift
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.footer import Footer, Hint
from debate_tui.tui.widgets.header import Header
from debate_tui.tui.widgets.notice import Notice
from debate_tui.tui.widgets.pane import MAX_NAME, Pane, Panes
from debate_tui.tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Resize
    from textual.geometry import Size
    from textual.widget import Widget

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.widgets.header import Headline

ASIDE_SECONDS = 4.0
"""How long the footer says what was just done."""


class DebateView(compositing.BlankWidget, Screen[None]):
    """Shows one debate log; `commands` is `None` where the debate takes none.

    Without a log it shows what the options say, until `attach` brings one.

    `on_ready` is called when the first frame is painted, `on_pause` between two rounds, when nothing streams.
    `unwritten` says how many writes the terminal has not yet taken, `slow_writes` how many it took slowly.
    """

    AUTO_FOCUS = None

    # Textual would paint the whole screen anew; whatever looks different with the keys says so itself.
    focused: Reactive[Widget | None] = var(None, init=False)

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        measure: Callable[[], Statistics] = Statistics,
        on_ready: Callable[[], None],
        on_pause: Callable[[], None],
        unwritten: Callable[[], int],
        slow_writes: Callable[[], int],
    ) -> None:
        super().__init__()
        self._styled = False
        self._on_pause = on_pause
        self._unwritten = unwritten
        self._slow_writes = slow_writes
        self._log = log
        self._commands = commands
        self._options = options
        self._on_ready = on_ready
        self._glyphs = ASCII if options.ascii else UNICODE
        self._follower = Follower(
            buffer,
            statistics=statistics,
            measure=measure,
            on_debate=self._hear,
            on_active=self._wake,
        )
        self._agenda = Agenda(self._follower.transcript, options.format)
        self._clock = FrameClock(options.mode, window=options.window_ms / 1000)
        self._pulse = Pulse(
            buffer, self._clock, self, on_frame=lambda spent: self._follower.statistics.painted(spent)
        )
        known = {info.id: info for info in options.debaters}
        self._panes = [
            Pane(
                Speaker(known.get(name) or DebaterInfo(name, name, "", "", ""), self._follower),
                self._follower.transcript,
                self._glyphs,
                markdown.ASCII if options.ascii else markdown.UNICODE,
                self._agenda.title,
            )
            for name in buffer.panes
        ]
        self._by_debater = {pane.speaker.id: pane for pane in self._panes}
        self._header = Header(self._glyphs)
        self._tabs = Tabs(self._panes, self._glyphs)
        self._grid = Panes(*self._panes, id="panes")
        self._notice = Notice(self._glyphs)
        self._footer = Footer(self._glyphs)
        self._fit = Fit(Arrangement.COLUMNS, len(self._panes))
        self._width = 0
        self._here = 0
        self._zoomed = False
        self._warning = ""
        self._waiting = ""
        self.set_class(options.ascii, "-ascii")
        self._aside_until = 0.0
        self._decisions = Decisions(self, commands, self._glyphs)
        self._course = Course(self._follower, self._agenda, options.topic, self._glyphs)
        self._thrift = Thrift()

    # What is on the screen

    def compose(self) -> ComposeResult:
        """From top to bottom, arranged for the terminal's size from the first frame on."""
        self._fit_into(self.app.size)
        yield self._header
        if self._tabs.display:
            yield self._tabs
        yield self._grid
        yield self._notice
        yield self._footer

    async def on_mount(self) -> None:
        """Follow the log, if there is one, and paint what comes of it."""
        self._focus_here()
        if self._log is not None:
            await self._follower.open(self._log)
        self.tick(time.monotonic())
        self.run_worker(self._pulse.run(), name="pulse")
        self.call_after_refresh(self._on_ready)

    async def attach(self, log: ReadableLog) -> None:
        """Show this debate from now on; for a screen that was made without one, from any task."""
        await self._follower.open(log)

    def update_node_styles(self, animate: bool = True) -> None:
        """Style all there is anew, but for the first time: each widget was styled when it was mounted.

        Textual (8.2) does it all once more when a screen is first shown, which its first frame waits for.
        """
        if self._styled:
            super().update_node_styles(animate)
        self._styled = True

    def on_unmount(self) -> None:
        """Follow the log no longer."""
        self._follower.close()

    def on_resize(self, event: Resize) -> None:
        """Arrange the panes anew where the terminal's size asks for it."""
        self._fit_into(event.size)

    def _fit_into(self, size: Size) -> None:
        self._width = size.width
        self._fit = fit(len(self._panes), *size, self._glyphs.times)
        self._arrange()

    def _arrange(self) -> None:
        """Show the panes that fit, or the one with the keys if it is zoomed or only tabs fit."""
        tabs = self._fit.arrangement is Arrangement.TABS
        single = self._zoomed or tabs
        columns = 1 if single else self._fit.columns
        self._grid.styles.grid_size_columns = columns
        self._tabs.display = tabs
        self.call_later(self._mount_tabs)
        for place, pane in enumerate(self._panes):
            last_and_odd = not single and place == len(self._panes) - 1 and len(self._panes) % columns == 1
            pane.styles.column_span = columns if last_and_odd and columns > 1 else 1
            pane.place(
                shown=not single or place == self._here,
                beside=not single and place % columns > 0,
                below=not single and place >= columns,
                compact=self._fit.compact and not self._zoomed,
            )
        passing = self._fit.needs or self._waiting or self._warning
        lasting = () if self._fit.needs else (self._options.shared, self._options.notice)
        self._notice.say("\n".join(filter(None, (passing, *lasting))), self._width)
        self._tabs.sync()
        self._show_hints()

    def _mount_tabs(self) -> None:
        """Make room for the tabs once they are needed, which in most terminals is never."""
        if self._tabs.display and not self._tabs.is_attached:
            self.mount(self._tabs, after=self._header)

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong with the program's own files."""
        self._warning = text
        self._arrange()

    def wait_for(self, what: str, how_far: str) -> None:
        """Say above the footer what the debate waits for; nothing, once it waits no more."""
        self._waiting = f"{what} {self._glyphs.between} {how_far}" if how_far else what
        self._arrange()

    # What the pulse asks for

    @property
    def active(self) -> int:
        """How many streams are connected or streaming."""
        return self._follower.active

    @property
    def backlog(self) -> bool:
        """Whether the terminal has not yet taken all of the last frame."""
        return self._unwritten() > 0

    def frame(self) -> AbstractContextManager[None]:
        """Paint all that is changed within as one frame, at its end."""
        return compositing.frame(self)

    def release(self, due: Mapping[str, Sequence[Item]]) -> None:
        """Paint what panes have been waiting for, all of it in one frame."""
        now = time.monotonic()
        self._pace(now)
        with compositing.frame(self):
            for debater, items in due.items():
                self._by_debater[debater].apply(items, now)
            self._tabs.sync()

    def tick(self, now: float) -> None:
        """Look again at what changes with time: clock, countdowns, meters."""
        with compositing.frame(self):
            if self._aside_until and now >= self._aside_until:
                self._say("")
            self._pace(now)
            for pane in self._panes:
                pane.tick()
            self._tabs.sync()
            self._show_headline()
            self._show_hints()

    def _pace(self, now: float) -> None:
        self._thrift.look(now, self._slow_writes())
        self._thrift.pace([pane.prose for pane in self._panes], now, streaming=self.active > 0)

    def drain(self) -> None:
        """Paint everything that is pending."""
        self._pulse.drain()

    async def begin_anew(self) -> None:
        """Show what the log holds now, which has taken back what came last; the screen changes once."""
        held = await self._follower.held()
        self.clear_selection()
        with compositing.frame(self):
            for pane in self._panes:
                pane.clear()
            self._follower.restart(held)
            self._pulse.drain()
            for pane in self._panes:
                pane.prose.flush()
            self.tick(time.monotonic())

    # What the debate tells

    def _hear(self, event: Event) -> None:
        """Called by whoever writes the log, from a task that knows of no app."""
        self.call_next(self._take, event)

    def _take(self, event: Event) -> None:
        self._course.see(event)
        steps = self._follower.transcript.steps
        if isinstance(event, PhaseStarted) and len(steps) > 1 and event == steps[-1]:
            self._on_pause()
        if isinstance(event, DebatePaused | DebateResumed):
            self._clock.flush()
            self._decisions.take(event, self._name_of(event.debater))
            if isinstance(event, DebatePaused) and event.debater is None and event.reason != "user":
                self.warn(one_line(event.reason))  # a limit that no further turn may pass
            now = time.monotonic()
            for pane in self._panes:
                pane.speaker.apply(event, now)
                pane.tick()
        elif isinstance(event, DebateFinished):
            self.drain()  # the last words, before the header says that there are no more
        self._wake()
        self._show_headline()
        self._show_hints()

    def _wake(self) -> None:
        self._pulse.wake()

    def _show_headline(self) -> None:
        self._header.show(self._headline())

    def _headline(self) -> Headline:
        return self._course.headline(self._clock.mode.value, paused=self._all_paused)

    @property
    def _all_paused(self) -> bool:
        return all(pane.speaker.paused for pane in self._panes)

    @property
    def _pane(self) -> Pane:
        """The pane that has the keys."""
        return self._panes[self._here]

    def _show_hints(self) -> None:
        self._footer.show(self._hints())

    def _hints(self) -> tuple[Hint, ...]:
        """The keys that do something now."""
        return hints(
            paused=self.resumes_all,
            pane_paused=self.resumes_one,
            zoomed=self._zoomed,
            reasoning=self._pane.script.has_reasoning,
            finished=self._follower.transcript.finished is not None,
            commands=self._commands is not None,
            pausing=self.can_pause,
            failed=bool(self._pane.speaker.trouble),
            verdict=self.verdict_key,
            judging=self._agenda.judging,
        )

    @property
    def can_pause(self) -> bool:
        """Whether debaters can be paused."""
        return self._commands is not None

    @property
    def resumes_all(self) -> bool:
        """Whether the key that pauses all would let them go on now."""
        return self._all_paused

    @property
    def resumes_one(self) -> bool:
        """The same of the key for one pane."""
        return self._pane.speaker.held_alone

    @property
    def verdict_key(self) -> str:
        """What ``v`` does now, for the footer; empty where it does nothing."""
        return ""

    def _say(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        self._aside_until = time.monotonic() + ASIDE_SECONDS if text else 0.0
        self._footer.say(text, tone, path=path)
        self._wake()

    # Which pane has the keys

    def on_tabs_chosen(self, message: Tabs.Chosen) -> None:
        """Show that pane."""
        self._turn_to(message.place)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember which pane has the keys, however it got them."""
        if event.widget is not self.focused:
            return  # the keys have gone on to another pane since
        for place, pane in enumerate(self._panes):
            if place != self._here and pane in event.widget.ancestors:
                self._turn_to(place)

    def _turn_to(self, place: int) -> None:
        if place != self._here:
            self._here = place
            if self._zoomed or self._fit.arrangement is Arrangement.TABS:
                self._arrange()
        self._focus_here()
        self._show_hints()

    def _focus_here(self) -> None:
        with compositing.frame(self):
            for pane in self._panes:
                pane.light(on=pane is self._pane)
        self.set_focus(self._pane.prose, scroll_visible=False)

    def _name_of(self, debater: str | None) -> str:
        pane = self._by_debater.get(debater or "")
        return one_line(pane.speaker.info.name, MAX_NAME) if pane is not None else ""
