"""The topic: an argument, or what a pipe brings."""

from __future__ import annotations

import sys

from debate_tui.domain.errors import UsageError

MAX_TOPIC_CHARACTERS = 4000
_TOPIC_HINT = 'Name one, such as: debate-tui "Should cities ban cars?"'


def read_topic(argument: str | None, default: str = "") -> str:
    """The topic in one line: as typed, else as piped, else `default` (a debate file's).

    ``-`` always means standard input. Raises `UsageError` where there is none, or one too long to be one.
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
    """Typed text; what was no UTF-8 comes from the command line as lone surrogates, and cannot be written."""
    return typed.encode("utf-8", "replace").decode("utf-8")


def is_topic_missing(argument: str | None, default: str) -> bool:
    """Whether nobody has named a topic, and nothing is piped in."""
    return argument is None and not default and sys.stdin is not None and sys.stdin.isatty()


def _read_stdin(*, allow_terminal: bool) -> str:
    if sys.stdin is None or (sys.stdin.isatty() and not allow_terminal):
        raise UsageError("There is no topic to debate.", _TOPIC_HINT)
    # Four bytes are the most a character takes; one more character tells that the limit was passed.
    return sys.stdin.buffer.read(4 * (MAX_TOPIC_CHARACTERS + 1)).decode("utf-8", "replace")
