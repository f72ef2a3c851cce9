"""Who may append to a debate: one producer at a time, told apart by a token that only ever grows.

Every step is a script, which Redis carries out as a whole. A lease runs out when its holder stops renewing
it; then another may take the debate over, with a higher token, and nothing the former holder still sends is
taken. Without another, a late holder goes on as if nothing had happened.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Struct

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.record.log import TakenOver
from debate_tui.record.redis.client import INDEX, Entry, keys, seq_of, summary_of
from debate_tui.record.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import Self

    from debate_tui.record.redis.client import Link

_COMMON: Final = """
local events, head, lease, index = unpack(KEYS)

local function newest()
  return redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
end

local function hold(token, lease_ms, ttl_ms)
  redis.call('SET', lease, token, 'PX', lease_ms)
  for _, key in ipairs({events, head}) do
    if ttl_ms == '0' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, ttl_ms)
    end
  end
end
"""

# Both ways to a lease may be asked twice, where the first answer got lost: the same claim gets the same.
_CREATE: Final = (
    _COMMON
    + """
local lease_ms, ttl_ms, epoch, server, setup, summary, started, debate = unpack(ARGV)
if redis.call('EXISTS', head) == 1 then
  return redis.call('HGET', head, 'claim') == epoch and 1 or 0
end
redis.call('DEL', events)
redis.call('HSET', head, 'token', 1, 'claim', epoch, 'epoch', epoch, 'server', server)
redis.call('HSET', head, 'setup', setup, 'summary', summary)
redis.call('ZADD', index, started, debate)
hold(1, lease_ms, ttl_ms)
return 1
"""
)

# Where Redis may have lost events since the last producer knew all to be there, a new epoch begins.
_RESUME: Final = (
    _COMMON
    + """
local lease_ms, ttl_ms, epoch, server = unpack(ARGV)
if redis.call('EXISTS', head) == 0 then
  return {'gone'}
end
local token = redis.call('HGET', head, 'token')
if redis.call('HGET', head, 'claim') ~= epoch then
  local left = redis.call('PTTL', lease)
  if left > 0 then
    return {'held', left}
  end
  token = redis.call('HINCRBY', head, 'token', 1)
  redis.call('HSET', head, 'claim', epoch)
end
if redis.call('HGET', head, 'server') ~= server then
  redis.call('HSET', head, 'epoch', epoch, 'server', server)
end
hold(token, lease_ms, ttl_ms)
local known = redis.call('HMGET', head, 'epoch', 'setup', 'summary')
local top = newest()
return {'taken', token, known[1], known[2], known[3], top and top[2][2]}
"""
)

# Events that are there already, from a batch whose answer got lost, are skipped; a gap is never made.
_APPEND: Final = (
    _COMMON
    + """
local token, lease_ms, ttl_ms, epoch, summary, first = unpack(ARGV, 1, 6)
if redis.call('HGET', head, 'token') ~= token then
  return -1
end
local top = newest()
local last = top and tonumber(string.match(top[1], '%d+')) or 0
if tonumber(first) <= last + 1 then
  for i = 7 + last + 1 - tonumber(first), #ARGV do
    last = last + 1
    redis.call('XADD', events, string.format('%d-0', last), epoch, ARGV[i])
  end
  redis.call('HSET', head, 'summary', summary)
end
hold(token, lease_ms, ttl_ms)
return last
"""
)

# A debate that is not there was lost by Redis, or else deleted: then the server is the one it was on.
_RESTORE: Final = (
    _COMMON
    + """
local token, lease_ms, ttl_ms, epoch, summary, server, known, setup, started, debate = unpack(ARGV)
local held = redis.call('HGET', head, 'token')
if held and held ~= token then
  return {'fenced'}
end
if not held and server == known then
  return {'gone'}
end
redis.call('HSET', head, 'token', token, 'epoch', epoch, 'server', server, 'setup', setup, 'summary', summary)
redis.call('ZADD', index, started, debate)
hold(token, lease_ms, ttl_ms)
local top = newest()
return {'restored', top and top[1], top and top[2][2]}
"""
)

_RELEASE: Final = (
    _COMMON
    + """
if redis.call('GET', lease) == ARGV[1] then
  redis.call('DEL', lease)
