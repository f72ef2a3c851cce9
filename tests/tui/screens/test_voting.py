"""The viewer's own vote: asked before and after, never in the way, and always before the verdict."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from debate_tui.domain import events as ev
from debate_tui.session.commands import CastVote, Command, Reveal
from debate_tui.tui.screens.dialogs import MenuScreen
from debate_tui.tui.screens.verdict import VerdictScreen
from tests.tui.debate_harness import DEBATERS, DebateHarness
from tests.tui.judged_debates import add_judged_debate, verdict
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot

BEFORE = "Before it starts: which side are you on?"
AFTER = "It's over. Which side are you on now?"


def vote_board(**options: Any) -> DebateHarness:
    return DebateHarness(2, asks_for_votes=True, **options)


def no_sides() -> tuple[ev.DebaterInfo, ...]:
    return tuple(msgspec.structs.replace(debater, side="") for debater in DEBATERS[:2])


def start_judging(board: DebateHarness) -> DebateHarness:
    """All is said, and the judges read."""
    board.begin().phase()
    for debater in board.debaters:
        board.end(debater.id)
    return board.log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1))


def decide(board: DebateHarness) -> DebateHarness:
    board.log_events(verdict(board, "openai:judge", "ada", "ada"))
    return board.log_events(ev.DebateFinished(reason="complete"))


def verdict_is_shown(board: DebateHarness) -> bool:
    return isinstance(board.app.screen, VerdictScreen)


async def test_question_is_shown_from_the_first_frame_while_text_streams() -> None:
    async with vote_board().opened(80, 24) as board:
        assert BEFORE in board.text
        board.begin().phase().say("ada", "hello")
        await board.settle()
        assert "hello" in board.pane_text("ada")
        assert BEFORE in board.text


async def test_vote_is_cast_with_a_letter() -> None:
    async with vote_board().opened() as board:
        await board.press("v", "b")
        assert board.commands == [CastVote("before", side="against")]
        assert BEFORE not in board.text


@pytest.mark.parametrize(("key", "side"), [("u", ""), ("a", "for")])
async def test_vote_may_be_undecided(key: str, side: str) -> None:
    async with vote_board().opened() as board:
        await board.press("v", key)
        assert board.commands == [CastVote("before", side=side)]


async def test_ballot_names_the_debaters_of_each_side() -> None:
    async with vote_board().opened(80, 24) as board:
        await board.press("v")
        assert "a  for        Ada" in board.text
        assert "b  against    Ben" in board.text


@pytest.mark.parametrize("keys", [("escape",), ("v", "n"), ("v", "escape")])
async def test_vote_can_be_declined(keys: tuple[str, ...]) -> None:
    async with vote_board().opened() as board:
        await board.press(*keys)
        assert BEFORE not in board.text
        assert board.commands == []


async def test_question_closes_after_the_first_round() -> None:
    async with vote_board().opened() as board:
        board.begin().phase()
        await board.settle()
        assert BEFORE in board.text
        board.phase("rebuttal", 1, 2)
        await board.settle()
        assert BEFORE not in board.text
        await board.press("v")
        assert "You can vote when all turns are over" in board.text


async def test_vote_on_another_screen_closes_the_question() -> None:
    async with vote_board().opened() as board:
        board.begin().log_events(ev.Vote(when="before", voter="user", debater="ada"))
        await board.settle()
        assert BEFORE not in board.text


async def test_question_needs_votes_and_commands() -> None:
    async with DebateHarness(2, asks_for_votes=True, commands=False).opened() as board:
        assert BEFORE not in board.text
    async with DebateHarness(2).opened() as board:
        assert BEFORE not in board.text


async def test_header_counts_the_judges_while_they_read() -> None:
    async with DebateHarness(2, judges=("openai:first", "openai:second")).opened() as board:
        start_judging(board)
        await board.settle()
        assert "judging 1 of 2: openai:first, openai:second  ·" in board.rows[0]
        for judge, reading in (("openai:first", ": openai:second"), ("openai:second", "")):
            board.log_events(verdict(board, judge, "ada", "ada"))
            await board.settle()
            assert f"judging 2 of 2{reading}  ·" in board.rows[0]


@pytest.mark.parametrize(
    ("judges", "width", "shown"),
    [
        (("demo",), 80, " Should cities ban private cars from thei…  ▸ judging: demo  ·"),
        (("demo", "demo", "openai:x"), 80, " Should cities ban priva…  ▸ judging 2 of 3: demo, openai:x  ·"),
        (
            ("openai:" + "x" * 60, "demo"),
            80,
            " Should citi…  ▸ judging 2 of 2: openai:xxxxxxxxxxxxxxxxxx…  ·",
        ),
        (("openai:first", "demo"), 40, "   ▸ judging 2 of 2  ·"),
    ],
)
async def test_header_names_the_judges_still_reading_if_there_is_room(
    judges: tuple[str, ...], width: int, shown: str
) -> None:
    async with DebateHarness(2, judges=judges).opened(width, 24) as board:
        start_judging(board)
        if len(judges) > 1:
            board.log_events(verdict(board, "demo", "ada", "ada"))
        await board.settle()
        assert board.rows[0].startswith(shown)


async def test_vote_can_be_cast_while_judging() -> None:
    async with vote_board().opened() as board:
        start_judging(board)
        await board.settle()
        assert "judging" in board.rows[0]
        assert AFTER in board.text
        board.log_events(verdict(board, "openai:judge", "ada", "ada"))
        await board.settle()
        assert "1 verdict so far" in board.rows[0]
        assert not verdict_is_shown(board)
        await board.press("v", "a")
        assert board.commands == [CastVote("after", side="for")]
        board.log_events(
            ev.Vote(when="after", voter="user", debater=None, side="for"),
            ev.DebateFinished(reason="complete"),
        )
        await board.settle()
        assert verdict_is_shown(board)
        assert "Your vote" in board.text


async def test_declined_vote_can_be_cast_while_judging() -> None:
    async with vote_board().opened() as board:
        start_judging(board)
        await board.settle()
        await board.press("escape", "v", "a")
        assert board.commands == [CastVote("after", side="for")]


async def test_vote_comes_before_the_verdict_at_the_end() -> None:
    async with vote_board().opened() as board:
        decide(start_judging(board))
        await board.settle()
        assert AFTER in board.text
        assert len(board.app.screen_stack) == 1, "the last speeches can be read in peace"
        assert "Ada wins" not in board.text
        await board.press("v", "b")
        assert board.commands == [CastVote("after", side="against")]
        assert verdict_is_shown(board)
        assert "Ada wins (1 of 1 judges)" in board.text
        board.log_events(
            ev.Vote(when="after", voter="user", debater=None, side="against"),
            ev.DebateFinished(reason="complete"),
        )
        await board.settle()
        assert "Your vote" in board.text
        assert len(board.app.screen_stack) == 2


async def test_ballot_opened_while_judging_stays_the_only_one() -> None:
    async with vote_board().opened() as board:
        start_judging(board)
        await board.settle()
        await board.press("v")
        decide(board)
        await board.settle()
        assert len(board.app.screen_stack) == 2
        await board.press("a")
        assert board.commands == [CastVote("after", side="for")]
        assert verdict_is_shown(board)
        assert len(board.app.screen_stack) == 2


async def test_ballot_closes_with_its_question() -> None:
    async with vote_board().opened() as board:
        board.begin().phase()
        await board.press("v")
        start_judging(board)
        await board.settle()
        assert len(board.app.screen_stack) == 1
        assert AFTER in board.text
        await board.press("v", "a")
        assert board.commands == [CastVote("after", side="for")]


async def test_ballot_closes_when_the_vote_was_cast_elsewhere() -> None:
    async with vote_board().opened() as board:
        await board.press("v", "question_mark")
        board.begin().log_events(ev.Vote(when="before", voter="user", debater="ada"))
        await board.settle()
        await board.press("escape")
        assert len(board.app.screen_stack) == 1


async def test_ballot_that_comes_too_late_is_closed() -> None:
    async with vote_board().opened() as board:
        board.begin().phase()
        await board.settle()
        await board.press("v")
        board.phase("rebuttal", 1, 2)
        await board.settle()
        assert len(board.app.screen_stack) == 1
        assert board.commands == []


async def test_vote_logged_at_once_opens_the_verdict_once() -> None:
    async with vote_board().opened() as board:
        decide(start_judging(board))
        await board.settle()

        def vote(command: Command) -> None:
            assert isinstance(command, CastVote)
            board.log_events(ev.Vote(when="after", voter="user", debater=None, side=command.side))
            board.log_events(ev.DebateFinished(reason="complete"))

        board.handle = vote
        await board.press("v", "b")
        assert len(board.app.screen_stack) == 2
        assert "Your vote" in board.text


async def test_declining_the_last_vote_shows_the_verdict() -> None:
    async with vote_board().opened() as board:
        decide(start_judging(board))
        await board.settle()
        await board.press("escape")
        assert board.commands == []
        assert verdict_is_shown(board)


async def test_declined_vote_can_be_cast_from_the_card() -> None:
    async with vote_board().opened() as board:
        decide(start_judging(board))
        await board.settle()
        await board.press("escape")
        assert "v vote" in board.text
        await board.press("v", "b")
        assert board.commands == [CastVote("after", side="against")]
        assert verdict_is_shown(board)
        assert len(board.app.screen_stack) == 2


async def test_debate_without_judges_asks_for_the_users_verdict() -> None:
    async with vote_board().opened() as board:
        board.begin().phase().log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert AFTER in board.text

        def vote(command: Command) -> None:
            assert isinstance(command, CastVote)
            board.log_events(ev.Vote(when="after", voter="user", debater=None, side=command.side))
            board.log_events(ev.DebateFinished(reason="complete"))

        board.handle = vote
        await board.press("v", "a")
        assert "The vote goes to for" in board.text


async def test_debate_without_sides_asks_who_argued_best() -> None:
    async with vote_board(debaters=no_sides()).opened() as board:
        assert BEFORE not in board.text
        board.begin().phase().log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert "It's over. Who argued best?" in board.text
        await board.press("v", "b")
        assert board.commands == [CastVote("after", "ben")]


async def test_debater_who_left_without_a_finished_turn_is_not_on_the_ballot() -> None:
    debaters = tuple(msgspec.structs.replace(debater, side="") for debater in DEBATERS[:3])
    async with DebateHarness(3, asks_for_votes=True, debaters=debaters).opened() as board:
        board.begin().phase().end("ada").end("cleo", "failed").end("ben")
        for gone, remaining in (("cleo", ("ada", "ben")), ("ben", ("ada",))):
            board.log_events(ev.DebaterRemoved(debater=gone, reason="gone", remaining=remaining))
        board.log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press("v")
        menu = board.app.screen
        assert isinstance(menu, MenuScreen)
        names = [str(menu.menu.get_option_at_index(row).prompt).split() for row in range(3)]
        assert names == [["a", "Ada"], ["b", "Ben"], ["u", "undecided"]]


async def test_question_is_shown_in_full_on_a_small_terminal() -> None:
    async with vote_board().opened(40, 15) as board:
        board.begin().phase().log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press("v")
        assert AFTER in " ".join(board.text.split())


async def test_stopped_debate_asks_for_no_vote() -> None:
    async with vote_board().opened() as board:
        board.begin().phase().log_events(ev.DebateFinished(reason="stopped"))
        await board.settle()
        assert BEFORE not in board.text
        assert len(board.app.screen_stack) == 1


async def test_key_explains_that_there_is_no_verdict() -> None:
    async with DebateHarness(2).opened() as board:
        await board.press("v")
        assert "No verdict yet" in board.text


@pytest.mark.parametrize(("side", "vote"), [("for", "for"), ("", "undecided")])
async def test_key_says_what_counts_after_the_first_vote(side: str, vote: str) -> None:
    async with vote_board().opened(80, 24) as board:
        board.begin().phase().log_events(ev.Vote(when="before", voter="user", debater=None, side=side))
        await board.settle()
        await board.press("v")
        assert f"Your vote: {vote}. Vote again when all turns are over" in board.text


async def test_key_says_what_counts_while_the_judges_read() -> None:
    async with vote_board(debaters=no_sides()).opened(80, 24) as board:
        start_judging(board).log_events(ev.Vote(when="after", voter="user", debater="ben"))
        await board.settle()
        await board.press("v")
        assert "Your vote: Ben. No verdict yet" in board.text


async def test_key_says_what_counts_on_a_small_terminal() -> None:
    async with vote_board().opened(40, 15) as board:
        board.begin().phase().log_events(ev.Vote(when="before", voter="user", debater=None, side="against"))
        await board.settle()
        await board.press("v")
        assert "Your vote: against." in board.text


async def test_verdict_opens_at_the_end_and_with_a_key() -> None:
    async with DebateHarness(2, commands=False).opened() as board:
        add_judged_debate(board).log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert verdict_is_shown(board)
        await board.press("escape")
        assert "v verdict" in board.text
        await board.press("v")
        assert verdict_is_shown(board)


@pytest.mark.parametrize("key", ["escape", "q", "v", "enter"])
async def test_verdict_can_be_closed(key: str) -> None:
    async with DebateHarness(2, commands=False).opened() as board:
        add_judged_debate(board).log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press(key)
        assert not verdict_is_shown(board)
        assert board.app.is_running


async def test_verdict_scrolls_and_adapts_to_another_size() -> None:
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        add_judged_debate(board).log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert "mistral:large" not in board.text
        await board.press("end")
        assert "mistral:large" in board.text
        assert " more" not in board.text
        await board.pilot.resize_terminal(160, 60)
        await board.pilot.pause()
        assert "Support for the motion" in board.text
        await board.press("home")
        assert "The verdict" in board.text


@at_every_size_and_theme
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("frozen_clocks")
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str, when: str) -> None:
    def play(board: DebateHarness) -> None:
        if when == "after":
            decide(start_judging(board))

    assert matches_snapshot(snap_compare, vote_board(theme=theme), size, play)


async def test_closed_question_does_not_suppress_the_next() -> None:
    async with vote_board().opened(100, 30) as board:
        board.begin().phase()
        await board.settle()
        board.phase("rebuttal", 1, 2)
        await board.settle()
        board.log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1))
        await board.settle()
        assert AFTER in board.text


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_menu(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(snap_compare, vote_board(theme=theme), size, None, "v", "down")


# Blind debates


def blind_board() -> DebateHarness:
    masked = tuple(
        ev.DebaterInfo(debater.id, letter, debater.side, "", "")
        for debater, letter in zip(DEBATERS[:2], "AB", strict=True)
    )
    return DebateHarness(2, asks_for_votes=True, debaters=masked)


def end_blind(board: DebateHarness) -> DebateHarness:
    board.log_events(
        ev.DebateStarted(
            debate="d", topic="T?", format="oxford", debaters=board.debaters, outcome="swing", blind=True
        )
    ).phase()
    for debater in board.debaters:
        board.end(debater.id)
    return board.log_events(ev.DebateFinished(reason="complete"))


def reveal(board: DebateHarness) -> None:
    """What a session logs when its user votes, or does not."""
    board.log_events(ev.DebatersRevealed(debaters=DEBATERS[:2]), ev.DebateFinished(reason="complete"))


async def test_a_vote_reveals_who_had_which_letter() -> None:
    async with blind_board().opened() as board:
        end_blind(board)
        await board.settle()
        assert "Ada" not in board.text
        await board.press("v")
        assert "a  for        A" in board.text
        await board.press("a")
        assert board.commands == [CastVote("after", side="for")]
        board.log_events(ev.Vote(when="after", voter="user", debater=None, side="for"))
        reveal(board)
        await board.settle()
        assert "A → Ada (for): openai:gpt-5.2" in board.text
        assert "B → Ben (against): anthropic:claude-opus-5" in board.text
        await board.press("escape")
        assert "A → Ada" in board.text
        assert "for · gpt-5.2" in board.text


@pytest.mark.parametrize("keys", [("escape",), ("v", "n"), ("v", "escape")])
async def test_leaving_the_vote_out_reveals_as_well(keys: tuple[str, ...]) -> None:
    async with blind_board().opened() as board:
        end_blind(board)
        await board.settle()
        assert board.commands == []
        await board.press(*keys)
        assert board.commands == [Reveal()]
        reveal(board)
        await board.settle()
        assert "A → Ada (for): openai:gpt-5.2" in board.text


async def test_a_blind_debate_without_a_vote_reveals_at_its_end() -> None:
    board = blind_board()
    board.options = board.screen.view.options = msgspec.structs.replace(board.options, asks_for_votes=False)
    async with board.opened():
        end_blind(board)
        await board.settle()
        assert board.commands == [Reveal()]
        reveal(board)
        await board.settle()
        assert verdict_is_shown(board)
        assert "B → Ben" in board.text
