"""A debate written to a new file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.domain.errors import DebateError
from debate_tui.domain.exports import export, filename
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import Form

MOST_ALIKE = 1000
"""How many files of one name there may be before something must be wrong."""


async def write(events: Sequence[Event], form: Form, folder: Path) -> Path:
    """Export a debate into a folder, under a name of its own; no file is ever overwritten.

    Raises `DebateError` where that cannot be done.
    """
    return await asyncio.to_thread(_write, events, form, folder)


def named(path: Path) -> str:
    """A path as people say it."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):
        return str(path)


def _write(events: Sequence[Event], form: Form, folder: Path) -> Path:
    text = export(events, form)
    name = Path(filename(Transcript(events), form))
    for number in range(1, MOST_ALIKE):
        path = folder / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise DebateError(f"Not written: {error.strerror}: {named(path)}") from None
        return path
    raise DebateError(f"{named(folder)} has {MOST_ALIKE} files called {name} already.")
