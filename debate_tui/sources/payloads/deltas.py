"""debate-tui's own deltas (``{"delta": "…"}``, batches, debate log events) and other bare text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, Finished, KeepAlive, Usage
from debate_tui.domain.usage import merge_usage
from debate_tui.sources.payloads import PayloadDecoder, errors, truncated_fault
from debate_tui.sources.payloads.error_kinds import to_finish_reason
from debate_tui.sources.payloads.json_decoder import (
    KEEPALIVE_EVENTS,
    NOTHING,
    Count,
    JsonDecoder,
    fit_json,
    load_json,
    to_count,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_FINISH_REASONS: dict[str, FinishReason] = {"complete": "complete", "length": "length", "refused": "refused"}


class _DeltaEvent(Struct):
    """The fields of any debate-tui event that matter for a turn's text."""

    type: str = ""
    delta: str | None = None
    chunks: list[_DeltaEvent] | None = None
    id: str | int | None = None
    seq: int | None = None
    turn: int | None = None
    offset: int | None = None
    text: str = ""
    reasoning: bool = False
    reason: str = ""
    usage: Usage | None = None
    citations: object = None
    error: object = None

    @property
    def cursor(self) -> Cursor | None:
        """The event's position in its stream."""
        position = self.seq if self.id is None else self.id
        return None if position is None else Cursor(str(position))


