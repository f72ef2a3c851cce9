"""The material beside the panes, or over them: opened, read, searched and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.domain import events as ev
from debate_tui.domain.errors import DebateError
from tests.sample_material import sample_material
from tests.tui.debate_harness import OXFORD, TOPIC, DebateHarness
from tests.tui.replay_harness import ReplayHarness, recorded_debate
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot
from tests.tui.watch_board import watch_board

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from debate_tui.domain.material import Material

pytestmark = pytest.mark.usefixtures("frozen_clocks")

MATERIAL = sample_material("ben")


def begun(panes: int = 2, material: Sequence[Material] = MATERIAL, **options: object) -> DebateHarness:
    board = DebateHarness(panes, **options)
    board.log.material = tuple(material)
    board.log_events(
        ev.DebateStarted(
            debate="d",
            topic=TOPIC,
            format="oxford",
            debaters=board.debaters,
            outcome=OXFORD.outcome,
            material=tuple(each.info for each in material),
        )
    ).phase()
    for debater in board.debaters:
        board.status(debater.id, "streaming").say(debater.id, f"{debater.name} pays **forty euros**. ")
    return board


def panel_text(board: DebateHarness | ReplayHarness) -> str:
    """What the panel's page shows, as one line."""
    text = board.screen.material.text
    assert text is not None
    return " ".join(" ".join(text.row(y).text.rstrip("▐ ") for y in range(text.size.height)).split())


async def test_it_opens_beside_the_panes_with_its_list_and_its_first_text() -> None:
    async with begun().opened(160, 45) as board:
        assert "c material" in board.text
        await board.press("c")
        await board.finish_workers("material")
        assert "Material" in board.text
        assert "4 texts" in board.text
        assert "[1] policy.md" in board.text
        assert "only for Ben" in next(row for row in board.rows if "[4] wombat.txt" in row)
        assert panel_text(board).startswith("[1] policy.md")
        assert "return 40 # forty euros" in panel_text(board)
        assert "Ada pays forty euros." in board.pane_text("ada")
        board.say("ada", "And **more**.")
        await board.settle()
        assert "And more." in board.pane_text("ada")
        await board.press("c")
        assert "4 texts" not in board.text
        assert board.screen.focused is board.pane("ada").turn_text


async def test_text_that_streams_beside_it_repaints_only_its_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[tuple[int, int, Strip]] = []
    async with begun().opened(160, 45) as board:
        await board.press("c")
        await board.finish_workers("material")
        monkeypatch.setattr(
            board.app, "_display", lambda _, update: painted.extend(getattr(update, "_spans", ()))
        )
        board.say("ada", "And **more**. ")
        await board.settle()
        panel, ada = board.screen.material.text, board.pane("ada").turn_text
        assert panel is not None
        assert any("And more." in strip.text for _, _, strip in painted)
        assert {x for x, y, _ in painted if y in range(ada.region.y, ada.region.bottom)} == {ada.region.x}


async def test_it_covers_the_panes_of_a_narrow_terminal_until_it_is_closed() -> None:
    async with begun().opened(80, 24) as board:
        await board.press("c")
        await board.finish_workers("material")
        assert panel_text(board).startswith("[1] policy.md")
        assert "Ada pays" not in board.text
        board.say("ada", "Unseen. ")
        await board.settle()
        await board.press("escape")
        assert "Unseen." in board.pane_text("ada")
        assert "4 texts" not in board.text


async def test_its_keys_go_to_the_next_text_and_scroll() -> None:
    async with begun().opened(80, 18) as board:
        await board.press("c")
        await board.finish_workers("material")
        await board.press("right_square_bracket")
        assert panel_text(board).startswith("[2] src/fees.py")
        assert "❯ [2]" in board.text
        await board.press("left_square_bracket", "left_square_bracket")
        assert panel_text(board).startswith("[1] policy.md")
        await board.press("end")
        assert panel_text(board).endswith("Nobody else knows of the wombat.")
        await board.press("c", "c")
        assert panel_text(board).endswith("Nobody else knows of the wombat."), "where it was left"


async def test_a_text_is_chosen_by_a_click() -> None:
    async with begun().opened(160, 20) as board:
        await board.press("c")
        await board.finish_workers("material")
        row = next(y for y, text in enumerate(board.rows) if "[2] src/fees.py" in text)
        await board.pilot.click(offset=(board.rows[row].index("[2]"), row))
        await board.settle()
        assert panel_text(board).startswith("[2] src/fees.py")


