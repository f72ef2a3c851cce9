"""A line to type in."""

from __future__ import annotations

from textual.widgets import Input


class Entry(Input):
    """One row without a frame; its cursor stands still where animations are not wanted."""

    DEFAULT_CSS = """
    Entry, Entry:focus {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: $surface;
    }
    """

    def on_mount(self) -> None:
        """Heed ``TEXTUAL_ANIMATIONS``."""
        self.cursor_blink = self.app.animation_level != "none"
