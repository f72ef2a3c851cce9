"""Run a debate on the full screen."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from debate_tui import config
from debate_tui.cli.judges import parse_judging
from debate_tui.cli.messages import exit_code, print_info, write_stderr
from debate_tui.cli.plan import default_judge
from debate_tui.cli.terminal import CaughtSignal, catch_signals
from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.display_modes import DisplayMode
from debate_tui.display.statistics import Statistics
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateStarted
from debate_tui.session.commands import EndDebate, Reveal
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screen_options import EndingOptions, ScreenOptions
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from debate_tui.cli.plan import Plan
    from debate_tui.cli.wiring import DebateContext
    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import DebaterInfo, Event
    from debate_tui.domain.material import Material
    from debate_tui.domain.stream import Source, TurnRequest
    from debate_tui.record.log import ReadableLog
    from debate_tui.record.player import Player
    from debate_tui.session.commands import Command, CommandHandler, SourceSwap
    from debate_tui.session.remote_log import RemoteLog
    from debate_tui.sources.person import TurnDraft
    from debate_tui.tui.app import BaseDebateApp, StartApp
    from debate_tui.tui.screen_options import NextDebate


# Commands to a debate that is still being prepared


class CommandQueue:
    """Commands are queued here until the debate starts, so that no key press is lost, then passed on."""

    def __init__(self) -> None:
        self._handle_now: CommandHandler | None = None
        self._queue: list[Command] = []

    def handle(self, command: Command) -> None:
        """Queue the command, or pass it on if the debate has started."""
        if self._handle_now is None:
            self._queue.append(command)
        else:
            self._handle_now(command)

    def start_on_first_event(self, handle: CommandHandler, log: ReadableLog) -> None:
        """Pass all commands on to `handle` from the next event of `log` on."""

        def start() -> None:
            self._handle_now = handle
            for command in self._queue:
                handle(command)

        def handle_first_event(_: Event) -> None:
            unsubscribe()
            # Later, so that all subscribers get the first event before the commands take effect.
            asyncio.get_running_loop().call_soon(start)

        unsubscribe = log.subscribe(handle_first_event)


# Options of the screens, and choices remembered for the next run


def make_screen_options(
    settings: config.Settings,
    *,
    topic: str = "",
    debaters: tuple[DebaterInfo, ...] = (),
    format_: Format | None = None,
    judges: tuple[str, ...] = (),
    notice: str = "",
    sharing_notice: str = "",
    asks_for_votes: bool = False,
    ending: EndingOptions | None = None,
    swap_source: SourceSwap | None = None,
    read_setup: Callable[[], str] | None = None,
) -> ScreenOptions:
    """Return a screen's options; those about the debate are what is known before its first event."""
    return ScreenOptions(
        mode=DisplayMode(settings.mode),
        window_ms=settings.window,
        theme=settings.theme,
        ascii=settings.ascii,
        topic=topic,
        debaters=debaters,
        format=format_,
        judges=judges,
        notice=notice,
        sharing_notice=sharing_notice,
        step=settings.step,
        notify=settings.notify,
        asks_for_votes=asks_for_votes,
        ending=ending,
        swap_source=swap_source,
        read_setup=read_setup,
        user_themes=config.config_folder() / "themes",
        clipboard_file=config.state_file().with_name("copied.txt"),
        on_mode=_remember_mode,
        on_theme=_remember_theme,
    )


def _remember_mode(mode: DisplayMode) -> None:
    """Save the display mode for the next run."""
    config.save_remembered(mode=mode.value)


def _remember_theme(theme: str) -> None:
    """Save the theme for the next run."""
    config.save_remembered(theme=theme)


# A log that takes no commands: a replay, or a debate hosted elsewhere


async def show_log(
    log: Player | RemoteLog,
    screen: Callable[..., DebateScreen],
    settings: config.Settings,
    started: DebateStarted | None,
    format_: Format | None,
    *,
    setup: str = "",
) -> int:
    """Run `log` and show it on a screen until the user leaves; return the exit code.

    `started` is its first event, `format_` the debate's format, and `setup` what is stored with it, if known.
    """
    debaters = started.debaters if started else ()
    buffer: SharedBuffer[PaneItem] = SharedBuffer([debater.id for debater in debaters])
    topic = started.topic if started else ""
    options = make_screen_options(
        settings,
        topic=topic,
        debaters=debaters,
        format_=format_,
        read_setup=(lambda: setup) if setup else None,
    )
    first_frame_painted = asyncio.Event()
    app = DebateApp(screen(log, buffer, options, on_ready=first_frame_painted.set))

    async def run_log() -> None:
        await first_frame_painted.wait()
        await log.run()

    with catch_signals(app.exit, terminal_fd=0) as signal:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(run_log())
            await app.run_async()
            task.cancel()
    return signal.exit_code or app.return_code or 0


