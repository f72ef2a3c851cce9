"""What a source is: the seam between whoever delivers words and whoever holds the debate.

A source reports facts and nothing else. It never retries, never sleeps, and never decides what a
failure means. Everything that cuts across sources (retries, watchdogs, chaos, recording) is a source
wrapped around a source.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from msgspec import Meta, Struct, inspect, structs

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import API_KEY_PATTERN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager


FinishReason = Literal["complete", "length", "refused", "stopped", "skipped", "failed"]
"""How a turn ended. A source reports only the first three; the others are the session's to give."""

StreamState = Literal[
    "waiting", "connecting", "connected", "streaming", "paused", "reconnecting", "failed", "finished"
]


class FaultKind(enum.StrEnum):
    """What broke. What is done about each is `resilience.classify_error`'s to say."""

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
    """A stream broke, told as facts.

    `status` is the HTTP status, if one was received; `retry_after` the server's own wish, in seconds;
    `text_seen` whether any text of this attempt had been delivered. The message never holds a key.
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
        super().__init__(API_KEY_PATTERN.sub("[key]", message), hint)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
        self.text_seen = text_seen


class UnmarkedEnd(Fault):
    """The connection ended, and the payload has no end marker that could say whether the answer did.

    `orderly` says whether the framing vouches that nothing was cut off (chunked terminator, full length,
    END_STREAM). It then carried event ids (without ids such an end is a plain `Finished`), and one more
    request behind the last id tells: 204 or no new text means complete. Not vouched, only closing can end
    the stream: one more connection that brings the same text (behind an id: none) and closes again means
    complete. An `UnmarkedEnd` of that second connection is no fault then.
    """

    def __init__(self, *, vouched: bool, text_seen: bool = False) -> None:
        super().__init__(
            FaultKind.NETWORK, "The stream closed without saying it was done.", text_seen=text_seen
        )
        self.orderly = vouched


class Message(Struct, frozen=True):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class TurnRequest(Struct, frozen=True):
    """All a source may know of the turn it is asked for."""

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
    """A place in a stream, in the words of the source that gave it; opaque to everybody else.

    `stream` names the stream where the server does (a response id, a conversation id); `position` is the
    place in it (an event id, a sequence number, a byte offset). Without a position there is none to go on
    from: the stream took its ids back. `state` is what reading on from there needs to know, such as that a
    reasoning tag is open.
    """

    position: str
    stream: str = ""
    state: str = ""

    def is_same_place(self, other: Cursor) -> bool:
        """Whether both name the same place, however it was reached."""
        return self.position == other.position and self.stream == other.stream


MIN_CONTINUED_LENGTH = 20
"""An answer cut within so many characters is requested again from its start: a model that was asked to
continue, and began again, could not be distinguished from one that repeats a word."""


class Resume(Struct, frozen=True):
    """What a source needs to go on where an earlier attempt of the same turn broke off.

    `attempt` is the number of the last attempt made; the next one has a higher number. `after_cursor` is how
    many characters of the text, and of the reasoning, came after the cursor. Without text and cursor the
    answer is requested from its start.
    """

    attempt: int
    cursor: Cursor | None
    text: str
    reasoning: str = ""
    after_cursor: tuple[int, int] = (0, 0)

    @property
    def at_cursor(self) -> tuple[str, str]:
        """The text and the reasoning before the cursor."""
        text, reasoning = self.after_cursor
        return self.text[: len(self.text) - text], self.reasoning[: len(self.reasoning) - reasoning]

    def for_new_answer(self) -> Resume:
        """The same where the cursor cannot be used: without a text that is too short to be continued."""
        return structs.replace(self, text="") if len(self.text) <= MIN_CONTINUED_LENGTH else self


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens spent, as the provider counts them; `None` where it did not say.

    `reasoning_tokens` are part of `output_tokens`; `cached_tokens` (read from a cache) of `input_tokens`.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        """Both together, as far as either says."""
        pairs = zip(structs.astuple(self), structs.astuple(other), strict=True)
        return Usage(*(a if b is None else b if a is None else a + b for a, b in pairs))


def merge_usage(old: Usage | None, new: Usage | None) -> Usage | None:
    """The newer counts, and the older ones where the newer report says nothing."""
    if old is None or new is None:
        return new or old
    pairs = zip(structs.astuple(old), structs.astuple(new), strict=True)
    return Usage(*(b if b is not None else a for a, b in pairs))


class StreamOrigin(enum.StrEnum):
    """Where in the turn the text of a connection begins."""

    START = "start"
    """At the turn's first character, whatever was received before."""
    CURSOR = "cursor"
    """Right behind the cursor that was asked for."""
    CONTINUATION = "continuation"
    """Roughly where the text broke off: a model was asked to go on, and may repeat a little."""


class Connected(Struct, frozen=True):
    """The connection stands and the server has answered; always a stream's first item.

    `transport` is what the statistics show, such as ``HTTP/1.1``; `reused` whether the connection was
    already open, `None` where that cannot be known. `dropped` names settings the server has refused, when
    that is known first; they are not sent any more.
    """

    origin: StreamOrigin = StreamOrigin.START
    transport: str = ""
    reused: bool | None = None
    dropped: tuple[str, ...] = ()


