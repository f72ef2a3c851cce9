"""What servers name as their sources, in every place they have for it; and nothing else of it counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import (
    MAX_CITATIONS,
    Chunk,
    Citation,
    CitationsUpdate,
    Cursor,
    Finished,
    merge_citations,
)
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.agent_protocols import UiStreamDecoder
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.citations import MAX_TITLE_LENGTH, find_citations
from debate_tui.sources.payloads.deltas import DebateLogDecoder, DeltaDecoder
from debate_tui.sources.payloads.detect import EndpointDecoder
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder, decode_response

if TYPE_CHECKING:
    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadDecoder

TEA, MILK = "https://tea.example/a?b=1#c", "http://milk.example"
PAIR = (Citation(TEA, "On tea"), Citation(MILK))


def decode(decoder: PayloadDecoder, *events: object) -> list[StreamItem]:
    data = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return [item for text in data for item in decoder.decode(SimpleEvent(text))]


def chat(delta: dict[str, Any], finish: str | None = None, **more: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def annotation(url: str, title: str | None = None) -> dict[str, Any]:
    place = {"start_index": 0, "end_index": 3}
    return {"type": "url_citation", "url_citation": {"url": url, "title": title, **place}}


def flat(url: str, title: str = "") -> dict[str, Any]:
    return {"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": 3}


def block(kind: str, **fields: object) -> dict[str, Any]:
    return {"type": f"content_block_{kind}", "index": 0, **fields}


STREAMS: dict[str, tuple[PayloadDecoder, list[object]]] = {
    "chat annotations in deltas": (
        ChatDecoder(),
        [
            chat({"content": "Tea", "annotations": [annotation(TEA, "On tea")]}),
            chat({"annotations": [annotation(MILK), annotation(TEA, "Again")]}, "stop"),
            "[DONE]",
        ],
    ),
    "chat annotations in a message": (
        ChatDecoder(),
        [
            {
                "choices": [
                    {"message": {"content": "Tea", "annotations": [annotation(TEA, "On tea"), flat(MILK)]}}
                ]
            },
            "[DONE]",
        ],
    ),
    "a message after its deltas": (
        ChatDecoder(),
        [
            chat({"content": "Tea"}),
            {
                "choices": [
                    {
                        "index": 0,
                        "message": {"content": "Tea", "annotations": [flat(TEA, "On tea"), flat(MILK)]},
                    }
                ]
            },
            "[DONE]",
        ],
    ),
    "perplexity": (
        ChatDecoder(),
        [
            chat(
                {"content": "Tea [1]"},
                citations=[TEA, MILK],
                search_results=[{"title": "On tea", "url": TEA, "date": "2025-06-10", "source": "web"}],
            ),
            chat({}, "stop", citations=[TEA, MILK]),
            "[DONE]",
        ],
    ),
    "xai, after the finish reason": (
        ChatDecoder(),
        [
            chat({"content": "Tea"}),
            chat({}, "stop"),
            {"choices": [], "citations": [{"url": TEA, "title": "On tea"}, MILK]},
            "[DONE]",
        ],
    ),
    "mistral": (
        ChatDecoder(),
        [
            chat(
                {
                    "content": [
                        {"type": "text", "text": "Tea"},
                        {"type": "tool_reference", "tool": "web_search", "title": "On tea", "url": TEA},
                        {"type": "reference", "reference_ids": [1]},
                        {"type": "tool_reference", "tool": "web_search", "title": None, "url": MILK},
                    ]
                },
                "stop",
            ),
            "[DONE]",
        ],
    ),
    "responses, as they are added": (
        ResponsesDecoder(),
        [
            {"type": "response.output_text.delta", "delta": "Tea"},
            {"type": "response.output_text.annotation.added", "annotation": flat(TEA, "On tea")},
            {"type": "response.output_text.annotation.added", "annotation": flat(MILK)},
            {"type": "response.completed", "response": {"output": []}},
        ],
    ),
    "perplexity's responses": (
        ResponsesDecoder(),
        [
            {"type": "response.reasoning.search_results", "results": [{"url": TEA, "title": "On tea"}]},
            {"type": "response.output_text.delta", "delta": "Tea [1]"},
            {
                "type": "response.completed",
                "response": {"output": [{"type": "search_results", "results": [{"url": MILK}]}]},
            },
        ],
    ),
    "responses, in the last event": (
        ResponsesDecoder(),
        [
            {"type": "response.output_text.delta", "delta": "Tea"},
            {
                "type": "response.completed",
                "response": {
                    "output": [
                        {
                            "type": "message",
                            "content": [
                                {"type": "output_text", "text": "Tea", "annotations": [flat(TEA, "On tea")]}
                            ],
                        }
                    ],
                    "citations": [TEA, MILK],
                },
            },
        ],
    ),
    "messages": (
        MessagesDecoder(),
        [
            block("start", content_block={"type": "server_tool_use", "name": "web_search", "input": {}}),
            block(
                "start",
                content_block={
                    "type": "web_search_tool_result",
                    "content": [
                        {
                            "type": "web_search_result",
                            "url": TEA,
                            "title": "On tea",
                            "encrypted_content": "x",
                        },
                        {"type": "web_search_result", "url": MILK},
                    ],
                },
            ),
            block("start", content_block={"type": "text", "text": "", "citations": []}),
            block(
                "delta",
                delta={
                    "type": "citations_delta",
                    "citation": {
                        "type": "web_search_result_location",
                        "url": TEA,
                        "title": "T",
                        "cited_text": "x",
                    },
                },
            ),
            block("delta", delta={"type": "text_delta", "text": "Tea"}),
            {"type": "message_stop"},
        ],
    ),
    "a whole message": (
        MessagesDecoder(),
        [
            {
                "type": "message",
                "content": [
                    {
                        "type": "web_fetch_tool_result",
                        "content": {"type": "web_fetch_result", "url": TEA, "title": "On tea"},
                    },
                    {
                        "type": "text",
                        "text": "Tea",
                        "citations": [
                            {"type": "char_location", "document_title": "A file"},
                            {"type": "search_result_location", "source": MILK},
                        ],
                    },
                ],
                "stop_reason": "end_turn",
            }
        ],
    ),
    "ai sdk": (
        UiStreamDecoder(),
        [
            {"type": "source-url", "sourceId": "1", "url": TEA, "title": "On tea"},
            {"type": "source-url", "sourceId": "2", "url": MILK},
            {"type": "text-delta", "id": "1", "delta": "Tea"},
            {"type": "finish"},
        ],
    ),
    "our own events": (
        DebateLogDecoder(),
        [
            {"type": "turn.delta", "turn": 1, "offset": 0, "text": "Tea"},
            {
                "type": "turn.finished",
                "turn": 1,
                "reason": "complete",
                "citations": [{"url": TEA, "title": "On tea"}, {"url": MILK}],
            },
        ],
    ),
    "our own deltas": (
        DeltaDecoder(),
        [{"delta": "Tea"}, {"type": "done", "citations": [{"url": TEA, "title": "On tea"}, MILK]}],
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_sources_are_found_in_every_payload(name: str) -> None:
    decoder, events = STREAMS[name]
    items = decode(decoder, *events)
    finished = items[-1]
    assert isinstance(finished, Finished)
    assert finished.citations == PAIR
    assert "".join(item.text for item in items if isinstance(item, Chunk)).startswith("Tea")


def test_citations_are_reported_before_the_end() -> None:
    items = decode(
        ChatDecoder(),
        chat({"content": "Tea", "annotations": [annotation(TEA)]}),
        chat({"annotations": [annotation(MILK)]}),
    )
    assert items == [
        Chunk("Tea"),
        CitationsUpdate((Citation(TEA),)),
        CitationsUpdate((Citation(TEA), Citation(MILK))),
    ]


def test_repeated_lists_are_reported_once() -> None:
    chunk = chat({"content": "a"}, citations=[TEA])
    assert decode(ChatDecoder(), chunk, chunk) == [Chunk("a"), CitationsUpdate((Citation(TEA),)), Chunk("a")]


def test_event_ids_outlive_citations() -> None:
    event = SimpleEvent(json.dumps(chat({"content": "Tea", "annotations": [annotation(TEA)]})), id="7")
    items = list(EndpointDecoder().decode(event))
    assert items[:2] == [Chunk("Tea"), CitationsUpdate((Citation(TEA),))]
    assert [item.cursor for item in items[2:]] == [Cursor("7", "chat")]  # type: ignore[union-attr]


def test_a_polled_response_has_them_too() -> None:
    content = [{"type": "output_text", "text": "Tea", "annotations": [flat(TEA, "On tea"), flat(MILK)]}]
    data = json.dumps({"status": "completed", "output": [{"type": "message", "content": content}]})
    assert decode_response(data).to_finished().citations == PAIR


@pytest.mark.parametrize(
    "odd",
    [
        "javascript:alert(1)",
        "ftp://tea.example",
        "https://",
        "https://user:secret@tea.example/",
        "https://tea.example@evil.example/",
        "https://tea.example/a b",
        "https://tea.example/\x1b[2J",
        "https://tea.example/\u202egpj.exe",
        "https:\\\\tea.example",
        "//tea.example",
        "https://tea.example/" + "a" * 2048,
        None,
        7,
        True,
        {},
        [],
        {"url": None},
        {"url": {"url": TEA}},
        {"title": "On tea"},
        {"url_citation": 3},
        {"content": "https://tea.example in the text"},
    ],
)
def test_what_is_not_a_web_page_is_ignored(odd: object) -> None:
    assert list(find_citations([odd, {"url": odd}, MILK])) == [Citation(MILK)]


def test_titles_are_safe_and_short() -> None:
    title = f"On\n\x1b[31mtea\u202e {'and milk ' * 100}"
    (found,) = find_citations([{"url": TEA, "title": title}])
    assert found.title.startswith("On tea and milk")
    assert len(found.title) <= MAX_TITLE_LENGTH
    assert list(find_citations([{"url": TEA, "title": ["x"]}])) == [Citation(TEA)]


def test_their_number_is_bounded() -> None:
    urls = [f"https://tea.example/{number}" for number in range(5000)]
    items = decode(ChatDecoder(), chat({"content": "Tea"}, citations=urls), "[DONE]")
    finished = items[-1]
    assert isinstance(finished, Finished)
    assert [citation.url for citation in finished.citations] == urls[:MAX_CITATIONS]


def test_lists_are_joined_in_the_order_of_first_mention() -> None:
    first, second = (Citation(MILK), Citation(TEA)), (Citation(TEA, "On tea"), Citation("https://c.example"))
    assert merge_citations((first, second)) == (
        Citation(MILK),
        Citation(TEA, "On tea"),
        Citation("https://c.example"),
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(TEA),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["url", "uri", "title", "source", "url_citation", "web", "content", "type"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING, st.booleans())
def test_no_citation_costs_any_text(odd: object, in_delta: bool) -> None:
    fields = {"citations": odd, "search_results": odd}
    delta: dict[str, Any] = {"content": "Tea.", "annotations": odd}
    chunk = chat(delta) if in_delta else chat({"content": "Tea."}, **fields)
    items = decode(ChatDecoder(), chunk, chat({"content": " Milk."}), "[DONE]")
    assert "".join(item.text for item in items if isinstance(item, Chunk)) == "Tea. Milk."
    annotated = {"type": "response.output_text.annotation.added", "annotation": odd}
    done: dict[str, Any] = {"type": "response.completed", "response": {"output": [], "citations": odd}}
    done["response"]["output"] = [{"type": "search_results", "results": odd}]
    said = {"type": "response.output_text.delta", "delta": "Tea."}
    items = decode(ResponsesDecoder(), said, annotated, done)
    assert isinstance(items[-1], Finished)
    text = block("delta", delta={"type": "text_delta", "text": "Tea.", "citations": odd, "citation": odd})
    result = block("start", content_block={"type": "web_search_tool_result", "content": odd})
    items = decode(MessagesDecoder(), result, text, {"type": "message_stop"})
    assert [item.text for item in items if isinstance(item, Chunk)] == ["Tea."]
