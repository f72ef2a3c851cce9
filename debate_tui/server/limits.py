"""Limits on untrusted clients: requests, connections that are not watching yet, rates and viewers.

Neither uvicorn nor hypercorn has all of these limits. `uvicorn_protocols` and `hypercorn_server` count bytes
as they arrive, before anything is parsed or stored; `limit_responses` counts requests.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.server.encoding import Pieces

MAX_HEAD_BYTES: Final = 1 << 16
"""Maximum bytes of a request's request line and headers together."""

MAX_HEADERS: Final = 256
"""Maximum headers of a request: each costs many times its size in memory."""

MAX_BODY_BYTES: Final = 1 << 16
"""Maximum bytes of a request's body."""

REQUEST_TIMEOUT_S: Final = 10.0
"""Seconds a connection may be silent: without a complete request, a response under way, or a viewer."""

RESPONSE_TIMEOUT_S: Final = 60.0
"""Seconds a client has to accept a response that is not a stream."""

MAX_PIPELINED: Final = 16
"""Maximum requests a client may send before it gets the responses."""

MAX_ANSWERED: Final = 16
"""Maximum requests of an HTTP/2 connection that are answered at a time; the others wait."""

MAX_WAITING_PER_ADDRESS: Final = 512
"""Maximum requests that wait for that, per address; another one closes its connection."""

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

REQUEST_EXTENSION: Final = "debate_tui.request"
"""The name of the ASGI extension `ClientRequest`."""


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


@dataclass(eq=False, slots=True)
class PendingConnection:
    """A connection and its state: silent, with `requests` being answered, or with `viewers`.

    `pending_since` and `silent_since` are times of the registry's clock.
    """

    address: str
    close: Callable[[], object]
    closed: bool = False
    pending_since: float = 0.0
    silent_since: float = 0.0
    received: int = 0
    requests: int = 0
    viewers: int = 0

    @property
    def is_silent(self) -> bool:
        """Whether the server is waiting for a request from the client."""
        return not (self.requests or self.viewers)


class PendingConnections:
    """The connections of a server that are not watching yet.

    Above a limit, the oldest silent connection is closed. If none is silent, the new one is closed. Call
    everything on the event loop's thread.
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
        self._pending: dict[PendingConnection, None] = {}  # The oldest first.
        self._counts_by_address: Counter[str] = Counter()
        self._waiting_by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._pending)

    def open(self, host: str, close: Callable[[], object]) -> PendingConnection:
        """Register a new connection from `host`; `close` must close it at once."""
        connection = PendingConnection(network_of(host), close)
        self.change(connection)
        address = connection.address
        self._close_oldest(self._counts_by_address[address] - self._limit_per_address, connection, address)
        self._close_oldest(len(self._pending) - self._limit, connection)
        return connection

    def change(self, connection: PendingConnection, *, requests: int = 0, viewers: int = 0) -> None:
        """Add to a connection's number of requests being answered, and of viewers."""
        connection.requests += requests
        connection.viewers += viewers
        if connection.closed:
            return
        now = self._clock()
        if connection.is_silent:
            connection.silent_since = now
        else:
            self._received -= connection.received
            connection.received = 0
        if connection.viewers:
            self._drop(connection)
        elif connection not in self._pending:
            connection.pending_since = now
            self._pending[connection] = None
            self._counts_by_address[connection.address] += 1

    def add_received(self, connection: PendingConnection, size: int) -> None:
        """Count bytes of an incomplete request; may close the connections with the most bytes."""
        if connection.closed or not connection.is_silent:
            return
        connection.received += size
        self._received += size
        while self._received > self._byte_limit:
            self._close(max(self._pending, key=lambda each: each.received))

    @contextmanager
    def waiting(self, connection: PendingConnection) -> Iterator[None]:
        """Count a request that waits for others of its connection; may close the connection."""
        self._waiting_by_address[connection.address] += 1
        if self._waiting_by_address[connection.address] > MAX_WAITING_PER_ADDRESS and not connection.closed:
            self._close(connection)
        try:
            yield
        finally:
            self._waiting_by_address[connection.address] -= 1
            if not self._waiting_by_address[connection.address]:
                del self._waiting_by_address[connection.address]

    def remove(self, connection: PendingConnection) -> None:
        """Record that a connection is closed; may be called repeatedly."""
        if not connection.closed:
            connection.closed = True
            self._received -= connection.received
            self._drop(connection)

    def close_overdue(self) -> None:
        """Close connections that have been silent for `REQUEST_TIMEOUT_S` seconds."""
        overdue = self._clock() - REQUEST_TIMEOUT_S
        for connection in tuple(self._pending):
            if connection.is_silent and connection.silent_since <= overdue:
                self._close(connection)

    async def keep_closing_overdue(self) -> None:
        """Call `close_overdue` regularly; runs until cancelled."""
        while True:
            await asyncio.sleep(REQUEST_TIMEOUT_S / 10)
            self.close_overdue()

    def _drop(self, connection: PendingConnection) -> None:
        if connection in self._pending:
            del self._pending[connection]
            self._counts_by_address[connection.address] -= 1
            if not self._counts_by_address[connection.address]:
                del self._counts_by_address[connection.address]

    def _close_oldest(self, excess: int, newest: PendingConnection, address: str | None = None) -> None:
        """Close the `excess` oldest silent connections, of an address or in total.

        Connections younger than `PENDING_GRACE_S` stay. If none is silent, close `newest`.
        """
        if excess <= 0:
            return
        grace = self._clock() - PENDING_GRACE_S
        old = takewhile(lambda each: each.pending_since <= grace, self._pending)
        silent = (each for each in old if each.is_silent and address in (None, each.address))
        overflow = list(islice(silent, excess))
        for connection in overflow:
            self._close(connection)
        if len(overflow) < excess and not any(
            each.is_silent and each is not newest and address in (None, each.address)
            for each in self._pending
        ):
            self._close(newest)

    def _close(self, connection: PendingConnection) -> None:
        self.remove(connection)
        connection.close()


