"""What may be asked of a hosted debate over HTTP, and how it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from debate_tui.server.channel import Channel, Controls

MAX_VOTES: Final = 20_000
"""Votes a debate takes: the log keeps every one."""

Remark = Annotated[str, Meta(min_length=1, max_length=4000)]


class Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command"):
    """Anything that can be asked."""


class Pause(Command, frozen=True, tag="pause"):
    debater: str | None = None


class Resume(Command, frozen=True, tag="resume"):
    debater: str | None = None


class Stop(Command, frozen=True, tag="stop"):
    """End a debater's turn, or, without a debater, the debate."""

    debater: str | None = None


class Retry(Command, frozen=True, tag="retry"):
    debater: str


class Interject(Command, frozen=True, tag="interject"):
    text: Remark
    to: str | None = None


class CastVote(Command, frozen=True, tag="vote"):
    """A vote for a debater, or for nobody; `when` is found out if it is not said."""

    debater: str | None
    when: Literal["before", "after"] | None = None


AnyCommand = Pause | Resume | Stop | Retry | Interject | CastVote


class Opponent(Struct, frozen=True, forbid_unknown_fields=True):
    """A debater of a debate to be held."""

    source: Annotated[str, Meta(min_length=1, max_length=2000)]
    name: Annotated[str, Meta(max_length=40)] = ""
    side: Annotated[str, Meta(max_length=200)] = ""
    persona: Annotated[str, Meta(max_length=4000)] = ""


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A debate to be held; without debaters, as the server's own settings have it."""

    topic: Annotated[str, Meta(min_length=1, max_length=4000)]
    debaters: tuple[Opponent, ...] = ()
    format: Annotated[str, Meta(max_length=40)] = ""
    rounds: Annotated[int, Meta(ge=1, le=50)] | None = None


class Holder(Protocol):
    """Who holds the debates that are ordered."""

    async def hold(self, order: Order) -> str:
        """Begin the debate and return its id, once it is hosted.

        Raises `DebateError` where it cannot be held.
        """
        ...


class Conflict(DebateError):
    """What was asked for makes no sense any more, or not yet."""


command = msgspec.json.Decoder(AnyCommand).decode
order = msgspec.json.Decoder(Order).decode


def carry_out(asked: AnyCommand, channel: Channel, voter: str) -> None:
    """Carry a command out; raises `Conflict`, or `UsageError` for a debater nobody knows."""
    controls = channel.controls
    if controls is None or channel.over or channel.transcript.finished is not None:
        raise Conflict("The debate is not being held here and now.", "It can only be watched.")
    _check_debater(asked.to if isinstance(asked, Interject) else asked.debater, channel)
    match asked:
        case Pause():
            controls.pause(asked.debater)
        case Resume():
            controls.resume(asked.debater)
        case Stop(debater=None):
            controls.end()
        case Stop(debater=str(debater)):
            controls.stop(debater)
        case Retry():
            controls.retry(asked.debater)
        case Interject():
            controls.interject(asked.text, asked.to)
        case CastVote():
            _vote(asked, channel, controls, voter)


def _check_debater(debater: str | None, channel: Channel) -> None:
    debaters = channel.transcript.debaters
    if debater is not None and debater not in debaters:
        raise UsageError(f"There is no debater {debater!r}.", f"There are: {', '.join(debaters)}.")


def _vote(asked: CastVote, channel: Channel, controls: Controls, voter: str) -> None:
    now: Literal["before", "after"] = "after" if channel.heard else "before"
    if asked.when not in (None, now):
        too = "late" if asked.when == "before" else "early"
        raise Conflict(f"It is too {too} for a vote {asked.when} the debate.", f"Vote {now} it.")
    poll = channel.poll
    if poll.has_voted(now, voter):
        raise Conflict(f"You have voted {now} the debate already.")
    if len(poll) >= MAX_VOTES:
        raise Conflict("No more votes are taken.")
    controls.vote(now, asked.debater, voter)
