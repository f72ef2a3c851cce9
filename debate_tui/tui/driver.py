"""The terminal as Textual drives it, made to hold where terminals do not."""

from __future__ import annotations

import os
import sys
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from queue import Empty
from select import select
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from debate_tui.domain.sanitise import Sanitiser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import App
    from textual.message import Message


# What is pasted is text: nothing in it is a key, and all of it fits in one line.


PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a paste (xterm's bracketed paste mode, 2004)."""

_BREAKS_TO_SPACES = str.maketrans("\r\n\t", "   ")


class PasteSanitiser:
    """Cleans the pastes in what a terminal sends, and leaves all else as it is.

    Textual (8.2) takes an escape sequence within a paste for keys that were pressed, and of several lines an
    input takes the first.
    """

    def __init__(self) -> None:
        self._partial_start = ""  # the last of it, which may be the beginning of a start
        self._partial_end = ""  # of a paste, what may be the beginning of its end
        self._in_paste = False
        self._sanitiser = Sanitiser()

    def feed(self, data: str) -> str:
        """What is to be read of the next piece; it may end anywhere."""
        read: list[str] = []
        while data:
            data = self._feed_pasted(data, read) if self._in_paste else self._feed_typed(data, read)
        return "".join(read)

    def _feed_typed(self, data: str, output: list[str]) -> str:
        """Pass on what is typed, up to a paste; returns the rest."""
        known = len(self._partial_start)
        found = (self._partial_start + data).find(PASTE_START)
        if found < 0:
            output.append(data)
            self._partial_start = (self._partial_start + data)[1 - len(PASTE_START) :]
            return ""
        begin = found + len(PASTE_START) - known
        output.append(data[:begin])
        self._partial_start, self._in_paste = "", True
        return data[begin:]

    def _feed_pasted(self, data: str, output: list[str]) -> str:
        """Pass on what is text of what is pasted, up to its end; returns the rest."""
        pasted, end, rest = (self._partial_end + data).partition(PASTE_END)
        if not end:
            self._partial_end = pasted[_length_without_partial_end(pasted) :]
            output.append(self._clean(pasted.removesuffix(self._partial_end)))
            return ""
        output += self._clean(pasted), self._sanitiser.flush().translate(_BREAKS_TO_SPACES), PASTE_END
        self._partial_end, self._in_paste = "", False
        return rest

    def _clean(self, pasted: str) -> str:
        return self._sanitiser.feed(pasted.translate(_BREAKS_TO_SPACES)).translate(_BREAKS_TO_SPACES)


def _length_without_partial_end(pasted: str) -> int:
    """How much of a paste is no beginning of its end."""
    starts = (
        size
        for size in range(min(len(PASTE_END) - 1, len(pasted)), 0, -1)
        if PASTE_END.startswith(pasted[-size:])
    )
    return len(pasted) - next(starts, 0)


# The size of the terminal. In containers and on serial lines it may be 0 columns or rows until it is set.


UNKNOWN_SIZE = 80, 24
"""Columns and rows of a terminal that reports none."""


def terminal_size() -> tuple[int, int]:
    """Columns and rows of the terminal; `COLUMNS` and `LINES` override them, and neither is ever 0."""
    columns = rows = 0
    for descriptor in (0, 2, 1):
        with suppress(OSError):
            columns, rows = os.get_terminal_size(descriptor)
            break
    columns, rows = _size_from_environment("COLUMNS") or columns, _size_from_environment("LINES") or rows
    return columns or UNKNOWN_SIZE[0], rows or UNKNOWN_SIZE[1]


def _size_from_environment(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else 0


STDERR = 2

CLOSE_TIMEOUT_SECONDS = 1.5
"""How long a terminal that takes nothing may keep the program from ending."""

THREAD_SWITCH_SECONDS = 0.0005
"""How long the writing thread waits for the interpreter at most; Python's own 5 ms are a third of a frame."""

SLOW_WRITE_SECONDS = 0.01
"""A terminal that takes so long for a write is slow; a quick one is told of a whole screen in one."""

_END_SYNCHRONIZED_UPDATE = "\x1b[?2026l"

_READ_BYTES = 4096
_INPUT_POLL_SECONDS = 0.1
"""How often the thread that reads keys looks whether it is still wanted, and whether a key is whole."""

_URGENT_INPUT = events.Key, events.Paste, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp
"""Input whose effect is waited for; a mouse that merely moves is not."""

_CLEAR_SCREEN = "\x1b[2J"
"""Said before the screen is given back: tmux (3.3) would leave behind what was on one that has grown."""


class TerminalDriver(LinuxDriver):
    """Never blocks the event loop, and never outlives its terminal.

    Textual (8.2) queues 30 writes and blocks at the next; its writing thread dies with the terminal, after
    which nobody empties that queue; and it enters the full screen again whenever it is told to continue, also
    when it was never stopped, and then takes that for the state to go back to. What is pasted is cleaned
    before Textual reads it: see `PasteSanitiser`.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._output = _TerminalOutput(STDERR)
        self._file = cast("Any", self._output)
        self._in_application_mode = False
        self._original_switch_interval = sys.getswitchinterval()

    @property
    def pending_writes(self) -> int:
        """How many writes the terminal has not yet taken."""
        return self._writer_thread._queue.qsize() if self._writer_thread is not None else 0  # noqa: SLF001

    @property
    def slow_writes(self) -> int:
        """How many writes the terminal was slow to take."""
        return self._output.slow_writes

    def start_application_mode(self) -> None:
        """Take the screen; without effect if it was not given back, or was given back for good."""
        if self._in_application_mode or self._app._exit:  # noqa: SLF001 (a signal to go on may come at any moment)
            return
        self._in_application_mode = True
        sys.setswitchinterval(THREAD_SWITCH_SECONDS)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            self._writer_thread._queue.maxsize = 0  # noqa: SLF001

    def stop_application_mode(self) -> None:
        """Give the screen back; frames that it has not taken yet are dropped."""
        if not self._in_application_mode:
            return
        self._in_application_mode = False
        if self._discard_pending_writes():
            self.write(_END_SYNCHRONIZED_UPDATE)
        self.write(_CLEAR_SCREEN)
        super().stop_application_mode()

    def _get_terminal_size(self) -> tuple[int, int]:
        return terminal_size()

    def process_message(self, message: Message) -> None:
        """See `Driver.process_message`; replaces reported sizes of 0, and announces input to the app.

        An app that has a `start_input` learns of input several turns of its loop before it is given it.
        """
        if isinstance(message, events.Resize) and not (message.size.width and message.size.height):
            size = Size(*terminal_size())
            message = events.Resize(size, size)
        elif isinstance(message, _URGENT_INPUT) and (start_input := getattr(self._app, "start_input", None)):
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(start_input)
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Hand on what is typed and pasted, until the program is left or its terminal is gone."""
        parser, pastes = XTermParser(self._debug), PasteSanitiser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with DefaultSelector() as selector:
            selector.register(self.fileno, EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_INPUT_POLL_SECONDS):
                    try:
                        data = os.read(self.fileno, _READ_BYTES)
                    except OSError:
                        return
                    if not data:
                        return
                    # Nothing at all would tell the parser that there is no more to come.
                    if text := pastes.feed(decode(data)):
                        self._deliver_messages(parser.feed(text))
                self._deliver_messages(parser.tick())

    def _deliver_messages(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def close(self) -> None:
        """Wait until everything is written, but not for ever."""
        sys.setswitchinterval(self._original_switch_interval)
        if self._writer_thread is not None:
            self._writer_thread._queue.put(None)  # noqa: SLF001
            self._writer_thread.join(CLOSE_TIMEOUT_SECONDS)

    def _discard_pending_writes(self) -> bool:
        """Forget what is queued; whether anything was."""
        if self._writer_thread is None:
            return False
        queue = self._writer_thread._queue  # noqa: SLF001
        found = False
        try:
            while True:
                queue.get_nowait()
                found = True
        except Empty:
            return found


class _TerminalOutput:
    """A terminal's end that takes text as long as there is a terminal.

    It writes without Python's buffers: a thread that is stuck in a write would take their locks along into
    the interpreter's end.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_closed = False
        self.slow_writes = 0

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._descriptor

    def write(self, text: str) -> None:
        """Write all of it, however long that takes."""
        began = time.monotonic()
        data = memoryview(text.encode("utf-8", "replace"))
        while data and not self._is_closed:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                select([], [self._descriptor], [])
            except OSError:
                self._is_closed = True
        self.slow_writes += time.monotonic() - began >= SLOW_WRITE_SECONDS

    def flush(self) -> None:
        """Nothing is kept back."""
