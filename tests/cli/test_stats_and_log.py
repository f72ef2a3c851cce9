"""``--stats`` and ``--log``, end to end: what a stream went through is told, and no secret with it."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import run_program
from tests.fakes.provider_server import CHAT, ProviderServer, error
from tests.fakes.provider_server import ProviderReply as Answer
from tests.fakes.sse_server import DONE_EVENT, Cut, Reply, SseServer, delta_event, reply

if TYPE_CHECKING:
    from tests.fakes.sse_server import ReceivedRequest

QUICK = "[recovery]\ninitial = 0.01\n"
SECRET = "s3cr3t-token-value"
DATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def breaking_server() -> SseServer:
    """A stream that is cut after two of its three words, beside one that is not."""

    def answer(request: ReceivedRequest) -> Reply:
        if request.path == "/whole":
            return reply(delta_event("Whole.", 1), DONE_EVENT)
        if request.last_event_id == "2":
            return reply(delta_event("three.", 3), DONE_EVENT)
        return reply(delta_event("one ", 1), delta_event("two ", 2), Cut.RESET)

    return SseServer(script=answer)


def quick_recovery_options(folder: Path) -> str:
    file = folder / "quick.toml"
    file.write_text(QUICK)
    return str(file)


async def test_a_stream_that_is_cut_and_resumes_is_told_in_log_and_table(tmp_path: Path) -> None:
    log = tmp_path / "streams.log"
    async with breaking_server() as server:
        done = await run_program(
            *("Q?", "--plain", "--stats", "--log", str(log), "--config", quick_recovery_options(tmp_path)),
            *("-d", f"Cut={server.origin}/cut?key={SECRET}", "-d", f"Whole={server.origin}/whole"),
        )
    assert done.code == 0, done.err
    assert "one two three." in done.out
    told = [DATED.sub("", line) for line in log.read_text("utf-8").splitlines()]
    assert told[0].startswith("debate ")
    cut = [line.removeprefix("Cut: ") for line in told if line.startswith("Cut: ")]
    # The other stream may have left a connection behind that the second attempt takes.
    assert [re.sub(r"in [\d.]+ m?s|new|reused", "…", line) for line in cut] == [
        "turn 1 (listen)",
        "attempt 1: connecting",
        "connected (HTTP/1.1, …), from the start",
        "streaming",
        cut[4].partition("; retry")[0] + "; retry 1/5 …",
        "attempt 2: connecting",
        "connected (HTTP/1.1, …), after the last event",
        "streaming again",
        "finished: complete",
    ]
    assert cut[4].startswith("attempt 1 failed: network: ")
    assert told[-1] == "debate ended: complete"

    figures = parse_table(done.err)
    assert figures["state"] == ["complete", "complete"]
    assert figures["reconnects"][0].startswith("1, waited ")
    assert figures["reconnects"][1] == "none"
    assert figures["tokens"] == ["~3", "~1"]
    assert [text.partition(",")[0] for text in figures["connection"]] == ["HTTP/1.1", "HTTP/1.1"]
    assert figures["resumed"] == ["at character 8, event id", "-"]
    assert figures["faults"][0].startswith("network, ")
    assert "\x1b" not in done.err


async def test_the_table_follows_json_lines_and_only_when_asked_for() -> None:
    async with breaking_server() as server:
        sources = ("-d", f"{server.origin}/whole", "-d", f"{server.origin}/whole")
        asked = await run_program("Q?", "--json", "--stats", *sources)
        unasked = await run_program("Q?", "--json", *sources)
    assert asked.events
    assert parse_table(asked.err)["state"] == ["complete", "complete"]
    assert unasked.err == ""


async def test_the_log_is_its_owners_and_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "streams.log"
    async with breaking_server() as server:
        arguments = ("Q?", "--plain", "--log", str(log), "-d", f"{server.origin}/whole")
        for _ in range(2):
            assert (await run_program(*arguments, "-d", f"{server.origin}/whole")).code == 0
    lines = log.read_text("utf-8").splitlines()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert sum("debate ended: complete" in line for line in lines) == 2
    assert all(DATED.match(line) for line in lines)


async def test_no_secret_gets_into_the_log(tmp_path: Path) -> None:
    log, key = tmp_path / "streams.log", "sk-proj-abcdefghijklmnop1234"
    async with ProviderServer() as server:
        body = error("invalid_request_error", f"Incorrect API key provided: {key}.", "invalid_api_key")
        server.script(CHAT, Answer(body, status=401, content_type="application/json"))
        done = await run_program(
            *("Is https://ada:lovelace@h.example/?token=abcdef123456 right?", "--plain", "--stats"),
            *("--log", str(log), "-d", "openai:gpt-x", "-d", f"{server.url}/nothing?key={SECRET}"),
            OPENAI_API_KEY=key,
            OPENAI_BASE_URL=server.base,
        )
    assert done.code == 4, done.err
    told = log.read_text("utf-8")
    assert "gave up: auth" in told
    for secret in (key, key[:12], SECRET, "lovelace", "abcdef123456"):
        assert secret not in told
    for secret in (key, key[:12], SECRET):
        assert secret not in done.err


@pytest.mark.parametrize("place", ["missing/streams.log", "."])
async def test_an_unwritable_log_is_reported_before_the_debate_starts(place: str, tmp_path: Path) -> None:
    done = await run_program("Q?", "--plain", "-d", "demo", "-d", "demo", "--log", str(tmp_path / place))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("debate-tui: Cannot write ")
    assert "--log" in done.err
    assert len(done.err.splitlines()) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_log_that_fails_midway_is_reported_and_the_debate_continues() -> None:
    async with breaking_server() as server:
        sources = ("-d", f"{server.origin}/whole", "-d", f"{server.origin}/whole")
        done = await run_program("Q?", "--json", "--log", "/dev/full", *sources)
    assert done.code == 0
    assert "The log /dev/full is not complete: No space left on device." in done.err
    assert "Traceback" not in done.err


def parse_table(err: str) -> dict[str, list[str]]:
    """The rows of the table, by their labels."""
    lines = err[err.index("Stream statistics") :].splitlines()[2:]
    rows = (re.split(r"\s{2,}", line.strip()) for line in lines if line.startswith("  "))
    return {label: values for label, *values in rows}


async def test_help_tells_how_patient_streams_are() -> None:
    done = await run_program("--help")
    assert "[recovery] in config.toml" in done.out
    for default in ("max_retries = 5", "connect_timeout = 10 s", "cap = 30 s", "progress = 200 characters"):
        assert default in done.out
