"""Marked quotes and sources in panes, and the reader who is in the middle of the text when they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from textual.geometry import Offset
from textual.selection import Selection

from debate_tui.domain.quotes import find_quotes
from debate_tui.domain.stream import Citation
from tests.tui.debate_harness import DebateHarness
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot

if TYPE_CHECKING:
    from debate_tui.domain.events import Quote

pytestmark = pytest.mark.usefixtures("frozen_clocks")

ADA = (
    "The report says *“cars take up half of all public space”* [1], and adds:\n\n"
    "> “Shops in Ghent\n> gained custom without parking” [1]\n\n"
    "- Ben's claim “nobody can walk that far” is “a claim that nobody ever made”.\n"
    "- “我们可以走路去任何地方而不需要汽车。”\n"
)
BEN = "She quotes «cars take up half of all space», and the page is another one."
CITED = (
    Citation("https://example.com/mobility/2025", "Mobility in numbers"),
    Citation("https://example.com/a/rather/long/address/that/does/not/fit/into/one/line/of/a/pane"),
)


def quotes_of(text: str, *found: bool) -> tuple[Quote, ...]:
    return tuple(replace(quote, found=each) for quote, each in zip(find_quotes(text), found, strict=True))


def quoted(board: DebateHarness) -> None:
    board.begin().phase().say("ada", ADA).say("ben", BEN)
    board.end("ada", quotes=quotes_of(ADA, True, True, True, False, True))
    board.end("ben", "length", quotes=quotes_of(BEN, False), citations=CITED)


@at_every_size_and_theme
def test_quotes_and_sources(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2, theme=theme), size, quoted)


def test_quotes_and_sources_in_ascii(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2, ascii=True), (120, 35), quoted)


LONG = "".join(f"Line {number} “one two three four five”.\n\n" for number in range(60))


def long_board() -> DebateHarness:
    return DebateHarness(2).begin().phase().say("ada", LONG)


def end_long_turn(board: DebateHarness) -> None:
    board.end("ada", quotes=quotes_of(LONG, *[False] * 60))


async def test_the_reader_stays_where_the_text_is_being_read() -> None:
    async with long_board().opened(80, 24) as board:
        await board.press("pageup", "pageup", "up")
        prose = board.pane("ada").turn_text
        top = prose.viewport.top
        before = board.pane_text("ada")
        end_long_turn(board)
        await board.settle()
        assert prose.viewport.top == top
        assert not prose.viewport.following
        assert board.pane_text("ada").replace("✗", "") == before
        assert before.count("”") == board.pane_text("ada").count("”✗")


async def test_a_pane_that_follows_goes_on_following() -> None:
    async with long_board().opened(80, 24) as board:
        end_long_turn(board)
        await board.settle()
        assert board.pane("ada").turn_text.viewport.following
        assert board.pane_text("ada").endswith("Line 59 “one two three four five”✗.")


async def test_what_is_selected_stays_selected() -> None:
    async with long_board().opened(80, 24) as board:
        prose = board.pane("ada").turn_text
        section = prose.page.sections[-1].number
        start = Offset(0, section << 24 | 2)
        board.app.screen.selections = {prose: Selection(start, Offset(6, start.y))}
        await board.settle()
        assert board.app.screen.get_selected_text() == "Line 2"
        end_long_turn(board)
        await board.settle()
        assert board.app.screen.get_selected_text() == "Line 2"


async def test_matches_and_copies_are_those_of_the_text() -> None:
    async with long_board().opened(80, 24) as board:
        await board.press("slash", *"five", "enter")
        end_long_turn(board)
        await board.settle()
        assert "of 60" in board.text
        await board.press("n", "n", "escape", "y")
        assert board.app.clipboard.startswith("Line 0 “one two three four five”.")
        assert "✗" not in board.app.clipboard
