"""A debate on the full screen."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from debate_tui.cli.ending import exit_code
from debate_tui.cli.screens import options, remember_mode, remember_theme
from debate_tui.cli.sharing import sharing
from debate_tui.cli.signals import caught
from debate_tui.cli.stage import staged
from debate_tui.display.buffer import SharedBuffer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from debate_tui.cli.plan import Plan
    from debate_tui.cli.signals import Caught
    from debate_tui.cli.stage import Stage
    from debate_tui.display.feed import Item
    from debate_tui.domain.errors import DebateError
    from debate_tui.tui.app import StageApp
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
    settings = plan.settings
    buffer: SharedBuffer[Item] = SharedBuffer(
        [speaker.debater.id for speaker in plan.speakers],
        high=settings.high_mark * KIB,
        low=settings.low_mark * KIB,
        max_chunks=settings.max_chunks,
    )
    app: StageApp | None = None

    def warn(trouble: DebateError) -> None:
        if app is not None:
            app.warn(" ".join(filter(None, (trouble.message, trouble.hint))))

    def progress(what: str, how_far: str) -> None:
        if app is not None:
            app.wait_for(what, how_far)

    async with (
        staged(plan, backpressure=buffer, unattended=False, on_trouble=warn, on_progress=progress) as stage,
        sharing(plan, stage) as plan,
    ):
        ready = asyncio.Event()
        if opened is None:
            from debate_tui.tui.app import DebateApp

            app = _staged(partial(DebateApp, on_theme=remember_theme), plan, stage, buffer, ready)
        else:
            app = opened.app
            app.show(_staged(app.staged, plan, stage, buffer, ready))
        with (
            caught(app.exit, keyboard=0)
            if opened is None
            else contextlib.nullcontext(opened.signal) as signal
        ):
            async with asyncio.TaskGroup() as group:
                session = group.create_task(_hold(stage, ready))
                await (app.run_async() if opened is None else opened.shown)
                buffer.close()
                stage.session.end()
                ready.set()
                await session
    if plan.stats:
        from debate_tui.display.statistics.table import table

        _tell(table(stage.statistics.report(buffer.statistics())))
    if app.return_code:
        return app.return_code
    if signal.number is None and stage.session.transcript.finished == "stopped":
        return 0  # the user left
    return exit_code(stage.session.transcript, stage.session.blocked_by, signal.number)


def _tell(text: str) -> None:
    """Write to the terminal as it is behind the screen, if it is still there."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


async def _hold(stage: Stage, ready: asyncio.Event) -> None:
    """Hold the debate once its first frame is painted."""
    await ready.wait()
    await stage.session.run()


def _staged(
    make: Callable[..., T], plan: Plan, stage: Stage, buffer: SharedBuffer[Item], ready: asyncio.Event
) -> T:
    """What `make` makes to show the debate: an app, or a screen in one."""
    from debate_tui.domain.events import DebaterInfo

    return make(
        stage.log,
        buffer,
        stage.session,
        options(
            plan.settings,
            topic=plan.topic,
            debaters=tuple(
                DebaterInfo(d.id, d.name, d.side, d.source, stage.session.model_of(d.id))
                for d in (speaker.debater for speaker in plan.speakers)
            ),
            format_=plan.format,
            notice=plan.notice,
            votes=bool(plan.judges) or plan.format.outcome in ("swing", "panel"),
            swap=stage.swap,
        ),
        statistics=stage.statistics,
        on_ready=ready.set,
        on_mode=remember_mode,
    )
