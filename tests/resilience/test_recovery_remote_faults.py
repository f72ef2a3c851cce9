"""Remote endpoints in every other kind of trouble, over real sockets, beside others that never notice."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Fault, FaultKind, ResumePoint
from debate_tui.sources.http import HttpClients
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource
from tests.fakes import tls, websocket
from tests.fakes.h2_server import GoAway, H2Server
from tests.fakes.sse_server import Cut, ReceivedRequest, Reply, SseServer, delta_event, reply
from tests.resilience.parallel_streams import (
    EMPTY_DONE_EVENT,
    UNDISTURBED_STATES,
    GuardedStream,
    HealthyStreams,
    healthy_streams,
    open_clients,
    read_through_faults,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECES = ["Tea ", "is ", "older ", "than ", "coffee."]
TEXT = "".join(PIECES)
WHOLE = [*(delta_event(piece, number) for number, piece in enumerate(PIECES, 1)), EMPTY_DONE_EVENT]
BARE_DELTAS = [*(delta_event(piece) for piece in PIECES), EMPTY_DONE_EVENT]


@pytest.fixture
async def shared() -> AsyncIterator[HttpClients]:
    async with open_clients() as made:
        yield made


@pytest.fixture
async def beside(shared: HttpClients) -> AsyncIterator[HealthyStreams]:
    async with healthy_streams(shared) as made:
        yield made


async def read_failure(pane: GuardedStream, beside: HealthyStreams) -> Fault:
    """The fault a pane ends with at once; the others go on behind it."""
    with pytest.raises(Fault) as raised:
        await read_through_faults(pane, beside)
    assert pane.output.waits == []
    await beside.finish()
    return raised.value


async def test_a_refused_connection_is_made_once_the_server_is_up(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE)) as server:
        await server.refuse()
        pane = GuardedStream(SseSource(server.url, clients=shared))

        async def start(waits: int) -> None:
            if waits == 2:
                await server.listen()

        heard = await read_through_faults(pane, beside, repair=start)
    assert heard.text == TEXT
    assert heard.states == [
        "connecting",
        "reconnecting 1/5",
        "connecting",
        "reconnecting 2/5",
        *UNDISTURBED_STATES,
    ]
    assert {error.kind for error in pane.reported_errors} == {FaultKind.NETWORK}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, FaultKind.SERVER),
        (409, FaultKind.SERVER),
        (429, FaultKind.RATE_LIMIT),
        (500, FaultKind.SERVER),
        (502, FaultKind.SERVER),
        (503, FaultKind.OVERLOADED),
        (529, FaultKind.OVERLOADED),
    ],
)
async def test_a_status_that_may_pass_is_waited_out(
    status: int, kind: FaultKind, shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(b"Not now.", status=status), reply(*WHOLE)) as server:
        pane = GuardedStream(SseSource(server.url, clients=shared))
        heard = await read_through_faults(pane, beside)
    assert heard.text == TEXT
    assert heard.states == ["connecting", "reconnecting 1/5", *UNDISTURBED_STATES]
    assert heard.waits == [1000]
    assert [(error.kind, error.status) for error in pane.reported_errors] == [(kind, status)]


async def test_retry_after_is_waited_for(shared: HttpClients, beside: HealthyStreams) -> None:
    asked = reply(b"Not now.", status=429, headers=(("Retry-After", "17"),))
    async with SseServer(asked, reply(*WHOLE)) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.waits == [17150]


async def test_the_announced_reconnection_time_is_waited_for(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    first = reply(b"retry: 9000\n\n", WHOLE[0], Cut.CLOSE)
    async with SseServer(first, reply(*WHOLE[1:])) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.waits == [9150]


async def test_a_retry_after_beyond_two_minutes_ends_the_turn(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    asked = reply(b"Not now.", status=503, headers=(("Retry-After", "7200"),))
    async with SseServer(asked) as server:
        fault = await read_failure(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert (fault.kind, fault.retry_after) == (FaultKind.OVERLOADED, 7200.0)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(b"no", status=400), FaultKind.BAD_REQUEST),
        (reply(b"no", status=401), FaultKind.AUTH),
        (reply(b"no", status=402), FaultKind.QUOTA),
        (reply(b"no", status=403), FaultKind.AUTH),
        (reply(b"no", status=404), FaultKind.BAD_REQUEST),
        (reply(b"<html>", content_type="text/html"), FaultKind.BAD_REQUEST),
        (reply(status=302, headers=(("Location", "/stream"),)), FaultKind.BAD_REQUEST),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    answer: Reply, kind: FaultKind, shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(answer) as server:
        fault = await read_failure(GuardedStream(SseSource(server.url, clients=shared)), beside)
        assert len(server.requests) == 1
    assert fault.kind is kind


async def test_a_key_that_was_mended_takes_the_turn_up_again(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    def script(request: ReceivedRequest) -> Reply:
        if len(server.requests) == 1:
            return reply(*WHOLE[:2], Cut.CLOSE)
        if request.headers.get("authorization") != "Bearer right":
            return reply(b"no", status=401)
        return reply(*WHOLE[int(request.last_event_id or 0) :])

    async with SseServer(script=script) as server:
        broken = GuardedStream(
            SseSource(server.url, clients=shared, headers={"Authorization": "Bearer wrong"})
        )
        with pytest.raises(Fault) as raised:
            await read_through_faults(broken, beside)
        assert raised.value.kind is FaultKind.AUTH
        heard = broken.output
        cursor = heard.chunks[-1].cursor
        mended = GuardedStream(
            SseSource(server.url, clients=shared, headers={"Authorization": "Bearer right"})
        )
        rest = await read_through_faults(
            mended, beside, resume=ResumePoint(heard.statuses[-1].attempt, cursor, heard.text)
        )
    assert heard.text + rest.text == TEXT
    assert rest.states == UNDISTURBED_STATES
    assert rest.statuses[0].attempt == 3


async def test_an_unknown_host_is_tried_again(
    shared: HttpClients, beside: HealthyStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    pane = GuardedStream(SseSource("http://debate.invalid/stream", clients=shared))
    await asyncio.gather(*(other.until(lambda heard: "connected" in heard.states) for other in beside.panes))
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(Fault) as raised:
        await read_through_faults(pane, beside)
    assert raised.value.kind is FaultKind.NETWORK
    assert "debate.invalid" in raised.value.message
    assert pane.output.states == [
        "connecting",
        *(state for n in range(1, 6) for state in (f"reconnecting {n}/5", "connecting")),
    ]


async def test_a_certificate_nobody_trusts_is_tried_again(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE), tls=tls.server()) as server:
        pane = GuardedStream(SseSource(server.url, clients=shared))
        with pytest.raises(Fault) as raised:
            await read_through_faults(pane, beside)
        assert server.requests == []
    assert raised.value.kind is FaultKind.NETWORK
    assert "certificate" in raised.value.message
    assert len(pane.output.waits) == 5


@pytest.mark.parametrize("end", [Cut.CLOSE, Cut.RESET, Cut.STALL, websocket.close(1011, "Oh.")])
async def test_a_broken_websocket_goes_on_behind_its_last_message(
    end: Cut | bytes, shared: HttpClients, beside: HealthyStreams
) -> None:
    messages = [
        websocket.text(json.dumps({"delta": piece, "id": str(number)}))
        for number, piece in enumerate(PIECES, 1)
    ]
    gate = asyncio.Event()

    def script(request: ReceivedRequest) -> Reply:
        if len(server.requests) == 1:
            return websocket.upgraded(request, *messages[:2], gate, end)
        behind = int(request.query["lastEventId"])
        return websocket.upgraded(request, *messages[behind:], websocket.text("[DONE]"))

    async with SseServer(script=script) as server:
        url = server.url.replace("http:", "ws:")
        pane = GuardedStream(WebSocketSource(url, clients=shared))
        reading = asyncio.create_task(read_through_faults(pane, beside))
        await pane.until(lambda heard: heard.text == "Tea is ")
        gate.set()
        if end is Cut.STALL:
            await beside.finish()
            pane.clock.advance(60)
        heard = await reading
        assert server.requests[1].query == {"lastEventId": "2"}
    assert heard.text == TEXT
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]


async def test_goaway_takes_no_text_along(beside: HealthyStreams) -> None:
    """Two panes on one HTTP/2 connection that goes away under them: each goes on behind its last event."""
    gates: list[asyncio.Event] = []

    def script(path: str) -> tuple[bytes | asyncio.Event | GoAway, ...]:
        if len(gates) < 2:
            gates.append(asyncio.Event())
            return (*WHOLE[:2], gates[-1], GoAway(3))
        return tuple(WHOLE[2:])

    trusting = HttpClients(make_tls_context=tls.client)
    try:
        async with H2Server(script) as server:
            panes = [
                GuardedStream(SseSource(f"{server.origin}/{n}", clients=trusting, http2=lambda: True))
                for n in range(2)
            ]
            healing = [asyncio.create_task(read_through_faults(pane, beside)) for pane in panes]
            for pane in panes:
                await pane.until(lambda heard: heard.text == "Tea is ")
            for gate in gates:
                gate.set()
            for heard in await asyncio.gather(*healing):
                assert heard.text == TEXT
                assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]
    finally:
        await trusting.aclose()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b'event: error\ndata: {"kind": "overloaded", "message": "Busy."}\n\n', FaultKind.OVERLOADED),
        (b'data: {"error": {"type": "overloaded_error", "message": "Busy."}}\n\n', FaultKind.OVERLOADED),
        (b'data: {"error": {"type": "server_error", "message": "Oh."}}\n\n', FaultKind.SERVER),
    ],
)
async def test_an_error_in_the_stream_is_healed_like_a_cut(
    event: bytes, kind: FaultKind, shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE[:3], event), reply(*WHOLE[3:])) as server:
        pane = GuardedStream(SseSource(server.url, clients=shared))
        heard = await read_through_faults(pane, beside)
    assert heard.text == TEXT
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]
    assert pane.reported_errors[0].kind is kind


async def test_a_refusal_in_the_stream_ends_the_turn_alone(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    refusal = b'event: error\ndata: {"kind": "refused", "message": "No."}\n\n'
    async with SseServer(reply(*WHOLE[:3], refusal)) as server:
        pane = GuardedStream(SseSource(server.url, clients=shared))
        heard = await read_through_faults(pane, beside)
    assert heard.finished.reason == "refused"
    assert heard.text == "".join(PIECES[:3])


async def test_trouble_during_recovery_is_recovered_from(shared: HttpClients, beside: HealthyStreams) -> None:
    async with SseServer(
        reply(*WHOLE[:2], Cut.CLOSE),
        reply(b"", status=503),
        reply(WHOLE[2], Cut.CLOSE),
        reply(*WHOLE[3:]),
    ) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
        assert [request.last_event_id for request in server.requests] == [None, "2", "2", "3"]
    assert heard.text == TEXT
    assert heard.states == [
        *(*UNDISTURBED_STATES, "reconnecting 1/5"),
        *("connecting", "reconnecting 2/5"),
        *(*UNDISTURBED_STATES, "reconnecting 3/5"),
        *UNDISTURBED_STATES,
    ]


async def test_a_server_that_ignores_ids_and_resends_everything_doubles_nothing(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE[:3], Cut.CLOSE), reply(*WHOLE)) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
        assert server.requests[1].last_event_id == "3"
    assert heard.text == TEXT
    assert heard.superseded == 0


@pytest.mark.parametrize("too_many", [1, 2])
async def test_a_server_that_sends_a_few_events_again_doubles_nothing(
    too_many: int, shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE[:3], Cut.CLOSE), reply(*WHOLE[3 - too_many :])) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.superseded == 0


async def test_ids_that_repeat_lose_nothing(shared: HttpClients, beside: HealthyStreams) -> None:
    same = [*(delta_event(piece, 7) for piece in PIECES), EMPTY_DONE_EVENT]
    async with SseServer(reply(*same[:3], Cut.CLOSE), reply(*same[3:])) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.superseded == 0


async def test_a_restart_that_says_something_else_supersedes(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    other = [delta_event("Tea "), delta_event("was "), delta_event("first."), EMPTY_DONE_EVENT]
    async with SseServer(reply(*BARE_DELTAS[:3], Cut.CLOSE), reply(*other)) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
    assert heard.text == "Tea was first."
    assert heard.superseded == 1
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]


async def test_an_end_behind_ids_is_asked_about_without_a_fuss(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE[:5]), reply(status=204, content_type=None)) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
        assert [request.last_event_id for request in server.requests] == [None, "5"]
    assert heard.text == TEXT
    assert heard.finished.reason == "complete"
    assert heard.states == [*UNDISTURBED_STATES, "connecting", "connected"]


async def test_an_end_that_only_closing_tells_takes_two(shared: HttpClients, beside: HealthyStreams) -> None:
    async with SseServer(
        reply(*BARE_DELTAS[:3], framing="close"),
        reply(*BARE_DELTAS[:5], framing="close"),
        reply(*BARE_DELTAS[:5], framing="close"),
    ) as server:
        heard = await read_through_faults(GuardedStream(SseSource(server.url, clients=shared)), beside)
        assert len(server.requests) == 3
    assert heard.text == TEXT
    assert heard.finished.reason == "complete"
    assert heard.states == [
        *(*UNDISTURBED_STATES, "reconnecting 1/5"),
        *(*UNDISTURBED_STATES, "reconnecting 2/5"),
        *("connecting", "connected"),
    ]


async def test_a_paused_stream_that_the_server_closes_is_taken_up_again(
    shared: HttpClients, beside: HealthyStreams
) -> None:
    async with SseServer(reply(*WHOLE[:2], Cut.CLOSE), reply(*WHOLE[2:])) as server:
        pane = GuardedStream(SseSource(server.url, clients=shared), paused_at="Tea ")
        reading = asyncio.create_task(read_through_faults(pane, beside))
        await pane.until(lambda heard: heard.text == "Tea ")
        await server.requests[0].done.wait()
        await beside.finish()
        pane.clock.advance(3600)
        assert pane.output.states == UNDISTURBED_STATES
        pane.go_on.set()
        heard = await reading
    assert heard.text == TEXT
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]


async def test_four_that_fail_at_once_do_not_come_back_at_once(shared: HttpClients) -> None:
    chances = iter([0.1, 0.35, 0.6, 0.85] * 5)
    async with SseServer(reply(b"", status=503)) as server:
        panes = [
            GuardedStream(SseSource(server.url, clients=shared), random=lambda: next(chances))
            for _ in range(4)
        ]
        async with healthy_streams(shared) as beside:
            ended = await asyncio.gather(
                *(read_through_faults(pane, beside) for pane in panes), return_exceptions=True
            )
    assert all(isinstance(end, Fault) for end in ended)
    for nth in range(5):
        waits = sorted(pane.output.waits[nth] for pane in panes)
        gaps = [later - earlier for earlier, later in itertools.pairwise(waits)]
        assert min(gaps) >= 70 * 2**nth
