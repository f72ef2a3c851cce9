"""What a remote endpoint's events amount to: the payload is found out, and the end has to be believable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.domain.stream import Alive, Chunk, Cursor, Ended, Fault, Finished
from debate_tui.sources.payloads import decoded, truncated
from debate_tui.sources.payloads.detect import OURS, Detecting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event


async def read(
    events: AsyncIterator[Event | Alive],
    resumed: Cursor | None,
    orderly: Callable[[], bool],
    ids_in_data: bool = False,
) -> AsyncGenerator[StreamItem]:
    """Decode an endpoint's stream up to its end: a `Finished`, or a `Fault`, which may be an `Ended`.

    Items get cursors from the event ids, as far as the stream has any; `ids_in_data` takes those that our
    own payloads carry instead. A cursor also names the payload, so that a stream which goes on behind one
    (`resumed`) is read like the one before. `orderly` is asked at the end whether the framing vouches for
    it.
    """
    reading = _Reading(resumed, ids_in_data)
    try:
        async for event in events:
            for item in reading.items(event):
                yield item
                if isinstance(item, Finished):
                    return
        yield reading.end(orderly())
    except Fault as fault:
        fault.text_seen = fault.text_seen or reading.text_seen
        raise


class _Reading:
    """One connection's stream, as far as it was read."""

    def __init__(self, resumed: Cursor | None, ids_in_data: bool) -> None:
        self._decoder = Detecting(resumed.stream if resumed else "")
        self._ids_in_data = ids_in_data
        self._resumed = resumed is not None
        self._last_id = resumed.position if resumed else ""
        self._has_ids = resumed is not None
        self.text_seen = False

    def items(self, event: Event | Alive) -> Iterator[StreamItem]:
        if isinstance(event, Alive):
            yield (
                event if event.cursor is None else replace(event, cursor=self._cursor(event.cursor.position))
            )
            return
        # An event's id stands for all of the event, so that only its last item may carry it.
        held: StreamItem | None = None
        try:
            for item in decoded(self._decoder, event):
                if held is not None:
                    yield self._at(held, "")
                held = item
        except Fault:
            if held is not None:
                yield self._at(held, "")
            raise
        if held is not None:
            yield self._at(held, event.id, self._has_ids)

    def end(self, vouched: bool) -> Finished:
        """The end of a connection that was closed without an error; raises `Fault` if it is not the end."""
        decoder = self._decoder
        if not decoder.marks_end and (self._last_id or not vouched):
            if self.text_seen or self._resumed:
                raise Ended(vouched=vouched)
            if not vouched:
                raise truncated()
        finished = decoder.end()
        if finished is None:
            raise truncated()
        return finished

    def _cursor(self, position: str) -> Cursor:
        self._has_ids = True
        self._last_id = position
        return Cursor(position, self._decoder.name)

    def _at(self, item: StreamItem, position: str, reset: bool = False) -> StreamItem:
        """The item with the cursor it is to have; an empty position is one only where ids were `reset`."""
        if not isinstance(item, Chunk | Alive):
            return item
        self.text_seen = self.text_seen or isinstance(item, Chunk)
        if self._ids_in_data and self._decoder.name in OURS:
            position, reset = (item.cursor.position if item.cursor else ""), False
        cursor = self._cursor(position) if position or reset else None
        if cursor is item.cursor:
            return item
        return Chunk(item.text, item.reasoning, cursor) if isinstance(item, Chunk) else Alive(cursor)
