"""Remote endpoints in every other kind of trouble, over real sockets, beside others that never notice."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Fault, FaultKind, FaultReport, Resume
from debate_tui.sources.http import Clients
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource
from tests.fakes import tls, websocket
from tests.fakes.h2_server import GoAway, H2Server
from tests.fakes.sse_server import Cut, Received, Reply, SseServer, reply
from tests.resilience.panes import CALM, DONE, Others, Pane, clients, delta, heal, others

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECES = ["Tea ", "is ", "older ", "than ", "coffee."]
TEXT = "".join(PIECES)
WHOLE = [*(delta(piece, number) for number, piece in enumerate(PIECES, 1)), DONE]
BARE = [*(delta(piece) for piece in PIECES), DONE]


@pytest.fixture
async def shared() -> AsyncIterator[Clients]:
    async with clients() as made:
        yield made


@pytest.fixture
async def beside(shared: Clients) -> AsyncIterator[Others]:
    async with others(shared) as made:
        yield made


def errors(pane: Pane) -> list[FaultReport]:
    return [status.error for status in pane.heard.statuses if status.error]


async def fails(pane: Pane, beside: Others) -> Fault:
    """The fault a pane ends with at once; the others go on behind it."""
    with pytest.raises(Fault) as raised:
        await heal(pane, beside)
    assert pane.heard.waits == []
    await beside.finish()
    return raised.value


async def test_a_refused_connection_is_made_once_the_server_is_up(shared: Clients, beside: Others) -> None:
    async with SseServer(reply(*WHOLE)) as server:
        await server.refuse()
        pane = Pane(SseSource(server.url, clients=shared))

        async def start(waits: int) -> None:
            if waits == 2:
                await server.listen()

        heard = await heal(pane, beside, mend=start)
    assert heard.text == TEXT
    assert heard.states == ["connecting", "reconnecting 1/5", "connecting", "reconnecting 2/5", *CALM]
    assert {error.kind for error in errors(pane)} == {FaultKind.NETWORK}


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
    status: int, kind: FaultKind, shared: Clients, beside: Others
) -> None:
    async with SseServer(reply(b"Not now.", status=status), reply(*WHOLE)) as server:
        pane = Pane(SseSource(server.url, clients=shared))
        heard = await heal(pane, beside)
    assert heard.text == TEXT
    assert heard.states == ["connecting", "reconnecting 1/5", *CALM]
    assert heard.waits == [1000]
    assert [(error.kind, error.status) for error in errors(pane)] == [(kind, status)]


async def test_the_servers_wish_is_waited_for(shared: Clients, beside: Others) -> None:
    asked = reply(b"Not now.", status=429, headers=(("Retry-After", "17"),))
    async with SseServer(asked, reply(*WHOLE)) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.waits == [17150]


async def test_the_announced_reconnection_time_is_waited_for(shared: Clients, beside: Others) -> None:
    first = reply(b"retry: 9000\n\n", WHOLE[0], Cut.CLOSE)
    async with SseServer(first, reply(*WHOLE[1:])) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.waits == [9150]


async def test_a_wish_beyond_two_minutes_ends_it(shared: Clients, beside: Others) -> None:
    asked = reply(b"Not now.", status=503, headers=(("Retry-After", "7200"),))
    async with SseServer(asked) as server:
        fault = await fails(Pane(SseSource(server.url, clients=shared)), beside)
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
    answer: Reply, kind: FaultKind, shared: Clients, beside: Others
) -> None:
    async with SseServer(answer) as server:
        fault = await fails(Pane(SseSource(server.url, clients=shared)), beside)
        assert len(server.requests) == 1
    assert fault.kind is kind


async def test_a_key_that_was_mended_takes_the_turn_up_again(shared: Clients, beside: Others) -> None:
    def script(request: Received) -> Reply:
        if len(server.requests) == 1:
            return reply(*WHOLE[:2], Cut.CLOSE)
        if request.headers.get("authorization") != "Bearer right":
            return reply(b"no", status=401)
        return reply(*WHOLE[int(request.last_event_id or 0) :])

    async with SseServer(script=script) as server:
        broken = Pane(SseSource(server.url, clients=shared, headers={"Authorization": "Bearer wrong"}))
        with pytest.raises(Fault) as raised:
            await heal(broken, beside)
        assert raised.value.kind is FaultKind.AUTH
        heard = broken.heard
        cursor = heard.chunks[-1].cursor
        mended = Pane(SseSource(server.url, clients=shared, headers={"Authorization": "Bearer right"}))
        rest = await heal(mended, beside, resume=Resume(heard.statuses[-1].attempt, cursor, heard.text))
    assert heard.text + rest.text == TEXT
    assert rest.states == CALM
    assert rest.statuses[0].attempt == 3


async def test_an_unknown_host_is_tried_again(
    shared: Clients, beside: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    pane = Pane(SseSource("http://debate.invalid/stream", clients=shared))
    await asyncio.gather(*(other.until(lambda heard: "connected" in heard.states) for other in beside.panes))
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(Fault) as raised:
        await heal(pane, beside)
    assert raised.value.kind is FaultKind.NETWORK
    assert "debate.invalid" in raised.value.message
    assert pane.heard.states == [
        "connecting",
        *(state for n in range(1, 6) for state in (f"reconnecting {n}/5", "connecting")),
    ]


async def test_a_certificate_nobody_trusts_is_tried_again(shared: Clients, beside: Others) -> None:
    async with SseServer(reply(*WHOLE), tls=tls.server()) as server:
        pane = Pane(SseSource(server.url, clients=shared))
        with pytest.raises(Fault) as raised:
            await heal(pane, beside)
        assert server.requests == []
    assert raised.value.kind is FaultKind.NETWORK
    assert "certificate" in raised.value.message
    assert len(pane.heard.waits) == 5


@pytest.mark.parametrize("end", [Cut.CLOSE, Cut.RESET, Cut.STALL, websocket.close(1011, "Oh.")])
async def test_a_broken_websocket_goes_on_behind_its_last_message(
    end: Cut | bytes, shared: Clients, beside: Others
) -> None:
    messages = [
        websocket.text(json.dumps({"delta": piece, "id": str(number)}))
        for number, piece in enumerate(PIECES, 1)
    ]
    gate = asyncio.Event()

    def script(request: Received) -> Reply:
        if len(server.requests) == 1:
            return websocket.upgraded(request, *messages[:2], gate, end)
        behind = int(request.query["lastEventId"])
        return websocket.upgraded(request, *messages[behind:], websocket.text("[DONE]"))

    async with SseServer(script=script) as server:
        url = server.url.replace("http:", "ws:")
        pane = Pane(WebSocketSource(url, clients=shared))
        reading = asyncio.create_task(heal(pane, beside))
        await pane.until(lambda heard: heard.text == "Tea is ")
        gate.set()
        if end is Cut.STALL:
            await beside.finish()
            pane.clock.advance(60)
        heard = await reading
        assert server.requests[1].query == {"lastEventId": "2"}
    assert heard.text == TEXT
    assert heard.states == [*CALM, "reconnecting 1/5", *CALM]


async def test_goaway_takes_no_text_along(beside: Others) -> None:
    """Two panes on one HTTP/2 connection that goes away under them: each goes on behind its last event."""
    gates: list[asyncio.Event] = []

    def script(path: str) -> tuple[bytes | asyncio.Event | GoAway, ...]:
        if len(gates) < 2:
            gates.append(asyncio.Event())
            return (*WHOLE[:2], gates[-1], GoAway(3))
        return tuple(WHOLE[2:])

    trusting = Clients(tls=tls.client)
    try:
        async with H2Server(script) as server:
            panes = [
                Pane(SseSource(f"{server.origin}/{n}", clients=trusting, http2=lambda: True))
                for n in range(2)
            ]
            healing = [asyncio.create_task(heal(pane, beside)) for pane in panes]
            for pane in panes:
                await pane.until(lambda heard: heard.text == "Tea is ")
            for gate in gates:
                gate.set()
            for heard in await asyncio.gather(*healing):
                assert heard.text == TEXT
                assert heard.states == [*CALM, "reconnecting 1/5", *CALM]
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
    event: bytes, kind: FaultKind, shared: Clients, beside: Others
) -> None:
    async with SseServer(reply(*WHOLE[:3], event), reply(*WHOLE[3:])) as server:
        pane = Pane(SseSource(server.url, clients=shared))
        heard = await heal(pane, beside)
    assert heard.text == TEXT
    assert heard.states == [*CALM, "reconnecting 1/5", *CALM]
    assert errors(pane)[0].kind is kind


async def test_a_refusal_in_the_stream_ends_the_turn_alone(shared: Clients, beside: Others) -> None:
    refusal = b'event: error\ndata: {"kind": "refused", "message": "No."}\n\n'
    async with SseServer(reply(*WHOLE[:3], refusal)) as server:
        pane = Pane(SseSource(server.url, clients=shared))
        heard = await heal(pane, beside)
    assert heard.finished.reason == "refused"
    assert heard.text == "".join(PIECES[:3])


async def test_trouble_during_recovery_is_recovered_from(shared: Clients, beside: Others) -> None:
    async with SseServer(
        reply(*WHOLE[:2], Cut.CLOSE),
        reply(b"", status=503),
        reply(WHOLE[2], Cut.CLOSE),
        reply(*WHOLE[3:]),
    ) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
        assert [request.last_event_id for request in server.requests] == [None, "2", "2", "3"]
    assert heard.text == TEXT
    assert heard.states == [
        *(*CALM, "reconnecting 1/5"),
        *("connecting", "reconnecting 2/5"),
        *(*CALM, "reconnecting 3/5"),
        *CALM,
    ]


async def test_a_server_deaf_to_ids_that_sends_all_again_doubles_nothing(
    shared: Clients, beside: Others
) -> None:
    async with SseServer(reply(*WHOLE[:3], Cut.CLOSE), reply(*WHOLE)) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
        assert server.requests[1].last_event_id == "3"
    assert heard.text == TEXT
    assert heard.superseded == 0


@pytest.mark.parametrize("too_many", [1, 2])
async def test_a_server_that_sends_a_few_events_again_doubles_nothing(
    too_many: int, shared: Clients, beside: Others
) -> None:
    async with SseServer(reply(*WHOLE[:3], Cut.CLOSE), reply(*WHOLE[3 - too_many :])) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.superseded == 0


async def test_ids_that_repeat_lose_nothing(shared: Clients, beside: Others) -> None:
    same = [*(delta(piece, 7) for piece in PIECES), DONE]
    async with SseServer(reply(*same[:3], Cut.CLOSE), reply(*same[3:])) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
    assert heard.text == TEXT
    assert heard.superseded == 0


async def test_a_restart_that_says_something_else_supersedes(shared: Clients, beside: Others) -> None:
    other = [delta("Tea "), delta("was "), delta("first."), DONE]
    async with SseServer(reply(*BARE[:3], Cut.CLOSE), reply(*other)) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
    assert heard.text == "Tea was first."
    assert heard.superseded == 1
    assert heard.states == [*CALM, "reconnecting 1/5", *CALM]


async def test_an_end_behind_ids_is_asked_about_without_a_fuss(shared: Clients, beside: Others) -> None:
    async with SseServer(reply(*WHOLE[:5]), reply(status=204, content_type=None)) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
        assert [request.last_event_id for request in server.requests] == [None, "5"]
    assert heard.text == TEXT
    assert heard.finished.reason == "complete"
    assert heard.states == [*CALM, "connecting", "connected"]


async def test_an_end_that_only_closing_tells_takes_two(shared: Clients, beside: Others) -> None:
    async with SseServer(
        reply(*BARE[:3], framing="close"),
        reply(*BARE[:5], framing="close"),
        reply(*BARE[:5], framing="close"),
    ) as server:
        heard = await heal(Pane(SseSource(server.url, clients=shared)), beside)
        assert len(server.requests) == 3
    assert heard.text == TEXT
    assert heard.finished.reason == "complete"
    assert heard.states == [
        *(*CALM, "reconnecting 1/5"),
        *(*CALM, "reconnecting 2/5"),
        *("connecting", "connected"),
    ]


async def test_a_paused_stream_that_the_server_closes_is_taken_up_again(
    shared: Clients, beside: Others
) -> None:
    async with SseServer(reply(*WHOLE[:2], Cut.CLOSE), reply(*WHOLE[2:])) as server:
        pane = Pane(SseSource(server.url, clients=shared), paused_at="Tea ")
        reading = asyncio.create_task(heal(pane, beside))
        await pane.until(lambda heard: heard.text == "Tea ")
        await server.requests[0].done.wait()
        await beside.finish()
        pane.clock.advance(3600)
        assert pane.heard.states == CALM
        pane.go_on.set()
        heard = await reading
    assert heard.text == TEXT
    assert heard.states == [*CALM, "reconnecting 1/5", *CALM]


async def test_four_that_fail_at_once_do_not_come_back_at_once(shared: Clients) -> None:
    chances = iter([0.1, 0.35, 0.6, 0.85] * 5)
    async with SseServer(reply(b"", status=503)) as server:
        panes = [Pane(SseSource(server.url, clients=shared), random=lambda: next(chances)) for _ in range(4)]
        async with others(shared) as beside:
            ended = await asyncio.gather(*(heal(pane, beside) for pane in panes), return_exceptions=True)
    assert all(isinstance(end, Fault) for end in ended)
    for nth in range(5):
        waits = sorted(pane.heard.waits[nth] for pane in panes)
        gaps = [later - earlier for earlier, later in itertools.pairwise(waits)]
        assert min(gaps) >= 70 * 2**nth
