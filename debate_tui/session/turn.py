"""A running turn: what its stream yields becomes events of the log."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from debate_tui.domain.events import StreamStatus, TurnDelta, TurnFinished, TurnStarted, TurnSuperseded
from debate_tui.domain.stream import (
    INTERRUPTED_STREAM_STATES,
    Chunk,
    CitationsUpdate,
    FaultReport,
    Finished,
    ResumePoint,
    StateChange,
    Superseded,
    Usage,
    UsageUpdate,
    merge_citations,
)
from debate_tui.domain.usage import UsageTotals

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from debate_tui.domain.quotes import QuoteCheck
    from debate_tui.domain.stream import (
        Citation,
        Cursor,
        Fault,
        FinishReason,
        Source,
        StreamItem,
        StreamState,
        TurnRequest,
    )
    from debate_tui.domain.transcript import Transcript
    from debate_tui.record.log import DebateLog

    CostFunction = Callable[[Usage], float | None]
    """A function for the cost of a turn in US dollars, `None` if unknown."""

MAX_TURN_CHARACTERS = 4_000_000
"""Maximum number of characters in a turn; a longer one ends as ``length``."""


def unknown_cost(usage: Usage) -> float | None:
    """Return `None`: the price is unknown."""
    return None


class PricedSource(NamedTuple):
    """A source, and what its answers cost."""

    source: Source
    cost: CostFunction = unknown_cost


class TurnState(enum.Enum):
    """What happens to a turn, whatever its stream's state."""

    WAITING = "no source was asked yet, or none since the restart"
    RUNNING = "a source was asked"
    RETRYING = "cancelled, to run again"
    STOPPING = "cancelled by the user"
    SKIPPING = "cancelled with the rest of its phase"
    FINISHED = "ended for good"
    INTERRUPTED = "ended only because the debate did, so that a resumed debate completes it"


class TurnClock:
    """The time a turn takes: pauses, waits for a decision and the time after its end do not count."""

    def __init__(self) -> None:
        self._started_at = time.monotonic()
        self._first_text_at: float | None = None
        self._finished_at: float | None = None
        self._held_since: float | None = None

    @property
    def finished(self) -> bool:
        """Whether the clock has stopped for good, or until `restart`."""
        return self._finished_at is not None

    @property
    def ttft_ms(self) -> int | None:
        """Milliseconds to the first text, or `None` if there was none."""
        return None if self._first_text_at is None else self._since_start(self._first_text_at)

    @property
    def duration_ms(self) -> int | None:
        """Milliseconds to the end, or `None` before it."""
        return None if self._finished_at is None else self._since_start(self._finished_at)

    def note_text(self) -> None:
        """Note that text has come now; only the first counts."""
        if self._first_text_at is None:
            self._first_text_at = time.monotonic()

    def hold(self) -> None:
        """Stop the clock for a while."""
        if self._held_since is None and not self.finished:
            self._held_since = time.monotonic()

    def release(self) -> None:
        """Let the clock run again."""
        if self._held_since is not None:
            self._shift(time.monotonic() - self._held_since)
            self._held_since = None

    def finish(self) -> None:
        """Stop the clock at the turn's end."""
        self.release()
        self._finished_at = time.monotonic()

    def restart(self, *, from_scratch: bool) -> None:
        """Run again after the end, if there was one; `from_scratch` forgets all time before."""
        if self._finished_at is None:
            return
        if from_scratch:
            self._started_at, self._first_text_at = time.monotonic(), None
        else:
            self._shift(time.monotonic() - self._finished_at)
        self._finished_at = None

    def _shift(self, seconds: float) -> None:
        """Exclude seconds that have just passed."""
        self._started_at += seconds
        if self._first_text_at is not None:
            self._first_text_at += seconds

    def _since_start(self, moment: float) -> int:
        return round((moment - self._started_at) * 1000)


