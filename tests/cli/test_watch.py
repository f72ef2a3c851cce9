"""``debate-tui watch``, as its users run it."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.display.json_lines import encode_line
from debate_tui.domain.events import event_from_json
from debate_tui.record.log import MemoryLog
from debate_tui.server.asgi_servers import bind_socket
from debate_tui.server.auth import AccessControl
from tests.cli.process import run_program, start_program
from tests.fakes.sse_server import Cut, SseServer, reply
from tests.fakes.tls import PEM
from tests.server.generated_debates import example_debate
from tests.server.received_messages import check_same_log
from tests.server.running_server import running_server

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from debate_tui.domain.events import Event
    from tests.server.running_server import RunningServer

if sys.platform == "win32":
    pytest.skip("signals of another kind", allow_module_level=True)

LOG = example_debate()


async def read_events(process: Process, events: int) -> list[Event]:
    """The next events it writes."""
    assert process.stdout is not None
    return [event_from_json(await process.stdout.readline()) for _ in range(events)]


@pytest.mark.parametrize("secure", [False, True], ids=["stream", "http2"])
async def test_the_lines_are_those_of_whoever_holds_the_debate(secure: bool) -> None:
    async with running_server(secure=secure) as here:
        here.hub.host("d1", MemoryLog(LOG))
        done = await run_program("watch", here.url, "--json", SSL_CERT_FILE=str(PEM))
    assert done.code == 0
    assert done.out.encode() == b"".join(map(encode_line, LOG))
    assert done.err == ""


async def test_plain_text_is_that_of_the_debate() -> None:
    async with running_server() as here:
        here.hub.host("d1", MemoryLog(LOG))
        done = await run_program("watch", f"{here.url}/debates/d1", "--plain")
    assert done.code == 0
    assert "wörd 29 👋" in done.out
    assert "Ada" in done.out
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize("secure", [False, True])
async def test_a_restart_is_said_and_not_noticed_otherwise(secure: bool) -> None:
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()

    def host(here: RunningServer, events: int) -> MemoryLog:
        log = MemoryLog(LOG[:events])
        here.hub.host("d1", log, known_seq=events)
        return log

    async with running_server(secure=secure, port=port) as here:
        host(here, 12)
        process = await start_program("watch", here.url, "--json", SSL_CERT_FILE=str(PEM))
        told = await read_events(process, 12)
    async with running_server(secure=secure, port=port) as here:
        log = host(here, 20)
        told += await read_events(process, 8)
        for event in LOG[20:]:
            log.append(event)
        out, err = await process.communicate()
    check_same_log([*told, *map(event_from_json, out.splitlines())], [*LOG[:20], *log._events[20:]])
    assert "Reconnecting in" in err.decode()
    assert process.returncode == 0


async def test_leaving_closes_the_connection() -> None:
    async with running_server() as here:
        here.hub.host("d1", MemoryLog(LOG[:12]), known_seq=12)
        process = await start_program("watch", here.url, "--json")
        await read_events(process, 1)
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert process.returncode == 128 + signal.SIGINT
        await asyncio.wait_for(here.hub.viewers.wait_until_empty(), 20)


async def test_a_token_that_is_missing_is_asked_for_and_one_that_is_there_is_used() -> None:
    async with running_server(access=AccessControl("host", "viewers")) as here:
        here.hub.host("d1", MemoryLog(LOG))
        refused = await run_program("watch", here.url, "--json")
        assert refused.code == 1
        assert "DEBATE_TUI_WATCH_TOKEN" in refused.err
        allowed = await run_program("watch", here.url, "--json", DEBATE_TUI_WATCH_TOKEN="viewers")
        assert allowed.code == 0
        assert event_from_json(allowed.out.splitlines()[-1]) == LOG[-1]


@pytest.mark.parametrize(
    ("path", "says"), [("/debates/nope", "No debate has the id 'nope'"), ("", "has no debates")]
)
async def test_a_missing_debate_is_reported(path: str, says: str) -> None:
    async with running_server() as here:
        done = await run_program("watch", here.url + path)
    assert done.code == 1
    assert says in done.err
    assert "Traceback" not in done.err


async def test_what_a_host_says_cannot_act_on_the_terminal() -> None:
    started = b"id: aa:1\ndata: %s\n\n" % encode_line(LOG[0]).rstrip()
    refusal = b'{"error":{"message":"Busy \\u001b]0;pwned\\u0007\\u001b[2J\\u009b31m\\nnow"}}'
    away = reply(refusal, status=503, content_type="application/json")
    gone = reply(refusal, status=404, content_type="application/json")
    async with SseServer(reply(started, Cut.CLOSE), away, gone) as server:
        done = await run_program("watch", f"{server.origin}/debates/d", "--plain")
    assert done.code == 1
    assert len([said for said in done.err.splitlines() if "Busy now" in said]) == 2
    assert not any(
        character < " " or "\x7f" <= character < "\xa0" for character in done.err if character != "\n"
    )
