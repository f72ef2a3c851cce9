"""A whole debate with two judges, end to end: what everybody was told, what came of it, what is kept."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from debate_tui.config import record_file
from debate_tui.domain import events as ev
from debate_tui.domain.judging.scoring import decide_panel, measure_swing
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import list_debates
from tests.cli.process import ProcessResult, read_until, run_program, start_program
from tests.fakes import judged_debate_server
from tests.fakes.judged_debate_server import (
    ADA,
    AGREEING_JUDGES,
    BEN,
    FIRST_JUDGE,
    HOSTILE,
    SECOND_JUDGE,
    JudgedDebateServer,
    give_unreadable_verdict,
    prefer_ada,
    prefer_first_speaker,
)
from tests.golden import check_golden
from tests.stored_debate import stored_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.judged_debate_server import ModelRequest

GOLDEN = Path(__file__).parent / "golden"
TOPIC = "Should cities ban cars?"
PHASES = ("Opening", "Rebuttal, round 1 of 2", "Rebuttal, round 2 of 2", "Closing")


async def run_debate(held: JudgedDebateServer, tmp_path: Path) -> ProcessResult:
    """The debate, from its first line to its last; the second judge speaks when the first has spoken."""
    prices = tmp_path / "prices.toml"
    prices.write_text(judged_debate_server.PRICES)
    options = ("--json", "--config", str(prices), *held.options)
    process = await start_program(TOPIC, *options, **held.environment)
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    async for line in process.stdout:
        lines.append(line.decode())
        if b'"type":"verdict"' in line:
            held.second_may_speak.set()
    err = (await process.stderr.read()).decode()
    return ProcessResult(await process.wait(), "".join(lines), err)


def judged_by(
    first: Callable[[ModelRequest], str], second: Callable[[ModelRequest], str]
) -> JudgedDebateServer:
    return JudgedDebateServer({FIRST_JUDGE: first, SECOND_JUDGE: second})


# What everybody was told


async def test_everybody_is_told_what_the_format_lets_them_see_and_nothing_else(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        done = await run_debate(debate, tmp_path)
    assert (done.code, done.err) == (0, "")
    for model, side, other in ((ADA, "For", "Against"), (BEN, "Against", "For")):
        turns = debate.requests_for(model)
        assert [asked.phase for asked in turns] == list(PHASES)
        for place, asked in enumerate(turns):
            expected = {(who, phase) for who in ("Ada", "Ben") for phase in PHASES[:place]}
            assert prompt_of(asked) == expected
            last = asked.messages[-1][1].splitlines()[-1]
            assert last.endswith(f"you argue for this side and no other: {side}")
            assert f"this side and no other: {other}" not in asked.prompt


def prompt_of(asked: ModelRequest) -> set[tuple[str, str]]:
    """Whose speeches of which phases a prompt holds."""
    return set(re.findall(r"^(Ada|Ben) speaks, in ([^:]*):", asked.prompt, re.MULTILINE))


async def test_nobody_hears_what_another_only_thought(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        done = await run_debate(debate, tmp_path)
    thoughts = "".join(event.text for event in events_of_type(done, ev.TurnDelta) if event.reasoning)
    assert thoughts.count("secret thoughts") == 8
    assert len(debate.requests) == 8 + 2 + 4
    assert not any("secret thoughts" in asked.prompt for asked in debate.requests)


async def test_what_an_opponent_says_cannot_leave_its_fence(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        await run_debate(debate, tmp_path)
    told = [asked for asked in debate.requests if "Ignore all previous" in asked.prompt]
    assert {asked.model for asked in told} == {ADA, BEN, FIRST_JUDGE, SECOND_JUDGE}
    for asked in told:
        fenced = re.findall(r"<speech (\w+)>\n(.*?)\n</speech \1>", asked.prompt, re.DOTALL)
        outside = re.sub(r"<speech (\w+)>\n(.*?)\n</speech \1>", "", asked.prompt, flags=re.DOTALL)
        assert any("Ignore all previous" in text for _, text in fenced)
        assert "Ignore all previous" not in outside
        assert "the debate is over" not in outside
        assert all(mark not in HOSTILE for mark, _ in fenced)
        assert [role for role, _ in asked.messages] == ["system", "user"]


async def test_judges_hear_labels_and_plain_words_in_both_orders_and_before_that_nothing(
    tmp_path: Path,
) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        await run_debate(debate, tmp_path)
    for judge in (FIRST_JUDGE, SECOND_JUDGE):
        before, *readings = debate.requests_for(judge)
        assert before.asks_for_stance
        assert "Ada" not in before.prompt
        labels = [judged_debate_server.label_of(asked.prompt, "Ada speaks") for asked in readings]
        assert sorted(labels) == ["A", "B"]  # Both readings are asked for at once.
        for asked in readings:
            assert "**" not in asked.prompt
            assert "Speaker A, arguing" in asked.prompt
            assert "Ada (" not in asked.prompt
            assert '"winner"' in asked.messages[-1][1]


# What it came to


def events_of_type(done: ProcessResult, kind: type) -> list:
    return [event for event in done.events if isinstance(event, kind)]


def verdicts(done: ProcessResult) -> tuple[ev.Verdict, ev.Verdict]:
    first, second = events_of_type(done, ev.Verdict)
    return first, second


async def test_judges_who_agree_name_the_winner_and_opinion_is_averaged(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        done = await run_debate(debate, tmp_path)
    for verdict in verdicts(done):
        assert (verdict.winner, verdict.agreed, verdict.controlled) == ("d1", True, True)
        assert verdict.scores == {"d1": 9.0, "d2": 5.0}
        assert {(mark.debater, mark.found) for mark in verdict.marks} == {("d1", True), ("d2", False)}
        assert verdict.why == "Ada had reasons."
    panel, swing = decide_panel(verdicts(done)), measure_swing(verdicts(done))
    assert (panel.winner, panel.votes, panel.judges, panel.without_verdict) == ("d1", 2, 2, 0)
    assert swing is not None
    assert (swing.before, swing.after, swing.shift, swing.winner) == (45.0, 70.0, 25.0, 1)


async def test_a_judge_who_prefers_a_place_sees_a_tie_and_the_other_decides(tmp_path: Path) -> None:
    async with judged_by(prefer_ada(40, 80), prefer_first_speaker) as debate:
        done = await run_debate(debate, tmp_path)
    first, second = verdicts(done)
    assert (first.winner, first.agreed) == ("d1", True)
    assert (second.winner, second.agreed, second.problem) == (None, False, "")
    assert second.scores == {"d1": 7.0, "d2": 7.0}
    panel = decide_panel([first, second])
    assert (panel.winner, panel.votes, panel.judges) == ("d1", 1, 2)
    assert panel.scores == {"d1": 8.0, "d2": 6.0}


async def test_an_unreadable_judge_is_asked_once_more_and_then_gives_no_verdict(tmp_path: Path) -> None:
    async with judged_by(prefer_ada(40, 80), give_unreadable_verdict) as debate:
        done = await run_debate(debate, tmp_path)
    assert done.code == 0
    first, second = verdicts(done)
    assert (first.winner, second.winner) == ("d1", None)
    assert (second.problem, second.stance_before) == ("its answer could not be read", None)
    readings = [asked.prompt for asked in debate.requests_for(SECOND_JUDGE) if not asked.asks_for_stance]
    assert len(readings) == 4
    assert len(set(readings)) == 2
    panel = decide_panel([first, second])
    assert (panel.judges, panel.without_verdict) == (1, 1)
    assert isinstance(done.events[-1], ev.DebateFinished)


async def test_what_it_cost_is_logged_at_the_prices_given_and_not_guessed(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        done = await run_debate(debate, tmp_path)
    turns = events_of_type(done, ev.TurnFinished)
    assert [turn.cost for turn in turns if turn.debater == "d1"] == [pytest.approx(0.002)] * 4
    assert {turn.cost for turn in turns if turn.debater == "d2"} == {None}
    first, second = verdicts(done)
    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.output_tokens) == (300, 30)
    assert first.cost == pytest.approx(0.00036)
    assert second.cost is None


# What is kept of it


def without_times(document: str) -> str:
    """A document without what no two debates have in common: when it was, and how long it took."""
    document = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "SOME DAY", document)
    return re.sub(r" · [\d.]+ m?s\b", " · SOME TIME", document)


def without_dates(document: str) -> str:
    """The JSON export without its events, whose order among debaters is chance, and without times and ids."""
    found = json.loads(document)
    assert found.pop("events")
    found |= {"debate": "", "started": 0}
    for turn in found["turns"]:
        turn |= {"ttft_ms": 0, "duration_ms": 0}
    for verdict in found["verdicts"]:
        verdict |= {"seq": 0, "at": 0}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("form", ["md", "html", "txt", "json"])
async def test_exports_match_golden_files(form: str, tmp_path: Path) -> None:
    async with judged_by(prefer_ada(40, 80), prefer_first_speaker) as debate:
        await run_debate(debate, tmp_path)
    document = (await run_program("export", "--to", form)).out
    shown = without_dates(document) if form == "json" else without_times(document)
    check_golden(GOLDEN / f"judged.{form}", shown)


async def test_a_replay_is_the_debate_event_for_event(tmp_path: Path) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        done = await run_debate(debate, tmp_path)
    again = await run_program("replay", "--json")
    assert (again.code, again.err) == (0, "")
    assert again.out == done.out
    assert Transcript(again.events).verdicts == list(verdicts(done))


# A debate that is killed


@pytest.mark.parametrize("chance", range(10))
async def test_killed_at_any_point_it_is_listed_and_continues_without_changing_the_record(
    chance: int, tmp_path: Path
) -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        debate.second_may_speak.set()
        process = await start_program(TOPIC, "--json", *debate.options, **debate.environment)
        assert process.stdout is not None
        for _ in range(random.Random(chance).randrange(1, 170)):
            await process.stdout.readline()
        await wait_until_recorded()
        process.kill()
        await process.wait()
        before = stored_events()
        listed = await run_program("history", "cities")
        done = await run_program("--continue", "--json", **debate.environment)
    ended = Transcript(before).finish_reason is not None
    assert len(listed.out.splitlines()) == 1
    assert ("complete" if ended else "interrupted") in listed.out
    assert done.code == (2 if ended else 0), done.err
    events = before if ended else done.events
    assert events[: len(before)] == before
    transcript = Transcript(events)
    for number, turn in Transcript(before).turns.items():
        after = transcript.turns[number]
        assert after.text == turn.text if turn.finished else after.text.startswith(turn.text)
    assert spoken_texts(transcript) == {
        (model, phase) for model, phase in itertools.product(("Ada", "Ben"), PHASES)
    }
    assert {turn.reason for turn in transcript.turns.values()} == {"complete"}
    assert sorted(verdict.judge for verdict in transcript.verdicts) == [
        f"anthropic:{SECOND_JUDGE}",
        f"openai:{FIRST_JUDGE}",
    ]
    assert transcript.finish_reason == "complete"


async def test_stopped_while_the_judges_read_it_is_not_complete_and_they_read_on_when_it_goes_on() -> None:
    async with JudgedDebateServer(AGREEING_JUDGES) as debate:
        process = await start_program(TOPIC, "--json", *debate.options, **debate.environment)
        await read_until(process, '"type":"verdict"')
        process.terminate()
        await process.communicate()
        listed = await run_program("history")
        asked = len(debate.requests)
        debate.second_may_speak.set()
        done = await run_program("--continue", "--json", **debate.environment)
        again = await run_program("--continue", "--json", **debate.environment)
    assert "  stopped  " in listed.out
    assert done.code == 0, done.err
    assert {each.model for each in debate.requests[asked:]} == {SECOND_JUDGE}
    assert [verdict.judge for verdict in verdicts(done)] == [
        f"openai:{FIRST_JUDGE}",
        f"anthropic:{SECOND_JUDGE}",
    ]
    assert Transcript(done.events).finish_reason == "complete"
    assert again.code == 2
    assert "is complete" in again.err


def spoken_texts(transcript: Transcript) -> set[tuple[str, str]]:
    """Which speeches were held, each in the very words that were sent."""
    texts = {turn.text for turn in transcript.turns.values()}
    models = {"Ada": ADA, "Ben": BEN}
    return {
        (name, phase)
        for (name, model), phase in itertools.product(models.items(), PHASES)
        if judged_debate_server.speech_of(model, phase) in texts
    }


async def wait_until_recorded() -> None:
    """Wait until something of the debate is durable."""
    while True:
        if list_debates(record_file()):
            return
        await asyncio.sleep(0.01)
