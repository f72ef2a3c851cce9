"""Thoughts inside the text of every kind of source, over real sockets: never speech, whole or cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.session.judges import Judge, JudgePanel
from debate_tui.sources.reasoning_tags import ReasoningTagSource
from debate_tui.sources.registry import SourceFactory, parse_source
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource
from tests.fakes import websocket
from tests.fakes.provider_server import ProviderReply, ProviderServer
from tests.fakes.scripted_source import ManualClock, RecoveredOutput, read_recovered
from tests.fakes.sse_server import Cut, ReceivedRequest, Reply, SseServer, delta_event, reply
from tests.resilience.parallel_streams import EMPTY_DONE_EVENT, open_clients
from tests.resilience.provider_dialects import DIALECTS, KEYS, Dialect
from tests.session.scripted_session import motion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import Source

THOUGHTS = [
    pytest.param("<think>\nSecret plan.\n</think>\n\nI say yes.", id="tags"),
    pytest.param("Secret plan.\n</think>\n\nI say yes.", id="closing tag"),
    pytest.param(
        "<|channel|>analysis<|message|>Secret plan.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>I say yes.",
        id="harmony",
    ),
]


def pieces(raw: str) -> list[str]:
    return [raw[at : at + 5] for at in range(0, len(raw), 5)]


async def hear(source: Source) -> RecoveredOutput:
    clock = ManualClock()
    return await read_recovered(RecoveringSource(ReasoningTagSource(source), clock=clock), clock)


def assert_thoughts_apart(heard: RecoveredOutput) -> None:
    assert (heard.reasoning.strip(), heard.text) == ("Secret plan.", "I say yes.")
    assert heard.finished.reason == "complete"


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        yield running


@pytest.fixture
async def sdk() -> AsyncIterator[SdkClients]:
    made = SdkClients(environ=KEYS)
    yield made
    await made.aclose()


@pytest.mark.parametrize("raw", THOUGHTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_thoughts_in_a_models_text_are_reasoning(
    dialect: Dialect, raw: str, server: ProviderServer, sdk: SdkClients
) -> None:
    """However far the first connection came: so short an answer is requested again."""
    events = dialect.events(pieces(raw))
    for place in range(1, len(events)):
        server.script(
            dialect.path,
            ProviderReply(events[:place], ending="cut"),
            ProviderReply(dialect.events(pieces(raw))),
        )
        server.requests.clear()
        assert_thoughts_apart(await hear(dialect.make(server, sdk)))
        asked = [request.json.get("messages", request.json.get("input")) for request in server.requests]
        assert "Secret" not in str(asked)


@pytest.mark.parametrize("raw", THOUGHTS)
@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
async def test_thoughts_in_an_endpoints_text_are_reasoning(raw: str, ids: bool) -> None:
    events = [
        *(delta_event(piece, number if ids else None) for number, piece in enumerate(pieces(raw), 1)),
        EMPTY_DONE_EVENT,
    ]

    async with open_clients() as clients:
        for place in range(1, len(events)):
            cuts = [reply(*events[:place], Cut.CLOSE)]

            def script(request: ReceivedRequest, cuts: list[Reply] = cuts) -> Reply:
                return cuts.pop() if cuts else reply(*events[int(request.last_event_id or 0) :])

            async with SseServer(script=script) as server:
                assert_thoughts_apart(await hear(SseSource(server.url, clients=clients)))


@pytest.mark.parametrize("raw", THOUGHTS)
async def test_thoughts_in_a_websockets_text_are_reasoning(raw: str) -> None:
    frames = [websocket.text(json.dumps({"delta": piece})) for piece in pieces(raw)]

    def script(request: ReceivedRequest) -> Reply:
        return websocket.upgraded(request, *frames, websocket.text('{"type": "done"}'), websocket.close())

    async with open_clients() as clients, SseServer(script=script) as server:
        source = WebSocketSource(server.url.replace("http", "ws", 1), clients=clients)
        assert_thoughts_apart(await hear(source))


@pytest.mark.parametrize("raw", THOUGHTS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_judge_is_read_without_its_thoughts(
    dialect: Dialect, raw: str, server: ProviderServer, sdk: SdkClients
) -> None:
    """Numbers in them would make its opinion unreadable."""
    answer = raw.replace("Secret plan.", "30 or 40, I think.").replace("I say yes.", "70")
    server.script(dialect.path, ProviderReply(dialect.events(pieces(answer))))
    source = RecoveringSource(ReasoningTagSource(dialect.make(server, sdk)))
    panel = JudgePanel([Judge("judge", source)], motion())
    await panel.ask_stances()
    assert [run.stance_before for run in panel._runs] == [70]


@pytest.mark.parametrize(
    ("typed", "is_read"),
    [
        ("demo:orator", False),
        ("openai:m", False),
        ("anthropic:m", False),
        ("lmstudio:m", True),
        ("https://host/path", True),
        ("wss://host/path", True),
    ],
)
async def test_tags_are_read_where_reasoning_may_be_left_in_the_text(typed: str, is_read: bool) -> None:
    async with SourceFactory() as factory:
        assert isinstance(factory.make(parse_source(typed)), ReasoningTagSource) is is_read


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_tags_are_read_where_a_provider_has_another_address(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", "https://gateway.test/v1")
    async with SourceFactory() as factory:
        assert isinstance(factory.make(parse_source(f"{name}:m")), ReasoningTagSource)
