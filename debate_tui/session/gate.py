"""Whether a debater may be read from: closed while it, or the whole debate, is paused."""

from __future__ import annotations

import asyncio


class PauseGate:
    """Open until somebody closes it; several reasons may keep it closed at once."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._opened = asyncio.Event()
        self._opened.set()

    def is_closed(self) -> bool:
        """Whether at least one reason to wait stands."""
        return bool(self._reasons)

    def close(self, reason: str) -> None:
        """Give a reason to wait."""
        self._reasons.add(reason)
        self._opened.clear()

    def open(self, reason: str) -> None:
        """Take one reason back; the gate opens when none is left."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._opened.set()

    async def wait_until_open(self) -> None:
        """Wait until the gate is open."""
        await self._opened.wait()
