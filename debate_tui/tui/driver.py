"""A terminal driver for Textual that copes with slow, resized and vanished terminals."""

from __future__ import annotations

import os
import sys
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from functools import partial
from queue import Empty, Queue
from select import select
from selectors import EVENT_READ, DefaultSelector
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from debate_tui.domain.sanitise import Sanitiser, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import App
    from textual.message import Message


# Pasted text is only text: it never contains keys.


PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
"""The escape sequences around a paste (xterm's bracketed paste mode, 2004)."""

_PLAIN_BREAKS = str.maketrans("\r\t", "\n ")


class PasteSanitiser:
    """A filter that cleans the pastes in terminal input and leaves everything else unchanged.

    Line breaks become line feeds, whatever the terminal sends, and tabs spaces. Textual (8.2) treats escape
    sequences in a paste as key presses. Removable once it does not.
    """

    def __init__(self) -> None:
        self._partial_start = ""  # the end of the input, which may be part of a start sequence
        self._partial_end = ""  # the end of a paste, which may be part of an end sequence
        self._in_paste = False
        self._follows_return = False
        self._sanitiser = Sanitiser()

    def feed(self, data: str) -> str:
        """Return the cleaned input; `data` may be split anywhere."""
        read: list[str] = []
        while data:
            data = self._feed_pasted(data, read) if self._in_paste else self._feed_typed(data, read)
        return "".join(read)

    def _feed_typed(self, data: str, output: list[str]) -> str:
        """Pass on typed input up to a paste; return the rest."""
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
        """Pass on the text of a paste up to its end; return the rest."""
        pasted, end, rest = (self._partial_end + data).partition(PASTE_END)
        if not end:
            self._partial_end = pasted[_length_without_partial_end(pasted) :]
            output.append(self._clean(pasted.removesuffix(self._partial_end)))
            return ""
        output += self._clean(pasted), self._sanitiser.flush(), PASTE_END
        self._partial_end, self._in_paste, self._follows_return = "", False, False
        return rest

    def _clean(self, pasted: str) -> str:
        if pasted and self._follows_return:
            pasted = pasted.removeprefix("\n")
        self._follows_return = pasted.endswith("\r") or (self._follows_return and not pasted)
        return self._sanitiser.feed(pasted.replace("\r\n", "\n").translate(_PLAIN_BREAKS))


def _length_without_partial_end(pasted: str) -> int:
    """Return the length of `pasted` without a partial end sequence."""
    starts = (
        size
        for size in range(min(len(PASTE_END) - 1, len(pasted)), 0, -1)
        if PASTE_END.startswith(pasted[-size:])
    )
    return len(pasted) - next(starts, 0)


STDERR = 2

CLOSE_TIMEOUT_SECONDS = 1.5
"""Seconds a terminal that accepts no output may delay the exit of the program."""

THREAD_SWITCH_SECONDS = 0.0005
"""Maximum seconds the writer thread waits for the interpreter; Python's 5 ms are a third of a frame."""

SLOW_WRITE_SECONDS = 0.01
"""Seconds after which a write counts as slow; a fast terminal accepts a whole screen in less."""

_END_SYNCHRONIZED_UPDATE = "\x1b[?2026l"

_READ_BYTES = 4096
_INPUT_POLL_SECONDS = 0.1
"""Seconds between the input thread's checks for the exit and for a key that is complete."""

_URGENT_INPUT = events.Key, events.Paste, events.MouseDown, events.MouseScrollDown, events.MouseScrollUp
"""Input whose effect the user waits for; mouse movement is not included."""

_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"
"""xterm's sequences for the window's title, also known to most other terminals."""

_CLEAR_SCREEN = "\x1b[2J"
"""Sent before the screen is restored: tmux (3.3) leaves old text on a window that has grown."""


