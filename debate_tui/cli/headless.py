"""A debate without a screen: as plain text, or as JSON lines."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui.cli.aside import advice, complain, said, say
from debate_tui.cli.ending import complaints, exit_code
from debate_tui.cli.sharing import sharing
from debate_tui.cli.signals import caught
from debate_tui.cli.stage import staged
from debate_tui.display.outlet import Outlet

if TYPE_CHECKING:
    from debate_tui.cli.plan import Plan
    from debate_tui.cli.stage import Stage


async def run(plan: Plan, *, json_lines: bool) -> int:
    """Hold the debate and write it to standard output; returns the exit code."""
    out, err = Outlet.of(sys.stdout), Outlet.of(sys.stderr)

    told = ""

    def progress(what: str, _how_far: str) -> None:
        nonlocal told
        if what not in ("", told):
            say(what)
        told = what

    async with (
        staged(plan, unattended=True, on_trouble=complain, on_progress=progress) as stage,
        sharing(plan, stage) as plan,
    ):
        if plan.shared:
            say(plan.shared)
        with caught(stage.session.end) as signal:
            async with asyncio.TaskGroup() as group:
                group.create_task(_write(plan, stage, out, err, json_lines=json_lines))
                group.create_task(stage.session.run())
    session = stage.session
    code = exit_code(session.transcript, session.blocked_by, signal.number)
    if json_lines and code not in (0, 128 + 2):
        await err.write("".join(map(said, complaints(session.transcript))))
    if session.blocked_by is not None and session.blocked_by.hint:
        await err.write(advice(session.blocked_by.hint))
    if plan.stats:
        from debate_tui.display.statistics.table import table

        await err.write(table(stage.statistics.report()))
    return code


async def _write(plan: Plan, stage: Stage, out: Outlet, err: Outlet, *, json_lines: bool) -> None:
    if json_lines:
        from debate_tui.display.json_lines import write_json_lines

        still_read = await write_json_lines(stage.log.follow(), out)
    else:
        from debate_tui.display.plain import write_plain

        still_read = await write_plain(stage.log.follow(), out, err, notice=plan.notice)
    if not still_read:
        stage.session.end()
