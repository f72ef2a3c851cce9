"""Start to first painted frame, and ``--help``: ``python -m tests.benchmarks.startup [RUNS]``.

Every run is a process of its own in a pseudo-terminal of 160×45 cells. It is killed when its first frame has
come, so that the CPU time is what the system says it took until then. Runs alternate, because machines drift:
only the ratios in one table compare.
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
from typing import NamedTuple

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
    Case("debate-tui, four demos", (*DEBATE, *FOUR_DEMOS), b"quit"),
    Case("debate-tui, four endpoints", (*DEBATE, *FOUR_ENDPOINTS), b"quit"),
    Case("debate-tui, four models", (*DEBATE, *FOUR_MODELS), b"quit"),
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
    wall = time.perf_counter() - began
    if case.marker is not None:
        os.kill(pid, signal.SIGKILL)
    _, _, used = os.wait4(pid, 0)
    os.close(master)
    return Cost(wall * 1000, (used.ru_utime + used.ru_stime) * 1000)


def compare(floor: Case, cases: tuple[Case, ...], runs: int) -> None:
    """Run all in turn, and print medians and the ratios to the floor."""
    with tempfile.TemporaryDirectory() as home:
        everything = (floor, *cases)
        for case in everything:
            run(case, home)  # compiles what is not compiled yet
        costs: dict[Case, list[Cost]] = {case: [] for case in everything}
        for _ in range(runs):
            for case in everything:
                costs[case].append(run(case, home))
    middle = {
        case: Cost(*(statistics.median(column) for column in zip(*every, strict=True)))
        for case, every in costs.items()
    }
    print(f"{'':28} {'CPU ms':>8} {'wall ms':>8} {'CPU ×':>7} {'wall ×':>7}")
    for case, cost in middle.items():
        base = middle[floor]
        print(
            f"{case.name:28} {cost.cpu:8.0f} {cost.wall:8.0f}"
            f" {cost.cpu / base.cpu:7.2f} {cost.wall / base.wall:7.2f}"
        )
    print()


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    compare(FLOOR, SCREENS, count)
    compare(PYTHON, (HELP,), count)
