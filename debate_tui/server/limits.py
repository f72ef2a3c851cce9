"""Limits on untrusted clients: requests, connections that are not watching yet, rates and viewers.

Neither uvicorn nor hypercorn has all of these limits. The protocols in `uvicorn_protocols` and
`hypercorn_server` check them as bytes arrive, before anything is parsed or stored.
"""

from __future__ import annotations

import ipaddress
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Scope

MAX_HEAD_BYTES: Final = 1 << 16
"""Maximum bytes of a request's request line and headers together."""

MAX_HEADERS: Final = 256
"""Maximum headers of a request: each costs many times its size in memory."""

MAX_BODY_BYTES: Final = 1 << 16
"""Maximum bytes of a request's body."""

REQUEST_TIMEOUT_S: Final = 10.0
"""Seconds allowed for a request's headers to arrive, and again for its body."""

RESPONSE_TIMEOUT_S: Final = 60.0
"""Seconds allowed for a response that is not a stream."""

MAX_PIPELINED: Final = 16
"""Maximum requests a client may send before it gets the responses."""

MAX_PENDING: Final = 1024
"""Maximum connections that are not watching yet, in total."""

MAX_PENDING_PER_ADDRESS: Final = 128
"""Maximum connections that are not watching yet, per address."""

MAX_PENDING_BYTES: Final = 1 << 24
"""Maximum bytes of incomplete requests, in total."""

PENDING_GRACE_S: Final = 1.0
"""Age in seconds below which connections are not closed: after a restart, all viewers return at once."""

WEBSOCKET_BURST_BYTES: Final = 2048
WEBSOCKET_BYTES_PER_SECOND: Final = 256
"""Bytes a viewer may send over a WebSocket, which it needs only for pings, pongs and a close."""

CONNECTION_EXTENSION: Final = "debate_tui.connection"
"""An ASGI extension with the client's `connection` (a `PendingConnection`).

It may also have a `deadline`, which ends requests that are not streams.
"""


def network_of(host: str) -> str:
    """Return the key for limits per address: an IPv4 address, an IPv6 /64 network, or else `host`."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


class PendingConnection:
    """A connection and its state: sending a request, waiting for the response, or watching."""

    __slots__ = ("_pending", "address", "close", "opened_at", "received", "requests", "viewers")

    def __init__(
        self, pending: PendingConnections, address: str, close: Callable[[], object], opened_at: float
    ) -> None:
        self._pending = pending
        self.address = address
        self.close = close
        self.opened_at = opened_at
        self.received = 0
        self.requests = 0
        self.viewers = 0

    def add_received(self, size: int) -> None:
        """Count bytes of an incomplete request; may close the connections with the most bytes."""
        self._pending.count_received(self, size)

    def start_request(self) -> None:
        """Record that a request is complete; the connection is not silent until `end_request`."""
        self.requests += 1
        self._pending.update(self)

    def end_request(self) -> None:
        """Record that a request has been answered."""
        self.requests = max(0, self.requests - 1)
        self._pending.update(self)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count the connection as a viewer's, not as pending, while the context is open."""
        self.viewers += 1
        self._pending.update(self)
        try:
            yield
        finally:
            self.viewers -= 1
            self._pending.update(self)

    def forget(self) -> None:
        """Record that the connection is closed; may be called repeatedly."""
        self._pending.remove(self)


