"""What a stranger may cost: bounds on requests, on connections that do not watch yet, and on rates.

Neither uvicorn nor hypercorn limits all of these. The protocols in `uvicorn_protocols` and `hypercorn_server`
check them where bytes are counted anyway, before anything is parsed or kept.
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
"""Bytes that the request line and the headers of a request may have together."""

MAX_HEADERS: Final = 256
"""Headers a request may have: each costs many times its own bytes."""

MAX_BODY_BYTES: Final = 1 << 16
"""Bytes a request may bring."""

REQUEST_TIMEOUT_S: Final = 10.0
"""How long the headers of a request may take to arrive, and then its body."""

RESPONSE_TIMEOUT_S: Final = 60.0
"""How long a client may take to accept an answer that is not a stream."""

MAX_PIPELINED: Final = 16
"""Requests a client may send ahead of the answers."""

MAX_PENDING: Final = 1024
"""Connections that do not watch yet, in all."""

MAX_PENDING_PER_ADDRESS: Final = 128
"""The same from one address."""

MAX_PENDING_BYTES: Final = 1 << 24
"""Bytes that unfinished requests may hold, in all."""

PENDING_GRACE_S: Final = 1.0
"""A connection this young stays: after a restart, all viewers return at once and have yet to be read."""

WEBSOCKET_BURST_BYTES: Final = 2048
WEBSOCKET_BYTES_PER_SECOND: Final = 256
"""What a viewer may send on a WebSocket: answers to pings, pings of its own, and a close."""

CONNECTION_EXTENSION: Final = "debate_tui.connection"
"""An ASGI extension: its `connection` is the client's `PendingConnection`; its `deadline`, if there is
one, ends requests that are not streams."""


def network_of(host: str) -> str:
    """What limits per address count by: an IPv4 address, the /64 of an IPv6 address, else `host` itself."""
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
    """A connection and what it is doing: sending a request, waiting for the answer, or watching."""

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
        """Count bytes of a request that is not complete yet; may close the connections that hold most."""
        self._pending.count_received(self, size)

    def start_request(self) -> None:
        """A request is complete: the connection is not silent until it is answered."""
        self.requests += 1
        self._pending.update(self)

    def end_request(self) -> None:
        """A request was answered."""
        self.requests = max(0, self.requests - 1)
        self._pending.update(self)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A viewer is on this connection, which therefore counts as a viewer's for the length of a block."""
        self.viewers += 1
        self._pending.update(self)
        try:
            yield
        finally:
            self.viewers -= 1
            self._pending.update(self)

    def forget(self) -> None:
        """The connection is closed; may be called again."""
        self._pending.remove(self)


class PendingConnections:
    """The connections of a server that are not viewers yet.

    Above a limit the oldest silent one is closed: it has sent no complete request, or waits for its next.
    Where none is silent, the new one is closed. All calls are on the event loop's thread.
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
        """Count a new connection from `host`, which `close` closes at once."""
        connection = PendingConnection(self, network_of(host), close, self._clock())
        self._open.add(connection)
        self.update(connection)
        self._make_room(self._by_address[connection.address], self._limit_per_address, connection)
        self._make_room(self._pending, self._limit, connection)
        return connection

    def update(self, connection: PendingConnection) -> None:
        """Sort a connection in by what it does now."""
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
        """Close silent connections of a group until no more than `limit` are left, oldest first."""
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
    """The request is a viewer's stream: its connection no longer counts as pending."""
    extension = scope.get("extensions", {}).get(CONNECTION_EXTENSION)
    if extension is None:
        yield
    else:
        if "deadline" in extension:
            extension["deadline"].reschedule(None)
        with extension["connection"].watching():
            yield


class Allowance:
    """Bytes a client may send that has nothing to say: a burst, and so many per second after it."""

    __slots__ = ("_burst", "_checked_at", "_clock", "_left", "_per_second")

    def __init__(self, burst: int, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = float(burst)
        self._checked_at = clock()

    def take(self, size: int) -> bool:
        """Use some; whether there was enough."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._checked_at) * self._per_second) - size
        self._checked_at = now
        return self._left >= 0

    def add(self, size: int) -> None:
        """Allow more, up to the burst."""
        self._left = min(self._burst, self._left + size)


MAX_RATED_KEYS: Final = 10_000
"""Addresses whose rates are known; those that did nothing for longest are forgotten first."""


class RateLimiter:
    """So many at once for each key, and one more every `interval_s` seconds."""

    def __init__(self, burst: int, interval_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tolerance = (burst - 1) * interval_s
        self._interval = interval_s
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait_s(self, key: str) -> float:
        """Seconds until the next is allowed; 0 for now."""
        return max(0.0, self._due.get(key, 0.0) - self._tolerance - self._clock())

    def count(self, key: str) -> None:
        """One more happened."""
        now = self._clock()
        due = max(self._due.pop(key, now), now) + self._interval
        while len(self._due) >= MAX_RATED_KEYS:
            del self._due[next(iter(self._due))]
        self._due[key] = min(due, now + self._tolerance + self._interval)


class ViewerLimits(Struct, frozen=True):
    """How many may watch at once: in total, and from one address."""

    viewers: int = 10_000
    viewers_per_address: int = 100
