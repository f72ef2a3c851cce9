"""Commands to a running debate, as values: keys, the HTTP interface and the queue make the same ones.

The effects of a command appear in the debate log like everything else. A command that does not apply at the
moment does nothing. `debater` is an id. To add a command, define it here, handle it in `Session.handle`, and
make it where it comes from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from debate_tui.domain.judging.votes import LOCAL_VOTER

FaultDecision = Literal["fix", "replace", "remove", "end"]
"""How to continue when a debater's fault has paused the debate.

``fix`` retries with the same source and ``replace`` with the one chosen in the meantime; ``remove`` continues
without the debater; ``end`` ends the debate.
"""


class _Command(Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", tag=str.lower):
    """Base class of all commands; the HTTP interface decodes some of them from JSON."""


class Pause(_Command, frozen=True):
    """Pause reading from one debater, or from all, so that the senders slow down."""

    debater: str | None = None


class Resume(_Command, frozen=True):
    """Resume reading from all, or from one debater whatever paused it; between rounds, start the next."""

    debater: str | None = None


class StopTurn(_Command, frozen=True):
    """Stop the debater's current turn; its text stays."""

    debater: str


class EndDebate(_Command, frozen=True):
    """End the debate: running turns are stopped, and no new one starts."""


class Retry(_Command, frozen=True):
    """Request the debater's current turn again: resume it if it was interrupted, else start over.

    If the debater is paused, it is resumed; other debaters stay paused.
    """

    debater: str


class Interject(_Command, frozen=True):
    """Send a remark to one debater, or to all; it is part of their next prompt."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    to: str | None = None


class CastVote(_Command, frozen=True):
    """Record a vote before or after the debate for a debater or a side; with neither, it is undecided."""

    when: Literal["before", "after"]
    debater: str | None = None
    voter: str = LOCAL_VOTER
    side: str = ""


class Reveal(_Command, frozen=True):
    """Reveal who the debaters of a blind debate are, whose user does not vote.

    This has an effect once the debate is over. A stopped one, which can be resumed, stays blind.
    """


class AddRound(_Command, frozen=True):
    """Add a round to the current phase."""


class SkipPhase(_Command, frozen=True):
    """Skip the rest of the current phase: its running turns end as ``skipped``."""


class SetWords(_Command, frozen=True):
    """Set the length of turns, in words, from the next round on."""

    words: int


class WaitBetweenRounds(_Command, frozen=True):
    """Wait after every round until the debate is resumed, or stop doing so if not `on`."""

    on: bool


class Decide(_Command, frozen=True):
    """Decide how to continue after a debater's fault that paused the debate."""

    debater: str
    choice: FaultDecision


Command = (
    Pause
    | Resume
    | StopTurn
    | EndDebate
    | Retry
    | Interject
    | CastVote
    | Reveal
    | AddRound
    | SkipPhase
    | SetWords
    | WaitBetweenRounds
    | Decide
)

CommandHandler = Callable[[Command], None]
"""A function that handles commands at once, such as `Session.handle`."""

SourceSwap = Callable[[str, str], Awaitable[None]]
"""Switches a debater, given its id, to the source the user typed, from its next connection on.

Not a command, because it can fail: it raises `DebateError` if the source is not valid or has no API key.
"""