end
"""
)


class Terms(Struct, frozen=True):
    """How long, in seconds, a silent producer keeps a debate, and Redis keeps it after that (0: for good)."""

    lease_s: float
    ttl_s: float

    def args(self) -> tuple[int, int]:
        """Both in milliseconds."""
        return int(self.lease_s * 1000), int(self.ttl_s * 1000)


class Lease:
    """The right to append to a debate. Every method raises redis-py's errors."""

    def __init__(
        self, link: Link, debate: str, terms: Terms, *, token: int, epoch: str, server: str, setup: str
    ) -> None:
        self.link = link
        self.debate = debate
        self.terms = terms
        self.epoch = epoch
        self._token = token
        self._server = server
        self._setup = setup

    @classmethod
    async def create(cls, link: Link, debate: str, terms: Terms, *, setup: str, started: float) -> Self:
        """Begin a debate; raises `UsageError` if there is one of this id."""
        epoch, server = _new_epoch(), await link.server()
        summary = msgspec.json.encode(Summary(debate))
        if not await _call(
            link, _CREATE, debate, *terms.args(), epoch, server, setup, summary, started, debate
        ):
            raise UsageError(f"there is a debate {debate!r} already", "resume it, or choose another id")
        return cls(link, debate, terms, token=1, epoch=epoch, server=server, setup=setup)

    @classmethod
    async def take_over(cls, link: Link, debate: str, terms: Terms) -> tuple[Self, Summary, bytes | None]:
        """Take up a debate that nobody holds; also gives its summary and newest event.

        Raises `DebateError` while somebody holds it, and `UsageError` where there is no such debate.
        """
        server = await link.server()
        outcome, *rest = cast(
            "list[bytes]", await _call(link, _RESUME, debate, *terms.args(), _new_epoch(), server)
        )
        if outcome == b"gone":
            raise UsageError(f"no debate is called {debate!r}", "it may have expired")
        if outcome == b"held":
            raise DebateError(
                f"the debate {debate} is being held by another process",
                f"it can be continued {int(rest[0]) / 1000:.0f} s after that one has died",
            )
        token, epoch, setup, summary, *newest = rest
        lease = cls(
            link,
            debate,
            terms,
            token=int(token),
            epoch=epoch.decode(),
            server=server,
            setup=setup.decode(),
        )
        known = summary_of(summary)
        return lease, known, newest[0] if newest else None

    async def append(self, first: int, events: Sequence[bytes], summary: Summary) -> int:
        """Append events, of which `first` is the first one's `seq`, and renew the lease.

        Returns the `seq` of the newest event there is then; less than that of the last one given if there
        would have been a gap, -1 if the lease was lost: `restore` tells what happened.
        """
        last = await self._ask(_APPEND, self.epoch, msgspec.json.encode(summary), first, *events)
        return cast("int", last)

    async def restore(self, summary: Summary) -> Entry | None:
        """Go on after Redis was away, with whatever it still has; returns the newest entry there is.

        Raises `TakenOver` if somebody took over, and `DebateError` if the debate was deleted.
        """
        server = await self.link.server()
        reply = await self._ask(
            _RESTORE,
            self.epoch,
            msgspec.json.encode(summary),
            server,
            self._server,
            self._setup,
            summary.started,
            self.debate,
        )
        outcome, *newest = cast("list[bytes]", reply)
        if outcome == b"fenced":
            raise TakenOver(
                f"another process continues the debate {self.debate}", "it ends here; watch it there"
            )
        if outcome == b"gone":
            raise DebateError(f"the debate {self.debate} was deleted", "export it before leaving")
        self._server = server
        return Entry(seq_of(newest[0]), self.epoch, newest[1]) if newest else None

    async def release(self) -> None:
        """Let others continue the debate at once."""
        await _call(self.link, _RELEASE, self.debate, self._token)

    def _ask(self, script: str, *args: str | bytes | float) -> Awaitable[object]:
        return _call(self.link, script, self.debate, self._token, *self.terms.args(), *args)


def _new_epoch() -> str:
    return secrets.token_hex(4)


def _call(link: Link, script: str, debate: str, *args: str | bytes | float) -> Awaitable[object]:
    return link.client.register_script(script)(keys=(*keys(debate), INDEX), args=args)