class _NativeMessage(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: object = None


class _NativeToken(Struct):
    text: str | None = None
    special: bool = False


class _NativeDetails(Struct):
    finish_reason: str | None = None
    generated_tokens: Count = None


_TEXT_TYPES = re.compile(r"answer|chunk|completion|content|delta|message|text|token", re.IGNORECASE)


class NativeEvent(Struct):
    """An event of a model server's native API (Ollama, llama.cpp, TGI), or one with only text."""

    type: str = ""
    event: object = None
    content: str | None = None
    response: str | None = None
    text: str | None = None
    thinking: str | None = None
    message: _NativeMessage | None = None
    token: _NativeToken | None = None
    generated_text: str | None = None
    details: _NativeDetails | None = None
    done: bool | None = None
    done_reason: str = ""
    stop: bool | None = None
    stop_type: str = ""
    model: str = ""
    prompt_eval_count: Count = None
    eval_count: Count = None
    tokens_evaluated: Count = None
    tokens_predicted: Count = None

    @property
    def reasoning(self) -> str:
        """The event's reasoning, if any."""
        return self.thinking or (self.message and self.message.thinking) or ""

    def texts(self) -> Iterator[tuple[str, str | None]]:
        """Yield the field names that may contain text, with their values; `None` if absent.

        A vendor's event may contain text that is not the answer's: only types that name an answer's text
        count.
        """
        if isinstance(self.event, str) or (self.type and not _TEXT_TYPES.search(self.type)):
            return
        yield "message", self.message.content if self.message else None
        yield "token", self.token.text if self.token and not self.token.special else None
        yield from (("content", self.content), ("response", self.response), ("text", self.text))

    @property
    def is_end(self) -> bool:
        """Whether the event ends the answer."""
        return bool(self.done or self.stop or self.generated_text is not None or self.details)

    def to_usage(self) -> Usage | None:
        """Return the usage, or `None` if the event reports none."""
        generated = self.details.generated_tokens if self.details else None
        usage = Usage(
            to_count(self.prompt_eval_count or self.tokens_evaluated),
            to_count(self.eval_count or self.tokens_predicted or generated),
        )
        return usage if usage != Usage() else None


class DeltaDecoder(JsonDecoder[_DeltaEvent]):
    """Decodes bare text in various wrappings; most of them have no end marker.

    debate-tui's deltas come alone or in batches, and ``{"type": "done"}`` ends them on transports without
    named events. The native streams of Ollama, llama.cpp and TGI have an end marker.
    """

    shape = _DeltaEvent
    parse = msgspec.json.Decoder(_DeltaEvent).decode
    has_end_marker = False
    _understood = True
    _text_place = ""
    """The field with the stream's text: other fields contain something else, or the same text again."""

    def read(self, value: _DeltaEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        if value.chunks is not None:
            return self._read_batch(value.chunks)
        return self._read_event(value, event)

    def end(self) -> Finished | None:
        return None if self.has_end_marker and self.finish_reason is None else self.finished()

    def _read_batch(self, chunks: list[_DeltaEvent]) -> Iterator[StreamItem]:
        for chunk in chunks:
            yield from self._read_event(chunk, None)
        if not chunks:
            yield from NOTHING

    def _read_event(self, value: _DeltaEvent, event: PayloadEvent | None) -> Iterable[StreamItem]:
        if value.delta:
            self._text_place = "delta"
            return (Chunk(value.delta, value.reasoning, value.cursor),)
        if errors.is_error({"error": value.error}):
            raise errors.fault_from_body(event.data) if event else errors.fault_from_error(value.error)
        if value.type == "done":
            self._usage = merge_usage(self._usage, value.usage)
            self.cite(value.citations)
            self.finish_reason = to_finish_reason(value.reason)
            return (self.finished(),)
        if value.delta is not None or event is None:
            return NOTHING
        return self._read_native(fit_json(event.data, NativeEvent), event)

    def _read_native(self, value: NativeEvent, event: PayloadEvent) -> Iterable[StreamItem]:
        items: list[StreamItem] = []
        if value.done is not None or value.stop is not None or value.token is not None:
            self.has_end_marker = True
        if value.reasoning:
            items.append(Chunk(value.reasoning, True))
        for place, text in value.texts():
            if text and place == (self._text_place or place):
                self._text_place = place
                items.append(Chunk(text))
        if value.message is not None and value.message.tool_calls:
            self._instead = "a tool call"
        self._model = value.model or self._model
        if value.is_end:
            self._usage = merge_usage(self._usage, value.to_usage())
            reason = value.details.finish_reason if value.details else value.done_reason or value.stop_type
            self.finish_reason = to_finish_reason(reason or "") or "complete"
            items.append(self.finished())
        return items or self.read_other(event)


class DebateLogDecoder(DeltaDecoder):
    """Decodes the events of a hosted debate: the text of the first turn it receives, to that turn's end.

    A delta applies at its offset: text already received is skipped, and a gap is a cut.
    """

    has_end_marker = True

    def __init__(self) -> None:
        super().__init__()
        self._turn: int | None = None
        self._lengths: dict[bool, int] = {}
        self._last_fault: Fault | None = None

    def end(self) -> Finished | None:
        return None

    def _read_event(self, value: _DeltaEvent, event: PayloadEvent | None) -> Iterable[StreamItem]:
        if value.type == "debate.finished":
            return self._read_end(value.reason)
        if value.type == "stream.status" and value.error is not None:
            self._last_fault = errors.fault_from_error(value.error)
        if not value.type.startswith("turn.") or value.turn is None:
            return NOTHING if value.type or event is None else self.read_other(event)
        if self._turn is None:
            self._turn = value.turn
        if value.turn != self._turn:
            return NOTHING
        return self._read_turn_event(value)

    def _read_turn_event(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        match event.type:
            case "turn.delta":
                return self._read_text(event)
            case "turn.finished":
                self.cite(event.citations)
                return self._read_end(event.reason, event.usage)
            case "turn.superseded":
                raise Fault(FaultKind.SERVER, "The remote debater restarted its turn.")
            case _:
                return NOTHING

    def _read_text(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        text = event.text
        if event.offset is not None:
            known = self._lengths.setdefault(event.reasoning, event.offset)
            if event.offset > known:
                raise truncated_fault()
            text = text[known - event.offset :]
            self._lengths[event.reasoning] = known + len(text)
        return (Chunk(text, event.reasoning, event.cursor),) if text else (KeepAlive(event.cursor),)

    def _read_end(self, reason: str, usage: Usage | None = None) -> Iterator[StreamItem]:
        if reason not in _FINISH_REASONS:
            raise self._last_fault or Fault(
                FaultKind.UNKNOWN, f"The remote turn was not completed: {reason or 'no reason given'}."
            )
        yield Finished(_FINISH_REASONS[reason], usage, citations=self._citations)


# Data that is itself the text.


class PlainTextDecoder(PayloadDecoder):
    """Decodes plain text, or one JSON string per event; there is no end marker."""

    has_end_marker = False
    finish_reason = None

    def __init__(self) -> None:
        self._is_json: bool | None = None

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        text = event.data
        if not text or event.event in KEEPALIVE_EVENTS:
            return NOTHING
        if self._is_json is not False and text[0] == '"':
            value = load_json(text)
            self._is_json = isinstance(value, str)
            text = value if isinstance(value, str) else text
        elif self._is_json is None:
            self._is_json = False
        elif text[0] == "{" and errors.is_error(load_json(text)):
            raise errors.fault_from_body(text)
        return (Chunk(text),) if text else NOTHING

    def end(self) -> Finished | None:
        return Finished()