class PendingConnections:
    """The connections of a server that are not watching yet.

    Above a limit, the oldest silent connection is closed, that is one without a request being answered. If
    none is silent, the new one is closed. Call everything on the event loop's thread.
    """

    def __init__(
        self,
        limit: int = MAX_PENDING,
        limit_per_address: int = MAX_PENDING_PER_ADDRESS,
        *,
        byte_limit: int = MAX_PENDING_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._byte_limit = byte_limit
        self._clock = clock
        self._received = 0
        self._open: set[PendingConnection] = set()
        self._pending: dict[PendingConnection, None] = {}
        self._silent: dict[PendingConnection, None] = {}
        self._by_address: dict[str, dict[PendingConnection, None]] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def open(self, host: str, close: Callable[[], object]) -> PendingConnection:
        """Register a new connection from `host`; `close` must close it at once."""
        connection = PendingConnection(self, network_of(host), close, self._clock())
        self._open.add(connection)
        self.update(connection)
        self._make_room(self._by_address[connection.address], self._limit_per_address, connection)
        self._make_room(self._pending, self._limit, connection)
        return connection

    def update(self, connection: PendingConnection) -> None:
        """Update the counts after the state of a connection has changed."""
        if connection not in self._open:
            return
        if connection.viewers or connection.requests:
            self._silent.pop(connection, None)
            self._received -= connection.received
            connection.received = 0
        else:
            self._silent.setdefault(connection)
        if connection.viewers:
            self._drop_pending(connection)
        else:
            self._pending.setdefault(connection)
            self._by_address.setdefault(connection.address, {}).setdefault(connection)

    def count_received(self, connection: PendingConnection, size: int) -> None:
        """See `PendingConnection.add_received`."""
        if connection not in self._silent:
            return
        connection.received += size
        self._received += size
        while self._received > self._byte_limit and self._silent:
            self._evict(max(self._silent, key=lambda each: each.received))

    def remove(self, connection: PendingConnection) -> None:
        """See `PendingConnection.forget`."""
        if connection in self._open:
            self._open.discard(connection)
            self._silent.pop(connection, None)
            self._received -= connection.received
            connection.received = 0
            self._drop_pending(connection)

    def _drop_pending(self, connection: PendingConnection) -> None:
        self._pending.pop(connection, None)
        same_address = self._by_address.get(connection.address, {})
        same_address.pop(connection, None)
        if not same_address:
            self._by_address.pop(connection.address, None)

    def _make_room(self, group: dict[PendingConnection, None], limit: int, newest: PendingConnection) -> None:
        """Close the oldest silent connections of a group until it has `limit` or fewer.

        Connections younger than `PENDING_GRACE_S` stay. If none is silent, close `newest`.
        """
        excess = len(group) - limit
        if excess <= 0:
            return
        grace = self._clock() - PENDING_GRACE_S
        old = (each for each in group if each.opened_at <= grace)
        for connection in list(islice((each for each in old if each in self._silent), excess)):
            self._evict(connection)
        if len(group) > limit and all(each is newest or each not in self._silent for each in group):
            self._evict(newest)

    def _evict(self, connection: PendingConnection) -> None:
        self.remove(connection)
        connection.close()


@contextmanager
def watching(scope: Scope) -> Iterator[None]:
    """Mark the request as a viewer's stream while the context is open: not pending, no deadline."""
    extension = scope.get("extensions", {}).get(CONNECTION_EXTENSION)
    if extension is None:
        yield
    else:
        if "deadline" in extension:
            extension["deadline"].reschedule(None)
        with extension["connection"].watching():
            yield


class Allowance:
    """A byte budget for a client: a burst, refilled at a rate per second."""

    __slots__ = ("_burst", "_checked_at", "_clock", "_left", "_per_second")

    def __init__(self, burst: int, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = float(burst)
        self._checked_at = clock()

    def take(self, size: int) -> bool:
        """Use `size` bytes; return whether the budget was enough."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._checked_at) * self._per_second) - size
        self._checked_at = now
        return self._left >= 0

    def add(self, size: int) -> None:
        """Add `size` bytes to the budget, up to the burst."""
        self._left = min(self._burst, self._left + size)


MAX_RATED_KEYS: Final = 10_000
"""Maximum keys a rate limiter remembers; the least recently used are dropped first."""


class RateLimiter:
    """A rate limit per key: a burst, then one every `interval_s` seconds."""

    def __init__(self, burst: int, interval_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tolerance = (burst - 1) * interval_s
        self._interval = interval_s
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait_s(self, key: str) -> float:
        """Return the seconds until the next action is allowed; 0 if it is allowed now."""
        return max(0.0, self._due.get(key, 0.0) - self._tolerance - self._clock())

    def count(self, key: str) -> None:
        """Count one action."""
        now = self._clock()
        due = max(self._due.pop(key, now), now) + self._interval
        while len(self._due) >= MAX_RATED_KEYS:
            del self._due[next(iter(self._due))]
        self._due[key] = min(due, now + self._tolerance + self._interval)


class ViewerLimits(Struct, frozen=True):
    """Maximum viewers at once, in total and per address."""

    viewers: int = 10_000
    viewers_per_address: int = 100
