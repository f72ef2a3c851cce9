"""Imports of heavy libraries: in threads, when a source needs them, one at a time."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

import_lock = threading.Lock()
"""Held while importing: threads that import packages with shared dependencies could see each other's

partly initialised modules.
"""


@contextmanager
def import_without_gc() -> Iterator[None]:
    """Import within the block, one thread at a time and without garbage collection.

    A provider's SDK consists of so many objects that collecting them would stop all threads for several
    frames. What was imported is never freed, so it is excluded from later collections too.
    """
    with import_lock:
        gc_was_enabled = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            if gc_was_enabled:
                gc.enable()
