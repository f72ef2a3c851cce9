"""Commands and requests that hosts and viewers send over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.session.commands import CastVote, EndDebate, Interject, Pause, Resume, Retry, StopTurn

if TYPE_CHECKING:
    from debate_tui.server.hosted_debate import HostedDebate

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


class StopRequest(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", tag="stop"):
    """A request to stop a debater's turn, or the debate if `debater` is `None`."""

    debater: str | None = None


class VoteRequest(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", tag="vote"):
    """A vote for a debater or a side, else undecided; `when` defaults to what is possible now.

    The voter is the sender of the request; the request itself cannot name one.
    """

    debater: str | None = None
    when: Literal["before", "after"] | None = None
    side: str = ""


CommandRequest = Pause | Resume | StopRequest | Retry | Interject | VoteRequest


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
    blind: bool = False


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


decode_command = msgspec.json.Decoder(CommandRequest).decode
decode_debate_request = msgspec.json.Decoder(DebateRequest).decode


def execute_command(request: CommandRequest, hosted: HostedDebate, voter: str = "") -> None:
    """Execute a command.

    Raise `ConflictError` if the state of the debate does not allow it, `UsageError` for an unknown debater.
    """
    if hosted.handle is None or hosted.over or hosted.transcript.finish_reason is not None:
        raise ConflictError("The debate is not running here.", "You can only watch it.")
    debater = request.to if isinstance(request, Interject) else request.debater
    debaters = hosted.transcript.debaters
    if debater is not None and debater not in debaters:
        raise UsageError(f"No debater has the id '{debater}'.", f"The ids are: {', '.join(debaters)}.")
    match request:
        case StopRequest():
            hosted.handle(EndDebate() if request.debater is None else StopTurn(request.debater))
        case VoteRequest():
            hosted.handle(_check_vote(request, hosted, voter))
        case Interject() if len(hosted.transcript.interjections) >= MAX_INTERJECTIONS:
            raise ConflictError("The debate accepts no more interjections.")
        case _:
            hosted.handle(request)


def _check_vote(request: VoteRequest, hosted: HostedDebate, voter: str) -> CastVote:
    sides = [debater.side for debater in hosted.transcript.debaters.values()]
    if request.side and request.debater is not None:
        raise UsageError("A vote cannot name both a side and a debater.", "Name one of them.")
    if request.side and request.side not in sides:
        raise UsageError(f"No debater argues for the side '{request.side}'.", "Name a side or a debater.")
    now: Literal["before", "after"] = "after" if hosted.has_finished_turn else "before"
    if request.when not in (None, now):
        too = "late" if request.when == "before" else "early"
        raise ConflictError(f"It is too {too} to vote {request.when} the debate.", f"Vote {now} it.")
    poll = hosted.poll
    if poll.has_voted(now, voter):
        raise ConflictError(f"You have already voted {now} the debate.")
    if len(poll) >= MAX_VOTES:
        raise ConflictError("The debate accepts no more votes.")
    return CastVote(now, request.debater, voter, request.side)
