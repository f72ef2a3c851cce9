"""Events of OpenAI's Responses API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from debate_tui.domain.stream import (
    Chunk,
    Cursor,
    Fault,
    FaultKind,
    Finished,
    KeepAlive,
    Usage,
    UsageUpdate,
    merge_citations,
)
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.citations import find_citations
from debate_tui.sources.payloads.error_kinds import to_finish_reason
from debate_tui.sources.payloads.json_decoder import Count, JsonDecoder, fit_json, fit_struct, to_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_TEXT_EVENT = "response.output_text.delta"
_REASONING_EVENTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class _ResponsesTokenDetails(Struct):
    reasoning_tokens: Count = None
    cached_tokens: Count = None


class _ResponsesUsage(Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    output_tokens_details: _ResponsesTokenDetails | None = None
    input_tokens_details: _ResponsesTokenDetails | None = None
    cost: float | None = None


class _ResponsesIncompleteDetails(Struct):
    reason: str | None = None


class _ResponsesContent(Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: object = None


class _ResponsesItem(Struct):
    type: str = ""
    content: list[_ResponsesContent] | None = None
    summary: list[_ResponsesContent] | None = None
    results: object = None


class ResponsesResult(Struct):
    """A complete response: the content of a stream's last event, and the result of polling."""

    id: str = ""
    model: str = ""
    status: str | None = None
    error: object = None
    incomplete_details: _ResponsesIncompleteDetails | None = None
    usage: _ResponsesUsage | None = None
    output: list[_ResponsesItem] | None = None
    citations: object = None

    @property
    def text(self) -> str:
        """The answer, including a refusal."""
        return "".join(
            part.text or part.refusal or ""
            for item in self.output or ()
            for part in item.content or ()
            if item.type == "message"
        )

    @property
    def reasoning(self) -> str:
        """The reasoning summaries; their parts are separated as in the stream."""
        parts = [part.text or "" for item in self.output or () for part in item.summary or ()]
        return _SUMMARY_SEPARATOR.join(parts)

    @property
    def has_refusal(self) -> bool:
        """Whether any part of the answer is a refusal."""
        return any(part.refusal for item in self.output or () for part in item.content or ())

    @property
    def cited(self) -> list[object]:
        """What the answer cites: search results (Perplexity), annotations, and a list of its own (xAI)."""
        cited: list[object] = []
        for item in self.output or ():
            cited += (item.results, *(part.annotations for part in item.content or ()))
        return [*cited, self.citations]

    def to_usage(self) -> Usage | None:
        """Return the usage, or `None` if the response has none."""
        usage = self.usage
        if usage is None:
            return None
        output, prompt = usage.output_tokens_details, usage.input_tokens_details
        return Usage(
            to_count(usage.input_tokens),
            to_count(usage.output_tokens),
            to_count(output.reasoning_tokens if output else None),
            to_count(prompt.cached_tokens if prompt else None) or None,
        )

    def to_finished(self, has_refusal: bool = False) -> Finished:
        """Return how a completed response ended; raise `Fault` if it failed or was cancelled."""
        if self.status == "failed" or self.error:
            raise errors.fault_from_error(self.error or {"type": "server_error"})
        if self.status == "cancelled":
            raise Fault(FaultKind.SERVER, "The response was cancelled.")
        reason: FinishReason = "complete"
        if self.status == "incomplete":
            incomplete_reason = self.incomplete_details and self.incomplete_details.reason
            reason = to_finish_reason(incomplete_reason or "") or "length"
            reason = "length" if reason == "complete" else reason
        calls = any(item.type.endswith("_call") for item in self.output or ())
        return Finished(
            "refused" if has_refusal or self.has_refusal else reason,
            self.to_usage(),
            "a tool call" if calls and not self.text else "",
            self.model,
            self.id,
            self.usage.cost if self.usage else None,
            merge_citations([find_citations(self.cited)]),
        )


# The API streams the parts of a summary without a separator.
_SUMMARY_SEPARATOR = "\n\n"


class _ResponsesEvent(Struct):
    type: str = ""
    object: str = ""
    delta: str | None = None
    sequence_number: int | None = None
    summary_index: int = 0
    item: _ResponsesItem | None = None
    response: ResponsesResult | None = None
    annotation: Any = None
    results: Any = None


