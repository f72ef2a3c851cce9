"""A hosted debate: publishes its log to the encoded streams that its viewers share."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.material import material_for
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.record.summary import DebateSummary
from debate_tui.server.encoded_stream import EncodedStream
from debate_tui.server.encoding import encode_json
from debate_tui.server.event_window import EventWindow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.server.encoding import StreamOptions
    from debate_tui.session.commands import CommandHandler

MAX_STREAMS: Final = 16
"""Streams per debate above which viewers share one that differs only in its batch sizes."""

_FLUSH_RETRY_S: Final = 0.2


async def follow_durable(log: ReadableLog, after: int = 0) -> AsyncIterator[Sequence[Event]]:
    """Yield the events of a log after `after` in batches, each as soon as it is durable.

    If an event were published and then lost in a crash, another event could later have the same number.
    Events are not delayed if the log is not durable, or if recording has stopped for good.
    """
    async for batch in log.follow(after):
        await log.flush()
        while log.durable_seq < batch[-1].seq and not log.recording_stopped:
            await asyncio.sleep(_FLUSH_RETRY_S)
            await log.flush()
        yield batch


class MaterialText(Struct, frozen=True):
    """A text that everyone in the debate was given, sanitised."""

    number: int
    name: str
    text: str


class HostedDebate(EventWindow):
    """A debate that viewers can watch.

    `handle` takes commands; it is `None` unless the debate runs in this process. `known_seq` is the newest
    event already in the log.
    """

    def __init__(
        self,
        debate: str,
        log: ReadableLog,
        *,
        handle: CommandHandler | None = None,
        known_seq: int = 0,
    ) -> None:
        super().__init__(log, live=handle is not None)
        self.debate = debate
        self.handle = handle
        self._known_seq = known_seq
        self._loaded = asyncio.Event()
        self._streams: dict[StreamOptions, EncodedStream] = {}
        self._material = {
            str(each.number): encode_json(MaterialText(each.number, one_line(each.name), sanitise(each.text)))
            for each in material_for(log.material)
        }
        self._cached_state: tuple[tuple[int, bool], bytes] | None = None

    def reopen(self) -> bool:
        """Return whether the log has events after the end, such as a vote; if so, `run` must run again.

        A debate without an end was taken over: what its log still has was never recorded.
        """
        if not self.over or self.transcript.finish_reason is None or self._log.seq <= self.seq:
            return False
        self.over = False
        self._streams.clear()  # they have ended; their viewers leave
        return True

    async def run(self) -> None:
        """Publish the log's events as they become durable, until the debate ends."""
        try:
            async for batch in follow_durable(self._log, self.seq):
                self.publish(batch)
                if self.seq >= self._known_seq:
                    self._loaded.set()
                for stream in self._streams.values():
                    stream.schedule_flush()
        finally:
            self.over = True
            self._loaded.set()
            for stream in self._streams.values():
                stream.finish()

    async def wait_until_loaded(self) -> bool:
        """Wait until all events up to `known_seq` are published; return whether there are any."""
        await self._loaded.wait()
        return self.seq > 0

    def find_material(self, number: str) -> bytes | None:
        """Return the text with this number as JSON, unless it is hidden or there is none."""
        return self._material.get(number)

    def encode_state(self) -> bytes:
        """Return the whole snapshot as JSON, encoded once for all who ask until something changes."""
        version = (self.seq, self.over)
        if self._cached_state is None or self._cached_state[0] != version:
            self._cached_state = (version, encode_json(self.snapshot(limit=sys.maxsize)))
        return self._cached_state[1]

    def get_stream(self, options: StreamOptions) -> EncodedStream:
        """Return the stream for these options, creating it if necessary; see `release_stream`.

        If `MAX_STREAMS` are in use, return one that differs only in its batch sizes, if there is one.
        """
        stream = self._streams.get(options)
        if stream is None and len(self._streams) >= MAX_STREAMS:
            alike = [each for each in self._streams.values() if each.options.kind == options.kind]
            stream = min(alike, key=lambda each: each.options.distance(options), default=None)
        if stream is None:
            stream = self._streams[options] = EncodedStream(self, options)
        return stream

    def release_stream(self, stream: EncodedStream) -> None:
        """Close a stream that has no viewers left."""
        if stream.viewer_count == 0 and self._streams.get(stream.options) is stream:
            del self._streams[stream.options]
            stream.close()

    @property
    def summary(self) -> DebateSummary:
        """The debate's summary, as in the record."""
        transcript = self.transcript
        return DebateSummary(
            self.debate,
            transcript.topic,
            transcript.format,
            tuple(transcript.debaters.values()),
            transcript.started_at,
            transcript.updated_at,
            transcript.finish_reason,
            self.seq,
        )

    @property
    def has_finished_turn(self) -> bool:
        """Whether any turn is finished, so that opinions may have changed."""
        return any(turn.finished for turn in self.transcript.turns.values())

    @property
    def has_viewers(self) -> bool:
        """Whether the debate has viewers."""
        return bool(self._streams)
