"""How a reader finds the way: whose words these are, turn by turn, panes together, lines of prose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.exports import export_debate
from debate_tui.tui.styles import Tone, debater_tones, resolve_colour
from debate_tui.tui.widgets.page_view import MAX_PROSE_WIDTH
from tests.tui.debate_harness import DEBATERS, DebateHarness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.strip import Strip

TONES = debater_tones(debater.id for debater in DEBATERS)
PROSE = "A sentence that goes on for quite a while, as sentences in debates do. " * 8
PHASES = ("opening", "rebuttal", "closing")


def colour(board: DebateHarness, tone: Tone) -> str:
    """The colour of a tone, as the screen writes it."""
    return resolve_colour(board.app.theme_variables, tone).rich_color.name


def style_of(board: DebateHarness, text: str, strips: Iterable[Strip] | None = None) -> Style:
    """The style of the first text on the screen, or in these rows, that has this in it."""
    for strip in strips or board.app.screen._compositor.render_strips():
        for segment in strip:
            if text in segment.text and segment.style is not None:
                return segment.style
    raise AssertionError(text)


def line_of(board: DebateHarness, debater: str, text: str) -> int:
    """The row of a pane's text that shows this; −1 if none does."""
    shown = board.pane(debater).turn_text
    rows = [shown.row(y).text for y in range(shown.size.height)]
    return next((y for y, row in enumerate(rows) if text in row), -1)


def long_debate() -> DebateHarness:
    """Two debaters, three turns each; Ada's are longer."""
    board = DebateHarness(2).begin()
    for number, phase in enumerate(PHASES, 1):
        board.phase(phase)
        board.say("ada", "\n\n".join(f"Ada {number}, {paragraph}." for paragraph in range(30)))
        board.say("ben", "\n\n".join(f"Ben {number}, {paragraph}." for paragraph in range(20)))
        board.end("ada").end("ben")
    return board


# Who is who


@pytest.mark.parametrize("panes", [2, 3, 4])
async def test_every_debater_has_a_colour_of_its_own(panes: int) -> None:
    async with DebateHarness(panes).begin().phase().opened(200, 50) as board:
        assert len({colour(board, TONES[debater.id]) for debater in DEBATERS[:panes]}) == panes
        for debater in DEBATERS[:panes]:
            expected = colour(board, TONES[debater.id])
            for text in (debater.name, debater.side):
                style = style_of(board, text)
                assert style.color is not None
                assert style.color.name == expected


@pytest.mark.parametrize("height", [20, 35], ids=["compact", "tall"])
async def test_focus_is_a_bold_name_and_a_heavy_rule_in_the_same_colour(height: int) -> None:
    async with DebateHarness(2).begin().phase().opened(120, height) as board:
        for focused, other in (("Ada", "Ben"), ("Ben", "Ada")):
            assert style_of(board, focused).bold
            assert not style_of(board, other).bold
            rows = [
                board.pane(name.casefold())._title.row(0 if height < 30 else 2) for name in (focused, other)
            ]
            heavy, thin = style_of(board, "━━", rows[:1]), style_of(board, "──", rows[1:])
            assert heavy.color is not None
            assert thin.color is not None
            assert heavy.color.name == colour(board, TONES[focused.casefold()])
            assert thin.color.name == colour(board, TONES[other.casefold()])
            await board.press("tab")


async def test_matches_have_the_colour_of_who_wrote_them() -> None:
    async with DebateHarness(2).begin().phase().opened() as board:
        board.say("ada", "One tram.").say("ben", "Two trams.")
        await board.press("slash", *"tram", "enter")
        current, other = style_of(board, "tram"), None
        for segment in board.pane("ben").turn_text.row(2):
            if segment.text == "tram":
                other = segment.style
        assert current.bgcolor is not None
        assert current.bgcolor.name == colour(board, Tone.DEBATER_1)
        assert other is not None
        assert other.color is not None
        assert other.color.name == colour(board, Tone.DEBATER_2)


async def test_without_colours_names_sides_and_places_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with DebateHarness(2).begin().phase().opened() as board:
        ada, ben = style_of(board, "Ada"), style_of(board, "Ben")
        assert ada.color is None
        assert ben.color is None
        assert ada.bold
        assert not ben.bold
        assert "for · gpt-5.2" in board.text
        assert "against · claude" in board.text
        assert "━━" in board.text
        board.say("ada", PROSE * 8)
        await board.press("slash", *"sentence", "enter")
        segments = [segment for strip in board.app.screen._compositor.render_strips() for segment in strip]
        assert any("▐" in segment.text for segment in segments)
        assert all(
            style is None or (style.color is None and style.bgcolor is None)
            for style in (segment.style for segment in segments)
        )


# Prose


