"""``debate-tui judge``: a finished debate is read by judges, and its record gets their verdicts."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from tests.cli.process import run_program
from tests.fakes.judged_debate_server import AGREEING_JUDGES, FIRST_JUDGE, SECOND_JUDGE, JudgedDebateServer
from tests.sample_debates import ending_events, numbered_events, opening_events, whole_debate
from tests.stored_debate import store_debate, stored_events

JUDGED = numbered_events(*whole_debate())


async def test_verdict_is_printed_and_added_to_the_record() -> None:
    await store_debate(JUDGED)
    done = await run_program("judge", "cafe", "--judge", "demo:sceptic")
    assert (done.code, done.err) == (0, "debate-tui: 1 judge reading the debate cafe: “Tea or coffee?”\n")
    assert done.out.startswith("demo:sceptic: ")
    verdict, end = stored_events()[len(JUDGED) :]
    assert isinstance(verdict, ev.Verdict)
    assert (verdict.judge, verdict.problem) == ("demo:sceptic", "")
    assert isinstance(end, ev.DebateFinished)
    assert end.reason == "complete"
    again = await run_program("judge", "--judge", "demo:orator")
    assert (again.code, again.out.count("demo:")) == (0, 2)


async def test_judges_give_their_stance_before_they_read() -> None:
    text = ev.TurnDelta(turn=1, debater="a", attempt=1, offset=0, text="Ada speaks: streets are for people.")
    other = ev.TurnDelta(turn=2, debater="b", attempt=1, offset=0, text="Ben speaks of parking.")
    await store_debate(numbered_events(*opening_events(), text, other, *ending_events()))
    async with JudgedDebateServer(AGREEING_JUDGES) as models:
        models.second_may_speak.set()
        options = ("--judge", f"openai:{FIRST_JUDGE}", "--judge", f"anthropic:{SECOND_JUDGE}")
        done = await run_program("judge", *options, **models.environment)
    assert done.code == 0
    assert "2 of 2 judges" in done.out
    assert "Support for the motion: 45 before, 70 after (up 25 points)." in done.out
    assert sum(isinstance(event, ev.Verdict) for event in stored_events()) == 2


async def test_judge_without_an_answer_is_a_failure() -> None:
    await store_debate(JUDGED)
    async with JudgedDebateServer({FIRST_JUDGE: lambda _: "Lovely."}) as models:
        done = await run_program("judge", "--judge", f"openai:{FIRST_JUDGE}", **models.environment)
    assert done.code == 1
    assert "no verdict (its answer could not be read)" in done.out
    assert isinstance(stored_events()[-1], ev.DebateFinished)


@pytest.mark.parametrize(
    ("events", "arguments", "complaint", "hint"),
    [
        (opening_events(), ("--judge", "demo"), "is not finished", "debate-tui --continue cafe"),
        (
            [*opening_events(), ev.DebateFinished(reason="failed")],
            ("--judge", "demo"),
            "has no finished turn to judge",
            "",
        ),
        (JUDGED, (), "No judge was named.", "--judge openai:MODEL"),
        (JUDGED, ("--judge", "nobody:x"), "No provider named 'nobody'", ""),
        (JUDGED, ("nowhere", "--judge", "demo"), "nowhere", ""),
    ],
)
async def test_what_cannot_be_judged_is_said(
    events: list[ev.Event], arguments: tuple[str, ...], complaint: str, hint: str
) -> None:
    await store_debate(events)
    before = stored_events()
    done = await run_program("judge", *arguments)
    assert (done.code, done.out) == (2, "")
    assert complaint in done.err
    assert hint in done.err
    assert stored_events() == before
