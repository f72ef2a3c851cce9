"""Providers in trouble, in their own wire formats over real sockets, beside others that never notice."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Fault, FaultKind, Usage
from debate_tui.sources.sdk import SdkClients
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    RESPONSES,
    STREAM,
    ProviderReply,
    ProviderServer,
    chat_events,
    error,
    event,
    responses_events,
)
from tests.resilience.parallel_streams import (
    UNDISTURBED_STATES,
    GuardedStream,
    HealthyStreams,
    healthy_streams,
    open_clients,
    read_through_faults,
)
from tests.resilience.provider_dialects import (
    CHAT_API,
    DIALECTS,
    KEYS,
    MESSAGES_API,
    RESPONSES_API,
    Dialect,
    make_background,
    make_llama,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fakes.provider_server import Ending
    from tests.fakes.scripted_source import RecoveredOutput

PIECES = ["Tea 🍵 is ", "older than ", "coffee. ", "It keeps ", "better in ", "a 茶 storm."]
TEXT = "".join(PIECES)


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        yield running


@pytest.fixture
async def beside() -> AsyncIterator[HealthyStreams]:
    async with open_clients() as shared, healthy_streams(shared, 2) as made:
        yield made


@pytest.fixture
async def sdk() -> AsyncIterator[SdkClients]:
    made = SdkClients(environ=KEYS)
    yield made
    await made.aclose()


def places(events: list[bytes]) -> list[int]:
    """The places of the events that bring the pieces of the answer, one after the other."""
    written = [json.dumps(piece, ensure_ascii=False).encode() for piece in PIECES]
    return [next(n for n, sent in enumerate(events) if piece in sent) for piece in written]


async def break_off(
    pane: GuardedStream, shown: str, gate: asyncio.Event, beside: HealthyStreams, *, stall: bool
) -> None:
    """Break the connection once all that was sent is shown."""
    await pane.until(lambda heard: heard.text == shown)
    gate.set()
    if stall:
        await beside.finish()
        pane.clock.advance(60)


async def break_and_heal(
    pane: GuardedStream, shown: str, gate: asyncio.Event, beside: HealthyStreams, *, stall: bool
) -> RecoveredOutput:
    breaking = asyncio.create_task(break_off(pane, shown, gate, beside, stall=stall))
    heard = await read_through_faults(pane, beside)
    await breaking
    return heard


@pytest.mark.parametrize("ending", ["cut", "reset", "end", "stall"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_broken_answer_is_continued_where_it_broke(
    dialect: Dialect, ending: Ending, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    """At every piece: what is short is requested again, the rest continued, from the last sentence later."""
    events = dialect.events(PIECES)
    for count, place in enumerate(places(events), 1):
        shown = "".join(PIECES[:count])
        begin = TEXT.find("It keeps") if count > 4 else len(shown) if len(shown) > 20 else 0
        rest = TEXT[begin:]
        gate = asyncio.Event()
        server.script(
            dialect.path,
            ProviderReply([*events[: place + 1], gate], ending=ending),
            ProviderReply(dialect.events([rest[:5], rest[5:]])),
        )
        pane = GuardedStream(dialect.make(server, sdk))
        heard = await break_and_heal(pane, shown, gate, beside, stall=ending == "stall")
        assert heard.text == TEXT
        assert heard.superseded == 0
        assert heard.finished.reason == "complete"
        assert heard.states == [
            *UNDISTURBED_STATES,
            "reconnecting 1/5",
            *(UNDISTURBED_STATES if count < len(PIECES) else UNDISTURBED_STATES[:2]),
        ]
        assert pane.reported_errors[0].kind is (FaultKind.TIMEOUT if ending == "stall" else FaultKind.NETWORK)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_shown_is_asked_anew(
    dialect: Dialect, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    events = dialect.events(PIECES, reasoning=["Hm."])
    server.script(dialect.path, ProviderReply(events[:1], ending="cut"), ProviderReply(events))
    heard = await read_through_faults(GuardedStream(dialect.make(server, sdk)), beside)
    assert (heard.text, heard.reasoning) == (TEXT, "Hm.")
    assert heard.states == [*UNDISTURBED_STATES[:2], "reconnecting 1/5", *UNDISTURBED_STATES]
    assert server.requests[0].json == server.requests[1].json


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_other_thoughts_after_a_cut_supersede_those_shown(
    dialect: Dialect, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    first = dialect.events(PIECES, reasoning=["Hm, ", "tea?"])
    thought = next(n for n, sent in enumerate(first) if b"tea?" in sent)
    server.script(
        dialect.path,
        ProviderReply(first[: thought + 1], ending="cut"),
        ProviderReply(dialect.events(PIECES, reasoning=["Well."])),
    )
    heard = await read_through_faults(GuardedStream(dialect.make(server, sdk)), beside)
    assert (heard.text, heard.reasoning) == (TEXT, "Well.")
    assert heard.superseded == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (429, "rate_limited", "rate_limit_error"),
        (500, "server", "api_error"),
        (502, "server", "api_error"),
        (503, "overloaded", "service_unavailable"),
        (529, "overloaded", "overloaded_error"),
        (408, "timeout", "timeout"),
        (409, "server", "conflict"),
    ],
)
async def test_a_status_that_may_pass_is_waited_out(
    dialect: Dialect,
    status: int,
    kind: str,
    name: str,
    server: ProviderServer,
    sdk: SdkClients,
    beside: HealthyStreams,
) -> None:
    refusal = ProviderReply(error(name), status, JSON, {"Retry-After": "3"} if status == 429 else {})
    server.script(dialect.path, refusal, ProviderReply(dialect.events(PIECES)))
    pane = GuardedStream(dialect.make(server, sdk))
    heard = await read_through_faults(pane, beside)
    assert heard.text == TEXT
    assert heard.states == ["connecting", "reconnecting 1/5", *UNDISTURBED_STATES]
    assert [(report.kind, report.status) for report in pane.reported_errors] == [(kind, status)]
    assert heard.waits == [3150 if status == 429 else 1000]
    assert len(server.requests) == 2, "somebody else has tried again too"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ProviderReply(error("authentication_error"), 401, JSON), FaultKind.AUTH),
        (ProviderReply(error("permission_error"), 403, JSON), FaultKind.AUTH),
        (ProviderReply(error("insufficient_quota", code="insufficient_quota"), 429, JSON), FaultKind.QUOTA),
        (ProviderReply(error("billing_error"), 402, JSON), FaultKind.QUOTA),
        (ProviderReply(error("invalid_request_error"), 400, JSON), FaultKind.BAD_REQUEST),
        (ProviderReply(error("not_found_error", "no such model"), 404, JSON), FaultKind.BAD_REQUEST),
        (ProviderReply(error("request_too_large"), 413, JSON), FaultKind.BAD_REQUEST),
        (ProviderReply(b"<html>Sign in</html>", content_type="text/html"), FaultKind.BAD_REQUEST),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    dialect: Dialect,
    answer: ProviderReply,
    kind: FaultKind,
    server: ProviderServer,
    sdk: SdkClients,
    beside: HealthyStreams,
) -> None:
    server.script(dialect.path, answer)
    pane = GuardedStream(dialect.make(server, sdk))
    with pytest.raises(Fault) as raised:
        await read_through_faults(pane, beside)
    await beside.finish()
    assert raised.value.kind is kind
    assert pane.output.states == ["connecting"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("dialect", "broken", "kind"),
    [
        (CHAT_API, event({"error": {"code": 502, "message": "Provider down."}}), FaultKind.SERVER),
        (
            CHAT_API,
            event({"error": {"message": "Busy.", "type": "overloaded"}}, "error"),
            FaultKind.OVERLOADED,
        ),
        (
            RESPONSES_API,
            event({"type": "error", "code": "server_error", "message": "Oh."}, "error"),
            FaultKind.SERVER,
        ),
        (
            MESSAGES_API,
            event({"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}, "error"),
            FaultKind.OVERLOADED,
        ),
    ],
)
async def test_an_error_in_the_stream_is_healed_like_a_cut(
    dialect: Dialect,
    broken: bytes,
    kind: FaultKind,
    server: ProviderServer,
    sdk: SdkClients,
    beside: HealthyStreams,
) -> None:
    events = dialect.events(PIECES)
    place = places(events)[2]
    server.script(
        dialect.path, ProviderReply([*events[: place + 1], broken]), ProviderReply(dialect.events(PIECES[3:]))
    )
    pane = GuardedStream(dialect.make(server, sdk))
    heard = await read_through_faults(pane, beside)
    assert heard.text == TEXT
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]
    assert pane.reported_errors[0].kind is kind


async def test_quota_spent_in_the_stream_is_not_tried_again(
    server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    events = RESPONSES_API.events(PIECES)
    spent = event({"type": "error", "code": "insufficient_quota", "message": "Spent."}, "error")
    server.script(RESPONSES, ProviderReply([*events[:4], spent]))
    pane = GuardedStream(RESPONSES_API.make(server, sdk))
    with pytest.raises(Fault) as raised:
        await read_through_faults(pane, beside)
    assert raised.value.kind is FaultKind.QUOTA


@pytest.mark.parametrize("ending", ["cut", "reset", "stall"])
async def test_background_responses_are_read_on_exactly(
    ending: Ending, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    events = responses_events(PIECES, reasoning=["Hm."], usage={"input_tokens": 4, "output_tokens": 9})
    for count, place in enumerate(places(events), 1):
        shown, gate = "".join(PIECES[:count]), asyncio.Event()
        server.requests.clear()
        server.script(RESPONSES, ProviderReply([*events[: place + 1], gate], ending=ending))
        server.script(f"{RESPONSES}/resp_1", ProviderReply(events[place + 1 :]))
        pane = GuardedStream(make_background(server, sdk))
        heard = await break_and_heal(pane, shown, gate, beside, stall=ending == "stall")
        assert (heard.text, heard.reasoning) == (TEXT, "Hm.")
        assert heard.finished.usage == Usage(4, 9)
        assert [request.method for request in server.requests] == ["POST", "GET"]
        assert server.requests[1].query["starting_after"] == str(place)


@pytest.mark.parametrize("ending", ["cut", "reset", "stall"])
async def test_a_background_response_too_old_to_stream_is_polled(
    ending: Ending, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    events, gate = responses_events(PIECES), asyncio.Event()
    done = {
        "id": "resp_1",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}],
    }
    server.script(RESPONSES, ProviderReply([*events[: places(events)[2] + 1], gate], ending=ending))
    late = ProviderReply(error("invalid_request_error", "too old"), 400, JSON)
    server.script(f"{RESPONSES}/resp_1", late, ProviderReply(json.dumps(done).encode(), content_type=JSON))
    pane = GuardedStream(make_background(server, sdk))
    heard = await break_and_heal(pane, "".join(PIECES[:3]), gate, beside, stall=ending == "stall")
    assert heard.text == TEXT
    assert heard.superseded == 0


@pytest.mark.parametrize("ending", ["cut", "reset", "stall"])
async def test_llama_cpp_is_read_on_by_the_byte(
    ending: Ending, server: ProviderServer, sdk: SdkClients, beside: HealthyStreams
) -> None:
    events = chat_events(PIECES)
    body = b"".join(events)
    for count, place in enumerate(places(events), 1):
        sent, gate = b"".join(events[: place + 1]) + events[place + 1][:9], asyncio.Event()
        server.requests.clear()
        server.script(CHAT, ProviderReply([sent, gate], ending=ending))
        server.script(STREAM, ProviderReply(body[len(b"".join(events[: place + 1])) :]))
        pane = GuardedStream(make_llama(server, sdk))
        heard = await break_and_heal(pane, "".join(PIECES[:count]), gate, beside, stall=ending == "stall")
        assert heard.text == TEXT
        assert [request.method for request in server.requests] == ["POST", "GET"]
        assert server.requests[1].query["from"] == str(len(b"".join(events[: place + 1])))
