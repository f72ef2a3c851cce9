"""Events of Anthropic's Messages API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Finished, Usage, UsageSoFar
from debate_tui.sources.payloads import faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import Event

# Any other stop reason means the model was done.
_REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}
_ALIVE = (Alive(),)


class _Details(Struct):
    thinking_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None


class _Message(Struct):
    usage: _Usage | None = None


class _Block(Struct):
    """A content block, or what is added to one; `stop_reason` is the message's own."""

    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str = ""
    delta: _Block | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Event).decode


class MessagesDecoder:
    """Decodes one Messages stream; its end marker is ``message_stop``.

    Usage is cumulative: each report replaces the counts it names.
    """

    marks_end = True

    def __init__(self) -> None:
        self._reason: FinishReason = "complete"
        self._usage = Usage()

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        if event.event == "error":
            raise faults.from_body(event.data)
        try:
            data = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable(event.data) from None
        block = data.delta or data.content_block
        if block is not None:
            if block.text:
                return (Chunk(block.text),)
            if block.thinking:
                return (Chunk(block.thinking, True),)
        return self._bookkeeping(data, event)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return None

    def _bookkeeping(self, data: _Event, event: Event) -> Iterable[StreamItem]:
        if data.type == "error":
            raise faults.from_body(event.data)
        if data.delta is not None and data.delta.stop_reason is not None:
            self._reason = _REASONS.get(data.delta.stop_reason, "complete")
        if data.type == "message_stop":
            return (Finished(self._reason, self._usage),)
        usage = data.usage or (data.message and data.message.usage)
        if not usage:
            return _ALIVE
        self._count(usage)
        return (UsageSoFar(self._usage),)

    def _count(self, new: _Usage) -> None:
        old = self._usage
        details = new.output_tokens_details
        self._usage = Usage(
            old.input_tokens if new.input_tokens is None else new.input_tokens,
            old.output_tokens if new.output_tokens is None else new.output_tokens,
            old.reasoning_tokens if details is None else details.thinking_tokens,
        )
