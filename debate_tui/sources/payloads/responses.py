"""Events of OpenAI's Responses API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, Finished, KeepAlive, Usage, UsageUpdate
from debate_tui.sources.payloads import errors, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_TEXT_EVENT = "response.output_text.delta"
_REASONING_EVENTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class _ResponsesTokenDetails(Struct):
    reasoning_tokens: int | None = None


class _ResponsesUsage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _ResponsesTokenDetails | None = None


class _ResponsesIncompleteDetails(Struct):
    reason: str | None = None


class _ResponsesContent(Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class _ResponsesItem(Struct):
    type: str = ""
    content: list[_ResponsesContent] | None = None
    summary: list[_ResponsesContent] | None = None


class ResponsesResult(Struct):
    """A response as a whole: what a stream's last event holds, and what polling returns."""

    id: str = ""
    status: str | None = None
    error: errors.ErrorBody | None = None
    incomplete_details: _ResponsesIncompleteDetails | None = None
    usage: _ResponsesUsage | None = None
    output: list[_ResponsesItem] | None = None

    @property
    def text(self) -> str:
        """The answer, a refusal included."""
        return "".join(
            part.text or part.refusal or ""
            for item in self.output or ()
            for part in item.content or ()
            if item.type == "message"
        )

    @property
    def reasoning(self) -> str:
        """The reasoning, as the summaries tell it; parts are apart as in the stream."""
        parts = [part.text or "" for item in self.output or () for part in item.summary or ()]
        return _SUMMARY_SEPARATOR.join(parts)

    @property
    def has_refusal(self) -> bool:
        """Whether any part of the answer is a refusal."""
        return any(part.refusal for item in self.output or () for part in item.content or ())

    def to_usage(self) -> Usage | None:
        """The usage, where the response has one."""
        usage = self.usage
        if usage is None:
            return None
        details = usage.output_tokens_details
        return Usage(usage.input_tokens, usage.output_tokens, details.reasoning_tokens if details else None)

    def to_finished(self, has_refusal: bool = False) -> Finished:
        """How a response that is over ended; raises `Fault` for one that failed or was cancelled."""
        if self.status == "failed" or self.error is not None:
            raise errors.fault_from_error(self.error or errors.ErrorBody(type="server_error"))
        if self.status == "cancelled":
            raise Fault(FaultKind.SERVER, "The response was cancelled.")
        reason: FinishReason = "complete"
        if self.status == "incomplete":
            incomplete_reason = self.incomplete_details and self.incomplete_details.reason
            reason = "refused" if incomplete_reason == "content_filter" else "length"
        return Finished("refused" if has_refusal or self.has_refusal else reason, self.to_usage())


# The API streams the parts of a summary without anything between them.
_SUMMARY_SEPARATOR = "\n\n"


class _ResponsesEvent(Struct):
    type: str = ""
    delta: str = ""
    sequence_number: int | None = None
    summary_index: int = 0
    response: ResponsesResult | None = None


_decode = msgspec.json.Decoder(_ResponsesEvent).decode
decode_response = msgspec.json.Decoder(ResponsesResult).decode
"""A response as polling returns it; raises `msgspec.DecodeError`."""


class ResponsesDecoder:
    """Decodes one Responses stream; its end marker is the event that brings the whole response.

    Every item has the cursor a background response can be resumed from. `response` is the response's id
    where the stream does not begin with the event that names it.
    """

    has_end_marker = True

    def __init__(self, response_id: str = "") -> None:
        self._response_id = response_id
        self._has_refusal = False

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        try:
            data = _decode(event.data)
        except msgspec.DecodeError:
            if event.event == "error":
                raise errors.fault_from_body(event.data) from None
            raise unreadable_fault(event.data) from None
        if data.response is not None and data.response.id:
            self._response_id = data.response.id
        number = data.sequence_number
        cursor = Cursor(str(number), self._response_id) if number is not None and self._response_id else None
        kind = data.type or event.event
        if kind == _TEXT_EVENT:
            return (Chunk(data.delta, False, cursor),) if data.delta else (KeepAlive(cursor),)
        return self._decode_other(kind, data, event, cursor)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None

    def _decode_other(
        self, kind: str, data: _ResponsesEvent, event: PayloadEvent, cursor: Cursor | None
    ) -> Iterable[StreamItem]:
        if kind == "error" or event.event == "error":
            raise errors.fault_from_body(event.data)
        if kind in _REASONING_EVENTS and data.delta:
            return (Chunk(data.delta, True, cursor),)
        if kind == "response.refusal.delta" and data.delta:
            self._has_refusal = True
            return (Chunk(data.delta, False, cursor),)
        if kind == "response.reasoning_summary_part.added" and data.summary_index:
            return (Chunk(_SUMMARY_SEPARATOR, True, cursor),)
        if data.response is not None:
            return self._decode_state(kind, data.response, cursor)
        return (KeepAlive(cursor),)

    def _decode_state(
        self, kind: str, response: ResponsesResult, cursor: Cursor | None
    ) -> Iterable[StreamItem]:
        if kind in ("response.completed", "response.incomplete"):
            return (response.to_finished(self._has_refusal),)
        if kind in ("response.failed", "response.cancelled"):
            return self._decode_failure(response)
        return (KeepAlive(cursor),)

    def _decode_failure(self, response: ResponsesResult) -> Iterable[StreamItem]:
        usage = response.to_usage()
        if usage is not None:
            yield UsageUpdate(usage)
        yield response.to_finished()