def decode_response(data: bytes | str) -> ResponsesResult:
    """Decode a response returned by polling; raise `msgspec.DecodeError` if it is not valid."""
    try:
        return msgspec.json.decode(data, type=ResponsesResult)
    except msgspec.ValidationError:
        return fit_struct(msgspec.json.decode(data, type=dict[str, object]), ResponsesResult)


class ResponsesDecoder(JsonDecoder[_ResponsesEvent]):
    """Decodes one Responses stream; its end marker is the event with the complete response.

    Items have cursors from which a background response can be resumed. `response_id` is needed if the stream
    does not begin with the event that contains it.
    """

    shape = _ResponsesEvent
    parse = msgspec.json.Decoder(_ResponsesEvent).decode

    def __init__(self, response_id: str = "") -> None:
        super().__init__()
        self._response = response_id
        self._has_start = False
        self._has_text = False
        self._has_reasoning = False

    def read(self, value: _ResponsesEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        if value.response is not None and value.response.id:
            self._response = value.response.id
        number = value.sequence_number
        cursor = Cursor(str(number), self._response) if number is not None and self._response else None
        kind = value.type or event.event
        if kind == _TEXT_EVENT and value.delta:
            self._has_text = True
            return (Chunk(value.delta, False, cursor),)
        return self._read_event(kind, value, event, cursor)

    def _read_event(
        self, kind: str, value: _ResponsesEvent, event: PayloadEvent, cursor: Cursor | None
    ) -> Iterable[StreamItem]:
        """Return the items of any event other than text."""
        if kind == "response.error" or event.event == "error":
            raise errors.fault_from_body(event.data)
        if kind in _REASONING_EVENTS and value.delta:
            self._has_reasoning = True
            return (Chunk(value.delta, True, cursor),)
        if kind == "response.refusal.delta" and value.delta:
            self._is_refusal = self._has_text = True
            return (Chunk(value.delta, False, cursor),)
        if kind == "response.reasoning_summary_part.added" and value.summary_index:
            return (Chunk(_SUMMARY_SEPARATOR, True, cursor),)
        if value.object == "response":
            return self._read_whole(fit_json(event.data, ResponsesResult), event)
        if not kind.startswith("response."):
            return self.read_other(event)
        if value.item is not None and value.item.type.endswith("_call"):
            self._instead = "a tool call"
        if value.annotation is not None or value.results is not None:
            return (*self.cite([value.annotation, value.results]), KeepAlive(cursor))
        return self._read_state(kind, value.response or ResponsesResult(), cursor)

    def _read_state(
        self, kind: str, response: ResponsesResult, cursor: Cursor | None
    ) -> Iterable[StreamItem]:
        """Return the items of an event that reports the response's state."""
        self._understood = True
        self._model = response.model or self._model
        if kind in ("response.created", "response.queued", "response.in_progress"):
            self._has_start = True
        if kind in ("response.completed", "response.incomplete", "response.done"):
            response.status = response.status or kind.removeprefix("response.")
            return self._read_end(response)
        if kind in ("response.failed", "response.cancelled"):
            response.status = kind.removeprefix("response.")
            return self._read_failure(response)
        return (KeepAlive(cursor),)

    def _read_whole(self, response: ResponsesResult, event: PayloadEvent) -> Iterable[StreamItem]:
        """Return the items of a complete answer: the server ignored the request for a stream."""
        if response.output is None:
            return self.read_other(event)
        self._has_start = True
        return self._read_state(f"response.{response.status or 'completed'}", response, None)

    def _read_end(self, response: ResponsesResult) -> Iterator[StreamItem]:
        """Yield the end, preceded by the answer if the server has not streamed any of it."""
        if self._has_start and not self._has_text:
            if response.reasoning and not self._has_reasoning:
                yield Chunk(response.reasoning, True)
            if response.text:
                yield Chunk(response.text)
        self.cite(response.cited)
        finished = response.to_finished(self._is_refusal)
        yield structs.replace(
            finished,
            usage=finished.usage or self._usage,
            instead=finished.instead or self._instead,
            model=finished.model or self._model,
            response=finished.response or self._response,
            citations=self._citations,
        )

    def _read_failure(self, response: ResponsesResult) -> Iterable[StreamItem]:
        usage = response.to_usage()
        if usage is not None:
            yield UsageUpdate(usage)
        yield response.to_finished()
