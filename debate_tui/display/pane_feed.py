"""What a pane shows, taken from the debate log and put into the shared buffer.

Here the log's events, including hostile text, become safe to paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from debate_tui.domain.events import (
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.sanitise import Sanitiser, sanitise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.domain.events import Event


# Sanitising events.


S = TypeVar("S", bound=Struct)


def sanitise_strings(value: S) -> S:
    """Return the value with every string in it sanitised, at any depth; itself if nothing changes.

    Not for deltas: an escape sequence may be split between two of them, and offsets count received text.
    """
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        before: object = getattr(value, name)
        after = _sanitise_value(before)
        if after is not before:
            changed[name] = after
    return msgspec.structs.replace(value, **changed) if changed else value


def _sanitise_value(value: object) -> object:
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, Struct):
        return sanitise_strings(value)
    if isinstance(value, dict):
        return {sanitise(name): _sanitise_value(part) for name, part in value.items()} if value else value
    if isinstance(value, tuple):
        after = tuple(_sanitise_value(part) for part in value)
        return after if any(a is not b for a, b in zip(after, value, strict=True)) else value
    return value


class PaneText(Struct, frozen=True):
    """The next piece of a turn's text, sanitised; the first of a higher attempt is where a stream resumed."""

    turn: int
    attempt: int
    text: str
    reasoning: bool = False


PaneItem = (
    PaneText
    | PhaseStarted
    | TurnStarted
    | TurnSuperseded
    | TurnFinished
    | StreamStatus
    | DebaterRemoved
    | DebaterReplaced
    | DebaterReturned
    | Interjection
)
"""What a pane receives, in chronological order. All text in it is sanitised."""


class PaneFeed:
    """A listener of the debate log that fills a shared buffer.

    Call it with events in the order of their `seq`, as `log.subscribe` does. It follows the rules of the
    log: events seen before, deltas whose `offset` is not the length of the text so far, and deltas of a
    superseded attempt change nothing. Debaters without a pane are ignored.
    """

    def __init__(self, buffer: SharedBuffer[PaneItem]) -> None:
        self._buffer = buffer
        self._panes = frozenset(buffer.panes)
        self._last_seq = 0
        self._turns: dict[int, _PaneTurn] = {}
        self._active_streams: set[str] = set()

    @property
    def active_stream_count(self) -> int:
        """The number of streams that are connected or streaming, for hybrid mode."""
        return len(self._active_streams)

    def __call__(self, event: Event) -> None:
        """Process one event."""
        if event.seq:
            if event.seq <= self._last_seq:
                return
            self._last_seq = event.seq
        if type(event) is TurnDelta:
            self._add_delta(event)
        else:
            self._add_event(event)

    def _add_delta(self, delta: TurnDelta) -> None:
        turn = self._turns.get(delta.turn)
        if turn is None or delta.attempt < turn.oldest_valid_attempt:
            return
        strand = turn.reasoning if delta.reasoning else turn.answer
        if delta.offset != strand.length:
            return
        strand.length += len(delta.text)
        turn.attempt = delta.attempt
        if text := strand.sanitiser.feed(delta.text):
            item = PaneText(delta.turn, delta.attempt, text, delta.reasoning)
            self._buffer.push(turn.debater, item, len(text))

    def _add_event(self, event: Event) -> None:
        match event:
            case TurnStarted() if event.debater in self._panes:
                self._start_turn(event)
            case TurnSuperseded() if turn := self._turns.get(event.turn):
                if event.attempt > turn.oldest_valid_attempt:
                    turn.supersede(event.attempt)
                    self._push_event(event, event.debater)
            case TurnFinished() if turn := self._turns.get(event.turn):
                self._flush_sanitisers(event.turn, turn)
                self._push_event(event, event.debater)
            case StreamStatus():
                self._track_stream(event)
                self._push_event(event, event.debater)
            case DebaterRemoved() | DebaterReplaced() | DebaterReturned():
                self._push_event(event, event.debater)
            case PhaseStarted():
                self._push_event(event, None)
            case Interjection():
                self._push_event(event, event.to)
            case _:
                pass

    def _start_turn(self, event: TurnStarted) -> None:
        if event.turn not in self._turns:
            for number in [n for n, turn in self._turns.items() if turn.debater == event.debater]:
                del self._turns[number]
            self._turns[event.turn] = _PaneTurn(event.debater)
        self._push_event(event, event.debater)

    def _flush_sanitisers(self, number: int, turn: _PaneTurn) -> None:
        """Show incomplete escape sequences that will not be completed any more."""
        for strand in (turn.reasoning, turn.answer):
            if text := strand.sanitiser.flush():
                item = PaneText(number, turn.attempt, text, strand is turn.reasoning)
                self._buffer.push(turn.debater, item, len(text))

    def _track_stream(self, status: StreamStatus) -> None:
        if status.state in ("connected", "streaming"):
            self._active_streams.add(status.debater)
        else:
            self._active_streams.discard(status.debater)

    def _push_event(self, event: PaneItem, debater: str | None) -> None:
        item = sanitise_strings(event)
        for pane in self._buffer.panes if debater is None else (debater,):
            if pane in self._panes:
                self._buffer.push(pane, item)


class _SanitisedText:
    """One of a turn's two texts: its length as received, and its sanitiser, which may hold back the end."""

    __slots__ = ("length", "sanitiser")

    def __init__(self) -> None:
        self.length = 0
        self.sanitiser = Sanitiser()


class _PaneTurn:
    """A debater's newest turn; kept after its end because it may be resumed."""

    __slots__ = ("answer", "attempt", "debater", "oldest_valid_attempt", "reasoning")

    def __init__(self, debater: str) -> None:
        self.debater = debater
        self.attempt = 1
        self.oldest_valid_attempt = 0
        self.answer = _SanitisedText()
        self.reasoning = _SanitisedText()

    def supersede(self, attempt: int) -> None:
        self.oldest_valid_attempt = self.attempt = attempt
        self.answer = _SanitisedText()
        self.reasoning = _SanitisedText()


def merge_pane_text(items: Iterable[PaneItem]) -> list[PaneItem]:
    """Join neighbouring pieces of the same text, so that each text is appended only once."""
    result: list[PaneItem] = []
    pieces: list[str] = []
    first: PaneText | None = None
    for item in items:
        if (
            first is not None
            and type(item) is PaneText
            and item.turn == first.turn
            and item.attempt == first.attempt
            and item.reasoning is first.reasoning
        ):
            pieces.append(item.text)
            continue
        if first is not None:
            result.append(_join_pane_text(first, pieces))
        if type(item) is PaneText:
            first, pieces = item, [item.text]
        else:
            first = None
            result.append(item)
    if first is not None:
        result.append(_join_pane_text(first, pieces))
    return result


def _join_pane_text(first: PaneText, pieces: list[str]) -> PaneText:
    if len(pieces) == 1:
        return first
    return PaneText(first.turn, first.attempt, "".join(pieces), first.reasoning)
