"""The card at the end of a debate: its outcome, its size, and what to do next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.errors import UsageError
from debate_tui.record.summary import digest_events
from debate_tui.session.commands import Pause, Resume, WaitBetweenRounds
from debate_tui.tui.screen_options import EndingOptions
from debate_tui.tui.screens.verdict import VerdictScreen
from tests.tui.debate_harness import DebateHarness
from tests.tui.judged_debates import REPORT, finish_speeches, verdict
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot


class Ending:
    """What the screen asks for at the end; judges read until they may speak."""

    def __init__(self) -> None:
        self.judges: list[str] = []
        self.next: list[str] = []
        self.may_speak = asyncio.Event()
        self.failure: Exception | None = None

    async def judge(self, source: str) -> None:
        self.judges.append(source)
        await self.may_speak.wait()
        if self.failure is not None:
            raise self.failure

    def check(self, source: str) -> None:
        if not source.startswith(("openai:", "demo")):
            raise UsageError(f"No provider named '{source}'.", "Did you mean openai:…?")


def ended_board(ending: Ending | None = None, **options: Any) -> DebateHarness:
    ending = ending or Ending()
    actions = EndingOptions(ending.judge, ending.check, "openai:judge", ending.next.append)
    return DebateHarness(2, ending=actions, **options)


def finish(board: DebateHarness) -> DebateHarness:
    return finish_speeches(board, seconds=754).log_events(ev.DebateFinished(reason="complete"))


async def opened_card(board: DebateHarness) -> None:
    finish(board)
    await board.settle()
    await board.press("v")


def card_is_open(board: DebateHarness) -> bool:
    return isinstance(board.app.screen, VerdictScreen)


async def test_card_shows_the_size_of_the_debate_and_what_next() -> None:
    async with ended_board().opened(80, 24) as board:
        await opened_card(board)
        await board.finish_workers("facts")
        assert "12 min 34 s · 89 words · $0.0062" in board.text
        for hint in ("esc read", "J ask a judge", "R replay", "e export", "A again, sides swapped"):
            assert hint in board.text


async def test_length_on_the_card_is_the_time_someone_spoke_as_in_the_history() -> None:
    async with ended_board().opened(80, 24) as board:
        finish_speeches(board, seconds=754)
        board.log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1), after=60)
        board.log_events(ev.DebateFinished(reason="complete"), after=60)
        await board.settle()
        await board.press("v")
        await board.finish_workers("facts")
        assert "12 min 34 s · 89 words" in board.text
        assert digest_events(await board.screen.read_events()).seconds == 754


async def test_debate_without_an_outcome_has_a_card_too() -> None:
    async with ended_board().opened(80, 24) as board:
        board.begin().phase().log_events(ev.DebateFinished(reason="stopped"))
        await board.settle()
        assert not card_is_open(board)
        assert "v summary" in board.text
        await board.press("v")
        assert "The debate was stopped" in board.text
        await board.press("escape")
        assert not card_is_open(board)


@pytest.mark.parametrize(("key", "next_"), [("R", "replay"), ("A", "again")])
async def test_next_debate_is_asked_for(key: str, next_: str) -> None:
    ending = Ending()
    async with ended_board(ending).opened() as board:
        await opened_card(board)
        await board.press(key)
        assert ending.next == [next_]


async def test_export_opens_over_the_card() -> None:
    async with ended_board().opened() as board:
        await opened_card(board)
        await board.press("e")
        assert "Export the debate as" in board.text
        await board.press("escape")
        assert card_is_open(board)


async def test_judge_is_asked_from_the_card_and_its_verdict_shown_there() -> None:
    ending = Ending()
    async with ended_board(ending).opened() as board:
        await opened_card(board)
        await board.press("J", "enter")
        assert ending.judges == ["openai:judge"]
        assert "openai:judge is reading the debate" in board.text
        await board.press("J")
        assert card_is_open(board), "one judge at a time"
        board.log_events(verdict(board, "openai:judge", "ada", "ada"), ev.DebateFinished(reason="complete"))
        ending.may_speak.set()
        await board.settle()
        assert "Ada wins (1 of 1 judges)" in board.text
        assert "is reading" not in board.text
        assert "J another judge" in board.text


async def test_judge_can_be_asked_for_a_report_which_opens_the_card_with_it() -> None:
    ending = Ending()
    async with ended_board(ending).opened(80, 24) as board:
        await opened_card(board)
        await board.press("J")
        assert "Add --report to get a report too." in board.text
        await board.press(*" --report", "enter")
        assert ending.judges == ["openai:judge --report"]
        assert "openai:judge is reading the debate" in board.text
        board.log_events(REPORT, ev.DebateFinished(reason="complete"))
        ending.may_speak.set()
        await board.settle()
        assert "tab report" in board.text
        await board.press("tab", "J")
        assert "Who should judge the debate?" in board.text


async def test_verdict_of_a_late_judge_opens_the_card_again() -> None:
    ending = Ending()
    async with ended_board(ending).opened() as board:
        await opened_card(board)
        await board.press("escape", "J", "enter")
        assert not card_is_open(board)
        board.log_events(verdict(board, "openai:judge", "ada", "ada"), ev.DebateFinished(reason="complete"))
        await board.settle()
        assert "Ada wins (1 of 1 judges)" in board.text


async def test_judge_is_asked_for_until_it_is_valid_and_its_failure_is_shown() -> None:
    ending = Ending()
    ending.may_speak.set()
    ending.failure = UsageError("No key for openai.", "Set OPENAI_API_KEY.")
    async with ended_board(ending).opened() as board:
        await opened_card(board)
        await board.press("J", *["backspace"] * 12, *"oops", "enter")
        assert "No provider named 'oops'" in board.text
        await board.press(*["backspace"] * 4, *"openai:x", "enter")
        await board.settle()
        assert ending.judges == ["openai:x"]
        assert "No key for openai. Set OPENAI_API_KEY." in board.text


async def test_key_says_why_there_is_nothing_to_judge() -> None:
    async with ended_board().opened() as board:
        board.begin().phase()
        await board.settle()
        await board.press("J")
        assert "Judges read the debate when it is over" in board.text
    async with DebateHarness(2, commands=False).opened() as board:
        await board.press("J")
        assert "debate-tui judge" in board.text


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    def play(board: DebateHarness) -> None:
        finish(board).log_events(ev.Vote(when="after", voter="user", debater=None, side="for"))
        board.log_events(ev.DebateFinished(reason="complete"))

    assert matches_snapshot(snap_compare, ended_board(theme=theme), size, play, "v")


# Waiting between rounds


def wait_for_round(board: DebateHarness) -> DebateHarness:
    return board.begin().phase().log_events(ev.DebatePaused(reason=ev.STEP_PAUSE, debater=None))


async def test_space_starts_the_next_round() -> None:
    async with DebateHarness(2, step=True).opened() as board:
        board.begin().phase()
        await board.settle()
        assert "space pause" in board.text
        board.log_events(ev.DebatePaused(reason=ev.STEP_PAUSE, debater=None))
        await board.settle()
        assert "space next round" in board.text
        await board.press("space")
        assert board.commands == [Resume()]
        board.log_events(ev.DebateResumed(reason="user", debater=None))
        await board.settle()
        assert "space pause" in board.text
        await board.press("space")
        assert board.commands == [Resume(), Pause()]


async def test_key_turns_waiting_on_and_off() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.settle()
        await board.press("w")
        assert "Waiting after each round" in board.text
        await board.press("w")
        assert "Not waiting between rounds" in board.text
        assert board.commands == [WaitBetweenRounds(on=True), WaitBetweenRounds(on=False)]


async def test_viewer_of_a_waiting_debate_sees_a_pause() -> None:
    async with DebateHarness(2, commands=False).opened() as board:
        wait_for_round(board)
        await board.settle()
        assert "paused" in board.rows[0]
        assert "next round" not in board.text
