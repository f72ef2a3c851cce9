"""What viewers are told is the log, whatever was put together, wherever it was cut."""

from __future__ import annotations

import base64
import itertools
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import Event, TurnDelta
from debate_tui.server.place import Place, parse
from debate_tui.server.wire import Manner, concerns, frames, message, rest, tell
from tests.server.material import Received, check_exact, debates, example, logged

manners = st.builds(
    Manner,
    debater=st.sampled_from([None, "a", "b"]),
    batch_ms=st.sampled_from([0, 50]),
    batch=st.sampled_from([0, 1, 3, 100]),
)


def windows(data: st.DataObject, events: list[Event], after: int = 0) -> list[list[Event]]:
    """The events behind `after` as they may happen to be flushed."""
    left = [event for event in events if event.seq > after]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(left)))) | {0, len(left)})
    return [left[start:end] for start, end in itertools.pairwise(cuts)]


def stream(received: Received, parts: list[list[Event]], manner: Manner) -> None:
    for part in parts:
        for piece in frames(tell(part, manner), "e", manner):
            assert isinstance(piece, bytes)
            received.feed(piece)


@given(debates(), manners, st.data())
def test_nothing_is_missing_and_nothing_comes_twice(
    log: list[Event], manner: Manner, data: st.DataObject
) -> None:
    received = Received()
    stream(received, windows(data, log), manner)
    check_exact(received.events(), [event for event in log if concerns(event, manner.debater)])


@given(debates(), manners, st.data())
def test_every_message_is_a_place_to_go_on_from(
    log: list[Event], manner: Manner, data: st.DataObject
) -> None:
    """Cut behind any message, and go on from its id with other windows, as another server would."""
    first = Received()
    stream(first, windows(data, log), manner)
    cut = data.draw(st.integers(0, len(first.messages)))
    got = Received(first.messages[:cut])
    if cut:
        place = parse(first.messages[cut - 1].id)
        assert place is not None
        seq = place.seq
        if place.run is not None:
            seq = place.run[1]
            missing = rest([e for e in log if place.run[0] < e.seq <= seq], place, manner)
            for piece in frames(missing, "e", manner):
                assert isinstance(piece, bytes)
                got.feed(piece)
        stream(got, windows(data, log, seq), manner)
    else:
        stream(got, windows(data, log), manner)
    check_exact(got.events(), [event for event in log if concerns(event, manner.debater)])


def test_deltas_of_one_window_are_put_together() -> None:
    log = example()
    together = tell(log, Manner())
    assert sum(isinstance(told.event, TurnDelta) for told in together) < 15
    assert len(tell(log, Manner(batch_ms=0))) == len(log)


def test_text_that_is_put_together_has_a_bound() -> None:
    long = [TurnDelta(turn=1, debater="a", attempt=1, offset=i * 40_000, text="x" * 40_000) for i in range(4)]
    assert [
        len(told.event.text) for told in tell(logged(long), Manner()) if isinstance(told.event, TurnDelta)
    ] == [40_000] * 4


def test_an_event_on_the_wire() -> None:
    delta = TurnDelta(seq=7, at=1.5, turn=1, debater="a", attempt=1, offset=0, text="ä\n\x7f")
    (piece,) = frames(tell([delta], Manner()), "k3", Manner())
    assert piece == (
        b"id: k3:7\nevent: turn.delta\n"
        b'data: {"type":"turn.delta","turn":1,"debater":"a","attempt":1,"offset":0,"text":'
        b'"\xc3\xa4\\n\\u007f","seq":7,"at":1.5}\n\n'
    )


def test_batches_hold_at_most_as_many_as_asked_for() -> None:
    manner = Manner(batch=4, batch_ms=0)
    received = Received()
    stream(received, [example()], manner)
    assert {message.type for message in received.messages} == {"batch"}
    sizes = [len(message.data["chunks"]) for message in received.messages]
    assert max(sizes) == 4
    assert all(size == 4 for size in sizes[:-1])


def test_message_pack_is_the_same_object() -> None:
    log = example()
    plain = Received()
    stream(plain, [log], Manner())
    manner = Manner(encoding="msgpack")
    (piece,) = frames(tell(log, manner), "e", manner)
    assert isinstance(piece, bytes)
    lines = [line for line in piece.decode().splitlines() if line.startswith("data: ")]
    packed = [msgspec.msgpack.decode(base64.b64decode(line[6:])) for line in lines]
    assert packed == [message.data for message in plain.messages]


def test_websocket_messages_say_where_they_are() -> None:
    manner = Manner(transport="websocket")
    pieces = frames(tell(example(), manner), "e", manner)
    assert all(isinstance(piece, str) for piece in pieces)
    for piece, told in zip(pieces, tell(example(), manner), strict=True):
        assert json.loads(piece)["id"] == str(told.place("e"))
    packed = Manner(transport="websocket", encoding="msgpack")
    assert all(isinstance(piece, bytes) for piece in frames(tell(example(), packed), "e", packed))


def test_a_message_to_one_viewer() -> None:
    said = message("snapshot", b'{"type":"snapshot"}', Manner(), Place("e", 3))
    assert said == b'id: e:3\nevent: snapshot\ndata: {"type":"snapshot"}\n\n'
