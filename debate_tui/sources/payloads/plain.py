"""Data that is the text itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Alive, Chunk, Finished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event

SIGNS_OF_LIFE = frozenset(("ping", "heartbeat", "keepalive", "keep-alive"))
"""Names under which servers send events that carry no text, whatever their data is."""


class PlainDecoder:
    """Decodes plain text; nothing in it says where the answer ends."""

    marks_end = False

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        if not event.data or event.event in SIGNS_OF_LIFE:
            return (Alive(),)
        return (Chunk(event.data),)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return Finished()
