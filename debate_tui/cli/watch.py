"""``debate-tui watch URL``: a debate that somebody else hosts."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.aside import say
from debate_tui.cli.signals import caught
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateStarted
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.session.mirror import Mirror
from debate_tui.sources.hosted import Hosted
from debate_tui.sources.http import Clients

if TYPE_CHECKING:
    from debate_tui.config import Settings
    from debate_tui.display.feed import Item
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import Event


def watch(url: str, *, token: str, plain: bool, json_lines: bool) -> int:
    """Watch a hosted debate until it ends or the user leaves; returns the exit code."""
    settings = config.load({})
    on_screen = not (plain or json_lines) and terminal.fits_full_screen()
    return asyncio.run(_watch(url, token, settings, on_screen=on_screen, json_lines=json_lines))


async def _watch(url: str, token: str, settings: Settings, *, on_screen: bool, json_lines: bool) -> int:
    clients = Clients(connect_timeout=settings.recovery.connect_timeout)
    try:
        mirror = Mirror(Hosted(url, clients=clients, token=token), settings.recovery)
        await _first(mirror)
        if on_screen:
            return await _on_screen(mirror, settings)
        return await _in_a_pipe(mirror, json_lines=json_lines)
    finally:
        await clients.aclose()


async def _first(mirror: Mirror) -> None:
    try:
        await mirror.first()
    except Fault as fault:
        if fault.kind is FaultKind.AUTH:
            fault.hint = "Set DEBATE_TUI_WATCH_TOKEN to the viewers' token of that host."
        raise


async def _on_screen(mirror: Mirror, settings: Settings) -> int:
    from debate_tui.cli.screens import options, remember_mode, remember_theme
    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.tui.app import DebateApp
    from debate_tui.tui.screens.watch import WatchScreen

    (started, *_) = await mirror.read()
    debaters = started.debaters if isinstance(started, DebateStarted) else ()
    topic = started.topic if isinstance(started, DebateStarted) else ""
    buffer: SharedBuffer[Item] = SharedBuffer([debater.id for debater in debaters])
    app = DebateApp(
        mirror,
        buffer,
        None,
        options(settings, topic=topic, debaters=debaters, format_=_format(started)),
        on_mode=remember_mode,
        on_theme=remember_theme,
        screen=WatchScreen,
    )
    with caught(app.exit, keyboard=0) as signal:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(mirror.run())
            await app.run_async()
            following.cancel()
    return app.return_code or (0 if signal.number is None else 128 + signal.number)


def _format(started: Event) -> Format | None:
    """The format a debate says it is held by, if there is one of that name here: no host tells more of it."""
    name = started.format if isinstance(started, DebateStarted) else ""
    try:
        return config.find_format(name) if name in config.format_names() else None
    except DebateError:
        return None


async def _in_a_pipe(mirror: Mirror, *, json_lines: bool) -> int:
    from debate_tui.display.outlet import Outlet

    out, err = Outlet.of(sys.stdout), Outlet.of(sys.stderr)

    mirror.on_line = lambda text: say(text) if text else None
    following: asyncio.Task[None] | None = None

    def leave() -> None:
        if following is not None:
            following.cancel()

    with caught(leave) as signal:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_follow(mirror))
            if json_lines:
                from debate_tui.display.json_lines import write_json_lines

                await write_json_lines(mirror.follow(), out)
            else:
                from debate_tui.display.plain import write_plain

                await write_plain(mirror.follow(), out, err)
            following.cancel()
    return 0 if signal.number is None else 128 + signal.number


async def _follow(mirror: Mirror) -> None:
    try:
        await mirror.run()
    finally:
        await mirror.aclose()
