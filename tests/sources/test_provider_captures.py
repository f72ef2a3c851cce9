"""What real providers sent, replayed over HTTP to the source it belongs to."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished, Usage, UsageUpdate
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.payloads import SimpleEvent, decode_stream
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.detect import EndpointDecoder, detect_payload
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.sse_parser import parse_sse
from tests.fakes.provider_server import CHAT, MESSAGES, RESPONSES, ProviderReply, ProviderServer
from tests.sources.source_reader import REQUEST, SourceOutput, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import Source
    from debate_tui.sources.payloads import PayloadDecoder

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "captures"
INDEX = FOLDER / "index.json"
CAPTURES: list[dict[str, Any]] = json.loads(INDEX.read_text())["captures"] if INDEX.exists() else []
PATHS = {"chat.completions": CHAT, "responses": RESPONSES, "messages": MESSAGES}
KNOWN = [capture for capture in CAPTURES if capture["api"] in PATHS]
REASONS = {
    "stop": "complete",
    "completed": "complete",
    "end_turn": "complete",
    "stop_sequence": "complete",
    "length": "length",
    "refusal": "refused",
}
KINDS = {
    "insufficient_quota": FaultKind.QUOTA,
    "overloaded_error": FaultKind.OVERLOADED,
    "server_error": FaultKind.SERVER,
    "tool_use_failed": FaultKind.BAD_REQUEST,
    400: FaultKind.BAD_REQUEST,
}

pytestmark = pytest.mark.skipif(not CAPTURES, reason="the captures are not beside the repository")
each_capture = pytest.mark.parametrize("capture", KNOWN, ids=lambda capture: capture["file"])


def source_for(capture: dict[str, Any], server: ProviderServer, sdk: SdkClients) -> Source:
    if capture["api"] == "messages":
        return AnthropicSource(
            "m", sdk_clients=sdk, provider=replace(find_provider("anthropic"), base_url=server.url)
        )
    name = capture["provider"] if capture["provider"] != "azure" else "openai"
    api = "responses" if capture["api"] == "responses" else "chat"
    return OpenAISource(
        "m", provider=replace(find_provider(name), base_url=server.base, api=api), sdk_clients=sdk
    )


async def replay(capture: dict[str, Any], body: bytes, **reply: Any) -> SourceOutput:
    keys = ("OPENAI", "ANTHROPIC", "GROQ", "MISTRAL", "DEEPSEEK", "PERPLEXITY", "OPENROUTER")
    sdk = SdkClients(environ={f"{name}_API_KEY": "key-for-tests" for name in keys})
    async with ProviderServer() as server:
        answer = ProviderReply(body, content_type=capture["content_type"], **reply)
        server.script(PATHS[capture["api"]], answer)
        try:
            return await read_source(source_for(capture, server, sdk), REQUEST)
        finally:
            await sdk.aclose()


def usage_of(capture: dict[str, Any]) -> Usage | None:
    usage = capture["usage"]
    if usage is None:
        return None
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return Usage(
        usage.get("prompt_tokens", usage.get("input_tokens")),
        usage.get("completion_tokens", usage.get("output_tokens")),
        details.get("reasoning_tokens", details.get("thinking_tokens")),
    )


def check(heard: SourceOutput, capture: dict[str, Any]) -> None:
    assert isinstance(heard.items[0], Connected)
    assert heard.text == capture["final_text"] + capture["refusal_text"]
    assert heard.reasoning == capture["reasoning_text"]
    error = capture["error"]
    if error is None:
        finished = heard.items[-1]
        assert isinstance(finished, Finished)
        refused = bool(capture["refusal_text"])
        assert finished.reason == ("refused" if refused else REASONS[capture["finish_reason"]])
        assert finished.usage == usage_of(capture)
    else:
        assert not any(isinstance(item, Finished) for item in heard.items)
        assert isinstance(heard.fault, Fault)
        assert heard.fault.kind is KINDS[error.get("code") or error.get("type")]
        assert heard.fault.text_seen == any(isinstance(item, Chunk) for item in heard.items)
        assert error["message"][:60] in heard.fault.message
        so_far = [item.usage for item in heard.items if isinstance(item, UsageUpdate)]
        assert (so_far[-1] if so_far else None) == usage_of(capture)


@each_capture
async def test_is_heard_as_it_was_said(capture: dict[str, Any]) -> None:
    check(await replay(capture, (FOLDER / capture["file"]).read_bytes()), capture)


@each_capture
async def test_does_not_depend_on_how_the_network_cuts_it(capture: dict[str, Any]) -> None:
    body = (FOLDER / capture["file"]).read_bytes()
    # The large ones are cut into pieces no field name fits into: byte by byte they take too long.
    piece = 1 if len(body) < 8_000 else 7
    check(await replay(capture, body, piece=piece), capture)


@each_capture
async def test_is_never_finished_when_cut_in_the_middle(capture: dict[str, Any]) -> None:
    body = (FOLDER / capture["file"]).read_bytes()
    heard = await replay(capture, body[: len(body) // 2], ending="cut")
    assert heard.fault is not None
    assert not any(isinstance(item, Finished) for item in heard.items)
    assert (capture["final_text"] + capture["refusal_text"]).startswith(heard.text)
    assert capture["reasoning_text"].startswith(heard.reasoning)


# Events that carry no text, in place of a recorded one


DECODERS: dict[str, Callable[[], PayloadDecoder]] = {
    "chat.completions": ChatDecoder,
    "responses": ResponsesDecoder,
    "messages": MessagesDecoder,
}
SIGNS = [
    *(b": still here\n\n", b"data:\n\n", b"data: \n\n", b"data\n\n", b"retry: 3000\n\n", b"event: x\n\n"),
    *(b"event: ping\ndata: pong\n\n", b'event: heartbeat\ndata: {"text": "beat"}\n\n', b"\n\n"),
    *(b"event: keep-alive\ndata:\n\n", b"unknown: field\n\n", b": a\n: b\n\n"),
]
"""Junk in any stream."""
JUNK = [
    *("null", "  ", "0", "1.5", "true", "[]", "{}", "[1, 2]", '"ping"', "ping", "keep-alive", "OK", "NaN"),
    *('{"type": "ping"}', '{"ping": 1764403200.5}', '{"type": "vendor.trace", "detail": "searching"}'),
    *('{"event": "trace", "status": 500, "message": "not yours"}', '{"message": "ping"}', '{"foo": [{}]}'),
    *('{"error": null}', '{"error": ""}', '{"error": {}}', '{"errors": []}', '{"detail": null}'),
    *('{"choices": []}', '{"choices": null}', '{"choices": 7}', '{"choices": {}}', '{"choices": [null]}'),
    *('{"usage": ""}', '{"usage": 7}', '{"usage": {"prompt_tokens": 1.5, "output_tokens": "9"}}'),
    *('{"usage": {"completion_tokens_details": [], "input_tokens": NaN}}', '{"choices": [], "usage": {}}'),
    *('{"delta": null}', '{"delta": {}}', '{"delta": []}', '{"delta": {"text": null}}', '{"delta": 7}'),
    *('{"delta": {"text": {"of": "a kind"}}}', '{"type": 7, "object": [], "id": {}}', '{"response": "x"}'),
    *('{"type": "content_block_delta", "delta": {"type": "vendor_delta", "data": {}}}', '{"item": 1}'),
    *('{"type": "message_delta", "delta": {"stop_reason": null}, "usage": ""}', '{"message": []}'),
    *('{"type": "response.shell_call_output_content.delta", "delta": {"stdout": "x"}}', '{"content": {}}'),
    *('{"type": "response.output_text.delta", "delta": null}', '{"type": "response.vendor", "response": 3}'),
    *('{"type": "response.in_progress", "response": {"usage": "", "output": {}}, "sequence_number": "x"}',),
    *('{"choices": [{"index": "0", "delta": {"content": null}}]}', '{"choices": [{"index": null}]}'),
    *('{"choices": [{"delta": {"content": {"a": 1}}, "finish_reason": ""}]}', '{"choices": [{"delta": []}]}'),
    *('{"choices": [{"index": 0, "delta": {"content": [], "tool_calls": []}, "logprobs": NaN}]}',),
    *('{"choices": [{"index": 9, "delta": {"content": "of another"}, "finish_reason": "stop"}]}',),
    *('{"choices": [{"index": 0, "delta": {"role": 3, "reasoning": {}}, "finish_reason": false}]}',),
]
"""Junk in streams of JSON."""


def events_of(body: bytes) -> list[bytes]:
    """The blocks of a recorded stream, each with its blank line."""
    text = body.replace(b"\r\n", b"\n")
    return [block + b"\n\n" for block in re.split(rb"\n\n+", text) if block.strip()]


def decode_capture(capture: dict[str, Any], events: list[bytes], *, as_endpoint: bool) -> SourceOutput:
    """What the decoders make of these events, before an orderly end."""

    async def pieces() -> AsyncIterator[bytes]:
        for event in events:
            yield event

    async def collect() -> SourceOutput:
        heard = SourceOutput()
        found = parse_sse(pieces())
        decoded = decode_stream(found, EndpointDecoder() if as_endpoint else DECODERS[capture["api"]]())
        try:
            async for item in decoded:
                heard.items.append(item)
        except Fault as fault:
            heard.fault = fault
        return heard

    return asyncio.run(collect())


def said(capture: dict[str, Any], events: list[bytes], *, as_endpoint: bool) -> tuple[str, str]:
    heard = decode_capture(capture, events, as_endpoint=as_endpoint)
    return heard.text, heard.reasoning


@given(
    st.sampled_from(CAPTURES or [{}]),
    st.integers(0, 10_000),
    st.sampled_from(SIGNS) | st.sampled_from(JUNK),
    st.booleans(),
    st.booleans(),
)
def test_junk_in_place_of_an_event_changes_no_text(
    capture: dict[str, Any], place: int, junk: str | bytes, insert: bool, as_endpoint: bool
) -> None:
    is_known = capture["api"] in DECODERS
    as_endpoint = as_endpoint or not is_known
    events = events_of((FOLDER / capture["file"]).read_bytes())
    place %= len(events)
    before, after = events[:place], events[place + (not insert) :]
    if isinstance(junk, str):
        # Where the payload is still to be found out, junk that looks like another one's event is that.
        assume(is_known)
        is_first = not any(b"data: {" in event for event in before)
        assume(not (as_endpoint and is_first and detect_payload(SimpleEvent(junk))))
        # Of several choices the lowest of the first chunk is the answer.
        assume(not (is_first and '"index": 9' in junk))
        junk = f"data: {junk}\n\n".encode()
    changed = said(capture, [*before, junk, *after], as_endpoint=as_endpoint)
    assert changed == said(capture, [*before, *after], as_endpoint=as_endpoint)


@each_capture
@pytest.mark.parametrize("as_endpoint", [False, True])
def test_no_junk_costs_the_end(capture: dict[str, Any], as_endpoint: bool) -> None:
    """All of the junk at once, before every event but the first, and the stream ends as it did."""
    events = events_of((FOLDER / capture["file"]).read_bytes())
    junk = [*SIGNS, *(f"data: {junk}\n\n".encode() for junk in JUNK)]
    if as_endpoint:
        events = [event for event in events if event[:1] != b":"]
    noisy = [part for event in events[:-1] for part in (event, *junk)]
    plain = decode_capture(capture, events, as_endpoint=as_endpoint)
    heard = decode_capture(capture, [*noisy, events[-1]], as_endpoint=as_endpoint)
    assert (heard.text, heard.reasoning) == (plain.text, plain.reasoning)
    assert (heard.finished is None) == (plain.finished is None)
    assert (heard.fault and heard.fault.kind) == (plain.fault and plain.fault.kind)
    if heard.finished and plain.finished:
        assert heard.finished.reason == plain.finished.reason


@pytest.mark.parametrize(
    "capture", [c for c in KNOWN if c["provider"] == "perplexity"], ids=lambda c: c["file"]
)
async def test_recorded_search_results_are_citations(capture: dict[str, Any]) -> None:
    body = (FOLDER / capture["file"]).read_bytes()
    heard = await replay(capture, body)
    results = json.loads(body.splitlines()[0].removeprefix(b"data: "))["search_results"]
    assert heard.finished is not None
    assert len(heard.finished.citations) == len(results) == 8
    assert [cited.url for cited in heard.finished.citations] == [result["url"] for result in results]
    assert heard.finished.citations[0].title == results[0]["title"]
