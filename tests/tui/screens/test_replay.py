"""The replay screen: what was seen is seen again, wherever one goes in it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain import events as ev
from debate_tui.tui.screens.debate_display import DebateDisplay
from debate_tui.tui.screens.verdict import VerdictScreen
from tests.tui.debate_harness import START, DebateHarness
from tests.tui.replay_harness import ReplayHarness, recorded_debate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event

EVENTS = recorded_debate()
OPENING, FIRST_REBUTTAL = 0.0, 12.0


async def seen_at(place: float, events: Sequence[Event] = EVENTS) -> str:
    """What a replay shows that was just opened there."""
    playback = ReplayHarness(events)
    playback.player.seek(place)
    async with playback.opened():
        await playback.press("space")
        return playback.text


async def test_text_appears_with_its_original_timing() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        assert "A city centre" not in playback.text
        await playback.pass_time(1)
        assert playback.text.count("A city centre") == 1
        await playback.pass_time(1)
        assert playback.text.count("A city centre") == 2
        assert "The car takes" not in playback.text


async def test_finished_replay_shows_what_the_live_screen_showed() -> None:
    board = DebateHarness(2)
    async with board.opened():
        for event in EVENTS:
            board.now = event.at
            board.log_events(event)
        await board.settle()
        live = board.rows
    async with ReplayHarness(EVENTS).opened(120, 36) as playback:
        await playback.pass_time(playback.player.playhead.length)
        assert playback.rows[1:-2] == live[1:-1]
        assert playback.rows[0].split() == [*live[0].split()[:-1], "replay"]
        assert "✓ complete" in playback.rows[0]


@pytest.mark.parametrize("seed", range(4))
async def test_seeking_shows_the_same_as_a_replay_opened_there(seed: int) -> None:
    rng = random.Random(seed)
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("space")
        for _ in range(5):
            place = rng.uniform(0, playback.player.playhead.length)
            playback.player.seek(place)
            await playback.settle()
            assert playback.text == await seen_at(place)


async def test_seeking_back_rebuilds_the_screen_in_one_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.pass_time(30)
        shown: list[int] = []
        rebuild = DebateDisplay.rebuild

        async def spy(self: DebateDisplay) -> None:
            await rebuild(self)
            shown.append(playback.screen.view.panes.panes[0].turn_text.line_count)

        monkeypatch.setattr(DebateDisplay, "rebuild", spy)
        await playback.pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await playback.settle()
        assert shown
        assert all(shown)


async def test_brackets_seek_by_turns() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("space", "right_square_bracket")
        assert playback.player.position == pytest.approx(FIRST_REBUTTAL)
        assert "Rebuttal 1/2" in playback.rows[0]
        await playback.press("left_square_bracket")
        assert playback.player.position == OPENING
        assert "Opening" in playback.rows[0]


@pytest.mark.parametrize("tenths", [0, 1, 5, 9])
async def test_digits_seek_to_tenths(tenths: int) -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("space", "7", str(tenths))
        assert playback.player.position == pytest.approx(playback.player.playhead.length * tenths / 10)


async def test_playback_bar_shows_speed_and_state() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        assert "▸ playing  0:00" in playback.rows[-2]
        assert playback.rows[-2].endswith("0:49  ·  1× ")
        await playback.press("full_stop", "full_stop")
        assert playback.rows[-2].endswith("4× ")
        await playback.press("comma", "comma", "comma", "space")
        assert "‖ paused" in playback.rows[-2]
        assert playback.rows[-2].endswith("0.5× ")
        await playback.pass_time(10)
        assert "0:00" in playback.rows[-2]
        assert playback.player.playhead.paused


async def test_space_plays_again_at_the_end() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.pass_time(playback.player.playhead.length)
        assert "■ ended" in playback.rows[-2]
        assert "space play" in playback.rows[-1]
        await playback.press("space")
        assert "▸ playing  0:00" in playback.rows[-2]
        await playback.pass_time(1)
        assert playback.text.count("A city centre") == 1


async def test_playback_bar_can_be_clicked_and_dragged() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("space")
        bar = playback.rows[-2]
        first, last = bar.index("●"), bar.rindex("─")
        await playback.pilot.mouse_down(offset=((first + last) // 2, 33))
        await playback.settle()
        assert playback.player.position == pytest.approx(playback.player.playhead.length / 2, rel=0.05)
        await playback.pilot.hover(offset=(last, 33))
        await playback.settle()
        assert "■ ended" in playback.rows[-2]
        await playback.pilot.mouse_up(offset=(last, 33))
        await playback.pilot.hover(offset=(first, 33))
        await playback.settle()
        assert "■ ended" in playback.rows[-2]


async def test_m_changes_the_mode_and_digits_do_not() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("m", "2")
        assert "synchronized  ·  replay" in playback.rows[0]


async def test_replay_takes_no_commands() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        for key in ("p", "x", "r", "i"):
            await playback.press(key)
            assert "A replay does not take commands" in playback.rows[-1]


async def test_seeking_back_keeps_reasoning_and_zoom() -> None:
    async with ReplayHarness(EVENTS).opened() as playback:
        await playback.press("space", "9", "t", "z", "1")
        assert "Which of the three" in playback.text
        assert "Ben" not in playback.text


async def test_scroll_position_is_kept_while_playing_but_not_after_seeking() -> None:
    async with ReplayHarness(EVENTS).opened(120, 20) as playback:
        await playback.pass_time(30)
        await playback.press("g")
        assert not playback.screen.view.panes.panes[0].turn_text.viewport.following
        await playback.pass_time(3)
        assert not playback.screen.view.panes.panes[0].turn_text.viewport.following
        await playback.press("right_square_bracket")
        assert playback.screen.view.panes.panes[0].turn_text.viewport.following


async def test_interrupted_record_is_played_to_its_end() -> None:
    broken = [event for event in EVENTS if event.at <= START + 20]
    async with ReplayHarness(broken).opened() as playback:
        await playback.pass_time(30)
        assert "■ ended" in playback.rows[-2]
        assert "complete" not in playback.rows[0]


async def test_recorded_pause_is_undone_by_seeking_before_it() -> None:
    board = DebateHarness(2).begin().phase().status("ada", "streaming").status("ben", "streaming")
    board.say("ada", "One. ").log_events(ev.DebatePaused(reason="user", debater=None), after=5)
    board.log_events(ev.DebateResumed(reason="user", debater=None), after=3).say("ada", "Two.")
    async with ReplayHarness(board.log._events).opened() as playback:
        await playback.pass_time(4)
        assert "‖ paused" in playback.rows[0]
        await playback.press("0")
        assert "‖ paused" not in playback.text
        await playback.pass_time(6)
        assert "Two." in playback.text
        assert "‖ paused" not in playback.text


async def test_replay_counts_its_own_row() -> None:
    async with ReplayHarness(recorded_debate(4), 4).opened(79, 17) as playback:
        assert "4 panes need 80×18 cells; you have 79×17" in " ".join(playback.text.split())


async def test_space_on_the_card_at_the_end_plays_again() -> None:
    voted = [*EVENTS[:-1], ev.Vote(when="after", voter="user", debater="ada"), EVENTS[-1]]
    numbered = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(voted, 1)]
    async with ReplayHarness(numbered).opened(80, 24) as playback:
        await playback.pass_time(playback.player.playhead.length)
        assert isinstance(playback.app.screen, VerdictScreen)
        assert "space play again" in playback.text
        await playback.press("space")
        assert not isinstance(playback.app.screen, VerdictScreen)
        assert playback.player.position == 0
        assert not playback.player.playhead.paused
        await playback.pass_time(playback.player.playhead.length)
        assert isinstance(playback.app.screen, VerdictScreen)