class TerminalDriver(LinuxDriver):
    """A driver that never blocks the event loop and never outlives its terminal.

    Textual (8.2) queues 30 writes and blocks on the next. Its writer thread dies with the terminal, and then
    the queue is never emptied. It also enters application mode whenever the process receives SIGCONT, even if
    it was never stopped, and then saves that mode as the one to restore. Pastes are cleaned before Textual
    reads them: see `PasteSanitiser`. Removable once Textual's driver survives a slow and a vanished terminal.
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
        self._has_set_title = False
        self._original_switch_interval = sys.getswitchinterval()

    @property
    def pending_writes(self) -> int:
        """Number of writes the terminal has not accepted yet."""
        return queue.qsize() if (queue := self._write_queue) is not None else 0

    @property
    def slow_writes(self) -> int:
        """Number of writes the terminal was slow to accept."""
        return self._output.slow_writes

    def start_application_mode(self) -> None:
        """Enter full-screen mode; do nothing if it is already active or the app is exiting."""
        # SIGCONT may arrive at any time, and Textual 8.2 has no public property for an app that is exiting.
        if self._in_application_mode or self._app._exit:  # noqa: SLF001
            return
        self._in_application_mode = True
        sys.setswitchinterval(THREAD_SWITCH_SECONDS)
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual 8.2
        if (queue := self._write_queue) is not None:
            queue.maxsize = 0

    def resume_application_mode(self) -> None:
        """Enter full-screen mode again, and paint all of it: Textual (8.2) paints only what has changed."""
        super().resume_application_mode()
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(partial(self._app.refresh, layout=True))

    def set_title(self, title: str) -> None:
        """Set the window's title until the program ends; only the console has none."""
        if os.environ.get("TERM", "").startswith("linux") or not self._in_application_mode:
            return
        if not self._has_set_title:
            self._has_set_title = True
            self.write(_SAVE_TITLE)
        self.write(f"\x1b]2;{one_line(title)}\x07")

    def stop_application_mode(self) -> None:
        """Leave full-screen mode; drop the frames the terminal has not accepted yet."""
        if not self._in_application_mode:
            return
        self._in_application_mode = False
        if self._discard_pending_writes():
            self.write(_END_SYNCHRONIZED_UPDATE)
        if self._has_set_title:
            self._has_set_title = False
            self.write(_RESTORE_TITLE)
        self.write(_CLEAR_SCREEN)
        super().stop_application_mode()

    def process_message(self, message: Message) -> None:
        """See `Driver.process_message`; replaces sizes of 0 and announces input to the app.

        In containers and on serial lines, the size may be 0 columns or rows until it is set.
        If the app has a `start_input` method, it is called several loop iterations before the input arrives.
        """
        if isinstance(message, events.Resize) and not (message.size.width and message.size.height):
            size = Size(*get_terminal_size())
            message = events.Resize(size, size)
        elif isinstance(message, _URGENT_INPUT) and (start_input := getattr(self._app, "start_input", None)):
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(start_input)
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Deliver typed and pasted input until the app exits or its terminal is gone."""
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
                    # An empty string would mean the end of input to the parser.
                    if text := pastes.feed(decode(data)):
                        self._deliver_messages(parser.feed(text))
                self._deliver_messages(parser.tick())

    def _deliver_messages(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def close(self) -> None:
        """Wait until everything is written, for up to `CLOSE_TIMEOUT_SECONDS`."""
        sys.setswitchinterval(self._original_switch_interval)
        if self._writer_thread is not None and (queue := self._write_queue) is not None:
            queue.put(None)
            self._writer_thread.join(CLOSE_TIMEOUT_SECONDS)

    def _discard_pending_writes(self) -> bool:
        """Discard the queued writes; return whether there were any."""
        found = False
        with suppress(Empty):
            while self._write_queue is not None:
                self._write_queue.get_nowait()
                found = True
        return found

    @property
    def _write_queue(self) -> Queue[str | None] | None:
        """The writer thread's queue, which Textual (8.2) neither makes unbounded nor empties by itself."""
        return self._writer_thread._queue if self._writer_thread is not None else None  # noqa: SLF001


def terminal_driver(app: App[Any]) -> TerminalDriver | None:
    """Return the driver of an app that runs in a terminal, or `None`."""
    driver = app._driver  # noqa: SLF001 (Textual 8.2 has no public property for it)
    return driver if isinstance(driver, TerminalDriver) else None


class _TerminalOutput:
    """A file-like object that writes to a terminal and ignores writes after it is gone.

    It bypasses Python's buffers: a thread stuck in a buffered write would keep their locks during interpreter
    shutdown.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_closed = False
        self.slow_writes = 0

    def fileno(self) -> int:
        """Return the terminal's file descriptor."""
        return self._descriptor

    def write(self, text: str) -> None:
        """Write all of the text, blocking as long as necessary."""
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
        """Do nothing: writes are not buffered."""
