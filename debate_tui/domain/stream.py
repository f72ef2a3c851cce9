"""The interface between sources, which deliver text, and the session, which runs the debate.

A source reports facts and nothing else: it never retries, never sleeps, and never decides what a failure
means. Everything that applies to all sources (retries, watchdogs, chaos, recording) is a source that wraps
another.
"""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeVar

from msgspec import Meta, Struct, structs

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager


FinishReason = Literal["complete", "length", "refused", "stopped", "skipped", "failed"]
"""How a turn ended.

Sources report only the first three, or ``stopped`` if an agent stops by itself; the session sets the others.
"""

StreamState = Literal[
    "waiting", "connecting", "connected", "streaming", "paused", "reconnecting", "failed", "finished"
]

INTERRUPTED_STREAM_STATES: tuple[StreamState, ...] = ("connecting", "connected", "reconnecting", "failed")
"""States of a stream whose text a retry continues; in any other, the turn starts over."""


class FaultKind(enum.StrEnum):
    """What broke; `resilience.backoff.fault_action` decides what to do about it."""

    NETWORK = "network"
    TIMEOUT = "timeout"
    RATE_LIMIT = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    AUTH = "auth"
    QUOTA = "quota"
    BAD_REQUEST = "bad_request"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Fault(DebateError):
    """A broken stream, reported as facts.

    `status` is the HTTP status, if one was received; `retry_after` the wait the server asked for, in
    seconds; `text_seen` whether this attempt delivered any text. Keys are masked in the message.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        text_seen: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(redact(message), hint)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
        self.text_seen = text_seen

    def redact(self, *secrets: str) -> None:
        """Mask these secrets in the message too."""
        self.message = redact(self.message, *secrets)
        self.args = (self.message,)


class UnmarkedEnd(Fault):
    """The connection closed, and the payload has no end marker that would prove the answer complete.

    `orderly` says whether the framing proves that nothing was cut off (chunked terminator, full length,
    END_STREAM). If so, the stream carried event ids (without ids such an end is a plain `Finished`), and
    one more request after the last id decides: 204 or no new text means complete. If not, closing is the
    only way the stream can end: one more connection that brings the same text (after an id: none) and
    closes again means complete. In both cases an `UnmarkedEnd` of the second connection is not a fault.
    """

    def __init__(self, *, vouched: bool, text_seen: bool = False) -> None:
        super().__init__(FaultKind.NETWORK, "The stream closed without an end marker.", text_seen=text_seen)
        self.orderly = vouched


class Message(Struct, frozen=True):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class TurnRequest(Struct, frozen=True):
    """Everything a source may know about the requested turn."""

    topic: str
    phase: str
    turn: int
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None

    @property
    def prompt(self) -> str:
        """The messages as one text, for endpoints that take a single prompt."""
        return "\n\n".join(message.content for message in self.messages)


class Cursor(Struct, frozen=True):
    """A place in a stream, as its source writes it; opaque to all other code.

    `stream` names the stream if the server does (a response id, a conversation id). `position` is the place
    in it (an event id, a sequence number, a byte offset); it is empty if the server withdrew its ids, so
    that the stream cannot be resumed. `state` is what the source must know to resume there, such as an open
    reasoning tag.
    """

    position: str
    stream: str = ""
    state: str = ""

    def is_same_place(self, other: Cursor) -> bool:
        """Return whether both name the same place, whatever their `state`."""
        return self.position == other.position and self.stream == other.stream


MIN_CONTINUED_LENGTH = 20
"""Answers interrupted at this length or earlier, in characters, are requested again from the start.

