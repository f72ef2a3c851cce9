"""The agents that can debate: a table of known ones, and what follows ``acp:`` in a source."""

from __future__ import annotations

import difflib
import shlex
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain import toml
from debate_tui.domain.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_PROTOCOL_MESSAGE = "Agents need the package agent-client-protocol."
INSTALL_PROTOCOL_HINT = "Run: pip install 'debate-tui[acp]'"


class Agent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent from `agents.toml`, or a command that the user typed.

    `install` says how to get it: a command or an address. `login` is the command that logs in. Both are
    empty, like `name`, if the agent is not a known one.
    """

    name: str = ""
    title: str
    command: tuple[str, ...]
    install: str = ""
    login: str = ""

    @property
    def program(self) -> str:
        """The first word of the command."""
        return self.command[0]

    @property
    def command_line(self) -> str:
        """The command as typed in a shell."""
        return shlex.join(self.command)

    def find_program(self) -> str | None:
        """Return the path of its program, or `None` if it is not installed."""
        import shutil  # slow to import, and most debates have no agent

        return shutil.which(self.program)


@cache
def known_agents() -> Mapping[str, Agent]:
    """Return the known agents by name."""
    text = Path(__file__).with_name("agents.toml").read_text("utf-8")
    table = toml.decode_toml(text, dict[str, Agent], file_name="agents.toml")
    return {name: msgspec.structs.replace(entry, name=name) for name, entry in table.items()}


def parse_agent(text: str) -> Agent:
    """Return the agent that a name or a command stands for; raise `UsageError` if it can be neither."""
    if text in known_agents():
        return known_agents()[text]
    name, question, _ = text.partition("?")
    if question and name in known_agents():
        raise UsageError(
            f"'acp:{text}' has parameters, but an agent takes none.", "Set its model in its own settings."
        )
    try:
        command = shlex.split(text)
    except ValueError:
        raise UsageError(
            f"The command 'acp:{text}' has a quote that is not closed.", "Close it, or escape it with \\."
        ) from None
    if not command or not command[0]:
        raise UsageError("'acp:' names no agent.", f"Name one: acp:{', acp:'.join(known_agents())}.")
    if "/" in command[0]:  # the agent runs in a folder of its own
        command[0] = str(Path(command[0]).expanduser().absolute())
    return Agent(title=Path(command[0]).name or command[0], command=tuple(command))


def check_agent(text: str) -> None:
    """Raise `ConfigError` if an agent's program or the package for its protocol is not installed."""
    agent = parse_agent(text)
    if find_spec("acp") is None:
        raise ConfigError(NO_PROTOCOL_MESSAGE, INSTALL_PROTOCOL_HINT)
    if agent.find_program() is None:
        raise ConfigError(missing_program_message(agent), _missing_program_hint(agent))


def missing_program_message(agent: Agent) -> str:
    """Return the message for an agent whose program is not there."""
    if agent.name:
        return f"{agent.title} is not installed: there is no '{agent.program}' on PATH."
    return f"There is no command '{agent.program}' to run as an agent."


def _missing_program_hint(agent: Agent) -> str:
    if agent.install.startswith("https:"):
        return f"See {agent.install}."
    if agent.install:
        return f"Run: {agent.install}"
    close = difflib.get_close_matches(agent.program, known_agents(), n=1, cutoff=0.75)
    if close and len(agent.command) == 1:
        return f"Did you mean 'acp:{close[0]}'?"
    return f"Check the command, or use a known agent: {', '.join(known_agents())}."
