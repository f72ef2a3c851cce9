"""A player's clock that a test moves."""

from __future__ import annotations

import asyncio


class FakePlayerClock:
    """Time that passes only while everybody waits for it, up to `until`."""

    def __init__(self) -> None:
        self.time = 0.0
        self.until = 0.0
        self.idle = asyncio.Event()

    def now(self) -> float:
        return self.time

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        if changed.is_set():
            return
        if seconds is not None and self.time + seconds <= self.until:
            self.time += seconds
            return
        self.time = max(self.time, self.until)
        self.idle.set()
        await changed.wait()
