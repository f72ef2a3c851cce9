"""The entry point: report every error in a line or two on stderr, and set the exit code."""

from __future__ import annotations

import difflib
import gc
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from debate_tui.cli.messages import print_error
from debate_tui.cli.options import COMMAND_NAMES, COMPLETION_VARIABLE, HELP_OPTIONS, debate, invoke_command
from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        _open_streams()
        code = run_command(sys.argv[1:])
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 0  # no one reads the output any more: not an error
    except Exception as error:  # noqa: BLE001 (the last handler)
        debate_error = _to_debate_error(error)
        print_error(debate_error)
        code = debate_error.exit_code
    sys.exit(_flush_streams(code if isinstance(code, int) else 0))


# Standard streams, each of which may be closed, full, or a pipe without a reader.


def _open_streams() -> None:
    """Open the null device for each closed standard stream, before another file gets its descriptor.

    Raise `DebateError` if standard output is closed.
    """
    is_closed = sys.stdout is None
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 (open until exit)
    known = sys.stdout or sys.stderr
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_StandardOutput(1, "w", closefd=False)),
        known.encoding,
        "replace" if known.errors == "strict" else known.errors,  # a terminal may lack a character
        line_buffering=bool(known.line_buffering),
    )
    if is_closed:
        raise DebateError("Standard output is closed.")


class _StandardOutput(io.FileIO):
    """Standard output that raises write errors as `DebateError`, except for a broken pipe."""

    # The type stubs give the parameter a private type for buffers.
    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            _redirect_to_null(1)  # report only once: Python flushes again at exit
            raise DebateError(f"Cannot write the output: {error.strerror or error}.") from error


def _redirect_to_null(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def _flush_streams(code: int) -> int:
    """Flush both outputs, so that Python reports no error at exit, and return the exit code."""
    try:
        sys.stdout.flush()
    except DebateError as error:
        print_error(error)
        code = code or error.exit_code
    except BrokenPipeError:
        pass
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _redirect_to_null(stream.fileno())
    return code


def _to_debate_error(error: Exception) -> DebateError:
    """Return the error to print; for an unexpected one, it names the file with the details."""
    match error:
        case DebateError():
            return error
        case click.ClickException():
            return UsageError(_click_message(error), _click_hint(error))
        case ExceptionGroup():
            expected, unexpected = error.split(DebateError)
            if unexpected is None and expected is not None:
                return _to_debate_error(expected.exceptions[0])
    return _unexpected_error(error)


_CLICK_WORDS = {
    "a valid integer range": "a whole number",
    "a valid integer": "a whole number",
    "a valid float range": "a number",
    "a valid float": "a number",
}


def _click_message(error: click.ClickException) -> str:
    """Return what is wrong, in the wording of all other errors."""
    if isinstance(error, click.NoSuchOption):
        return f"No option is named '{error.option_name}'."
    message = error.format_message()
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Argument):
        message = error.message or message
    if message.startswith("Got unexpected extra argument"):
        message = f"Unexpected words: {message.partition('(')[2].rstrip(')')}"
    for words, plain_words in _CLICK_WORDS.items():
        message = message.replace(words, plain_words)
    return message if message.endswith(".") else f"{message}."


def _click_hint(error: click.ClickException) -> str:
    close: Sequence[str] = ()
    match error:
        case click.NoSuchOption(possibilities=[_, *_] as close):
            pass
        case click.BadParameter(param=click.Parameter(type=click.Choice(choices=choices))) if error.message:
            close = difflib.get_close_matches(error.message.split("'")[1], choices, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See '{context.command_path if context else 'debate-tui'} --help'."


def _unexpected_error(error: Exception) -> DebateError:
    import traceback

    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]

    from debate_tui.config import state_file, write_private_file
    from debate_tui.domain.sanitise import redact, secret_variables

    report = state_file().with_name("crash.txt")
    secrets = secret_variables(os.environ)
    try:
        details = redact("".join(traceback.format_exception(error)), *secrets)
        write_private_file(report, details.encode("utf-8", "backslashreplace"))
    except OSError:
        hint = redact("".join(traceback.format_exception_only(error)), *secrets)
    else:
        hint = f"Please report this. The details are in {report}."
    return DebateError(f"Unexpected error: {type(error).__name__}.", hint)


def run_command(arguments: Sequence[str]) -> object:
    """Run the command named by the first argument, or a debate if it is not a command name."""
    if (instruction := os.environ.get(COMPLETION_VARIABLE)) is not None:
        from debate_tui.cli.completion import print_completions
        from debate_tui.cli.subcommands import COMMANDS

        print_completions(instruction, debate, COMMANDS, HELP_OPTIONS)
        return 0
    if not arguments or arguments[0] not in COMMAND_NAMES:
        return invoke_command(debate, "debate-tui", arguments)
    # Imported here so that starting a debate does not wait for the other commands' options.
    from debate_tui.cli.subcommands import COMMANDS

    gc.enable()
    name, *rest = arguments
    try:
        return invoke_command(COMMANDS[name], f"debate-tui {name}", rest)
    except click.UsageError as error:
        if len(rest) > 1 and not any(argument.startswith("-") for argument in rest):
            raise UsageError(
                _click_message(error),
                f"To debate a topic that begins with '{name}', quote it or put -- before it.",
            ) from None
        raise
