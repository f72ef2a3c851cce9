"""What a remote endpoint's events amount to: the payload is found out, and the end has to be believable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Cursor, Fault, Finished, KeepAlive, UnmarkedEnd
from debate_tui.sources.payloads import nesting_fault, truncated_fault
from debate_tui.sources.payloads.detect import OWN_PAYLOADS, AutoDetectDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent


async def decode_endpoint_stream(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    resume_cursor: Cursor | None,
    ended_orderly: Callable[[], bool],
    *,
    ids_in_data: bool = False,
) -> AsyncGenerator[StreamItem]:
    """Decode an endpoint's stream up to its end: a `Finished`, or a `Fault`, which may be an `UnmarkedEnd`.

    Items get cursors from the event ids, as far as the stream has any; `ids_in_data` takes those that our own
    payloads carry instead. A cursor also names the payload, so that a stream which goes on behind one
    (`resume_cursor`) is read like the one before. `ended_orderly` is asked at the end whether the framing
    vouches for it.
    """
    reader = _EndpointReader(resume_cursor, ids_in_data)
    text_seen = False
    try:
        async for event in events:
            for item in reader.decode(event):
                kind = type(item)
                if kind is Chunk:
                    text_seen = True
                yield item
                if kind is Finished:
                    return
        yield reader.end(text_seen, ended_orderly())
    except RecursionError:
        raise nesting_fault(text_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen
        raise


class _EndpointReader:
    """One connection's stream, as far as it was read."""

    def __init__(self, resume_cursor: Cursor | None, ids_in_data: bool) -> None:
        self._decoder = AutoDetectDecoder(resume_cursor.stream if resume_cursor else "")
        self._ids_in_data = ids_in_data
        self._is_resumed = resume_cursor is not None
        self._last_id = resume_cursor.position if resume_cursor else ""
        self._has_ids = resume_cursor is not None

    def decode(self, event: PayloadEvent | KeepAlive) -> Iterable[StreamItem]:
        """What an event amounts to, with the cursors its items are to have."""
        if isinstance(event, KeepAlive):
            cursor = None if event.cursor is None else self._make_cursor(event.cursor.position)
            return (event if cursor is None else KeepAlive(cursor, event.retry_after),)
        if self._ids_in_data and self._decoder.payload_name in ("", *OWN_PAYLOADS):
            return self._with_payload_cursors(self._decoder.decode(event))
        if not event.id and not self._has_ids:
            return map(_without_cursor, self._decoder.decode(event))
        return self._with_event_id(event)

    def end(self, text_seen: bool, ended_orderly: bool) -> Finished:
        """The end of a connection that was closed without an error; raises `Fault` if it is not the end."""
        decoder = self._decoder
        if not decoder.has_end_marker and (self._last_id or not ended_orderly):
            if text_seen or self._is_resumed:
                raise UnmarkedEnd(vouched=ended_orderly)
            if not ended_orderly:
                raise truncated_fault()
        finished = decoder.end()
        if finished is None:
            raise truncated_fault()
        return finished

    def _with_payload_cursors(self, items: Iterable[StreamItem]) -> Iterator[StreamItem]:
        """Items with the places their own payload gives them."""
        for item in items:
            cursor = item.cursor if isinstance(item, Chunk | KeepAlive) else None
            is_own = cursor is not None and self._decoder.payload_name in OWN_PAYLOADS
            yield _with_cursor(item, self._make_cursor(cursor.position) if cursor and is_own else None)

    def _with_event_id(self, event: PayloadEvent) -> Iterator[StreamItem]:
        """The items of an event with an id, which stands for all of it: only the last one may carry it."""
        pending: StreamItem | None = None
        try:
            for item in self._decoder.decode(event):
                if pending is not None:
                    yield _without_cursor(pending)
                pending = item
        except Fault:
            if pending is not None:
                yield _without_cursor(pending)
            raise
        if pending is not None:
            yield _with_cursor(pending, self._make_cursor(event.id))

    def _make_cursor(self, position: str) -> Cursor:
        self._has_ids = True
        self._last_id = position
        return Cursor(position, self._decoder.payload_name)


def _without_cursor(item: StreamItem) -> StreamItem:
    """The item without a cursor: a sequence number of the payload's own is nothing to ask an endpoint by."""
    if type(item) is Chunk and item.cursor is None:
        return item
    return _with_cursor(item, None)


def _with_cursor(item: StreamItem, cursor: Cursor | None) -> StreamItem:
    match item:
        case Chunk() if item.cursor is not cursor:
            return Chunk(item.text, item.reasoning, cursor)
        case KeepAlive() if item.cursor is not cursor:
            return KeepAlive(cursor, item.retry_after)
        case _:
            return item
