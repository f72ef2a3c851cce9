"""Recovery of one stream: attempts, watchdog, retry delays and resumption for any source.

The result is one stream per turn whose text never repeats and has no gaps, however many connections it took.
State changes are published between chunks, each before it happens:

    connecting → connected → streaming → … → Finished
        ↑                        │ a fault that is worth a retry
        └────── reconnecting ←───┘ (published with its countdown; then the wait)

`Superseded` means that a restarted source sent different text: all text so far no longer counts. A fault that
cannot be retried is raised; `backoff.fault_action` says what it means.
"""

from __future__ import annotations

import asyncio
import math
import random as chance
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import structs

from debate_tui.domain.stream import (
    Chunk,
    CitationsUpdate,
    Connected,
    Fault,
    FaultKind,
    FaultReport,
    Finished,
    KeepAlive,
    Reclassified,
    RecoveryPolicy,
    ResumePoint,
    StateChange,
    StreamOrigin,
    Superseded,
    TimeSlice,
    UnmarkedEnd,
    UsageUpdate,
)
from debate_tui.domain.usage import UsageTotals
from debate_tui.resilience.backoff import FaultAction, RetryBudget, TextlessAnswer, fault_action
from debate_tui.resilience.deduplication import ContinuationTrimmer, ReplayDeduper
from debate_tui.resilience.delivered_text import DeliveredText, SpliceResult
from debate_tui.resilience.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from debate_tui.domain.stream import Source, StreamItem, StreamState, TurnRequest
    from debate_tui.resilience.delivered_text import TextSplicer

    Announce = Callable[["Announcement"], None]

Announcement = StateChange | Connected | SpliceResult | Superseded | Finished | Fault
"""What a recovering stream reports to its log; a `Fault` is one that ended it."""


COMPLETE = Finished()

MAX_PIECE = 1 << 16
"""Maximum number of characters in a piece of text delivered again, as events are bounded."""

MAX_PROBES = 20
"""Limit for a server that sends more after each orderly end: then it is inventing text."""


