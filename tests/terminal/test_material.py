"""The material in a real terminal, of a recorded debate and of one that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.domain.events import DebateStarted
from debate_tui.record.log import MemoryLog
from tests.sample_material import POLICY, sample_material
from tests.server.running_server import running_server
from tests.server.test_material import debate_with_material
from tests.stored_debate import store_debate
from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal
from tests.tui.replay_harness import recorded_debate

if TYPE_CHECKING:
    from pathlib import Path

MATERIAL = sample_material("ben")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 35), (200, 50)])
async def test_it_is_read_beside_a_replay_or_over_it(columns: int, rows: int) -> None:
    started, *rest = recorded_debate()
    assert isinstance(started, DebateStarted)
    first = replace(started, material=tuple(each.info for each in MATERIAL))
    await store_debate([first, *rest], material=MATERIAL)
    async with run_in_terminal("history", "cafe", columns=columns, rows=rows) as terminal:
        await terminal.wait_for_text("nearness")
        terminal.press("c")
        display = await terminal.wait_for_text("4 texts", "only for Ben", "forty euros", "two euros")
        assert ("nearness" in display.text) == (columns > 80)
        assert b"\x1b]0;pwned" not in display.raw
        terminal.press("]")
        await terminal.wait_for_text("def fee(zone: int) -> int:", "    return 20")
        terminal.press("/two euros\r")
        await terminal.wait_for_text("1 of 1", "two euros in the centre")
        terminal.press("\x1b\x1b")
        await terminal.wait_until(
            lambda display: "4 texts" not in display.text and "nearness" in display.text
        )
        terminal.press("q")
        await terminal.wait_for_text("Recorded debates")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


async def test_a_viewer_reads_what_all_debaters_were_given() -> None:
    async with running_server() as here:
        here.hub.host("d1", MemoryLog(debate_with_material(), material=sample_material("a")))
        async with run_in_terminal("watch", here.url, columns=120, rows=35) as terminal:
            await terminal.wait_for_text("Tea or coffee?", "c material")
            terminal.press("c")
            display = await terminal.wait_for_text("3 texts", "policy.md", "forty euros")
            assert "wombat" not in display.text
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0


async def test_it_is_read_while_the_debaters_speak(tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text(POLICY, "utf-8")
    (tmp_path / "notes.txt").write_text("Nobody else knows.", "utf-8")
    given = ("--context", str(tmp_path / "policy.md"), "--context-for", f"Ben={tmp_path / 'notes.txt'}")
    async with (
        ControlledEndpoints("Ada", "Ben") as feeds,
        run_in_terminal("Where?", *feeds.debater_options, *given, columns=120, rows=35) as terminal,
    ):
        feeds.say("Ada", "First. ")
        await terminal.wait_for_text("First.", "c material")
        terminal.press("c")
        await terminal.wait_for_text("2 texts", "[2] notes.txt", "only for Ben", "two euros in the centre")
        feeds.say("Ada", "Second. ")
        feeds.say("Ben", "Third. ")
        await terminal.wait_for_text("First. Second.", "Third.", "two euros in the centre")
        terminal.resize(80, 24)
        await terminal.wait_until(lambda display: "First." not in display.text and "2 texts" in display.text)
        feeds.say("Ben", "Fourth.")
        terminal.press("c")
        await terminal.wait_for_text("First. Second.", "Third. Fourth.")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
