"""A debate on the full screen."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from debate_tui.cli.ending import exit_code
from debate_tui.cli.screens import options, remember_mode, remember_theme
from debate_tui.cli.signals import caught
from debate_tui.cli.stage import staged
from debate_tui.display.buffer import SharedBuffer

if TYPE_CHECKING:
    from debate_tui.cli.plan import Plan
    from debate_tui.cli.stage import Stage
    from debate_tui.display.feed import Item
    from debate_tui.domain.errors import DebateError
    from debate_tui.tui.app import DebateApp

KIB = 1024


async def run(plan: Plan) -> int:
    """Hold the debate on screen until the user leaves it; returns the exit code."""
    settings = plan.settings
    buffer: SharedBuffer[Item] = SharedBuffer(
        [speaker.debater.id for speaker in plan.speakers],
        high=settings.high_mark * KIB,
        low=settings.low_mark * KIB,
        max_chunks=settings.max_chunks,
    )
    app: DebateApp | None = None

    def warn(trouble: DebateError) -> None:
        if app is not None:
            app.warn(" ".join(filter(None, (trouble.message, trouble.hint))))

    def progress(what: str, how_far: str) -> None:
        if app is not None:
            app.wait_for(what, how_far)

    async with staged(
        plan, backpressure=buffer, unattended=False, on_trouble=warn, on_progress=progress
    ) as stage:
        ready = asyncio.Event()
        app = _app(plan, stage, buffer, ready)
        with caught(app.exit, keyboard=0) as signal:
            async with asyncio.TaskGroup() as group:
                session = group.create_task(_hold(stage, ready))
                await app.run_async()
                buffer.close()
                stage.session.end()
                ready.set()
                await session
    if plan.stats:
        from debate_tui.display.statistics.table import table

        _tell(table(stage.statistics.report(buffer.statistics())))
    return app.return_code or exit_code(stage.session.transcript, stage.session.blocked_by, signal.number)


def _tell(text: str) -> None:
    """Write to the terminal as it is behind the screen, if it is still there."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


async def _hold(stage: Stage, ready: asyncio.Event) -> None:
    """Hold the debate once its first frame is painted."""
    await ready.wait()
    await stage.session.run()


def _app(plan: Plan, stage: Stage, buffer: SharedBuffer[Item], ready: asyncio.Event) -> DebateApp:
    from debate_tui.domain.events import DebaterInfo
    from debate_tui.tui.app import DebateApp

    return DebateApp(
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
        on_theme=remember_theme,
    )
