"""What viewers are told is the log, whatever was put together, wherever it was cut."""

from __future__ import annotations

import base64
import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import Event, TurnDelta
from debate_tui.server.encoding import (
    BATCH_STEPS_MS,
    MAX_SPAN_EVENTS,
    EventCursor,
    StreamOptions,
    coalesce,
    encode_events,
    encode_message,
    epoch_from_event,
    is_relevant,
    nearest_batches,
    parse_cursor,
)
from tests.sample_debates import debate_started
from tests.server.generated_debates import debates, example_debate, logged_events
from tests.server.received_messages import ReceivedMessages, check_same_log

manners = st.builds(
    StreamOptions,
    debater=st.sampled_from([None, "a", "b"]),
    batch_ms=st.sampled_from([0, 50]),
    batch=st.sampled_from([0, 1, 3, 100]),
)


def windows(data: st.DataObject, events: list[Event], after: int = 0) -> list[list[Event]]:
    """The events behind `after` as they may happen to be flushed."""
    left = [event for event in events if event.seq > after]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(left)))) | {0, len(left)})
    return [left[start:end] for start, end in itertools.pairwise(cuts)]


def encode_stream(received: ReceivedMessages, parts: list[list[Event]], manner: StreamOptions) -> None:
    for part in parts:
        for piece in encode_events(coalesce(part, manner), "e", manner):
            assert isinstance(piece, bytes)
            received.feed(piece)


@given(debates(), manners, st.data())
def test_nothing_is_missing_and_nothing_comes_twice(
    log: list[Event], manner: StreamOptions, data: st.DataObject
) -> None:
    received = ReceivedMessages()
    encode_stream(received, windows(data, log), manner)
    check_same_log(received.events(), [event for event in log if is_relevant(event, manner.debater)])


@given(debates(), manners, st.data())
def test_every_message_is_a_place_to_go_on_from(
    log: list[Event], manner: StreamOptions, data: st.DataObject
) -> None:
    """Cut behind any message, and go on from its id with other windows, as another server would."""
    first = ReceivedMessages()
    encode_stream(first, windows(data, log), manner)
    cut = data.draw(st.integers(0, len(first.messages)))
    got = ReceivedMessages(first.messages[:cut])
    if cut:
        place = parse_cursor(first.messages[cut - 1].id)
        assert place is not None
        seq = place.seq
        if place.span is not None:
            seq = place.span[1]
            missing = coalesce([e for e in log if place.span[0] < e.seq <= seq], manner, place.seq)
            for piece in encode_events(missing, "e", manner):
                assert isinstance(piece, bytes)
                got.feed(piece)
        encode_stream(got, windows(data, log, seq), manner)
    else:
        encode_stream(got, windows(data, log), manner)
    check_same_log(got.events(), [event for event in log if is_relevant(event, manner.debater)])


def test_deltas_of_one_window_are_put_together() -> None:
    log = example_debate()
    together = coalesce(log, StreamOptions())
    assert sum(isinstance(told.event, TurnDelta) for told in together) < 15
    assert len(coalesce(log, StreamOptions(batch_ms=0))) == len(log)


def test_text_that_is_put_together_has_a_bound() -> None:
    long = [TurnDelta(turn=1, debater="a", attempt=1, offset=i * 40_000, text="x" * 40_000) for i in range(4)]
    assert [
        len(told.event.text)
        for told in coalesce(logged_events(long), StreamOptions())
        if isinstance(told.event, TurnDelta)
    ] == [40_000] * 4


def test_an_event_on_the_wire() -> None:
    delta = TurnDelta(seq=7, at=1.5, turn=1, debater="a", attempt=1, offset=0, text="ä\n\x7f")
    (piece,) = encode_events(coalesce([delta], StreamOptions()), "k3", StreamOptions())
    assert piece == (
        b"id: k3:7\nevent: turn.delta\n"
        b'data: {"type":"turn.delta","turn":1,"debater":"a","attempt":1,"offset":0,"text":'
        b'"\xc3\xa4\\n\\u007f","seq":7,"at":1.5}\n\n'
    )


