"""The peculiarities of the providers' payloads, one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, Finished, KeepAlive, Usage, UsageUpdate
from debate_tui.domain.usage import UsageTotals
from debate_tui.sources.payloads import PayloadDecoder, SimpleEvent
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder, decode_response

DECODERS = [ChatDecoder, ResponsesDecoder, MessagesDecoder]


def decode_all(decoder: PayloadDecoder, *events: object) -> list[object]:
    """What a decoder makes of these events' data."""
    data = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return [item for text in data for item in decoder.decode(SimpleEvent(text))]


def choice(delta: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, **fields}]}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_has_two_names(field: str) -> None:
    assert decode_all(ChatDecoder(), choice({field: "Hm.", "content": None})) == [Chunk("Hm.", True)]


def test_openrouter_says_reasoning_twice_and_it_counts_once() -> None:
    delta = {
        "content": "",
        "reasoning": "Hm.",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}],
    }
    assert decode_all(ChatDecoder(), choice(delta)) == [Chunk("Hm.", True)]


def test_mistral_has_lists_of_parts() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "H"}, {"type": "text", "text": "m."}]},
        {"type": "text", "text": "Tea."},
        {"type": "reference", "reference_ids": [1]},
    ]
    assert decode_all(ChatDecoder(), choice({"content": content})) == [Chunk("Hm.", True), Chunk("Tea.")]


def test_azure_begins_without_choices() -> None:
    assert decode_all(ChatDecoder(), {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}) == [
        KeepAlive()
    ]


def test_perplexity_counts_as_it_goes_and_repeats_the_message() -> None:
    chunk = choice({"content": "Tea"}, message={"content": "Tea"}) | {"usage": {"prompt_tokens": 1}}
    assert decode_all(ChatDecoder(), chunk) == [Chunk("Tea"), UsageUpdate(Usage(1))]


def test_groq_counts_in_a_place_of_its_own() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    chunk = choice(finish_reason="stop") | {"x_groq": {"id": "req", "usage": usage}}
    assert decode_all(ChatDecoder(), chunk, "[DONE]")[-1] == Finished("complete", Usage(1, 2))


@pytest.mark.parametrize("odd", [10**400, float("nan"), float("inf")])
def test_impossible_counts_end_no_stream(odd: float) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": odd, "completion_tokens": 2}}
    (item,) = decode_all(ChatDecoder(), usage)
    assert isinstance(item, UsageUpdate)
    assert UsageTotals().add_update(item.usage) == Usage(None, 2)


def test_usage_comes_behind_the_finish_reason() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    assert decode_all(
        ChatDecoder(), choice({"content": "x"}), choice(finish_reason="length"), usage, "[DONE]"
    ) == [
        Chunk("x"),
        KeepAlive(),
        UsageUpdate(Usage(1, 2)),
        Finished("length", Usage(1, 2)),
    ]


def test_a_refusal_is_text_and_ends_as_refused() -> None:
    ending = decode_all(
        ChatDecoder(), choice({"content": None, "refusal": "No."}), choice(finish_reason="stop"), "[DONE]"
    )
    assert ending == [Chunk("No."), KeepAlive(), Finished("refused")]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ({"code": 400, "message": "Token limit."}, FaultKind.BAD_REQUEST, "Token limit."),
        ({"code": 502, "message": "Upstream."}, FaultKind.SERVER, "Upstream."),
        ({"type": "server_error", "message": "Sorry.", "code": None}, FaultKind.SERVER, "Sorry."),
        ("Out of memory", FaultKind.UNKNOWN, "Out of memory"),
    ],
)
def test_an_error_in_a_chunk_comes_behind_what_the_chunk_has(
    error: object, kind: FaultKind, message: str
) -> None:
    items = iter(
        ChatDecoder().decode(
            SimpleEvent(
                json.dumps(choice({"content": "x"}) | {"usage": {"prompt_tokens": 1}, "error": error})
            )
        )
    )
    assert [next(items), next(items)] == [Chunk("x"), UsageUpdate(Usage(1))]
    with pytest.raises(Fault) as caught:
        next(items)
    assert (caught.value.kind, caught.value.message) == (kind, message)


