"""What stands for a session where a host or a viewer gives commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import Interjection, Vote
from debate_tui.session.commands import CastVote, Interject

if TYPE_CHECKING:
    from debate_tui.record.log import MemoryLog
    from debate_tui.session.commands import Command


class CommandRecorder:
    """Keeps commands, and logs those that are events of the log."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.heard: list[Command] = []

    def handle(self, command: Command) -> None:
        match command:
            case Interject():
                self.log.append(Interjection(text=command.text, to=command.to))
            case CastVote():
                self.log.append(
                    Vote(when=command.when, debater=command.debater, voter=command.voter, side=command.side)
                )
            case _:
                self.heard.append(command)