def test_batches_hold_at_most_as_many_as_asked_for() -> None:
    manner = StreamOptions(batch=4, batch_ms=0)
    received = ReceivedMessages()
    encode_stream(received, [example_debate()], manner)
    assert {message.type for message in received.messages} == {"batch"}
    sizes = [len(message.data["chunks"]) for message in received.messages]
    assert max(sizes) == 4
    assert all(size == 4 for size in sizes[:-1])


def test_message_pack_is_the_same_object() -> None:
    log = example_debate()
    plain = ReceivedMessages()
    encode_stream(plain, [log], StreamOptions())
    manner = StreamOptions(encoding="msgpack")
    (piece,) = encode_events(coalesce(log, manner), "e", manner)
    assert isinstance(piece, bytes)
    lines = [line for line in piece.decode().splitlines() if line.startswith("data: ")]
    packed = [msgspec.msgpack.decode(base64.b64decode(line[6:])) for line in lines]
    assert packed == [message.data for message in plain.messages]


def test_websocket_messages_say_where_they_are() -> None:
    manner = StreamOptions(transport="websocket")
    pieces = encode_events(coalesce(example_debate(), manner), "e", manner)
    assert all(isinstance(piece, str) for piece in pieces)
    for piece, told in zip(pieces, coalesce(example_debate(), manner), strict=True):
        assert json.loads(piece)["id"] == str(told.cursor("e"))
    packed = StreamOptions(transport="websocket", encoding="msgpack")
    assert all(
        isinstance(piece, bytes) for piece in encode_events(coalesce(example_debate(), packed), "e", packed)
    )


def test_a_message_to_one_viewer() -> None:
    said = encode_message("snapshot", b'{"type":"snapshot"}', StreamOptions(), "e:3")
    assert said == b'id: e:3\nevent: snapshot\ndata: {"type":"snapshot"}\n\n'


numbers = st.integers(0, 10**9)


@given(numbers)
def test_a_place_reads_back(seq: int) -> None:
    place = EventCursor("k3f9", seq)
    assert str(place) == f"k3f9:{seq}"
    assert parse_cursor(str(place)) == place
    assert place.contiguous_seq == seq


@given(numbers, st.integers(2, MAX_SPAN_EVENTS), st.data())
def test_a_place_within_a_run_reads_back(first: int, length: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(first + 1, first + length - 1))
    place = EventCursor("k3f9", seq, (first, first + length))
    assert parse_cursor(str(place)) == place
    assert place.contiguous_seq == first


@pytest.mark.parametrize(
    "text",
    ["", "7", "k3f9", "k3f9:", ":7", "k3f9:-1", "K3F9:7", "k3f9:7\n", "k3f9.3-9:9", "k3f9.3-9:3",
     "k3f9.9-3:5", f"k3f9.1-{MAX_SPAN_EVENTS + 2}:5", "k3f9:" + "9" * 40, "k3f9:٣"],
)  # fmt: skip
def test_invalid_cursors_are_rejected(text: str) -> None:
    assert parse_cursor(text) is None


def test_an_epoch_is_the_name_of_a_beginning() -> None:
    one, other = debate_started("d1"), debate_started("d2")
    assert epoch_from_event(one) == epoch_from_event(debate_started("d1"))
    assert epoch_from_event(one) != epoch_from_event(other)
    assert parse_cursor(f"{epoch_from_event(one)}:1") is not None


@given(batch_ms=st.integers(0, 5000), batch=st.integers(0, 1000))
def test_batches_come_in_a_few_sizes(batch_ms: int, batch: int) -> None:
    step, size = nearest_batches(batch_ms, batch)
    assert step in (0, *BATCH_STEPS_MS)
    assert (step == 0) == (batch_ms == 0)
    assert (size == 0) == (batch == 0)
    assert size <= batch < 2 * size + (batch == 0)
    assert size.bit_count() <= 1
    assert nearest_batches(step, size) == (step, size)
