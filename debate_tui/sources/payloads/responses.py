"""Events of OpenAI's Responses API; only the fields used are decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Cursor, Fault, FaultKind, Finished, Usage, UsageSoFar
from debate_tui.sources.payloads import faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import Event

_TEXT = "response.output_text.delta"
_REASONING = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _Incomplete(Struct):
    reason: str | None = None


class _Content(Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None


class _Item(Struct):
    type: str = ""
    content: list[_Content] | None = None
    summary: list[_Content] | None = None


class Response(Struct):
    """A response as a whole: what a stream's last event holds, and what polling returns."""

    id: str = ""
    status: str | None = None
    error: faults.ErrorBody | None = None
    incomplete_details: _Incomplete | None = None
    usage: _Usage | None = None
    output: list[_Item] | None = None

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
        return _APART.join(parts)

    @property
    def refused(self) -> bool:
        """Whether any part of the answer is a refusal."""
        return any(part.refusal for item in self.output or () for part in item.content or ())

    def tokens(self) -> Usage | None:
        """The usage, where the response has one."""
        usage = self.usage
        if usage is None:
            return None
        details = usage.output_tokens_details
        return Usage(usage.input_tokens, usage.output_tokens, details.reasoning_tokens if details else None)

    def finished(self, refused: bool = False) -> Finished:
        """How a response that is over ended; raises `Fault` for one that failed or was cancelled."""
        if self.status == "failed" or self.error is not None:
            raise faults.fault(self.error or faults.ErrorBody(type="server_error"))
        if self.status == "cancelled":
            raise Fault(FaultKind.SERVER, "The response was cancelled.")
        reason: FinishReason = "complete"
        if self.status == "incomplete":
            why = self.incomplete_details and self.incomplete_details.reason
            reason = "refused" if why == "content_filter" else "length"
        return Finished("refused" if refused or self.refused else reason, self.tokens())


# The API streams the parts of a summary without anything between them.
_APART = "\n\n"


class _Event(Struct):
    type: str = ""
    delta: str = ""
    sequence_number: int | None = None
    summary_index: int = 0
    response: Response | None = None


_decode = msgspec.json.Decoder(_Event).decode
decode_response = msgspec.json.Decoder(Response).decode
"""A response as polling returns it; raises `msgspec.DecodeError`."""


class ResponsesDecoder:
    """Decodes one Responses stream; its end marker is the event that brings the whole response.

    Every item has the cursor a background response can be resumed from. `response` is the response's id
    where the stream does not begin with the event that names it.
    """

    marks_end = True

    def __init__(self, response: str = "") -> None:
        self._response = response
        self._refused = False

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        try:
            data = _decode(event.data)
        except msgspec.DecodeError:
            if event.event == "error":
                raise faults.from_body(event.data) from None
            raise unreadable(event.data) from None
        if data.response is not None and data.response.id:
            self._response = data.response.id
        number = data.sequence_number
        cursor = Cursor(str(number), self._response) if number is not None and self._response else None
        kind = data.type or event.event
        if kind == _TEXT:
            return (Chunk(data.delta, False, cursor),) if data.delta else (Alive(cursor),)
        return self._other(kind, data, event, cursor)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return None

    def _other(self, kind: str, data: _Event, event: Event, cursor: Cursor | None) -> Iterable[StreamItem]:
        if kind == "error" or event.event == "error":
            raise faults.from_body(event.data)
        if kind in _REASONING and data.delta:
            return (Chunk(data.delta, True, cursor),)
        if kind == "response.refusal.delta" and data.delta:
            self._refused = True
            return (Chunk(data.delta, False, cursor),)
        if kind == "response.reasoning_summary_part.added" and data.summary_index:
            return (Chunk(_APART, True, cursor),)
        if data.response is not None:
            return self._state(kind, data.response, cursor)
        return (Alive(cursor),)

    def _state(self, kind: str, response: Response, cursor: Cursor | None) -> Iterable[StreamItem]:
        if kind in ("response.completed", "response.incomplete"):
            return (response.finished(self._refused),)
        if kind in ("response.failed", "response.cancelled"):
            return self._failing(response)
        return (Alive(cursor),)

    def _failing(self, response: Response) -> Iterable[StreamItem]:
        usage = response.tokens()
        if usage is not None:
            yield UsageSoFar(usage)
        yield response.finished()
