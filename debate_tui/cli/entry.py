"""The outermost edge: every error a user can cause becomes a line or two on stderr and an exit code."""

from __future__ import annotations

import os
import sys

import click

from debate_tui.cli.commands import run
from debate_tui.domain.errors import DebateError, UsageError


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = run(sys.argv[1:])
    except click.ClickException as error:
        code = _complain(UsageError(error.format_message(), _hint(error)))
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except DebateError as error:
        code = _complain(error)
    except ExceptionGroup as group:
        errors = group.subgroup(DebateError)
        if errors is None:
            raise
        code = _complain(_first(errors))
    except BrokenPipeError:
        # Whoever read our output has gone, and with it the reason to run. Python would complain once more
        # when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _first(group: ExceptionGroup[DebateError]) -> DebateError:
    """The first error of a group; the others were only along for the ride."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _hint(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        return f"Did you mean {' or '.join(sorted(error.possibilities))}?"
    return "debate-tui --help lists what there is."


def _complain(error: DebateError) -> int:
    from debate_tui.domain.sanitise import one_line

    print(f"debate-tui: {one_line(error.message, 600)}", file=sys.stderr)
    if error.hint:
        print(f"  {one_line(error.hint, 600)}", file=sys.stderr)
    return error.exit_code
