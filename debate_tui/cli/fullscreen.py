"""A debate on the full screen."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from debate_tui.cli.ending import exit_code
from debate_tui.cli.forthcoming import Forthcoming
from debate_tui.cli.screens import options, remember_mode, remember_theme
from debate_tui.cli.signals import caught
from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.statistics import Statistics
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebaterInfo
from debate_tui.tui.app import DebateApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from debate_tui.cli.plan import Plan
    from debate_tui.cli.signals import Caught
    from debate_tui.cli.stage import Stage
    from debate_tui.display.feed import Item
    from debate_tui.tui.app import StageApp
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.start import StartApp

T = TypeVar("T")

KIB = 1024


class Opened(NamedTuple):
    """An app that is on the screen already, until `shown` is done, and what catches its signals."""

    app: StartApp
    shown: Awaitable[None]
    signal: Caught


async def run(plan: Plan, opened: Opened | None = None) -> int:
    """Hold the debate on screen until the user leaves it; returns the exit code.

    It takes the place of what an `opened` app shows. Raises `DebateError` where it cannot be begun.
    """
    show = _Show(plan)
    if opened is None and not plan.past and not plan.share:
        await show.alone()
    else:
        # What may well be refused is made ready before anything of it is seen.
        async with show.staged() as stage:
            await show.alone(stage) if opened is None else await show.within(opened, stage)
    if plan.stats:
        from debate_tui.display.statistics.table import table

        _tell(table(show.statistics.report(show.buffer.statistics())))
    return show.exit_code()


class _Show:
    """One debate, what it is shown with, and, once that is made ready, what it is held with."""

    def __init__(self, plan: Plan) -> None:
        settings = plan.settings
        self.statistics = Statistics()
        self.buffer: SharedBuffer[Item] = SharedBuffer(
            [speaker.debater.id for speaker in plan.speakers],
            high=settings.high_mark * KIB,
            low=settings.low_mark * KIB,
            max_chunks=settings.max_chunks,
        )
        self._plan = plan
        self._commands = Forthcoming()
        self._app: StageApp | None = None
        self._stage: Stage | None = None
        self._refused: DebateError | None = None
        self._signal: Caught | None = None
        self._ready = asyncio.Event()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def staged(self) -> AsyncIterator[Stage]:
        """Make the debate ready to be held; imports what that takes, which no first frame waits for."""
        await asyncio.to_thread(import_module, "debate_tui.cli.stage")
        from debate_tui.cli.sharing import sharing
        from debate_tui.cli.stage import staged

        async with (
            staged(
                self._plan,
                backpressure=self.buffer,
                unattended=False,
                on_trouble=self._warn,
                on_progress=self._wait_for,
                statistics=self.statistics,
            ) as stage,
            sharing(self._plan, stage) as self._plan,
        ):
            self._stage = stage
            yield stage

    async def alone(self, stage: Stage | None = None) -> None:
        """Show it in an app of its own; without a `stage`, that is made ready behind the first frame."""
        make = partial(DebateApp, on_theme=remember_theme)
        if self._plan.shared:
            _tell(f"debate-tui: {self._plan.shared}\n")  # to be copied from the terminal when it is back
        self._app = app = self._made(make, stage)
        with caught(app.exit, keyboard=0) as self._signal:
            await self._until_left(app.run_async(), stage)

    async def within(self, opened: Opened, stage: Stage) -> None:
        """Show it in an app that is on the screen already."""
        self._app, self._signal = opened.app, opened.signal
        opened.app.show(self._made(opened.app.staged, stage))
        await self._until_left(opened.shown, stage)

    async def _until_left(self, shown: Awaitable[None], stage: Stage | None) -> None:
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(self._hold(stage) if stage is not None else self._hold_late())
            await shown
            self.buffer.close()
            self._left.set()
            self._ready.set()
            if self._stage is not None:
                self._stage.session.end()
            await holding
        if self._refused is not None:
            raise self._refused

    async def _hold_late(self) -> None:
        await self._ready.wait()
        app = self._app
        if app is None or self._left.is_set():
            return
        try:
            async with self.staged() as stage:
                await app.attach(stage.log)
                self._commands.wait_for(stage.session, stage.log)
                await self._hold(stage)
        except DebateError as error:
            self._refused = error
            app.exit()

    async def _hold(self, stage: Stage) -> None:
        """Hold the debate once its first frame is painted; keep what it is held with until it is left."""
        await self._ready.wait()
        if self._left.is_set():
            stage.session.end()
        await stage.session.run()
        await self._left.wait()

    def _made(self, make: Callable[..., T], stage: Stage | None) -> T:
        """What `make` makes to show the debate: an app, or a screen in one."""
        return make(
            stage.log if stage else None,
            self.buffer,
            stage.session if stage else self._commands,
            self._options(),
            statistics=self.statistics,
            on_ready=self._ready.set,
            on_mode=remember_mode,
        )

    def _options(self) -> ScreenOptions:
        plan = self._plan
        return options(
            plan.settings,
            topic=plan.topic,
            debaters=tuple(
                DebaterInfo(d.id, d.name, d.side, d.source, speaker.specification.model)
                for speaker in plan.speakers
                for d in (speaker.debater,)
            ),
            format_=plan.format,
            notice=plan.notice,
            shared=plan.shared,
            votes=bool(plan.judges) or plan.format.outcome in ("swing", "panel"),
            swap=self._swap,
        )

    async def _swap(self, debater: str, source: str) -> None:
        if self._stage is not None:
            await self._stage.swap(debater, source)

    def _warn(self, trouble: DebateError) -> None:
        if self._app is not None:
            self._app.warn(" ".join(filter(None, (trouble.message, trouble.hint))))

    def _wait_for(self, what: str, how_far: str) -> None:
        if self._app is not None:
            self._app.wait_for(what, how_far)

    def exit_code(self) -> int:
        """What the shell is told, once it has been left."""
        number = self._signal.number if self._signal is not None else None
        if self._app is not None and self._app.return_code:
            return self._app.return_code
        session = self._stage.session if self._stage is not None else None
        if session is None or (number is None and session.transcript.finished == "stopped"):
            return 0 if number is None else 128 + number  # the user left
        return exit_code(session.transcript, session.blocked_by, number)


def _tell(text: str) -> None:
    """Write to the terminal as it is behind the screen, if it is still there."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
