"""Events of Anthropic's Messages API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, KeepAlive, Usage, UsageUpdate, merge_usage
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.body import split_answer
from debate_tui.sources.payloads.error_kinds import to_finish_reason
from debate_tui.sources.payloads.errors import Count, to_count
from debate_tui.sources.payloads.json_decoder import JsonDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_KEEPALIVE = (KeepAlive(),)
_TYPES = (
    "message_start",
    "message_delta",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
)


class _MessagesTokenDetails(Struct):
    thinking_tokens: Count = None


class _MessagesUsage(Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    output_tokens_details: _MessagesTokenDetails | None = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cost: float | None = None


class _MessagesBlock(Struct):
    """A content block, or a delta of one; `stop_reason` belongs to the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _MessagesMessage(Struct):
    id: str = ""
    model: str = ""
    usage: _MessagesUsage | None = None


class _MessagesEvent(Struct):
    type: str = ""
    delta: _MessagesBlock | None = None
    content_block: _MessagesBlock | None = None
    message: _MessagesMessage | None = None
    usage: _MessagesUsage | None = None


class MessagesDecoder(JsonDecoder[_MessagesEvent]):
    """Decodes one Messages stream; it ends with ``message_stop``, or with any end after a stop reason.

    Usage is cumulative: each report replaces the counts it contains.
    """

    shape = _MessagesEvent
    parse = msgspec.json.Decoder(_MessagesEvent).decode

    def read(self, value: _MessagesEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `JsonDecoder.read`."""
        block = value.delta or value.content_block
        if block is not None:
            if block.text:
                return (Chunk(block.text),)
            if block.thinking:
                return (Chunk(block.thinking, True),)
        return self._read_metadata(value, event)

    def _read_metadata(self, value: _MessagesEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        if value.type == "error" or event.event == "error":
            raise errors.fault_from_body(event.data)
        if value.delta is not None and value.delta.stop_reason is not None:
            self._stop(value.delta.stop_reason)
        if value.type == "message" and (parts := split_answer(event.data)):
            # A complete answer: the server ignored the request for a stream.
            return self._decode_each(parts, event)
        if value.type == "message_stop":
            return (self.finished(),)
        if value.message is not None:
            self._model, self._response = value.message.model, value.message.id
        if value.content_block is not None and value.content_block.type.endswith("tool_use"):
            self._instead = "a tool call"
        usage = value.usage or (value.message and value.message.usage)
        if usage:
            return self._update_usage(usage)
        if value.type not in _TYPES:
            return self.read_other(event)
        self._understood = True
        return _KEEPALIVE

    def _stop(self, word: str) -> None:
        if word == "tool_use":
            self._instead = "a tool call"
        self.finish_reason = to_finish_reason(word) or self.finish_reason

    def _update_usage(self, reported: _MessagesUsage) -> Iterable[StreamItem]:
        """Add a usage report; its `input_tokens` exclude tokens read from and written to the cache."""
        self._understood = True
        details = reported.output_tokens_details
        read, written = (
            to_count(reported.cache_read_input_tokens),
            to_count(reported.cache_creation_input_tokens),
        )
        new = to_count(reported.input_tokens)
        if new is not None:
            new += (read or 0) + (written or 0)
        counted = Usage(
            new,
            to_count(reported.output_tokens),
            to_count(details.thinking_tokens if details else None),
            read or None,
        )
        if reported.cost is not None:
            self._cost = reported.cost
        if counted == Usage():
            return _KEEPALIVE
        self._usage = merge_usage(self._usage, counted) or counted
        return (UsageUpdate(self._usage),)
