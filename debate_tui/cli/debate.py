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
from debate_tui.cli.plan import default_debaters, make_plan

if TYPE_CHECKING:
    from pathlib import Path

_NAMED_SOURCE = re.compile(r"(?P<name>[^=:/]*)=(?P<source>.*)")


def run_debate(
    topic: str | None,
    debaters: tuple[str, ...],
    overrides: dict[str, object],
    *,
    debate_file: Path | None,
    plain: bool,
    json_lines: bool,
    chaos: bool,
    continued: str | None,
    stats: bool,
    stream_log_file: Path | None,
    share_address: str = "",
) -> int:
    """Hold the debate that was asked for; `overrides` are the settings that were typed.

    `continued` is the id of a recorded debate to take up instead, empty for the newest; for `stats`,
    `stream_log_file` and `share_address` see `Plan`. Returns the exit code; raises `DebateError` for whatever
    makes a debate impossible.
    """
    if debaters:
        overrides["debater"] = [parse_debater_option(text) for text in debaters]
    settings = config.load_settings(overrides, debate_file=debate_file)
    on_screen = not (plain or json_lines) and terminal.supports_full_screen()
    plan_fields = {"stats": stats, "stream_log_file": stream_log_file, "share_address": share_address}
    if continued is None and on_screen and topics.is_topic_missing(topic, settings.topic):
        from debate_tui.cli import starting

        return asyncio.run(starting.run_start_screen(settings, chaos=chaos, plan_fields=plan_fields))
    if continued is not None:
        from debate_tui.cli.continuing import plan_continuation

        debate_plan = plan_continuation(continued, settings)
    else:
        resolved_topic = topics.read_topic(topic, settings.topic)
        debater_settings = settings.debater or default_debaters(
            _default_sources(on_screen=on_screen and not chaos), settings
        )
        debate_plan = make_plan(resolved_topic, debater_settings, settings, chaos=chaos)
    debate_plan = msgspec.structs.replace(debate_plan, **plan_fields)
    if on_screen:
        from debate_tui.cli import fullscreen

        terminal.reopen_keyboard()
        return asyncio.run(fullscreen.run_fullscreen(debate_plan))
    from debate_tui.cli import headless

    gc.enable()
    return asyncio.run(headless.run_headless(debate_plan, json_lines=json_lines))


def parse_debater_option(text: str) -> dict[str, str]:
    """``[NAME=]SOURCE`` as a debater's table; an address may have equals signs of its own."""
    text = topics.replace_surrogates(text).strip()
    match = _NAMED_SOURCE.fullmatch(text)
    if match is None:
        return {"source": text}
    return {"name": match["name"].strip(), "source": match["source"].strip()}


def _default_sources(*, on_screen: bool) -> tuple[str, ...]:
    """Debaters for who named none: models at hand, else the demo; nothing is spent where nobody watches."""
    sources: tuple[str, ...] = ()
    if on_screen:
        from debate_tui.sources.discovery import discover_sources

        sources = _remembered_sources() or discover_sources()
    return sources or ("demo", "demo")


def _remembered_sources() -> tuple[str, ...]:
    """The debaters of the last start screen, if they can still debate."""
    if not config.load_remembered().debaters:
        return ()
    from debate_tui.cli import lineup

    return lineup.remembered_sources()
