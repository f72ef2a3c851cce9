"""The history screen: debates are found, opened, taken up, exported and deleted."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.tui.screens.history import HistorySelection
from debate_tui.tui.widgets import debate_list
from tests.tui.debate_harness import START
from tests.tui.history_harness import HistoryHarness
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(debate_list, "time", SimpleNamespace(time=lambda: START + 3600))


async def test_it_lists_topic_time_format_debaters_and_ending() -> None:
    async with HistoryHarness().opened() as history:
        assert "5 debates, newest first" in history.rows[0]
        assert "❯ Should cities ban private cars" in history.text
        for told in (
            "✓ complete · For wins · today 06:00",
            "✂ interrupted",
            "■ stopped",
            "✗ failed",
        ):
            assert told in history.text
        assert "yesterday 13:12" in history.text


async def test_details_are_told_where_there_is_room() -> None:
    async with HistoryHarness().opened() as history:
        assert "anthropic" not in history.text
        assert "gpt-5.2" in history.text
        assert "events      1,204" in history.text
        await history.press("down")
        assert "qwen3:32b" in history.text
        await history.pilot.resize_terminal(80, 24)
        await history.pilot.pause()
        assert "qwen3:32b" not in history.text
        assert "❯ Is Pluto a planet?" in history.text


async def test_typing_narrows_the_list_down_and_escape_shows_all() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("slash", *"pluto")
        assert "1 of 5 debates" in history.rows[0]
        assert "Should cities" not in history.text
        assert history.chosen == "00000001"
        await history.press(*"x")
        assert "No debate matches “plutox”." in history.text
        assert history.chosen == ""
        await history.press("enter")
        assert history.app.is_running
        await history.press("escape")
        assert "5 debates" in history.rows[0]
        assert history.screen.focused is history.screen._debate_list


async def test_what_is_pointed_at_stays_pointed_at_while_typing() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("down", "down", "slash", *"oxford")
        assert history.chosen == "00000002"


async def test_arrows_choose_while_typing() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("slash", *"oxford", "down", "down", "enter")
        assert history.app.return_value == HistorySelection("00000002", "read", "oxford")


async def test_letters_in_the_filter_are_letters() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("slash", *"qdec", "slash")
        assert history.app.is_running
        assert history.screen._filter_bar.input.value == "qdec/"


@pytest.mark.parametrize(
    ("keys", "visit"),
    [
        (("enter",), HistorySelection("00000000", "read", "")),
        (("down", "c"), HistorySelection("00000001", "continue", "")),
        (("slash", *"tabs", "enter"), HistorySelection("00000002", "read", "tabs")),
        (("end", "up", "space"), HistorySelection("00000003", "play", "")),
        (("q",), None),
    ],
)
async def test_it_is_left_for_what_the_user_wants_to_see(
    keys: tuple[str, ...], visit: HistorySelection | None
) -> None:
    async with HistoryHarness().opened() as history:
        await history.press(*keys)
        assert history.app.return_value == visit
        assert not history.app.is_running


async def test_it_comes_back_as_it_was() -> None:
    async with HistoryHarness(words="planet", at="00000001").opened() as history:
        assert "1 of 5" in history.rows[0]
        assert history.chosen == "00000001"


async def test_two_clicks_open_a_debate() -> None:
    async with HistoryHarness().opened() as history:
        await history.pilot.click(offset=(10, 6))
        assert history.chosen == "00000001"
        await history.pilot.click(offset=(10, 6), times=2)
        await history.pilot.pause()
        assert history.app.return_value == HistorySelection("00000001", "read", "")


async def test_the_footers_keys_are_buttons() -> None:
    async with HistoryHarness().opened() as history:
        await history.pilot.click(offset=(history.rows[-1].index("/ filter"), 34))
        await history.pilot.pause()
        assert history.screen._filter_bar.input.has_focus


async def test_a_complete_debate_is_not_continued_and_trouble_is_said() -> None:
    async with HistoryHarness().opened() as history:
        assert "c resume" not in history.rows[-1]
        await history.press("c")
        assert "complete" in history.rows[-1]
        history.archive.trouble = DebateError("The address of Ada had a secret in it.", "Hold a new one.")
        await history.press("down", "c")
        assert "The address of Ada had a secret in it. Hold a new one." in history.rows[-1]
        assert history.app.is_running


async def test_a_debate_that_is_being_held_elsewhere_is_live_and_only_to_be_looked_at() -> None:
    async with HistoryHarness(live=1).opened() as history:
        assert "▸ live" in history.text
        assert "interrupted" not in history.text
        await history.press("down")
        assert "last event" in history.text
        assert "enter read   space play   e export" in history.rows[-1]
        assert "? help" in history.rows[-1]
        history.archive.trouble = DebateError("The debate is running in another program.")
        await history.press("c")
        assert "running in another program" in history.rows[-1]
        await history.press("d", "y")
        assert "running in another program" in history.rows[-1]
        assert len(history.archive.kept) == 5


async def test_deleting_is_confirmed_and_done_at_once() -> None:
    async with HistoryHarness().opened() as history:
        await history.press("d")
        assert "Delete “Should cities ban private cars" in history.text
        await history.press("enter")
        assert len(history.archive.kept) == 5
        await history.press("d", "escape", "d", "n")
        assert len(history.archive.kept) == 5
        await history.press("delete", "y")
        assert history.archive.kept[0].debate == "00000001"
        assert history.chosen == "00000001"
        assert "4 debates" in history.rows[0]
        assert "Deleted" in history.rows[-1]


async def test_when_the_last_one_is_deleted_there_is_nothing_to_point_at() -> None:
    async with HistoryHarness(1).opened() as history:
        await history.press("d", "y")
        assert "No debates recorded." in history.text
        for key in ("enter", "c", "e", "d", "down", "end"):
            await history.press(key)
        assert history.app.is_running
        assert len(history.app.screen_stack) == 1


@pytest.mark.parametrize(
    ("key", "suffix"), [("m", "md"), ("h", "html"), ("j", "json"), ("t", "txt"), ("p", "prompts.md")]
)
async def test_it_exports_into_the_present_folder_and_says_where(
    key: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with HistoryHarness().opened() as history:
        await history.press("e", key)
        (file,) = tmp_path.glob("debate-*")
        assert file.name.endswith(f".{suffix}")
        assert "Wrote " in history.text
        assert file.name in history.text
        await history.press("e", key)
        assert len(list(tmp_path.glob("debate-*"))) == 2


async def test_what_cannot_be_done_is_said() -> None:
    async with HistoryHarness().opened() as history:
        history.archive.trouble = DebateError("the record is locked by another program")
        for keys in (("e", "m"), ("d", "y")):
            await history.press(*keys)
            assert "the record is locked by another program" in history.rows[-1]


async def test_long_lists_scroll() -> None:
    async with HistoryHarness(60).opened(80, 24) as history:
        await history.press("end")
        assert history.chosen == f"{59:08x}"
        assert "(59)" in history.text
        await history.press("pageup", "g")
        assert history.chosen == f"{0:08x}"
        await history.press(*("down",) * 12)
        assert "❯" in history.text


@at_every_size_and_theme
def test_looks(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(HistoryHarness(30, theme=theme).app, terminal_size=size, press=["down"])


@at_every_size_and_theme
@pytest.mark.parametrize("keys", [("e",), ("d",), ("slash", "p", "l")], ids="-".join)
def test_looks_when_asked(
    snap_compare: Snap, size: tuple[int, int], theme: str, keys: tuple[str, ...]
) -> None:
    assert snap_compare(HistoryHarness(live=1, theme=theme).app, terminal_size=size, press=keys)


def test_looks_in_ascii(snap_compare: Snap) -> None:
    assert snap_compare(HistoryHarness(ascii=True).app, terminal_size=(120, 35), press=["e"])


async def test_it_tells_who_won_how_long_it_took_and_what_it_cost() -> None:
    async with HistoryHarness().opened(140, 40) as history:
        assert "✓ complete · For wins · today 06:00" in history.text
        assert "outcome     For wins" in history.text
        assert "cost        $0.0062+" in history.text
        await history.press("down")
        assert "outcome     not judged" in history.text
        assert "cost        $0.0160" in history.text


async def test_from_the_start_screen_escape_leads_back() -> None:
    async with HistoryHarness(from_start=True).opened() as history:
        assert "esc new debate" in history.rows[-1]
        await history.press("slash", *"tabs", "escape")
        assert history.app.is_running
        await history.press("escape")
        assert history.app.return_value == HistorySelection("", "back", "")
    async with HistoryHarness().opened() as history:
        await history.press("escape")
        assert history.app.is_running


async def test_a_debate_that_cannot_be_read_is_listed_all_the_same() -> None:
    harness = HistoryHarness()
    harness.archive.trouble = DebateError("The record is damaged.")
    async with harness.opened() as history:
        assert "✓ complete · today 06:00 · oxford" in history.text
