"""What a remote endpoint's events amount to: the payload is found out, and the end has to be believable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.domain.stream import Alive, Chunk, Cursor, Ended, Fault, Finished
from debate_tui.sources.payloads import decoded, truncated
from debate_tui.sources.payloads.detect import Detecting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event


async def read(
    events: AsyncIterator[Event | Alive], resumed: Cursor | None, orderly: Callable[[], bool]
) -> AsyncGenerator[StreamItem]:
    """Decode an endpoint's stream up to its end: a `Finished`, or a `Fault`, which may be an `Ended`.

    Items get cursors from the event ids, as far as the stream has any. A cursor also names the payload, so
    that a stream which goes on behind one (`resumed`) is read like the one before. `orderly` is asked at
    the end whether the framing vouches for it.
    """
    reading = _Reading(resumed)
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

    def __init__(self, resumed: Cursor | None) -> None:
        self._decoder = Detecting(resumed.stream if resumed else "")
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
                    yield self._at(held, None)
                held = item
        except Fault:
            if held is not None:
                yield self._at(held, None)
            raise
        if held is not None:
            yield self._at(held, self._cursor(event.id) if event.id or self._has_ids else None)

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

    def _at(self, item: StreamItem, cursor: Cursor | None) -> StreamItem:
        if isinstance(item, Chunk):
            self.text_seen = True
            return item if item.cursor is cursor else Chunk(item.text, item.reasoning, cursor)
        if isinstance(item, Alive):
            return item if item.cursor is cursor else replace(item, cursor=cursor)
        return item
