"""A screen to be driven by hand: keys go in, what is on the screen comes out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from textual.app import App
    from textual.pilot import Pilot


class ScreenHarness:
    """An app, its pilot, and what the screen shows."""

    app: App[Any]
    pilot: Pilot[Any]

    @asynccontextmanager
    async def opened(self, width: int = 120, height: int = 35) -> AsyncIterator[Self]:
        async with self.app.run_test(size=(width, height)) as self.pilot:
            await self.settle()
            yield self

    async def settle(self) -> None:
        """Everything pending is painted, and every message handled."""
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    @property
    def rows(self) -> list[str]:
        """The rows of the whole screen."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)
