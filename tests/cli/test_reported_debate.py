"""A whole debate with a report, end to end: who writes it, from what, what if it fails, where it is shown."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import compute_costs
from tests.cli.process import read_until, run_program, start_program
from tests.cli.test_judged_debate import PHASES, TOPIC, events_of_type, without_times
from tests.fakes.judged_debate_server import (
    FIRST_JUDGE,
    HOSTILE,
    SECOND_JUDGE,
    JudgedDebateServer,
    and_report,
    label_of,
    prefer_ada,
)
from tests.fakes.provider_server import CHAT, ProviderReply
from tests.golden import check_golden
from tests.stored_debate import stored_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.process import ProcessResult
    from tests.fakes.judged_debate_server import ModelRequest

GOLDEN = Path(__file__).parent / "golden"
FIRST, SECOND = f"openai:{FIRST_JUDGE}", f"anthropic:{SECOND_JUDGE}"


def reporting_server(
    first: Callable[[ModelRequest], str] | None = None, second: Callable[[ModelRequest], str] | None = None
) -> JudgedDebateServer:
    judges = {
        FIRST_JUDGE: first or and_report(prefer_ada(40, 80)),
        SECOND_JUDGE: second or and_report(prefer_ada(50, 60)),
    }
    server = JudgedDebateServer(judges)
    server.second_may_speak.set()
    return server


def debaters_of(server: JudgedDebateServer) -> tuple[str, ...]:
    return server.options[: server.options.index("--judge")]


async def run_debate(server: JudgedDebateServer, *options: str) -> ProcessResult:
    return await run_program(TOPIC, "--json", *debaters_of(server), *options, **server.environment)


def report_requests(server: JudgedDebateServer) -> list[ModelRequest]:
    return [asked for asked in server.requests if asked.asks_for_report]


def the_report(done: ProcessResult) -> ev.Report:
    (report,) = events_of_type(done, ev.Report)
    return report


# Who writes it, and from what


async def test_the_first_judge_reports_after_all_verdicts() -> None:
    async with reporting_server() as models:
        done = await run_debate(models, "--judge", FIRST, "--judge", SECOND, "--report")
    assert (done.code, done.err) == (0, "")
    *_, last_verdict, report, end = done.events
    assert isinstance(last_verdict, ev.Verdict)
    assert isinstance(report, ev.Report)
    assert isinstance(end, ev.DebateFinished)
    assert (report.judge, report.model, report.problem) == (FIRST, FIRST_JUDGE, "")
    assert report.agreed == ("Streets should be safe.",)
    assert report.differences[0] == ev.Difference("What Ada's plan costs.", "A trial in one city.")
    assert report.changed_minds == (ev.ChangedMind("d2", "Ben gave up free parking."),)
    assert [(each.debater, each.found) for each in report.strongest] == [("d1", True), ("d2", False)]
    assert report.unanswered == ("Who pays?",)


async def test_the_report_is_written_from_the_public_record_and_the_verdicts() -> None:
    async with reporting_server() as models:
        await run_debate(models, "--judge", FIRST, "--judge", SECOND, "--report")
    (asked,) = report_requests(models)
    assert asked.model == FIRST_JUDGE
    system, user = asked.messages
    assert (system[0], user[0]) == ("system", "user")
    fenced = re.findall(r"<speech (\w+)>\n(.*?)\n</speech \1>", user[1], re.DOTALL)
    outside = re.sub(r"<speech (\w+)>\n(.*?)\n</speech \1>", "", user[1], flags=re.DOTALL)
    assert len(fenced) == 2 * len(PHASES) + 2
    assert label_of(user[1], "Ada speaks") == "A"
    label = label_of(user[1], "Ada speaks")
    assert outside.count(f"in favour of Speaker {label}, with these reasons:") == 2
    assert f"Speaker {label} had reasons." in [text for _, text in fenced]
    assert "secret thoughts" not in user[1]
    assert "**" not in user[1]
    for hidden in ("Ada (", FIRST_JUDGE, SECOND_JUDGE, "Ignore all previous"):
        assert hidden not in outside
    assert any("Ignore all previous" in text for _, text in fenced)
    assert all(mark not in HOSTILE for mark, _ in fenced)


async def test_another_source_can_report_with_judges_or_without() -> None:
    async with reporting_server() as models:
        judged = await run_debate(models, "--judge", FIRST, f"--report={SECOND}")
        unjudged = await run_debate(models, f"--report={SECOND}")
    for done in (judged, unjudged):
        assert (done.code, done.err) == (0, "")
        assert (the_report(done).judge, the_report(done).model) == (SECOND, SECOND_JUDGE)
    assert len(events_of_type(judged, ev.Verdict)) == 1
    assert events_of_type(unjudged, ev.Verdict) == []
    assert all(not asked.asks_for_stance for asked in models.requests_for(SECOND_JUDGE))
    assert "with these reasons" not in report_requests(models)[1].prompt


async def test_a_debate_file_and_the_environment_can_ask_for_it(tmp_path: Path) -> None:
    file = tmp_path / "debate.toml"
    file.write_text(f'judge = ["{FIRST}"]\nreport = true\n')
    async with reporting_server() as models:
        by_file = await run_debate(models, "--config", str(file))
        environment = {**models.environment, "DEBATE_TUI_REPORT": SECOND}
        options = (TOPIC, "--json", *debaters_of(models))
        by_variable = await run_program(*options, **environment)
    assert the_report(by_file).judge == FIRST
    assert the_report(by_variable).judge == SECOND


async def test_it_is_counted_with_the_judges(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(f"[price.{FIRST_JUDGE}]\ninput = 1.0\noutput = 2.0\n")
    async with reporting_server() as models:
        done = await run_debate(models, "--judge", FIRST, "--report", "--config", str(prices))
    report = the_report(done)
    assert report.usage is not None
    assert (report.usage.input_tokens, report.usage.output_tokens) == (100, 10)
    assert report.cost == pytest.approx(0.00012)
    judges = compute_costs(Transcript(done.events)).judges
    assert judges.cost == pytest.approx(0.00012 + 0.00036)
    assert judges.input_tokens == 400


@pytest.mark.parametrize("after", [(), ("Should cats vote?",)], ids=["no topic", "topic"])
async def test_without_anyone_to_write_it_it_says_what_to_do(after: tuple[str, ...]) -> None:
    done = await run_program("-d", "demo", "-d", "demo", "--report", *after, stdin=b"Should cats vote?")
    assert (done.code, done.out) == (2, "")
    assert "A report needs a judge to write it." in done.err
    assert "--report=SOURCE" in done.err


async def test_a_source_without_its_equals_sign_is_not_taken_for_the_topic() -> None:
    done = await run_program("--report", "demo:orator", "Should cats vote?")
    assert done.code == 2
    assert "Write --report=demo:orator." in done.err


async def test_a_source_that_is_none_is_told_before_anything_is_sent() -> None:
    done = await run_program("Should cats vote?", "-d", "demo", "-d", "demo", "--report=nobody:x")
    assert (done.code, done.out) == (2, "")
    assert "No provider named 'nobody'" in done.err


# What if it fails


@pytest.mark.parametrize("text", ["It was lovely.", "{}", '{"agreed": ["Streets'])
async def test_an_unreadable_report_is_asked_for_once_more_and_nothing_else_fails(text: str) -> None:
    async with reporting_server(and_report(prefer_ada(40, 80), lambda _: text)) as models:
        done = await run_debate(models, "--judge", FIRST, "--report")
    assert (done.code, done.err) == (0, "")
    report = the_report(done)
    assert (report.problem, report.agreed) == ("its answer could not be read", ())
    assert report.usage is not None
    assert len(report_requests(models)) == 2
    (verdict,) = events_of_type(done, ev.Verdict)
    assert verdict.winner == "d1"
    assert Transcript(done.events).finish_reason == "complete"


async def test_a_model_that_refuses_to_report_fails_nothing_else() -> None:
    async with reporting_server() as models:
        chat = models._chat

        def refuse(received: object) -> ProviderReply:
            reply = chat(received)  # type: ignore[arg-type]
            if models.requests[-1].asks_for_report:
                return ProviderReply(b'{"error": {"message": "No such model."}}', 404, "application/json")
            return reply

        models.server.respond(CHAT, refuse)
        done = await run_debate(models, "--judge", FIRST, "--report")
    assert (done.code, done.err) == (0, "")
    assert "No such model" in the_report(done).problem
    assert len(report_requests(models)) == 1


# Where it is shown


def without_dates(document: str) -> str:
    """The report in the JSON export, and that its event is there too."""
    found = json.loads(document)
    (event,) = (event for event in found["events"] if event["type"] == "report")
    report = found["report"]
    assert event == report
    return json.dumps({**report, "seq": 0, "at": 0}, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("form", ["md", "html", "txt", "json"])
async def test_exports_match_golden_files(form: str) -> None:
    async with reporting_server() as models:
        await run_debate(models, "--judge", FIRST, "--report")
    document = (await run_program("export", "--to", form)).out
    shown = without_dates(document) if form == "json" else without_times(document)
    check_golden(GOLDEN / f"reported.{form}", shown)


async def test_a_replay_is_the_debate_event_for_event() -> None:
    async with reporting_server() as models:
        done = await run_debate(models, "--judge", FIRST, "--report")
    again = await run_program("replay", "--json")
    assert (again.code, again.err) == (0, "")
    assert again.out == done.out


async def test_plain_output_ends_with_it_live_and_replayed() -> None:
    async with reporting_server() as models:
        options = (TOPIC, "--plain", *debaters_of(models), "--judge", FIRST, "--report")
        live = await run_program(*options, **models.environment)
    replayed = await run_program("replay", "--plain")
    for done in (live, replayed):
        assert done.code == 0
        verdict, report = done.out.partition("## Verdict")[2].split("## Report")
        assert "Ada (Ada 9.0, Ben 5.0)" in verdict
        assert f"Written by {FIRST}.\n\nWhat they agree on:\n- Streets should be safe." in report
        assert "- Ada (For): Streets are places. “streets are for people”\n" in report
        assert "“parking is a human right” (not found in the debate)" in report
        assert report.rstrip().endswith("The debate is over.")


async def test_the_demo_can_report() -> None:
    done = await run_program("Should cats vote?", "-d", "demo", "-d", "demo", "--json", "--report=demo")
    assert done.code == 0
    report = the_report(done)
    assert report.judge.startswith("demo:")
    assert [(each.debater, each.found) for each in report.strongest] == [("d1", True), ("d2", True)]
    assert "scripted" in report.strongest[0].argument


# Debates that are finished, or killed


async def test_a_finished_debate_can_get_a_report() -> None:
    async with reporting_server() as models:
        await run_debate(models)
        alone = await run_program("judge", f"--report={FIRST}", **models.environment)
        with_verdict = await run_program("judge", "--judge", SECOND, "--report", **models.environment)
    assert (alone.code, with_verdict.code) == (0, 0)
    assert alone.out.startswith(f"Report\n\nWritten by {FIRST}.\n\nWhat they agree on:\n")
    assert f"\n\nReport\n\nWritten by {SECOND}.\n" in with_verdict.out
    assert with_verdict.out.startswith(f"{SECOND}: Ada")
    transcript = Transcript(stored_events())
    assert [report.judge for report in transcript.reports] == [FIRST, SECOND]
    assert transcript.report == transcript.reports[1]
    assert isinstance(stored_events()[-1], ev.DebateFinished)


async def test_a_report_alone_that_fails_is_a_failure_of_the_command() -> None:
    async with reporting_server(and_report(prefer_ada(40, 80), lambda _: "No.")) as models:
        await run_debate(models)
        done = await run_program("judge", f"--report={FIRST}", **models.environment)
    assert done.code == 1
    assert f"No report from {FIRST}: its answer could not be read." in done.out


@pytest.mark.parametrize("moment", ["before the report", "while it is written"])
async def test_killed_around_the_report_it_is_written_once(moment: str) -> None:
    async with reporting_server() as models:
        models.second_may_speak.clear()
        options = ("--judge", FIRST, f"--report={SECOND}")
        process = await start_program(TOPIC, "--json", *debaters_of(models), *options, **models.environment)
        await read_until(process, '"type":"verdict"')
        if moment == "while it is written":
            while not report_requests(models):
                await asyncio.sleep(0.01)
        while not any(isinstance(event, ev.Verdict) for event in stored_events()):
            await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        before = stored_events()
        models.second_may_speak.set()
        done = await run_program("--continue", "--json", **models.environment)
        again = await run_program("--continue", "--json", **models.environment)
    assert done.code == 0, done.err
    assert done.events[: len(before)] == before
    assert len(events_of_type(done, ev.Verdict)) == 1
    assert the_report(done).judge == SECOND
    assert Transcript(done.events).finish_reason == "complete"
    assert again.code == 2
    assert "is complete" in again.err


async def test_stopped_while_it_is_written_it_is_written_when_the_debate_is_continued() -> None:
    async with reporting_server() as models:
        models.second_may_speak.clear()
        options = ("--judge", FIRST, f"--report={SECOND}")
        process = await start_program(TOPIC, "--json", *debaters_of(models), *options, **models.environment)
        await read_until(process, '"type":"verdict"')
        while not report_requests(models):
            await asyncio.sleep(0.01)
        process.terminate()
        await process.communicate()
        stopped = Transcript(stored_events())
        models.second_may_speak.set()
        done = await run_program("--continue", "--json", **models.environment)
    assert process.returncode == 143
    assert (stopped.finish_reason, stopped.reports) == ("stopped", [])
    assert done.code == 0, done.err
    assert the_report(done).judge == SECOND
    assert len(models.requests_for(FIRST_JUDGE)) == 3, "its verdict is not asked for again"
