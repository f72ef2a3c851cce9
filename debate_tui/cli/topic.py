"""The topic: an argument, or what a pipe brings."""

from __future__ import annotations

import sys

from debate_tui.domain.errors import UsageError

MAX_CHARACTERS = 4000
_EXAMPLE = 'Name one, such as: debate-tui "Should cities ban cars?"'


def read(argument: str | None, default: str = "") -> str:
    """The topic in one line: as typed, else as piped, else `default` (a debate file's).

    ``-`` always means standard input. Raises `UsageError` where there is none, or one too long to be one.
    """
    if argument == "-" or (argument is None and not default):
        topic = _piped(asked_for=argument == "-")
    else:
        topic = default if argument is None else argument
    topic = " ".join(writable(topic).split())
    if not topic:
        raise UsageError("The topic is empty.", _EXAMPLE)
    if len(topic) > MAX_CHARACTERS:
        raise UsageError(f"The topic has more than {MAX_CHARACTERS:,} characters.", "Give the question only.")
    return topic


def writable(typed: str) -> str:
    """Typed text; what was no UTF-8 comes from the command line as lone surrogates, and cannot be written."""
    return typed.encode("utf-8", "replace").decode("utf-8")


def is_open(argument: str | None, default: str) -> bool:
    """Whether nobody has named a topic, and nothing is piped in."""
    return argument is None and not default and sys.stdin is not None and sys.stdin.isatty()


def _piped(*, asked_for: bool) -> str:
    if sys.stdin is None or (sys.stdin.isatty() and not asked_for):
        raise UsageError("There is no topic to debate.", _EXAMPLE)
    # Four bytes are the most a character takes; one more character tells that the limit was passed.
    return sys.stdin.buffer.read(4 * (MAX_CHARACTERS + 1)).decode("utf-8", "replace")
