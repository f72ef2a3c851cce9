"""Whole blind debates through providers' wire formats: no one is named before the vote, everyone after it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from debate_tui.cli.plan import RunOptions, make_plan, swap_sides
from debate_tui.config import DebaterSettings, Settings, record_file
from debate_tui.domain import events as ev
from debate_tui.domain.exports import export_debate
from debate_tui.domain.transcript import Transcript
from tests.cli.process import ProcessResult, read_until, run_program, start_program
from tests.cli.serve_process import serve_process
from tests.fakes.blind_debate_server import (
    CLAUDE,
    DEBATERS,
    GPT,
    JUDGE,
    JUDGED,
    BlindDebateServer,
    assert_nameless,
)
from tests.fakes.provider_server import MESSAGES, ProviderReply
from tests.server.received_messages import ReceivedMessages
from tests.server.running_server import read_sse, received_at_least

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "Should cities ban cars?"


def before_reveal(lines: str) -> tuple[str, str]:
    """The lines before the event that reveals the debaters, and the rest."""
    before, found, after = lines.partition('{"type":"debaters.revealed"')
    assert found
    return before, found + after


async def test_no_byte_names_a_debater_before_it_is_revealed() -> None:
    async with BlindDebateServer() as server:
        done = await run_program(TOPIC, "--json", *JUDGED, **server.environment)

    assert (done.code, done.err) == (0, "")
    before, after = before_reveal(done.out)
    assert_nameless(before)
    assert [json.loads(line)["type"] for line in after.splitlines()] == [
        "debaters.revealed",
        "debate.finished",
    ]
    started = done.events[0]
    assert isinstance(started, ev.DebateStarted)
    assert started.blind
    assert started.prices == ""
    assert [(each.id, each.name, each.source, each.model) for each in started.debaters] == [
        ("d1", "A", "", ""),
        ("d2", "B", "", ""),
    ]
    _assert_revealed(done)


def _assert_revealed(done: ProcessResult) -> None:
    transcript = Transcript(done.events)
    real = {(each.name, each.source, each.model) for each in transcript.debaters.values()}
    assert real == {
        ("Ada", f"openai:{GPT}", GPT),
        ("Ben", f"anthropic:{CLAUDE}?effort=high", CLAUDE),
    }
    for debater, info in transcript.debaters.items():
        turn = transcript.latest_turn(debater)
        assert turn is not None
        assert ("yes" in turn.text) is (info.model == GPT)
        assert turn.model == info.model


async def test_what_a_debater_calls_itself_is_its_letter() -> None:
    async with BlindDebateServer() as server:
        done = await run_program(TOPIC, "--json", *DEBATERS, "-f", "compare", **server.environment)

    transcript = Transcript(done.events)
    for turn in transcript.turns.values():
        letter = transcript.letters[turn.debater]
        assert turn.text in (
            f"I am {letter}, {letter} to you; {letter} made me. As {letter} I say yes.",
            f"{letter} here, {letter} by {letter}; {letter}'s answer is no. So says {letter}",
        )
        assert turn.reasoning in (f"Who am I? {letter}, by {letter}.", f"I, {letter}, think.")


async def test_prompts_name_no_one_and_labels_are_no_letters_of_debaters() -> None:
    async with BlindDebateServer() as server:
        await run_program(TOPIC, "--json", *JUDGED, **server.environment)

    for model, prompts in server.prompts.items():
        assert prompts
        for prompt in prompts:
            assert_nameless(prompt.replace(CLAUDE, ""))  # a request names its model, its prompt does not
            assert "effort" not in prompt or model == CLAUDE
    readings = [prompt for prompt in server.prompts[JUDGE] if "Before you hear" not in prompt]
    assert readings
    for reading in readings:
        assert set(re.findall(r"Speaker ([A-H])", reading)) == {"C", "D"}


async def test_plain_text_shows_letters_and_then_the_names() -> None:
    async with BlindDebateServer() as server:
        done = await run_program(TOPIC, "--plain", *JUDGED, **server.environment)

    before, found, after = done.out.partition("The debaters were:")
    assert found
    assert_nameless(before)
    assert "- A (For)\n- B (Against)" in before
    assert "Blind debate: you see who the debaters are at the end." in before
    assert "Not impartial" not in done.out
    lines = [line for line in after.splitlines() if line.startswith("- ")]
    assert sorted(re.sub("^- [AB] → ", "", line) for line in lines) in (
        [f"Ada (For): openai:{GPT}", f"Ben (Against): anthropic:{CLAUDE}?effort=high"],
        [f"Ada (Against): openai:{GPT}", f"Ben (For): anthropic:{CLAUDE}?effort=high"],
    )
    assert_nameless(done.err)


def plan_places(*, typed_side: str = "") -> set[tuple[tuple[str, str], ...]]:
    """The names and sides, by place, of a hundred blind debates of the same two debaters."""
    seats = [DebaterSettings(source="demo", name="x"), DebaterSettings(source="demo", name="y")]
    options = RunOptions(sides={"y": typed_side} if typed_side else {}, personas={"x": "A poet"})
    plans = [make_plan(TOPIC, seats, Settings(blind=True), options) for _ in range(100)]
    for plan in plans:
        assert [each.debater.id for each in plan.debaters] == ["d1", "d2"]
        assert [each.name for each in plan.shown_debaters] == ["A", "B"]
        assert {each.debater.persona for each in plan.debaters if each.debater.name == "x"} == {"A poet"}
    return {tuple((each.debater.name, each.debater.side) for each in plan.debaters) for plan in plans}


def test_places_are_shuffled_and_with_them_the_sides_of_the_format() -> None:
    assert plan_places() == {(("x", "For"), ("y", "Against")), (("y", "For"), ("x", "Against"))}


def test_a_side_that_was_typed_stays_with_its_debater() -> None:
    assert plan_places(typed_side="For") == {(("x", "For"), ("y", "For")), (("y", "For"), ("x", "For"))}


def test_debating_again_shuffles_again() -> None:
    plan = make_plan(TOPIC, [DebaterSettings(source="demo")] * 2, Settings(blind=True))
    orders = {tuple(each.source_spec.detail for each in swap_sides(plan).debaters) for _ in range(100)}
    assert len(orders) == 2


# The record


def record_columns() -> str:
    """Everything in the record but the setup, as text."""
    with closing(sqlite3.connect(record_file())) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        parts: list[str] = []
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{column}"' for column in columns if column != "setup")
            parts += [str(row) for row in connection.execute(f"SELECT {kept} FROM {table}")]
    return "\n".join(parts)


async def _kill_while_streaming(server: BlindDebateServer, *options: str) -> str:
    """Start a debate, kill it while both debaters speak, and return what it had written."""
    server.may_finish.clear()
    process = await start_program(TOPIC, "--json", *options, **server.environment)
    lines = await read_until(process, '"state":"connected"', 2)
    # An event is durable within 100 ms: this waits for the record, not for a time.
    while "connected" not in await asyncio.to_thread(record_columns):
        await asyncio.sleep(0)
    process.kill()
    await process.wait()
    server.may_finish.set()
    return "".join(lines)


async def test_a_killed_debate_resumes_blind_under_the_same_letters() -> None:
    async with BlindDebateServer() as server:
        killed = await _kill_while_streaming(server, *JUDGED)
        assert_nameless(killed)
        assert_nameless(record_columns())
        listed = await run_program("history", "--plain")
        assert_nameless(listed.out)
        done = await run_program("--continue", "--json", **server.environment)

    assert done.code == 0
    before, _ = before_reveal(done.out)
    assert_nameless(before)
    _assert_revealed(done)
    transcript = Transcript(done.events)
    first = json.loads(killed.splitlines()[0])
    assert {each["id"]: each["name"] for each in first["debaters"]} == transcript.letters


async def test_a_stopped_debate_stays_blind_in_the_record_its_replay_and_its_exports() -> None:
    async with BlindDebateServer() as server:
        server.may_finish.clear()
        process = await start_program(TOPIC, "--json", *DEBATERS, **server.environment)
        lines = await read_until(process, '"state":"connected"', 2)
        process.terminate()
        rest, _ = await process.communicate()
        server.may_finish.set()
        assert b'"reason":"stopped"' in rest.splitlines()[-1]
        assert_nameless("".join(lines) + rest.decode())
        assert_nameless(record_columns())
        for export_type in ("md", "html", "json", "txt"):
            exported = await run_program("export", "--to", export_type)
            assert exported.code == 0
            assert_nameless(re.sub(r"<style>.*?</style>", "", exported.out, flags=re.DOTALL))
        assert_nameless((await run_program("replay", "--json")).out)
        done = await run_program("--continue", "--json", **server.environment)
        _assert_revealed(done)
        after = await run_program("export", "--to", "md")
        listed = await run_program("history", "--plain")

    for name in ("Ada", "Ben"):
        assert re.search(rf"- [AB] → {name} \\?\((For|Against)\\?\): ", after.out) or name in after.out
        assert name in listed.out


# Viewers


async def test_a_server_names_no_one_before_the_end_and_everyone_after_it(tmp_path: Path) -> None:
    async with BlindDebateServer() as server:
        server.may_finish.clear()
        store = ("--store", str(tmp_path / "debates.sqlite3"))
        async with serve_process(TOPIC, *JUDGED, *store, **server.environment) as here:
            debate = f"/debates/{here.debate}"
            received = ReceivedMessages()
            await read_sse(here.client, f"{debate}/events?after=0", received, until=received_at_least(12))
            for path in ("/debates", debate, f"{debate}/turns", "/metrics", "/debates?q=claude"):
                assert_nameless((await here.client.get(path)).text)
            assert_nameless(str([message.data for message in received.messages]))
            assert_nameless("\n".join(here.printed))
            server.may_finish.set()
            await read_sse(here.client, f"{debate}/events", received, until=lambda _: False)
            assert_nameless(str([each.data for each in received.messages if each.data["type"] == "verdict"]))
            page = json.loads((await here.client.get(debate)).text)
            found = (await here.client.get("/debates?q=claude")).text
    kinds = [message.data["type"] for message in received.messages]
    assert kinds[kinds.index("debaters.revealed") - 1 :] == [
        "verdict",
        "debaters.revealed",
        "debate.finished",
    ]
    assert sorted(each["name"] for each in page["debaters"]) == ["Ada", "Ben"]
    assert sorted(page["letters"].values()) == ["A", "B"]
    assert here.debate in found


# Faults


@pytest.mark.parametrize("status", [401, 529])
async def test_a_fault_tells_its_cause_and_not_whose_it_is(status: int) -> None:
    async with BlindDebateServer() as server:
        kind = "authentication_error" if status == 401 else "overloaded_error"
        body = json.dumps({"type": "error", "error": {"type": kind, "message": f"Anthropic: {CLAUDE}"}})
        server.server.respond(
            MESSAGES,
            lambda _: ProviderReply(body.encode(), status=status, content_type="application/json"),
        )
        settings = "[recovery]\nmax_retries = 1\ninitial = 0.0\n"
        file = record_file().with_name("recovery.toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(settings)
        done = await run_program(
            TOPIC, "--json", "--config", str(file), *DEBATERS, "-f", "compare", **server.environment
        )

    before, _ = before_reveal(done.out)
    assert_nameless(before)
    cause = "Key refused" if status == 401 else "Overloaded"
    assert f"{cause}; the details are hidden in a blind debate." in before
    assert '"status":529' not in before


# Exports after the reveal, from a log


def test_the_exports_of_a_revealed_debate_say_who_had_which_letter() -> None:
    events: list[ev.Event] = [
        ev.DebateStarted(
            debate="d",
            topic=TOPIC,
            format="compare",
            debaters=(ev.DebaterInfo("d1", "A", "", "", ""), ev.DebaterInfo("d2", "B", "", "", "")),
            blind=True,
        ),
        ev.DebatersRevealed(
            debaters=(
                ev.DebaterInfo("d1", "Ben", "", "anthropic:claude-opus-9", "claude-opus-9"),
                ev.DebaterInfo("d2", "Ada", "", "openai:gpt-9", "gpt-9"),
            ),
        ),
        ev.DebateFinished(reason="complete"),
    ]

    text = export_debate(events, "txt")

    assert "A → Ben: anthropic:claude-opus-9\nB → Ada: openai:gpt-9" in text
