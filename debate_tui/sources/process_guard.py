"""Runs a program that ends with its parent, and takes along all processes it has started.

``process_guard.py CONTROL PROGRAM ARGUMENT…``: CONTROL is the file descriptor of a pipe's read end. When the
write end is closed, everything is killed. A crash and SIGKILL close it too, on every system; an exit handler
would not run then. When the program ends, what it left running is killed, and the guard ends in the same way.

On Linux this includes processes that have left the program's group: the guard adopts them when their parents
end. Elsewhere only the group is killed.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Run the program until it ends or the control pipe is closed."""
    control, program = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(control, False)
    _set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        _run(program, guard)
    # The program's pipes must end when it closes them, not when the guard ends.
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard_stream in range(3):
        os.dup2(nothing, standard_stream)
    status = _wait(child, control, woken)
    _kill_all(child, has_ended=status is not None)
    _exit_like(status)


def _run(program: list[str], guard: int) -> None:
    os.setpgid(0, 0)
    _set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    if os.getppid() != guard:
        os._exit(1)
    try:
        os.execv(program[0], program)  # noqa: S606 (what this is for)
    except OSError as error:
        os.write(2, f"Cannot run {program[0]}: {error.strerror}\n".encode())
        os._exit(126)


def _set_process_option(option: int, value: int) -> None:
    """Set an option of Linux for this process; other systems have none of them."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _wait(child: int, control: int, woken: int) -> int | None:
    """Return the program's status once it has ended, or `None` once the control pipe is closed."""
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if control in ready and not os.read(control, 1024):
            return None
        if woken in ready:
            os.read(woken, 1024)
            with suppress(ChildProcessError):
                while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    if ended[0] == child:
                        return ended[1]


def _kill_all(child: int, *, has_ended: bool) -> None:
    """Kill the program's group, and on Linux all descendants, which become children one by one."""
    with suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    if not has_ended:
        os.kill(child, signal.SIGKILL)  # it may not have made its group yet
        os.waitpid(child, 0)
    while killed := [each for each in _children() if _kill(each)]:
        os.waitpid(killed[0], 0)


def _kill(process: int) -> bool:
    """Kill a child, and return whether that was allowed: one that became another user is not waited for."""
    try:
        os.kill(process, signal.SIGKILL)
    except PermissionError:
        return False
    return True


def _children() -> list[int]:
    """Return this process's children, as far as the system shows them."""
    found = []
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 (pathlib is slow to import)
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 (likewise)
                # The second field, the name in parentheses, may contain anything.
                if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                    found.append(int(name))
    return found


def _exit_like(status: int | None) -> None:
    """End with the program's exit code, or by the signal that ended it."""
    code = 1 if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError, ValueError):  # SIGKILL has no handler to reset
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
