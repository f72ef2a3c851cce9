"""``debate-tui TOPIC``: from what was typed to a debate on screen, as plain text, or as JSON lines."""

from __future__ import annotations

import asyncio
import gc
import re
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli import topic as topics
from debate_tui.cli.plan import plan, unnamed

if TYPE_CHECKING:
    from pathlib import Path

_NAMED = re.compile(r"(?P<name>[^=:/]*)=(?P<source>.*)")


def hold(
    topic: str | None,
    debaters: tuple[str, ...],
    options: dict[str, object],
    *,
    debate_file: Path | None,
    plain: bool,
    json_lines: bool,
    chaos: bool,
    continued: str | None,
    stats: bool,
    journal: Path | None,
    share: str = "",
) -> int:
    """Hold the debate that was asked for; `options` are the settings that were typed.

    `continued` is the id of a recorded debate to take up instead, empty for the newest; for `stats`,
    `journal` and `share` see `Plan`. Returns the exit code; raises `DebateError` for whatever makes a debate
    impossible.
    """
    if debaters:
        options["debater"] = [seat(text) for text in debaters]
    settings = config.load(options, debate_file=debate_file)
    on_screen = not (plain or json_lines) and terminal.fits_full_screen()
    more = {"stats": stats, "journal": journal, "share": share}
    if continued is None and on_screen and topics.is_open(topic, settings.topic):
        from debate_tui.cli import starting

        return asyncio.run(starting.run(settings, chaos=chaos, more=more))
    if continued is not None:
        from debate_tui.cli.continuing import taken_up

        planned = taken_up(continued, settings)
    else:
        question = topics.read(topic, settings.topic)
        seats = settings.debater or unnamed(_found(on_screen=on_screen and not chaos), settings)
        planned = plan(question, seats, settings, chaos=chaos)
    planned = msgspec.structs.replace(planned, **more)
    if on_screen:
        from debate_tui.cli import fullscreen

        terminal.take_keyboard_back()
        return asyncio.run(fullscreen.run(planned))
    from debate_tui.cli import headless

    gc.enable()
    return asyncio.run(headless.run(planned, json_lines=json_lines))


def seat(text: str) -> dict[str, str]:
    """``[NAME=]SOURCE`` as a debater's table; an address may have equals signs of its own."""
    text = topics.writable(text).strip()
    named = _NAMED.fullmatch(text)
    if named is None:
        return {"source": text}
    return {"name": named["name"].strip(), "source": named["source"].strip()}


def _found(*, on_screen: bool) -> tuple[str, ...]:
    """Debaters for who named none: models at hand, else the demo; nothing is spent where nobody watches."""
    sources: tuple[str, ...] = ()
    if on_screen:
        from debate_tui.sources.discovery import at_hand

        sources = _chosen_last() or at_hand()
    return sources or ("demo", "demo")


def _chosen_last() -> tuple[str, ...]:
    """The debaters of the last start screen, if they can still debate."""
    if not config.remembered().debaters:
        return ()
    from debate_tui.cli import lineup

    return lineup.remembered()
