"""A real pseudo-terminal to measure in: what the child draws on it is counted and thrown away."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def in_terminal(columns: int, rows: int, run: Callable[[Callable[[], int]], str]) -> str:
    """Run something in a child process whose terminal this is; what it returned.

    `run` is given a function that tells how many bytes the terminal has been sent so far.
    """
    answer_end, answer = os.pipe()
    counter_end, counter = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.close(answer_end)
        os.close(counter)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TEXTUAL_ANIMATIONS="none")
        os.environ.pop("NO_COLOR", None)

        def sent() -> int:
            os.write(answer, b"\x00")
            return struct.unpack("q", os.read(counter_end, 8))[0]

        result = run(sent)
        os.write(answer, result.encode())
        os._exit(0)
    os.close(answer)
    os.close(counter_end)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    total = 0

    def drain() -> None:
        nonlocal total
        try:
            while data := os.read(terminal, 65536):
                total += len(data)
        except OSError:
            return

    threading.Thread(target=drain, daemon=True).start()
    parts: list[bytes] = []
    while data := os.read(answer_end, 65536):
        for _ in range(data.count(b"\x00")):
            os.write(counter, struct.pack("q", total))
        parts.append(data.replace(b"\x00", b""))
    os.waitpid(child, 0)
    return b"".join(parts).decode()