async def play_fullscreen(
    events: Sequence[Event],
    settings: config.Settings,
    *,
    material: Sequence[Material] = (),
    speed: float = 1.0,
    from_round: int | None = None,
    from_end: bool = False,
    setup: str = "",
) -> int:
    """Play a debate on the full screen until the user leaves, and return the exit code.

    With `from_end`, the whole debate is shown at once. `material` and `setup` are what is stored with it, if
    known. Raise `UsageError` if there is no round `from_round`.
    """
    # Imported here because the first frame of a debate must not wait for them.
    from debate_tui.cli.continuation import decode_format
    from debate_tui.record.player import Player
    from debate_tui.tui.screens.replay import ReplayScreen

    player = Player(events, material=material, speed=speed)
    if from_round is not None:
        player.seek_round(from_round)
    elif from_end:
        player.seek(player.playhead.length)
    started = next((event for event in events if isinstance(event, DebateStarted)), None)
    return await show_log(player, ReplayScreen, settings, started, decode_format(setup), setup=setup)


# A debate of this process


KIB = 1024


class RunningApp(NamedTuple):
    """An app that is already running, until `closed` is done, and the signal caught for it."""

    app: StartApp
    closed: Awaitable[None]
    signal: CaughtSignal


async def run_fullscreen(plan: Plan, running_app: RunningApp | None = None) -> int:
    """Run the debate on the full screen until the user leaves, and return the exit code.

    Use the screen of `running_app` if there is one. At the end, the user may choose to replay the debate, or
    to start it again. Raise `DebateError` if the debate cannot start.
    """
    debate = _FullscreenDebate(plan)
    async with AsyncExitStack() as stack:
        if running_app is not None or plan.past_events or plan.options.share_address:
            # Resuming and sharing often fail, so prepare them before showing a screen.
            await debate.prepare(stack)
        screen = debate.make_screen()
        app: BaseDebateApp
        if running_app is not None:
            app, closed, signal = running_app
            running_app.app.show_debate(screen)
        else:
            if debate.sharing_notice:
                print_info(debate.sharing_notice)  # can be copied from the terminal after the debate
            app = DebateApp(screen)
            closed, signal = app.run_async(), stack.enter_context(catch_signals(app.exit, terminal_fd=0))
        await debate.run_until(closed, stack)
    if plan.options.stats:
        from debate_tui.display.statistics.table import format_table

        write_stderr(format_table(debate.statistics.report(debate.buffer.statistics())))
    if signal.number is None:
        debate.print_commands()
    code = app.return_code or debate.exit_code(signal)
    if signal.number is None and debate.next == "again":
        from debate_tui.cli.plan import swap_sides

        return await run_fullscreen(swap_sides(plan))
    if signal.number is None and debate.next == "replay":
        from debate_tui.cli.continuation import encode_setup

        replay = play_fullscreen(
            debate.events, plan.settings, material=plan.material, setup=encode_setup(plan)
        )
        return await replay or code
    return code


