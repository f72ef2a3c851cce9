"""Which payload a stream speaks, and what each shape of it amounts to."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, FaultReport, Finished, KeepAlive, Usage
from debate_tui.sources import payloads
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.detect import DECODERS, EndpointDecoder, detect_payload, unpack_base64

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

FIRST = [
    ('{"type":"debate.started","seq":1,"at":1.0}', "log"),
    ('{"type":"turn.delta","turn":1,"offset":0,"text":"a"}', "log"),
    ('{"type":"stream.status","debater":"a","state":"connecting"}', "log"),
    ('{"delta":"a"}', "deltas"),
    ('{"delta":"a","debaterId":"x","error":null}', "deltas"),
    ('{"type":"batch","chunks":[{"delta":"a"}]}', "deltas"),
    ('{"type":"batch","chunks":[]}', "deltas"),
    ('{"type":"batch","chunks":[{"type":"turn.delta","turn":1,"offset":0,"text":"a"}]}', "log"),
    ('{"object":"chat.completion.chunk","choices":[]}', "chat"),
    ('{"choices":[{"delta":{"content":"a"}}]}', "chat"),
    ('{"type":"response.created","response":{"id":"r"}}', "responses"),
    ('{"type":"message_start","message":{}}', "messages"),
    ('{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}', "messages"),
    ('{"object":"response","output":[]}', "responses"),
    ('{"type":"message","content":[{"type":"text","text":"a"}]}', "messages"),
    ('{"type":"message","content":"a"}', "deltas"),
    ('{"type":"start","messageId":"1"}', "ui"),
    ('{"type":"text-delta","id":"1","delta":"a"}', "ui"),
    ('{"type":"error","errorText":"no"}', "ui"),
    ('{"type":"RUN_STARTED","threadId":"t","runId":"r"}', "agui"),
    ('{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"a"}', "agui"),
    ('{"type":"STATE_DELTA","delta":[{"op":"add"}]}', "agui"),
    ("Well,", "plain"),
    ("{not json", "plain"),
    ("42", "plain"),
    ('"quoted"', "plain"),
    ("[1]", "plain"),
]


FIELDS = [
    *("type", "object", "choices", "delta", "chunks", "error", "errorText", "content", "message", "text"),
    *("token", "response", "done", "stop", "usage", "id", "seq", "turn", "item", "event", "code", "detail"),
]
"""Names that mean something in one payload or another."""


def packed_text(value: object) -> str:
    return base64.b64encode(msgspec.msgpack.encode(value)).decode()


def decode(*data: str | SimpleEvent) -> list[object]:
    decoder = EndpointDecoder()
    return [
        item
        for one in data
        for item in decoder.decode(one if isinstance(one, SimpleEvent) else SimpleEvent(one))
    ]


def texts(*data: str | SimpleEvent) -> list[str]:
    return [item.text for item in decode(*data) if isinstance(item, Chunk)]


def fault(*data: str | SimpleEvent) -> Fault:
    with pytest.raises(Fault) as caught:
        decode(*data)
    return caught.value


@pytest.mark.parametrize(("data", "name"), FIRST)
def test_the_first_event_tells_the_payload(data: str, name: str) -> None:
    assert detect_payload(SimpleEvent(data)) == name


@pytest.mark.parametrize(
    "event",
    [SimpleEvent(""), SimpleEvent("{}"), SimpleEvent("anything", "ping"), SimpleEvent('{"session": "abc"}')],
)
def test_an_event_that_says_nothing_leaves_it_open(event: SimpleEvent) -> None:
    decoder = EndpointDecoder()
    assert list(decoder.decode(event)) == [KeepAlive()]
    assert decoder.payload_name == ""
    assert decoder.end() is None
    assert list(decoder.decode(SimpleEvent('{"delta": "a"}'))) == [Chunk("a")]


@pytest.mark.parametrize("name", DECODERS)
def test_a_payload_that_is_known_needs_no_detecting(name: str) -> None:
    decoder = EndpointDecoder(Cursor("1", name))
    assert (decoder.payload_name, decoder.has_end_marker) == (name, name not in ("deltas", "plain"))


def test_plain_text_that_looks_like_json_later_stays_plain() -> None:
    assert texts("See: ", '{"delta": "a"}') == ["See: ", '{"delta": "a"}']


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"delta": "hé"}, ["hé"]),
        ({"type": "batch", "chunks": [{"delta": "a"}, {"delta": "b", "reasoning": True}]}, ["a", "b"]),
        ({"type": "turn.delta", "turn": 1, "offset": 0, "text": "a"}, ["a"]),
        ({"choices": [{"delta": {"content": "a"}}]}, ["a"]),
    ],
)
def test_base64_messagepack_holds_any_of_them(value: object, said: list[str]) -> None:
    assert texts(packed_text(value)) == said
    assert texts(packed_text(value).rstrip("=").translate(str.maketrans("+/", "-_"))) == said


@given(st.text(alphabet="abcdghiAB01+/=-_ ", max_size=12))
def test_words_are_not_taken_for_messagepack(word: str) -> None:
    value = unpack_base64(word)
    assert value is None or json.loads(value)


def test_what_ends_or_breaks_any_stream() -> None:
    assert decode('{"delta": "a"}', "[DONE]")[-1] == Finished()
    assert decode(SimpleEvent("", "done")) == [Finished()]
    assert decode(SimpleEvent('{"reason": "length"}', "done")) == [Finished("length")]
    assert fault(SimpleEvent('{"reason": "error"}', "done")).kind is FaultKind.SERVER
    assert fault(SimpleEvent("", "error")).kind is FaultKind.UNKNOWN
    assert fault(SimpleEvent("Too many of you", "error")).message == "Too many of you"
    told = fault(SimpleEvent('{"kind": "rate_limited", "message": "Slow down.", "retry_after": 3}', "error"))
    assert (told.kind, told.retry_after) == (FaultKind.RATE_LIMIT, 3.0)
    assert fault('{"error": {"type": "overloaded_error"}}').kind is FaultKind.OVERLOADED


def test_an_emoji_cut_in_two_is_put_together() -> None:
    halves = ('{"delta": "a\\ud83d"}', '{"delta": "\\uDe00b"}')
    assert "".join(texts(*halves)) == "a😀b"
    assert texts('{"delta": "\\ud83d\\ude00"}') == ["😀"]
    assert texts('{"delta": "\\ude00"}') == ["\ufffd"]
    assert texts('{"delta": "\\\\ud83d"}') == ["\\ud83d"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), json_values, min_size=1), max_size=3
    )
)
def test_raw_json_is_never_shown_as_an_answer(values: list[dict[str, object]]) -> None:
    """Whatever objects come, they are read, passed over or a fault."""
    data = [json.dumps(value) for value in values]
    decoder = EndpointDecoder()
    shown: list[str] = []
    with suppress(Fault):
        for one in data:
            shown += [item.text for item in decoder.decode(SimpleEvent(one)) if isinstance(item, Chunk)]
    assert not {*shown} & {*data}


# Deltas and the debate log


def test_deltas_may_be_reasoning_and_may_be_empty() -> None:
    assert decode('{"delta": "a"}', '{"delta": "b", "reasoning": true}', '{"delta": ""}', "{}") == [
        Chunk("a"),
        Chunk("b", reasoning=True),
        KeepAlive(),
        KeepAlive(),
    ]


def test_a_batch_may_break_in_the_middle() -> None:
    batch = SimpleEvent('{"chunks": [{"delta": "a"}, {"error": {"code": "insufficient_quota"}}]}')
    items = iter(EndpointDecoder().decode(batch))
    assert next(items) == Chunk("a")
    with pytest.raises(Fault) as caught:
        next(items)
    assert caught.value.kind is FaultKind.QUOTA


def log(*logged: events.Event) -> list[object]:
    return decode(*(events.event_to_json(event).decode() for event in logged))


def delta(offset: int, text: str, turn: int = 1) -> events.TurnDelta:
    return events.TurnDelta(turn=turn, debater="a", attempt=1, offset=offset, text=text)


def test_the_log_of_a_debate_is_read_for_its_first_turn() -> None:
    items = log(
        events.PhaseStarted(phase="opening", round=1, rounds=1),
        events.TurnStarted(turn=1, debater="a", phase="opening"),
        delta(0, "Hel"),
        delta(0, "No.", turn=2),
        events.TurnFinished(turn=2, debater="b", reason="complete"),
        delta(3, "lo"),
        events.TurnFinished(turn=1, debater="a", reason="length", usage=Usage(1, 2)),
    )
    assert [item for item in items if not isinstance(item, KeepAlive)] == [
        Chunk("Hel"),
        Chunk("lo"),
        Finished("length", Usage(1, 2)),
    ]


def test_a_delta_applies_where_its_offset_says() -> None:
    items = log(delta(5, "abc"), delta(5, "abc"), delta(6, "bcd"))
    assert items == [Chunk("abc"), KeepAlive(), Chunk("d")]
    with pytest.raises(Fault) as caught:
        log(delta(0, "abc"), delta(4, "e"))
    assert caught.value.kind is FaultKind.NETWORK


def test_a_remote_turn_that_failed_is_a_fault_of_the_kind_the_log_told() -> None:
    report = FaultReport(FaultKind.QUOTA, "Empty.")
    status = events.StreamStatus(debater="a", state="failed", attempt=1, error=report)
    error = events.event_to_json(status).decode()
    failed = events.event_to_json(events.TurnFinished(turn=1, debater="a", reason="failed")).decode()
    assert fault(error, failed).kind is FaultKind.QUOTA
    assert fault(failed).kind is FaultKind.UNKNOWN


def test_a_turn_that_began_anew_is_a_fault() -> None:
    with pytest.raises(Fault):
        log(delta(0, "a"), events.TurnSuperseded(turn=1, debater="a", attempt=2))


# AI SDK, AG-UI, plain text


def test_ui_message_streams() -> None:
    parts = (
        '{"type":"start","messageId":"1"}',
        '{"type":"start-step"}',
        '{"type":"reasoning-delta","id":"r","delta":"hm"}',
        '{"type":"text-start","id":"t"}',
        '{"type":"text-delta","id":"t","delta":"a"}',
        '{"type":"data-weather","data":{"delta":"no text"}}',
        '{"type":"finish-step"}',
        '{"type":"finish","finishReason":"length"}',
    )
    items = [item for item in decode(*parts) if not isinstance(item, KeepAlive)]
    assert items == [Chunk("hm", reasoning=True), Chunk("a"), Finished("length")]
    assert fault(parts[0], '{"type":"error","errorText":"Broken."}').message == "Broken."
    assert fault(parts[0], '{"type":"abort"}').kind is FaultKind.SERVER


def test_ag_ui_runs() -> None:
    run = (
        '{"type":"RUN_STARTED","threadId":"t","runId":"r"}',
        '{"type":"THINKING_TEXT_MESSAGE_CONTENT","delta":"hm"}',
        '{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"a"}',
        '{"type":"TEXT_MESSAGE_END","messageId":"m"}',
    )
    finished = '{"type":"RUN_FINISHED","threadId":"t","runId":"r"}'
    items = [item for item in decode(*run, finished) if not isinstance(item, KeepAlive)]
    assert items == [Chunk("hm", reasoning=True), Chunk("a"), Finished()]
    assert (
        fault(run[0], '{"type":"RUN_ERROR","message":"m","code":"rate_limit"}').kind is FaultKind.RATE_LIMIT
    )


@pytest.mark.parametrize(("first", "ended"), [(0, False), (2, True)])
def test_only_a_message_without_a_run_ends_with_the_message(first: int, ended: bool) -> None:
    events_ = ("RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END")[first:]
    decoder = EndpointDecoder()
    for kind in events_:
        list(decoder.decode(SimpleEvent(json.dumps({"type": kind, "delta": "a"}))))
    assert (decoder.end() is not None) is ended


def test_plain_text_keeps_its_lines_and_skips_pings() -> None:
    assert texts("a", SimpleEvent("beat", "heartbeat"), SimpleEvent("\n\nb", "output"), "") == ["a", "\n\nb"]


@pytest.mark.parametrize("name", ["log", "deltas", "chat", "messages", "ui", "agui", "responses"])
def test_data_that_is_cut_in_the_middle_is_a_fault(name: str) -> None:
    with pytest.raises(Fault) as caught:
        list(EndpointDecoder(Cursor("1", name)).decode(SimpleEvent('{"type": "tur')))
    assert caught.value.kind is FaultKind.SERVER


@pytest.mark.parametrize("name", ["", "log", "chat", "responses"])
async def test_data_nested_beyond_reason_is_a_fault(name: str) -> None:
    async def events() -> AsyncGenerator[SimpleEvent]:
        yield SimpleEvent('{"type": "x", "y": ' + "[" * 100_000)

    with pytest.raises(Fault) as caught:
        await anext(payloads.decode_stream(events(), EndpointDecoder(Cursor("1", name))))
    assert caught.value.kind is FaultKind.SERVER
