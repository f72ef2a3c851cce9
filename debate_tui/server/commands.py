"""Commands and requests that hosts and viewers send over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from debate_tui.server.hosted_debate import Controls, HostedDebate

MAX_VOTES: Final = 20_000
"""Maximum votes in a debate: the log stores every one."""

VOTE_BURST: Final = 20
VOTE_INTERVAL_S: Final = 3.0
"""Votes allowed per address: a burst, then one per interval (seconds)."""

MAX_INTERJECTIONS: Final = 200
"""Maximum interjections in a debate: all later prompts repeat them."""

INTERJECTION_BURST: Final = 10
INTERJECTION_INTERVAL_S: Final = 5.0
"""Interjections over HTTP allowed per debate: a burst, then one per interval (seconds)."""

ORDER_BURST: Final = 5
ORDER_INTERVAL_S: Final = 60.0
"""Debates that other machines may start: a burst, then one per interval (seconds)."""

RemarkText = Annotated[str, Meta(min_length=1, max_length=4000)]


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command"):
    """Base class of all commands."""


class PauseCommand(Command, frozen=True, tag="pause"):
    debater: str | None = None


class ResumeCommand(Command, frozen=True, tag="resume"):
    debater: str | None = None


class StopCommand(Command, frozen=True, tag="stop"):
    """End a debater's turn, or the debate if `debater` is `None`."""

    debater: str | None = None


class RetryCommand(Command, frozen=True, tag="retry"):
    debater: str


class InterjectCommand(Command, frozen=True, tag="interject"):
    text: RemarkText
    to: str | None = None


class VoteCommand(Command, frozen=True, tag="vote"):
    """A vote for a debater, or undecided if it is `None`; `when` defaults to what is possible now."""

    debater: str | None
    when: Literal["before", "after"] | None = None


AnyCommand = PauseCommand | ResumeCommand | StopCommand | RetryCommand | InterjectCommand | VoteCommand


class DebaterRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A debater of a requested debate."""

    source: Annotated[str, Meta(min_length=1, max_length=2000)]
    name: Annotated[str, Meta(max_length=40)] = ""
    side: Annotated[str, Meta(max_length=200)] = ""
    persona: Annotated[str, Meta(max_length=4000)] = ""


class DebateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A requested debate; without debaters, those of the server's settings are used."""

    topic: Annotated[str, Meta(min_length=1, max_length=4000)]
    debaters: tuple[DebaterRequest, ...] = ()
    format: Annotated[str, Meta(max_length=40)] = ""
    rounds: Annotated[int, Meta(ge=1, le=50)] | None = None


class DebateLauncher(Protocol):
    """Starts requested debates."""

    async def start_debate(self, request: DebateRequest, *, from_elsewhere: bool = False) -> str:
        """Start the debate and return its id once it is hosted.

        Set `from_elsewhere` for requests from another machine: they may use only sources that the owner of
        this one has allowed. Raise `DebateError` if the debate cannot start.
        """
        ...


class ConflictError(DebateError):
    """The request is not possible in the current state."""


class ForbiddenError(DebateError):
    """The request is not allowed from its origin."""


decode_command = msgspec.json.Decoder(AnyCommand).decode
decode_debate_request = msgspec.json.Decoder(DebateRequest).decode


def execute_command(command: AnyCommand, hosted: HostedDebate, voter: str = "") -> None:
    """Execute a command.

    Raise `ConflictError` if the state of the debate does not allow it, `UsageError` for an unknown debater.
    """
    controls = hosted.controls
    if controls is None or hosted.over or hosted.transcript.finish_reason is not None:
        raise ConflictError("The debate is not being held here and now.", "It can only be watched.")
    _check_debater(command.to if isinstance(command, InterjectCommand) else command.debater, hosted)
    match command:
        case PauseCommand():
            controls.pause(command.debater)
        case ResumeCommand():
            controls.resume(command.debater)
        case StopCommand(debater=None):
            controls.end()
        case StopCommand(debater=str(debater)):
            controls.stop(debater)
        case RetryCommand():
            controls.retry(command.debater)
        case InterjectCommand():
            if len(hosted.transcript.interjections) >= MAX_INTERJECTIONS:
                raise ConflictError("The debate takes no more interjections.")
            controls.interject(command.text, command.to)
        case VoteCommand():
            _cast_vote(command, hosted, controls, voter)


def _check_debater(debater: str | None, hosted: HostedDebate) -> None:
    debaters = hosted.transcript.debaters
    if debater is not None and debater not in debaters:
        raise UsageError(f"There is no debater {debater!r}.", f"There are: {', '.join(debaters)}.")


def _cast_vote(command: VoteCommand, hosted: HostedDebate, controls: Controls, voter: str) -> None:
    now: Literal["before", "after"] = "after" if hosted.has_finished_turn else "before"
    if command.when not in (None, now):
        too = "late" if command.when == "before" else "early"
        raise ConflictError(f"It is too {too} for a vote {command.when} the debate.", f"Vote {now} it.")
    poll = hosted.poll
    if poll.has_voted(now, voter):
        raise ConflictError(f"You have voted {now} the debate already.")
    if len(poll) >= MAX_VOTES:
        raise ConflictError("No more votes are taken.")
    controls.vote(now, command.debater, voter)
