"""Events of the Agent User Interaction protocol; https://docs.ag-ui.com/concepts/events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive
from debate_tui.sources.payloads import errors, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent


_AGUI_TEXT_TYPES = ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CHUNK")
_AGUI_REASONING_TYPES = (
    "REASONING_MESSAGE_CONTENT",
    "REASONING_MESSAGE_CHUNK",
    "THINKING_TEXT_MESSAGE_CONTENT",
)
_AGUI_KEEPALIVE = (KeepAlive(),)


class _AgUiEvent(Struct):
    type: str = ""
    delta: str | list[msgspec.Raw] | None = None
    message: str | None = None
    code: str | int | None = None


_decode_agui = msgspec.json.Decoder(_AgUiEvent).decode


class AgUiDecoder:
    """Decodes one run of an agent; its end marker is ``RUN_FINISHED``.

    A stream that is no run, only a message, is finished with an orderly end behind ``TEXT_MESSAGE_END``.
    """

    has_end_marker = True

    def __init__(self) -> None:
        self._is_run = False
        self._message_ended = False

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        try:
            data = _decode_agui(event.data)
        except msgspec.DecodeError:
            raise unreadable_fault(event.data) from None
        kind = data.type
        if kind in _AGUI_TEXT_TYPES or kind in _AGUI_REASONING_TYPES:
            self._message_ended = False
            text = data.delta
            return (
                (Chunk(text, kind in _AGUI_REASONING_TYPES),)
                if text and isinstance(text, str)
                else _AGUI_KEEPALIVE
            )
        match kind:
            case "RUN_FINISHED":
                return (Finished(),)
            case "RUN_ERROR":
                raise errors.fault_from_error(errors.ErrorBody(message=data.message, code=data.code))
            case "RUN_STARTED":
                self._is_run = True
            case "TEXT_MESSAGE_END":
                self._message_ended = True
        return _AGUI_KEEPALIVE

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return Finished() if self._message_ended and not self._is_run else None


# Parts of the AI SDK's UI message streams; https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol.


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
                raise errors.fault_from_body(part.error_text)
            case "abort":
                raise Fault(FaultKind.SERVER, "The server broke the answer off.")
            case _:
                return _UI_KEEPALIVE

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None
