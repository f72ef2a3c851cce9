"""The file of ``--log``: connections, waits, faults, recoveries and removals, dated and without keys.

Usage:

    stream_log = StreamLog(path)  # cli
    RecoveringSource(source, policy, announce=stream_log.announcer_for(debater))  # events of each stream
    log.subscribe(stream_log.record_event)  # events of the debate
"""

from __future__ import annotations

import os
import queue
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.sanitise import redact_line
from debate_tui.domain.stream import Connected, Fault, Finished, StateChange, StreamOrigin, Superseded
from debate_tui.domain.wording import describe_dropped, format_duration
from debate_tui.resilience.delivered_text import SpliceResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from debate_tui.domain.stream import FaultReport, Usage
    from debate_tui.resilience.recovery import Announcement

_ORIGIN_WORDS = {
    StreamOrigin.START: "from the start",
    StreamOrigin.CURSOR: "after the last event",
    StreamOrigin.CONTINUATION: "continuing the answer",
}


class StreamLog:
    """Appends lines to a file in its own thread; the owner closes it.

    A new file is readable by its owner only. Raise `UsageError` if it cannot be written; a later write error
    is passed to `on_error` once, on closing.
    """

    def __init__(
        self,
        file: Path,
        now: Callable[[], float] = time.time,
        on_error: Callable[[DebateError], None] = lambda _: None,
    ) -> None:
        try:
            opener = partial(os.open, mode=0o600)
            self._output = open(file, "a", encoding="utf-8", opener=opener)  # noqa: SIM115 (see `close`)
        except OSError as error:
            raise UsageError(
                f"Cannot write {file}: {error.strerror}.", "Choose another file for --log."
            ) from None
        self._file = file
        self._now = now
        self._on_error = on_error
        self._names: dict[str, str] = {}
        self._write_error: OSError | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_lines, name="log", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Write the remaining lines and close the file."""
        self._lines.put(None)
        self._writer.join()
        if (error := self._write_error) is not None:
            reason = error.strerror or str(error)
            self._on_error(DebateError(f"The log {self._file} is not complete: {reason}."))

    def _write_lines(self) -> None:
        while (line := self._lines.get()) is not None:
            with self._keep_first_error():
                self._output.write(line)
                self._output.flush()
        with self._keep_first_error():
            self._output.close()

    @contextmanager
    def _keep_first_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._write_error = self._write_error or error

    def announcer_for(self, debater: str) -> Callable[[Announcement], None]:
        """Return a function that records the announcements of one debater's streams."""
        return partial(self._record_announcement, debater)

    def record_line(self, program: str, line: str) -> None:
        """Record a line that a program printed."""
        self._write(program, line)

    def record_event(self, event: events.Event) -> None:
        """Record an event of the debate log; events that streams announce themselves are ignored."""
        match event:
            case events.DebateStarted():
                self._names = {each.id: each.name for each in event.debaters if not event.blind}
                self._write("", f"debate {event.debate} started: {event.topic}")
            case events.TurnStarted():
                self._write(event.debater, f"turn {event.turn} ({event.phase})")
            case events.DebaterRemoved():
                self._write(event.debater, f"removed: {event.reason}")
            case events.DebaterReplaced():
                self._write(event.debater, f"replaced by {event.source or 'another source'}")
            case events.DebaterReturned():
                self._write(event.debater, f"returned with {event.source}" if event.source else "returned")
            case events.DebatePaused():
                self._write(event.debater or "", f"paused: {event.reason}")
            case events.DebateResumed():
                self._write(event.debater or "", f"resumed: {event.reason}")
            case events.DebateFinished():
                self._write("", f"debate ended: {event.reason}")

    def _record_announcement(self, debater: str, announcement: Announcement) -> None:
        if line := _describe(announcement):
            self._write(debater, line)

    def _write(self, debater: str, line: str) -> None:
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        who = f"{self._names.get(debater, debater)}: " if debater else ""
        self._lines.put(f"{at.replace('+00:00', 'Z')} {redact_line(who + line)}\n")


def _describe(announcement: Announcement) -> str:
    """Describe an announcement; empty if another one already covers it."""
    match announcement:
        case StateChange(state="connecting"):
            return f"attempt {announcement.attempt}: connecting"
        case StateChange(state="streaming"):
            return "streaming again" if announcement.recovered else "streaming"
        case StateChange(state="reconnecting", error=error) if error is not None:
            wait = (announcement.retry_in_ms or 0) / 1000
            retry = f"retry {announcement.retry}/{announcement.max_retries} in {format_duration(wait)}"
            return f"attempt {announcement.attempt} failed: {_describe_fault(error)}; {retry}"
        case Connected():
            reused = {True: ", reused", False: ", new", None: ""}[announcement.reused]
            transport = f"{announcement.transport or 'unknown'}{reused}"
            dropped = f". {describe_dropped(announcement.dropped)}" if announcement.dropped else ""
            return f"connected ({transport}), {_ORIGIN_WORDS[announcement.origin]}{dropped}"
        case SpliceResult(repeated=repeated) if repeated:
            return f"dropped {repeated} repeated characters"
        case Superseded():
            return "restarted: the earlier text no longer counts"
        case Finished():
            return f"finished: {announcement.reason}{_describe_usage(announcement.usage)}"
        case Fault():
            return f"gave up: {_describe_fault(announcement)}"
    return ""


def _describe_fault(fault: Fault | FaultReport) -> str:
    status = f" (status {fault.status})" if fault.status else ""
    return f"{fault.kind}{status}: {fault.message}"


def _describe_usage(usage: Usage | None) -> str:
    if usage is None:
        return ""
    figures = (
        ("in", usage.input_tokens),
        ("out", usage.output_tokens),
        ("reasoning", usage.reasoning_tokens),
    )
    told = ", ".join(f"{tokens} {what}" for what, tokens in figures if tokens is not None)
    return f" (tokens: {told})" if told else ""
