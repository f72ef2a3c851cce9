"""Streams of single debaters put back into one log: any order of arrival, any cut, no gap, nothing twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.recovery_policy import RecoveryPolicy
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.server.encoding import is_relevant
from debate_tui.session import http2_merge
from debate_tui.session.http2_merge import ConnectionInfo, RemoteConnector, merge_streams
from debate_tui.sources.remote_debate import HTTP2_TRANSPORT, HostConnection, HostMessage
from tests.server.generated_debates import debates, example_debate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.sources.remote_debate import RemoteDebate


class Stream:
    """What one connection says, when the test wants it to."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[HostMessage | Fault | None] = asyncio.Queue()

    def say(self, item: HostMessage | Fault | None) -> None:
        """Say something; `None` ends the stream, a fault breaks it."""
        self._items.put_nowait(item)

    async def read(self) -> AsyncIterator[HostMessage]:
        while (item := await self._items.get()) is not None:
            if isinstance(item, Fault):
                raise item
            yield item


async def read_merged(
    streams: Sequence[Stream | AsyncIterator[HostMessage]], items: list[HostMessage], seq: int = 0
) -> None:
    read = [stream.read() if isinstance(stream, Stream) else stream for stream in streams]
    async with merge_streams(read, seq) as told:
        async for item in told:
            items.append(item)  # noqa: PERF401 (kept where it breaks)


def host_message(event: Event) -> HostMessage:
    return HostMessage(event, event_id=f"e:{event.seq}")


@given(log=debates(), data=st.data())
def test_whatever_comes_first_and_wherever_it_breaks_off_the_log_is_told_up_to_there(
    log: list[Event], data: st.DataObject
) -> None:
    left = {debater: [event for event in log if is_relevant(event, debater)] for debater in "ab"}
    start = data.draw(st.integers(0, len(log)), "start")
    cuts = {
        debater: data.draw(st.integers(0, len(events)) | st.just(len(events)), "cut")
        for debater, events in left.items()
    }
    broken = data.draw(st.booleans(), "broken")
    order = data.draw(st.permutations([d for d, events in left.items() for _ in events[: cuts[d]]]), "order")

    items: list[HostMessage] = []

    async def run() -> None:
        streams = {debater: Stream() for debater in left}
        listening = asyncio.create_task(read_merged(list(streams.values()), items, start))
        went = dict.fromkeys(left, 0)
        for debater in order:
            event = left[debater][went[debater]]
            went[debater] += 1
            if event.seq > start:
                streams[debater].say(host_message(event))
            await asyncio.sleep(0)
        for stream in streams.values():
            stream.say(Fault(FaultKind.NETWORK, "cut") if broken else None)
        if broken:
            with pytest.raises(Fault):
                await listening
        await asyncio.wait([listening])

    asyncio.run(run())

    there = {event.seq for debater, events in left.items() for event in events[: cuts[debater]]}
    until = start
    while until + 1 in there:
        until += 1
    assert [item.event for item in items] == log[start:until]
    assert [item.event_id for item in items] == [f"e:{event.seq}" for event in log[start:until]]


@given(log=debates(), data=st.data())
def test_numbers_that_are_on_no_stream_hold_nothing_up_once_all_are_past_them(
    log: list[Event], data: st.DataObject
) -> None:
    missing = data.draw(st.sets(st.integers(1, len(log) - 1)), "missing")
    left = [event for event in log if event.seq not in missing]

    items: list[HostMessage] = []

    async def run() -> None:
        streams = {debater: Stream() for debater in "ab"}
        for debater, stream in streams.items():
            for event in left:
                if is_relevant(event, debater):
                    stream.say(host_message(event))
            stream.say(None)
        await read_merged(list(streams.values()), items)

    asyncio.run(run())
    assert [item.event for item in items] == left


async def test_an_event_comes_as_soon_as_the_one_before_it_was_told() -> None:
    """Nobody waits for a debater who is silent."""
    log = example_debate()
    first, second = Stream(), Stream()
    async with merge_streams([first.read(), second.read()], 2) as items:
        first.say(host_message(log[2]))
        assert (await anext(items)).event == log[2]
        second.say(host_message(log[3]))
        assert (await anext(items)).event == log[3]


async def test_what_is_no_event_waits_for_nobody() -> None:
    log = example_debate()
    first, second = Stream(), Stream()
    async with merge_streams([first.read(), second.read()], 0) as items:
        first.say(host_message(log[4]))
        first.say(HostMessage(notice="goodbye", retry_after=0.5))
        assert (await anext(items)).notice == "goodbye"
        second.say(Fault(FaultKind.TIMEOUT, "silent"))
        with pytest.raises(Fault, match="silent"):
            await anext(items)


async def test_a_stream_that_is_far_ahead_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_merge, "MAX_LEAD_CHARACTERS", 1000)
    log = example_debate()
    read = 0

    async def ahead() -> AsyncIterator[HostMessage]:
        nonlocal read
        for event in log[1:]:
            read += 1
            yield HostMessage(event, characters=300)

    behind, items = Stream(), list[HostMessage]()
    hearing = asyncio.create_task(read_merged([ahead(), behind], items))
    for _ in range(50):
        await asyncio.sleep(0)
    assert (read, items) == (4, [])
    behind.say(host_message(log[0]))
    while len(items) < len(log):
        await asyncio.sleep(0)
    assert [item.event for item in items] == log
    await hearing


async def test_whoever_is_cancelled_twice_still_leaves_no_stream_running() -> None:
    """As a watcher in a pipe is: the debate is over, and what it is written by has ended, too."""
    closing, closed = asyncio.Event(), asyncio.Event()

    async def stubborn() -> AsyncIterator[HostMessage]:
        try:
            await asyncio.Event().wait()
            yield HostMessage()
        finally:
            closing.set()
            for _ in range(20):
                await asyncio.sleep(0)
            closed.set()

    async def listen() -> None:
        async with merge_streams([stubborn(), Stream().read()], 0) as told:
            await anext(told)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    listening.cancel()
    await closing.wait()
    listening.cancel()
    await asyncio.wait([listening])
    assert listening.cancelled()
    assert closed.is_set()


# Connections to a host, by whatever names it gives its places.


LOG = example_debate()


class Host:
    """Tells every debater's stream all of the debate, whatever place it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    @asynccontextmanager
    async def connect(self, last_event_id: str, debater: str | None = None) -> AsyncGenerator[HostConnection]:
        self.asked.append((last_event_id, debater))
        yield HostConnection(HTTP2_TRANSPORT, self._told())

    async def close_connections(self) -> None:
        pass

    async def _told(self) -> AsyncGenerator[HostMessage]:
        for event in LOG:
            yield HostMessage(event, event_id="aa:zz")


async def test_a_cursor_is_the_hosts_own_string() -> None:
    host = Host()
    lines = RemoteConnector(cast("RemoteDebate", host), RecoveryPolicy())
    lines.connection = ConnectionInfo(HTTP2_TRANSPORT)
    async with lines.open_messages("aa:zz", 3, ["a", "b"]) as told:
        events = [item.event async for item in told]
    assert events == LOG[3:]
    assert host.asked == [("aa:zz", "a"), ("aa:zz", "b")]
