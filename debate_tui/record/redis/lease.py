"""The right to append to a debate: one producer at a time, identified by an increasing token.

Each step is a script, which Redis executes atomically. A lease expires when its holder stops renewing it.
Then another process may take over the debate with a higher token, and anything the previous holder still
sends is rejected. If no other process has taken over, a late holder continues as if nothing had happened.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Struct

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.wording import format_duration
from debate_tui.record.log import TakenOverError
from debate_tui.record.redis.connection import (
    INDEX_KEY,
    StreamEntry,
    debate_keys,
    decode_material,
    decode_summary,
    encode_material,
    parse_seq,
)
from debate_tui.record.summary import DebateSummary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import Self

    from debate_tui.domain.material import Material
    from debate_tui.record.redis.connection import RedisConnection

_COMMON_SCRIPT: Final = """
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

# Creating and resuming may be repeated if the first reply was lost: the same claim gets the same result.
_CREATE_SCRIPT: Final = (
    _COMMON_SCRIPT
    + """
local lease_ms, ttl_ms, epoch, server, setup, material, summary, started, debate = unpack(ARGV)
if redis.call('EXISTS', head) == 1 then
  return redis.call('HGET', head, 'claim') == epoch and 1 or 0
end
redis.call('DEL', events)
redis.call('HSET', head, 'token', 1, 'claim', epoch, 'epoch', epoch, 'server', server)
redis.call('HSET', head, 'setup', setup, 'material', material, 'summary', summary)
redis.call('ZADD', index, started, debate)
hold(1, lease_ms, ttl_ms)
return 1
"""
)

