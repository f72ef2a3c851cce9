"""A running turn: what its stream yields becomes events of the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.stream import (
    Chunk,
    FaultReport,
    Finished,
    Resume,
    StateChange,
    Superseded,
    Usage,
    UsageUpdate,
)
from debate_tui.resilience.delivered_text import UsageTotals

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain import transcript
    from debate_tui.domain.stream import (
        Cursor,
        Fault,
        FinishReason,
        Source,
        StreamItem,
        StreamState,
        TurnRequest,
    )
    from debate_tui.record.log import DebateLog

    CostFunction = Callable[[Usage], float | None]
    """A function for the cost of a turn in US dollars, `None` if unknown."""

MAX_TURN_CHARACTERS = 4_000_000
"""Maximum number of characters in a turn; a longer one ends as ``length``."""


def unknown_cost(usage: Usage) -> float | None:
    """Return `None`: the price is unknown."""
    return None


class RunningTurn:
    """The text of one turn so far; every change is logged.

    `past_turn` is what was logged of the turn before the debate was interrupted.
    """

    def __init__(
        self,
        debater: str,
        request: TurnRequest,
        log: DebateLog,
        *,
        cost: CostFunction = unknown_cost,
        past_turn: transcript.Turn | None = None,
    ) -> None:
        self.debater = debater
        self.request = request
        self.finish_reason: FinishReason | None = None
        self.retry_requested = False
        self.stopped_by_user = False
        """Whether the user stopped the turn, so that it is not completed when the debate is resumed."""
        self.cancel_reason: FinishReason = "stopped"
        self._log = log
        self._cost = cost
        self._attempt = 1
        self._attempts_made = 0
        self._state: StreamState = "waiting"
        self._state_before_pause: StreamState | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._length = self._reasoning_length = 0
        self._cursor: Cursor | None = None
        self._cursor_place = (0, 0)
        """The lengths of text and reasoning at the cursor."""
        self._cursor_source: Source | None = None
        """The source whose stream the cursor belongs to."""
        self._restart_attempt = 0
        """The first attempt of a text that replaces the current one; 0 if the current text continues."""
        self._usage: Usage | None = None
        self._usage_totals = UsageTotals()
        self._end = Finished()
        """The source's own end of the stream, if there was one."""
        self._started_at = time.monotonic()
        self._first_text_at: float | None = None
        self._finished_at = 0.0
        if past_turn is None:
            log.append(events.TurnStarted(turn=request.turn, debater=debater, phase=request.phase))
        else:
            self._restore(past_turn)

    @property
    def finished(self) -> bool:
        return self.finish_reason is not None

    @property
    def has_source(self) -> bool:
        """Whether a source was asked for this turn."""
        return self._cursor_source is not None

    def handle_item(self, item: StreamItem) -> None:
        """Log one item of the stream."""
        match item:
            case Chunk():
                self._log_chunk(item)
            case StateChange():
                self._log_status(item)
            case Superseded():
                self._supersede(item.attempt)
            case UsageUpdate():
                self._usage = self._usage_totals.add_update(item.usage)
            case Finished():
                if item.usage is not None:
                    self._usage = self._usage_totals.add_update(item.usage)
                self._end = item
                self.finish(item.reason)

    def finish(self, reason: FinishReason, fault: Fault | None = None) -> None:
        """End the turn, once; `fault` is what ended it, if any."""
        if self.finished:
            return
        self.finish_reason = reason
        self.log_state("failed" if reason == "failed" else "finished", fault)
        self._finished_at, first = time.monotonic(), self._first_text_at
        self._log.append(
            events.TurnFinished(
                turn=self.request.turn,
                debater=self.debater,
                reason=reason,
                usage=self._usage,
                cost=self._final_cost(),
                model=self._end.model,
                response=self._end.response,
                ttft_ms=None if first is None else round((first - self._started_at) * 1000),
                duration_ms=round((self._finished_at - self._started_at) * 1000),
            )
        )

    def _final_cost(self) -> float | None:
        """Return the server's charge, if it covers the whole turn; else the cost computed from the usage."""
        if self._end.cost is not None and not self._usage_totals.has_earlier:
            return self._end.cost
        return self._cost(self._usage or Usage())

    def restart(self) -> None:
        """Prepare the turn to run again: an interrupted one resumes, any other starts over.

        The current text stays until new text replaces it.
        """
        state = self._state_before_pause or self._state
        interrupted = self.finish_reason == "failed" or state in ("connecting", "connected", "reconnecting")
        from_scratch = bool(self._restart_attempt) or (
            not interrupted and bool(self._text or self._reasoning)
        )
        if self.finished:
            self._reset_timing(from_scratch=from_scratch)
        if from_scratch:
            self._restart_attempt = self._attempt + 1
        self._usage_totals.start_connection(resumes_answer=False)
        self.retry_requested = self.stopped_by_user = False
        self.cancel_reason = "stopped"
        self.finish_reason = None
        self._end = Finished()

    def resume_point(self, source: Source) -> Resume | None:
        """Return where this source resumes the turn; `None` on its first opening.

        A cursor of another source is useless to this one: it gets only the text.
        """
        if source is not self._cursor_source:
            self._cursor_source, self._cursor = source, None
        if self._restart_attempt:
            return Resume(self._attempts_made, None, "", "")
        if self._state == "waiting" and not self._text and not self._reasoning:
            return None
        length, reasoning_length = (
            self._cursor_place if self._cursor else (self._length, self._reasoning_length)
        )
        return Resume(
            self._attempts_made,
            self._cursor,
            "".join(self._text),
            "".join(self._reasoning),
            (self._length - length, self._reasoning_length - reasoning_length),
        )

    def log_state(self, state: StreamState, fault: Fault | None = None) -> None:
        """Log a state set by the session rather than by the stream."""
        self._state = state
        self._log.append(
            events.StreamStatus(
                debater=self.debater,
                state=state,
                attempt=self._attempt,
                error=FaultReport(fault.kind, fault.message, fault.status) if fault else None,
            )
        )

    def log_pause(self) -> None:
        """Log the state ``paused``, unless it is paused already."""
        if self._state_before_pause is None and not self.finished:
            self._state_before_pause = self._state
            self.log_state("paused")

    def log_unpause(self) -> None:
        """Log again the state before `log_pause`."""
        if self._state_before_pause is not None and not self.finished:
            self.log_state(self._state_before_pause)
        self._state_before_pause = None

    def _reset_timing(self, *, from_scratch: bool) -> None:
        """Exclude the time since the turn ended; after a restart from scratch, all time before too."""
        now, first = time.monotonic(), self._first_text_at
        idle = now - self._finished_at
        self._started_at = now if from_scratch else self._started_at + idle
        self._first_text_at = None if from_scratch or first is None else first + idle

    def _restore(self, past_turn: transcript.Turn) -> None:
        self._attempt = self._attempts_made = past_turn.attempt
        self._text, self._reasoning = [past_turn.text], [past_turn.reasoning]
        self._length, self._reasoning_length = past_turn.length, past_turn.reasoning_length
        if past_turn.usage is not None:
            self._usage = self._usage_totals.add_update(past_turn.usage)
            self._usage_totals.start_connection(resumes_answer=False)

    def _log_status(self, status: StateChange) -> None:
        self._attempt = self._attempts_made = status.attempt
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
                dropped=status.dropped,
            )
        )

    def _supersede(self, attempt: int) -> None:
        self._attempt = attempt
        self._restart_attempt = 0
        self._text.clear()
        self._reasoning.clear()
        self._length = self._reasoning_length = 0
        self._cursor = None
        self._log.append(events.TurnSuperseded(turn=self.request.turn, debater=self.debater, attempt=attempt))

    def _log_chunk(self, chunk: Chunk) -> None:
        text = chunk.text
        if text and self._restart_attempt:
            self._supersede(max(self._attempt, self._restart_attempt))
        if not text:
            return
        if self._first_text_at is None:
            self._first_text_at = time.monotonic()
        if chunk.reasoning:
            offset, pieces = self._reasoning_length, self._reasoning
            self._reasoning_length += len(text)
        else:
            offset, pieces = self._length, self._text
            self._length += len(text)
        pieces.append(text)
        if chunk.cursor is not None:
            self._cursor, self._cursor_place = chunk.cursor, (self._length, self._reasoning_length)
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