class _FullscreenDebate:
    """One debate on the full screen: its buffer, statistics and screen, and its context once prepared."""

    def __init__(self, plan: Plan) -> None:
        settings = plan.settings
        self.statistics = Statistics()
        self.buffer: SharedBuffer[PaneItem] = SharedBuffer(
            [speaker.debater.id for speaker in plan.debaters],
            high_watermark=settings.high_mark * KIB,
            low_watermark=settings.low_mark * KIB,
            max_pending_items=settings.max_chunks,
        )
        self._plan = plan
        self._commands = CommandQueue()
        self._screen: DebateScreen | None = None
        self._context: DebateContext | None = None
        self.sharing_notice = ""
        self._start_error: DebateError | None = None
        self.next: NextDebate | None = None
        self.events: list[Event] = []
        self._first_frame_painted = asyncio.Event()
        self._closed = asyncio.Event()

    async def prepare(self, stack: AsyncExitStack) -> DebateContext:
        """Prepare the debate until `stack` is closed."""
        # Imported here and in a thread so that neither the first frame nor the keyboard waits for them.
        await asyncio.to_thread(import_module, "debate_tui.cli.wiring")
        from debate_tui.cli.hosting import share_if_asked
        from debate_tui.cli.wiring import open_debate

        self._context = context = await stack.enter_async_context(
            open_debate(
                self._plan,
                backpressure=self.buffer,
                unattended=False,
                on_error=self._warn,
                on_progress=self._show_progress,
                statistics=self.statistics,
                make_person=self._make_person,
            )
        )
        sharing = share_if_asked(context, self._plan.options.share_address)
        self.sharing_notice = await stack.enter_async_context(sharing)
        self._commands.start_on_first_event(context.session.handle, context.log)
        return context

    def make_screen(self) -> DebateScreen:
        """Make the debate's screen; if the debate is not prepared yet, its log is attached later."""
        self._screen = DebateScreen(
            self._context.log if self._context else None,
            self.buffer,
            self._commands.handle,
            self._screen_options(),
            statistics=self.statistics,
            on_ready=self._first_frame_painted.set,
        )
        return self._screen

    async def run_until(self, closed: Awaitable[None], stack: AsyncExitStack) -> None:
        """Run the debate after the first frame, until the screen is closed; see `prepare` for `stack`."""
        async with asyncio.TaskGroup() as group:
            session_task = group.create_task(self._run_session(stack))
            await closed
            self.buffer.close()
            self._closed.set()
            self._first_frame_painted.set()
            if self._context is not None:
                self._context.session.handle(EndDebate())
            await session_task
            if self._context is not None:
                self._context.session.handle(Reveal())  # the user left without a vote
        if self.next == "replay" and self._context is not None:
            self.events = [event async for batch in self._context.log.follow() for event in batch]
        if self._start_error is not None:
            raise self._start_error

    async def _run_session(self, stack: AsyncExitStack) -> None:
        await self._first_frame_painted.wait()
        if self._screen is None or (self._context is None and self._closed.is_set()):
            return
        try:
            if self._context is None:
                context = await self.prepare(stack)
                await self._screen.attach_log(context.log)
            else:
                context = self._context
            if self._closed.is_set():
                context.session.handle(EndDebate())
            await context.session.run()
            if context.session.transcript.finish_reason == "complete":
                from debate_tui.record.stores import remove_drafts

                remove_drafts(config.record_file(), context.session.spec.debate)
        except DebateError as error:
            self._start_error = error
            self._screen.app.exit()

    def _screen_options(self) -> ScreenOptions:
        plan = self._plan
        return make_screen_options(
            plan.settings,
            topic=plan.topic,
            debaters=plan.shown_infos,
            format_=plan.format,
            judges=tuple(judge.public_name for judge in plan.judges),
            notice=plan.notice,
            sharing_notice=self.sharing_notice,
            asks_for_votes=any(phase.instruction for phase in plan.format.phases),
            ending=EndingOptions(
                judge=self._judge,
                check_judge=parse_judging,
                default_judge=default_judge(plan),
                leave_for=self._leave_for,
            ),
            swap_source=self._swap_source,
            read_setup=self._read_setup,
        )

    def _read_setup(self) -> str:
        from debate_tui.cli.continuation import encode_setup

        return encode_setup(self._plan)

    async def _judge(self, source: str) -> None:
        if self._context is not None:
            await self._context.judge(source)

    def _leave_for(self, next_: NextDebate) -> None:
        self.next = next_
        if self._screen is not None:
            self._screen.app.exit()

    async def _swap_source(self, debater: str, source: str) -> None:
        if self._context is not None:
            await self._context.swap_source(debater, source)

    def _make_person(self, debater: str) -> Source:
        from debate_tui.sources.person import PersonSource

        return PersonSource(debater, self._write_turn, self._open_draft)

    async def _write_turn(self, debater: str, request: TurnRequest, draft: TurnDraft) -> str:
        assert self._screen is not None
        return await self._screen.editor.write_turn(debater, request, draft)

    def _open_draft(self, turn: int) -> TurnDraft:
        from debate_tui.record.stores import draft_file
        from debate_tui.sources.person import TurnDraft

        if self._context is None or not self._plan.settings.record:
            return TurnDraft()
        file = draft_file(config.record_file(), self._context.session.spec.debate, turn)
        return TurnDraft(file, config.write_private_file)

    def _warn(self, error: DebateError) -> None:
        if self._screen is not None:
            self._screen.warn(" ".join(filter(None, (error.message, error.hint))))

    def _show_progress(self, task: str, progress: str) -> None:
        if self._screen is not None:
            self._screen.show_wait_notice(task, progress)

    def print_commands(self) -> None:
        """Print the id of the recorded debate, and the commands to read, resume and export it."""
        if self._context is None or not self._plan.settings.record or not self._context.log.durable_seq:
            return
        session = self._context.session
        debate = session.spec.debate
        parts = [f"Debate {debate}", f"read: debate-tui history {debate}"]
        if session.transcript.finish_reason != "complete":
            parts.append(f"resume: debate-tui --continue {debate}")
        print(*parts, f"export: debate-tui export {debate}", sep=" | ")

    def exit_code(self, signal: CaughtSignal) -> int:
        """Return the exit code after the user has left, or `signal` has ended the program."""
        session = self._context.session if self._context is not None else None
        user_left = signal.number is None and session and session.transcript.finish_reason == "stopped"
        if session is None or user_left:
            return signal.exit_code
        return exit_code(session.transcript, session.fatal_fault, signal)