class RecoveringSource:
    """A source whose streams recover; itself a source.

    `is_paused` returns whether the reader is paused: such time does not count as the sender's silence.
    `clock` defaults to the event loop; `random` returns numbers from 0 to 1 for the jitter. `announce` is
    called from the event loop with everything that happens.

    A stream opened with a `ResumePoint` continues its attempt numbers and splices its text to the given
    one. To retry at once, in any state, close the stream and open it again with a `ResumePoint`.
    """

    def __init__(
        self,
        source: Source,
        policy: RecoveryPolicy | None = None,
        *,
        is_paused: Callable[[], bool] = lambda: False,
        clock: asyncio.AbstractEventLoop | None = None,
        random: Callable[[], float] = chance.random,
        announce: Announce = lambda _: None,
    ) -> None:
        self._source = source
        self._policy = policy or RecoveryPolicy()
        self._is_paused = is_paused
        self._clock = clock
        self._random = random
        self._announce = announce

    @property
    def model(self) -> str:
        return self._source.model

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Open one turn; see `Source.open`. No connection is made before the first item is requested."""
        clock = self._clock or asyncio.get_running_loop()
        watchdog = Watchdog(self._policy, clock, self._is_paused)
        retries = RetryBudget(self._policy, self._random)
        recovery = TurnRecovery(self._source, request, resume, watchdog, retries, clock, self._announce)
        items = recovery.items()
        try:
            yield items
        finally:
            await items.aclose()
            watchdog.close()


class _ConnectionState:
    """The state of one connection of a turn."""

    __slots__ = ("answer_start", "new_text", "origin", "passthrough", "splicer")

    def __init__(self) -> None:
        self.origin = StreamOrigin.START
        self.answer_start = 0
        """Characters of the answer from before a continuation."""
        self.splicer: TextSplicer | None = None
        self.new_text = False
        self.passthrough = False
        """Whether chunks pass through directly: the texts are spliced, and `streaming` is published."""


class TurnRecovery:
    """One turn of a recovering source, over as many connections as needed."""

    def __init__(
        self,
        source: Source,
        request: TurnRequest,
        resume: ResumePoint | None,
        watchdog: Watchdog,
        retries: RetryBudget,
        clock: asyncio.AbstractEventLoop,
        announce: Announce,
    ) -> None:
        self._source = source
        self._request = request
        self._watchdog = watchdog
        self._retries = retries
        self._clock = clock
        self._announce = announce
        self._attempt = resume.attempt if resume else 0
        self._delivered = DeliveredText(resume)
        self._longest_length = self._delivered.length
        """The greatest length the text ever had, superseded or not."""
        self._usage_totals = UsageTotals()
        self._connection = _ConnectionState()
        self._server_retry_delay = 0.0
        """The reconnection time set by the server, in seconds."""
        self._unconfirmed_end: UnmarkedEnd | None = None
        """The probable end of the text, if another connection must confirm it."""
        self._probe_count = 0
        """Number of times the server was asked whether there is more."""
        self._recovering = False
        self._superseded_attempt = -1
        """The last attempt that superseded text."""
        self._is_restart = resume is not None and not (resume.text or resume.reasoning)
        """Whether the session may supersede its earlier text when the first new text arrives."""
        self._textless_count = 0
        """Number of answers without text."""
        self._finished = False

    async def items(self) -> AsyncGenerator[StreamItem, None]:
        """Yield the items of the turn; see `RecoveringSource`."""
        watchdog = self._watchdog
        turn = TimeSlice(asyncio.get_running_loop().call_soon)
        while not self._finished:
            fault: Fault | None = None
            self._attempt += 1
            now = self._connection = _ConnectionState()
            watchdog.start_connection()
            yield self._publish(self._state_change("connecting"))
            try:
                async with AsyncExitStack() as connection:
                    opening = self._source.open(self._request, self._resume())
                    with watchdog:
                        stream = await connection.enter_async_context(opening)
                    while not self._finished:
                        with watchdog:
                            item = await stream.__anext__()
                        if now.passthrough and type(item) is Chunk:
                            watchdog.record_text()
                            self._delivered.add(item)
                            yield item
                        else:
                            for told in self._handle_item(item):
                                yield told
                        if watchdog.wait_start >= turn.end and turn.is_spent(watchdog.wait_start):
                            await asyncio.sleep(0)
            except Fault as broken:
                fault = broken
            except StopAsyncIteration:
                fault = Fault(FaultKind.NETWORK, "The stream ended before the answer was complete.")
            if fault is not None and not self._finished:
                outcome = self._handle_fault(fault)
                if outcome is not None:
                    yield outcome
                if isinstance(outcome, StateChange) and outcome.retry_in_ms:
                    await self._wait(outcome.retry_in_ms / 1000)

    def _resume(self) -> ResumePoint | None:
        shown = self._delivered
        if not shown.length and shown.cursor is None:
            return None
        cursor = shown.cursor
        resume = ResumePoint(self._attempt - 1, cursor, shown.answer, shown.reasoning, shown.after_cursor)
        return resume if cursor and cursor.position else resume.for_new_answer()

    # Items from the source.

    def _handle_item(self, item: StreamItem) -> Iterator[StreamItem]:
        """Handle anything but a chunk that passes through."""
        seam = self._connection.splicer
        match item:
            case Chunk():
                self._watchdog.record_text()
                joint = seam.feed(item) if seam else SpliceResult((item,))
                if joint:
                    yield from self._deliver(joint)
            case KeepAlive():
                self._handle_keep_alive(item)
            case Connected():
                self._handle_connected(item)
                yield self._publish(structs.replace(self._state_change("connected"), dropped=item.dropped))
                yield self._publish(item)
            case UsageUpdate():
                self._watchdog.record_activity()
                yield UsageUpdate(self._usage_totals.add_update(item.usage))
            case CitationsUpdate():
                self._watchdog.record_activity()
                yield item
            case Reclassified():
                yield from self._reclassify()
            case Finished():
                if seam:
                    yield from self._deliver(seam.finish())
                if not self._finished:
                    yield self._finish(item)

    def _handle_keep_alive(self, sign: KeepAlive) -> None:
        self._watchdog.record_activity()
        if sign.retry_after is not None:
            self._server_retry_delay = sign.retry_after
        if sign.cursor is None:
            return
        if self._connection.splicer:
            self._connection.splicer.note_cursor(sign.cursor)
        else:
            self._delivered.record_cursor(sign.cursor)

    def _handle_connected(self, connected: Connected) -> None:
        self._watchdog.mark_connected(untimed=connected.untimed)
        now, origin = self._connection, connected.origin
        now.origin = origin
        self._usage_totals.start_connection(resumes_answer=origin is StreamOrigin.CURSOR)
        if not self._delivered.length:
            return
        if origin is StreamOrigin.CONTINUATION:
            now.splicer = ContinuationTrimmer(self._delivered)
            now.answer_start = self._delivered.answer_length
        else:
            asked = self._unconfirmed_end is not None and self._unconfirmed_end.orderly
            now.splicer = ReplayDeduper(self._delivered, origin, probing=asked)

    def _deliver(self, joint: SpliceResult) -> Iterator[StreamItem]:
        """Deliver what is new after the text already shown."""
        now = self._connection
        if now.splicer and now.splicer.resolved:
            now.splicer = None
            self._announce(joint)
            if now.origin is StreamOrigin.CONTINUATION:
                self._delivered.cursor = None  # it belongs to the interrupted answer
        if joint.superseded:
            if self._unconfirmed_end and self._unconfirmed_end.orderly:
                # Asked for more, the server started over: there was not any.
                yield self._finish()
                return
            yield self._supersede()
            now.answer_start = 0
        for cursor, place in joint.seen_cursors:
            self._delivered.record_cursor(cursor, place)
        for chunk in joint.chunks:
            if not now.new_text:
                now.new_text = True
                yield self._publish(self._state_change("streaming"))
            self._delivered.add(chunk)
            yield chunk
        now.passthrough = now.new_text and now.splicer is None

    def _supersede(self, rest: DeliveredText | None = None) -> StreamItem:
        """Drop the delivered text; `rest` is delivered in its place."""
        self._longest_length = max(self._longest_length, self._delivered.length)
        self._delivered = rest or DeliveredText()
        if self._superseded_attempt == self._attempt or (rest and self._is_restart):
            self._attempt += 1  # a log would merge two of the same attempt
        self._superseded_attempt = self._attempt
        return self._publish(Superseded(self._attempt))

    def _reclassify(self) -> Iterator[StreamItem]:
        """Deliver this connection's text again as reasoning."""
        now, old = self._connection, self._delivered
        held, begin = (now.splicer.pending, now.splicer.pending_start) if now.splicer else ((), old.end)
        kept = old.answer[: now.answer_start]
        reasoning = old.reasoning[: begin.reasoning] + old.answer[now.answer_start : begin.answer]
        reasoning += "".join(chunk.text for chunk in held)
        # No earlier cursor reflects the tag; the one after it does.
        yield self._supersede(DeliveredText(ResumePoint(self._attempt, None, kept, reasoning)))
        now.splicer = ContinuationTrimmer(self._delivered) if kept else None
        now.passthrough = now.splicer is None
        if not now.new_text:
            now.new_text = True
            yield self._publish(self._state_change("streaming"))
        for text, is_reasoning in ((reasoning, True), (kept, False)):
            for at in range(0, len(text), MAX_PIECE):
                yield Chunk(text[at : at + MAX_PIECE], is_reasoning)

    def _finish(self, end: Finished = COMPLETE) -> StreamItem:
        """End the turn; raise `TextlessAnswer` if it has no text."""
        if end.reason in ("complete", "length") and not self._delivered.has_answer:
            raise TextlessAnswer(
                end.instead or ("only reasoning" if self._delivered.reasoning_length else "")
            )
        self._finished = True
        # The reported cost covers the last connection only.
        cost = None if self._usage_totals.has_earlier else end.cost
        return self._publish(structs.replace(end, usage=self._usage_totals.total(end.usage), cost=cost))

    # Reactions to faults.

    def _handle_fault(self, fault: Fault) -> StreamItem | None:
        """Return what follows a fault: the turn's end, a wait, or `None` to reconnect and ask for more.

        Raise the fault if it cannot be handled here.
        """
        try:
            if isinstance(fault, TextlessAnswer):
                raise fault
            return self._react(fault)
        except TextlessAnswer as textless:
            return self._request_again(textless)

    def _react(self, fault: Fault) -> StreamItem | None:
        grown = self._delivered.length > self._longest_length
        self._longest_length = max(self._longest_length, self._delivered.length)
        if self._connection.new_text:
            self._unconfirmed_end = None
        doubt, what = self._unconfirmed_end, fault_action(fault)
        if what is FaultAction.REFUSED:
            return self._finish(Finished("refused"))
        if isinstance(fault, UnmarkedEnd):
            if doubt and self._is_exact_replay():
                return self._finish()
            self._unconfirmed_end = fault
            if fault.orderly and grown:
                self._probe_count += 1
                return None if self._probe_count <= MAX_PROBES else self._finish()
        vouched = doubt is not None and doubt.orderly
        if vouched and (fault.kind is FaultKind.TIMEOUT or what is FaultAction.SKIP):
            return self._finish()
        if what is FaultAction.RETRY:
            if (wait := self._next_wait(fault)) is not None:
                return wait
            if vouched:
                return self._finish()
            fault = self._retries.explain_refused_wait(fault, self._wait_floor(fault))
        self._announce(fault)
        raise fault

    def _next_wait(self, fault: Fault) -> StreamItem | None:
        """Spend a retry; return the wait before it, or `None` if none is left."""
        wait = self._retries.next_delay(self._longest_length, self._wait_floor(fault))
        if wait is None:
            return None
        self._recovering = True
        return self._publish(self._state_change("reconnecting", fault, wait))

    def _request_again(self, textless: TextlessAnswer) -> StreamItem:
        """Request an answer without text again, once and from its start."""
        self._textless_count += 1
        self._delivered.forget_cursors()
        self._unconfirmed_end = None
        wait = self._next_wait(textless) if self._textless_count == 1 else None
        if wait is None:
            self._announce(textless)
            raise textless
        return wait

    def _wait_floor(self, fault: Fault) -> float:
        return max(self._server_retry_delay, fault.retry_after or 0.0)

    def _is_exact_replay(self) -> bool:
        """Return whether the last connection sent only old text, or no text after a cursor."""
        now = self._connection
        if now.new_text or not self._delivered.length:
            return False
        return now.splicer is None or (now.origin is StreamOrigin.CURSOR and not now.splicer.pending)

    async def _wait(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(self._clock.time() + seconds, lambda: woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def _state_change(self, state: StreamState, fault: Fault | None = None, wait: float = 0.0) -> StateChange:
        spent = self._retries.spent if state in ("connecting", "reconnecting") else 0
        recovered = state == "streaming" and self._recovering
        if recovered:
            self._recovering = False
        return StateChange(
            state,
            self._attempt,
            retry=spent,
            max_retries=self._retries.max_retries if spent else 0,
            retry_in_ms=math.ceil(wait * 1000) if fault else None,
            error=FaultReport(fault.kind, fault.message, fault.status) if fault else None,
            recovered=recovered,
        )

    def _publish(self, item: StateChange | Connected | Superseded | Finished) -> StreamItem:
        self._announce(item)
        return item
