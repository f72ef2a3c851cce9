"""Heavy libraries are imported in threads, when a source needs them; never two at a time."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

import_lock = threading.Lock()
"""Held while importing: two threads that import packages which share dependencies can see each other's
half-made modules."""


@contextmanager
def import_without_gc() -> Iterator[None]:
    """Import within the block, alone, and without garbage collection, now or later.

    A provider's SDK is made of so many objects that a collection of them stops all threads for as long as
    several frames take. What was imported stays, so that it need never be looked through again.
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