@pytest.mark.parametrize("decoder", DECODERS)
def test_an_error_event_is_a_fault(decoder: type[ChatDecoder]) -> None:
    data = '{"error": {"message": "Wrong tool.", "type": "invalid_request_error", "code": "tool_use_failed"}}'
    with pytest.raises(Fault) as caught:
        list(decoder().decode(SimpleEvent(data, "error")))
    assert (caught.value.kind, caught.value.message) == (FaultKind.BAD_REQUEST, "Wrong tool.")


@pytest.mark.parametrize("decoder", DECODERS)
def test_an_error_event_may_hold_anything(decoder: type[ChatDecoder]) -> None:
    with pytest.raises(Fault) as caught:
        list(decoder().decode(SimpleEvent("out of order", "error")))
    assert caught.value.message == "out of order"


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("data", ["<html>", "{", '{"choices": [{"delta": {"content": "Te'])
def test_what_cannot_be_read_is_a_fault(decoder: type[ChatDecoder], data: str) -> None:
    with pytest.raises(Fault) as caught:
        list(decoder().decode(SimpleEvent(data)))
    assert caught.value.kind is FaultKind.SERVER


@pytest.mark.parametrize("decoder", DECODERS)
def test_what_is_unknown_is_a_sign_of_life(decoder: type[ChatDecoder]) -> None:
    assert decode_all(decoder(), {"type": "brand.new", "field": {"of": ["a", "kind"]}}) == [KeepAlive()]
    assert decoder().end() is None


def test_a_response_that_failed_is_accounted_for() -> None:
    response = {
        "id": "resp_1",
        "status": "failed",
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "error": {"code": "rate_limit_exceeded", "message": "Slow down."},
    }
    event = SimpleEvent(json.dumps({"type": "response.failed", "sequence_number": 4, "response": response}))
    items = iter(ResponsesDecoder().decode(event))
    assert next(items) == UsageUpdate(Usage(1, 2))
    with pytest.raises(Fault) as caught:
        next(items)
    assert caught.value.kind is FaultKind.RATE_LIMIT


def test_a_resumed_response_knows_its_name() -> None:
    delta = {"type": "response.output_text.delta", "delta": "x", "sequence_number": 7}
    assert decode_all(ResponsesDecoder("resp_1"), delta) == [Chunk("x", cursor=Cursor("7", "resp_1"))]
    assert decode_all(ResponsesDecoder(), delta) == [Chunk("x")]


def test_a_whole_response_is_read_as_its_stream_would_have_been() -> None:
    response = decode_response(
        json.dumps(
            {
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
                "output": [
                    {
                        "type": "reasoning",
                        "summary": [{"text": "One."}, {"text": "Two."}],
                        "content": [{"text": "-"}],
                    },
                    {"type": "message", "content": [{"type": "output_text", "text": "Tea"}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "."}]},
                ],
            }
        )
    )
    assert (response.text, response.reasoning) == ("Tea.", "One.\n\nTwo.")
    assert response.to_finished() == Finished("length")


def test_a_block_may_begin_with_text() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Tea"}}
    assert decode_all(MessagesDecoder(), start) == [Chunk("Tea")]


def test_usage_of_messages_is_cumulative() -> None:
    decoder = MessagesDecoder()
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
    usage = {"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 5}}
    ending = {"type": "message_delta", "delta": {"stop_reason": "refusal"}, "usage": usage}
    assert decode_all(decoder, start, ending, {"type": "message_stop"}) == [
        UsageUpdate(Usage(9, 1)),
        UsageUpdate(Usage(9, 20, 5)),
        Finished("refused", Usage(9, 20, 5)),
    ]


def test_signatures_and_pings_are_signs_of_life() -> None:
    signature = {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "abc"}}
    assert decode_all(MessagesDecoder(), signature, {"type": "ping"}) == [KeepAlive(), KeepAlive()]
