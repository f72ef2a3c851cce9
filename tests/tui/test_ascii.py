"""Where only ASCII can be shown, the program paints nothing else, on any screen."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.sources.demo import DEMO_NOTICE
from debate_tui.tui.setup_form import DebateSetup
from tests.tui.debate_harness import DebateHarness, SourceSwaps
from tests.tui.history_harness import HistoryHarness
from tests.tui.judged_debates import add_consensus, add_judged_debate, add_ranking
from tests.tui.replay_harness import ReplayHarness, recorded_debate
from tests.tui.start_harness import StartHarness
from tests.tui.watch_board import watch_board

SIZES = [(80, 24), (120, 35), (200, 50), (44, 14)]
RESET = FaultReport(FaultKind.NETWORK, "Connection reset by peer, and that is all there is to say of it " * 3)

OVER_A_DEBATE = {
    "help": ("question_mark",),
    "statistics": ("s",),
    "export": ("e",),
    "themes": ("T",),
    "moderating": ("M",),
    "words asked for": ("M", "w"),
    "another source": ("M", "o"),
    "a wrong source": ("M", "o", "x", "enter"),
    "the end": ("M", "e"),
    "a remark": ("i", *"abc"),
    "a search": ("slash", *"city"),
    "matches": ("slash", *"city", "enter"),
    "a fault": ("tab", "enter"),
    "another mode": ("m",),
    "copied": ("y",),
    "paused": ("space",),
    "zoomed": ("z",),
    "thinking": ("t",),
    "scrolled": ("g",),
}


def non_ascii_text(text: str) -> str:
    return "".join(sorted({character for character in text if not character.isascii()}))


def ascii_debate(**options: object) -> DebateHarness:
    return DebateHarness(
        4,
        ascii=True,
        notice=DEMO_NOTICE,
        sharing_notice="Shared at http://127.0.0.1:8484/d",
        swap_source=SourceSwaps(),
        **options,
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("case", OVER_A_DEBATE)
async def test_a_debate_and_all_that_opens_over_it(case: str, size: tuple[int, int]) -> None:
    async with ascii_debate().opened(*size) as board:
        board.begin().phase("rebuttal", 1, 2)
        for debater in board.debaters:
            board.status(debater.id, "streaming").say(debater.id, "# A city\n\n* one\n\n> two\n\n" * 20)
        board.say("ada", "Thinking of it.", reasoning=True)
        board.status("ben", "reconnecting", retry=1, wait_ms=9000, error=RESET)
        board.end("cleo", "refused").end("dara", "failed", error=RESET)
        await board.settle()
        await board.press(*OVER_A_DEBATE[case])
        assert non_ascii_text(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("play", [add_judged_debate, add_consensus, add_ranking])
async def test_the_verdict(play: object, size: tuple[int, int]) -> None:
    async with DebateHarness(3, ascii=True, asks_for_votes=True).opened(*size) as board:
        assert non_ascii_text(board.text) == ""
        play(board).log_events(ev.DebateFinished(reason="complete"))  # type: ignore[operator]
        await board.settle()
        assert non_ascii_text(board.text) == ""
        await board.press("escape", "v")
        assert non_ascii_text(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_replay(size: tuple[int, int]) -> None:
    async with ReplayHarness(recorded_debate(), ascii=True).opened(*size) as playback:
        for keys in (("right_square_bracket",), ("question_mark",), ("escape", "s"), ("escape", "9")):
            await playback.press(*keys)
            assert non_ascii_text(playback.text) == ""


async def test_somebody_else_s_debate() -> None:
    async with watch_board(ascii=True).opened() as board:
        await board.press("question_mark")
        assert non_ascii_text(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_history(size: tuple[int, int]) -> None:
    async with HistoryHarness(ascii=True).opened(*size) as history:
        history.screen._summaries = history.screen._summaries[:4]
        history.screen._show_debates()
        for keys in (("down",), ("e",), ("escape", "d"), ("escape", "slash", *"zzz")):
            await history.press(*keys)
            assert non_ascii_text(history.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_start_screen(size: tuple[int, int]) -> None:
    async with StartHarness(DebateSetup(topic="", format="british-parliamentary"), ascii=True).opened(
        *size
    ) as start:
        assert non_ascii_text(start.text) == ""
        await start.press("tab")
        for _ in range(9):
            for key in ("enter", "escape", "e", "escape", "down"):
                await start.press(key)
                assert non_ascii_text(start.text) == ""
        await start.press("escape", "x", "enter")
        assert non_ascii_text(start.text) == ""
