"""Parts of the AI SDK's UI message streams; https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Fault, FaultKind, Finished
from debate_tui.sources.payloads import faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import Event

_REASONS: dict[str, FinishReason] = {"length": "length", "content-filter": "refused"}
_ALIVE = (Alive(),)


class _Part(Struct, rename="camel"):
    type: str = ""
    delta: str = ""
    error_text: str = ""
    finish_reason: str = ""


_decode = msgspec.json.Decoder(_Part).decode


class UiStreamDecoder:
    """Decodes one UI message stream; its end marker is the ``finish`` part (or ``[DONE]``)."""

    marks_end = True

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        try:
            part = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable(event.data) from None
        match part.type:
            case "text-delta" | "reasoning-delta" if part.delta:
                return (Chunk(part.delta, part.type == "reasoning-delta"),)
            case "finish":
                return (Finished(_REASONS.get(part.finish_reason, "complete")),)
            case "error":
                raise faults.from_body(part.error_text)
            case "abort":
                raise Fault(FaultKind.SERVER, "The server broke the answer off.")
            case _:
                return _ALIVE

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return None
