"""Debates of agents, end to end: what is on record, what a file or a request may name, what doctor says."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli import start
from debate_tui.cli.continuation import encode_setup
from debate_tui.cli.plan import make_plan
from debate_tui.cli.serve import RunningDebates
from debate_tui.domain import events
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import open_store
from debate_tui.server.commands import DebateRequest, DebaterRequest, ForbiddenError
from debate_tui.server.hub import Hub
from debate_tui.sources import registry
from debate_tui.sources.known_agents import known_agents
from tests.cli.process import run_program, start_program
from tests.fakes.acp_agent import TEXT, THOUGHT, TOOL
from tests.fakes.agent_machine import AgentMachine
from tests.sample_debates import opening_events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentMachine]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    made = AgentMachine(tmp_path / "agent")
    yield made
    made.close()


async def test_a_whole_debate_of_two_agents(machine: AgentMachine, tmp_path: Path) -> None:
    other = AgentMachine(tmp_path / "other")
    log = tmp_path / "streams.log"
    done = await run_program(
        *("Tea?", "--json", "--log", str(log), "-d", f"Ada={machine.source}", "-d", f"Ben={other.source}"),
        *("-r", "1", "--judge", machine.source),
    )
    assert done.code == 0, done.err
    transcript = Transcript(done.events)
    assert transcript.finish_reason == "complete"
    assert {(turn.text, turn.reason) for turn in transcript.turns.values()} == {(TEXT, "complete")}
    assert {turn.reasoning for turn in transcript.turns.values()} == {f"{THOUGHT}\n\nTool: {TOOL}\n\n"}
    assert {each.source for each in transcript.debaters.values()} == {machine.source, other.source}
    assert {each.model for each in transcript.debaters.values()} == {"python"}
    for agent in (machine, other):
        await agent.wait_until_gone()
    assert len(other.started) == len(other.received("session/new")) == 1
    assert len(machine.started) == 2, "the judge is an agent of its own"
    assert f"{TEXT}\n" in other.prompts[-1], "it gets what the other has said, as every model does"
    assert "connected (ACP, new), from the start" in log.read_text("utf-8")
    other.close()


async def test_a_crash_in_the_middle_heals(machine: AgentMachine, tmp_path: Path) -> None:
    machine.behave(point="text", mode="exit", processes=1, can_load=True)
    log = tmp_path / "streams.log"
    quick = tmp_path / "quick.toml"
    quick.write_text("[recovery]\ninitial = 0.0\n")
    done = await run_program(
        *("Tea?", "--json", "-f", "compare", "--config", str(quick), "--log", str(log)),
        *("-d", machine.source, "-d", "demo"),
    )
    assert done.code == 0, done.err
    assert Transcript(done.events).turns[1].text == TEXT
    (broken,) = [each for each in done.events if isinstance(each, events.StreamStatus) and each.error]
    assert broken.error is not None
    assert broken.error.message == "python exited with code 3: no more memory."
    assert "python: no more memory" in log.read_text("utf-8")
    assert "\x1b" not in log.read_text("utf-8")
    await machine.wait_until_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
async def test_nothing_is_left_behind(machine: AgentMachine, number: signal.Signals) -> None:
    machine.behave(point="text", mode="stall")
    program = await start_program("Tea?", "--json", "-d", machine.source, "-d", "demo")
    reading = asyncio.create_task(program.communicate())
    await machine.wait_until_stalled()
    program.send_signal(number)
    await reading
    await machine.wait_until_gone()
    assert program.returncode == (-9 if number is signal.SIGKILL else 128 + number)


async def test_a_killed_debate_continues(machine: AgentMachine) -> None:
    machine.behave(point="text", mode="stall", processes=1)
    program = await start_program("Tea?", "--json", "-f", "compare", "-d", machine.source, "-d", "demo")
    reading = asyncio.create_task(program.communicate())
    await machine.wait_until_stalled()
    program.kill()
    await reading
    await machine.wait_until_gone()
    done = await run_program("--continue", "--json")
    assert done.code == 0, done.err
    assert Transcript(done.events).turns[1].text == TEXT
    await machine.wait_until_gone()


async def test_a_login_that_is_needed_ends_a_debate_in_a_pipe(machine: AgentMachine) -> None:
    machine.behave(needs_login=True)
    path = machine.search_path("goose")
    done = await run_program("Tea?", "--json", "-d", "acp:goose", "-d", "demo", PATH=path)
    assert done.code == 4
    assert "goose needs a login: Authentication required" in done.err
    assert "Run 'goose configure' in a terminal." in done.err


async def test_an_agent_that_is_not_installed_is_named_before_anything_starts() -> None:
    done = await run_program("Tea?", "--json", "-d", "acp:codex", "-d", "demo", PATH="/nowhere")
    assert (done.code, done.out) == (4, "")
    assert "Codex is not installed: there is no 'codex-acp' on PATH." in done.err
    assert "Run: npm install -g @agentclientprotocol/codex-acp" in done.err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("acp", "names no agent"),
        ("acp: ", "names no agent"),
        ("acp:claude?effort=high", "has parameters, but an agent takes none"),
        ("acp:agent 'x", "has a quote that is not closed"),
    ],
)
def test_what_names_no_agent(typed: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        registry.parse_source(typed)


def test_a_command_is_kept_as_it_is_and_its_program_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = registry.parse_source("ACP:./my agent.sh --fast 'a b?'".replace("my agent", "my\\ agent"))
    assert asked.public_name == f"acp:'{tmp_path}/my agent.sh' --fast 'a b?'"
    assert registry.parse_source(asked.public_name) == asked
    assert asked.runs_command
    assert not registry.parse_source("acp:claude").runs_command
    assert registry.parse_source("acp:x --key sk-0123456789").public_name == "acp:x --key …"


def test_a_misspelt_agent_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError) as missing:
        registry.check_availability(registry.parse_source("acp:claud"))
    assert (missing.value.message, missing.value.hint) == (
        "There is no command 'claud' to run as an agent.",
        "Did you mean 'acp:claude'?",
    )


@pytest.mark.parametrize("role", ["[[debater]]\nsource", "[[judge]]\nsource", "report"])
async def test_a_debate_file_runs_no_command(role: str, machine: AgentMachine, tmp_path: Path) -> None:
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text(f'topic = "Tea?"\n{role} = "acp: touch ran"\n')
    done = await run_program("--json", "--config", str(debate_file), "-d", "demo", "-d", "demo")
    assert done.code == 4
    assert (
        f"{debate_file} runs the command 'acp: touch ran', which is not allowed in a debate file." in done.err
    )
    assert "Use a known agent, or move it to " in done.err
    debate_file.write_text('topic = "Tea?"\nformat = "compare"\n' + '[[debater]]\nsource = "acp:goose"\n' * 2)
    path = machine.search_path("goose")
    done = await run_program("--json", "--config", str(debate_file), PATH=path)
    assert done.code == 0, done.err
    await machine.wait_until_gone()


async def test_the_settings_may_name_a_command(machine: AgentMachine) -> None:
    config.user_file().parent.mkdir(parents=True, exist_ok=True)
    table = f'[[debater]]\nsource = "{machine.source}"\n'
    config.user_file().write_text(f'format = "compare"\n{table * 2}')
    done = await run_program("Tea?", "--json")
    assert done.code == 0, done.err
    assert {turn.text for turn in Transcript(done.events).turns.values()} == {TEXT}
    await machine.wait_until_gone()


@pytest.mark.parametrize("from_elsewhere", [False, True])
async def test_a_request_names_no_command_and_from_elsewhere_no_agent(
    from_elsewhere: bool, machine: AgentMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", machine.search_path("goose"))
    store = open_store(tmp_path / "debates.sqlite3")
    settings = config.load_settings({"format": "compare"})

    def request(source: str) -> DebateRequest:
        return DebateRequest("Tea?", (DebaterRequest(source), DebaterRequest("demo")))

    async with Hub(store) as hub:
        debates = RunningDebates(hub, store, settings, [machine.source])
        with pytest.raises(ForbiddenError, match="cannot name a command to run"):
            await debates.start_debate(request(machine.source), from_elsewhere=from_elsewhere)
        if from_elsewhere:
            with pytest.raises(ForbiddenError, match="may not use 'acp:goose'"):
                await debates.start_debate(request("acp:goose"), from_elsewhere=True)
            debates = RunningDebates(hub, store, settings, ["acp"])
        await debates.start_debate(request("acp:goose"), from_elsewhere=from_elsewhere)
        await debates.end_all()
    await store.aclose()


@pytest.mark.parametrize("role", ["debater", "judge", "report"])
async def test_a_shared_record_runs_no_command(role: str, machine: AgentMachine, tmp_path: Path) -> None:
    sources = {"debater": "demo", "judge": "demo", "report": "demo", role: machine.source}
    seats = [config.DebaterSettings(source=sources["debater"]), config.DebaterSettings(source="demo")]
    settings = config.Settings(judge=(sources["judge"],), report=sources["report"])
    setup = encode_setup(make_plan("Tea?", seats, settings))
    async with aclosing(open_store(tmp_path / "shared.sqlite3")) as store:
        log = await store.create("d1", setup=setup)
        for event in opening_events():
            log.append(event)
        await log.aclose()
    done = await run_program("serve", "--continue", "--store", str(tmp_path / "shared.sqlite3"))
    assert done.code != 0
    assert "A shared record cannot name a command to run." in done.err
    assert machine.started == []


async def test_doctor_looks_for_agents_and_starts_none(machine: AgentMachine) -> None:
    config.user_file().parent.mkdir(parents=True, exist_ok=True)
    config.user_file().write_text('[[debater]]\nsource = "acp:goose"\n[[debater]]\nsource = "demo"\n')
    path = machine.search_path("goose")
    done = await run_program("doctor", PATH=path)
    assert done.code == 0, done.err
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert f"✓ goose {machine.folder}/goose; use it with -d acp:goose" in lines
    assert "· Codex not installed: npm install -g @agentclientprotocol/codex-acp" in lines
    assert "✓ acp:goose installed; not started, since an agent may act on its own" in lines
    config.user_file().unlink()
    done = await run_program("doctor", PATH=path)
    assert "To use your agent: debate-tui -d acp:goose -d acp:goose" in done.out
    assert machine.started == []


def test_the_start_screen_offers_what_is_installed(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(machine.install("opencode")))
    (offer,) = [each for each in start.known_offers() if each.source.startswith("acp:")]
    assert (offer.source, offer.summary) == ("acp:opencode", "agent")


def test_every_known_agent_says_what_it_needs_and_so_does_the_manual() -> None:
    page = resources.files("debate_tui").joinpath("manual", "providers.md").read_text("utf-8")
    assert list(known_agents()) == ["claude", "codex", "gemini", "goose", "opencode"]
    for agent in known_agents().values():
        assert agent.title
        assert agent.install.startswith(("npm install -g ", "https://"))
        assert f"| `{agent.name}` | {agent.title} | `{agent.command_line}` |" in page
        assert f"| `{agent.login}` |" in page
