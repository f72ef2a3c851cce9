"""Agents over real pipes: what they say, every way in which they fail, and that none of them stays behind."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Fault,
    FaultKind,
    Finished,
    RecoveryPolicy,
    ResumePoint,
    StreamOrigin,
    Superseded,
    Usage,
)
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources import agent_connection, agent_process, guarded_process, registry
from debate_tui.sources.agent_process import AgentProcess
from debate_tui.sources.known_agents import Agent
from debate_tui.sources.registry import SourceFactory
from tests.fakes import sdk_agent
from tests.fakes.acp_agent import MODES, POINTS, TEXT, THOUGHT, TOOL
from tests.fakes.agent_machine import AgentMachine
from tests.sources.source_reader import REQUEST, count_turns, read_fault, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import Source

AT_ONCE = RecoveryPolicy(initial=0.0)
JUDGE_REQUEST = type(REQUEST)(topic="Tea?", phase="verdict", turn=0, messages=REQUEST.messages)


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AgentMachine]:
    monkeypatch.setattr(agent_process, "STOP_TIMEOUT", 0.0)
    monkeypatch.setattr(agent_process, "EXIT_TIMEOUT", 1.0)
    made = AgentMachine(tmp_path / "agent")
    yield made
    if made.started:
        await made.wait_until_gone()
        assert not any(Path(each["folder"]).exists() for each in made.started)
    made.close()


def make(sources: SourceFactory, machine: AgentMachine) -> Source:
    return sources.make(registry.parse_source(machine.source))


async def read_recovering(source: Source) -> str:
    """The text of a turn that recovers without waiting."""
    text = ""
    async with RecoveringSource(source, AT_ONCE).open(REQUEST) as items:
        async for item in items:
            if isinstance(item, Superseded):
                text = ""
            elif isinstance(item, Chunk) and not item.reasoning:
                text += item.text
    return text


async def test_an_answer_is_text_thoughts_and_tools(machine: AgentMachine) -> None:
    usage = {"inputTokens": 70, "outputTokens": 20, "totalTokens": 90, "thoughtTokens": 4, "x": "?"}
    machine.behave(usage=usage)
    async with SourceFactory() as sources:
        source = make(sources, machine)
        assert machine.started == []
        heard = await read_source(source)
    assert heard.fault is None
    assert heard.items[0] == Connected(StreamOrigin.START, "ACP", reused=False)
    assert heard.text == TEXT
    assert heard.reasoning == f"{THOUGHT}\n\nTool: {TOOL}\n\n"
    assert heard.finished == Finished("complete", Usage(70, 20, 4))
    assert machine.prompts == [REQUEST.prompt]


async def test_tokens_that_are_no_numbers_are_left_out(machine: AgentMachine) -> None:
    machine.behave(usage={"inputTokens": "many", "outputTokens": True, "thoughtTokens": None})
    async with SourceFactory() as sources:
        assert (await read_source(make(sources, machine))).finished == Finished("complete")


async def test_it_may_do_nothing_but_speak(machine: AgentMachine) -> None:
    machine.behave(waits=True)
    async with SourceFactory() as sources:
        await read_source(make(sources, machine))
    (hello,) = machine.received("initialize")
    assert hello["clientCapabilities"]["fs"] == {"readTextFile": False, "writeTextFile": False}
    assert hello["clientCapabilities"]["terminal"] is False
    (session,) = machine.received("session/new")
    (start,) = machine.started
    assert (session["cwd"], session["mcpServers"], start["own"]) == (start["folder"], [], [])
    (permission,) = [each for each in machine.notes("received") if each["id"] == "p1"]
    assert permission["result"] == {"outcome": {"outcome": "selected", "optionId": "no"}}


async def test_one_process_and_one_session_for_the_whole_debate(machine: AgentMachine) -> None:
    async with SourceFactory() as sources:
        source = make(sources, machine)
        first, second = await read_source(source), await read_source(source)
    assert (first.text, second.text) == (TEXT, TEXT)
    assert second.items[0] == Connected(StreamOrigin.START, "ACP", reused=True)
    assert len(machine.started) == len(machine.received("session/new")) == 1


async def test_each_reading_of_a_judge_has_a_session_of_its_own(machine: AgentMachine) -> None:
    async with SourceFactory() as sources:
        source = make(sources, machine)
        heard = await asyncio.gather(*(read_source(source, JUDGE_REQUEST) for _ in range(2)))
    assert [each.text for each in heard] == [TEXT, TEXT]
    assert len(machine.started) == 1
    assert len({each["sessionId"] for each in machine.received("session/prompt")}) == 2


async def test_one_session_has_one_answer_at_a_time(machine: AgentMachine) -> None:
    machine.behave(session="the only one")
    async with SourceFactory() as sources:
        source = make(sources, machine)
        async with source.open(JUDGE_REQUEST) as items:
            await anext(items)
            fault = await read_fault(source, JUDGE_REQUEST)
            assert isinstance([item async for item in items][-1], Finished)
    assert fault.kind is FaultKind.BAD_REQUEST
    assert "sent no valid answer to session/new" in fault.message


@pytest.mark.parametrize("mode", ["exit", "kill", "close"])
@pytest.mark.parametrize("point", POINTS)
async def test_an_agent_that_ends_is_started_again(machine: AgentMachine, point: str, mode: str) -> None:
    machine.behave(point=point, mode=mode, processes=1)
    async with SourceFactory() as sources:
        source = make(sources, machine)
        if mode == "exit" and point in ("start", "initialize"):
            fault = await read_fault(source)
            assert fault.kind is FaultKind.BAD_REQUEST
            assert "exited with code 3 before it answered: no more memory. Run '" in fault.message
            return
        assert await read_recovering(source) == TEXT
    assert len(machine.started) == 2
    assert len(machine.prompts) == 1 + (point not in POINTS[:3])
    is_continued = point in ("text", "answer")
    assert ("Continue exactly where it stopped" in machine.prompts[-1]) == is_continued


@pytest.mark.parametrize("point", POINTS)
async def test_an_agent_that_stalls_is_killed_and_started_again(
    machine: AgentMachine, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_connection, "CANCEL_TIMEOUT", 0.0)
    machine.behave(point=point, mode="stall", processes=1)
    async with SourceFactory() as sources:
        source = make(sources, machine)
        reading = asyncio.create_task(read_recovering(source))
        await machine.wait_until_stalled()
        reading.cancel()
        assert await read_recovering(source) == TEXT
    assert len(machine.started) == 2


NO_MESSAGES = {
    "garbage": "sent “Welcome to the agent!”",
    "empty": "sent an empty line",
    "huge": "sent a line of more than 1 MiB",
}


@pytest.mark.parametrize("mode", NO_MESSAGES)
@pytest.mark.parametrize("point", POINTS)
async def test_what_is_no_message_is_named(machine: AgentMachine, point: str, mode: str) -> None:
    machine.behave(point=point, mode=mode)
    async with SourceFactory() as sources:
        fault = await read_fault(make(sources, machine))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert f"{NO_MESSAGES[mode]}, which is not a message. Check that the command speaks" in fault.message


@pytest.mark.parametrize("point", POINTS)
async def test_a_little_noise_is_ignored(machine: AgentMachine, point: str) -> None:
    machine.behave(point=point, mode="noise")
    async with SourceFactory() as sources:
        heard = await read_source(make(sources, machine))
    assert (heard.text, heard.fault) == (TEXT, None)


def test_the_modes_are_all_tried() -> None:
    assert set(MODES) == {"exit", "kill", "close", "stall", "noise", *NO_MESSAGES}


async def test_a_session_is_loaded_in_the_new_process(machine: AgentMachine) -> None:
    machine.behave(point="text", mode="kill", processes=1, can_load=True)
    async with SourceFactory() as sources:
        assert await read_recovering(make(sources, machine)) == TEXT
    (session,) = {each["sessionId"] for each in machine.received("session/prompt")}
    (loaded,) = machine.received("session/load")
    assert loaded["sessionId"] == session
    assert len(machine.received("session/new")) == 1


async def test_stopping_a_turn_cancels_it_and_keeps_the_agent(machine: AgentMachine) -> None:
    async with SourceFactory() as sources:
        source = make(sources, machine)
        async with source.open(REQUEST) as items:
            await anext(items)
        assert (await read_source(source)).text == TEXT
    (cancelled,) = machine.received("session/cancel")
    assert cancelled["sessionId"] == machine.received("session/prompt")[0]["sessionId"]
    assert len(machine.started) == 1


async def test_a_login_is_asked_for_and_read_when_it_is_there(machine: AgentMachine) -> None:
    machine.behave(needs_login=True)
    async with SourceFactory() as sources:
        source = make(sources, machine)
        fault = await read_fault(source)
        assert (fault.kind, fault.hint) == (FaultKind.AUTH, "It offers: Log in with a browser.")
        assert fault.message.endswith("needs a login: Authentication required")
        (machine.folder / "login").touch()
        assert (await read_source(source)).text == TEXT
    assert len(machine.started) == 2


async def test_a_known_agent_says_how_to_log_in(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.behave(needs_login=True)
    monkeypatch.setenv("PATH", machine.search_path("opencode"))
    async with SourceFactory() as sources:
        source = sources.make(registry.parse_source("acp:opencode"))
        assert source.model == "OpenCode"
        fault = await read_fault(source)
    assert fault.message == "OpenCode needs a login: Authentication required"
    assert fault.hint == "Run 'opencode auth login' in a terminal."


@pytest.mark.parametrize(("version", "update"), [(0, "python"), (2, "debate-tui")])
async def test_another_version_is_refused(machine: AgentMachine, version: int, update: str) -> None:
    machine.behave(version=version)
    async with SourceFactory() as sources:
        fault = await read_fault(make(sources, machine))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert (
        f"speaks version {version} of the Agent Client Protocol instead of 1. Update {update}"
        in fault.message
    )


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "complete"),
        ("max_tokens", "length"),
        ("max_turn_requests", "length"),
        ("refusal", "refused"),
        ("cancelled", "stopped"),
        ("something_new", "complete"),
    ],
)
async def test_stop_reasons(machine: AgentMachine, stop: str, reason: str) -> None:
    machine.behave(stop=stop)
    async with SourceFactory() as sources:
        finished = (await read_source(make(sources, machine))).finished
    assert finished is not None
    assert finished.reason == reason


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ({"code": 429, "message": "Rate limit exceeded."}, FaultKind.RATE_LIMIT, "Rate limit exceeded."),
        (
            {
                "code": -32603,
                "message": "Internal error",
                "data": {"details": "Credit balance too low."},
            },
            FaultKind.QUOTA,
            "Credit balance too low.",
        ),
        ({"code": -32603, "message": "Internal error", "data": None}, FaultKind.SERVER, "Internal error"),
        ({"code": -32602, "message": "Invalid params"}, FaultKind.BAD_REQUEST, "Invalid params"),
        ({"code": 7, "message": "It broke."}, FaultKind.SERVER, "It broke."),
    ],
)
async def test_errors_it_reports(
    machine: AgentMachine, error: dict[str, object], kind: FaultKind, said: str
) -> None:
    machine.behave(error=error)
    async with SourceFactory() as sources:
        fault = await read_fault(make(sources, machine))
    assert (fault.kind, fault.message.partition(": ")[2]) == (kind, said)


async def test_an_error_shows_no_secrets(machine: AgentMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "swordfish-of-the-sea")
    machine.behave(error={"code": 7, "message": "It broke with swordfish-of-the-sea."})
    async with SourceFactory() as sources:
        fault = await read_fault(make(sources, machine))
    assert fault.message.endswith(": It broke with ….")


async def test_after_an_error_the_session_is_opened_again(machine: AgentMachine) -> None:
    machine.behave(error={"code": -32603, "message": "Session not found"}, errors=1)
    async with SourceFactory() as sources:
        assert await read_recovering(make(sources, machine)) == TEXT
    assert len(machine.started) == 1
    assert len(machine.received("session/new")) == 2


async def test_a_slow_reader_holds_the_agent_back(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending: list[int] = []
    put = agent_connection.PromptStream.put

    async def watched_put(self: agent_connection.PromptStream, update: object) -> None:
        await put(self, update)
        pending.append(self._pending)

    monkeypatch.setattr(agent_connection.PromptStream, "put", watched_put)
    machine.behave(flood=4 << 20)
    async with SourceFactory() as sources:
        heard = await read_source(make(sources, machine))
    assert len(heard.text) == (4 << 20) + len(TEXT)
    assert max(pending) < agent_connection.MAX_PENDING


async def test_half_characters_are_joined(machine: AgentMachine) -> None:
    machine.behave(halves=True)
    async with SourceFactory() as sources:
        heard = await read_source(make(sources, machine))
    assert (heard.text, heard.fault) == (f"🍵{TEXT}", None)


async def test_what_it_prints_goes_to_the_log_without_secrets(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "swordfish-of-the-sea")
    monkeypatch.setenv("DEBATE_TUI_STORE_PASSWORD", "not for an agent")
    machine.behave(point="session/prompt", mode="exit", complain=True)
    lines: list[tuple[str, str]] = []
    async with SourceFactory(log_line=lambda name, line: lines.append((name, line))) as sources:
        fault = await read_fault(make(sources, machine))
    assert [line for _, line in lines] == [
        "token … refused",
        "own variables: 0",
        "Loading …",
        "no more memory",
    ]
    assert fault.message.endswith("exited with code 3: no more memory.")


@pytest.mark.parametrize("line", [b"x\n", b"\n"])
async def test_many_lines_at_once_on_standard_error_leave_time_for_others(line: bytes) -> None:
    errors = asyncio.StreamReader()
    errors.feed_data(line * 50_000)
    errors.feed_eof()
    agent = Agent(title="Agent", command=("agent",))
    process = AgentProcess(agent, SimpleNamespace(stderr=errors), lambda _: None)
    assert await count_turns(process._error_reader) > 5


async def test_a_program_that_vanished_is_named(machine: AgentMachine, tmp_path: Path) -> None:
    program = tmp_path / "gone"
    async with SourceFactory() as sources:
        fault = await read_fault(sources.make(registry.parse_source(f"acp:{program}")))
    assert (fault.kind, fault.message) == (
        FaultKind.BAD_REQUEST,
        f"There is no command '{program}' to run as an agent.",
    )


async def test_a_program_that_cannot_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "agent"
    program.write_bytes(b"#!/nowhere/python\n")
    program.chmod(0o700)
    async with SourceFactory() as sources:
        fault = await read_fault(sources.make(registry.parse_source(f"acp:{program}")))
    assert f"Cannot run {program}: No such file or directory" in fault.message


async def test_a_program_that_is_no_agent_is_named() -> None:
    async with SourceFactory() as sources:
        fault = await read_fault(sources.make(registry.parse_source("acp:cat")))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert fault.message.startswith("cat: ")


async def test_the_package_that_is_missing_is_named(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "debate_tui.sources.agent_connection")
    monkeypatch.setitem(sys.modules, "acp", None)
    monkeypatch.setitem(sys.modules, "acp.connection", None)
    async with SourceFactory() as sources:
        fault = await read_fault(make(sources, machine))
    assert "Run: pip install 'debate-tui[acp]'" in fault.message
    assert machine.started == []


async def test_an_agent_made_with_the_protocols_package() -> None:
    command = shlex.join([sys.executable, sdk_agent.__file__])
    async with SourceFactory() as sources:
        source = sources.make(registry.parse_source(f"acp:{command}"))
        heard = await read_source(source)
        again = await read_source(source)
    assert (heard.text, heard.reasoning) == (f"{sdk_agent.TEXT} ", REQUEST.prompt)
    assert heard.finished == Finished("complete")
    assert again.text == heard.text


async def test_agents_run_on_the_servers_event_loop(machine: AgentMachine) -> None:
    program = await asyncio.create_subprocess_exec(*(sys.executable, "-c", _ON_UVLOOP, machine.source))
    assert await program.wait() == 0


async def test_a_short_answer_is_asked_for_again(machine: AgentMachine) -> None:
    async with SourceFactory() as sources:
        heard = await read_source(make(sources, machine), resume=ResumePoint(1, None, "Tea"))
    assert heard.text == TEXT
    assert machine.prompts == [REQUEST.prompt]


_ON_UVLOOP = """
import asyncio, sys, uvloop
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceFactory
from tests.fakes.acp_agent import TEXT
from tests.sources.source_reader import read_source

