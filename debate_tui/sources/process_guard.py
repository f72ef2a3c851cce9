"""Runs a program that ends when whoever asked for it does, however that ends: ``leash.py PROGRAM ARGUMENT…``.

Standard input is the leash: once its other end is closed, the program is killed. A crash and a SIGKILL close
it too, on every system, which a clean-up at exit or a process group would not survive. The program takes the
place of this one, so that its process id and its exit code are its own.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Become the program, and leave a child behind that holds the leash."""
    program = os.getpid()
    if os.fork() == 0:
        while os.read(0, 1024):
            pass
        # A program that has ended already is not this process's parent any more, and its id may be another's.
        if os.getppid() == program:
            os.kill(program, signal.SIGKILL)
        os._exit(0)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 (what this is for)


if __name__ == "__main__":
    main()
