"""``--log FILE``: connections, waits, faults, recoveries and removals as dated lines of text, without keys.

journal = Journal(path)                                  # cli
Guarded(source, policy, announce=journal.of(debater))    # what each stream tells
log.subscribe(journal.event)                             # what the debate makes of it
"""

from __future__ import annotations

import logging
import os
import queue
import re
import sys
import time
from datetime import UTC, datetime
from functools import partial
from logging.handlers import QueueHandler, QueueListener
from typing import TYPE_CHECKING, TextIO

from debate_tui.domain import events
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.secrets import LIKE_A_KEY
from debate_tui.domain.stream import Connected, Fault, Finished, Origin, Status, Superseded
from debate_tui.resilience.seam import Joint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from debate_tui.domain.stream import FaultReport, Usage
    from debate_tui.resilience.recovery import Announcement

_QUERY = re.compile(r"([?&][^=&\s#]+=)[^&\s#]+")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_TOKEN = re.compile(r"(?i)\b((?:bearer|basic)\s+|(?:api[-_ ]?key|token|password|secret)\s*[:=]\s*)\S{6,}")

_ORIGINS = {
    Origin.START: "from the start",
    Origin.CURSOR: "behind the last event",
    Origin.CONTINUATION: "where the answer broke off",
}


def redacted(text: str) -> str:
    """`text` in one line without anything that may be a secret: query values, user names, keys, tokens."""
    text = " ".join(sanitise(text).split())
    text = _QUERY.sub(r"\1…", text)
    text = _USERINFO.sub("…@", text)
    text = _TOKEN.sub(r"\1…", text)
    return LIKE_A_KEY.sub("…", text)


class Journal:
    """Appends lines to a file, from a thread of its own; whoever makes it closes it.

    A file that was not there is made for its owner alone. Raises `UsageError` if it cannot be written;
    `on_trouble` is told, at most once and when it is closed, if it could not be written on.
    """

    def __init__(
        self,
        file: Path,
        now: Callable[[], float] = time.time,
        on_trouble: Callable[[DebateError], None] | None = None,
    ) -> None:
        try:
            handler = _Lines(open(file, "a", encoding="utf-8", opener=_for_its_owner))  # noqa: SIM115
        except OSError as error:
            raise UsageError(f"Cannot write {file}: {error.strerror}.", "Give --log another file.") from None
        self._file = file
        self._on_trouble = on_trouble
        lines: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._listener = QueueListener(lines, handler)
        self._handler = handler
        self._now = now
        self._names: dict[str, str] = {}
        # Not a logger of the program's tree: nothing else is to appear here, and this nowhere else.
        self._logger = logging.Logger("streams")
        self._logger.addHandler(QueueHandler(lines))
        self._listener.start()

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._listener.stop()
        self._handler.close()
        if self._on_trouble and (trouble := self._handler.trouble):
            why = trouble.strerror or str(trouble)
            self._on_trouble(DebateError(f"The log {self._file} is not complete: {why}."))

    def of(self, debater: str) -> Callable[[Announcement], None]:
        """What takes the announcements of one debater's streams."""
        return partial(self._announced, debater)

    def event(self, event: events.Event) -> None:
        """Take an event of the debate log; those that streams announce themselves are passed over."""
        match event:
            case events.DebateStarted():
                self._names = {debater.id: debater.name for debater in event.debaters}
                self._write("", f"debate {event.debate} began: {event.topic}")
            case events.TurnStarted():
                self._write(event.debater, f"turn {event.turn} ({event.phase})")
            case events.DebaterRemoved():
                self._write(event.debater, f"removed: {event.reason}")
            case events.DebaterReplaced():
                self._write(event.debater, f"replaced by {event.source}")
            case events.DebaterReturned():
                self._write(event.debater, f"back with {event.source}")
            case events.DebatePaused():
                self._write(event.debater or "", f"paused: {event.reason}")
            case events.DebateResumed():
                self._write(event.debater or "", f"resumed: {event.reason}")
            case events.DebateFinished():
                self._write("", f"debate ended: {event.reason}")

    def _announced(self, debater: str, announcement: Announcement) -> None:
        if line := _line(announcement):
            self._write(debater, line)

    def _write(self, debater: str, line: str) -> None:
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        who = f"{self._names.get(debater, debater)}: " if debater else ""
        self._logger.info("%s %s%s", at.replace("+00:00", "Z"), who, redacted(line))


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines to a file as long as it can; the first error is kept as `trouble`."""

    trouble: OSError | None = None

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self.trouble is None:
            self.trouble = error

    def close(self) -> None:
        super().close()
        try:
            self.stream.close()
        except OSError as error:
            self.trouble = self.trouble or error


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(announcement: Announcement) -> str:
    """An announcement in words; empty if it says nothing that another one does not."""
    match announcement:
        case Status(state="connecting"):
            return f"attempt {announcement.attempt}: connecting"
        case Status(state="streaming"):
            return "streaming again" if announcement.recovered else "streaming"
        case Status(state="reconnecting", error=error) if error is not None:
            wait = (announcement.retry_in_ms or 0) / 1000
            retry = f"retry {announcement.retry}/{announcement.max_retries} in {wait:.2f} s"
            return f"attempt {announcement.attempt} broke: {_reason(error)}; {retry}"
        case Connected():
            reused = {True: ", open already", False: ", opened now", None: ""}[announcement.reused]
            return (
                f"connected ({announcement.transport or 'unknown'}{reused}), {_ORIGINS[announcement.origin]}"
            )
        case Joint(repeated=repeated) if repeated:
            return f"joined: {repeated} characters came again and were dropped"
        case Superseded():
            return "began anew: what was shown no longer counts"
        case Finished():
            return f"finished: {announcement.reason}{_spent(announcement.usage)}"
        case Fault():
            return f"gave up: {_reason(announcement)}"
    return ""


def _reason(fault: Fault | FaultReport) -> str:
    status = f" (status {fault.status})" if fault.status else ""
    return f"{fault.kind}{status}: {fault.message}"


def _spent(usage: Usage | None) -> str:
    if usage is None:
        return ""
    figures = (
        ("in", usage.input_tokens),
        ("out", usage.output_tokens),
        ("of reasoning", usage.reasoning_tokens),
    )
    told = ", ".join(f"{tokens} {what}" for what, tokens in figures if tokens is not None)
    return f" (tokens: {told})" if told else ""
