"""What a remote endpoint's events amount to: the payload is found out, and the end has to be believable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Alive, Chunk, Cursor, Ended, Fault, Finished
from debate_tui.sources.payloads import nested, truncated
from debate_tui.sources.payloads.detect import OURS, Detecting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event


async def read(
    events: AsyncIterator[Event | Alive],
    resumed: Cursor | None,
    orderly: Callable[[], bool],
    *,
    ids_in_data: bool = False,
) -> AsyncGenerator[StreamItem]:
    """Decode an endpoint's stream up to its end: a `Finished`, or a `Fault`, which may be an `Ended`.

    Items get cursors from the event ids, as far as the stream has any; `ids_in_data` takes those that our
    own payloads carry instead. A cursor also names the payload, so that a stream which goes on behind one
    (`resumed`) is read like the one before. `orderly` is asked at the end whether the framing vouches for
    it.
    """
    reading = _Reading(resumed, ids_in_data)
    text_seen = False
    try:
        async for event in events:
            for item in reading.items(event):
                kind = type(item)
                if kind is Chunk:
                    text_seen = True
                yield item
                if kind is Finished:
                    return
        yield reading.end(text_seen, orderly())
    except RecursionError:
        raise nested(text_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen
        raise


class _Reading:
    """One connection's stream, as far as it was read."""

    def __init__(self, resumed: Cursor | None, ids_in_data: bool) -> None:
        self._decoder = Detecting(resumed.stream if resumed else "")
        self._ids_in_data = ids_in_data
        self._resumed = resumed is not None
        self._last_id = resumed.position if resumed else ""
        self._has_ids = resumed is not None

    def items(self, event: Event | Alive) -> Iterable[StreamItem]:
        """What an event amounts to, with the cursors its items are to have."""
        if isinstance(event, Alive):
            cursor = None if event.cursor is None else self._cursor(event.cursor.position)
            return (event if cursor is None else Alive(cursor, event.retry_after),)
        if self._ids_in_data and self._decoder.name in ("", *OURS):
            return self._told(self._decoder.decode(event))
        if not event.id and not self._has_ids:
            return map(_placeless, self._decoder.decode(event))
        return self._placed(event)

    def end(self, text_seen: bool, vouched: bool) -> Finished:
        """The end of a connection that was closed without an error; raises `Fault` if it is not the end."""
        decoder = self._decoder
        if not decoder.marks_end and (self._last_id or not vouched):
            if text_seen or self._resumed:
                raise Ended(vouched=vouched)
            if not vouched:
                raise truncated()
        finished = decoder.end()
        if finished is None:
            raise truncated()
        return finished

    def _told(self, items: Iterable[StreamItem]) -> Iterator[StreamItem]:
        """Items with the places their own payload gives them."""
        for item in items:
            cursor = item.cursor if isinstance(item, Chunk | Alive) else None
            ours = cursor is not None and self._decoder.name in OURS
            yield _at(item, self._cursor(cursor.position) if cursor and ours else None)

    def _placed(self, event: Event) -> Iterator[StreamItem]:
        """The items of an event with an id, which stands for all of it: only the last one may carry it."""
        held: StreamItem | None = None
        try:
            for item in self._decoder.decode(event):
                if held is not None:
                    yield _placeless(held)
                held = item
        except Fault:
            if held is not None:
                yield _placeless(held)
            raise
        if held is not None:
            yield _at(held, self._cursor(event.id))

    def _cursor(self, position: str) -> Cursor:
        self._has_ids = True
        self._last_id = position
        return Cursor(position, self._decoder.name)


def _placeless(item: StreamItem) -> StreamItem:
    """The item without a cursor: a sequence number of the payload's own is nothing to ask an endpoint by."""
    if type(item) is Chunk and item.cursor is None:
        return item
    return _at(item, None)


def _at(item: StreamItem, cursor: Cursor | None) -> StreamItem:
    match item:
        case Chunk() if item.cursor is not cursor:
            return Chunk(item.text, item.reasoning, cursor)
        case Alive() if item.cursor is not cursor:
            return Alive(cursor, item.retry_after)
        case _:
            return item
