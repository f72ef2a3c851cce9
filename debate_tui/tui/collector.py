"""When garbage is collected: not while text streams.

A full collection looks at every object there is and holds the screen for tens of milliseconds. What is built
before the first frame lives as long as the program and need not be looked at again; the rest can wait for
the pause between two rounds.
"""

from __future__ import annotations

import gc

UNREACHABLE_THRESHOLD = 1_000_000
"""A threshold for full collections that is not reached."""


class GcScheduler:
    """Collects when it is told to; `restore` gives the interpreter its own ways back."""

    def __init__(self) -> None:
        self._original_threshold = gc.get_threshold()

    def disable(self) -> None:
        """Nothing is garbage yet."""
        gc.disable()

    def enable_without_full_collections(self) -> None:
        """All that was built so far is here to stay."""
        gc.freeze()
        gc.set_threshold(*self._original_threshold[:2], UNREACHABLE_THRESHOLD)
        gc.enable()

    def collect_now(self) -> None:
        """Nothing streams now."""
        gc.collect()

    def restore(self) -> None:
        """The program goes on without a screen."""
        gc.set_threshold(*self._original_threshold)
        gc.unfreeze()
        gc.enable()
