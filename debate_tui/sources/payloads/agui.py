"""Events of the Agent User Interaction protocol; https://docs.ag-ui.com/concepts/events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Finished
from debate_tui.sources.payloads import faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event

_TEXT = ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CHUNK")
_REASONING = (
    "REASONING_MESSAGE_CONTENT",
    "REASONING_MESSAGE_CHUNK",
    "THINKING_TEXT_MESSAGE_CONTENT",
)
_ALIVE = (Alive(),)


class _Event(Struct):
    type: str = ""
    delta: str | list[msgspec.Raw] | None = None
    message: str | None = None
    code: str | int | None = None


_decode = msgspec.json.Decoder(_Event).decode


class AgUiDecoder:
    """Decodes one run of an agent; its end marker is ``RUN_FINISHED``.

    A stream that is no run, only a message, is finished with an orderly end behind ``TEXT_MESSAGE_END``.
    """

    marks_end = True

    def __init__(self) -> None:
        self._run = False
        self._message_ended = False

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        try:
            data = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable(event.data) from None
        kind = data.type
        if kind in _TEXT or kind in _REASONING:
            self._message_ended = False
            text = data.delta
            return (Chunk(text, kind in _REASONING),) if text and isinstance(text, str) else _ALIVE
        match kind:
            case "RUN_FINISHED":
                return (Finished(),)
            case "RUN_ERROR":
                raise faults.fault(faults.ErrorBody(message=data.message, code=data.code))
            case "RUN_STARTED":
                self._run = True
            case "TEXT_MESSAGE_END":
                self._message_ended = True
        return _ALIVE

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return Finished() if self._message_ended and not self._run else None
