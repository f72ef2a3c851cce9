"""One turn under way: what its stream yields becomes events of the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.stream import (
    Chunk,
    FaultReport,
    Finished,
    Resume,
    Status,
    Superseded,
    Usage,
    UsageSoFar,
)
from debate_tui.resilience.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain import transcript
    from debate_tui.domain.stream import (
        Cursor,
        Fault,
        FinishReason,
        Request,
        Source,
        StreamItem,
        StreamState,
    )
    from debate_tui.record.log import DebateLog

    Cost = Callable[[Usage], float | None]
    """What a turn costs, in US dollars; `None` where that is not known."""

MAX_TURN_CHARACTERS = 4_000_000
"""A turn that grows beyond this ends as ``length``: everything received has a bound."""


def unknown_cost(usage: Usage) -> float | None:
    """The cost of a turn nobody knows the price of."""
    return None


class Turn:
    """The text of one turn so far, and how it is told to the log; `past` is what was logged of it before."""

    def __init__(
        self,
        debater: str,
        request: Request,
        log: DebateLog,
        *,
        cost: Cost = unknown_cost,
        past: transcript.Turn | None = None,
    ) -> None:
        self.debater = debater
        self.request = request
        self.reason: FinishReason | None = None
        self.wanted_again = False
        self.dismissed = False
        """Whether it is to end where it is, even if the debate is continued later."""
        self.cut_short_as: FinishReason = "stopped"
        self._log = log
        self._cost = cost
        self._attempt = 1
        self._made = 0
        self._state: StreamState = "waiting"
        self._held: StreamState | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._length = self._reasoning_length = 0
        self._cursor: Cursor | None = None
        self._source: Source | None = None
        """Whose stream the cursor is a place in."""
        self._anew = 0
        """The attempt from which on the text is another; 0 while it is this one that goes on."""
        self._usage: Usage | None = None
        self._accounts = Accounts()
        self._started = time.monotonic()
        self._first_text: float | None = None
        self._ended = 0.0
        if past is None:
            log.append(events.TurnStarted(turn=request.turn, debater=debater, phase=request.phase))
        else:
            self._take_over(past)

    @property
    def over(self) -> bool:
        return self.reason is not None

    @property
    def opened(self) -> bool:
        """Whether a source was asked for it."""
        return self._source is not None

    def take(self, item: StreamItem) -> None:
        """Log what one item of the stream says."""
        match item:
            case Chunk():
                self._take_chunk(item)
            case Status():
                self._take_status(item)
            case Superseded():
                self._supersede(item.attempt)
            case UsageSoFar():
                self._usage = self._accounts.so_far(item.usage)
            case Finished():
                if item.usage is not None:
                    self._usage = self._accounts.so_far(item.usage)
                self.finish(item.reason)

    def finish(self, reason: FinishReason, fault: Fault | None = None) -> None:
        """End the turn, once; a fault is what ended it."""
        if self.over:
            return
        self.reason = reason
        self.show("failed" if reason == "failed" else "finished", fault)
        self._ended, first = time.monotonic(), self._first_text
        self._log.append(
            events.TurnFinished(
                turn=self.request.turn,
                debater=self.debater,
                reason=reason,
                usage=self._usage,
                cost=self._cost(self._usage or Usage()),
                ttft_ms=None if first is None else round((first - self._started) * 1000),
                duration_ms=round((self._ended - self._started) * 1000),
            )
        )

    def start_again(self) -> None:
        """Take the turn up again: a broken-off one where it broke off, any other from the start.

        What was said stays until there is something to take its place.
        """
        state = self._held or self._state
        broken_off = self.reason == "failed" or state in ("connecting", "connected", "reconnecting")
        anew = bool(self._anew) or (not broken_off and bool(self._text or self._reasoning))
        if self.over:
            self._restart_clock(anew=anew)
        if anew:
            self._anew = self._attempt + 1
        self._accounts.connect(same_answer=False)
        self.wanted_again = self.dismissed = False
        self.cut_short_as = "stopped"
        self.reason = None

    def resume(self, source: Source) -> Resume | None:
        """Where to go on when the turn is opened again, by this source; `None` on its first opening.

        A place in the stream of another source means nothing to this one: it is given the text alone.
        """
        if source is not self._source:
            self._source, self._cursor = source, None
        if self._anew:
            return Resume(self._made, None, "", "")
        if self._state == "waiting" and not self._text and not self._reasoning:
            return None
        return Resume(self._made, self._cursor, "".join(self._text), "".join(self._reasoning))

    def show(self, state: StreamState, fault: Fault | None = None) -> None:
        """Log a state that the session knows of, not the stream."""
        self._state = state
        self._log.append(
            events.StreamStatus(
                debater=self.debater,
                state=state,
                attempt=self._attempt,
                error=FaultReport(fault.kind, fault.message, fault.status) if fault else None,
            )
        )

    def hold(self) -> None:
        """Show that nobody reads for now."""
        if self._held is None and not self.over:
            self._held = self._state
            self.show("paused")

    def let_go(self) -> None:
        """Show again what was shown before `hold`."""
        if self._held is not None and not self.over:
            self.show(self._held)
        self._held = None

    def _restart_clock(self, *, anew: bool) -> None:
        """The time since the turn's end is none of its own; begun anew, neither is the time before."""
        now, first = time.monotonic(), self._first_text
        idle = now - self._ended
        self._started = now if anew else self._started + idle
        self._first_text = None if anew or first is None else first + idle

    def _take_over(self, past: transcript.Turn) -> None:
        self._attempt = self._made = past.attempt
        self._text, self._reasoning = [past.text], [past.reasoning]
        self._length, self._reasoning_length = past.length, past.reasoning_length
        if past.usage is not None:
            self._usage = self._accounts.so_far(past.usage)
            self._accounts.connect(same_answer=False)

    def _take_status(self, status: Status) -> None:
        self._attempt = self._made = status.attempt
        self._state = status.state
        self._log.append(
            events.StreamStatus(
                debater=self.debater,
                state=status.state,
                attempt=status.attempt,
                retry=status.retry,
                max_retries=status.max_retries,
                retry_in_ms=status.retry_in_ms,
                error=status.error,
                recovered=status.recovered,
            )
        )

    def _supersede(self, attempt: int) -> None:
        self._attempt = attempt
        self._anew = 0
        self._text.clear()
        self._reasoning.clear()
        self._length = self._reasoning_length = 0
        self._cursor = None
        self._log.append(events.TurnSuperseded(turn=self.request.turn, debater=self.debater, attempt=attempt))

    def _take_chunk(self, chunk: Chunk) -> None:
        text = chunk.text
        if text and self._anew:
            self._supersede(max(self._attempt, self._anew))
        self._cursor = chunk.cursor or self._cursor
        if not text:
            return
        if self._first_text is None:
            self._first_text = time.monotonic()
        if chunk.reasoning:
            offset, pieces = self._reasoning_length, self._reasoning
            self._reasoning_length += len(text)
        else:
            offset, pieces = self._length, self._text
            self._length += len(text)
        pieces.append(text)
        self._log.append(
            events.TurnDelta(
                turn=self.request.turn,
                debater=self.debater,
                attempt=self._attempt,
                offset=offset,
                text=text,
                reasoning=chunk.reasoning,
            )
        )
        if self._length + self._reasoning_length > MAX_TURN_CHARACTERS:
            self.finish("length")
