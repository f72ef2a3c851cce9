"""Copies of turns to the clipboard, and exports of the debate to new files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.config import write_private_file
from debate_tui.domain.errors import DebateError
from debate_tui.domain.transcript import Transcript
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import ExportType
    from debate_tui.domain.material import Material
    from debate_tui.tui.screens.debate_view import DebateView

MAX_SAME_NAME_FILES = 1000
"""Number of files with the same name after which an export fails."""


class ExportController(Controller):
    """The keys that copy and export; `read_events` returns all events of the debate so far."""

    def __init__(self, view: DebateView, read_events: Callable[[], Awaitable[Sequence[Event]]]) -> None:
        self._view = view
        self._read_events = read_events

    async def action_copy_turn(self) -> None:
        """Copy the current debater's latest answer."""
        pane = self._view.panes.current
        if pane.content.answer:
            await self.copy(pane.content.answer)
        else:
            self._view.show_message(f"{self._view.debater_name(pane.state.id)} has not said anything yet")

    async def action_copy_debate(self) -> None:
        """Copy the whole debate so far as Markdown."""
        from debate_tui.domain.exports import export_debate

        events = await self._read_events()
        try:
            text = await asyncio.to_thread(export_debate, events, "md")  # it only lists the material
        except DebateError as error:
            self._view.show_message(error.message, Tone.FAILED)
        else:
            await self.copy(text)

    async def copy(self, text: str) -> None:
        """Copy a text and show how much.

        The copy is sent as an escape sequence (OSC 52), which also works over ssh. But terminals do not
        confirm it, and some ignore it. So the text is also written to a file, which only its owner can read
        and which holds only the latest copy.
        """
        self._view.screen.app.copy_to_clipboard(text)
        words = len(text.split())
        message, file = (
            f"Copied {words} {'word' if words == 1 else 'words'}",
            self._view.options.clipboard_file,
        )
        if file is not None and await asyncio.to_thread(_write_private_file, text, file):
            self._view.show_message(f"{message}; also in ", Tone.FINISHED, path=display_path(file))
        else:
            self._view.show_message(message, Tone.FINISHED)

    def action_open_menu(self) -> None:
        """Ask for a file type and export the debate so far."""
        from debate_tui.domain.exports import EXPORT_TYPES
        from debate_tui.tui.screens.dialogs import ExportMenuScreen

        screen = self._view.screen
        types = EXPORT_TYPES if self._view.options.read_setup is None else (*EXPORT_TYPES, "prompts")

        def export(index: int | None) -> None:
            if index is not None:
                screen.run_worker(self._export(types[index]), name="export")

        screen.app.push_screen(ExportMenuScreen(self._view.glyphs, types), export)

    async def _export(self, form: ExportType) -> None:
        try:
            read_setup = self._view.options.read_setup
            setup = read_setup() if read_setup is not None and form == "prompts" else ""
            has_texts = form not in ("md", "txt")  # these only list the material
            material = await self._view.follower.read_material() if has_texts else ()
            path = await export_to_folder(
                await self._read_events(), form, Path.cwd(), setup=setup, material=material
            )
        except DebateError as error:
            self._view.show_message(error.message, Tone.FAILED)
        else:
            self._view.show_message("Saved ", Tone.FINISHED, path=display_path(path))


async def export_to_folder(
    events: Sequence[Event],
    form: ExportType,
    folder: Path,
    *,
    setup: str = "",
    material: Sequence[Material] = (),
) -> Path:
    """Export a debate to a new file in a folder and return its path; never overwrite a file.

    See `export_debate`. Raise `DebateError` if the file cannot be written.
    """
    from debate_tui.domain.exports import export_debate, export_filename

    text = await asyncio.to_thread(export_debate, events, form, setup=setup, material=material)
    return await asyncio.to_thread(_write_new_file, text, export_filename(Transcript(events), form), folder)


def display_path(path: Path) -> str:
    """Return a path for display, with ``~`` for the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):
        return str(path)


def _write_new_file(text: str, filename: str, folder: Path) -> Path:
    name = Path(filename)
    for number in range(1, MAX_SAME_NAME_FILES):
        path = folder / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise DebateError(f"Cannot write {display_path(path)}: {error.strerror}.") from None
        return path
    raise DebateError(f"{display_path(folder)} already has {MAX_SAME_NAME_FILES} files named {name}.")


def _write_private_file(text: str, file: Path) -> bool:
    try:
        write_private_file(file, text.encode("utf-8", "replace"))
    except OSError:
        return False
    return True
