"""A remote stream cut at every event boundary, inside every event and every long character, in every way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.sources.sse import SseSource
from tests.fakes.sse_server import Cut, ReceivedRequest, Reply, SseServer, delta_event, reply
from tests.resilience.parallel_streams import (
    EMPTY_DONE_EVENT,
    UNDISTURBED_STATES,
    GuardedStream,
    healthy_streams,
    open_clients,
    read_through_faults,
)

if TYPE_CHECKING:
    from tests.resilience.parallel_streams import HealthyStreams

PIECES = ["Tea ", "🍵 is ", "茶 and ", "cafe\u0301", " too."]
TEXT = "".join(PIECES)


def wire(*, ids: bool) -> list[bytes]:
    return [
        *(delta_event(piece, number if ids else None) for number, piece in enumerate(PIECES, 1)),
        EMPTY_DONE_EVENT,
    ]


def cuts(events: list[bytes]) -> list[int]:
    """Every boundary, the middle of every event, and all places inside a character of several bytes."""
    data = b"".join(events)
    boundaries = [len(b"".join(events[:number])) for number in range(len(events))]
    middles = [start + len(event) // 2 for start, event in zip(boundaries, events, strict=True)]
    inside = [place for place, byte in enumerate(data) if byte & 0b1100_0000 == 0b1000_0000]
    return sorted({*boundaries, *middles, *inside})


class BrokenServer:
    """A server whose first reply is cut; later ones go on behind the last event id, or begin anew."""

    def __init__(self, cut: Cut, at: int, *, ids: bool) -> None:
        self.events = wire(ids=ids)
        self.seen = next(n for n in range(9) if len(b"".join(self.events[: n + 1])) > at)
        """How many events are whole."""
        self.text = "".join(PIECES[: self.seen])
        self.gate = asyncio.Event()
        self.cut = cut
        self._at = at
        self._broken = False

    def script(self, request: ReceivedRequest) -> Reply:
        if not self._broken:
            self._broken = True
            sent = b"".join(self.events)[: self._at]
            return reply(*([sent] if sent else []), self.gate, self.cut)
        behind = int(request.last_event_id or 0)
        return reply(*self.events[behind:])


async def break_off(pane: GuardedStream, breaking: BrokenServer, beside: HealthyStreams) -> None:
    """Cut the connection once all it may show is shown."""
    state = "streaming" if breaking.seen else "connected"
    await pane.until(lambda heard: heard.text == breaking.text and state in heard.states)
    breaking.gate.set()
    if breaking.cut is Cut.STALL:
        await beside.finish()
        pane.clock.advance(90)


@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
@pytest.mark.parametrize("cut", Cut)
async def test_no_cut_loses_or_doubles_a_character(cut: Cut, ids: bool) -> None:
    async with open_clients() as shared:
        for at in cuts(wire(ids=ids)):
            breaking = BrokenServer(cut, at, ids=ids)
            async with SseServer(script=breaking.script) as server, healthy_streams(shared, 2) as beside:
                pane = GuardedStream(SseSource(server.url, clients=shared))
                breaking_off = asyncio.create_task(break_off(pane, breaking, beside))
                heard = await read_through_faults(pane, beside)
                await breaking_off
            assert heard.text == TEXT, at
            assert heard.superseded == 0
            assert heard.finished.reason == "complete"
            assert heard.states == [
                *(UNDISTURBED_STATES if breaking.seen else UNDISTURBED_STATES[:2]),
                "reconnecting 1/5",
                *(UNDISTURBED_STATES if breaking.seen < len(PIECES) else UNDISTURBED_STATES[:2]),
            ], at
            expected = str(breaking.seen) if ids and breaking.seen else None
            assert [request.last_event_id for request in server.requests] == [None, expected]
