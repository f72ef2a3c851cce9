"""What servers send that no specification knows, served over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from debate_tui.domain.stream import Fault, FaultKind, Finished
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.reasoning_tags import ReasoningTagSource
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource
from tests.fakes import websocket
from tests.fakes.provider_server import ProviderReply, ProviderServer, event
from tests.fakes.sse_server import SseServer
from tests.sources.deviations import (
    COMPLETED,
    CREATED,
    DEVIATIONS,
    DONE,
    ENDING,
    HELLO,
    PATHS,
    SAID,
    SSE,
    START,
    STOP,
    Api,
    Deviation,
    chunk,
    named,
)
from tests.sources.source_reader import SourceOutput, read_source

if TYPE_CHECKING:
    from debate_tui.domain.stream import Source


def make_source(api: Api, server: ProviderServer, sdk: SdkClients, clients: HttpClients) -> Source:
    if api == "endpoint":
        return SseSource(server.url + PATHS[api], clients=clients)
    if api == "messages":
        return AnthropicSource(
            "m", sdk_clients=sdk, provider=replace(find_provider("anthropic", {}), base_url=server.url)
        )
    return OpenAISource(
        "m", provider=replace(find_provider("openai", {}), base_url=server.base, api=api), sdk_clients=sdk
    )


async def hear(api: Api, reply: ProviderReply) -> SourceOutput:
    return (await hear_all(api, [reply]))[0]


async def hear_case(case: Deviation, piece: int = 0) -> SourceOutput:
    body = b"".join(case.body) if piece else case.body
    reply = ProviderReply(body, case.status, case.content_type, piece=piece, ending=case.ending)
    return (await hear_all(case.api, [reply], tags=case.reasoning is not None))[0]


async def hear_all(api: Api, replies: list[ProviderReply], *, tags: bool = False) -> list[SourceOutput]:
    """What comes of each of these answers, from one source."""
    sdk = SdkClients(environ={"OPENAI_API_KEY": "key-for-tests", "ANTHROPIC_API_KEY": "key-for-tests"})
    clients = HttpClients()
    async with ProviderServer() as server:
        server.script(PATHS[api], *replies)
        source = make_source(api, server, sdk, clients)
        try:
            return [await read_source(ReasoningTagSource(source) if tags else source) for _ in replies]
        finally:
            await clients.aclose()
            await sdk.aclose()


def check(case: Deviation, heard: SourceOutput) -> None:
    assert heard.text == case.text
    assert case.reasoning is None or heard.reasoning == case.reasoning
    if case.reason is not None:
        assert heard.fault is None
        assert heard.finished is not None
        assert heard.finished.reason == case.reason
        for name, value in case.finished.items():
            assert getattr(heard.finished, name) == value, name
        return
    assert heard.finished is None
    assert isinstance(heard.fault, Fault)
    assert case.kind is None or heard.fault.kind is case.kind
    assert case.says in heard.fault.message
    assert '{"error"' not in heard.fault.message


@pytest.mark.parametrize("case", DEVIATIONS, ids=lambda case: f"{case.api}: {case.what}")
async def test_what_servers_send_comes_out_right(case: Deviation) -> None:
    check(case, await hear_case(case))


@pytest.mark.parametrize("case", DEVIATIONS[::7], ids=lambda case: f"{case.api}: {case.what}")
async def test_however_the_network_cuts_it(case: Deviation) -> None:
    check(case, await hear_case(case, piece=1))


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
@pytest.mark.parametrize("ending", ["cut", "reset"])
@pytest.mark.parametrize("after", [b"", b"data: {", event({"error": {"message": "Broken.", "code": 500}})])
async def test_a_cut_after_the_finish_reason_costs_nothing(api: Api, ending: Any, after: bytes) -> None:
    body = (*START, ENDING[0]) if api == "messages" else (HELLO, STOP)
    heard = await hear(api, ProviderReply((*body, after), ending=ending))
    assert heard.text == "Hello."
    assert heard.fault is None
    assert heard.finished is not None
    assert heard.finished.reason == "complete"


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
@pytest.mark.parametrize("ending", ["cut", "reset"])
async def test_a_cut_before_the_finish_reason_stays_a_cut(api: Api, ending: Any) -> None:
    body = START if api == "messages" else (HELLO, chunk("", ""))
    heard = await hear(api, ProviderReply(tuple(body), ending=ending))
    assert heard.finished is None
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize("after", [(), (event({"error": {"message": "Broken.", "code": 500}}),)])
async def test_a_filter_counts_whatever_comes_after_it(after: tuple[bytes, ...]) -> None:
    heard = await hear("chat", ProviderReply((chunk("", "content_filter"), *after), ending="cut"))
    assert heard.finished is not None
    assert heard.finished.reason == "refused"


async def test_a_websocket_that_breaks_after_the_finish_reason_costs_nothing() -> None:
    clients = HttpClients()
    frames = [websocket.text(part[6:-2].decode()) for part in (HELLO, STOP)]
    async with SseServer(script=lambda request: websocket.upgraded(request, *frames)) as server:
        try:
            source = WebSocketSource(server.url.replace("http:", "ws:"), clients=clients)
            heard = await read_source(source)
        finally:
            await clients.aclose()
    assert heard.text == "Hello."
    assert heard.finished is not None


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
async def test_a_server_that_does_not_close_after_the_finish_reason_is_left(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("debate_tui.sources.payloads.AFTER_FINISH_TIMEOUT", 0.05)
    body = (*START, ENDING[0]) if api == "messages" else (HELLO, STOP)
    heard = await hear(api, ProviderReply(body, ending="stall"))
    assert heard.text == "Hello."
    assert isinstance(heard.finished, Finished)
    assert heard.finished.reason == "complete"


async def test_a_finish_reason_in_every_chunk_ends_nothing() -> None:
    body = (chunk("Hel", "stop"), chunk("lo", "stop"), chunk(".", "stop"), DONE)
    assert (await hear("chat", ProviderReply(body))).text == "Hello."
    broken = event({"error": {"message": "Broken.", "code": 500}})
    heard = await hear("chat", ProviderReply((*body[:2], broken)))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.SERVER
    heard = await hear("chat", ProviderReply(body[:2], ending="cut"))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize("ending", ["end", "cut"])
@pytest.mark.parametrize("api", ["chat", "messages", "responses", "endpoint"])
async def test_the_end_counts_from_the_byte_that_completes_it(api: Api, ending: Any) -> None:
    """Cut at every byte of the end: an orderly end needs the whole marker, a cut its blank line, too."""
    body: tuple[bytes, ...] = {
        "chat": (HELLO, STOP),
        "endpoint": (event({"delta": "Hello."}), named("done", {"reason": "length"})),
        "messages": (*START, ENDING[0]),
        "responses": (*CREATED, SAID, COMPLETED),
    }[api]
    whole = b"".join(body)
    begin = len(whole) - len(body[-1])
    replies = [ProviderReply(whole[:place], ending=ending) for place in range(begin, len(whole) - 1)]
    for place, heard in zip(range(begin, len(whole) - 1), await hear_all(api, replies), strict=True):
        is_whole = place >= len(whole) - 2 and ending == "end"
        assert heard.text == "Hello."
        if api == "endpoint" and ending == "end":
            assert heard.finished is not None  # bare deltas may end without a marker
        else:
            assert (heard.finished is not None) is is_whole, whole[begin:place]


async def test_unknown_events_without_end_are_given_up() -> None:
    heard = await hear("endpoint", ProviderReply([event({"foo": n}) for n in range(30)], ending="stall"))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.BAD_REQUEST
    assert '{"foo": 0}' in heard.fault.message


def test_every_case_has_its_own_name() -> None:
    names = [(case.api, case.what) for case in DEVIATIONS]
    assert len(set(names)) == len(names)


WEBSOCKET_CASES = [
    case
    for case in DEVIATIONS
    if case.api == "endpoint"
    and case.content_type == SSE
    and case.ending == "end"
    and case.reasoning is None
    and all(part.startswith(b"data: ") and part.endswith(b"\n\n") for part in case.body)
]


@pytest.mark.parametrize("case", WEBSOCKET_CASES, ids=lambda case: case.what)
async def test_a_websocket_is_read_the_same_way(case: Deviation) -> None:
    frames = [websocket.text(part[6:-2].decode()) for part in case.body]
    script = [*frames, websocket.close()]
    clients = HttpClients()
    async with SseServer(script=lambda request: websocket.upgraded(request, *script)) as server:
        try:
            source = WebSocketSource(server.url.replace("http:", "ws:"), clients=clients)
            check(case, await read_source(source))
        finally:
            await clients.aclose()