async def test_a_click_goes_to_it_and_back_to_a_pane() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("c", "tab")
        await board.pilot.click(board.screen.material.text)
        await board.settle()
        assert board.screen.focused is board.screen.material.text
        assert "c close" in board.rows[-1]
        await board.pilot.click(board.pane("ada").turn_text)
        await board.settle()
        assert board.screen.focused is board.pane("ada").turn_text
        assert "c material" in board.rows[-1]
        assert "4 texts" in board.text


async def test_tab_goes_from_the_last_pane_to_it_and_on_to_the_first() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("c")
        panel = board.screen.focused
        focused = []
        for key in ("tab", "tab", "tab", "shift+tab", "shift+tab"):
            await board.press(key)
            focused.append(board.screen.focused)
        ada, ben = board.pane("ada").turn_text, board.pane("ben").turn_text
        assert focused == [ada, ben, panel, ben, ada]


async def test_tab_leaves_one_that_covers_the_panes() -> None:
    async with begun().opened(80, 24) as board:
        await board.press("c", "tab")
        assert "4 texts" not in board.text
        assert board.screen.focused is board.pane("ada").turn_text


async def test_it_gives_way_when_the_terminal_becomes_narrow_while_a_pane_is_read() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("c", "tab")
        await board.pilot.resize_terminal(80, 24)
        await board.settle()
        assert "Ada pays forty euros." in board.pane_text("ada")
        assert "4 texts" not in board.text


async def test_an_input_that_is_closed_gives_the_focus_back_to_it() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("c", "i", *"hm", "escape")
        assert board.screen.focused is board.screen.material.text


async def test_a_blind_debate_does_not_say_whose_a_hidden_text_is() -> None:
    async with begun().opened(160, 45) as board:
        board.screen.view.transcript.is_blind = True
        await board.press("c")
        assert "only for one debater" in board.text
        assert "only for Ben" not in board.text


async def test_a_debate_without_material_says_so() -> None:
    async with begun(material=()).opened() as board:
        assert "c material" not in board.text
        await board.press("c")
        assert "This debate has no material" in board.rows[-1]


# Search


async def test_a_search_goes_through_the_panes_and_then_the_material() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("slash", *"forty euros", "enter")
        await board.finish_workers("material")
        shown = []
        for _ in range(4):
            shown.append(("4 texts" in board.text, board.panes.current_index))
            await board.press("n")
        assert shown == [(False, 0), (False, 1), (True, 1), (True, 1)]
        assert "1 of 4" in board.text


async def test_a_search_covers_and_uncovers_the_panes_where_it_must() -> None:
    async with begun().opened(80, 24) as board:
        await board.press("slash", *"forty euros", "enter", "n", "n")
        await board.finish_workers("material")
        assert "3 of 4" in board.text
        assert "permit costs forty euros" in panel_text(board)
        await board.press("N")
        assert "Ben pays forty euros." in board.pane_text("ben")


async def test_a_search_begins_where_the_reader_is() -> None:
    async with begun().opened(160, 45) as board:
        await board.press("c")
        await board.finish_workers("material")
        await board.press("slash", *"forty euros", "enter")
        assert "3 of 4" in board.text


# Other screens


async def test_a_replay_has_it_too() -> None:
    started, *rest = recorded_debate()
    assert isinstance(started, ev.DebateStarted)
    first = replace(started, material=tuple(each.info for each in MATERIAL))
    board = ReplayHarness([first, *rest])
    board.player.material = MATERIAL
    async with board.opened(160, 45):
        await board.press("c")
        await board.settle()
        assert "[1] policy.md" in panel_text(board)
        await board.press("right_square_bracket")
        assert board.player.position == 0, "the replay's own keys are the panel's while it has the focus"
        await board.press("9")
        assert "[1] policy.md" in board.text


async def test_a_viewer_is_told_if_the_host_does_not_send_it_and_can_ask_again() -> None:
    board = watch_board()
    infos = tuple(each.info for each in MATERIAL[:3])

    async def refuse() -> Sequence[Material]:
        raise DebateError("The host did not send it.", "Try again.")

    async with board.opened(160, 45):
        board.screen.view.transcript.material = infos
        board.log.read_material = refuse  # type: ignore[method-assign] # stands for the connection
        await board.press("c")
        await board.finish_workers("material")
        assert "The host did not send it. Try again." in panel_text(board)
        del board.log.read_material
        board.log.material = MATERIAL[:3]
        await board.press("c", "c")
        await board.finish_workers("material")
        assert panel_text(board).startswith("[1] policy.md")
        assert "wombat" not in board.text


@at_every_size_and_theme
def test_looks(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(snap_compare, begun(theme=theme), size, None, "c", "right_square_bracket")


def test_looks_searched_in_ascii(snap_compare: Snap) -> None:
    board = begun(4, ascii=True)
    assert matches_snapshot(snap_compare, board, (200, 50), None, "slash", *"forty", "enter", "N", "N")
