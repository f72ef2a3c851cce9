"""A line to type in."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class LineInput(Input):
    """One row without a frame; its cursor stands still where animations are not wanted.

    Enter and Escape do what the screen's actions of these names do, before another key is looked at. They
    tell nobody by message: it would be heard too late for the keys that are typed right behind them.
    """

    DEFAULT_CSS = """
    LineInput, LineInput:focus {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, value: str = "", *, enter_action: str, escape_action: str, **kwargs: Any) -> None:
        super().__init__(value, **kwargs)
        self._enter_action = enter_action
        self._escape_action = escape_action

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return self.value.strip()

    def on_mount(self) -> None:
        """Heed ``TEXTUAL_ANIMATIONS``."""
        self.cursor_blink = self.app.animation_level != "none"

    async def action_submit(self) -> None:
        """What Enter does."""
        await self.run_action(f"screen.{self._enter_action}")

    async def action_leave(self) -> None:
        """What Escape does."""
        await self.run_action(f"screen.{self._escape_action}")