class Chunk(Struct, frozen=True):
    """One piece of text, as delivered.

    `cursor` is the place behind it. Of several chunks that one event brings, only the last one has it.
    """

    text: str
    reasoning: bool = False
    cursor: Cursor | None = None


class KeepAlive(Struct, frozen=True):
    """The server gave a sign of life without text: a comment, a ping, a bookkeeping event.

    `retry_after` is a reconnection time it announced (the SSE ``retry:`` field), in seconds.
    """

    cursor: Cursor | None = None
    retry_after: float | None = None


class UsageUpdate(Struct, frozen=True):
    """Usage reported before the end, so that a stream that breaks later is still accounted for."""

    usage: Usage


class Finished(Struct, frozen=True):
    """The stream's own end marker was seen; always a stream's last item.

    `instead` says what came instead of text, where none did: ``a tool call``, ``only reasoning``. `model` and
    `response` (its id) are what the server calls them, `cost` what it charges, in US dollars.
    """

    reason: FinishReason = "complete"
    usage: Usage | None = None
    instead: str = ""
    model: str = ""
    response: str = ""
    cost: float | None = None


class Reclassified(Struct, frozen=True):
    """All text of this connection so far was reasoning, as only its closing tag showed."""


class FaultReport(Struct, frozen=True, omit_defaults=True):
    """A fault as the debate log shows it."""

    kind: FaultKind
    message: str
    status: int | None = None


class StateChange(Struct, frozen=True):
    """A change of a guarded stream's state; only `resilience.recovery` yields these."""

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


StreamItem = Connected | Chunk | KeepAlive | UsageUpdate | Reclassified | Finished | StateChange | Superseded


class Source(Protocol):
    """Where a debater's words come from."""

    @property
    def model(self) -> str:
        """What to call the model on screen, such as ``gpt-5.2`` or a host name."""
        ...

    def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Open one connection for one turn.

        Entering connects and waits for the server's answer; leaving closes the connection at once,
        however the block was left. Both entering and iterating raise `Fault`; nothing else escapes but
        cancellation. Running out of items without a `Finished` is a bug of the source.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what outlives a turn, such as pooled connections."""
        ...


# How long a reader may keep the event loop, however much it has to read.


READ_SLICE_SECONDS = 0.002
"""How long a reader works before the rest of the program gets a turn, in seconds."""


class TimeSlice:
    """The time one reader may use in the current turn of the event loop.

    A reader that has used it up gives the loop back with ``await asyncio.sleep(0)``. It asks after each item,
    which costs one comparison: ``now >= slice.end and slice.is_spent(now)``, in seconds of `time.monotonic`.
    `call_soon` is the event loop's; it is how the next turn is noticed.
    """

    __slots__ = ("_call_soon", "end")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self.end = 0.0
        """When the time is used up; 0 until the first question in a turn."""

    def is_spent(self, now: float) -> bool:
        """Whether the time is used up; the first question of a turn starts it."""
        if self.end:
            return now >= self.end
        self.end = now + READ_SLICE_SECONDS
        self._call_soon(self._restart)
        return False

    def _restart(self) -> None:
        self.end = 0.0


# What is done when a stream breaks, in numbers: the ``[recovery]`` table of the settings.


Seconds = Annotated[float, Meta(gt=0, extra={"unit": "s"})]


class RecoveryPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often, how long and when to try again. All times are in seconds."""

    max_retries: Annotated[
        int, Meta(ge=0, le=100, description="connections tried again in a row before a debater is given up")
    ] = 5
    initial: Annotated[
        float, Meta(ge=0, description="the wait before the first of them", extra={"unit": "s"})
    ] = 1.0
    multiplier: Annotated[
        float, Meta(ge=1, le=100, description="what each further wait is multiplied by")
    ] = 2.0
    cap: Annotated[float, Meta(ge=0, description="the longest wait, jitter aside", extra={"unit": "s"})] = (
        30.0
    )
    jitter: Annotated[float, Meta(ge=0, le=1, description="the share of a wait that is left to chance")] = 0.3
    max_retry_after: Annotated[
        float,
        Meta(
            ge=0,
            description="a server that asks for a longer wait than this is given up",
            extra={"unit": "s"},
        ),
    ] = 120.0
    progress: Annotated[
        int,
        Meta(
            ge=1,
            description="new text after which retries are counted anew",
            extra={"unit": "characters"},
        ),
    ] = 200
    connect_timeout: Annotated[Seconds, Meta(description="time to get a connection")] = 10.0
    first_byte_timeout: Annotated[Seconds, Meta(description="time to the first byte of an answer")] = 90.0
    silence_timeout: Annotated[
        Seconds, Meta(description="time without any sign of life while an answer streams")
    ] = 60.0
    text_timeout: Annotated[
        Seconds, Meta(description="time without text, whatever signs of life there are")
    ] = 600.0


def recovery_defaults() -> Iterator[tuple[str, str, str]]:
    """Every number: its name, its default with the unit, and what it is."""
    info = inspect.type_info(RecoveryPolicy)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        assert isinstance(field.type, inspect.Metadata)
        unit = (field.type.extra or {}).get("unit", "")
        about = (field.type.extra_json_schema or {})["description"]
        yield field.name, f"{field.default:g} {unit}".rstrip(), about
