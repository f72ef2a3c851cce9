"""A debate without a screen: as plain text, or as JSON lines."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui.cli.aside import format_hint, format_info, print_error, print_info
from debate_tui.cli.ending import exit_code, failure_lines
from debate_tui.cli.sharing import share_if_planned
from debate_tui.cli.signals import catch_signals
from debate_tui.cli.stage import open_debate
from debate_tui.display.output import OutputWriter

if TYPE_CHECKING:
    from debate_tui.cli.plan import Plan
    from debate_tui.cli.stage import DebateContext


async def run_headless(plan: Plan, *, json_lines: bool) -> int:
    """Hold the debate and write it to standard output; returns the exit code."""
    out, err = OutputWriter.for_stream(sys.stdout), OutputWriter.for_stream(sys.stderr)

    last_message = ""

    def progress(what: str, _how_far: str) -> None:
        nonlocal last_message
        if what not in ("", last_message):
            print_info(what)
        last_message = what

    async with (
        open_debate(plan, unattended=True, on_error=print_error, on_progress=progress) as context,
        share_if_planned(plan, context) as plan,
    ):
        if plan.sharing_notice:
            print_info(plan.sharing_notice)
        with catch_signals(context.session.end) as signal:
            async with asyncio.TaskGroup() as group:
                group.create_task(_write_output(plan, context, out, err, json_lines=json_lines))
                group.create_task(context.session.run())
    session = context.session
    code = exit_code(session.transcript, session.fatal_fault, signal.number)
    if json_lines and code not in (0, 128 + 2):
        await err.write("".join(map(format_info, failure_lines(session.transcript))))
    if session.fatal_fault is not None and session.fatal_fault.hint:
        await err.write(format_hint(session.fatal_fault.hint))
    if plan.stats:
        from debate_tui.display.statistics.formatting import format_table

        await err.write(format_table(context.statistics.report()))
    return code


async def _write_output(
    plan: Plan, context: DebateContext, out: OutputWriter, err: OutputWriter, *, json_lines: bool
) -> None:
    if json_lines:
        from debate_tui.display.json_lines import write_json_lines

        output_open = await write_json_lines(context.log.follow(), out)
    else:
        from debate_tui.display.plain import write_plain

        output_open = await write_plain(context.log.follow(), out, err, notice=plan.notice)
    if not output_open:
        context.session.end()
