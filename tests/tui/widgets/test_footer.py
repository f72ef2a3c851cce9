"""Notices above the footer: what has to stay known, and what takes none of its room away."""

from __future__ import annotations

import pytest

from debate_tui.sources.demo import DEMO_NOTICE
from tests.tui.debate_harness import DebateHarness

ADDRESS = "Shared at http://debates-of-many-people.example:8484/debates/0a1b2c3d"
BAD = "Theme not loaded: bad.toml:1: Expected '=' after a key in a key/value pair. This is not valid TOML."
SCRIPTED = "Scripted demo: no model is speaking."


@pytest.mark.parametrize("width", [80, 100, 160])
async def test_sharing_notice_and_demo_notice_are_shown_in_full(width: int) -> None:
    async with DebateHarness(2, notice=DEMO_NOTICE, sharing_notice=ADDRESS).opened(width, 24) as board:
        assert f" {ADDRESS} " in board.text
        assert SCRIPTED in board.text
        if width > 80:
            assert "“topic”" in board.text


async def test_warning_comes_before_the_notices() -> None:
    async with DebateHarness(2, notice=DEMO_NOTICE, sharing_notice=ADDRESS).opened(80, 24) as board:
        board.app.warn(BAD)
        await board.settle()
        shown = board.text
        assert shown.index("Theme not loaded: bad.toml:1:") < shown.index(ADDRESS) < shown.index(SCRIPTED)
        board.app.warn("")
        await board.settle()
        assert "Theme not loaded" not in board.text


async def test_warning_gets_two_rows_and_the_notice_one() -> None:
    async with DebateHarness(2, notice=DEMO_NOTICE).opened(80, 24) as board:
        board.app.warn(BAD)
        await board.settle()
        assert board.rows[-4].startswith(" Theme not loaded:")
        assert "not valid TOML." in board.rows[-3]
        assert board.rows[-2].startswith(f" {SCRIPTED}")
