"""A terminal that notes what it is sent and when, and types a key now and then."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import struct
import sys
import termios
import time
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FRAME_START, FRAME_END = b"\x1b[?2026h", b"\x1b[?2026l"
_ASKS_FOR_FRAMES, _HAS_FRAMES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"

FOCUS_RULE = "━━━━".encode()
"""What is seen of the key: the line under the title of the pane that has the keys is heavy."""

KEY = b"\t"
BETWEEN_KEYS = (0.08, 0.24)
"""Seconds from what is seen of a key to the next one."""

PROGRAM = "from debate_tui.__main__ import main; main()"


class Frame(NamedTuple):
    """When a frame was complete, and what it says."""

    at: float
    data: bytes


class Pace(NamedTuple):
    """How much a terminal takes in how long; a quick one takes what there is."""

    size: int = 1 << 16
    seconds: float = 0.0


class ObservedTerminal:
    """The program in a terminal; `watch` it for a while. A context manager that ends it."""

    def __init__(
        self, columns: int, rows: int, arguments: list[str], environment: Mapping[str, str], pace: Pace
    ) -> None:
        self._pace = pace
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.pid = os.posix_spawn(
            sys.executable,
            (sys.executable, "-c", PROGRAM, *arguments),
            {
                **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
                **environment,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            },
            file_actions=[(os.POSIX_SPAWN_DUP2, slave, descriptor) for descriptor in (0, 1, 2)],
            setsid=True,
        )
        os.close(slave)
        self.frames: list[Frame] = []
        self.torn = 0
        self.keys: list[float] = []
        self._random = random.Random(1)
        self._pending = b""
        self._pressed: float | None = None
        self._next_key = float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)

    def type_keys(self, *, on: bool) -> None:
        """Begin, or stop, to press a key again and again."""
        self._next_key = time.monotonic() if on else float("inf")

    def cpu(self) -> float:
        """CPU seconds of the program so far, all its threads included."""
        with open(f"/proc/{self.pid}/stat") as stat:  # noqa: PTH123 (nothing to be joined)
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def watch(self, until: Callable[[bytes], bool], *, at_most: float) -> float:
        """Take what is sent until `until` says so of a frame; returns when that was."""
        deadline = time.monotonic() + at_most
        while (now := time.monotonic()) < deadline:
            if now >= self._next_key and self._pressed is None:
                os.write(self._master, KEY)
                self._pressed, self._next_key = time.monotonic(), float("inf")
            wait = min(deadline, self._next_key) - now
            if not select.select([self._master], [], [], max(0.0, wait))[0]:
                continue
            if self._take(os.read(self._master, self._pace.size), until):
                return time.monotonic()
            if self._pace.seconds:
                time.sleep(self._pace.seconds)
        return float("inf")

    def watch_for(self, seconds: float) -> None:
        """Take what is sent for some time."""
        self.watch(lambda _: False, at_most=seconds)

    def _take(self, data: bytes, until: Callable[[bytes], bool]) -> bool:
        now = time.monotonic()
        if _ASKS_FOR_FRAMES in data:
            os.write(self._master, _HAS_FRAMES)
        self._pending += data
        found = False
        while (end := self._pending.find(FRAME_END)) >= 0:
            outside, start, frame = self._pending[:end].partition(FRAME_START)
            self._pending = self._pending[end + len(FRAME_END) :]
            if start:
                self.frames.append(Frame(now, frame))
                self.torn += bool(outside) and len(self.frames) > 1
                self._see(frame, now)
                found = found or until(frame)
        return found

    def _see(self, frame: bytes, now: float) -> None:
        if self._pressed is not None and FOCUS_RULE in frame:
            self.keys.append(now - self._pressed)
            self._pressed = None
            self._next_key = now + self._random.uniform(*BETWEEN_KEYS)
