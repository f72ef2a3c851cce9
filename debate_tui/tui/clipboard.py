"""Copying: to the terminal's clipboard, and into a file where the terminal may have none."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from debate_tui.tui.export_file import display_path

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App


async def copy_text(app: App[Any], text: str, clipboard_file: Path | None) -> tuple[str, str]:
    """Copy a text; gives what to say of it, and the path to say behind that.

    Terminals take copies as an escape sequence (OSC 52), over ssh too, but none of them answers, and some do
    not listen. So the text is in `file` as well, for its owner's eyes only, in place of the one before.
    """
    app.copy_to_clipboard(text)
    words = len(text.split())
    said = f"Copied {words} {'word' if words == 1 else 'words'}"
    if clipboard_file is not None and await asyncio.to_thread(_write_private_file, text, clipboard_file):
        return f"{said}; also in ", display_path(clipboard_file)
    return said, ""


def _write_private_file(text: str, file: Path) -> bool:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as kept:
            kept.write(text)
    except OSError:
        return False
    return True
