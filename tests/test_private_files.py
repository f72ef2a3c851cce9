"""Files of the program's own: private, whatever stands in their place, and without keys."""

from __future__ import annotations

import stat
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli.main import _to_debate_error
from debate_tui.domain.stream import Fault, FaultKind
from tests.cli.process import run_program
from tests.fakes.sse_server import Reply, SseServer

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-proj-0123456789abcdefghij"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_all_the_program_writes_by_itself_is_private(own_folders: Path) -> None:
    """Also with a mask that would let everybody read it."""
    debaters = ("-d", "demo", "-d", "demo")
    process = await create_subprocess_exec(
        *("/bin/sh", "-c", 'umask 0; exec "$@"', "sh", sys.executable, "-m", "debate_tui"),
        *("Q?", "--json", "-f", "compare", *debaters),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    await process.communicate()
    config.save_remembered(theme="gallery")
    _to_debate_error(RuntimeError("unforeseen"))
    found = [path for path in own_folders.rglob("*") if path.name != "home" and "debate-tui" in str(path)]
    assert {path.name for path in found} >= {"debates.sqlite3", "state.json", "crash.txt"}
    for path in found:
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("name", ["state.json", "crash.txt", "copied.txt"])
def test_a_link_in_the_place_of_a_file_leads_nowhere(name: str, own_folders: Path) -> None:
    precious = own_folders / "precious"
    precious.write_text("mine")
    file = config.state_file().with_name(name)
    file.parent.mkdir(parents=True)
    file.symlink_to(precious)
    config.write_private_file(file, b"new")
    assert precious.read_text() == "mine"
    assert not file.is_symlink()
    assert file.read_bytes() == b"new"
    assert mode(file) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [name]


async def test_a_link_in_the_place_of_the_record_is_refused(own_folders: Path) -> None:
    record = config.record_file()
    record.parent.mkdir(parents=True)
    record.symlink_to(own_folders / "elsewhere")
    done = await run_program("Q?", "--plain", "-d", "demo", "-d", "demo")
    assert done.code == 4
    assert "symbolic link" in done.err
    assert not (own_folders / "elsewhere").exists()


@pytest.mark.parametrize("variable", ["SOME_API_KEY", "SOME_APIKEY", "KEY_FOR_SOME", "SOME_CREDENTIALS"])
def test_crash_reports_hold_no_keys(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "a-key-of-no-known-form")
    error = _to_debate_error(RuntimeError(f"{KEY} and a-key-of-no-known-form"))
    report = config.state_file().with_name("crash.txt").read_text("utf-8")
    assert "RuntimeError" in report
    for secret in (KEY, "a-key-of-no-known-form"):
        assert secret not in report + error.message + error.hint


def test_no_fault_tells_a_key() -> None:
    fault = Fault(FaultKind.AUTH, f"The key {KEY} is wrong.")
    assert fault.message == str(fault) == "The key … is wrong."


async def test_what_an_endpoint_says_of_a_key_is_not_recorded(own_folders: Path) -> None:
    body = b'{"error": {"message": "Wrong key ' + KEY.encode() + b'"}}'
    refusal = Reply((body,), status=400, content_type="application/json")
    broken = Reply((b"event: error\ndata: " + body + b"\n\n",))
    async with SseServer(script=lambda request: refusal if request.path == "/a" else broken) as server:
        debaters = [part for name in "ab" for part in ("-d", f"{name}={server.origin}/{name}")]
        done = await run_program("Q?", "--json", *debaters)
    assert "Wrong key" in done.out
    assert KEY not in done.out + done.err
    assert all(KEY.encode() not in path.read_bytes() for path in own_folders.rglob("*") if path.is_file())
