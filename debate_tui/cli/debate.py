"""``debate-tui TOPIC``: run a debate on the full screen, as plain text, or as JSON lines."""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from contextlib import suppress
from functools import partial
from signal import SIGINT
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.default_debaters import default_debaters, default_sources
from debate_tui.cli.messages import (
    EXIT_OK,
    exit_code,
    failure_lines,
    format_hint,
    format_info,
    print_error,
    print_info,
)
from debate_tui.cli.plan import check_without_screen, load_settings, make_plan
from debate_tui.cli.terminal import catch_signals
from debate_tui.domain.errors import UsageError
from debate_tui.domain.text import decode_text
from debate_tui.session.commands import EndDebate
from debate_tui.sources.registry import is_model_with_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.cli.plan import Plan, RunOptions
    from debate_tui.cli.wiring import DebateContext
    from debate_tui.display.output import OutputWriter


# Debates without a screen


async def run_headless(plan: Plan) -> int:
    """Run the debate, write it to standard output, and return the exit code."""
    # Imported here because the full screen loads them only after its first frame.
    from debate_tui.cli.hosting import share_if_asked
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
        share_if_asked(context, plan.options.share_address) as sharing_notice,
    ):
        if sharing_notice:
            print_info(sharing_notice)
        session = context.session
        with catch_signals(partial(session.handle, EndDebate())) as signal:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(_write_output(plan, context, out, err))
                await session.run()
                if signal.number is not None:
                    await finish_writing(writing)
    code = exit_code(session.transcript, session.fatal_fault, signal)
    with suppress(TimeoutError):
        async with asyncio.timeout(OUTPUT_TIMEOUT if signal.number is not None else None):
            await err.write(_format_summary(plan, context, code))
    return code


def _format_summary(plan: Plan, context: DebateContext, code: int) -> str:
    """Return what is printed to standard error after the debate."""
    session, summary = context.session, ""
    if plan.options.json_lines and code not in (EXIT_OK, 128 + SIGINT):
        summary += "".join(map(format_info, failure_lines(session.transcript)))
    if session.fatal_fault is not None:
        summary += format_hint(session.fatal_fault.hint)
    if plan.options.stats:
        from debate_tui.display.statistics.table import format_table

        summary += format_table(context.statistics.report())
    return summary


async def _write_output(plan: Plan, context: DebateContext, out: OutputWriter, err: OutputWriter) -> None:
    if plan.options.json_lines:
        from debate_tui.display.json_lines import write_json_lines

        output_open = await write_json_lines(context.log.follow(), out)
    else:
        output_open = await terminal.write_plain(context.log.follow(), out, err, notice=plan.notice)
    if not output_open:
        context.session.handle(EndDebate())


# Reading the topic

MAX_TOPIC_CHARACTERS = 4000
_TOPIC_HINT = 'Enter one, such as: debate-tui "Should cities ban cars?"'


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
            f"The topic has more than {MAX_TOPIC_CHARACTERS:,} characters.",
            "Shorten it.",
        )
    return topic


def check_standard_input(argument: str | None, default: str, options: RunOptions) -> None:
    """Raise `UsageError` if standard input is needed twice; `argument` and `default` as in `read_topic`."""
    places = (*options.context, *(place for _, place in options.context_for))
    is_topic = argument == "-" or (argument is None and not default)
    if "-" in places and places.count("-") + is_topic > 1:
        raise UsageError(
            "Standard input can be read only once, as the topic or as material.",
            "Give the topic as an argument, and '-' once: debate-tui TOPIC --context -",
        )


def with_material(plan: Plan, *, on_screen: bool = False) -> Plan:
    """Return the plan with its material read, and print what is sent with every request.

    On the full screen, a notice repeats it. The material of a recorded debate is not read again.
    """
    is_new = not plan.past_events
    if not (is_new and plan.asks_for_material) and not plan.material:
        return plan
    from debate_tui.cli.material import add_material, add_notice, print_material

    if is_new:
        plan = add_material(plan)
    print_material(plan)
    return add_notice(plan) if on_screen else plan


def replace_surrogates(typed: str) -> str:
    """Replace lone surrogates, which stand for invalid UTF-8 on the command line, with ``?``.

    Python cannot encode them when the text is written.
    """
    return typed.encode("utf-8", "replace").decode("utf-8")


def _read_stdin(*, allow_terminal: bool) -> str:
    if sys.stdin is None or (sys.stdin.isatty() and not allow_terminal):
        raise UsageError("No topic was given.", _TOPIC_HINT)
    # A character takes up to four bytes, and so does a byte order mark. Reading one character more than
    # allowed shows whether the limit is exceeded.
    return decode_text(sys.stdin.buffer.read(4 * (MAX_TOPIC_CHARACTERS + 2)), "replace")


# Starting a debate, on the full screen or without one


def run_debate(
    topic: str | None,
    debaters: tuple[str, ...],
    overrides: dict[str, object],
    options: RunOptions,
    *,
    debate_file: Path | None,
    continued: str | None,
) -> int:
    """Run a debate and return the exit code.

    `overrides` are the settings from the command line. `continued` is the id of a recorded debate to resume,
    empty for the latest, or `None` for a new debate. Raise `DebateError` if the debate cannot start.
    """
    if debaters:
        overrides["debater"] = [parse_debater_option(text) for text in debaters]
    settings = load_settings(overrides, debate_file=debate_file)
    on_screen = not (options.plain or options.json_lines) and terminal.supports_full_screen()
    if options.context or options.context_for:
        check_standard_input(topic, settings.topic, options)
    if continued is not None:
        plan = msgspec.structs.replace(_load_continuation(continued, settings), options=options)
    elif on_screen and topic is None and not settings.topic and sys.stdin is not None and sys.stdin.isatty():
        from debate_tui.cli import start

        return asyncio.run(start.run_start_screen(settings, options))
    else:
        topic = read_topic(topic, settings.topic)
        seats = default_debaters(settings, default_sources(settings, options, on_screen=on_screen))
        plan = make_plan(topic, seats, settings, options)
    if not on_screen:
        check_without_screen(plan)
    plan = with_material(plan, on_screen=on_screen)
    if on_screen:
        from debate_tui.cli import tui_runner

        terminal.reopen_keyboard()
        return asyncio.run(tui_runner.run_fullscreen(plan))

    gc.enable()
    return asyncio.run(run_headless(plan))


def _load_continuation(debate: str, settings: config.Settings) -> Plan:
    """Return the plan for the rest of a recorded debate."""
    # The first frame of a new debate must not wait for SQLite.
    from debate_tui.cli.continuation import plan_continuation
    from debate_tui.record.stores import open_store

    return asyncio.run(plan_continuation(open_store(config.record_file()), debate, settings))


_NAMED_SOURCE = re.compile(r"(?P<name>[^=:/]*)=(?P<source>.*)")


def parse_debater_option(text: str) -> dict[str, str]:
    """Parse ``[NAME=]SOURCE`` into a debater's table.

    An equals sign in an address or in parameters does not end a name.
    """
    text = replace_surrogates(text).strip()
    match = _NAMED_SOURCE.fullmatch(text)
    if match is None or is_model_with_parameters(text):
        return {"source": text}
    return {"name": match["name"].strip(), "source": match["source"].strip()}