If a model that should continue such a short text starts over, this looks the same as a repeated word.
"""


class ResumePoint(Struct, frozen=True):
    """What a source needs to resume a turn after an earlier attempt was interrupted.

    `attempt` is the number of the last attempt; the next one has a higher number. `after_cursor` counts the
    characters of text and of reasoning received after the cursor. Without text and cursor, the answer is
    requested from its start.
    """

    attempt: int
    cursor: Cursor | None
    text: str
    reasoning: str = ""
    after_cursor: tuple[int, int] = (0, 0)

    @property
    def at_cursor(self) -> tuple[str, str]:
        """The text and the reasoning received before the cursor."""
        text, reasoning = self.after_cursor
        return self.text[: len(self.text) - text], self.reasoning[: len(self.reasoning) - reasoning]

    def for_new_answer(self) -> ResumePoint:
        """Return this resume point for a model without usable cursor: drop a text too short to continue."""
        return structs.replace(self, text="") if len(self.text) <= MIN_CONTINUED_LENGTH else self


Number = TypeVar("Number", int, float, "Usage")


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens used, as counted by the provider; `None` if not reported.

    `reasoning_tokens` are part of `output_tokens`; `cached_tokens` (read from a cache) are part of
    `input_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        """Add two counts; a number that only one reports is kept."""
        return Usage(*map(add_known, structs.astuple(self), structs.astuple(other)))


def add_known(one: Number | None, other: Number | None) -> Number | None:
    """Add two figures, of which either may be unknown."""
    return other if one is None else one if other is None else one + other


class StreamOrigin(enum.StrEnum):
    """Where in the turn the text of a connection starts."""

    START = "start"
    """At the first character of the turn, whatever was received before."""
    CURSOR = "cursor"
    """Right after the requested cursor."""
    CONTINUATION = "continuation"
    """Near the end of the text so far: a model was asked to continue, and may repeat a little."""


class Connected(Struct, frozen=True):
    """The server has answered; always the first item of a stream.

    `transport` is shown in the statistics, such as ``HTTP/1.1``. `reused` says whether the connection was
    already open, `None` if unknown. `dropped` names settings that were refused and are no longer sent. No
    timeouts apply to an `untimed` answer, which a person writes.
    """

    origin: StreamOrigin = StreamOrigin.START
    transport: str = ""
    reused: bool | None = None
    dropped: tuple[str, ...] = ()
    untimed: bool = False


class Chunk(Struct, frozen=True):
    """One piece of text, as delivered.

    `cursor` is the place after it. If one event brings several chunks, only the last has a cursor.
    """

    text: str
    reasoning: bool = False
    cursor: Cursor | None = None


class KeepAlive(Struct, frozen=True):
    """A sign of life without text: a comment, a ping or a bookkeeping event.

    `retry_after` is the reconnection time that the server announced (the SSE ``retry:`` field), in seconds.
    """

    cursor: Cursor | None = None
    retry_after: float | None = None


class UsageUpdate(Struct, frozen=True):
    """Usage reported before the end, so that a stream that breaks later is still accounted for."""

    usage: Usage


class Citation(Struct, frozen=True, omit_defaults=True):
    """A web page or document that a provider names as a source of the answer; `title` may be empty."""

    url: str
    title: str = ""


class CitationsUpdate(Struct, frozen=True):
    """The citations of this connection so far, so that those of a stream that breaks later are kept."""

    citations: tuple[Citation, ...]


MAX_CITATIONS = 100
"""Citations kept of one answer, the first ones."""


def merge_citations(lists: Iterable[Iterable[Citation]]) -> tuple[Citation, ...]:
    """Join lists of citations: each URL once, in the order of first mention, with the first title it has."""
    titles: dict[str, str] = {}
    for citation in itertools.chain.from_iterable(lists):
        if citation.url in titles or len(titles) < MAX_CITATIONS:
            titles[citation.url] = titles.get(citation.url) or citation.title
    return tuple(Citation(url, title) for url, title in titles.items())


class Finished(Struct, frozen=True):
    """The stream's own end marker was seen; always the last item of a stream.

    If there was no text, `instead` says what came in its place, such as ``a tool call`` or ``only
    reasoning``. `model` and `response` (its id) are as the server names them; `cost` is what it charges, in
    US dollars. `citations` are all of this connection, in the order of first mention, each once.
    """

    reason: FinishReason = "complete"
    usage: Usage | None = None
    instead: str = ""
    model: str = ""
    response: str = ""
    cost: float | None = None
    citations: tuple[Citation, ...] = ()


class Reclassified(Struct, frozen=True):
    """All text of this connection so far was reasoning: only the closing tag has shown it."""


class FaultReport(Struct, frozen=True, omit_defaults=True):
    """A fault as recorded in the debate log."""

    kind: FaultKind
    message: str
    status: int | None = None


class StateChange(Struct, frozen=True):
    """A new state of a guarded stream; only `resilience.recovery` yields these.

    `retry_in_ms` is the wait before the next attempt, in milliseconds.
    """

    state: StreamState
    attempt: int
    retry: int = 0
    max_retries: int = 0
    retry_in_ms: int | None = None
    error: FaultReport | None = None
    recovered: bool = False
    dropped: tuple[str, ...] = ()


class Superseded(Struct, frozen=True):
    """The text of earlier attempts no longer counts; only `resilience.recovery` yields these."""

    attempt: int


StreamItem = (
    Connected
    | Chunk
    | KeepAlive
    | UsageUpdate
    | CitationsUpdate
    | Reclassified
    | Finished
    | StateChange
    | Superseded
)


class Source(Protocol):
    """Where a debater's words come from."""

    @property
    def model(self) -> str:
        """The name of the model on screen, such as ``gpt-5.2`` or a host name."""
        ...

    def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Open one connection for one turn.

        Entering connects and waits for the server's answer; leaving closes the connection at once, however
        the block ends. Entering and iterating raise only `Fault`, besides cancellation. A source that runs
        out of items without a `Finished` has a bug.
        """
        ...


# How long a reader may block the event loop


READ_SLICE_SECONDS = 0.002
"""How long a reader works before the rest of the program gets a turn, in seconds."""


class TimeSlice:
    """The time one reader may use in the current iteration of the event loop.

    After each item the reader checks ``now >= slice.end and slice.is_spent(now)``, with `now` in seconds of
    `time.monotonic`. If the time is used up, it yields to the loop with ``await asyncio.sleep(0)``.
    `call_soon` is the event loop's method; it resets the slice in the next iteration.
    """

    __slots__ = ("_call_soon", "end")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self.end = 0.0
        """When the time is used up; 0 until the first check of an iteration."""

    def is_spent(self, now: float) -> bool:
        """Return whether the time is used up; the first call of an iteration starts it."""
        if self.end:
            return now >= self.end
        self.end = now + READ_SLICE_SECONDS
        self._call_soon(self._restart)
        return False

    def _restart(self) -> None:
        self.end = 0.0


# How often, when and how long recovery retries: the table `[recovery]` of the settings


Seconds = Annotated[float, Meta(gt=0, extra={"unit": "s"})]


class RecoveryPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often, when and how long to retry. All times are in seconds."""

    max_retries: Annotated[
        int, Meta(ge=0, le=100, description="retries in a row before a debater is removed")
    ] = 5
    initial: Annotated[float, Meta(ge=0, description="wait before the first retry", extra={"unit": "s"})] = (
        1.0
    )
    multiplier: Annotated[float, Meta(ge=1, le=100, description="factor for each further wait")] = 2.0
    cap: Annotated[float, Meta(ge=0, description="longest wait, without jitter", extra={"unit": "s"})] = 30.0
    jitter: Annotated[float, Meta(ge=0, le=1, description="random share of a wait")] = 0.3
    max_retry_after: Annotated[
        float,
        Meta(
            ge=0,
            description="longest wait that a server may ask for",
            extra={"unit": "s"},
        ),
    ] = 120.0
    progress: Annotated[
        int,
        Meta(
            ge=1,
            description="new text after which retries count from 0 again",
            extra={"unit": "characters"},
        ),
    ] = 200
    connect_timeout: Annotated[Seconds, Meta(description="time to connect")] = 10.0
    first_byte_timeout: Annotated[Seconds, Meta(description="time to the first byte of an answer")] = 90.0
    silence_timeout: Annotated[Seconds, Meta(description="time without any data while an answer streams")] = (
        60.0
    )
    text_timeout: Annotated[
        Seconds, Meta(description="time without text, even if the server sends keep-alives")
    ] = 600.0


def recovery_defaults() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the default with its unit, and the description of every recovery setting."""
    from msgspec import inspect

    info = inspect.type_info(RecoveryPolicy)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        assert isinstance(field.type, inspect.Metadata)
        unit = (field.type.extra or {}).get("unit", "")
        about = (field.type.extra_json_schema or {})["description"]
        yield field.name, f"{field.default:g} {unit}".rstrip(), about
