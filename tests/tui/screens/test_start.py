"""The start screen: a debate is put together with keys or the mouse, and proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.display.display_modes import DisplayMode
from debate_tui.tui.screens.dialogs import InputScreen, MenuScreen
from debate_tui.tui.screens.start import StartScreen
from debate_tui.tui.setup_form import (
    EXAMPLE_TOPICS,
    DebaterProfile,
    DebateSetup,
    SourceOption,
    format_mismatch,
)
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.setup_list import SetupList
from tests.tui.debate_harness import OXFORD
from tests.tui.start_harness import DEMO, KEYS, LOCAL, SERVED, StartHarness

if TYPE_CHECKING:
    from pathlib import Path

OPENAI, ANTHROPIC = (offer.source for offer in KEYS)


async def typed(start: StartHarness, text: str) -> None:
    await start.press(*("space" if letter == " " else letter for letter in text))


async def test_a_topic_and_enter_are_enough() -> None:
    async with StartHarness().opened() as start:
        await typed(start, "Tabs or spaces")
        await start.press("enter")
        assert start.proposed == [DebateSetup(topic="Tabs or spaces", debaters=(OPENAI, ANTHROPIC))]


async def test_without_a_topic_it_asks_for_one() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "end", "enter")
        assert start.proposed == []
        assert "Enter a topic first" in start.text
        await typed(start, "x")
        assert "Enter a topic" not in start.text
        await start.press("enter")
        assert [proposal.topic for proposal in start.proposed] == ["x"]


async def test_arrows_change_what_is_pointed_at() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=(OPENAI, ANTHROPIC))).opened() as start:
        await start.press("down", "right", "right")
        assert start.screen.setup.debaters == ("local", ANTHROPIC)
        await start.press("left", "left", "left")
        assert start.screen.setup.debaters == ("demo", ANTHROPIC)
        await start.press("down", "down", "down", "right")
        assert start.screen.setup.format == "assigned-sides"
        await start.press("down", "right")
        assert start.screen.setup.rounds == 1
        await start.press("down", "right")
        assert start.screen.setup.max_cost == 0.1
        await start.press("down", "left")
        assert start.screen.setup.mode is DisplayMode.STAGGERED
        await start.press("down", "right")
        assert start.screen.setup.step
        assert "a key starts each round" in start.text
        await start.press("down", "right")
        assert start.screen.setup.blind
        assert "until the vote" in start.text
        await start.press("down", "right")
        assert start.screen.setup.judges == (OPENAI,)
        await start.press("down", "left")
        assert start.screen.setup.judges == (OPENAI, "demo")
        await start.press("end", "enter")
        (proposal,) = start.proposed
        assert proposal == DebateSetup(
            topic="x",
            debaters=("demo", ANTHROPIC),
            format="assigned-sides",
            mode=DisplayMode.STAGGERED,
            rounds=1,
            max_cost=0.1,
            step=True,
            blind=True,
            judges=(OPENAI, "demo"),
        )


async def test_above_the_list_is_the_topic() -> None:
    async with StartHarness().opened() as start:
        await start.press("down", "up")
        await typed(start, "q")
        await start.press("down", "escape")
        await typed(start, "r")
        await start.press("tab", "tab")
        await typed(start, "s")
        await start.press("enter")
        assert [proposal.topic for proposal in start.proposed] == ["qrs"]


async def test_debaters_are_added_up_to_four_and_left_out_down_to_two() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "plus", "down", "down", "down", "enter")
        assert start.screen.setup.debaters == (OPENAI, ANTHROPIC, "demo")
        await start.press("plus", "enter", "plus")
        assert start.screen.setup.debaters == (OPENAI, ANTHROPIC, "demo", OPENAI)
        assert not isinstance(start.app.screen, MenuScreen)
        await start.press("home", "delete")
        assert start.screen.setup.debaters == (ANTHROPIC, "demo", OPENAI)
        await start.press("delete", "delete", "delete")
        assert start.screen.setup.debaters == ("demo", OPENAI)


async def test_a_judge_is_left_out_again() -> None:
    async with StartHarness(
        DebateSetup(debaters=("demo", "demo"), judges=(OPENAI, ANTHROPIC))
    ).opened() as start:
        await start.press("tab", "end", "up", "up", "up", "up", "backspace")
        assert start.screen.setup.judges == (ANTHROPIC,)
        await start.press("backspace", "backspace")
        assert start.screen.setup.judges == ()


async def test_any_source_can_be_typed_if_it_can_be_one() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "enter", "up", "enter")
        asking = start.app.screen
        assert isinstance(asking, InputScreen)
        await typed(start, "opnai:x")
        await start.press("enter")
        assert start.app.screen is asking
        assert "No provider named" in start.text
        assert "Did you mean 'openai:x'?" in start.text
        await start.press(*["backspace"] * 7)
        await typed(start, "groq:x")
        await start.press("enter")
        assert start.screen.setup.debaters == ("groq:x", ANTHROPIC)
        assert "entered by you" in start.text
        await start.press("right", "left")
        assert start.screen.setup.debaters == ("groq:x", ANTHROPIC)


async def test_menus_show_what_is_chosen_and_escape_changes_nothing() -> None:
    async with StartHarness().opened() as start:
        before = start.screen.setup
        await start.press("tab", "down", "down", "down", "enter")
        assert isinstance(start.app.screen, MenuScreen)
        assert any(row.split("❯")[-1].strip().startswith("oxford") for row in start.rows if "❯" in row)
        await start.press("down", "escape")
        assert start.screen.setup == before
        await start.press("enter", "up", "enter")
        assert start.screen.setup.format == "listen"
        await start.press("down", "down", "down", "enter", "down", "enter")
        assert start.screen.setup.mode is DisplayMode.SYNCHRONIZED


async def test_a_format_that_so_many_cannot_hold_is_not_begun() -> None:
    proposal = DebateSetup(topic="x", debaters=("demo",) * 3, format="lincoln-douglas")
    async with StartHarness(proposal).opened() as start:
        assert "needs 2 debaters" in start.text
        await start.press("enter")
        assert start.proposed == []
        assert "needs 2 debaters" in start.rows[-1]


async def test_a_format_that_needs_more_debaters_is_begun_and_says_that_others_join() -> None:
    proposal = DebateSetup(topic="x", debaters=("demo", "demo"), format="british-parliamentary")
    async with StartHarness(proposal).opened() as start:
        assert "needs 4: 2 will be added" in start.text
        await start.press("enter")
        assert start.proposed == [proposal]


async def test_what_cannot_begin_is_said_and_can_be_changed() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=("demo", "demo"))).opened() as start:
        await start.press("enter", "enter")
        assert len(start.proposed) == 1, "it is begun only once"
        message = "No key for \x1b[31mGroq\x1b[0m was found. [bold]Set GROQ_API_KEY"
        start.app.call_later(start.screen.show_start_error, message)
        await start.pilot.pause()
        assert "No key for Groq was found. [bold]Set GROQ_API_KEY" in start.rows[-1]
        await start.press("enter")
        assert len(start.proposed) == 2


async def test_who_is_chosen_is_told_at_once_and_when_it_changes() -> None:
    """Their SDKs are imported while the topic is typed."""
    demos = DebateSetup(debaters=("demo", "demo"), judges=("demo",))
    async with StartHarness(
        demos, (DEMO,), found=SERVED, debaters=("ollama:qwen3:32b",) * 2
    ).opened() as start:
        assert start.chosen == [("demo", "demo", "demo")]
        await start.press("x", "tab", "down", "down", "down", "right")
        assert start.chosen == [("demo", "demo", "demo")]
        await start.finish_discovery()
        assert start.chosen[1:] == [("ollama:qwen3:32b", "ollama:qwen3:32b", "demo")]


async def test_what_is_found_later_takes_the_place_of_the_demo() -> None:
    start = StartHarness(
        offers=(DEMO,), proposal=DebateSetup(), found=SERVED, debaters=("ollama:qwen3:32b", "ollama:llama3.2")
    )
    async with start.opened():
        assert "ollama" not in start.text
        await start.finish_discovery()
        assert start.screen.setup.debaters == ("ollama:qwen3:32b", "ollama:llama3.2")
        assert "runs here" in start.text


async def test_what_is_found_later_leaves_alone_what_was_chosen() -> None:
    start = StartHarness(
        offers=(DEMO, *KEYS), proposal=DebateSetup(), found=SERVED, debaters=("ollama:llama3.2",) * 2
    )
    async with start.opened():
        await start.press("tab", "right")
        await start.finish_discovery()
        assert start.screen.setup.debaters == (OPENAI, "demo")
        await start.press("enter")
        assert "ollama:llama3.2" in start.text


async def test_names_from_servers_are_only_text() -> None:
    hostile = SourceOption("ollama:\x1b[31m[bold]x[/]\u202e", "runs \x07here", "told \x1b]0;x\x07")
    async with StartHarness(
        DebateSetup(debaters=(hostile.source, "demo")), (hostile, DEMO)
    ).opened() as start:
        await start.press("tab")
        assert "ollama:[bold]x[/]" in start.text
        await start.press("enter")
        assert start.text.count("ollama:[bold]x[/]") >= 1
        assert "\x1b" not in start.text


async def test_the_mouse_does_what_keys_do() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=("demo", "demo"))).opened() as start:
        listed = start.app.screen.query_one(SetupList)
        await start.pilot.click(listed, offset=(20, 4))
        assert isinstance(start.app.screen, MenuScreen)
        await start.press("escape")
        await start.pilot.click(listed, offset=(20, 2))
        assert "Debater 3" in start.text
        await start.pilot.click(offset=(0, 0))
        assert isinstance(start.app.screen, StartScreen)
        await start.pilot.click(listed, offset=(20, 14))
        assert len(start.proposed) == 1


async def test_the_footer_offers_what_does_something_and_is_pressed() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=("demo",) * 3)).opened() as start:
        assert "enter start" in start.rows[-1]
        assert "F1 help" in start.rows[-1]
        assert "del remove" not in start.rows[-1]
        await start.press("tab")
        assert "del remove" in start.rows[-1]
        assert "? help" in start.rows[-1]
        await start.pilot.click(offset=(start.rows[-1].index("remove"), 34))
        assert start.screen.setup.debaters == ("demo", "demo")
        await start.press("tab")
        await start.pilot.click(offset=(start.rows[-1].index("start"), 34))
        assert len(start.proposed) == 1


@pytest.mark.parametrize("height", [9, 12, 15, 18])
async def test_every_row_can_be_reached_however_low_the_screen(height: int) -> None:
    proposal = DebateSetup(topic="x", debaters=("demo",) * 4, judges=("demo",) * 3)
    async with StartHarness(proposal).opened(80, height) as start:
        await start.press("tab")
        for _ in range(14):
            assert "❯" in start.text
            await start.press("down")
        assert any("❯" in row and "Start the debate" in row for row in start.rows)


async def test_what_is_wrong_with_files_is_said_above_the_footer() -> None:
    start = StartHarness(notice="Format not loaded: mine.toml:3: no key `wrds`.", theme="no-such-theme")
    async with start.opened(140):
        told = " ".join(" ".join(start.rows[-3:-1]).split())
        assert "mine.toml:3" in told
        assert "No theme named 'no-such-theme'" in told


def test_a_misfit_says_how_many_it_takes() -> None:
    assert format_mismatch(OXFORD, 2) == ""
    assert format_mismatch(OXFORD, 5) == "needs 2 to 4 debaters"


async def test_a_debater_is_given_a_name_a_side_and_a_persona() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "e")
        assert "set by the format" in start.text
        await start.press("n", *"Eve", "enter")
        await start.press("e", "s", *"For tea", "enter")
        await start.press("e", "p", *"a child", "enter")
        assert "Eve=openai:gpt-5.6-terra" in start.text
        assert "Persona: a child" in start.text
        await start.press("e", "n", "backspace", "escape")
        await start.press("escape", *"Tea?", "enter")
    (proposal,) = start.proposed
    assert proposal.profile(0) == DebaterProfile(name="Eve", side="For tea", persona="a child")
    assert proposal.profile(1) == DebaterProfile()


async def test_a_model_is_given_parameters() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "e", "e", *"huge", "enter")
        assert "Use none, minimal, low, medium or high." in start.text
        await start.press(*["backspace"] * 4, *"high", "enter")
        await start.press("e", "t", *"0.7", "enter")
        await start.press("e", "m", *"300", "enter")
        await start.press("e", "y", *"Rhyme.", "enter")
        await start.press("e", "x", *'{"top_k": 3}', "enter")
        await start.press("e", "h", *'{"X-Team": "red"}', "enter")
        assert "Effort: high" in start.text
        await start.press("escape", *"Tea?", "enter")
    (proposal,) = start.proposed
    assert proposal.profile(0) == DebaterProfile(
        effort="high",
        temperature=0.7,
        max_output_tokens=300,
        system="Rhyme.",
        extra_body={"top_k": 3},
        headers={"X-Team": "red"},
    )


async def test_a_demo_debater_has_no_parameters() -> None:
    async with StartHarness(DebateSetup()).opened() as start:
        await start.press("tab", "e")
        assert "persona" in start.text
        assert "temperature" not in start.text


async def test_what_is_no_debater_yet_has_no_name() -> None:
    async with StartHarness().opened() as start:
        await start.press("tab", "down", "down", "e")
        assert start.app.screen is start.screen
        assert "persona" not in start.rows[-1]
        await start.press("up")
        assert "e settings" in start.rows[-1]


async def test_cursors_stand_still_where_animations_are_not_wanted() -> None:
    start = StartHarness()
    start.app.animation_level = "none"
    async with start.opened():
        assert not start.screen._topic_input.cursor_blink
        await start.press("tab", "e", "n")
        assert not start.app.screen.query_one(LineInput).cursor_blink


async def test_a_topic_is_chosen_from_examples() -> None:
    async with StartHarness().opened() as start:
        assert "↑ examples" in start.rows[-1]
        await start.press("up")
        assert "Example topics" in start.text
        await start.press("down", "enter")
        assert start.screen._topic_input.has_focus
        await start.press("enter")
        assert [proposal.topic for proposal in start.proposed] == [EXAMPLE_TOPICS[1]]


async def test_rounds_are_those_of_phases_that_are_repeated() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=("demo", "demo"))).opened() as start:
        assert "set by the format" in start.text
        assert "Rebuttal × 2" in start.text
        await start.press("tab", *["down"] * 4, "enter", "down", "down", "down", "enter")
        assert "Rebuttal × 3" in start.text
        await start.press("enter", "end", "enter", *"zero", "enter")
        assert "Use 1 or more." in start.text
        await start.press(*["backspace"] * 4, "8", "enter")
        assert start.screen.setup.rounds == 8
        await start.press("up", "left")
        assert start.screen.setup.rounds is None
        assert "no phase is repeated" in start.text
        await start.press("down", "right")
        assert start.screen.setup.rounds is None


async def test_a_budget_is_money_or_tokens() -> None:
    async with StartHarness(DebateSetup(topic="x", debaters=("demo", "demo")), cost=0.031).opened() as start:
        assert "no limit" in start.text
        assert "about $0.03" in start.text
        await start.press("tab", *["down"] * 5, "enter", "end", "enter", *"much", "enter")
        assert "The budget cannot be 'much'." in start.text
        await start.press(*["backspace"] * 4, "0", "full_stop", "0", "2", "enter")
        assert "about $0.03, over budget" in start.text
        await start.press("enter", "end", "enter", *"20000", "space", *"tokens", "enter")
        assert "$0.0200 or 20,000 tokens" in start.text
        await start.press("end", "enter")
    (proposal,) = start.proposed
    assert (proposal.max_cost, proposal.max_tokens) == (0.02, 20000)


async def test_material_is_added_changed_and_removed(tmp_path: Path) -> None:
    notes = tmp_path / "n"
    notes.write_text("Tea keeps.")
    async with StartHarness(DebateSetup(topic="x", debaters=(OPENAI, ANTHROPIC))).opened() as start:
        await start.press("tab", "end", "up")
        assert "Add a file, a folder or a web page" in start.text
        assert "Files, folders and web pages." in start.text
        assert "change" not in start.text.splitlines()[-1]
        await start.press("enter")
        assert isinstance(start.app.screen, InputScreen)
        await typed(start, "none")
        await start.press("enter")
        assert "Cannot read 'none': No such file or directory." in start.text
        await start.press("ctrl+u")
        start.app.screen.query_one(LineInput).value = str(notes)
        await start.press("enter")
        assert start.screen.setup.material == (str(notes),)
        assert "about 2,003 tokens" in start.text
        await start.press("plus")
        start.app.screen.query_one(LineInput).value = "https://host/page"
        await start.press("enter")
        assert start.screen.setup.material == (str(notes), "https://host/page")
        await start.press("delete")
        assert start.screen.setup.material == ("https://host/page",)
        await start.press("tab", "enter")
        assert [proposal.material for proposal in start.proposed] == [("https://host/page",)]


async def test_material_that_cannot_be_used_says_so_in_its_row() -> None:
    setup = DebateSetup(topic="x", debaters=(OPENAI, ANTHROPIC), material=("a.png",))
    async with StartHarness(setup, problem="a.png is not a text file.").opened() as start:
        assert "a.png is not a text file." in start.text


async def test_history_is_one_key_away_and_the_setup_is_kept() -> None:
    async with StartHarness().opened() as start:
        await typed(start, "Tea")
        assert "^r history" in start.rows[-1]
        await start.press("ctrl+r")
        assert [setup.topic for setup in start.left] == ["Tea"]


async def test_without_a_model_it_says_how_to_connect_one() -> None:
    async with StartHarness(DebateSetup(), (LOCAL, DEMO)).opened(80, 24) as start:
        assert "connect one: set a key such as OPENAI_API_KEY" in " ".join(start.text.split())
        await start.press("tab", "enter", "end", "up")
        assert "❯ connect a model" in start.text
        await start.press("enter")
        assert "debate-tui help providers" in " ".join(start.text.split())
        await start.press("escape")
        assert start.app.screen is start.screen
    async with StartHarness().opened() as start:
        assert "connect a model" not in start.text


async def test_parameters_are_shown_beside_a_model_and_offered_with_it() -> None:
    async with StartHarness().opened(140, 35) as start:
        await start.press("tab", "enter", "end", "up", "enter", "e", *"high", "enter")
        assert "effort high, key found" in start.text
        assert start.screen.setup.profile(0).effort == "high"


async def test_a_small_screen_shows_what_matters() -> None:
    async with StartHarness(DebateSetup()).opened(40, 15) as start:
        assert "enter start   ↑ examples" in start.rows[-1]
        for told in ("Debaters 1 demo", "Against", "Add a debater", "Format", "Rounds", "Budget", "Judges"):
            assert told in start.text
        await start.press("up")
        assert EXAMPLE_TOPICS[0] in start.text
        await start.press("escape", "tab", "end")
        assert "▸ Start the debate" in start.text
