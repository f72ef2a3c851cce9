"""Exports to new files, and copies to the clipboard and to a file for terminals without one."""

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


# Exports to new files.


MAX_SAME_NAME_FILES = 1000
"""Number of files with the same name after which an export fails."""


async def export_to_folder(events: Sequence[Event], form: ExportType, folder: Path) -> Path:
    """Export a debate to a new file in a folder and return its path; never overwrite a file.

    Raise `DebateError` if the file cannot be written.
    """
    return await asyncio.to_thread(_write_new_file, events, form, folder)


def display_path(path: Path) -> str:
    """Return a path for display, with ``~`` for the home folder."""
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
    """Copy a text; return the message to show and the path to show after it, if any.

    The copy is sent as an escape sequence (OSC 52), which also works over ssh. But terminals do not confirm
    it, and some ignore it. So the text is also written to `clipboard_file`, which only its owner can read and
    which holds only the latest copy.
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
