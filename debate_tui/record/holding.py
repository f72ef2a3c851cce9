"""Who holds a debate: a lock on a file beside the record, which goes with the program, however that ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from debate_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_TIMEOUT_S: Final = 0.05
"""Longer than anybody takes to look who holds a debate, which locks it too."""

_LOCK_SUFFIX: Final = ".held"


class DebateLock:
    """A debate that nobody else may write; without effect where files cannot be locked."""

    def __init__(self, path: Path | None = None, descriptor: int = -1) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have the debate; may be called again."""
        if self._path is not None:
            _remove_lock_file(self._path)
            os.close(self._descriptor)
            self._path = None


def lock_debate(record: Path, debate: str) -> DebateLock:
    """Hold a debate of a record from now on.

    Raises `UsageError` while somebody else does, in this program or another.
    """
    path = record.with_name(f"{record.name}-{quote(debate, safe='')}{_LOCK_SUFFIX}")
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            if (descriptor := _open_locked(path)) is not None:
                return DebateLock(path, descriptor)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UsageError(
                    f"The debate {debate} is being held by another program right now.",
                    "It can be continued once it has ended there.",
                ) from None
            time.sleep(LOCK_TIMEOUT_S / 5)
        except OSError:
            return DebateLock()


def locked_debates(record: Path) -> frozenset[str]:
    """The debates of a record that are held now; what killed programs have left behind is cleared away."""
    with contextlib.suppress(OSError):
        return frozenset(_find_locked(record))
    return frozenset()


def _find_locked(record: Path) -> Iterator[str]:
    for path in record.parent.glob(f"{record.name}-*{_LOCK_SUFFIX}"):
        try:
            descriptor = _open_locked(path, shared=True)
        except BlockingIOError:
            yield unquote(path.name[len(record.name) + 1 : -len(_LOCK_SUFFIX)])
        else:
            if descriptor is not None:
                _remove_lock_file(path)
                os.close(descriptor)


def _remove_lock_file(path: Path) -> None:
    """Take away a file that is locked: whoever has opened it will see, and take another one."""
    with contextlib.suppress(OSError):
        path.unlink()


def _open_locked(path: Path, *, shared: bool = False) -> int | None:
    """A descriptor of the file, which is locked; `None` if it has been taken away meanwhile."""
    if sys.platform == "win32":
        raise OSError
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
