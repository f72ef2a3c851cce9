"""Events of Anthropic's Messages API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Finished, KeepAlive, Usage, UsageUpdate
from debate_tui.sources.payloads import errors, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

# Any other stop reason means the model was done.
_FINISH_REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}
_KEEPALIVE = (KeepAlive(),)


class _MessagesTokenDetails(Struct):
    thinking_tokens: int | None = None


class _MessagesUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _MessagesTokenDetails | None = None


class _MessagesMessage(Struct):
    usage: _MessagesUsage | None = None


class _MessagesBlock(Struct):
    """A content block, or what is added to one; `stop_reason` is the message's own."""

    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _MessagesEvent(Struct):
    type: str = ""
    delta: _MessagesBlock | None = None
    content_block: _MessagesBlock | None = None
    message: _MessagesMessage | None = None
    usage: _MessagesUsage | None = None


_decode = msgspec.json.Decoder(_MessagesEvent).decode


class MessagesDecoder:
    """Decodes one Messages stream; its end marker is ``message_stop``.

    Usage is cumulative: each report replaces the counts it names.
    """

    has_end_marker = True

    def __init__(self) -> None:
        self._finish_reason: FinishReason = "complete"
        self._usage = Usage()

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        if event.event == "error":
            raise errors.fault_from_body(event.data)
        try:
            data = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable_fault(event.data) from None
        block = data.delta or data.content_block
        if block is not None:
            if block.text:
                return (Chunk(block.text),)
            if block.thinking:
                return (Chunk(block.thinking, True),)
        return self._decode_metadata(data, event)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None

    def _decode_metadata(self, data: _MessagesEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        if data.type == "error":
            raise errors.fault_from_body(event.data)
        if data.delta is not None and data.delta.stop_reason is not None:
            self._finish_reason = _FINISH_REASONS.get(data.delta.stop_reason, "complete")
        if data.type == "message_stop":
            return (Finished(self._finish_reason, self._usage),)
        usage = data.usage or (data.message and data.message.usage)
        if not usage:
            return _KEEPALIVE
        self._update_usage(usage)
        return (UsageUpdate(self._usage),)

    def _update_usage(self, reported: _MessagesUsage) -> None:
        old = self._usage
        details = reported.output_tokens_details
        self._usage = Usage(
            old.input_tokens if reported.input_tokens is None else reported.input_tokens,
            old.output_tokens if reported.output_tokens is None else reported.output_tokens,
            old.reasoning_tokens if details is None else details.thinking_tokens,
        )
