"""What may be asked of a hosted debate over HTTP, and how it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from debate_tui.server.hosted_debate import Controls, HostedDebate

MAX_VOTES: Final = 20_000
"""Votes a debate takes: the log keeps every one."""

VOTE_BURST: Final = 20
VOTE_INTERVAL_S: Final = 3.0
"""Votes from one address: so many at once, then one in so many seconds."""

MAX_INTERJECTIONS: Final = 200
"""Interjections in a debate: every prompt after one repeats it."""

INTERJECTION_BURST: Final = 10
INTERJECTION_INTERVAL_S: Final = 5.0
"""Interjections in a debate over HTTP: so many at once, then one in so many seconds."""

ORDER_BURST: Final = 5
ORDER_INTERVAL_S: Final = 60.0
"""Debates ordered from other machines: so many at once, then one in so many seconds."""

RemarkText = Annotated[str, Meta(min_length=1, max_length=4000)]


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command"):
    """Anything that can be asked."""


class PauseCommand(Command, frozen=True, tag="pause"):
    debater: str | None = None


class ResumeCommand(Command, frozen=True, tag="resume"):
    debater: str | None = None


class StopCommand(Command, frozen=True, tag="stop"):
    """End a debater's turn, or, without a debater, the debate."""

    debater: str | None = None


class RetryCommand(Command, frozen=True, tag="retry"):
    debater: str


class InterjectCommand(Command, frozen=True, tag="interject"):
    text: RemarkText
    to: str | None = None


class VoteCommand(Command, frozen=True, tag="vote"):
    """A vote for a debater, or for nobody; `when` is found out if it is not said."""

    debater: str | None
    when: Literal["before", "after"] | None = None


AnyCommand = PauseCommand | ResumeCommand | StopCommand | RetryCommand | InterjectCommand | VoteCommand


class DebaterRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A debater of a debate to be held."""

    source: Annotated[str, Meta(min_length=1, max_length=2000)]
    name: Annotated[str, Meta(max_length=40)] = ""
    side: Annotated[str, Meta(max_length=200)] = ""
    persona: Annotated[str, Meta(max_length=4000)] = ""


class DebateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A debate to be held; without debaters, as the server's own settings have it."""

    topic: Annotated[str, Meta(min_length=1, max_length=4000)]
    debaters: tuple[DebaterRequest, ...] = ()
    format: Annotated[str, Meta(max_length=40)] = ""
    rounds: Annotated[int, Meta(ge=1, le=50)] | None = None


class DebateLauncher(Protocol):
    """Who holds the debates that are ordered."""

    async def start_debate(self, request: DebateRequest, *, from_elsewhere: bool = False) -> str:
        """Begin the debate and return its id, once it is hosted.

        With `from_elsewhere`, which is whether another machine asks, it may use only what this one's owner
        has allowed. Raises `DebateError` where it cannot be held.
        """
        ...


class ConflictError(DebateError):
    """What was asked for makes no sense any more, or not yet."""


class ForbiddenError(DebateError):
    """What was asked for is not permitted from where the request came."""


decode_command = msgspec.json.Decoder(AnyCommand).decode
decode_debate_request = msgspec.json.Decoder(DebateRequest).decode


def execute_command(command: AnyCommand, hosted: HostedDebate, voter: str = "") -> None:
    """Carry a command out; raises `ConflictError`, or `UsageError` for a debater nobody knows."""
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
