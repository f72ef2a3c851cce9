"""What the statistics say at one moment: plain values, for a screen or a table to put into words."""

from __future__ import annotations

from msgspec import Struct

from debate_tui.display.buffer import LaneStatistics
from debate_tui.domain.stream import FaultReport, FinishReason, Origin, StreamState


class Spread(Struct, frozen=True):
    """The middle and the slow end of a measurement, in seconds; `None` before there is one."""

    p50: float | None = None
    p95: float | None = None


class Tokens(Struct, frozen=True):
    """A number of tokens; `estimated` says that it was reckoned from the text."""

    count: int = 0
    estimated: bool = False


class Break(Struct, frozen=True, kw_only=True):
    """A fault, and what became of it.

    `at` is in seconds since the debate began. `wait` is the time until the next connection, `None` where the
    stream was given up. Once text came again, `offset` is how many characters it found, and `origin` where
    the server began, if that is known; with `superseded` nothing of the old text was left.
    """

    at: float
    fault: FaultReport
    retry: int = 0
    max_retries: int = 0
    wait: float | None = None
    origin: Origin | None = None
    offset: int | None = None
    superseded: bool = False


class Turn(Struct, frozen=True, kw_only=True):
    """The figures of a debater's newest turn.

    All times are in seconds and start with the turn. `first_token` is the first text, answer or reasoning;
    `first_answer` differs from it only where it `reasoned` first. `rate` is the mean in tokens per second
    over the time in which text flowed: waits, pauses and outages are none of it.
    """

    number: int = 0
    first_token: float | None = None
    first_answer: float | None = None
    reasoned: bool = False
    tokens: Tokens | None = None
    rate: float | None = None
    cost: float | None = None
    reason: FinishReason | None = None


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one debater's streams; all but those in `turn` are of the whole debate.

    `first_byte` is the newest connection's time from asking to the server's answer. `now` is the present
    speed in tokens per second, `rate` the mean as in `Turn`. `gaps` are the times between two chunks of one
    connection. `size` is in bytes of UTF-8. Of all `connections`, `reuses` went over one that stood already;
    `reused` is about the newest and `None` if that is not known. `waited` is the time spent waiting to
    connect again, in seconds. Of a debate that is held elsewhere, `transport` is what it comes here by, and
    `shared` whether all its debaters come by one stream.
    """

    debater: str
    name: str
    model: str
    state: StreamState
    removed: bool
    transport: str
    reused: bool | None
    connections: int
    reuses: int
    first_byte: float | None
    first_bytes: Spread
    first_tokens: Spread
    turn: Turn
    turns: int
    tokens: Tokens
    now: float
    rate: float | None
    gaps: Spread
    size: int
    chunks: int
    reconnections: int
    waited: float
    breaks: tuple[Break, ...]
    cost: float | None
    buffer: LaneStatistics | None
    shared: bool | None = None


class Painting(Struct, frozen=True):
    """What the screen had to do: `frames` is the time one took."""

    flushes: int
    frames: Spread


class Report(Struct, frozen=True):
    """All figures of a debate at one moment.

    `elapsed` is in seconds since it began; without a screen there is no painting.
    """

    elapsed: float
    streams: tuple[Figures, ...]
    painting: Painting | None
