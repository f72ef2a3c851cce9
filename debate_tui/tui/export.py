"""Copying: to the terminal's clipboard, and into a file where the terminal may have none."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from debate_tui.config import write_private_file
from debate_tui.domain.errors import DebateError
from debate_tui.domain.exports import export_debate, export_filename
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import ExportType


# A debate written to a new file.


MAX_SAME_NAME_FILES = 1000
"""How many files of one name there may be before something must be wrong."""


async def export_to_folder(events: Sequence[Event], form: ExportType, folder: Path) -> Path:
    """Export a debate into a folder, under a name of its own; no file is ever overwritten.

    Raises `DebateError` where that cannot be done.
    """
    return await asyncio.to_thread(_write_new_file, events, form, folder)


def display_path(path: Path) -> str:
    """A path as people say it."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):
        return str(path)


def _write_new_file(events: Sequence[Event], form: ExportType, folder: Path) -> Path:
    text = export_debate(events, form)
    name = Path(export_filename(Transcript(events), form))
    for number in range(1, MAX_SAME_NAME_FILES):
        path = folder / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise DebateError(f"Not written: {error.strerror}: {display_path(path)}") from None
        return path
    raise DebateError(f"{display_path(folder)} has {MAX_SAME_NAME_FILES} files called {name} already.")


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
        write_private_file(file, text.encode("utf-8", "replace"))
    except OSError:
        return False
    return True
