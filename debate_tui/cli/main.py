"""The outermost edge: whatever goes wrong becomes a line or two on stderr and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import click

from debate_tui.cli.messages import print_error
from debate_tui.cli.options import debate
from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = run_command(sys.argv[1:])
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # Whoever read our output has gone, and with it the reason to run. Python would complain once more
        # when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:  # noqa: BLE001 (the outermost edge)
        debate_error = _to_debate_error(error)
        print_error(debate_error)
        code = debate_error.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _to_debate_error(error: Exception) -> DebateError:
    """What to tell the user; for what nobody foresaw, where its details are."""
    match error:
        case DebateError():
            return error
        case click.NoSuchOption(possibilities=[_, *_] as close):
            # Its `format_message` has the possibilities in it.
            return UsageError(error.message, f"Did you mean {' or '.join(sorted(close))}?")
        case click.ClickException():
            return UsageError(error.format_message(), "debate-tui --help lists what there is.")
        case ExceptionGroup():
            expected, unexpected = error.split(DebateError)
            if unexpected is None and expected is not None:
                return _to_debate_error(expected.exceptions[0])
    return _unexpected_error(error)


def _unexpected_error(error: Exception) -> DebateError:
    import traceback

    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]

    from debate_tui.config import state_file

    report = state_file().with_name("crash.txt")
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
    except OSError:
        hint = "".join(traceback.format_exception_only(error))
    else:
        hint = f"The details are in {report}; please report them."
    return DebateError(f"This should not have happened: {type(error).__name__}.", hint)


COMMAND_NAMES = ("doctor", "export", "formats", "history", "replay", "serve", "watch")
"""Words that are no topic: see `subcommands`."""


def run_command(arguments: Sequence[str]) -> object:
    """Run the command that `arguments` name; what is not a command's name is a topic."""
    command: click.Command = debate
    name = "debate-tui"
    if arguments and arguments[0] in COMMAND_NAMES:
        # With all their options, nobody who only wants a debate should wait for them.
        from debate_tui.cli.subcommands import COMMANDS

        command = COMMANDS[arguments[0]]
        name = f"debate-tui {arguments[0]}"
        arguments = arguments[1:]
        gc.enable()
    return command.main(list(arguments), prog_name=name, standalone_mode=False)
