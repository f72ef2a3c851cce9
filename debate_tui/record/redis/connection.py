"""The connection to Redis: opening it from a URL, keys, entries and error messages."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlencode

import msgspec
from msgspec import Struct
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import event_from_json
from debate_tui.domain.material import Material
from debate_tui.record.log import StoreUnreachableError, translate_decode_errors
from debate_tui.record.summary import DebateSummary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from debate_tui.domain.events import Event

T = TypeVar("T")

INDEX_KEY: Final = "debate-tui:debates"
"""The ids of all debates, sorted by start time; expired ones stay until the index is read."""

SECRET_KEY: Final = "debate-tui:secret"  # noqa: S105 (the name of the key)
"""The secret from which servers derive viewer tokens and cookies."""

TIMEOUT_S: Final = 5.0
"""Seconds that Redis may take to answer."""

_MAX_CONNECTIONS: Final = 10_000
"""The connection limit; each watched debate takes one."""

_SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
}

_ERROR_MESSAGES: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (exceptions.BusyLoadingError, "is still loading its data", "Wait a moment and try again"),
    (exceptions.AuthenticationError, "refused the password", "Check the user and password in the address"),
    (
        exceptions.NoPermissionError,
        "does not permit a command",
        "Allow all commands on debate-tui:*",
    ),
    (exceptions.OutOfMemoryError, "is full", "Raise its maxmemory"),
    (exceptions.ReadOnlyError, "is a read-only replica", "Use the address of its primary"),
    (exceptions.ClusterError, "is a Redis Cluster, which is not supported", "Use a single server"),
    (exceptions.AskError, "is a Redis Cluster, which is not supported", "Use a single server"),
    (exceptions.ConnectionError, "cannot be reached", "Check the address, and that Redis is running"),
    (exceptions.TimeoutError, f"did not answer within {TIMEOUT_S:.0f} s", "Check its load and the network"),
)


_TRANSIENT_ERRORS: Final = (exceptions.BusyLoadingError, exceptions.ConnectionError, exceptions.TimeoutError)
"""The errors among these that may pass."""


class StreamEntry(Struct, frozen=True):
    """An event as stored in Redis."""

    seq: int
    epoch: str
    data: bytes


class RetryOnce(Retry):
    """A retry policy: repeat a command once, immediately, after a connection error and nothing else."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (exceptions.ConnectionError,))

    async def call_with_retry(self, do: Callable[[], Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """See `Retry.call_with_retry`; a connection closed by uvloop counts as a connection error."""

        async def call_once() -> T:
            try:
                return await do()
            except RuntimeError as error:
                # https://github.com/MagicStack/uvloop/issues/506: asyncio's own loops raise an OSError
                # here.
                if "the handler is closed" not in str(error):
                    raise
                raise exceptions.ConnectionError(str(error)) from error

        return await super().call_with_retry(call_once, *args, **kwargs)


class RedisConnection:
    """A connection pool, and the server's address for error messages, without its password.

    `url` is ``redis://``, ``rediss://``, ``valkey(s)://`` or ``unix://``, with redis-py's options as query.
    Raise `UsageError` if it is invalid.
    """

    def __init__(self, url: SplitResult) -> None:
        try:
            self.client = Redis.from_url(
                url._replace(scheme=_SCHEMES[url.scheme]).geturl(),
                retry=RetryOnce(),
                protocol=2,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                max_connections=_MAX_CONNECTIONS,
            )
            # Only this validates the query's options; it does not connect yet. redis-py has no types for it.
            self.client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            port = url.port
        except (KeyError, TypeError, ValueError):
            raise UsageError(
                "The address of the Redis server is not valid.",
                "Write redis://[USER:PASSWORD@]HOST[:PORT][/DB].",
            ) from None
        self.address = url.path if url.scheme == "unix" else f"{url.hostname or 'localhost'}:{port or 6379}"

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Raise errors of Redis and of the connection to it as `DebateError`, with a hint."""
        try:
            yield
        except (exceptions.RedisError, OSError) as error:
            raise self.describe_error(error) from None

    def describe_error(self, error: Exception) -> DebateError:
        """Describe an error in plain words; quote Redis only if the error is unknown."""
        reason = error.__cause__ if isinstance(error.__cause__, exceptions.RedisError) else error
        for kind, problem, advice in _ERROR_MESSAGES:
            if isinstance(reason, kind):
                error_type = StoreUnreachableError if kind in _TRANSIENT_ERRORS else DebateError
                return error_type(f"Redis at {self.address} {problem}.", f"{advice}.")
        return DebateError(f"Redis at {self.address} reported: {reason}.", "Check its configuration and log.")

    async def fetch_run_id(self) -> str:
        """Return the server's run id, which changes on a restart or failover; empty if not permitted."""
        try:
            return str((await self.client.info("server")).get("run_id", ""))
        except exceptions.NoPermissionError:
            return ""

    async def read_entries(self, debate: str, after: int, limit: int) -> list[StreamEntry]:
        """Return up to `limit` entries with `seq` greater than `after`, oldest first."""
        events, *_ = debate_keys(debate)
        return parse_entries(await self.client.xrange(events, f"{after + 1}-0", "+", limit))

    async def close_idle(self) -> None:
        """Close idle connections: they may lead to a server that has been replaced."""
        with contextlib.suppress(exceptions.RedisError, OSError):
            await self.client.connection_pool.disconnect(inuse_connections=False)


def debate_keys(debate: str) -> tuple[str, str, str]:
    """Return the keys of a debate: its event stream, its hash and its lease."""
    return (
        f"debate-tui:{{{debate}}}:events",
        f"debate-tui:{{{debate}}}:head",
        f"debate-tui:{{{debate}}}:lease",
    )


def parse_entries(raw: object) -> list[StreamEntry]:
    """Parse the reply to a stream range query."""
    pairs = cast("Iterable[tuple[bytes, dict[bytes, bytes]]]", raw or ())
    return [
        StreamEntry(parse_seq(entry_id), field.decode(), data)
        for entry_id, fields in pairs
        for field, data in fields.items()
    ]


def parse_seq(entry_id: bytes) -> int:
    """Return the `seq` that an entry id stands for."""
    return int(entry_id.partition(b"-")[0])


def pop_query_option(url: SplitResult, name: str) -> tuple[str | None, SplitResult]:
    """Return an option of debate-tui in a URL's query, or `None`, and the URL without it."""
    options = dict(parse_qsl(url.query))
    value = options.pop(name, None)
    return value, url._replace(query=urlencode(options))


def decode_event(data: bytes) -> Event:
    """Decode an event; raise `DebateError` if this version cannot read it."""
    with translate_decode_errors("The debate"):
        return event_from_json(data)


def decode_summary(data: bytes) -> DebateSummary:
    """Decode a debate's summary; raise `DebateError` if this version cannot read it."""
    with translate_decode_errors("The debate"):
        return msgspec.json.decode(data, type=DebateSummary)


def encode_material(material: Sequence[Material]) -> bytes:
    """Encode a debate's material as JSON; empty if there is none."""
    return msgspec.json.encode(material) if material else b""


def decode_material(data: bytes) -> tuple[Material, ...]:
    """Decode a debate's material; raise `DebateError` if this version cannot read it."""
    with translate_decode_errors("The debate"):
        return msgspec.json.decode(data, type=tuple[Material, ...]) if data else ()
