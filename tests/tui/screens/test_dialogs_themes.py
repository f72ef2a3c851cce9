"""Themes: tried on, kept, and read again when their files change; and screens without colours."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from debate_tui.session.commands import Interject
from debate_tui.tui import base_app, themes
from debate_tui.tui.screens.dialogs import ThemeScreen
from debate_tui.tui.widgets.input_bars import SearchBar
from tests.tui.debate_harness import DebateHarness
from tests.tui.debate_states import all_states
from tests.tui.history_harness import HistoryHarness
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("frozen_clocks")


SHIPPED = sorted(path.stem for path in themes.bundled_folder().glob("*.toml"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own themes, looked at all the time."""
    monkeypatch.setattr(base_app, "THEME_POLL_SECONDS", 0)
    folder = tmp_path / "themes"
    folder.mkdir()
    return folder


def write_user_theme(folder: Path, colour: str, name: str = "mine") -> None:
    """Write a theme whose one peculiarity is its background."""
    text = (themes.bundled_folder() / "vigil.toml").read_text()
    text = text.replace('name = "vigil"', f'name = "{name}"')
    lines = [
        f'background = "{colour}"' if line.startswith("background ") else line for line in text.split("\n")
    ]
    draft = folder / "draft"
    draft.write_text("\n".join(lines))
    draft.replace(folder / f"{name}.toml")


async def wait_until(board: DebateHarness, condition: Callable[[], object]) -> None:
    while not condition():
        await board.pilot.pause()
    await board.settle()


def remembered_themes(board: DebateHarness) -> list[str]:
    """The themes that whoever remembers them is told of."""
    kept: list[str] = []
    board.app._on_theme = kept.append
    return kept


async def test_themes_are_tried_on_as_they_are_pointed_at_and_one_is_kept() -> None:
    async with DebateHarness(2).opened() as board:
        kept = remembered_themes(board)
        await board.press("T")
        assert all(name in board.text for name in SHIPPED)
        before = board.app.theme_variables["background"]
        await board.press("home")
        assert board.app.theme == SHIPPED[0]
        assert board.app.theme_variables["background"] != before
        assert kept == []
        await board.press("enter")
        assert kept == [SHIPPED[0]]
        assert not isinstance(board.app.screen, ThemeScreen)
        assert board.app.theme == SHIPPED[0]


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_left_without_a_choice_the_theme_is_what_it_was(key: str) -> None:
    async with DebateHarness(2).opened() as board:
        kept = remembered_themes(board)
        await board.press("T", "down", "down", key)
        assert board.app.theme == "vigil"
        assert kept == []
        assert not isinstance(board.app.screen, ThemeScreen)


async def test_textual_themes_are_listed_and_the_mouse_selects() -> None:
    async with DebateHarness(2).opened(80, 24) as board:
        kept = remembered_themes(board)
        await board.press("T", "end")
        assert board.app.theme not in SHIPPED
        rows = board.rows
        y = next(place for place, row in enumerate(rows) if "❯" in row) - 1
        await board.pilot.click(offset=(60, y))
        await board.settle()
        assert kept == [board.app.theme]
        assert board.app.theme in rows[y]


async def test_text_goes_on_under_it() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("T")
        board.say("ada", "Speaking on.")
        await board.settle()
        assert board.pane_text("ada").endswith("Speaking on.")
        assert "Speaking on." in board.text


async def test_a_capital_letter_is_a_letter_where_text_is_typed() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("i", "T", "enter")
        assert board.commands == [Interject("T")]


async def test_it_opens_over_the_history_too() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("T", "home", "enter")
        assert history.app.theme == SHIPPED[0]


async def test_a_new_user_theme_is_listed_at_once_and_follows_edits(folder: Path) -> None:
    async with DebateHarness(2, user_themes=folder).opened() as board:
        write_user_theme(folder, "#101010")
        await wait_until(board, lambda: "mine" in board.app.available_themes)
        board.app.theme = "mine"
        await wait_until(board, lambda: board.app.theme_variables["background"] == "#101010")
        write_user_theme(folder, "#202020")
        await wait_until(board, lambda: board.app.theme_variables["background"] == "#202020")
        assert board.screen.styles.background.hex == "#202020"


async def test_a_theme_that_is_gone_is_taken_off(folder: Path) -> None:
    write_user_theme(folder, "#101010")
    async with DebateHarness(2, user_themes=folder, theme="mine").opened() as board:
        assert board.app.theme == "mine"
        shutil.rmtree(folder)
        await wait_until(board, lambda: board.app.theme == "vigil")
        assert "No theme named 'mine'." in board.text


async def test_what_is_wrong_with_a_theme_is_said_until_it_is_put_right(folder: Path) -> None:
    write_user_theme(folder, "#101010")
    async with DebateHarness(2, user_themes=folder, theme="mine").opened() as board:
        write_user_theme(folder, "rainbow")
        await wait_until(board, lambda: "mine.toml" in board.text)
        assert "Theme not loaded" in board.text
        write_user_theme(folder, "#303030")
        await wait_until(board, lambda: "Theme not loaded" not in board.text)


async def test_without_colours_nothing_is_coloured_and_the_next_screen_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with DebateHarness(4).opened(160, 45) as board:
        all_states(board)
        await board.settle()
        await board.press("slash", *"the", "enter")
        for strip in board.app.screen._compositor.render_strips():
            for _, style, _ in strip:
                assert style is None or (style.color is None and style.bgcolor is None)
    assert os.environ["NO_COLOR"] == "1"


async def test_an_empty_no_color_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    async with DebateHarness(2).opened() as board:
        assert not board.app.no_color
        styles = [style for strip in board.app.screen._compositor.render_strips() for _, style, _ in strip]
        assert any(style is not None and style.color is not None for style in styles)
    assert "NO_COLOR" not in os.environ


async def test_cursors_stand_still_where_animations_are_not_wanted() -> None:
    board = DebateHarness(2)
    board.app.animation_level = "none"
    async with board.opened():
        await board.press("slash")
        assert not board.screen.query_one(SearchBar).input.cursor_blink


@at_every_size_and_theme
def test_looks(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2, theme=theme), size, all_states, "T")
