"""Material that viewers may read, and hidden material, which no viewer gets in any form."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.events import DebateStarted
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Fault, RecoveryPolicy
from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import SqliteStore
from debate_tui.server import event_window
from debate_tui.server.auth import AccessControl
from debate_tui.session import remote_log
from debate_tui.session.remote_log import RemoteLog
from debate_tui.sources import remote_debate
from debate_tui.sources.http import HttpClients
from debate_tui.sources.remote_debate import RemoteDebate
from tests.sample_debates import numbered_events, whole_debate
from tests.sample_material import HIDDEN_WORD, HOSTILE_TEXT, POLICY, sample_material
from tests.server.received_messages import ReceivedMessages
from tests.server.running_server import RunningServer, read_sse, read_websocket, running_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from debate_tui.domain.events import Event

MATERIAL = sample_material("a")
JSON = {"accept": "application/json"}


def debate_with_material() -> list[Event]:
    started, *rest = whole_debate()
    assert isinstance(started, DebateStarted)
    with_material = msgspec.structs.replace(started, material=tuple(each.info for each in MATERIAL))
    return numbered_events(with_material, *rest)


@asynccontextmanager
async def hosted(access: AccessControl | None = None) -> AsyncIterator[RunningServer]:
    """A server that hosts a debate with material as d1."""
    async with running_server(access=access) as here:
        here.hub.host("d1", MemoryLog(debate_with_material(), material=MATERIAL))
        yield here


@asynccontextmanager
async def stored(tmp_path: Path) -> AsyncIterator[RunningServer]:
    """A server with the same debate in its store."""
    store = SqliteStore(tmp_path / "debates.db")
    log = await store.create("d1", material=MATERIAL)
    for event in debate_with_material():
        log.append(event)
    await log.aclose()
    async with running_server(store) as here:
        yield here
    await store.aclose()


async def test_a_text_for_all_is_read_by_its_number_and_cannot_act_on_a_page_or_terminal() -> None:
    async with hosted() as here:
        policy = (await here.client.get("/debates/d1/material/1")).json()
        assert policy == {"number": 1, "name": "policy.md", "text": POLICY}
        hostile = (await here.client.get("/debates/d1/material/3")).json()
    assert hostile["text"] == sanitise(HOSTILE_TEXT)
    assert "\x1b" not in hostile["name"] + hostile["text"]


@pytest.mark.parametrize("number", ["4", "5", "0", "-1", "1.0", "x", "9" * 5000])
async def test_a_hidden_text_is_not_there_like_one_that_never_was(number: str) -> None:
    async with hosted() as here:
        answer = await here.client.get(f"/debates/d1/material/{number}")
    assert answer.status_code == 404
    assert HIDDEN_WORD not in answer.text


async def test_it_takes_the_token_that_watching_takes() -> None:
    async with hosted(AccessControl("host", "viewers", viewers_need_token=True)) as here:
        assert (await here.client.get("/debates/d1/material/1")).status_code == 401
        token = {"authorization": "Bearer viewers"}
        assert (await here.client.get("/debates/d1/material/1", headers=token)).status_code == 200


async def all_wires(client: httpx.AsyncClient) -> dict[str, str]:
    """What a viewer gets of the debate's beginning, in every form."""
    sse, websocket, batched = ReceivedMessages(), ReceivedMessages(), ReceivedMessages()
    await read_sse(client, "/debates/d1/events?after=0", sse)
    await read_sse(client, "/debates/d1/events?after=0&batch=100", batched)
    await read_websocket(client, "/debates/d1/events?after=0", websocket)
    packed = (await client.get("/debates/d1/events?after=0&encoding=msgpack")).content
    return {
        "sse": str(sse.messages),
        "batches": str(batched.messages),
        "websocket": str(websocket.messages),
        "msgpack": "\n".join(_unpack(packed)),
        "page": (await client.get("/debates/d1/events?after=0", headers=JSON)).text,
        "debater": (await client.get("/debates/d1/debaters/b/events?after=0")).text,
        "snapshot": (await client.get("/debates/d1")).text,
        "first message": (await client.get("/debates/d1/events")).text,
        "list": (await client.get("/debates")).text,
    }


def _unpack(stream: bytes) -> list[str]:
    from base64 import b64decode

    lines = [line.removeprefix(b"data: ") for line in stream.split(b"\n") if line.startswith(b"data: ")]
    return [str(msgspec.msgpack.decode(b64decode(line))) for line in lines]


@pytest.mark.parametrize("recent", [event_window.RECENT_EVENTS, 2])
async def test_no_wire_has_a_trace_of_hidden_material(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recent: int
) -> None:
    monkeypatch.setattr(event_window, "RECENT_EVENTS", recent)  # with 2, the beginning is read from the log
    for server in (hosted(), stored(tmp_path)):
        async with server as here:
            wires = await all_wires(here.client)
        for name, sent in wires.items():
            assert HIDDEN_WORD not in sent, name
            assert MATERIAL[3].info.sha256 not in sent, name
            assert ("policy.md" in sent) == (name != "list"), name


async def test_a_viewer_elsewhere_gets_the_texts_for_all() -> None:
    clients = HttpClients()
    async with hosted() as here:
        log = RemoteLog(RemoteDebate(f"{here.url}/debates/d1", clients=clients), RecoveryPolicy())
        assert await log.read_material() == ()
        await log.run()
        texts = await log.read_material()
        assert await log.read_material() is texts
    await clients.aclose()
    assert [(each.number, each.text) for each in texts] == [
        (each.number, sanitise(each.text)) for each in MATERIAL[:3]
    ]


async def test_a_host_that_sends_too_much_in_all_is_not_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_log, "MAX_MATERIAL_CHARACTERS", len(POLICY))
    clients = HttpClients()
    async with hosted() as here:
        log = RemoteLog(RemoteDebate(f"{here.url}/debates/d1", clients=clients), RecoveryPolicy())
        await log.run()
        with pytest.raises(Fault, match="The material is too long to watch"):
            await log.read_material()
    await clients.aclose()
    assert log.material == ()


async def test_a_host_that_sends_too_much_or_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = HttpClients()
    async with hosted() as here:
        remote = RemoteDebate(f"{here.url}/debates/d1", clients=clients)
        with pytest.raises(Fault, match="No material has the number '9'"):
            await remote.fetch_material(9)
        monkeypatch.setattr(remote_debate, "MAX_MATERIAL_BYTES", 100)
        with pytest.raises(Fault, match=r"sent too much for the material \[1\]"):
            await remote.fetch_material(1)
        elsewhere = RemoteDebate(f"{here.url}/page/page.css?", clients=clients)
        with pytest.raises(Fault):
            await elsewhere.fetch_material(1)
    await clients.aclose()
