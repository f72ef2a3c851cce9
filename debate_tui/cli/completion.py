"""``debate-tui completion``: scripts for bash, zsh and fish, and the completions that they ask for."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from debate_tui import config
from debate_tui.cli.format_files import load_formats
from debate_tui.cli.manual import PAGE_NAMES
from debate_tui.cli.plan import load_settings
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import to_datetime
from debate_tui.record.stores import open_store
from debate_tui.sources.known_agents import known_agents
from debate_tui.sources.providers import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import click

    Values = Iterator[tuple[str, str]]

PROGRAM: Final = "debate-tui"

MAX_DEBATES: Final = 50
"""Maximum number of recorded debates to offer, the latest first."""

_BASH_SCRIPT = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || \\
    complete -F %(complete_func)s %(prog_name)s
"""


class _BashCompletion(BashComplete):
    """Completion for bash that knows about colons and equals signs.

    Bash takes them for the ends of words, and replaces only what follows the last one.
    """

    source_template = _BASH_SCRIPT
    _word_start = 0

    def source(self) -> str:
        """Return the script; any version of bash can read it."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line up to the cursor into whole words and the incomplete one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1].isspace() else ""
        value = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
        ends = [value.rfind(sign) for sign in ":=" if sign in os.environ.get("COMP_WORDBREAKS", ":=")]
        self._word_start = max(ends, default=-1) + 1
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the part of a completion that bash has to insert."""
        return f"{item.type},{item.value[self._word_start :]}"


SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash": _BashCompletion,
    "fish": FishComplete,
    "zsh": ZshComplete,
}


def print_script(shell: str, command: click.Command, variable: str) -> None:
    """Print the completion script of a shell; it asks for completions by setting `variable`."""
    print(SHELLS[shell](command, {}, PROGRAM, variable).source())


def print_completions(
    instruction: str,
    command: click.Command,
    subcommands: Mapping[str, click.Command],
    help_options: Sequence[str],
) -> None:
    """Print what can follow the words in the environment, as the shell in `instruction` expects it.

    `command` is run if the first word names none of the `subcommands`. Raise `UsageError` if no script asks
    in this way.
    """
    shell, _, action = instruction.partition("_")
    if shell not in SHELLS or action != "complete":
        raise UsageError(
            f"'{instruction}' is not a request for completions.",
            f"Create the completion script again: debate-tui completion {'|'.join(SHELLS)}",
        )
    completion = SHELLS[shell](command, {"help_option_names": [*help_options]}, PROGRAM, "")
    words, incomplete = completion.get_completion_args()
    if words and words[0] in subcommands:
        completion.cli = subcommands[words.pop(0)]
        items = completion.get_completions(words, incomplete)
    elif words or incomplete.startswith("-"):
        items = completion.get_completions(words, incomplete)
    else:
        items = [
            CompletionItem(name, help=each.get_short_help_str(80))
            for name, each in subcommands.items()
            if name.startswith(incomplete)
        ]
    for item in items:
        print(completion.format_completion(item))


# Values of options and arguments, with descriptions


def complete_value(kind: str, incomplete: str) -> list[CompletionItem[str]]:
    """Return the values of a kind, one of `_VALUES`, that begin with `incomplete`; none after an error."""
    try:
        found = [(value, about) for value, about in _VALUES[kind](incomplete) if value.startswith(incomplete)]
    except DebateError:
        return []
    return [CompletionItem(value, help=one_line(about, 80)) for value, about in found]


def _sources(incomplete: str) -> Values:
    with suppress(DebateError):  # the built-in providers do not depend on the settings
        load_settings({})
    for name, provider in providers().items():
        yield f"{name}:{provider.model}" if provider.model else name, provider.title
    for name, agent in known_agents().items():
        yield f"acp:{name}", f"{agent.title}, an agent on this machine"
    yield "local", "A model on this machine"
    yield "demo", "A scripted demo"
    yield "me", "You: write your turns on the screen"
    if incomplete.startswith("demo:"):
        from debate_tui.sources.demo import VOICES

        for voice, name in VOICES.items():
            yield f"demo:{voice}", name


def _debaters(incomplete: str) -> Values:
    name, equals, source = incomplete.partition("=")
    for value, about in _sources(source if equals else name):
        yield f"{name}={value}" if equals else value, about


def _themes(_incomplete: str) -> Values:
    from debate_tui.tui.themes import theme_names

    for name in theme_names(config.config_folder() / "themes"):
        yield name, ""


def _debates(_incomplete: str) -> Values:
    for summary in asyncio.run(open_store(config.record_file()).debates())[:MAX_DEBATES]:
        began = to_datetime(summary.started, local=True)
        yield summary.debate, f"{began:%Y-%m-%d} {summary.topic}" if began else summary.topic


_VALUES: Final[dict[str, Callable[[str], Values]]] = {
    "debaters": _debaters,
    "debates": _debates,
    "formats": lambda _: ((name, format_.title) for name, format_ in load_formats()[0].items()),
    "pages": lambda _: ((name, "A page of the manual") for name in PAGE_NAMES),
    "sources": _sources,
    "themes": _themes,
}
