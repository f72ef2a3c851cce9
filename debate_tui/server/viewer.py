"""A viewer of a debate: its cursor, and what to send next."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final, Literal

from debate_tui.domain.errors import DebateError
from debate_tui.server.broadcast import MAX_LAG_BYTES, EncodedRange
from debate_tui.server.encoding import (
    EventCursor,
    coalesce,
    encode_events,
    encode_message,
    encode_retry,
    join_pieces,
    parse_cursor,
    remaining_events,
    split_by_size,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from debate_tui.server.broadcast import EncodedBatch, EncodedStream, Push
    from debate_tui.server.encoding import OutgoingEvent, Piece, StreamOptions
    from debate_tui.server.hosted_debate import HostedDebate

    Pieces = tuple[Piece, ...]

RETRY_MS: Final = (1000, 3000)
"""Range of the reconnect delay in ms, random per client so that they do not all return at once."""

GOODBYE_MS: Final = (500, 4000)
"""Range of the reconnect delay in ms after the server's goodbye."""

UNKNOWN_CURSOR_TIMEOUT_S: Final = 2.0
"""Seconds to wait for events that a client has seen on another server but that are unknown here."""

ResetReason = Literal["epoch", "history", "lag"]


class Viewer:
    """The events sent over one connection.

    They resume after `resume_id`, the last event id received. Without one, they start after the event
    `after`, or with a snapshot. `reset_count` counts the snapshots that replaced missed events.
    """

    def __init__(
        self, hosted: HostedDebate, options: StreamOptions, *, resume_id: str = "", after: int | None = None
    ) -> None:
        self._hosted = hosted
        self._options = options
        self._resume_id = resume_id
        self._after = after
        self._cursor: EventCursor | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._active_push: tuple[EncodedStream, asyncio.Future[EncodedBatch | None]] | None = None
        self._disconnected = False
        self.shutting_down = False
        self.reset_count = 0

    def disconnect(self) -> None:
        """Stop sending: the client has disconnected."""
        self._disconnected = True
        self._wake()

    def shut_down(self) -> None:
        """Send the remaining batches, then goodbye: the server is about to stop."""
        self.shutting_down = True
        self._wake()

    async def outgoing(self, push: Push | None = None) -> AsyncGenerator[Pieces]:
        """Yield everything to send, until the debate ends.

        With `push`, new batches go there while the client keeps up. When it falls behind, an empty tuple is
        yielded: resume iterating when the client can receive again.
        """
        hosted = self._hosted
        stream = hosted.get_stream(self._options)
        options = self._options = stream.options
        stream.viewer_count += 1
        try:
            self._cursor = await self._initial_cursor(stream)
            if options.transport == "sse":
                yield (encode_retry(random.randint(*RETRY_MS), self._cursor),)  # noqa: S311
            if self._cursor is None:
                yield self._encode_snapshot(stream, "epoch" if self._resume_id else None)
            while not self._disconnected:
                while pieces := await self._next_missed(stream):
                    yield pieces
                number, offset = self._stream_position(stream)
                while number >= stream.first_number and not self._disconnected:
                    if number < stream.next_number:
                        number, batches = stream.batches_from(number)
                        offset, self._cursor = batches[-1].end_offset, batches[-1].cursor
                        yield batches[0].pieces if len(batches) == 1 else _flatten(batches)
                    elif stream.ended or self.shutting_down:
                        if not stream.ended:
                            yield self._encode_goodbye()
                        return
                    elif push is None:
                        await self._wait_for_change(stream)
                    else:
                        if (batch := await self._push_until_slow(stream, push)) is not None:
                            number, offset, self._cursor = batch.number + 1, batch.end_offset, batch.cursor
                        yield ()
                if not self._disconnected and stream.total_size - offset > MAX_LAG_BYTES:
                    yield self._encode_snapshot(stream, "lag")
        finally:
            stream.viewer_count -= 1
            hosted.release_stream(stream)

    async def _initial_cursor(self, stream: EncodedStream) -> EventCursor | None:
        """Return the cursor to start from; `None` for a snapshot, if resuming is not possible."""
        hosted = self._hosted
        if not self._resume_id:
            return None if self._after is None else EventCursor(hosted.epoch, min(self._after, hosted.seq))
        cursor = parse_cursor(self._resume_id)
        if cursor is None or cursor.epoch != hosted.epoch:
            return None
        try:
            async with asyncio.timeout(UNKNOWN_CURSOR_TIMEOUT_S):
                while not (hosted.can_resume_from(cursor) or hosted.over):
                    await self._wait_for_change(stream)
        except TimeoutError:
            return None
        return cursor if hosted.can_resume_from(cursor) else None

    async def _next_missed(self, stream: EncodedStream) -> Pieces:
        """Return the next encoded range before the stream's batches; empty if the viewer has caught up."""
        try:
            # On shutdown, viewers can get the rest from another server. After the end, still send it.
            while not self._disconnected and (stream.ended or not self.shutting_down):
                cursor = self._cursor
                assert cursor is not None
                if stream.position_after(cursor) is not None:
                    return ()
                if cursor.contiguous_seq > stream.encoded_seq:
                    await self._wait_for_change(stream)
                    continue
                upto = stream.catch_up_target(cursor)
                if (encoded := stream.cached_range(cursor, upto)) is None:
                    encoded = await self._encode_range(cursor, upto)
                    stream.cache_range(cursor, upto, encoded)
                self._cursor = encoded.cursor
                if encoded.pieces:
                    return encoded.pieces
        except DebateError:
            return self._encode_snapshot(stream, "history")
        return ()

    async def _encode_range(self, cursor: EventCursor, upto: int) -> EncodedRange:
        hosted, options = self._hosted, self._options
        if cursor.span is not None:
            outgoing: Sequence[OutgoingEvent] = remaining_events(
                await hosted.read_all(*cursor.span), cursor, options
            )
            end_cursor = EventCursor(hosted.epoch, cursor.span[1])
        else:
            events = await hosted.read(cursor.seq, upto)
            outgoing = coalesce(events, options)
            end_cursor = EventCursor(hosted.epoch, events[-1].seq)
            parts = list(split_by_size(outgoing))
            if len(parts) > 1:
                outgoing = parts[0]
                end_cursor = outgoing[-1].cursor(hosted.epoch)
        return EncodedRange(encode_events(outgoing, hosted.epoch, options), end_cursor)

    async def _wait_for_change(self, stream: EncodedStream) -> None:
        self._waiter = stream.next_change()
        if not (self._disconnected or self.shutting_down):
            await self._waiter

    async def _push_until_slow(self, stream: EncodedStream, push: Push) -> EncodedBatch | None:
        """Push until the client falls behind or the stream ends; return the last batch pushed, if any."""
        waiter = stream.start_push(push)
        self._active_push = (stream, waiter)
        try:
            return await waiter
        finally:
            self._active_push = None
            stream.stop_push(waiter)

    def _wake(self) -> None:
        if self._active_push is not None and not self._active_push[1].done():
            self._active_push[1].set_result(self._active_push[0].last_pushed)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _stream_position(self, stream: EncodedStream) -> tuple[int, int]:
        """Return the batch number and byte offset to continue at.

        Continue after all batches if the client has disconnected or the server is stopping.
        """
        assert self._cursor is not None
        return stream.position_after(self._cursor) or (stream.next_number, stream.total_size)

    def _encode_snapshot(self, stream: EncodedStream, reason: ResetReason | None) -> Pieces:
        """Return a snapshot, after a reset message if there is a `reason`, and move the cursor to it."""
        options = self._options
        self._cursor, snapshot = stream.snapshot()
        messages = [snapshot]
        if reason is not None:
            self.reset_count += 1
            messages.insert(
                0, encode_message("reset", b'{"type":"reset","reason":"%s"}' % reason.encode(), options)
            )
        return join_pieces(messages, options)

    def _encode_goodbye(self) -> Pieces:
        options, retry_ms = self._options, random.randint(*GOODBYE_MS)  # noqa: S311
        messages = [encode_message("goodbye", b'{"type":"goodbye","retry":%d}' % retry_ms, options)]
        if options.transport == "sse":
            messages.insert(0, encode_retry(retry_ms, None))
        return join_pieces(messages, options)


def _flatten(batches: Sequence[EncodedBatch]) -> Pieces:
    return tuple(piece for burst in batches for piece in burst.pieces)
