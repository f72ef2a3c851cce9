"""``debate-tui TOPIC``: run a debate on the full screen, as plain text, or as JSON lines."""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.messages import (
    exit_code,
    failure_lines,
    format_hint,
    format_info,
    print_error,
    print_info,
)
from debate_tui.cli.plan import (
    DEMO_SOURCES,
    default_count,
    default_debaters,
    load_settings,
    make_plan,
    remembered_sources,
    unwatched_sources,
)
from debate_tui.cli.terminal import catch_signals
from debate_tui.domain.errors import UsageError
from debate_tui.domain.text import decode_text
from debate_tui.session.commands import EndDebate
from debate_tui.sources.registry import is_model_with_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.cli.plan import Plan
    from debate_tui.cli.wiring import DebateContext
    from debate_tui.config import Settings
    from debate_tui.display.output import OutputWriter


# Debates without a screen.


async def run_headless(plan: Plan, *, json_lines: bool) -> int:
    """Run the debate, write it to standard output, and return the exit code."""
    # Imported here because the full screen loads them only after its first frame.
    from debate_tui.cli.hosting import share_if_planned
    from debate_tui.cli.wiring import open_debate
    from debate_tui.display.output import OUTPUT_TIMEOUT, OutputWriter, finish_writing

    out, err = OutputWriter.for_stream(sys.stdout), OutputWriter.for_stream(sys.stderr, required=False)

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
        with catch_signals(partial(context.session.handle, EndDebate())) as signal:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(_write_output(plan, context, out, err, json_lines=json_lines))
                await context.session.run()
                if signal.number is not None:
                    await finish_writing(writing)
    session = context.session
    code = exit_code(session.transcript, session.fatal_fault, signal.number)
    with suppress(TimeoutError):
        async with asyncio.timeout(OUTPUT_TIMEOUT if signal.number is not None else None):
            await _write_summary(plan, context, err, with_failures=json_lines and code not in (0, 128 + 2))
    return code


async def _write_summary(
    plan: Plan, context: DebateContext, err: OutputWriter, *, with_failures: bool
) -> None:
    session = context.session
    if with_failures:
        await err.write("".join(map(format_info, failure_lines(session.transcript))))
    if session.fatal_fault is not None and session.fatal_fault.hint:
        await err.write(format_hint(session.fatal_fault.hint))
    if plan.stats:
        from debate_tui.display.statistics.formatting import format_table

        await err.write(format_table(context.statistics.report()))


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
        context.session.handle(EndDebate())


# Reading the topic.


MAX_TOPIC_CHARACTERS = 4000
_TOPIC_HINT = 'Name one, such as: debate-tui "Should cities ban cars?"'


def read_topic(argument: str | None, default: str = "") -> str:
    """Return the topic as a single line.

    It comes from `argument`, else from `default` (a debate file's topic), else from standard input. ``-``
    always means standard input. Raise `UsageError` if there is no topic, or if it is longer than
    `MAX_TOPIC_CHARACTERS`.
    """
    if argument == "-" or (argument is None and not default):
        topic = _read_stdin(allow_terminal=argument == "-")
    else:
        topic = default if argument is None else argument
    topic = " ".join(replace_surrogates(topic).split())
    if not topic:
        raise UsageError("The topic is empty.", _TOPIC_HINT)
    if len(topic) > MAX_TOPIC_CHARACTERS:
        raise UsageError(
            f"The topic has more than {MAX_TOPIC_CHARACTERS:,} characters.", "Give the question only."
        )
    return topic


def replace_surrogates(typed: str) -> str:
    """Replace lone surrogates, which stand for invalid UTF-8 on the command line, with ``?``.

    Python cannot encode them when the text is written.
    """
    return typed.encode("utf-8", "replace").decode("utf-8")


def is_topic_missing(argument: str | None, default: str) -> bool:
    """Return whether no topic is given and standard input is a terminal."""
    return argument is None and not default and sys.stdin is not None and sys.stdin.isatty()


def _read_stdin(*, allow_terminal: bool) -> str:
    if sys.stdin is None or (sys.stdin.isatty() and not allow_terminal):
        raise UsageError("There is no topic to debate.", _TOPIC_HINT)
    # A character takes up to four bytes, and so does a byte order mark. Reading one character more than
    # allowed shows whether the limit is exceeded.
    return decode_text(sys.stdin.buffer.read(4 * (MAX_TOPIC_CHARACTERS + 2)), "replace")


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
    """Run a debate with the given options and return the exit code.

    `overrides` are the settings from the command line. `continued` is the id of a recorded debate to resume,
    empty for the latest, or `None` for a new debate. See `Plan` for `stats`, `stream_log_file` and
    `share_address`. Raise `DebateError` if the debate cannot start.
    """
    if debaters:
        overrides["debater"] = [parse_debater_option(text) for text in debaters]
    settings = load_settings(overrides, debate_file=debate_file)
    on_screen = not (plain or json_lines) and terminal.supports_full_screen()
    plan_fields = {"stats": stats, "stream_log_file": stream_log_file, "share_address": share_address}
    if continued is None and on_screen and is_topic_missing(topic, settings.topic):
        from debate_tui.cli import start

        return asyncio.run(start.run_start_screen(settings, chaos=chaos, plan_fields=plan_fields))
    if continued is not None:
        # The first frame of a new debate must not wait for SQLite.
        from debate_tui.cli.continuation import plan_continuation
        from debate_tui.record.stores import open_store

        store = open_store(config.record_file())
        debate_plan = asyncio.run(plan_continuation(store, continued, settings))
    else:
        debate_plan = _plan_topic(topic, settings, on_screen=on_screen, chaos=chaos)
    debate_plan = msgspec.structs.replace(debate_plan, **plan_fields)
    if on_screen:
        from debate_tui.cli import tui_runner

        terminal.reopen_keyboard()
        return asyncio.run(tui_runner.run_fullscreen(debate_plan))

    gc.enable()
    return asyncio.run(run_headless(debate_plan, json_lines=json_lines))


def _plan_topic(topic: str | None, settings: Settings, *, on_screen: bool, chaos: bool) -> Plan:
    resolved_topic = read_topic(topic, settings.topic)
    debater_settings = settings.debater or default_debaters(
        _default_sources(settings, on_screen=on_screen, chaos=chaos), settings
    )
    return make_plan(resolved_topic, debater_settings, settings, chaos=chaos)


def parse_debater_option(text: str) -> dict[str, str]:
    """Parse ``[NAME=]SOURCE`` into a debater's table.

    An equals sign in an address or in parameters does not end a name.
    """
    text = replace_surrogates(text).strip()
    match = _NAMED_SOURCE.fullmatch(text)
    if match is None or is_model_with_parameters(text):
        return {"source": text}
    return {"name": match["name"].strip(), "source": match["source"].strip()}


def _default_sources(settings: config.Settings, *, on_screen: bool, chaos: bool) -> tuple[str, ...]:
    """Return the sources to use when no debater is named: available models, else the demo.

    Without a screen, use no model: nothing is spent unless the user asked for it.
    """
    if chaos:
        return DEMO_SOURCES
    if not on_screen:
        return unwatched_sources()
    from debate_tui.sources.discovery import discover_sources

    return remembered_sources() or discover_sources(count=default_count(settings)) or DEMO_SOURCES
