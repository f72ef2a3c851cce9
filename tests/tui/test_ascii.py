"""Where only ASCII can be shown, the program paints nothing else, on any screen."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.sources.demo import NOTICE
from debate_tui.tui.proposal import Proposal
from tests.tui.board import Board
from tests.tui.playback import Playback, recorded
from tests.tui.starting import Start
from tests.tui.test_history_screen import History
from tests.tui.test_moderating import Swaps
from tests.tui.test_watch_screen import watching
from tests.tui.verdicts import agreed, judged, ranked

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


def foreign(text: str) -> str:
    return "".join(sorted({character for character in text if not character.isascii()}))


def debating(**options: object) -> Board:
    return Board(
        4, ascii=True, notice=NOTICE, shared="Shared at http://127.0.0.1:8484/d", swap=Swaps(), **options
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("case", OVER_A_DEBATE)
async def test_a_debate_and_all_that_opens_over_it(case: str, size: tuple[int, int]) -> None:
    async with debating().opened(*size) as board:
        board.begin().phase("rebuttal", 1, 2)
        for debater in board.cast:
            board.status(debater.id, "streaming").say(debater.id, "# A city\n\n* one\n\n> two\n\n" * 20)
        board.say("ada", "Thinking of it.", reasoning=True)
        board.status("ben", "reconnecting", retry=1, wait_ms=9000, error=RESET)
        board.end("cleo", "refused").end("dara", "failed", error=RESET)
        await board.settled()
        await board.press(*OVER_A_DEBATE[case])
        assert foreign(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("play", [judged, agreed, ranked])
async def test_the_verdict(play: object, size: tuple[int, int]) -> None:
    async with Board(3, ascii=True, votes=True).opened(*size) as board:
        assert foreign(board.text) == ""
        play(board).tell(ev.DebateFinished(reason="complete"))  # type: ignore[operator]
        await board.settled()
        assert foreign(board.text) == ""
        await board.press("escape", "v")
        assert foreign(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_replay(size: tuple[int, int]) -> None:
    async with Playback(recorded(), ascii=True).opened(*size) as playback:
        for keys in (("right_square_bracket",), ("question_mark",), ("escape", "s"), ("escape", "9")):
            await playback.press(*keys)
            assert foreign(playback.text) == ""


async def test_somebody_else_s_debate() -> None:
    async with watching(ascii=True).opened() as board:
        await board.press("question_mark")
        assert foreign(board.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_history(size: tuple[int, int]) -> None:
    async with History(ascii=True).opened(*size) as history:
        history.screen._summaries = history.screen._summaries[:4]
        history.screen._show()
        for keys in (("down",), ("e",), ("escape", "d"), ("escape", "slash", *"zzz")):
            await history.press(*keys)
            assert foreign(history.text) == ""


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_start_screen(size: tuple[int, int]) -> None:
    async with Start(Proposal(topic="", format="british-parliamentary"), ascii=True).opened(*size) as start:
        assert foreign(start.text) == ""
        await start.press("tab")
        for _ in range(9):
            for key in ("enter", "escape", "e", "escape", "down"):
                await start.press(key)
                assert foreign(start.text) == ""
        await start.press("escape", "x", "enter")
        assert foreign(start.text) == ""