async def main():
    async with SourceFactory() as sources:
        heard = await read_source(sources.make(registry.parse_source(sys.argv[1])))
    assert (heard.text, heard.fault) == (TEXT, None), heard

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""

_CRASHING = """
import asyncio, os, signal, sys
from debate_tui.domain.stream import Chunk
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceFactory
from tests.sources.source_reader import REQUEST

async def main():
    async with SourceFactory() as sources:
        async with sources.make(registry.parse_source(sys.argv[1])).open(REQUEST) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    os.kill(os.getpid(), getattr(signal, sys.argv[2]))

asyncio.run(main())
"""


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSEGV"])
async def test_it_does_not_outlive_a_crash(
    tmp_path: Path, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    machine = AgentMachine(tmp_path / "agent")
    machine.behave(point="text", mode="stall")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CRASHING, machine.source, number),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        cwd=tmp_path,
    )
    assert await program.wait() == -getattr(signal, number)
    await machine.wait_until_gone()
    machine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_who_holds_its_pipes_open_does_not_delay_the_end(
    machine: AgentMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_process, "STOP_TIMEOUT", 0.1)
    monkeypatch.setattr(agent_process, "EXIT_TIMEOUT", 0.1)
    async with SourceFactory() as sources:
        assert (await read_source(make(sources, machine))).text == TEXT
        (start,) = machine.started
        held = [os.open(f"/proc/{start['pid']}/fd/{number}", os.O_WRONLY) for number in (1, 2)]
    await machine.wait_until_gone()
    for pipe in held:
        os.close(pipe)


async def test_a_program_has_the_usual_signals() -> None:
    program = await guarded_process.GuardedProcess.start(
        ("/bin/sh", "-c", "kill -PIPE $$"), stdout=asyncio.subprocess.PIPE, stderr=2, env={}
    )
    await program.wait()
    assert program.exit_code == -signal.SIGPIPE
    await program.stop()


async def test_a_fault_ends_the_process_that_caused_it(machine: AgentMachine) -> None:
    machine.behave(point="text", mode="garbage")
    async with SourceFactory() as sources:
        with pytest.raises(Fault):
            await read_recovering(make(sources, machine))
        await machine.wait_until_gone()
