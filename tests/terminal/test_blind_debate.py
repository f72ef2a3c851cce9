"""A blind debate in a real terminal: letters on every screen, and the names after the vote."""

from __future__ import annotations

import signal

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.transcript import Transcript
from tests.cli.process import run_program
from tests.fakes.blind_debate_server import CLAUDE, DEBATERS, GPT, BlindDebateServer, assert_nameless
from tests.stored_debate import stored_events
from tests.terminal.pty_terminal import run_in_terminal

TOPIC = "Should cities ban cars?"
OPTIONS = (*DEBATERS, "-r", "1")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 35), (200, 50)])
async def test_letters_until_the_vote_and_names_after_it(columns: int, rows: int) -> None:
    async with (
        BlindDebateServer() as server,
        run_in_terminal(TOPIC, *OPTIONS, columns=columns, rows=rows, **server.environment) as terminal,
    ):
        shown = await terminal.wait_for_text("It's over. Which side are you on now?")
        assert_nameless(shown.text)
        terminal.press("s")
        statistics = await terminal.wait_for_text("Stream statistics")
        assert_nameless(statistics.text)
        terminal.press("\x1b")
        await terminal.wait_until(lambda display: "Stream statistics" not in display.text)
        terminal.press("v")
        ballot = await terminal.wait_for_text("undecided")
        assert_nameless(ballot.text)
        terminal.press("a")
        card = await terminal.wait_for_text(f"openai:{GPT}", f"anthropic:{CLAUDE}")
        assert "A → " in card.text
        assert "B → " in card.text
        terminal.press("q")
        await terminal.wait_until(lambda display: f"openai:{GPT}" not in display.text)
        await terminal.wait_for_text("A → ", "B → ", "Ada", "Ben")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    kinds = [event for event in stored_events() if isinstance(event, ev.Vote | ev.DebatersRevealed)]
    assert [type(event) for event in kinds] == [ev.Vote, ev.DebatersRevealed]
    assert isinstance(stored_events()[-1], ev.DebateFinished)


@pytest.mark.parametrize("keys", ["\x1b", "vn"])
async def test_no_vote_reveals_as_well(keys: str) -> None:
    async with (
        BlindDebateServer() as server,
        run_in_terminal(TOPIC, *OPTIONS, **server.environment) as terminal,
    ):
        await terminal.wait_for_text("It's over. Which side are you on now?")
        for key in keys:
            terminal.press(key)
        await terminal.wait_for_text(f"openai:{GPT}", f"anthropic:{CLAUDE}")
        terminal.press("q")
        await terminal.wait_until(lambda display: f"openai:{GPT}" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert not Transcript(stored_events()).is_blind


async def test_leaving_without_a_vote_reveals_in_the_record() -> None:
    async with (
        BlindDebateServer() as server,
        run_in_terminal(TOPIC, *OPTIONS, **server.environment) as terminal,
    ):
        await terminal.wait_for_text("It's over. Which side are you on now?")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert not Transcript(stored_events()).is_blind


async def test_a_debate_that_is_killed_before_the_vote_is_revealed_when_it_is_resumed() -> None:
    async with BlindDebateServer() as server:
        async with run_in_terminal(TOPIC, *OPTIONS, **server.environment) as terminal:
            await terminal.wait_for_text("It's over. Which side are you on now?", "complete")
            terminal.send(signal.SIGKILL)
            await terminal.wait_for_exit()
        assert Transcript(stored_events()).is_blind
        done = await run_program("--continue", "--json", **server.environment)
    assert done.code == 0
    assert [type(event) for event in done.events[-2:]] == [ev.DebatersRevealed, ev.DebateFinished]
    async with run_in_terminal("replay", "--speed", "64", columns=120, rows=40) as terminal:
        await terminal.wait_for_text(f"A → {done.events[-2].debaters[0].name}", f"openai:{GPT}")
        terminal.press("qq")
        await terminal.wait_for_exit()


async def test_a_debate_that_is_left_early_stays_blind() -> None:
    async with BlindDebateServer() as server:
        server.may_finish.clear()
        async with run_in_terminal(TOPIC, *OPTIONS, **server.environment) as terminal:
            await terminal.wait_for_text("A", "B", "Opening")
            await server.server.received(2)
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0
        server.may_finish.set()
    transcript = Transcript(stored_events())
    assert (transcript.finish_reason, transcript.is_blind) == ("stopped", True)


async def test_a_refused_key_is_a_decision_about_a_letter() -> None:
    async with BlindDebateServer() as server:
        environment = {**server.environment, "ANTHROPIC_BASE_URL": f"{server.server.url}/nowhere"}
        async with run_in_terminal(TOPIC, *OPTIONS, columns=120, rows=35, **environment) as terminal:
            shown = await terminal.wait_for_text("the details are hidden in a blind debate")
            assert_nameless(shown.text)
            terminal.press("q")
            await terminal.wait_for_exit()
