"""Deltas in our own words: ``{"delta": "…"}``, batches of them, and the events of a debate log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Cursor, Fault, FaultKind, Finished, Usage
from debate_tui.sources.payloads import faults, truncated, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import Event

_ALIVE = (Alive(),)
_REASONS: dict[str, FinishReason] = {"complete": "complete", "length": "length", "refused": "refused"}


class _Delta(Struct):
    """Any event of ours, as far as a turn's text is concerned."""

    type: str = ""
    delta: str | None = None
    chunks: list[_Delta] | None = None
    id: str | int | None = None
    seq: int | None = None
    turn: int | None = None
    offset: int | None = None
    text: str = ""
    reasoning: bool = False
    reason: str = ""
    usage: Usage | None = None
    error: faults.ErrorBody | str | None = None

    @property
    def cursor(self) -> Cursor | None:
        """Where in its stream the event says it is."""
        place = self.seq if self.id is None else self.id
        return None if place is None else Cursor(str(place))


_decode = msgspec.json.Decoder(_Delta).decode


class DeltaDecoder:
    """Decodes bare deltas, alone or in batches; nothing in them has to say where the answer ends.

    ``{"type": "done"}`` does, for transports that have no named events.
    """

    marks_end = False

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        try:
            delta = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable(event.data) from None
        return self._items(delta) if delta.chunks is None else self._batch(delta.chunks)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return Finished()

    def _batch(self, chunks: list[_Delta]) -> Iterator[StreamItem]:
        for chunk in chunks:
            yield from self._items(chunk)
        if not chunks:
            yield from _ALIVE

    def _items(self, delta: _Delta) -> Iterable[StreamItem]:
        if delta.delta:
            return (Chunk(delta.delta, delta.reasoning, delta.cursor),)
        if delta.error is not None:
            raise _fault(delta.error)
        if delta.type == "done":
            return (Finished(_REASONS.get(delta.reason, "complete"), delta.usage),)
        return _ALIVE


class LogDecoder(DeltaDecoder):
    """Decodes the events of a hosted debate: the text of the first turn it hears of, up to that turn's end.

    A delta applies where its offset says, as everywhere: what is already there is passed over, and a hole
    is a cut.
    """

    marks_end = True

    def __init__(self) -> None:
        self._turn: int | None = None
        self._length: dict[bool, int] = {}
        self._error: Fault | None = None

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return None

    def _items(self, delta: _Delta) -> Iterable[StreamItem]:
        if delta.type == "debate.finished":
            return self._finished(delta.reason)
        if delta.type == "stream.status" and delta.error is not None:
            self._error = _fault(delta.error)
        if not delta.type.startswith("turn.") or delta.turn is None:
            return _ALIVE
        if self._turn is None:
            self._turn = delta.turn
        if delta.turn != self._turn:
            return _ALIVE
        return self._own(delta)

    def _own(self, delta: _Delta) -> Iterable[StreamItem]:
        match delta.type:
            case "turn.delta":
                return self._text(delta)
            case "turn.finished":
                return self._finished(delta.reason, delta.usage)
            case "turn.superseded":
                raise Fault(FaultKind.SERVER, "The remote debater began its turn anew.")
            case _:
                return _ALIVE

    def _text(self, delta: _Delta) -> Iterable[StreamItem]:
        text = delta.text
        if delta.offset is not None:
            known = self._length.setdefault(delta.reasoning, delta.offset)
            if delta.offset > known:
                raise truncated()
            text = text[known - delta.offset :]
            self._length[delta.reasoning] = known + len(text)
        return (Chunk(text, delta.reasoning, delta.cursor),) if text else (Alive(delta.cursor),)

    def _finished(self, reason: str, usage: Usage | None = None) -> Iterator[StreamItem]:
        if reason not in _REASONS:
            raise self._error or Fault(
                FaultKind.UNKNOWN, f"The remote turn ended as {reason or 'unfinished'}."
            )
        yield Finished(_REASONS[reason], usage)


def _fault(error: faults.ErrorBody | str) -> Fault:
    return faults.fault(faults.ErrorBody(message=error) if isinstance(error, str) else error)