async def test_a_zoomed_pane_centres_prose_and_leaves_code_and_tables_wide() -> None:
    code, cells = "x = " + "1 + " * 30 + "2", " | ".join(f"a longer cell {number}" for number in range(6))
    table = f"| {cells} |\n|{'---|' * 6}\n"
    async with DebateHarness(2).begin().phase().opened(180, 40) as board:
        board.say("ada", f"{PROSE}\n\n```\n{code}\n```\n\n{table}\n\n- {PROSE}\n\nEnd.")
        await board.press("z")
        shown = board.pane("ada").turn_text
        rows = [shown.row(y).text for y in range(shown.size.height)]
        prose = [row for row in rows if "sentence" in row]
        assert all(len(row.strip("▐ ")) <= MAX_PROSE_WIDTH for row in prose)
        left = min(len(row) - len(row.lstrip()) for row in prose)
        assert left == 1 + (180 - 2 - MAX_PROSE_WIDTH) // 2
        assert any(code in row for row in rows)
        assert any("a longer cell 5" in row and row.index("a longer cell 0") == left for row in rows)
        await board.press("z")
        assert board.pane_text("ada").endswith("End.")
        assert line_of(board, "ada", "End.") >= 0
        assert shown.row(line_of(board, "ada", "End.")).text.startswith(" End.")


async def test_a_zoomed_pane_that_is_narrow_uses_its_whole_width() -> None:
    async with DebateHarness(2).begin().phase().opened(82, 30) as board:
        board.say("ada", PROSE)
        await board.press("z")
        row = board.pane("ada").turn_text.row(2).text
        assert row.startswith(" A sentence")


async def test_text_selected_in_a_centred_column_is_what_is_copied() -> None:
    async with DebateHarness(2).begin().phase().opened(180, 40) as board:
        board.say("ada", "One two *three* four.")
        await board.press("z")
        y = next(place for place, row in enumerate(board.rows) if "One two" in row)
        x = board.rows[y].index("two")
        await board.pilot.mouse_down(offset=(x, y))
        await board.pilot.hover(offset=(x + 4, y))
        await board.pilot.mouse_up(offset=(x + 8, y))
        await board.settle()
        assert board.app.clipboard == "two three"


# From turn to turn


async def test_keys_jump_between_turns() -> None:
    async with long_debate().opened(120, 30) as board:
        seen = []
        for key in ("[", "[", "[", "[", "]", "]", "]"):
            await board.press({"[": "left_square_bracket", "]": "right_square_bracket"}[key])
            top = board.pane("ada").turn_text.row(0).text
            seen.append((key, next((phase for phase in PHASES if phase.title() in top), "")))
        assert seen == [
            ("[", "closing"),
            ("[", "rebuttal"),
            ("[", "opening"),
            ("[", "opening"),
            ("]", "rebuttal"),
            ("]", "closing"),
            ("]", ""),
        ]
        assert board.pane("ada").turn_text.viewport.following
        assert board.pane("ben").turn_text.viewport.following


async def test_text_that_arrives_does_not_move_who_has_jumped_back() -> None:
    async with long_debate().opened(120, 30) as board:
        await board.press("left_square_bracket", "left_square_bracket")
        board.phase("answers").say("ada", "New.")
        await board.settle()
        assert "Rebuttal" in board.pane("ada").turn_text.row(0).text
        assert "new" in board.text


# Side by side


async def test_panes_scroll_together_turn_beside_turn() -> None:
    async with long_debate().opened(120, 30) as board:
        await board.press("S")
        assert "together" in board.rows[-1]
        await board.press("left_square_bracket", "left_square_bracket", "down", "down", "down", "down")
        ada, ben = line_of(board, "ada", "Ada 2, 1."), line_of(board, "ben", "Ben 2, 1.")
        assert ada == ben >= 0
        await board.press("pagedown", "pagedown")
        assert line_of(board, "ben", "Ben 2, 19.") >= 0 or line_of(board, "ben", "Ben 3, 0.") >= 0
        await board.press("end")
        assert board.pane("ben").turn_text.viewport.following
        await board.press("S", "g")
        assert "Opening" in board.pane("ada").turn_text.row(0).text
        assert board.pane("ben").turn_text.viewport.following


async def test_a_pane_without_that_turn_shows_the_end_of_its_last_one() -> None:
    board = DebateHarness(2).begin()
    for number, phase in enumerate(PHASES, 1):
        board.phase(phase).say("ada", "\n\n".join(f"Ada {number}, {line}." for line in range(30)))
    board.say("ben", "Only now.")
    async with board.opened(120, 30) as board:
        await board.press("S", "g", "left_square_bracket", "right_square_bracket")
        assert "Rebuttal" in board.pane("ada").turn_text.row(0).text
        assert "Only now." in board.pane_text("ben")


async def test_search_takes_the_other_panes_along() -> None:
    async with long_debate().opened(120, 30) as board:
        await board.press("S", "slash", *"ada 2, 3.", "enter")
        assert line_of(board, "ada", "Ada 2, 3.") == line_of(board, "ben", "Ben 2, 3.") >= 0


# To take along


async def test_whole_debate_is_copied_as_markdown() -> None:
    async with long_debate().opened(120, 30) as board:
        await board.press("Y")
        assert board.app.clipboard == export_debate(board.log._events, "md")
        assert "Copied" in board.rows[-1]


async def test_help_and_hints_name_the_keys() -> None:
    async with DebateHarness(2).begin().phase().opened(240, 50) as board:
        assert "S scroll together" in board.rows[-1]
        assert "[ ] turns" in board.rows[-1]
        await board.press("question_mark")
        for text in ("previous, next turn", "scroll all panes together", "copy the turn; the debate"):
            assert text in board.text
