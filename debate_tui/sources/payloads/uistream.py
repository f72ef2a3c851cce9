"""Parts of the AI SDK's UI message streams; https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive
from debate_tui.sources.payloads import faults, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_UI_FINISH_REASONS: dict[str, FinishReason] = {"length": "length", "content-filter": "refused"}
_UI_KEEPALIVE = (KeepAlive(),)


class _UiPart(Struct, rename="camel"):
    type: str = ""
    delta: str = ""
    error_text: str = ""
    finish_reason: str = ""


_decode_ui_part = msgspec.json.Decoder(_UiPart).decode


class UiStreamDecoder:
    """Decodes one UI message stream; its end marker is the ``finish`` part (or ``[DONE]``)."""

    has_end_marker = True

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        try:
            part = _decode_ui_part(event.data)
        except msgspec.DecodeError:
            raise unreadable_fault(event.data) from None
        match part.type:
            case "text-delta" | "reasoning-delta" if part.delta:
                return (Chunk(part.delta, part.type == "reasoning-delta"),)
            case "finish":
                return (Finished(_UI_FINISH_REASONS.get(part.finish_reason, "complete")),)
            case "error":
                raise faults.fault_from_body(part.error_text)
            case "abort":
                raise Fault(FaultKind.SERVER, "The server broke the answer off.")
            case _:
                return _UI_KEEPALIVE

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None
