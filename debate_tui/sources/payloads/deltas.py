"""Deltas in our own words: ``{"delta": "…"}``, batches of them, and the events of a debate log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, Finished, KeepAlive, Usage
from debate_tui.sources.payloads import errors, truncated_fault, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

_KEEPALIVE = (KeepAlive(),)
_FINISH_REASONS: dict[str, FinishReason] = {"complete": "complete", "length": "length", "refused": "refused"}


class _DeltaEvent(Struct):
    """Any event of ours, as far as a turn's text is concerned."""

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
    error: errors.ErrorBody | str | None = None

    @property
    def cursor(self) -> Cursor | None:
        """Where in its stream the event says it is."""
        position = self.seq if self.id is None else self.id
        return None if position is None else Cursor(str(position))


_decode = msgspec.json.Decoder(_DeltaEvent).decode


class DeltaDecoder:
    """Decodes bare deltas, alone or in batches; nothing in them has to say where the answer ends.

    ``{"type": "done"}`` does, for transports that have no named events.
    """

    has_end_marker = False

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        try:
            delta = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable_fault(event.data) from None
        return self._decode_event(delta) if delta.chunks is None else self._decode_batch(delta.chunks)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return Finished()

    def _decode_batch(self, chunks: list[_DeltaEvent]) -> Iterator[StreamItem]:
        for chunk in chunks:
            yield from self._decode_event(chunk)
        if not chunks:
            yield from _KEEPALIVE

    def _decode_event(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        if event.delta:
            return (Chunk(event.delta, event.reasoning, event.cursor),)
        if event.error is not None:
            raise _error_fault(event.error)
        if event.type == "done":
            return (Finished(_FINISH_REASONS.get(event.reason, "complete"), event.usage),)
        return _KEEPALIVE


class DebateLogDecoder(DeltaDecoder):
    """Decodes the events of a hosted debate: the text of the first turn it hears of, up to that turn's end.

    A delta applies where its offset says, as everywhere: what is already there is passed over, and a hole
    is a cut.
    """

    has_end_marker = True

    def __init__(self) -> None:
        self._turn: int | None = None
        self._lengths: dict[bool, int] = {}
        self._last_fault: Fault | None = None

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None

    def _decode_event(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        if event.type == "debate.finished":
            return self._finished(event.reason)
        if event.type == "stream.status" and event.error is not None:
            self._last_fault = _error_fault(event.error)
        if not event.type.startswith("turn.") or event.turn is None:
            return _KEEPALIVE
        if self._turn is None:
            self._turn = event.turn
        if event.turn != self._turn:
            return _KEEPALIVE
        return self._decode_turn_event(event)

    def _decode_turn_event(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        match event.type:
            case "turn.delta":
                return self._decode_text(event)
            case "turn.finished":
                return self._finished(event.reason, event.usage)
            case "turn.superseded":
                raise Fault(FaultKind.SERVER, "The remote debater began its turn anew.")
            case _:
                return _KEEPALIVE

    def _decode_text(self, event: _DeltaEvent) -> Iterable[StreamItem]:
        text = event.text
        if event.offset is not None:
            known = self._lengths.setdefault(event.reasoning, event.offset)
            if event.offset > known:
                raise truncated_fault()
            text = text[known - event.offset :]
            self._lengths[event.reasoning] = known + len(text)
        return (Chunk(text, event.reasoning, event.cursor),) if text else (KeepAlive(event.cursor),)

    def _finished(self, reason: str, usage: Usage | None = None) -> Iterator[StreamItem]:
        if reason not in _FINISH_REASONS:
            raise self._last_fault or Fault(
                FaultKind.UNKNOWN, f"The remote turn ended as {reason or 'unfinished'}."
            )
        yield Finished(_FINISH_REASONS[reason], usage)


def _error_fault(error: errors.ErrorBody | str) -> Fault:
    return errors.fault_from_error(errors.ErrorBody(message=error) if isinstance(error, str) else error)