class ClientRequest:
    """An ASGI extension: a request and the connection it came over.

    `push`, if the server has it, sends to the client without waiting and returns whether the client keeps up.
    `ready` waits until the client has accepted most of what was sent. `turn`, if the server has it, limits
    the requests of a connection that are answered at a time.
    """

    __slots__ = ("_deadline", "_pending", "_turn", "connection", "push", "ready")

    def __init__(
        self,
        pending: PendingConnections,
        connection: PendingConnection,
        push: Callable[[Pieces], bool] | None = None,
        ready: Callable[[], Awaitable[object]] | None = None,
        turn: asyncio.Semaphore | None = None,
    ) -> None:
        self.connection = connection
        self.push = push
        self._pending = pending
        self._turn = turn
        self.ready = ready
        self._deadline: asyncio.TimerHandle

    async def start(self) -> None:
        """Count the request as being answered; close the connection after `RESPONSE_TIMEOUT_S` seconds."""
        if self._turn is not None:
            with self._pending.waiting(self.connection):
                await self._turn.acquire()
        self._pending.change(self.connection, requests=1)
        self._start_deadline()

    def finish(self) -> None:
        """Record that the client has accepted the response."""
        self._deadline.cancel()
        self._end_turn()
        self._pending.change(self.connection, requests=-1)

    def start_watching(self) -> None:
        """Count the request as a viewer, which has no deadline."""
        self._deadline.cancel()
        self._end_turn()
        self._pending.change(self.connection, requests=-1, viewers=1)

    def stop_watching(self) -> None:
        """Count the request as one that is being answered again."""
        self._pending.change(self.connection, requests=1, viewers=-1)
        self._start_deadline()

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Count the connection as silent while the client sends the request's body."""
        self._pending.change(self.connection, requests=-1)
        try:
            yield
        finally:
            self._pending.change(self.connection, requests=1)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.release()
            self._turn = None

    def _start_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(RESPONSE_TIMEOUT_S, self.connection.close)


def request_of(scope: Scope) -> ClientRequest:
    """Return the ASGI extension that the server has added to `scope`."""
    request: ClientRequest = scope["extensions"][REQUEST_EXTENSION]
    return request


def limit_responses(app: ASGIApp) -> ASGIApp:
    """Return ASGI middleware that counts requests until the client has accepted the response."""

    async def limited_app(scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        await request.start()
        try:
            await app(scope, receive, send)
            if request.ready is not None:
                await request.ready()
        finally:
            request.finish()

    return limited_app


class Allowance:
    """A budget for a client: a burst, refilled at a rate per second."""

    __slots__ = ("_burst", "_checked_at", "_clock", "_left", "_per_second")

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = float(burst)
        self._checked_at = clock()

    def take(self, amount: int) -> bool:
        """Use up to `amount`; return whether the budget was enough."""
        left = self._refill() - amount
        self._left = max(0.0, left)
        return left >= 0

    def add(self, amount: int) -> None:
        """Add to the budget, up to the burst."""
        self._left = min(self._burst, self._left + amount)

    def wait_s(self) -> float:
        """Return the seconds until 1 can be taken."""
        return max(0.0, 1 - self._refill()) / self._per_second

    def _refill(self) -> float:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._checked_at) * self._per_second)
        self._checked_at = now
        return self._left


MAX_RATED_KEYS: Final = 10_000
"""Maximum keys a rate limiter remembers; the least recently used are dropped first."""


class RateLimiter:
    """A rate limit per key: a burst, then one every `interval_s` seconds."""

    def __init__(self, burst: int, interval_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._new_allowance = partial(Allowance, burst, 1 / interval_s, clock)
        self._allowances: dict[str, Allowance] = {}

    def wait_s(self, key: str) -> float:
        """Return the seconds until the next action is allowed; 0 if it is allowed now."""
        allowance = self._allowances.get(key)
        return allowance.wait_s() if allowance else 0.0

    def count(self, key: str) -> None:
        """Count one action."""
        allowance = self._allowances.pop(key, None) or self._new_allowance()
        while len(self._allowances) >= MAX_RATED_KEYS:
            del self._allowances[next(iter(self._allowances))]
        self._allowances[key] = allowance
        allowance.take(1)


class ViewerLimits(Struct, frozen=True):
    """Maximum viewers at once, in total and per address."""

    viewers: int = 10_000
    viewers_per_address: int = 100
