"""Data that is the text itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Finished, KeepAlive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent

KEEPALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive"))
"""Names under which servers send events that carry no text, whatever their data is."""


class PlainTextDecoder:
    """Decodes plain text; nothing in it says where the answer ends."""

    has_end_marker = False

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        if not event.data or event.event in KEEPALIVE_EVENTS:
            return (KeepAlive(),)
        return (Chunk(event.data),)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return Finished()
