"""The connection to Redis: opened from a URL, its keys, its entries, and its errors in plain words."""

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
from debate_tui.domain.events import decode
from debate_tui.record.log import Unreachable
from debate_tui.record.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from debate_tui.domain.events import Event

T = TypeVar("T")

INDEX: Final = "debate-tui:debates"
"""The ids of all debates, sorted by when they began; those that have expired are left until it is read."""

TIMEOUT_S: Final = 5.0
"""How long Redis may take to answer."""

_CONNECTIONS: Final = 10_000
"""Each debate watched takes one."""

_SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
}

_ADVICE: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (exceptions.BusyLoadingError, "is still loading its data", "it answers soon"),
    (exceptions.AuthenticationError, "refuses the password", "check user and password in the address"),
    (exceptions.NoPermissionError, "does not permit that", "give the user all commands on debate-tui:*"),
    (exceptions.OutOfMemoryError, "is full", "raise its maxmemory"),
    (exceptions.ReadOnlyError, "is a replica, which only reads", "use the address of its primary"),
    (exceptions.ClusterError, "is a Redis Cluster, which does not work", "use a Redis of its own"),
    (exceptions.AskError, "is a Redis Cluster, which does not work", "use a Redis of its own"),
    (exceptions.ConnectionError, "cannot be reached", "check the address, and whether Redis runs"),
    (exceptions.TimeoutError, f"does not answer within {TIMEOUT_S:.0f} s", "check its load and the network"),
)


_AWAY: Final = (exceptions.BusyLoadingError, exceptions.ConnectionError, exceptions.TimeoutError)
"""Of these, the kinds that pass."""


class Entry(Struct, frozen=True):
    """An event as it lies in Redis."""

    seq: int
    epoch: str
    data: bytes


class OnceMore(Retry):
    """Asks once more, at once, what met a connection that was cut; nothing else."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (exceptions.ConnectionError,))

    async def call_with_retry(self, do: Callable[[], Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """See `Retry.call_with_retry`; whoever is cut off by uvloop hears of it as everybody else does."""

        async def asked() -> T:
            try:
                return await do()
            except RuntimeError as error:
                # https://github.com/MagicStack/uvloop/issues/506: asyncio's own loops raise an OSError here.
                if "the handler is closed" not in str(error):
                    raise
                raise exceptions.ConnectionError(str(error)) from error

        return await super().call_with_retry(asked, *args, **kwargs)


class Link:
    """A connection pool, and what to call the server in an error: never its password.

    `url` is ``redis://``, ``rediss://`` or ``unix://``, with redis-py's options as query. Raises
    `UsageError` for an address that is none.
    """

    def __init__(self, url: SplitResult) -> None:
        try:
            self.client = Redis.from_url(
                url._replace(scheme=_SCHEMES[url.scheme]).geturl(),
                retry=OnceMore(),
                protocol=2,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                max_connections=_CONNECTIONS,
            )
            # Only this looks at the options of the query; it connects nothing yet.
            self.client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            port = url.port
        except (KeyError, TypeError, ValueError):
            raise UsageError(
                "the address of the Redis server is not one", "write redis://[USER:PASSWORD@]HOST[:PORT][/DB]"
            ) from None
        self.where = url.path if url.scheme == "unix" else f"{url.hostname or 'localhost'}:{port or 6379}"

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the errors of Redis and of the way to it into errors meant for people."""
        try:
            yield
        except (exceptions.RedisError, OSError) as error:
            raise self.explain(error) from None

    def explain(self, error: Exception) -> DebateError:
        """An error in plain words; what Redis said of it is kept only where there are none."""
        reason = error.__cause__ if isinstance(error.__cause__, exceptions.RedisError) else error
        for kind, trouble, advice in _ADVICE:
            if isinstance(reason, kind):
                passing = Unreachable if kind in _AWAY else DebateError
                return passing(f"Redis at {self.where} {trouble}", advice)
        return DebateError(f"Redis at {self.where} refuses: {reason}", "check its configuration and log")

    async def server(self) -> str:
        """What changes when Redis is restarted, or another server takes over; empty where it will not say."""
        try:
            return str((await self.client.info("server")).get("run_id", ""))
        except exceptions.NoPermissionError:
            return ""

    async def entries(self, debate: str, after: int, limit: int) -> list[Entry]:
        """Entries behind a position, oldest first, at most `limit`."""
        events, *_ = keys(debate)
        return entries(await self.client.xrange(events, f"{after + 1}-0", "+", limit))

    async def forget(self) -> None:
        """Close idle connections: they may lead to a server that is no longer the one to ask."""
        with contextlib.suppress(exceptions.RedisError, OSError):
            await self.client.connection_pool.disconnect(inuse_connections=False)


def keys(debate: str) -> tuple[str, str, str]:
    """A debate's stream of events; the hash beside it; who holds it."""
    return (
        f"debate-tui:{{{debate}}}:events",
        f"debate-tui:{{{debate}}}:head",
        f"debate-tui:{{{debate}}}:lease",
    )


def entries(raw: object) -> list[Entry]:
    """What a range of a stream holds."""
    pairs = cast("Iterable[tuple[bytes, dict[bytes, bytes]]]", raw or ())
    return [
        Entry(seq_of(place), field.decode(), data)
        for place, fields in pairs
        for field, data in fields.items()
    ]


def seq_of(place: bytes) -> int:
    """The `seq` an entry's id stands for."""
    return int(place.partition(b"-")[0])


def option(url: SplitResult, name: str) -> tuple[str | None, SplitResult]:
    """An option of ours in a URL's query, if given, and the URL without it."""
    options = dict(parse_qsl(url.query))
    value = options.pop(name, None)
    return value, url._replace(query=urlencode(options))


def event_of(data: bytes) -> Event:
    """An event from its bytes; raises `DebateError` if it is of no known kind."""
    with _readable():
        return decode(data)


def summary_of(data: bytes) -> Summary:
    """A debate's summary from its bytes; raises `DebateError` if it is not as this version writes them."""
    with _readable():
        return msgspec.json.decode(data, type=Summary)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DebateError(
            f"the debate holds what this version cannot read: {error}", "upgrade debate-tui"
        ) from error
