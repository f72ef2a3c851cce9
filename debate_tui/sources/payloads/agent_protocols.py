"""Events of AG-UI (https://docs.ag-ui.com/concepts/events) and of the AI SDK's UI message streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.error_kinds import to_finish_reason
from debate_tui.sources.payloads.json_decoder import NOTHING, JsonDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import Finished, StreamItem
    from debate_tui.sources.payloads import PayloadEvent


_AGUI_TEXT_TYPES = ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CHUNK")
_AGUI_REASONING_TYPES = (
    "REASONING_MESSAGE_CONTENT",
    "REASONING_MESSAGE_CHUNK",
    "THINKING_TEXT_MESSAGE_CONTENT",
)


class _AgUiEvent(Struct):
    type: str = ""
    delta: str | list[object] | None = None
    message: str | None = None
    code: str | int | None = None


class AgUiDecoder(JsonDecoder[_AgUiEvent]):
    """Decodes one run of an agent; its end marker is ``RUN_FINISHED``.

    A stream with only a message and no run is finished by an orderly end after ``TEXT_MESSAGE_END``.
    """

    shape = _AgUiEvent
    parse = msgspec.json.Decoder(_AgUiEvent).decode
    _understood = True
    _is_run = False
    _message_ended = False

    def read(self, value: _AgUiEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        kind = value.type
        if kind in _AGUI_TEXT_TYPES or kind in _AGUI_REASONING_TYPES:
            self._message_ended = False
            text = value.delta
            return (
                (Chunk(text, kind in _AGUI_REASONING_TYPES),) if text and isinstance(text, str) else NOTHING
            )
        match kind:
            case "RUN_FINISHED":
                return (self.finished(),)
            case "RUN_ERROR":
                raise errors.fault_from_error({"message": value.message, "code": value.code})
            case "RUN_STARTED":
                self._is_run = True
            case "TEXT_MESSAGE_END":
                self._message_ended = True
            case "TOOL_CALL_START":
                self._instead = "a tool call"
            case _:
                return self.read_other(event)
        return NOTHING

    def end(self) -> Finished | None:
        return self.finished() if self._message_ended and not self._is_run else None


# The AI SDK's UI message streams; https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol.


class _UiPart(Struct, rename="camel"):
    type: str = ""
    delta: str = ""
    finish_reason: str = ""
    url: object = None
    title: object = None


class UiStreamDecoder(JsonDecoder[_UiPart]):
    """Decodes one UI message stream; its end marker is the ``finish`` part (or ``[DONE]``)."""

    shape = _UiPart
    parse = msgspec.json.Decoder(_UiPart).decode
    _understood = True

    def read(self, value: _UiPart, event: PayloadEvent) -> Iterable[StreamItem]:
        match value.type:
            case "text-delta" | "reasoning-delta" if value.delta:
                return (Chunk(value.delta, value.type == "reasoning-delta"),)
            case "finish":
                self.finish_reason = to_finish_reason(value.finish_reason)
                return (self.finished(),)
            case "source-url":
                return self.cite({"url": value.url, "title": value.title}) or NOTHING
            case "abort":
                raise Fault(FaultKind.SERVER, "The server ended the answer early.")
        if value.type.startswith("tool-"):
            self._instead = "a tool call"
        return self.read_other(event)
