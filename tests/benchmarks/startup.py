"""Start to first painted frame, and ``--help``: ``python -m tests.benchmarks startup``.

Every run is a process of its own in a pseudo-terminal of 160×45 cells. Its CPU time is read from the system's
clock for that process (Linux) when its first frame has come; what it does behind that frame does not count.
Runs alternate, because machines drift: only the ratios in one table compare.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.report import Figure, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 15
COLUMNS, ROWS = 160, 45

HELLO = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    ENABLE_COMMAND_PALETTE = False

    def compose(self):
        yield Static("Hello, terminal")

Hello().run()
"""
PROGRAM = ("-c", "from debate_tui.__main__ import main; main()")
"""As the installed command starts it."""
DEBATE = (*PROGRAM, "Should cities ban cars?")
FOUR_DEMOS = ("-d", "demo") * 4
FOUR_ENDPOINTS = ("-d", "http://127.0.0.1:9/") * 4
FOUR_MODELS = ("-d", "openai:none", "-d", "anthropic:none") * 2


class Case(NamedTuple):
    """What is started, and the text that tells that its first frame (or its end) has come."""

    name: str
    arguments: tuple[str, ...]
    marker: bytes | None


class Cost(NamedTuple):
    """Milliseconds."""

    wall: float
    cpu: float


FLOOR = Case("hello Textual", ("-c", HELLO), b"Hello, terminal")
SCREENS = (
    Case("four demos", (*DEBATE, *FOUR_DEMOS), b"quit"),
    Case("four endpoints", (*DEBATE, *FOUR_ENDPOINTS), b"quit"),
    Case("four models", (*DEBATE, *FOUR_MODELS), b"quit"),
)
PYTHON = Case("python -c pass", ("-c", "pass"), None)
HELP = Case("debate-tui --help", (*PROGRAM, "--help"), None)


def run(case: Case, home: str) -> Cost:
    """Start it, wait for its first frame or its end, and say what that took."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {
        **os.environ,
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/",
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/",
        "HOME": home,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPYCACHEPREFIX": home,
        "PYTHONDONTWRITEBYTECODE": "",
    }
    began = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable,
        (sys.executable, *case.arguments),
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, slave, descriptor) for descriptor in (0, 1, 2)],
        setsid=True,
    )
    os.close(slave)
    shown = b""
    try:
        while case.marker is None or case.marker not in shown:
            shown += os.read(master, 65536)
    except OSError:
        if case.marker is not None:
            raise SystemExit(f"{case.name} ended: {shown.decode(errors='replace')}") from None
    if case.marker is not None:
        cpu = time.clock_gettime(_clock_of(pid))
        wall = time.perf_counter() - began
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    else:
        wall = time.perf_counter() - began
        used = os.wait4(pid, 0)[2]
        cpu = used.ru_utime + used.ru_stime
    os.close(master)
    return Cost(wall * 1000, cpu * 1000)


def _clock_of(pid: int) -> int:
    """The CPU clock of another process, as ``clock_getcpuclockid(3)`` makes it from its number."""
    return (~pid << 3) | 2


def compared(floor: Case, cases: tuple[Case, ...], runs: int) -> dict[Case, Cost]:
    """The medians of all, run in turn."""
    with tempfile.TemporaryDirectory() as home:
        everything = (floor, *cases)
        for case in everything:
            run(case, home)  # compiles what is not compiled yet
        costs: dict[Case, list[Cost]] = {case: [] for case in everything}
        for _ in range(runs):
            for case in everything:
                costs[case].append(run(case, home))
    return {
        case: Cost(*(statistics.median(column) for column in zip(*every, strict=True)))
        for case, every in costs.items()
    }


def figures() -> Iterator[Figure]:
    """First frames against hello Textual's, and a word about itself."""
    costs = compared(FLOOR, SCREENS, RUNS)
    floor = costs[FLOOR].cpu
    for case in SCREENS:
        what = f"CPU to the first painted frame, {case.name}, against hello Textual ({floor:.0f} ms)"
        yield at_most(what, costs[case].cpu / floor, 1.25, "{:.2f} ×")
    yield at_most("CPU of `debate-tui --help`", compared(PYTHON, (HELP,), RUNS)[HELP].cpu, 150, "{:.0f} ms")
