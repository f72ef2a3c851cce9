"""The debate log: an ordered, append-only list of events, and the only truth about a debate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from debate_tui.domain.events import Event


class DebateLog(Protocol):
    """Where events go, and where every view of a debate gets them from."""

    def append(self, event: Event) -> Event:
        """Give the event its `seq` and time, tell the listeners, and return it as logged.

        Never waits: an event is durable within 100 ms of this call, where the log is durable at all.
        """
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event appended from now on, in order; returns how to stop it."""
        ...

    async def read(self, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        """The events with `seq` greater than `after`, oldest first, at most `limit` of them."""
        ...

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """The events after `after` in batches, then new ones as they come, until the debate is over."""
        ...

    async def aclose(self) -> None:
        """Make everything appended durable and let go of the store."""
        ...
