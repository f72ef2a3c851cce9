"""The terminal: detect it, write plain text to it, reopen the keyboard after a pipe, and catch signals."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import signal
import sys
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterator, Sequence

    from debate_tui.display.output import OutputWriter
    from debate_tui.domain.events import Event


def supports_full_screen() -> bool:
    """Return whether the full screen can be used.

    Output and errors must go to a terminal that can move its cursor, and there must be a keyboard: standard
    input or the controlling terminal.
    """
    return _can_move_cursor(1) and _is_terminal(2) and (_is_terminal(0) or _has_controlling_terminal())


def _can_move_cursor(descriptor: int) -> bool:
    return os.environ.get("TERM", "") not in ("", "dumb") and _is_terminal(descriptor)


async def write_plain(
    batches: AsyncIterable[Sequence[Event]], out: OutputWriter, err: OutputWriter, *, notice: str = ""
) -> bool:
    """Write a debate as plain text: as it streams if standard output is a terminal, else turn by turn.

    `out` and `err` are the standard streams. Returns and raises the same as `plain.write_plain`.
    """
    from debate_tui.display import plain

    if not _can_move_cursor(1):
        return await plain.write_plain(batches, out, err, notice=notice)
    from debate_tui.display.plain_stream import write_stream

    return await write_stream(
        batches,
        out,
        None if _is_terminal(2) else err,
        columns=lambda: shutil.get_terminal_size().columns,
        notice=notice,
    )


def reopen_keyboard() -> None:
    """Replace standard input with the controlling terminal if it was a pipe; read the pipe first."""
    if _is_terminal(0):
        return
    terminal = os.open("/dev/tty", os.O_RDWR)
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = os.fdopen(0, closefd=False)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _has_controlling_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


# Termination signals are caught during a debate, so that its record is completed first.


TERMINATION_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class CaughtSignal:
    """The first caught signal; `number` is `None` until then."""

    def __init__(self) -> None:
        self.number: int | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of a program ended by the signal; 0 if none was caught."""
        return 0 if self.number is None else 128 + self.number


@contextmanager
def catch_signals(
    on_signal: Callable[[], object], *, terminal_fd: int | None = None
) -> Iterator[CaughtSignal]:
    """Call `on_signal` once, on the first SIGHUP, SIGINT or SIGTERM.

    A second SIGINT or SIGTERM has its usual effect. Further SIGHUPs have none, because the shell and the
    system each send one. SIGHUP stays ignored if it was ignored at the start, as with ``nohup``. If the
    terminal of the descriptor `terminal_fd` disappears without a signal, that counts as SIGHUP.
    """
    loop = asyncio.get_running_loop()
    caught_signal = CaughtSignal()
    handled = [
        number
        for number in TERMINATION_SIGNALS
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]

    def catch(number: int) -> None:
        if caught_signal.number is not None:
            return
        caught_signal.number = number
        release()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        on_signal()

    def release() -> None:
        while handled:
            loop.remove_signal_handler(handled.pop())

    for number in handled:
        loop.add_signal_handler(number, catch, number)
    if terminal_fd is not None:
        _watch_terminal(terminal_fd, lambda: loop.call_soon_threadsafe(catch, signal.SIGHUP))
    try:
        yield caught_signal
    finally:
        release()


def _watch_terminal(terminal_fd: int, on_hangup: Callable[[], object]) -> None:
    """Call `on_hangup` from another thread when the terminal disappears."""
    poll = select.poll()
    poll.register(terminal_fd, 0)

    def wait() -> None:
        poll.poll()
        try:
            on_hangup()
        except RuntimeError:
            return  # The loop is closed.

    Thread(target=wait, name="hang-up", daemon=True).start()