# A new epoch begins if Redis may have lost events since the last producer knew them to be complete.
_RESUME_SCRIPT: Final = (
    _COMMON_SCRIPT
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
local known = redis.call('HMGET', head, 'epoch', 'setup', 'material', 'summary')
local top = newest()
return {'taken', token, known[1], known[2], known[3] or '', known[4], top and top[2][2]}
"""
)

# Events that exist already, from a batch whose reply was lost, are skipped; a gap is never made.
_APPEND_SCRIPT: Final = (
    _COMMON_SCRIPT
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

# A missing debate was either deleted or lost by Redis; it was deleted if the server is still the same.
_RESTORE_SCRIPT: Final = (
    _COMMON_SCRIPT
    + """
local token, lease_ms, ttl_ms, epoch, summary, server, known, setup, material, started, debate = unpack(ARGV)
local held = redis.call('HGET', head, 'token')
if held and held ~= token then
  return {'fenced'}
end
if not held and server == known then
  return {'gone'}
end
redis.call('HSET', head, 'token', token, 'epoch', epoch, 'server', server)
redis.call('HSET', head, 'setup', setup, 'material', material, 'summary', summary)
redis.call('ZADD', index, started, debate)
hold(token, lease_ms, ttl_ms)
local top = newest()
return {'restored', top and top[1], top and top[2][2]}
"""
)

_RELEASE_SCRIPT: Final = (
    _COMMON_SCRIPT
    + """
if redis.call('GET', lease) == ARGV[1] then
  redis.call('DEL', lease)
end
"""
)


class LeaseTerms(Struct, frozen=True):
    """How long a silent producer keeps a debate, and how long Redis keeps it after that.

    Both are in seconds; a `ttl_s` of 0 keeps it for good.
    """

    lease_s: float
    ttl_s: float

    def to_millis(self) -> tuple[int, int]:
        """Return both in milliseconds."""
        return int(self.lease_s * 1000), int(self.ttl_s * 1000)


class Lease:
    """The right to append to a debate. Every method raises redis-py's errors.

    `setup` and `material` are stored again if Redis loses the debate.
    """

    def __init__(
        self,
        connection: RedisConnection,
        debate: str,
        terms: LeaseTerms,
        *,
        token: int,
        epoch: str,
        run_id: str,
        setup: str,
        material: Sequence[Material] = (),
    ) -> None:
        self.connection = connection
        self.debate = debate
        self.terms = terms
        self.epoch = epoch
        self.material = tuple(material)
        self._token = token
        self._run_id = run_id
        self._setup = setup

    @classmethod
    async def create(
        cls,
        connection: RedisConnection,
        debate: str,
        terms: LeaseTerms,
        *,
        setup: str,
        material: Sequence[Material],
        started: float,
    ) -> Self:
        """Create a debate; raise `UsageError` if the id is taken."""
        epoch, run_id = _new_epoch(), await connection.fetch_run_id()
        summary = msgspec.json.encode(DebateSummary(debate))
        if not await _run_script(
            connection,
            _CREATE_SCRIPT,
            debate,
            *terms.to_millis(),
            epoch,
            run_id,
            setup,
            encode_material(material),
            summary,
            started,
            debate,
        ):
            raise UsageError(f"A debate with the id '{debate}' exists.", "Resume it, or choose another id.")
        return cls(
            connection, debate, terms, token=1, epoch=epoch, run_id=run_id, setup=setup, material=material
        )

    @classmethod
    async def take_over(
        cls, connection: RedisConnection, debate: str, terms: LeaseTerms
    ) -> tuple[Self, DebateSummary, bytes | None]:
        """Resume a debate that no process holds; also return its summary and newest event.

        Raise `DebateError` while another process holds it, and `UsageError` if the debate does not exist.
        """
        run_id = await connection.fetch_run_id()
        outcome, *rest = cast(
            "list[bytes]",
            await _run_script(connection, _RESUME_SCRIPT, debate, *terms.to_millis(), _new_epoch(), run_id),
        )
        if outcome == b"gone":
            raise UsageError(f"No debate has the id '{debate}'.", "It may have expired.")
        if outcome == b"held":
            raise DebateError(
                f"The debate {debate} is running in another process.",
                f"If that process has died, try again in {format_duration(math.ceil(int(rest[0]) / 1000))}.",
            )
        token, epoch, setup, material, summary, *newest = rest
        lease = cls(
            connection,
            debate,
            terms,
            token=int(token),
            epoch=epoch.decode(),
            run_id=run_id,
            setup=setup.decode(),
            material=decode_material(material),
        )
        known = decode_summary(summary)
        return lease, known, newest[0] if newest else None

    async def append(self, first: int, events: Sequence[bytes], summary: DebateSummary) -> int:
        """Append events, the first of which has the `seq` `first`, and renew the lease.

        Return the `seq` of the newest event in Redis. It is less than that of the last event given if there
        would have been a gap, and -1 if the lease was lost; `restore` finds out why.
        """
        last = await self._call(_APPEND_SCRIPT, self.epoch, msgspec.json.encode(summary), first, *events)
        return cast("int", last)

    async def restore(self, summary: DebateSummary) -> StreamEntry | None:
        """Continue after a failure of Redis with whatever it still has; return its newest entry.

        Raise `TakenOverError` if another process took over, and `DebateError` if the debate was deleted.
        """
        run_id = await self.connection.fetch_run_id()
        reply = await self._call(
            _RESTORE_SCRIPT,
            self.epoch,
            msgspec.json.encode(summary),
            run_id,
            self._run_id,
            self._setup,
            encode_material(self.material),
            summary.started,
            self.debate,
        )
        outcome, *newest = cast("list[bytes]", reply)
        if outcome == b"fenced":
            raise TakenOverError(
                f"Another process has taken over the debate {self.debate}.", "It ends here. Watch it there."
            )
        if outcome == b"gone":
            raise DebateError(f"The debate {self.debate} was deleted.", "Export it before you quit.")
        self._run_id = run_id
        return StreamEntry(parse_seq(newest[0]), self.epoch, newest[1]) if newest else None

    async def release(self) -> None:
        """Let other processes resume the debate immediately."""
        await _run_script(self.connection, _RELEASE_SCRIPT, self.debate, self._token)

    def _call(self, script: str, *args: str | bytes | float) -> Awaitable[object]:
        return _run_script(self.connection, script, self.debate, self._token, *self.terms.to_millis(), *args)


def _new_epoch() -> str:
    return secrets.token_hex(4)


def _run_script(
    connection: RedisConnection, script: str, debate: str, *args: str | bytes | float
) -> Awaitable[object]:
    return connection.client.register_script(script)(keys=(*debate_keys(debate), INDEX_KEY), args=args)
