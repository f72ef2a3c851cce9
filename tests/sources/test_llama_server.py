"""Models on this machine: one server for all who speak with it, there when needed and gone afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.stream import FaultKind
from debate_tui.sources import registry
from tests.fakes.llama_machine import TEXT, LlamaMachine, is_running, llama_machine, wait_until_gone
from tests.sources.source_reader import REQUEST, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LlamaMachine]:
    made = llama_machine(tmp_path, monkeypatch)
    yield made
    left = [pid for pid in made.pids if is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


async def test_all_debaters_share_one_server(machine: LlamaMachine) -> None:
    async with machine.sources() as sources:
        made = [sources.make(registry.parse_source(machine.source)) for _ in range(4)]
        assert machine.started == []
        heard = await asyncio.gather(*(read_source(source) for source in made))
        assert [(each.text, each.fault) for each in heard] == [(TEXT, None)] * 4
        (start,) = machine.started
        assert {source.model for source in made} == {"Tiny-1B"}
    options = start["options"]
    assert isinstance(options, dict)
    assert options["--model"] == str(machine.model)
    assert options["--host"] == "127.0.0.1"
    assert options["--parallel"] == "4"
    assert start["input"] == "", "the leash is not the server's to read"
    assert not is_running(*machine.pids)


async def test_the_prompt_arrives_and_nobody_else_may_ask(machine: LlamaMachine) -> None:
    async with machine.sources() as sources:
        await read_source(sources.make(registry.parse_source(machine.source)))
    (asked,) = machine.asked
    body = asked["body"]
    assert isinstance(body, dict)
    sent = [{"role": each.role, "content": each.content} for each in REQUEST.messages]
    assert (body["model"], body["messages"]) == ("Tiny-1B", sent)
    assert len(str(asked["key"]).removeprefix("Bearer ")) >= 32


async def test_it_tells_what_is_waited_for(machine: LlamaMachine) -> None:
    async with machine.sources() as sources:
        await read_source(sources.make(registry.parse_source(machine.source)))
    assert machine.progress[0] == ("Loading Tiny-1B (2 MB)", "")
    assert machine.progress[-1] == ("", "")


async def test_two_models_have_two_servers(machine: LlamaMachine) -> None:
    other = machine.folder / "Other.gguf"
    other.write_bytes(b"GGUF")
    async with machine.sources() as sources:
        await read_source(sources.make(registry.parse_source(machine.source)))
        await read_source(sources.make(registry.parse_source(f"local:{other}")))
        assert len(set(machine.pids)) == 2
    assert not any(map(is_running, machine.pids))


async def test_a_server_that_died_is_started_again(machine: LlamaMachine) -> None:
    async with machine.sources() as sources:
        ada, ben = (sources.make(registry.parse_source(machine.source)) for _ in range(2))
        await read_source(ada)
        (first,) = machine.pids
        os.kill(first, signal.SIGKILL)
        await wait_until_gone(first)
        while (await read_source(ada)).fault is not None:  # until its end is known here, too
            pass
        assert (await read_source(ben)).text == TEXT
        assert len(machine.pids) == 2


async def test_who_no_longer_waits_leaves_the_server_to_the_others(machine: LlamaMachine) -> None:
    async with machine.sources() as sources:
        ada, ben = (sources.make(registry.parse_source(machine.source)) for _ in range(2))
        waiting = asyncio.create_task(read_source(ada))
        while not machine.progress:
            await asyncio.sleep(0)
        waiting.cancel()
        assert (await read_source(ben)).text == TEXT
        assert len(machine.pids) == 1


async def test_leaving_while_it_loads_ends_it(machine: LlamaMachine) -> None:
    machine.set_failure_mode("slow")
    async with machine.sources() as sources:
        waiting = asyncio.create_task(read_source(sources.make(registry.parse_source(machine.source))))
        while not machine.started:
            await asyncio.sleep(0.01)
        waiting.cancel()
    assert not is_running(*machine.pids)


async def test_what_keeps_it_from_starting_is_said(machine: LlamaMachine) -> None:
    machine.set_failure_mode("broken")
    async with machine.sources() as sources:
        source = sources.make(registry.parse_source(machine.source))
        fault = (await read_source(source)).fault
        assert fault is not None
        assert fault.kind is FaultKind.BAD_REQUEST
        assert fault.message.endswith("gguf_init_from_reader: invalid magic characters")
        assert str(machine.model) in fault.hint
        machine.set_failure_mode("")
        assert (await read_source(source)).text == TEXT


async def test_a_server_built_for_another_processor(machine: LlamaMachine) -> None:
    machine.set_failure_mode("foreign")
    async with machine.sources() as sources:
        fault = (await read_source(sources.make(registry.parse_source(machine.source)))).fault
    assert fault is not None
    assert "another kind of processor" in fault.message


_CRASHING = """
import asyncio, os, signal, sys
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceFactory
from tests.sources.source_reader import read_source

async def main():
    async with SourceFactory() as sources:
        heard = await read_source(sources.make(registry.parse_source(sys.argv[1])))
        assert heard.fault is None, heard.fault
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))

asyncio.run(main())
"""


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSEGV"])
async def test_it_does_not_outlive_a_crash(machine: LlamaMachine, number: str) -> None:
    root = Path(__file__).resolve().parents[2]
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CRASHING, machine.source, number),
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=machine.folder,
    )
    assert await program.wait() == -getattr(signal, number)
    (pid,) = machine.pids
    await wait_until_gone(pid)


def test_a_path_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = registry.parse_source("local:models/a.gguf")
    assert (asked.kind, asked.detail) == ("local", f"{tmp_path}/models/a.gguf")
    assert registry.parse_source(asked.public_name) == asked
    assert registry.parse_source("local:~/a.gguf").detail == str(Path.home() / "a.gguf")
    assert registry.parse_source("local").public_name == "local"


def test_what_is_missing_is_named(machine: LlamaMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.check_availability(registry.parse_source(machine.source))
    registry.check_availability(registry.parse_source("local"))
    with pytest.raises(UsageError, match=r"No file named '/nowhere\.gguf'"):
        registry.check_availability(registry.parse_source("local:/nowhere.gguf"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("debate_tui.sources.local_model.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as missing:
        registry.check_availability(registry.parse_source("local"))
    assert "debate-tui[local]" in missing.value.hint
