"""What a reader takes along: copies and exports."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.exports import EXPORT_TYPES, export_debate
from debate_tui.tui.screens.dialogs import ExportMenuScreen
from debate_tui.tui.widgets.footer import shorten_path
from tests.tui.debate_harness import SETUP, DebateHarness
from tests.tui.replay_harness import ReplayHarness, recorded_debate

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = dict(zip(EXPORT_TYPES, "mhjt", strict=True))


async def press_export(board: DebateHarness | ReplayHarness, *keys: str) -> None:
    """Press keys, and wait until what they export is written."""
    await board.press(*keys)
    for worker in list(board.app.workers):
        if worker.name == "export":
            await worker.wait()
    await board.settle()


async def test_copy_is_also_saved_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "state" / "copied.txt"
    async with DebateHarness(2, clipboard_file=file).opened(160, 35) as board:
        board.begin().phase().say("ada", "**Two** words\x1b[31m.")
        await board.settle()
        await board.press("y")
        assert board.app.clipboard == "**Two** words."
        assert file.read_text() == "**Two** words."
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"Copied 2 words; also in {file}" in board.rows[-1]
        board.say("ada", " And more.")
        await board.settle()
        await board.press("y")
        assert file.read_text() == "**Two** words. And more."


async def test_copy_works_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    async with DebateHarness(2, clipboard_file=tmp_path / "state" / "copied.txt").opened() as board:
        board.begin().phase().say("ada", "Word.")
        await board.settle()
        await board.press("y")
        assert board.rows[-1].startswith(" Copied 1 word ")


async def test_mouse_selection_is_copied() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "One two *three* four.\n\nFive.")
        await board.settle()
        y = next(place for place, row in enumerate(board.rows) if "One two" in row)
        x = board.rows[y].index("two")
        await board.pilot.mouse_down(offset=(x, y))
        await board.pilot.hover(offset=(x + 4, y))
        await board.pilot.mouse_up(offset=(x + 8, y))
        await board.settle()
        assert board.app.clipboard == "two three"
        assert "Copied 2 words" in board.rows[-1]


async def test_click_copies_nothing() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "One two three.")
        await board.settle()
        await board.pilot.click(offset=(3, 8))
        await board.settle()
        assert board.app.clipboard == ""


@pytest.mark.parametrize("width", [80, 120, 200])
async def test_name_of_an_exported_file_is_never_cut(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "projects" / "philosophy-notes"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    async with DebateHarness(2).opened(width, 24) as board:
        board.begin().phase()
        await press_export(board, "e", "m")
        (file,) = folder.glob("debate-*")
        assert len(file.name) > 60
        assert file.name in board.rows[-1]
        assert "Saved …/" in board.rows[-1] or f"Saved {file}" in board.rows[-1]


def test_path_loses_its_first_folders_first() -> None:
    path = "~/notes/philosophy/debate.md"
    assert shorten_path(path, 28, "…") == path
    assert shorten_path(path, 27, "…") == "…/philosophy/debate.md"
    assert shorten_path(path, 12, "…") == "…/debate.md"
    assert shorten_path("/a/b/c.md", 7, "...") == "...c.md"
    assert shorten_path(path, 8, "…") == "…bate.md"


@pytest.mark.parametrize("form", EXPORT_TYPES)
async def test_running_debate_is_exported_so_far(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with DebateHarness(2).opened(200, 35) as board:
        board.begin().phase().say("ada", "So far, so good.")
        await press_export(board, "e", LETTERS[form])
        (file,) = tmp_path.glob("debate-*")
        assert file.read_text() == export_debate(board.log._events, form)
        assert f"Saved {file}"[:60] in board.rows[-1]


async def test_export_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with DebateHarness(2).opened() as board:
        board.begin()
        for _ in range(3):
            await press_export(board, "e", "t")
        assert len(list(tmp_path.glob("debate-*"))) == 3


async def test_unwritable_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("debate_tui.tui.screens.export.Path.cwd", lambda: tmp_path / "gone")
    async with DebateHarness(2).opened(160, 35) as board:
        board.begin()
        await press_export(board, "e", "enter")
        assert "Cannot write" in board.rows[-1]


async def test_export_menu_can_be_closed_and_clicked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with DebateHarness(2).opened(80, 24) as board:
        board.begin()
        await press_export(board, "e", "escape")
        assert not isinstance(board.app.screen, ExportMenuScreen)
        await board.press("e")
        rows = board.rows
        y = next(place for place, row in enumerate(rows) if "JSON" in row)
        await board.pilot.click(offset=(rows[y].index("JSON"), y))
        await board.settle()  # the menu closes
        await press_export(board)
        (file,) = tmp_path.glob("debate-*")
        assert file.suffix == ".json"
        await board.press("e")
        await board.pilot.click(offset=(1, 1))
        await board.settle()
        assert not isinstance(board.app.screen, ExportMenuScreen)


async def test_replay_is_exported_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with ReplayHarness(recorded_debate()).opened() as playback:
        await press_export(playback, "e", "t")
        (file,) = tmp_path.glob("debate-*")
        assert file.read_text() == export_debate(recorded_debate(), "txt")


async def test_prompts_are_exported_where_the_setup_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with DebateHarness(2, read_setup=lambda: SETUP).opened(200, 35) as board:
        board.begin().phase().status("ada", "connecting")
        await board.press("e")
        assert "Prompts" in "\n".join(board.rows)
        await press_export(board, "p")
        (file,) = tmp_path.glob("debate-*.prompts.md")
        assert "Ada (for), turn 1" in file.read_text()
        await press_export(board, "e", "p")
        assert len(list(tmp_path.glob("debate-*-2.md"))) == 1


async def test_prompts_are_not_offered_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with DebateHarness(2).opened(200, 35) as board:
        board.begin()
        await press_export(board, "e", "p")
        assert "Prompts" not in "\n".join(board.rows)
        assert not list(tmp_path.glob("debate-*"))
