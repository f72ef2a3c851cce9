"""Runs a program that ends with its parent, however that ends: ``process_guard.py PROGRAM ARGUMENT…``.

When the other end of standard input is closed, the program is killed. A crash and SIGKILL close it too, on
every system; an exit handler would not run then, and a process group would survive. The program replaces this
process, so its process id and exit code are its own.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Replace this process with the program, watched by a child that holds standard input."""
    program = os.getpid()
    if os.fork() == 0:
        while os.read(0, 1024):
            pass
        # If the program has already ended, it is not the parent any more, and its id may have been reused.
        if os.getppid() == program:
            os.kill(program, signal.SIGKILL)
        os._exit(0)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 (what this is for)


if __name__ == "__main__":
    main()
