"""Bodies that are not what they are labelled as: told by their first bytes, and JSON given out as events."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import Chunk, Fault, KeepAlive
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.body import identify_body, parse_json_body, parse_ndjson
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CHUNKS = [
    {"choices": [{"delta": {"content": "Tea \u2028 \u00e9"}}]},
    {"choices": [{"delta": {"content": "\n"}, "finish_reason": "stop"}]},
]
WHOLE = {"object": "chat.completion", "choices": [{"message": {"content": "Tea."}, "finish_reason": "stop"}]}
LINES = "\n".join(map(json.dumps, CHUNKS))
BODIES = [
    LINES,
    LINES + "\n[DONE]\n",
    LINES.replace("\n", "\r\n\r\n"),
    "\ufeff" + LINES,
    "\x1e" + LINES.replace("\n", "\n\x1e"),
    json.dumps(WHOLE),
    json.dumps(WHOLE, indent=2),
    "\n\n " + json.dumps(WHOLE, indent=2) + "\n\n",
    json.dumps(CHUNKS, indent=1),
]


async def pieces(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in pairwise(edges):
        yield body[start:end]


async def events(parse: Callable[..., AsyncIterator[object]], body: bytes, cuts: list[int]) -> list[str]:
    found = [event async for event in parse(pieces(body, cuts))]
    return [event.data for event in found if not isinstance(event, KeepAlive)]  # type: ignore[attr-defined]


@given(st.sampled_from(BODIES), st.lists(st.integers(0, 2000), max_size=12))
async def test_json_is_the_same_however_it_is_cut(body: str, cuts: list[int]) -> None:
    raw = body.encode()
    whole = await events(parse_json_body, raw, [])
    assert await events(parse_json_body, raw, cuts) == whole
    assert await events(parse_ndjson, raw, cuts) == whole
    texts = [
        (choice.get("delta") or choice["message"])["content"]
        for data in whole
        if data != "[DONE]"
        for choice in json.loads(data)["choices"]
    ]
    assert "".join(texts) in ("Tea \u2028 \u00e9\n", "Tea.")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"data: x\n\n", "events"),
        (b"data\n\n", "events"),
        (b": hi\n\n", "events"),
        (b"\xef\xbb\xbf\r\n event: x\n", "events"),
        (b"id:1\n", "events"),
        (b"retry: 10\n", "events"),
        (b' \n{"a": 1}', "json"),
        (b'[{"a": 1}]', "json"),
        (b"\n<!doctype html>", "page"),
        (b"dataset\n", "text"),
        (b"Error: no\n", "text"),
        (b"hello", "text"),
    ],
)
def test_the_first_bytes_tell_wherever_they_are_cut(body: bytes, kind: str) -> None:
    told = [identify_body(body[:end], is_event_stream=False) for end in range(len(body) + 1)]
    assert told[-1] == kind
    assert set(told) <= {None, kind}
    assert told == sorted(told, key=lambda each: each is not None)


async def test_a_document_is_bounded() -> None:
    with pytest.raises(Fault):
        await events(
            lambda body: parse_json_body(body, limit=64), json.dumps(WHOLE, indent=1).encode() * 9, []
        )


async def test_junk_that_looks_like_json_says_nothing_raw() -> None:
    for body in (b'{"a": 1}', b'{"a": 1}\n{"b": 2}\n', b"{}", b"[]"):
        with pytest.raises(Fault) as raised:
            await events(parse_json_body, body, [])
        assert "{" not in raised.value.message


@pytest.mark.parametrize("decoder", [MessagesDecoder, ResponsesDecoder])
@pytest.mark.parametrize(
    "value",
    [
        {"type": "message"},
        {"type": "message", "content": None},
        {"type": "message", "content": 7, "output": {}},
        {"type": "message", "output": []},
        {"object": "response"},
        {"object": "response", "output": None},
        {"object": "response", "content": []},
        {"object": "response", "type": "message", "output": [None, {"content": [7]}], "content": [None]},
    ],
)
def test_half_of_an_answer_is_read_without_end(
    decoder: type[MessagesDecoder | ResponsesDecoder], value: dict[str, object]
) -> None:
    assert not [item for item in decoder().decode(SimpleEvent(json.dumps(value))) if isinstance(item, Chunk)]
