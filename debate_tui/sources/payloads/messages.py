"""Events of Anthropic's Messages API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Usage
from debate_tui.sources.payloads.json_decoder import NOTHING, Count, JsonDecoder, fit_json, to_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent

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
    """A content block, or a delta of one; `stop_reason` belongs to the message.

    `content` is the result of a web search or of a fetched page.
    """

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None
    citation: object = None
    citations: object = None
    content: object = None


class _MessagesMessage(Struct):
    id: str = ""
    model: str = ""
    usage: _MessagesUsage | None = None
    content: list[_MessagesBlock] | str | None = None
    stop_reason: str | None = None


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
        block = value.delta or value.content_block
        return (block and self._read_block(block)) or self._read_metadata(value, event)

    def _read_block(self, block: _MessagesBlock) -> tuple[StreamItem, ...]:
        if block.text:
            chunk = Chunk(block.text)
            return (chunk,) if block.citations is None else (chunk, *self.cite(block.citations))
        if block.thinking:
            return (Chunk(block.thinking, True),)
        if block.type.endswith("tool_use"):
            self._instead = "a tool call"
        return (*self.cite([block.citation, block.content]),)

    def _read_metadata(self, value: _MessagesEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        if value.delta is not None and value.delta.stop_reason is not None:
            self.note_finish_reason(value.delta.stop_reason)
        if value.type == "message_stop":
            return (self.finished(),)
        if value.type == "message":
            message = fit_json(event.data, _MessagesMessage)
            return self.read_other(event) if message.content is None else self._read_whole(message)
        if value.message is not None:
            self._model, self._response = value.message.model, value.message.id
        usage = value.usage or (value.message and value.message.usage)
        if usage:
            return self._read_usage(usage)
        if value.type not in _TYPES:
            return self.read_other(event)
        self._understood = True
        return NOTHING

    def _read_whole(self, message: _MessagesMessage) -> Iterator[StreamItem]:
        """Yield the items of a complete answer: the server ignored the request for a stream."""
        self._model, self._response = message.model, message.id
        content = message.content or []
        for block in [_MessagesBlock(text=content)] if isinstance(content, str) else content:
            yield from self._read_block(block)
        if message.usage:
            yield from self._read_usage(message.usage)
        self.note_finish_reason(message.stop_reason or "")
        yield self.finished()

    def _read_usage(self, usage: _MessagesUsage) -> Iterable[StreamItem]:
        self._understood = True
        self._cost = self._cost if usage.cost is None else usage.cost
        return self.update_usage(_to_usage(usage))


def _to_usage(reported: _MessagesUsage) -> Usage:
    """Return a usage report; its `input_tokens` exclude tokens read from and written to the cache."""
    details = reported.output_tokens_details
    read = to_count(reported.cache_read_input_tokens)
    written = to_count(reported.cache_creation_input_tokens)
    new = to_count(reported.input_tokens)
    return Usage(
        None if new is None else new + (read or 0) + (written or 0),
        to_count(reported.output_tokens),
        to_count(details.thinking_tokens if details else None),
        read or None,
    )
