"""Bytes → server-sent events: the standard's rules, and independence from how the bytes are cut."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from debate_tui.domain.stream import Cursor, Fault, FaultKind, KeepAlive
from debate_tui.sources.sse_parser import EVENT_LIMIT, SseParser, parse_sse
from tests.cutting import cut_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

LIMIT = 64


class ParsedStream(NamedTuple):
    """What does not depend on how the bytes were cut."""

    events: list[tuple[str, str, str]]
    last_id: str
    retry: float | None
    fault: FaultKind | None


def read(pieces: Iterable[bytes], limit: int = EVENT_LIMIT) -> ParsedStream:
    stream = SseParser(limit)
    found: list[tuple[str, str, str]] = []
    last_id, retry, fault = "", None, None
    try:
        for piece in pieces:
            for item in stream.feed(piece):
                if isinstance(item, KeepAlive):
                    retry = item.retry_after if item.retry_after is not None else retry
                    last_id = item.cursor.position if item.cursor else last_id
                else:
                    found.append((item.event, item.data, item.id))
                    last_id = item.id
    except Fault as broken:
        fault = broken.kind
    return ParsedStream(found, last_id, retry, fault)


streams = st.lists(
    st.sampled_from(
        [
            *(
                b"data",
                b"event",
                b"id",
                b"retry",
                b"other",
                b":",
                b": ",
                b" ",
                b"x",
                b"7",
                b"12",
                b"\0",
                b"\t",
            ),
            *(
                b"\n",
                b"\n",
                b"\n\n",
                b"\r",
                b"\r\n",
                b"\r\r",
                b"\xef\xbb\xbf",
                b"\xff",
                b"\xe2\x82",
                b"\xe2\x80\xa8",
            ),
            *(
                "🜚".encode(),
                "é".encode(),
                b"data: line\n\n",
                b"id: 3\n\n",
                b"retry: 50\n",
                b": ping\n",
                b"data\n\n",
            ),
        ]
    ),
    max_size=60,
).map(b"".join)


@given(streams | st.binary(max_size=200), st.lists(st.integers(0, 400), max_size=30))
@example(b"data: a\r\r", [8])
@example(b"retry: 5\ndata: a\n: c\n\nid: 4\n\n\n", [12])
def test_any_cutting_of_the_bytes_gives_the_same_events(data: bytes, places: list[int]) -> None:
    whole = read([data])
    assert read(cut_at(data, places)) == whole
    assert read(cut_at(data, list(range(len(data))))) == whole


@given(streams.map(lambda s: s * 3), st.lists(st.integers(0, 400), max_size=30))
@example(b"data: " + b"x" * (LIMIT - 7) + b"\n\n", [LIMIT])
@example(b"data: " + b"x" * (LIMIT - 6) + b"\n\n", [LIMIT])
@example(b": " + b"x" * LIMIT + b"\ndata: a\n\n", [3])
def test_the_bound_does_not_depend_on_the_cutting_either(data: bytes, places: list[int]) -> None:
    whole = read([data], LIMIT)
    assert read(cut_at(data, places), LIMIT) == whole
    assert read(cut_at(data, list(range(len(data)))), LIMIT) == whole


def test_an_event_ended_by_a_carriage_return_is_given_out_at_once() -> None:
    stream = SseParser()
    assert [item.data for item in stream.feed(b"data: a\r\r") if not isinstance(item, KeepAlive)] == ["a"]
    assert list(stream.feed(b"\n")) == []


def test_comments_are_signs_of_life_even_inside_an_event() -> None:
    stream = SseParser()
    assert list(stream.feed(b": ping\n")) == [KeepAlive()]
    assert list(stream.feed(b"data: a\n: ping\n")) == [KeepAlive()]
    assert [item.data for item in stream.feed(b"data: b\n\n") if not isinstance(item, KeepAlive)] == ["a\nb"]


def test_blocks_without_data_report_their_id_and_reconnection_time() -> None:
    stream = SseParser()
    assert list(stream.feed(b"id: 42\nretry: 2500\n\n")) == [KeepAlive(Cursor("42"), 2.5)]
    assert list(stream.feed(b"event: ghost\n\n")) == []
    assert list(stream.feed(b"id\n\n")) == [KeepAlive(Cursor(""))]


def test_an_id_reaches_the_events_of_later_reads() -> None:
    stream = SseParser()
    list(stream.feed(b"id:  two words\n\n"))
    (event,) = stream.feed(b"data: a\n\n")
    assert not isinstance(event, KeepAlive)
    assert event.id == " two words"


def test_an_endless_line_is_bounded() -> None:
    pieces = (b"x" * 1024 for _ in itertools.count())
    assert read(pieces).fault is FaultKind.BAD_REQUEST


def test_endless_comments_and_blank_lines_keep_nothing() -> None:
    stream = SseParser(limit=100)
    for _ in range(1000):
        assert list(stream.feed(b": still here\n")) == [KeepAlive()]
        assert list(stream.feed(b"\n")) == []


def test_events_before_an_oversized_one_are_given_out() -> None:
    assert read([b"data: a\n\ndata: " + b"x" * LIMIT + b"\n\n"], LIMIT) == ParsedStream(
        [("message", "a", "")], "", None, FaultKind.BAD_REQUEST
    )


async def test_events_reads_any_asynchronous_bytes() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in (b"\xef\xbb", b"\xbfdata: \xe2\x82", b"\xac\n", b"\n: bye\n", b"data: unfinished\n"):
            yield piece

    found = [item async for item in parse_sse(chunks())]
    assert [item if isinstance(item, KeepAlive) else item.data for item in found] == ["€", KeepAlive()]
