"""A judged and moderated debate in a real terminal, its models behind real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events as ev
from tests.fakes.judged_debate_server import (
    ADA,
    AGREEING_JUDGES,
    BEN,
    FIRST_JUDGE,
    JudgedDebateServer,
    and_report,
    prefer_ada,
)
from tests.stored_debate import stored_events
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.terminal.pty_terminal import Terminal
    from tests.terminal.terminal_emulator import EmulatedDisplay

TOPIC = "Should cities ban cars?"


def judged_server() -> JudgedDebateServer:
    debate = JudgedDebateServer(AGREEING_JUDGES)
    debate.debaters_may_speak.clear()
    return debate


def asks_for(what: str) -> Callable[[EmulatedDisplay], bool]:
    """Whether a line asks for this and has the keys: no pane has them then."""

    def condition(display: EmulatedDisplay) -> bool:
        title = display.text.splitlines()[4]
        return f"❯ {what} " in display.text and "━" not in title

    return condition


async def test_a_viewer_votes_before_and_after_and_then_sees_the_verdict() -> None:
    async with (
        judged_server() as debate,
        run_in_terminal(TOPIC, *debate.options, columns=120, rows=40, **debate.environment) as terminal,
    ):
        await terminal.wait_for_text("Before it starts: which side are you on?")
        terminal.press("v")
        await terminal.wait_for_text("undecided")
        terminal.press("b")
        await terminal.wait_for_text("Vote recorded")
        debate.debaters_may_speak.set()
        await terminal.wait_for_text("judging 2 of 2", "It's over. Which side are you on now?")
        debate.second_may_speak.set()
        await terminal.wait_for_text("✓ complete", "not now")
        assert "wins" not in terminal.display.text
        terminal.press("va")
        await terminal.wait_for_text(
            "For wins: opinion moved 25 points. Best speaker: Ada (2 of 2 judges)",
            "up 25 points",
        )
        await terminal.wait_for_text("before Against   after For", "not found in the debate")
        terminal.press("q")
        await terminal.wait_until(lambda display: "The verdict" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
    votes = [(event.when, event.side) for event in stored_events() if isinstance(event, ev.Vote)]
    assert votes == [("before", "Against"), ("after", "For")]
    assert isinstance(stored_events()[-1], ev.DebateFinished)
    async with run_in_terminal("replay", "--speed", "64", columns=120, rows=40) as terminal:
        await terminal.wait_for_text(
            "For wins: opinion moved 25 points. Best speaker: Ada", "before Against   after For"
        )
        terminal.press("q")
        await terminal.wait_until(lambda display: "The verdict" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def test_the_report_is_a_page_of_the_card_live_replayed_and_read() -> None:
    debate = JudgedDebateServer({FIRST_JUDGE: and_report(prefer_ada(40, 80))})
    judge = ("--judge", f"openai:{FIRST_JUDGE}", "--report")
    debaters = debate.options[: debate.options.index("--judge")]
    async with (
        debate,
        run_in_terminal(TOPIC, *debaters, *judge, columns=80, rows=24, **debate.environment) as terminal,
    ):
        await terminal.wait_for_text("✓ complete", "not now")
        terminal.press("\x1b")
        await terminal.wait_for_text("The verdict · The report", "tab report")
        await show_whole_report(terminal)
        assert await terminal.wait_for_exit() == 0
    async with run_in_terminal("replay", "--speed", "64", columns=80, rows=24) as terminal:
        await terminal.wait_for_text("tab report")
        await show_whole_report(terminal)
        assert await terminal.wait_for_exit() == 0
    async with run_in_terminal("history", columns=80, rows=24) as terminal:
        await terminal.wait_for_text("Recorded debates", "enter read")
        terminal.press("\r")
        await terminal.wait_for_text("tab report")
        await show_whole_report(terminal)
        await terminal.wait_for_text("Recorded debates")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def show_whole_report(terminal: Terminal) -> None:
    """Read the report from its first line to its last, close the card and leave."""
    terminal.press("\t")
    await terminal.wait_for_text(f"Written by openai:{FIRST_JUDGE}.", "What they agree on", "tab verdict")
    terminal.press("\x1b[F")
    await terminal.wait_for_text("What no one answered", "Who pays?", "not found in the debate")
    terminal.press("q")
    await terminal.wait_until(lambda display: "The verdict" not in display.text)
    terminal.press("q")


async def test_a_moderator_changes_rounds_words_and_sources() -> None:
    async with (
        judged_server() as debate,
        run_in_terminal(TOPIC, *debate.options, columns=120, rows=40, **debate.environment) as terminal,
    ):
        await terminal.wait_for_text("Opening")
        terminal.press("M")
        await terminal.wait_for_text("Moderate the debate")
        terminal.press("n")
        await terminal.wait_for_text("Added another opening round")
        terminal.press("M")
        await terminal.wait_for_text("Moderate the debate")
        terminal.press("w")
        await terminal.wait_until(asks_for("Words per turn"))
        terminal.press("33\r")
        await terminal.wait_for_text("33 words per turn from the next round")
        terminal.press("M")
        await terminal.wait_for_text("Moderate the debate")
        terminal.press("o")
        await terminal.wait_until(asks_for("New model for Ada"))
        terminal.press("opanai:x\r")
        await terminal.wait_for_text("No provider named 'opanai'")
        terminal.press(f"\x15openai:{ADA}-two\r")
        await terminal.wait_for_text(f"Ada continues with openai:{ADA}-two")
        debate.debaters_may_speak.set()
        debate.second_may_speak.set()
        await terminal.wait_for_text("✓ complete", "not now")
        terminal.press("\x1b")
        await terminal.wait_for_text("(2 of 2 judges)")
        terminal.press("q")
        await terminal.wait_until(lambda display: "The verdict" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    steps = [
        (step.phase, step.round, step.words) for step in stored_events() if isinstance(step, ev.PhaseStarted)
    ]
    assert steps[:3] == [("opening", 1, 200), ("opening", 2, 33), ("rebuttal", 1, 33)]
    assert [asked.phase for asked in debate.requests_for(ADA)] == ["Opening"]
    assert [asked.phase for asked in debate.requests_for(f"{ADA}-two")][:2] == [
        "Opening, round 2 of 2",
        "Rebuttal, round 1 of 2",
    ]
    assert all("Write at most 33 words" in asked.prompt for asked in debate.requests_for(BEN)[1:])
