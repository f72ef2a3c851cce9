"""A viewer of a debate: its position in the encoded stream, and what to send next."""

from __future__ import annotations

import asyncio
import random
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from debate_tui.domain.errors import DebateError
from debate_tui.server.encoding import EventCursor, encode_message, encode_retry, join_pieces, parse_cursor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.server.encoded_stream import EncodedStream, Push, StreamPosition
    from debate_tui.server.encoding import Pieces, StreamOptions
    from debate_tui.server.hosted_debate import HostedDebate

MAX_LAG_BYTES: Final = 1 << 20
"""Maximum bytes a viewer may lag; above it, the viewer is reset with a snapshot."""

RETRY_MS: Final = (1000, 3000)
"""Range of the reconnect delay in ms, random per client so that they do not all return at once."""

GOODBYE_MS: Final = (500, 4000)
"""Range of the reconnect delay in ms after the server's goodbye."""

UNKNOWN_CURSOR_TIMEOUT_S: Final = 2.0
"""Seconds to wait for events that a client has seen on another server but that are unknown here."""

ResetReason = Literal["epoch", "history", "lag"]


class ViewerState(Enum):
    """What a viewer gets next."""

    CATCHING_UP = "events before the stream's batches, from the debate's window or log"
    LIVE = "the stream's batches, pushed while the client keeps up"
    LEAVING = "nothing: the debate is over, the server stops, or the client has disconnected"


class Viewer:
    """The events sent over one connection.

    They resume after `resume_id`, the last event id received. Without one, they start after the event
    `after`, or with a snapshot. `reset_count` counts the snapshots that replaced missed events.
    `sending_since` is the loop time at which a send began that is still blocked, or `None`.
    """

    def __init__(
        self, hosted: HostedDebate, options: StreamOptions, *, resume_id: str = "", after: int | None = None
    ) -> None:
        self.state = ViewerState.CATCHING_UP
        self.shutting_down = False
        self.reset_count = 0
        self.sending_since: float | None = None
        self._hosted = hosted
        self._options = options
        self._resume_id = resume_id
        self._after = after
        self._cursor = EventCursor("", 0)
        self._position: StreamPosition
        self._wait: tuple[EncodedStream, asyncio.Future[StreamPosition]] | None = None

    def disconnect(self) -> None:
        """Stop sending: the client has disconnected."""
        self.state = ViewerState.LEAVING
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
        stream = self._hosted.get_stream(self._options)
        self._options = stream.options
        stream.viewer_count += 1
        try:
            cursor = await self._initial_cursor(stream)
            if stream.options.transport == "sse":
                # The delay only spreads reconnects; it need not be unpredictable.
                yield (encode_retry(random.randint(*RETRY_MS), cursor),)  # noqa: S311
            if cursor is None:
                yield self._encode_snapshot(stream, "epoch" if self._resume_id else None)
            else:
                self._cursor = cursor
            while self.state is not ViewerState.LEAVING:
                if self.state is ViewerState.CATCHING_UP:
                    pieces = await self._next_missed(stream)
                else:
                    pieces = await self._next_live(stream, push)
                if pieces is not None:
                    yield pieces
        finally:
            stream.viewer_count -= 1
            self._hosted.release_stream(stream)

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
                while not (hosted.can_resume_from(cursor) or hosted.over or self._must_act):
                    await self._wait_for_change(stream)
        except TimeoutError:
            return None
        return cursor if hosted.can_resume_from(cursor) or self._must_act else None

    @property
    def _must_act(self) -> bool:
        return self.shutting_down or self.state is ViewerState.LEAVING

    async def _next_missed(self, stream: EncodedStream) -> Pieces | None:
        """Return the next events before the stream's batches; go live once there are none."""
        if (position := stream.position_after(self._cursor)) is not None:
            self._position = position
            self._enter(ViewerState.LIVE)
            return None
        if self.shutting_down and not stream.ended:  # The viewer can get the rest from another server.
            return self._encode_goodbye()
        if self._cursor.contiguous_seq > stream.end.cursor.seq:
            await self._wait_for_change(stream)
            return None
        try:
            pieces, self._cursor = await stream.missed_after(self._cursor)
        except DebateError:
            return self._encode_snapshot(stream, "history")
        return pieces or None

    async def _next_live(self, stream: EncodedStream, push: Push | None) -> Pieces | None:
        """Return the next batches, or wait for them; catch up if they are no longer kept."""
        position = self._position
        if position.number < stream.start.number:
            self._cursor = position.cursor
            self._enter(ViewerState.CATCHING_UP)
            is_lagging = stream.end.offset - position.offset > MAX_LAG_BYTES
            return self._encode_snapshot(stream, "lag") if is_lagging else None
        if position.number < stream.end.number:
            pieces, self._position = stream.batches_after(position)
            return pieces
        if stream.ended:
            self._enter(ViewerState.LEAVING)
            return None
        if self.shutting_down:
            return self._encode_goodbye()
        pushed_to = await self._wait_for_change(stream, push)
        if push is None:
            return None
        self._position = pushed_to
        return ()

    async def _wait_for_change(self, stream: EncodedStream, push: Push | None = None) -> StreamPosition:
        """Wait for the next batch, or push until the client falls behind or the viewer must act."""
        waiter = stream.next_change(push)
        self._wait = (stream, waiter)
        try:
            return await waiter
        finally:
            self._wait = None
            stream.forget(waiter)

    def _wake(self) -> None:
        if self._wait is not None:
            stream, waiter = self._wait
            stream.wake(waiter)

    def _enter(self, state: ViewerState) -> None:
        """Change the state, unless the client has disconnected in the meantime."""
        if self.state is not ViewerState.LEAVING:
            self.state = state

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
        """Leave, and return a message that says when to reconnect."""
        self._enter(ViewerState.LEAVING)
        options, retry_ms = self._options, random.randint(*GOODBYE_MS)  # noqa: S311 (spreads reconnects)
        messages = [encode_message("goodbye", b'{"type":"goodbye","retry":%d}' % retry_ms, options)]
        if options.transport == "sse":
            messages.insert(0, encode_retry(retry_ms, None))
        return join_pieces(messages, options)
