"""Other people's clients follow a debate across a restart of the server: curl, EventSource, httpx-sse."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from httpx_sse import aconnect_sse

import debate_tui
from debate_tui.record.stores import open_store
from debate_tui.server.asgi_servers import bind_socket
from tests.server.chromium import Browser, needs_browser
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log
from tests.server.running_server import return_quickly, running_server

MANUAL = Path(debate_tui.__file__).parent / "manual" / "hosting.md"

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from debate_tui.domain.events import Event

CURL = """\
id=
until [ "$status" = 204 ]; do
  status=$(curl -sN -o >(tee -a debate.sse) -w '%{http_code}' \\
    -H "Last-Event-ID: $id" "$url")
  id=$(sed -n 's/^id: //p' debate.sse | tail -n 1)
done
"""


@pytest.fixture(autouse=True)
def quick_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    return_quickly(monkeypatch, (20, 40))


@asynccontextmanager
async def restarting_server(
    tmp_path: Path, log: list[Event]
) -> AsyncIterator[tuple[str, Callable[[int], Awaitable[None]]]]:
    """A growing debate's address, and how to let the server stop, miss some events, and start again."""
    writing = open_store(tmp_path / "debates.sqlite3")
    times = iter([event.at for event in log])
    record = await writing.create("d1", clock=lambda: next(times))
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()
    running = contextlib.AsyncExitStack()
    left = list(log)

    def write(events: int) -> None:
        for event in left[:events]:
            record.append(event)
        del left[:events]

    async def start() -> None:
        store = open_store(tmp_path / "debates.sqlite3")
        running.push_async_callback(store.aclose)
        await running.enter_async_context(running_server(store, port=port))

    async def miss(events: int) -> None:
        write(4)
        await record.flush()
        await running.aclose()
        write(events)
        await record.flush()
        await start()

    write(5)
    await record.flush()
    await start()
    try:
        yield f"http://127.0.0.1:{port}/debates/d1/events", miss
    finally:
        await running.aclose()
        await record.aclose()
        await writing.aclose()


async def read_across_restart(
    reading: asyncio.Task[None], miss: Callable[[int], Awaitable[None]], log: list[Event]
) -> None:
    """Restart twice while somebody reads, then let the debate end."""
    await miss(6)
    await miss(6)
    await miss(len(log))
    async with asyncio.timeout(30):
        await reading


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
async def test_curl(tmp_path: Path) -> None:
    """The script of the manual."""
    assert CURL in MANUAL.read_text("utf-8")
    log = example_debate()
    folder = tmp_path / "curl"
    folder.mkdir()
    async with restarting_server(tmp_path, log) as (url, miss):

        async def read() -> None:
            process = await asyncio.create_subprocess_exec(
                "bash",
                "-c",
                CURL,
                cwd=folder,
                env={"url": f"{url}?after=0", "PATH": "/usr/bin:/bin"},
                stdout=PIPE,
            )
            await process.communicate()

        await read_across_restart(asyncio.create_task(read()), miss, log)
    received = ReceivedMessages()
    received.feed((folder / "debate.sse").read_bytes())
    check_same_log(received.events(), log)


async def test_httpx_sse(tmp_path: Path) -> None:
    """The reconnecting loop of its own documentation."""
    log = example_debate()
    received = ReceivedMessages()
    async with restarting_server(tmp_path, log) as (url, miss), httpx.AsyncClient(trust_env=False) as client:

        async def read() -> None:
            last_event_id, delay = "", 0.0
            while True:
                await asyncio.sleep(delay)
                headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
                with contextlib.suppress(httpx.TransportError):
                    async with aconnect_sse(client, "GET", f"{url}?after=0", headers=headers) as source:
                        if source.response.status_code == 204:
                            return
                        async for event in source.aiter_sse():
                            last_event_id = event.id
                            if event.retry is not None:
                                delay = event.retry / 1000
                            if event.data:
                                received.add(event.event, msgspec.json.decode(event.data), event.id)

        await read_across_restart(asyncio.create_task(read()), miss, log)
    check_same_log(received.events(), log)


FOLLOW = """
window.got = [];
window.source = new EventSource("/debates/d1/events?after=0");
for (const type of %s) {
  source.addEventListener(type, (event) => got.push([type, event.data, event.lastEventId]));
}
"""


@needs_browser
async def test_event_source(tmp_path: Path) -> None:
    log = example_debate()
    received = ReceivedMessages()
    types = sorted({event.__struct_config__.tag for event in log} | {"snapshot", "reset"})  # type: ignore[type-var]
    async with restarting_server(tmp_path, log) as (url, miss), Browser(tmp_path / "profile") as browser:
        await browser.go(url.removesuffix("/d1/events"))
        await browser.js(FOLLOW % msgspec.json.encode(types).decode())

        async def read() -> None:
            await browser.until("source.readyState === EventSource.CLOSED")

        await read_across_restart(asyncio.create_task(read()), miss, log)
        for type_, data, id_ in await browser.js("got"):
            received.add(type_, msgspec.json.decode(data), id_)
    check_same_log(received.events(), log)
