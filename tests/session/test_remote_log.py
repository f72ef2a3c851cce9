"""Watching a hosted debate through every break of the line: nothing missing, nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.domain import events
from debate_tui.domain.stream import Fault, FaultKind, RecoveryPolicy
from debate_tui.session import remote_log
from debate_tui.session.remote_log import RemoteLog
from debate_tui.sources import remote_debate
from debate_tui.sources.http import HttpClients
from debate_tui.sources.remote_debate import RemoteDebate
from tests.fakes.sse_server import Cut, ReceivedRequest, Reply, SseServer, reply
from tests.fakes.websocket import close, frame, upgraded

if TYPE_CHECKING:
    from collections.abc import Callable

NO_WAIT_POLICY = RecoveryPolicy(initial=0, jitter=0)
CAST = tuple(events.DebaterInfo(id_, id_, "", "demo", "demo") for id_ in ("d1", "d2"))
DEBATE: list[events.Event] = [
    events.DebateStarted(seq=1, debate="d", topic="T?", format="listen", debaters=CAST),
    events.PhaseStarted(seq=2, phase="listen", round=1, rounds=1),
    events.TurnStarted(seq=3, turn=1, debater="d1", phase="listen"),
    events.TurnDelta(seq=7, turn=1, debater="d1", attempt=1, offset=0, text="put together 😀"),
    events.TurnFinished(seq=8, turn=1, debater="d1", reason="complete"),
    events.DebateFinished(seq=9, reason="complete"),
]


def sse_event(event: events.Event, epoch: str = "aa") -> bytes:
    return b"id: %s:%d\nevent: x\ndata: %s\n\n" % (epoch.encode(), event.seq, events.event_to_json(event))


def text_frame(data: bytes) -> bytes:
    return frame(1, data)


def events_after(request: ReceivedRequest, epoch: str = "aa") -> list[events.Event]:
    """What a host still has to tell whoever asks so."""
    place = request.last_event_id
    seen = int(place.partition(":")[2]) if place and place.startswith(epoch) else 0
    return [event for event in DEBATE if event.seq > seen]


async def mirror_debate(
    server: SseServer, path: str = "/debates/d", **options: str
) -> tuple[RemoteLog, list[str]]:
    clients, said = HttpClients(), list[str]()
    mirror = RemoteLog(
        RemoteDebate(f"{server.origin}{path}", clients=clients, **options),
        NO_WAIT_POLICY,
        on_connection_notice=said.append,
    )
    try:
        await mirror.run()
    finally:
        await clients.aclose()
    return mirror, said


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET, Cut.HALF_CLOSE])
@pytest.mark.parametrize("each", [1, 2, 4])
async def test_however_often_the_line_breaks_every_event_comes_once(cut: Cut, each: int) -> None:
    def answer(request: ReceivedRequest) -> Reply:
        left = events_after(request)
        told = [sse_event(event) for event in left[:each]]
        return reply(b"retry: 0\n\n", *told) if len(left) <= each else reply(*told, b"id: aa:9\nda", cut)

    async with SseServer(script=answer) as server:
        mirror, said = await mirror_debate(server)
    assert await mirror.read() == DEBATE
    assert await mirror.read(after=3, limit=1) == [DEBATE[3]]
    assert server.requests[0].query == {"after": "0", "batch_ms": "0"}
    assert [request.last_event_id for request in server.requests[1:]] == [
        f"aa:{DEBATE[at - 1].seq}" for at in range(each, len(DEBATE), each)
    ]
    assert said[-1] == ""


async def test_events_told_twice_count_once() -> None:
    def answer(request: ReceivedRequest) -> Reply:
        return reply(*(sse_event(event) for event in (*DEBATE[:4], *DEBATE)))

    async with SseServer(script=answer) as server:
        mirror, _ = await mirror_debate(server)
    assert await mirror.read() == DEBATE


async def test_another_history_is_told_anew() -> None:
    reset = b'event: reset\ndata: {"type":"reset","reason":"epoch"}\n\n'
    rewound = 0

    def answer(request: ReceivedRequest) -> Reply:
        if request.last_event_id and request.last_event_id.startswith("aa"):
            return reply(reset, Cut.CLOSE)
        if len(server.requests) > 1:
            return reply(*(sse_event(event, "bb") for event in events_after(request, "bb")))
        return reply(*(sse_event(event) for event in DEBATE[:3]), Cut.CLOSE)

    clients = HttpClients()
    async with SseServer(script=answer) as server:
        mirror = RemoteLog(RemoteDebate(f"{server.origin}/debates/d", clients=clients), NO_WAIT_POLICY)

        def rewind() -> None:
            nonlocal rewound
            rewound += 1

        mirror.on_rewind = rewind
        await mirror.run()
        await clients.aclose()
    assert await mirror.read() == DEBATE
    assert rewound == 1


async def test_lagging_behind_costs_a_new_connection_and_nothing_else() -> None:
    reset, snapshot = b'{"type":"reset","reason":"lag"}', b'{"type":"snapshot"}'
    lag = b"event: reset\ndata: %s\n\nevent: snapshot\ndata: %s\n\n" % (reset, snapshot)

    def answer(request: ReceivedRequest) -> Reply:
        left = events_after(request)
        return reply(sse_event(left[0]), lag, Cut.STALL) if len(left) > 3 else reply(*map(sse_event, left))

    async with SseServer(script=answer) as server:
        mirror, _ = await mirror_debate(server)
    assert await mirror.read() == DEBATE


@pytest.mark.parametrize("head", [True, False])
async def test_where_event_streams_are_held_back_a_websocket_is_used(
    monkeypatch: pytest.MonkeyPatch, head: bool
) -> None:
    monkeypatch.setattr(remote_debate, "FIRST_BYTE_TIMEOUT_S", 0.2)

    def answer(request: ReceivedRequest) -> Reply:
        if "upgrade" not in request.headers:
            return reply(Cut.STALL, head=head)
        place = request.query.get("lastEventId", "aa:0")
        left = [event for event in DEBATE if event.seq > int(place.partition(":")[2])]
        told = [
            text_frame(b'{"id":"aa:%d",%s' % (event.seq, events.event_to_json(event)[1:]))
            for event in left[:4]
        ]
        if len(left) > 4:
            return upgraded(request, *told, text_frame(b'{"type":"goodbye","retry":0}'), close(1012))
        return upgraded(request, *told, close(1000))

    async with SseServer(script=answer) as server:
        mirror, _ = await mirror_debate(server)
    assert await mirror.read() == DEBATE
    assert mirror.transport == "WebSocket"


@pytest.mark.parametrize("status", [401, 404])
async def test_permanent_errors_are_reported_at_once(status: int) -> None:
    async with SseServer(reply(b"{}", status=status, content_type="application/json")) as server:
        with pytest.raises(Fault) as raised:
            await mirror_debate(server)
        assert raised.value.status == status
        assert len(server.requests) == 1


async def test_event_ids_of_a_host_are_opaque() -> None:
    def answer(request: ReceivedRequest) -> Reply:
        seen = (request.last_event_id or "").count("z")
        left = [event for event in DEBATE if event.seq > seen]
        told = b"id: aa:%s\ndata: %s\n\n" % (b"z" * left[0].seq, events.event_to_json(left[0]))
        return reply(told) if len(left) == 1 else reply(told, Cut.CLOSE)

    async with SseServer(script=answer) as server:
        mirror, _ = await mirror_debate(server)
    assert await mirror.read() == DEBATE


@pytest.mark.parametrize(
    "wrong",
    [events.PhaseStarted(seq=3, at=-1.0, phase="p", round=1, rounds=1), DEBATE[0]],
    ids=["time", "beginning"],
)
async def test_what_cannot_be_a_debate_ends_the_watching(wrong: events.Event) -> None:
    told = [*DEBATE[:2], replace(wrong, seq=3)]
    async with SseServer(reply(*map(sse_event, told), Cut.STALL)) as server:
        with pytest.raises(Fault, match="not send a valid debate"):
            await mirror_debate(server)


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"x":' + b"[" * 100_000], ids=["list", "object"])
async def test_what_no_decoder_can_follow_is_no_event(data: bytes) -> None:
    nested = reply(b"data: %s\n\n" % data)
    async with SseServer(nested, reply(*map(sse_event, DEBATE))) as server:
        mirror, said = await mirror_debate(server)
    assert await mirror.read() == DEBATE
    assert "invalid event" in said[1]


@pytest.mark.parametrize("wish", [b"9" * 400, b"600000"], ids=["no number", "long"])
async def test_a_host_is_not_waited_for_longer_than_for_anybody(wish: bytes) -> None:
    goodbye = b'event: goodbye\ndata: {"type":"goodbye","retry":%s}\n\n' % wish
    async with SseServer(reply(goodbye, Cut.CLOSE), reply(*map(sse_event, DEBATE))) as server:
        clients, said = HttpClients(), list[str]()
        policy = RecoveryPolicy(initial=0, jitter=0, max_retry_after=0)
        mirror = RemoteLog(
            RemoteDebate(f"{server.origin}/debates/d", clients=clients),
            policy,
            on_connection_notice=said.append,
        )
        await mirror.run()
        await clients.aclose()
    assert await mirror.read() == DEBATE
    assert said[1].endswith("Reconnecting in 0 s.")


@pytest.mark.parametrize(
    ("listing", "says"),
    [
        (b"<!doctype html><title>Hello</title>", "did not list its debates"),
        (b'{"debates":' + b"[" * 100_000, "did not list its debates"),
        (b'{"debates":"\xff"}', "did not list its debates"),
        (b'{"debates":[]}', "has no debates"),
        (b" " * 1001, "lists too many debates"),
    ],
    ids=["page", "nested", "bytes", "empty", "endless"],
)
async def test_an_address_without_debates_is_rejected(
    monkeypatch: pytest.MonkeyPatch, listing: bytes, says: str
) -> None:
    if says == "lists too many debates":
        monkeypatch.setattr(remote_debate, "MAX_LISTING_BYTES", 1000)
    clients = HttpClients()
    async with SseServer(reply(listing, content_type="text/html")) as server:
        with pytest.raises(Fault, match=says) as raised:
            await RemoteLog(
                RemoteDebate(server.origin, clients=clients), NO_WAIT_POLICY
            ).wait_for_first_event()
        await clients.aclose()
    assert raised.value.kind is FaultKind.BAD_REQUEST


async def test_a_host_that_lists_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_debate, "FETCH_TIMEOUT_S", 0.05)
    clients = HttpClients()
    async with SseServer(reply(b"{", Cut.STALL)) as server:
        with pytest.raises(Fault) as raised:
            await RemoteLog(
                RemoteDebate(server.origin, clients=clients), NO_WAIT_POLICY
            ).wait_for_first_event()
        await clients.aclose()
    assert raised.value.kind is FaultKind.TIMEOUT


async def test_the_token_goes_to_the_host_and_is_not_repeated() -> None:
    async with SseServer(reply(*map(sse_event, DEBATE))) as server:
        await mirror_debate(server, token="tell-nobody")
        assert server.requests[0].headers["authorization"] == "Bearer tell-nobody"
        assert "tell-nobody" not in server.requests[0].target


async def test_without_a_debate_in_the_address_the_newest_under_way_is_watched() -> None:
    listing = b'{"debates":[{"debate":"old","state":"complete"},{"debate":"now","state":"running"}]}'

    def answer(request: ReceivedRequest) -> Reply:
        if request.path == "/debates":
            return reply(listing, content_type="application/json")
        return reply(*map(sse_event, DEBATE))

    async with SseServer(script=answer) as server:
        clients = HttpClients()
        mirror = RemoteLog(RemoteDebate(server.origin, clients=clients), NO_WAIT_POLICY)
        await mirror.wait_for_first_event()
        await clients.aclose()
        assert server.requests[1].path == "/debates/now/events"
    assert (await mirror.read())[0] == DEBATE[0]


IDLE_POLICY = replace(NO_WAIT_POLICY, max_retries=2, text_timeout=60, silence_timeout=60)


async def follow_idle_host(
    answer: Callable[[ReceivedRequest], Reply], policy: RecoveryPolicy = IDLE_POLICY
) -> tuple[Fault, int]:
    """The fault a host ends with that does not end by itself, and how often it was asked."""
    clients = HttpClients()
    async with SseServer(script=answer) as server:
        mirror = RemoteLog(RemoteDebate(f"{server.origin}/debates/d", clients=clients), policy)
        try:
            with pytest.raises(Fault) as raised:
                await mirror.run()
        finally:
            await clients.aclose()
        return raised.value, len(server.requests)


async def test_a_host_that_sends_only_comments_is_given_up() -> None:
    fault, _ = await follow_idle_host(
        lambda _: reply(sse_event(DEBATE[0]), b":\n\n" * 500, Cut.STALL),
        replace(IDLE_POLICY, text_timeout=0.3),
    )
    assert fault.kind is FaultKind.TIMEOUT


async def test_a_host_that_repeats_itself_without_end_is_given_up() -> None:
    repeated = sse_event(DEBATE[0]) * (2 * remote_log.MAX_IDLE_MESSAGES)
    fault, asked = await follow_idle_host(lambda _: reply(sse_event(DEBATE[0]), repeated, Cut.STALL))
    assert fault.kind is FaultKind.SERVER
    assert asked == 2 + IDLE_POLICY.max_retries


async def test_a_host_that_starts_over_without_end_is_given_up() -> None:
    reset = b'data: {"type":"reset","reason":"epoch"}\n\n'
    fault, asked = await follow_idle_host(lambda _: reply(sse_event(DEBATE[0]), reset, Cut.STALL))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert asked == remote_log.MAX_REWINDS + 1


async def test_a_first_event_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_log, "FIRST_EVENT_TIMEOUT_S", 0.2)
    clients = HttpClients()
    async with SseServer(script=lambda _: reply(b":\n\n" * 100, Cut.STALL)) as server:
        mirror = RemoteLog(RemoteDebate(f"{server.origin}/debates/d", clients=clients), NO_WAIT_POLICY)
        with pytest.raises(Fault, match="no event"):
            await mirror.wait_for_first_event()
        await clients.aclose()
