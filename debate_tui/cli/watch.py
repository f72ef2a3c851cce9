"""``debate-tui watch URL``: watch a debate hosted elsewhere."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.format_files import find_format, format_names
from debate_tui.cli.messages import print_info
from debate_tui.cli.terminal import catch_signals
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateStarted
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.session.remote_log import RemoteLog
from debate_tui.sources.http import HttpClients
from debate_tui.sources.remote_debate import RemoteDebate

if TYPE_CHECKING:
    from debate_tui.config import Settings
    from debate_tui.domain.debate import Format


def watch_debate(url: str, *, token: str, plain: bool, json_lines: bool) -> int:
    """Watch a hosted debate until it ends or the user leaves; return the exit code."""
    settings = config.load_settings({})
    on_screen = not (plain or json_lines) and terminal.supports_full_screen()
    return asyncio.run(_watch_until_closed(url, token, settings, on_screen=on_screen, json_lines=json_lines))


async def _watch_until_closed(
    url: str, token: str, settings: Settings, *, on_screen: bool, json_lines: bool
) -> int:
    clients = HttpClients(connect_timeout=settings.recovery.connect_timeout)
    try:
        log = RemoteLog(RemoteDebate(url, clients=clients, token=token), settings.recovery)
        await _wait_for_first_event(log)
        if on_screen:
            return await _watch_fullscreen(log, settings)
        return await _watch_headless(log, json_lines=json_lines)
    finally:
        await clients.aclose()


async def _wait_for_first_event(log: RemoteLog) -> None:
    try:
        await log.wait_for_first_event()
    except Fault as fault:
        if fault.kind is FaultKind.AUTH:
            fault.hint = "Set DEBATE_TUI_WATCH_TOKEN to the host's viewer token."
        raise


async def _watch_fullscreen(log: RemoteLog, settings: Settings) -> int:
    from debate_tui.cli.tui_runner import show_log
    from debate_tui.tui.screens.watch import WatchScreen

    (first, *_) = await log.read()
    started = first if isinstance(first, DebateStarted) else None
    return await show_log(log, WatchScreen, settings, started, _find_format(started))


def _find_format(started: DebateStarted | None) -> Format | None:
    """Return the local format with the debate's format name, if any: hosts send only the name."""
    name = started.format if started else ""
    try:
        return find_format(name) if name in format_names() else None
    except DebateError:
        return None


async def _watch_headless(log: RemoteLog, *, json_lines: bool) -> int:
    from debate_tui.display.output import OUTPUT_TIMEOUT, OutputWriter

    out, err = OutputWriter.for_stream(sys.stdout), OutputWriter.for_stream(sys.stderr, required=False)

    log.on_connection_notice = lambda text: print_info(text) if text else None
    tasks: list[asyncio.Task[None]] = []

    def stop_following() -> None:
        for task in tasks[:1]:
            task.cancel()
        for task in tasks[1:]:  # the reader of the output may have stopped reading
            asyncio.get_running_loop().call_later(OUTPUT_TIMEOUT, task.cancel)

    async def write_output() -> None:
        if json_lines:
            from debate_tui.display.json_lines import write_json_lines

            await write_json_lines(log.follow(), out)
        else:
            await terminal.write_plain(log.follow(), out, err)
        tasks[0].cancel()

    with catch_signals(stop_following) as signal:
        async with asyncio.TaskGroup() as group:
            tasks += group.create_task(_run_log(log)), group.create_task(write_output())
    return signal.exit_code


async def _run_log(log: RemoteLog) -> None:
    try:
        await log.run()
    finally:
        await log.aclose()
