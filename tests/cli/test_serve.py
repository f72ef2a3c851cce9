"""``debate-tui serve`` and ``--share``, as their users run them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from debate_tui.domain.events import event_from_json
from debate_tui.record.stores import open_store
from tests.cli.process import run_program, start_program
from tests.cli.serve_process import serve_process
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log
from tests.server.running_server import read_sse, received_at_least

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("signals of another kind", allow_module_level=True)


async def test_a_debate_is_held_and_hosted_until_a_signal_ends_it(tmp_path: Path) -> None:
    store = str(tmp_path / "debates.sqlite3")
    async with serve_process("Tea or coffee?", "-d", "demo", "-d", "demo", "--store", store) as server:
        path = f"/debates/{server.debate}/events"
        received = ReceivedMessages()
        await read_sse(server.client, f"{path}?after=0", received, until=received_at_least(12))
        assert received.events()[0].topic == "Tea or coffee?"  # type: ignore[union-attr]
        back = asyncio.Event()

        def is_back(_: ReceivedMessages) -> bool:
            back.set()
            return False

        rest = asyncio.create_task(read_sse(server.client, path, received, until=is_back))
        await back.wait()
        server.process.send_signal(signal.SIGTERM)
        await rest
        assert await server.process.wait() == 128 + signal.SIGTERM
        assert received.messages[-1].data["reason"] == "stopped"
    record = open_store(store)
    summary = await record.find()
    assert summary.finished == "stopped"
    log = await record.watch(summary.debate)
    check_same_log(received.events(), await log.read(0, summary.events))
    await log.aclose()
    await record.aclose()


async def test_whoever_watched_a_server_that_was_killed_misses_nothing(tmp_path: Path) -> None:
    """Nothing was shown that the record does not have."""
    store = str(tmp_path / "debates.sqlite3")
    received = ReceivedMessages()
    async with serve_process("Tea or coffee?", "-d", "demo", "-d", "demo", "--store", store) as server:
        path = f"/debates/{server.debate}/events"
        await read_sse(server.client, f"{path}?after=0&batch_ms=5", received, until=received_at_least(40))
        server.process.kill()
        await server.process.wait()
    record = open_store(store)
    known = await record.find()
    log = await record.watch(known.debate)
    events = await log.read(0, known.events)
    await log.aclose()
    await record.aclose()
    async with serve_process("--store", store) as server:
        await read_sse(
            server.client,
            f"{path}?batch_ms=5",
            received,
            until=lambda r: bool(r.events()) and r.events()[-1].seq == known.events,
        )
    assert received.of_type("reset") == []
    check_same_log(received.events(), events)


async def test_what_is_recorded_is_hosted_while_another_program_records_on(tmp_path: Path) -> None:
    store = tmp_path / "debates.sqlite3"
    log = example_debate()
    record = open_store(store)
    times = iter([event.at for event in log])
    writing = await record.create("d1", clock=lambda: next(times))
    for event in log[:10]:
        writing.append(event)
    await writing.flush()
    async with serve_process("--store", str(store)) as server:
        received = ReceivedMessages()
        reading = asyncio.create_task(read_sse(server.client, "/debates/d1/events?after=0", received))
        for event in log[10:]:
            writing.append(event)
        await reading
        check_same_log(received.events(), log)
        listed = (await server.client.get("/debates")).json()["debates"]
        assert [(each["debate"], each["live"]) for each in listed] == [("d1", False)]
    await writing.aclose()
    await record.aclose()


async def test_a_server_with_a_topic_shows_that_debate_only(tmp_path: Path) -> None:
    store = str(tmp_path / "debates.sqlite3")
    record = open_store(store)
    old = await record.create("old")
    for event in example_debate():
        old.append(event)
    await old.aclose()
    await record.aclose()
    async with serve_process("Tea?", "-d", "demo", "-d", "demo", "--store", store) as server:
        listed = (await server.client.get("/debates")).json()["debates"]
        assert [each["debate"] for each in listed] == [server.debate]
        assert (await server.client.get("/debates/old")).status_code == 404
        assert (await server.client.get("/debates/old/events")).status_code == 404
    async with serve_process("--store", store) as server:
        listed = (await server.client.get("/debates")).json()["debates"]
        assert {each["debate"] for each in listed} >= {"old"}


@pytest.mark.parametrize("public", [False, True])
async def test_through_a_proxy_viewers_need_the_token_that_is_printed(tmp_path: Path, public: bool) -> None:
    store = ("--store", str(tmp_path / "s.sqlite3"))
    async with serve_process(*store, *(["--public"] if public else [])) as server:
        proxied = {"x-forwarded-for": "8.8.8.8"}
        assert (await server.client.get("/debates")).status_code == 200
        answer = await server.client.get("/debates", headers=proxied)
        assert answer.status_code == (200 if public else 401)
        if not public:
            token = next(line for line in server.printed if "viewer token" in line).split()[-1]
            known = proxied | {"authorization": f"Bearer {token}"}
            assert (await server.client.get("/debates", headers=known)).status_code == 200
    host = {"authorization": "Bearer secret-of-the-host"}
    async with serve_process(*store, DEBATE_TUI_TOKEN="secret-of-the-host") as server:
        order = {"topic": "Tea?", "debaters": [{"source": "http://127.0.0.1:9/"}, {"source": "demo"}]}
        refused = await server.client.post("/debates", json=order, headers=host | proxied)
        assert refused.status_code == 403
        link = (await server.client.post("/links", json={}, headers=host)).json()["link"]
        came = await server.client.post("/enter", data={"code": link.partition("code=")[2]})
        cookie = {"cookie": came.headers["set-cookie"].partition(";")[0]}
        assert (await server.client.get("/debates", headers=proxied | cookie)).status_code == 200
    async with serve_process(*store, DEBATE_TUI_TOKEN="secret-of-the-host") as server:
        again = await server.client.get("/debates", headers=proxied | cookie)
        assert again.status_code == 200, "it outlives a restart"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--token", "short"),
        ("--viewer-token", "short"),
        ("--host", "0.0.0.0", "--public"),
        ("--allow-source", "nonsense:x"),
    ],
)
async def test_options_that_are_not_safe_are_refused(arguments: tuple[str, ...]) -> None:
    result = await run_program("serve", *arguments)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) <= 2


async def test_the_host_holds_debates_and_steers_them(tmp_path: Path) -> None:
    async with serve_process(
        "--store", str(tmp_path / "s.sqlite3"), DEBATE_TUI_TOKEN="secret-of-the-host"
    ) as server:
        headers = {"authorization": "Bearer secret-of-the-host"}
        order = {"topic": "Tea?", "debaters": [{"source": "demo"}, {"source": "demo"}]}
        held = await server.client.post("/debates", json=order, headers=headers)
        assert held.status_code == 201
        path = held.headers["location"]
        wrong = {**order, "debaters": [{"source": "demo"}]}
        refused = await server.client.post("/debates", json=wrong, headers=headers)
        assert refused.status_code == 400
        received = ReceivedMessages()
        reading = asyncio.create_task(read_sse(server.client, f"{path}/events?after=0", received))
        while not received.of_type("turn.delta"):
            await asyncio.sleep(0.01)
        for asked in ({"command": "interject", "text": "Briefly."}, {"command": "stop"}):
            done = await server.client.post(f"{path}/commands", json=asked, headers=headers)
            assert done.status_code == 202
        await reading
        assert received.of_type("interjection")[0]["text"] == "Briefly."
        assert received.messages[-1].data["reason"] == "stopped"
        assert "secret" not in "\n".join(server.printed)


async def test_beyond_this_machine_a_token_is_needed(tmp_path: Path) -> None:
    async with serve_process("--host", "0.0.0.0", "--store", str(tmp_path / "s.sqlite3")) as server:
        port = server.url.rpartition(":")[2]
        local = f"http://127.0.0.1:{port}/debates"
        assert (await server.client.get(local)).status_code == 401
        token = next(line for line in server.printed if "viewer token" in line).split()[-1]
        headers = {"authorization": f"Bearer {token}"}
        assert (await server.client.get(local, headers=headers)).status_code == 200
        link = next(line for line in server.printed if "viewer link" in line).split()[-1]
        code = link.rpartition("code=")[2]
        await server.client.post(f"http://127.0.0.1:{port}/enter", data={"code": code})
        assert (await server.client.get(local)).status_code == 200


async def test_a_run_is_shared() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = await start_program("Tea?", "-d", "demo", "-d", "demo", "--json", "--share", f":{port}")
    assert process.stdout is not None
    assert process.stderr is not None
    said = (await process.stderr.readline()).decode()
    url = said.split()[-1]
    assert url.startswith(f"http://127.0.0.1:{port}/debates/")
    received = ReceivedMessages()
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        await read_sse(client, f"{url}/events?after=0", received, until=received_at_least(8))
        reading = asyncio.create_task(read_sse(client, f"{url}/events", received))
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
        await reading
    check_same_log(received.events(), [event_from_json(line) for line in out.splitlines()])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cert", "x.pem"], "--key"),
        (["--port", "70000"], "70000"),
        (["Tea?", "-d", "nope:x", "-d", "demo"], "nope"),
        (["--host", "256.1.1.1"], "256.1.1.1"),
        (["--cert", "nope.pem", "--key", "nope.pem"], "Cannot read nope.pem"),
        (["--cert", __file__, "--key", __file__], "not a certificate and its key"),
        (["--store", "redis://127.0.0.1:1"], "Redis at 127.0.0.1:1 cannot be reached"),
        (["--store", "/dev/null/debates"], "/dev/null/debates"),
    ],
)
async def test_usage_errors_are_explained(arguments: list[str], says: str) -> None:
    done = await run_program("serve", *arguments)
    assert done.code in (1, 2)
    assert done.out == "", "no address is told of what is not hosted"
    assert says in done.err
    assert len(done.err.splitlines()) == 2
    assert "Traceback" not in done.err


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await run_program("serve", "--port", port)
    assert done.code == 1
    assert port in done.err


async def test_missing_packages_are_named(tmp_path: Path) -> None:
    blocker = tmp_path / "blocked"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text("import sys\nsys.modules['uvicorn'] = None\n")
    done = await run_program("serve", PYTHONPATH=str(blocker))
    assert done.code == 1
    assert "uvicorn" in done.err
    assert "pip install 'debate-tui[serve]'" in done.err


async def test_a_debate_whose_server_was_killed_goes_on_at_another(tmp_path: Path) -> None:
    store = str(tmp_path / "debates.sqlite3")
    received = ReceivedMessages()
    async with serve_process("Tea or coffee?", "-d", "demo", "-d", "demo", "--store", store) as first:
        path = f"/debates/{first.debate}/events"
        await read_sse(first.client, f"{path}?after=0", received, until=received_at_least(30))
        first.process.kill()
        await first.process.wait()
    async with serve_process("--continue", "--store", store) as second:
        assert second.debate == path.split("/")[2]
        enough = len(received.messages) + 20

        def went_on(received: ReceivedMessages) -> bool:
            return len(received.messages) > enough and "." not in received.last_id

        await read_sse(second.client, path, received, until=went_on)
        assert received.of_type("reset") == []
        assert [event["reason"] for event in received.of_type("debate.resumed")] == ["continued"]
        page = await second.client.get(f"{path}?after=0", headers={"accept": "application/json"})
    told = received.events()
    events = [event_from_json(json.dumps(event)) for event in page.json()["events"]]
    check_same_log(told, [event for event in events if event.seq <= told[-1].seq])


async def test_viewers_read_what_all_debaters_were_given_and_nothing_else(tmp_path: Path) -> None:
    store = str(tmp_path / "debates.sqlite3")
    (tmp_path / "menu.md").write_text("Tea costs two euros.", "utf-8")
    (tmp_path / "wombat.md").write_text("The wombat drinks tea.", "utf-8")
    given = ("--context", str(tmp_path / "menu.md"), "--context-for", f"Ada={tmp_path / 'wombat.md'}")
    who = ("-d", "Ada=demo", "-d", "Ben=demo", "--store", store)
    async with serve_process("Tea or coffee?", *who, *given) as server:
        debate, client = f"/debates/{server.debate}", server.client
        await check_material(client, debate)
        server.process.send_signal(signal.SIGTERM)
        await server.process.wait()
    async with serve_process("--store", store) as server:
        await check_material(server.client, debate)


async def check_material(client: httpx.AsyncClient, debate: str) -> None:
    page = await client.get(f"{debate}/events?after=0&limit=1", headers={"accept": "application/json"})
    snapshot = await client.get(debate)
    assert [each["name"] for each in page.json()["events"][0]["material"]] == ["menu.md"]
    assert [each["name"] for each in snapshot.json()["material"]] == ["menu.md"]
    assert "wombat" not in page.text + snapshot.text
    assert (await client.get(f"{debate}/material/1")).json()["text"] == "Tea costs two euros."
    assert (await client.get(f"{debate}/material/2")).status_code == 404