class RunningTurn:
    """One turn, from its start or from where the debate was interrupted; every change is logged.

    Its text so far is in `transcript`, which must be up to date after every event of `log`. `task` is the
    task that runs the turn.
    """

    def __init__(
        self,
        debater: str,
        request: TurnRequest,
        log: DebateLog,
        transcript: Transcript,
        cost: CostFunction = unknown_cost,
        check_quotes: QuoteCheck | None = None,
    ) -> None:
        self.debater = debater
        self.request = request
        self.state = TurnState.WAITING
        self.task: asyncio.Task[None] | None = None
        self._log = log
        self._cost = cost
        self._check_quotes = check_quotes
        self._attempt = 1
        self._stream_state: StreamState = "waiting"
        self._is_paused = False
        self._cursor: Cursor | None = None
        self._cursor_place = (0, 0)
        """The lengths of text and reasoning at the cursor."""
        self._cursor_source: Source | None = None
        """The source whose stream the cursor belongs to."""
        self._restart_attempt = 0
        """The first attempt of a text that replaces the current one; 0 if the current text continues."""
        self._usage_totals = UsageTotals()
        self._citations: dict[int, tuple[Citation, ...]] = {}
        """What each connection has cited, by attempt."""
        self._end = Finished()
        """The source's own end of the stream, if there was one."""
        self._clock = TurnClock()
        if (interrupted := transcript.turns.get(request.turn)) is None:
            log.append(TurnStarted(turn=request.turn, debater=debater, phase=request.phase))
        else:
            self._attempt = interrupted.attempt
            if interrupted.usage is not None:
                self._usage_totals.add_update(interrupted.usage)
                self._usage_totals.start_connection(resumes_answer=False)
            if interrupted.end is not None:
                self._citations[interrupted.attempt] = interrupted.end.citations
        self._logged = transcript.turns[request.turn]
        """The turn as logged."""

    @property
    def finished(self) -> bool:
        """Whether the turn has ended and was not restarted since."""
        return self._clock.finished

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
                self._usage_totals.add_update(item.usage)
            case CitationsUpdate():
                self._citations[self._attempt] = item.citations
            case Finished():
                if item.usage is not None:
                    self._usage_totals.add_update(item.usage)
                if item.citations:
                    self._citations[self._attempt] = item.citations
                self._end = item
                self.finish(item.reason)

    def finish(
        self, reason: FinishReason, fault: Fault | None = None, *, is_interrupted: bool = False
    ) -> None:
        """End the turn, once; `fault` is what ended it, if any; see `TurnState.INTERRUPTED`."""
        if self.finished:
            return
        self.state = TurnState.INTERRUPTED if is_interrupted else TurnState.FINISHED
        self._is_paused = False
        self.log_state("failed" if reason == "failed" else "finished", fault)
        self._clock.finish()
        usage, citations = self._usage_totals.total(None), merge_citations(self._citations.values())
        check = self._check_quotes
        self._log.append(
            TurnFinished(
                turn=self.request.turn,
                debater=self.debater,
                reason=reason,
                usage=usage,
                cost=self._final_cost(usage),
                model=self._end.model,
                response=self._end.response,
                citations=citations,
                quotes=check(self._logged, len(citations)) if check is not None else (),
                ttft_ms=self._clock.ttft_ms,
                duration_ms=self._clock.duration_ms,
            )
        )

    def finish_cancelled(self) -> None:
        """End the turn, whose task was cancelled by the user or because the debate ends."""
        if self.state is TurnState.SKIPPING:
            self.finish("skipped")
        else:
            self.finish("stopped", is_interrupted=self.state is not TurnState.STOPPING)

    def _final_cost(self, usage: Usage | None) -> float | None:
        """Return the server's charge, if it covers the whole turn; else the cost computed from the usage."""
        if self._end.cost is not None and not self._usage_totals.has_earlier:
            return self._end.cost
        return self._cost(usage or Usage())

    # Commands

    def stop(self) -> None:
        """Stop the turn because the user said so."""
        self._cancel(TurnState.STOPPING)

    def skip(self) -> None:
        """Stop the turn because the rest of its phase is skipped."""
        self._cancel(TurnState.SKIPPING)

    def retry(self) -> None:
        """Close the turn's stream and run the turn again, unless it is about to start or to end anyway."""
        if self.task is not None and self.state in (TurnState.RUNNING, TurnState.FINISHED):
            self.state = TurnState.RETRYING
            self.task.cancel()

    def _cancel(self, state: TurnState) -> None:
        if self.task is not None and not self.finished:
            self.state = state
            self.task.cancel()

    def restart(self) -> None:
        """Prepare the turn to run again: an interrupted one resumes, any other starts over.

        The current text stays until new text replaces it.
        """
        has_text = bool(self._logged.length or self._logged.reasoning_length)
        from_scratch = bool(self._restart_attempt) or (
            has_text and self._stream_state not in INTERRUPTED_STREAM_STATES
        )
        self._clock.restart(from_scratch=from_scratch)
        if from_scratch:
            self._restart_attempt = self._attempt + 1
        self._usage_totals.start_connection(resumes_answer=False)
        self.state = TurnState.WAITING
        self._end = Finished()

    def start_stream(self, source: Source) -> ResumePoint | None:
        """Note that this source is asked now, and return where it resumes; `None` on the first opening.

        A cursor of another source is useless to this one: it gets only the text.
        """
        self.state = TurnState.RUNNING
        if source is not self._cursor_source:
            self._cursor_source, self._cursor = source, None
        if self._restart_attempt:
            return ResumePoint(self._attempt, None, "", "")
        lengths = (self._logged.length, self._logged.reasoning_length)
        if self._stream_state == "waiting" and not any(lengths):
            return None
        length, reasoning_length = self._cursor_place if self._cursor else lengths
        return ResumePoint(
            self._attempt,
            self._cursor,
            self._logged.text,
            self._logged.reasoning,
            (lengths[0] - length, lengths[1] - reasoning_length),
        )

    def log_state(self, state: StreamState, fault: Fault | None = None) -> None:
        """Log a state set by the session rather than by the stream."""
        error = FaultReport(fault.kind, fault.message, fault.status) if fault else None
        self._log_status(StateChange(state, self._attempt, error=error))

    def hold(self) -> None:
        """Stop the turn's clock: the debater is paused, or waits for a decision of the user."""
        self._clock.hold()

    def release(self) -> None:
        """Let the turn's clock run again."""
        self._clock.release()

    def log_pause(self) -> None:
        """Log the state ``paused``, unless it is paused already."""
        if not self._is_paused and not self.finished:
            self._is_paused = True
            self._log.append(StreamStatus(debater=self.debater, state="paused", attempt=self._attempt))

    def log_unpause(self) -> None:
        """Log again the state before `log_pause`."""
        if self._is_paused:
            self._is_paused = False
            self.log_state(self._stream_state)

    def _log_status(self, status: StateChange) -> None:
        self._attempt = status.attempt
        self._stream_state = status.state
        self._log.append(StreamStatus(debater=self.debater, **structs.asdict(status)))

    def _supersede(self, attempt: int) -> None:
        self._attempt = attempt
        self._restart_attempt = 0
        self._citations = {each: cited for each, cited in self._citations.items() if each >= attempt}
        self._cursor = None
        self._log.append(TurnSuperseded(turn=self.request.turn, debater=self.debater, attempt=attempt))

    def _log_chunk(self, chunk: Chunk) -> None:
        text, logged = chunk.text, self._logged
        if not text:
            return
        if self._restart_attempt:
            self._supersede(max(self._attempt, self._restart_attempt))
        self._clock.note_text()
        self._log.append(
            TurnDelta(
                turn=self.request.turn,
                debater=self.debater,
                attempt=self._attempt,
                offset=logged.reasoning_length if chunk.reasoning else logged.length,
                text=text,
                reasoning=chunk.reasoning,
            )
        )
        if chunk.cursor is not None:
            self._cursor = chunk.cursor
            self._cursor_place = (logged.length, logged.reasoning_length)
        if logged.length + logged.reasoning_length > MAX_TURN_CHARACTERS:
            self.finish("length")
