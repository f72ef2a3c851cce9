"""How far the terminal is behind: what Textual has written and the terminal has not yet taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App


def backlog(app: App[Any]) -> int:
    """How many writes wait for the terminal; 0 where there is none, or where that cannot be known.

    Textual (8.2) queues up to 30 writes and then blocks the event loop, keys and all. It has no public way
    to look at that queue.
    """
    writer = getattr(app._driver, "_writer_thread", None)  # noqa: SLF001
    queue = getattr(writer, "_queue", None)
    return int(queue.qsize()) if queue is not None else 0
