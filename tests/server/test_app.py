"""The HTTP interface over real sockets: answers, errors, tokens, limits, commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from httpx_ws import WebSocketUpgradeError, aconnect_ws
from starlette.datastructures import URL
from starlette.requests import HTTPConnection

from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebateFinished, Interjection, TurnFinished, TurnStarted, Vote
from debate_tui.record.stores import open_store
from debate_tui.server import commands, connections
from debate_tui.server.auth import GUESS_BURST, LOGIN_COOKIE, AccessControl
from debate_tui.server.hosted_debate import MAX_STREAMS
from debate_tui.server.limits import ViewerLimits
from debate_tui.session.commands import CastVote, EndDebate, Pause, Resume, Retry, StopTurn
from tests.sample_debates import opening_events
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log
from tests.server.running_server import (
    WEBSOCKET_HEADERS,
    RunningServer,
    hosted_example,
    live_debate,
    read_sse,
    received_at_least,
    running_server,
    stalled_client,
)

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.record.log import MemoryLog
    from debate_tui.server.commands import DebateRequest

HOST = {"authorization": "Bearer host"}
JSON = {"accept": "application/json"}


async def command(here: RunningServer, body: object, headers: dict[str, str] | None = None) -> int:
    """Send a command; return the status of the response."""
    answer = await here.client.post("/debates/d1/commands", json=body, headers=headers)
    return answer.status_code


# What there is to see


async def test_lists_debates_held_here_and_those_of_the_store(tmp_path: Path) -> None:
    store = open_store(tmp_path / "debates.sqlite3")
    old = await store.create("old")
    for event in example_debate():
        old.append(event)
    await old.aclose()
    async with live_debate(store=store) as (here, _):
        await here.client.get("/debates/d1")
        listed = (await here.client.get("/debates")).json()["debates"]
        assert {each["debate"]: (each["state"], each["live"]) for each in listed} == {
            "old": ("complete", False),
            "d1": ("running", True),
        }
        found = (await here.client.get("/debates?words=nowhere")).json()["debates"]
        assert found == []
        assert (await here.client.get("/debates/old")).json()["state"] == "complete"
        await store.delete("old")
    await store.aclose()


async def test_the_list_comes_in_pages(tmp_path: Path) -> None:
    store = open_store(tmp_path / "debates.sqlite3")
    for number in range(7):
        log = await store.create(f"d{number}")
        for event in opening_events():
            log.append(event)
        await log.aclose()
    async with running_server(store=store) as here:
        whole = (await here.client.get("/debates")).json()
        assert whole["next"] is None
        names, next_ = [], ""
        while next_ is not None:
            query = {"limit": "3"} | ({"after": next_} if next_ else {})
            page = (await here.client.get("/debates", params=query)).json()
            assert len(page["debates"]) <= 3
            names += [each["debate"] for each in page["debates"]]
            next_ = page["next"]
        assert names == [each["debate"] for each in whole["debates"]]
        for query in ({"limit": "0"}, {"limit": "101"}, {"after": "x"}):
            assert (await here.client.get("/debates", params=query)).status_code == 400
    await store.aclose()


async def test_options_without_end_share_what_is_encoded() -> None:
    async with (
        live_debate(limits=ViewerLimits(400, 400)) as (here, chair),
        contextlib.AsyncExitStack() as open_,
    ):
        hosted = await here.hub.find("d1")
        assert hosted is not None
        streams = []
        for number in range(80):
            encoding = ("json", "msgpack")[number % 2]
            query = f"after=4&batch_ms={1 + 41 * number}&batch={8 * (number % 125)}&encoding={encoding}"
            answer = await open_.enter_async_context(here.client.stream("GET", f"/debates/d1/events?{query}"))
            streams.append(answer.aiter_text())
        while len(here.hub.viewers) < 80:
            await asyncio.sleep(0)
        assert len(hosted._streams) <= MAX_STREAMS + 4
        chair.handle(CastVote("before", "a"))
        for number, stream in enumerate(streams[:10]):
            text = ""
            while '"type":"vote"' not in text and number % 2 == 0:
                text += await anext(stream)


async def test_a_debate_as_it_stands() -> None:
    async with hosted_example() as (here, log):
        told = (await here.client.get("/debates/d1")).json()
        assert told["type"] == "snapshot"
        assert told["seq"] == len(log)
        assert told["id"].endswith(f":{len(log)}")
        assert told["state"] == "complete"
        assert told["turns"][0]["text"].startswith("wörd 2 👋 ")
        assert await read_sse(here.client, "/debates/d1/events", ReceivedMessages(last_id=told["id"])) == 204


async def test_events_as_pages_of_json() -> None:
    async with hosted_example() as (here, log):
        events: list[object] = []
        page = {"seq": 0, "more": True}
        while page["more"]:
            answer = await here.client.get(f"/debates/d1/events?after={page['seq']}&limit=7", headers=JSON)
            page = answer.json()
            assert len(page["events"]) <= 7
            events += page["events"]
        assert events == [json.loads(line) for line in map(msgspec.json.encode, log)]
        assert page["finished"]
        empty = (await here.client.get("/debates/d1/events?after=9999", headers=JSON)).json()
        assert empty["events"] == []
        assert empty["seq"] == len(log)


async def test_a_page_of_one_debater_has_no_events_of_others() -> None:
    async with hosted_example() as (here, log):
        first = next(iter(log)).debaters[0].id
        page = (await here.client.get(f"/debates/d1/debaters/{first}/events", headers=JSON)).json()
    assert {each.get("debater", first) for each in page["events"]} == {first}
    assert {"debate.started", "turn.delta", "debate.finished"} <= {each["type"] for each in page["events"]}
    assert page["seq"] == len(log)


async def test_how_an_event_stream_is_declared() -> None:
    async with live_debate() as (here, _), here.client.stream("GET", "/debates/d1/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        first = await anext(answer.aiter_text())
        assert re.match(r"retry: \d{4}\n", first)
        assert (await here.client.head("/debates/d1/events")).status_code == 200


async def test_waits_before_reconnecting_differ() -> None:
    async with live_debate() as (here, _):
        waits = set()
        for _ in range(8):
            received = ReceivedMessages()
            await read_sse(here.client, "/debates/d1/events", received, until=received_at_least(1))
            waits |= set(received.retries)
        assert len(waits) > 1


async def test_a_debater_by_name_in_any_case() -> None:
    async with live_debate() as (here, _):
        received = ReceivedMessages()
        await read_sse(
            here.client, "/debates/d1/debaters/ADA/events?after=0", received, until=received_at_least(3)
        )
        assert [event.seq for event in received.events()] == [1, 2, 3]


async def test_figures_and_health() -> None:
    async with live_debate() as (here, _):
        await read_sse(here.client, "/debates/d1/events", ReceivedMessages(), until=received_at_least(1))
        assert (await here.client.get("/health")).json() == {"status": "ok"}
        text = (await here.client.get("/metrics")).text
        figures = dict(line.split() for line in text.splitlines() if not line.startswith("#"))
        assert figures["debate_tui_viewers_admitted_total"] == "1"
        assert figures["debate_tui_debates_held"] == "1"
        assert int(figures["debate_tui_sent_bytes_total"]) > 100


# What is refused


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/debates/nope", 404),
        ("/debates/nope/events", 404),
        ("/debates/d1/debaters/Nobody/events", 404),
        ("/debates/d1/events?batch_ms=-1", 400),
        ("/debates/d1/events?batch_ms=5001", 400),
        ("/debates/d1/events?batch=x", 400),
        ("/debates/d1/events?encoding=xml", 400),
        ("/debates/d1/events?limit=0", 400),
        ("/page/debates.html", 404),
        ("/page/..%2fapp.py", 404),
        ("/nope", 404),
    ],
)
async def test_errors_are_explained(path: str, status: int) -> None:
    async with live_debate() as (here, _):
        answer = await here.client.get(path)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/debates/nope/events", "/debates/d1/events?encoding=xml"])
async def test_a_websocket_is_refused_with_a_reason(path: str) -> None:
    async with live_debate() as (here, _):
        with pytest.raises(WebSocketUpgradeError) as refused:
            async with aconnect_ws(path, here.client):
                pass
        assert refused.value.response.status_code in (400, 404)


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"command":"fly"}', "application/json", 400),
        (b'{"command":"pause","debater":"zoe"}', "application/json", 400),
        (b'{"command":"interject","text":""}', "application/json", 400),
        (b'{"command":"pause","extra":1}', "application/json", 400),
        (b'{"command":"interject","text":"\xff"}', "application/json", 400),
        pytest.param(b'{"x":' + b"[" * 60_000, "application/json", 400, id="nested"),
        (b'{"command":"pause"}', "text/plain", 415),
        (b'{"command":"interject","text":"' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_commands_that_cannot_be_read(body: bytes, type_: str, status: int) -> None:
    async with live_debate() as (here, chair):
        answer = await here.client.post(
            "/debates/d1/commands", content=body, headers={**HOST, "content-type": type_}
        )
        assert answer.status_code == status
        assert chair.heard == []


@pytest.mark.parametrize("path", ["/debates", "/links"])
async def test_nothing_is_nested_too_deeply_to_be_refused(path: str) -> None:
    async with live_debate(holder=RecordingHolder()) as (here, _):
        body = b'{"x":' + b"[" * 60_000
        answer = await here.client.post(path, content=body, headers={**HOST, "content-type": JSON["accept"]})
        assert answer.status_code == 400


@pytest.mark.parametrize("secure", [False, True])
async def test_an_unexpected_error_is_reported_in_one_line(
    capsys: pytest.CaptureFixture[str], secure: bool
) -> None:
    class Broken(RecordingHolder):
        async def start_debate(self, request: DebateRequest, *, from_elsewhere: bool = False) -> str:
            raise LookupError("lost:\n\x1b[2J" + request.topic)

    async with live_debate(holder=Broken(), secure=secure) as (here, _):
        answer = await here.client.post("/debates", json={"topic": "T?"}, headers=HOST)
        assert answer.status_code == 500
    said = capsys.readouterr().err
    assert re.fullmatch(r"debate-tui: [^\n]*LookupError: lost: T\? \(test_app\.py:\d+\)\n", said)


# Who may do what


async def test_only_the_host_steers() -> None:
    async with live_debate() as (here, chair):
        for asked, heard in (
            ({"command": "pause"}, Pause()),
            ({"command": "resume", "debater": "a"}, Resume("a")),
            ({"command": "stop", "debater": "b"}, StopTurn("b")),
            ({"command": "retry", "debater": "b"}, Retry("b")),
            ({"command": "stop"}, EndDebate()),
        ):
            assert await command(here, asked) == 403
            assert await command(here, asked, HOST) == 202
            assert chair.heard[-1] == heard
        assert len(chair.heard) == 5
        await command(here, {"command": "interject", "text": "Hm?"}, HOST)
        assert chair.log._events[-1].text == "Hm?"


async def test_a_viewer_votes_once_before_and_once_after() -> None:
    async with live_debate() as (here, chair):
        await here.client.get("/debates/d1")

        async def vote(**vote: object) -> int:
            return await command(here, {"command": "vote", **vote})

        assert await vote(debater="a", when="after") == 409
        assert await vote(debater="zoe") == 400
        assert await vote(side="neither") == 400
        assert await vote(debater="a", side="for") == 400
        assert await vote(debater="a") == 202
        assert await vote(debater="b") == 409
        chair.log.append(TurnFinished(turn=1, debater="a", reason="complete"))
        while (await here.client.get("/debates/d1")).json()["seq"] < 6:
            await asyncio.sleep(0)
        assert await vote(debater=None, when="after") == 202
        votes = (await here.client.get("/debates/d1")).json()["votes"]
        while votes["after"] == {}:
            votes = (await here.client.get("/debates/d1")).json()["votes"]
        assert votes == {"before": {"a": 1}, "after": {"": 1}}
        voters = {event.voter for event in chair.log._events if isinstance(event, Vote)}
        assert len(voters) == 1


async def test_a_debate_that_is_over_takes_no_commands() -> None:
    async with hosted_example() as (here, _):
        for asked in ({"command": "pause"}, {"command": "vote", "debater": "a"}):
            assert await command(here, asked, HOST) == 409


class RecordingHolder:
    """Holds the debates that are ordered, or says why not."""

    async def start_debate(self, request: DebateRequest, *, from_elsewhere: bool = False) -> str:
        self.from_elsewhere = from_elsewhere
        if request.topic == "bad":
            raise UsageError("That is no topic.", "Think of another.")
        self.order = request
        return "new1"


async def test_the_host_orders_debates() -> None:
    office = RecordingHolder()
    async with live_debate(holder=office) as (here, _):
        order = {"topic": "Tea?", "debaters": [{"source": "demo"}, {"source": "demo", "name": "Bo"}]}
        assert (await here.client.post("/debates", json=order)).status_code == 403
        answer = await here.client.post("/debates", json=order, headers=HOST)
        assert (answer.status_code, answer.json()) == (201, {"debate": "new1"})
        assert answer.headers["location"] == "/debates/new1"
        assert office.order.debaters[1].name == "Bo"
        refused = await here.client.post("/debates", json={"topic": "bad"}, headers=HOST)
        assert (refused.status_code, refused.json()["error"]["hint"]) == (400, "Think of another.")


async def test_a_token_is_needed_where_viewers_need_one() -> None:
    access = AccessControl("host", viewers_need_token=True)
    async with live_debate(access=access) as (here, _):
        for path in ("/debates", "/debates/d1", "/debates/d1/events", "/metrics", "/me"):
            answer = await here.client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            as_viewer = {"authorization": f"Bearer {access.viewer_token}"}
            async with here.client.stream("GET", path, headers=as_viewer) as answer:
                assert answer.status_code == 200
        assert (await here.client.get("/health")).status_code == 200
        with pytest.raises(WebSocketUpgradeError):
            async with aconnect_ws("/debates/d1/events", here.client):
                pass
        entrance = await here.client.get("/debates/d1", headers={"accept": "text/html"})
        assert entrance.status_code == 401
        assert "token" in entrance.text


@pytest.mark.parametrize("name", ["x/page/", "x/health?", "x/enter#", "127.0.0.1/page/"])
async def test_the_host_name_grants_no_access(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def misled(connection: HTTPConnection) -> URL:
        return URL(f"http://{connection.headers['host']}{connection.scope['path']}")

    monkeypatch.setattr(HTTPConnection, "url", property(misled))  # as Starlette 1.0.0 has it
    async with live_debate(access=AccessControl("host", viewers_need_token=True)) as (here, _):
        for path in ("/debates", "/debates/d1", "/debates/d1/events", "/metrics"):
            answer = await here.client.get(path, headers={"host": name})
            assert answer.status_code == 401
        assert (await here.client.get("/health", headers={"host": name})).status_code == 200


async def test_a_link_becomes_a_cookie() -> None:
    access = AccessControl("host", viewers_need_token=True)
    async with live_debate(access=access) as (here, _):
        made = await here.client.post("/links", json={"role": "viewer"}, headers=HOST)
        code = made.json()["link"].rpartition("code=")[2]
        assert (await here.client.get(f"/enter?code={code}")).status_code == 200
        came = await here.client.post("/enter", data={"code": code, "next": "/debates/d1"})
        assert (came.status_code, came.headers["location"]) == (303, "/debates/d1")
        cookie = came.headers["set-cookie"]
        assert cookie.startswith(f"{LOGIN_COOKIE}=viewer.")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "host" not in cookie.partition(";")[0]
        assert (await here.client.get("/me")).json() == {"role": "viewer"}
        here.client.cookies.clear()
        assert (await here.client.post("/enter", data={"code": code})).status_code == 403
        await here.client.post("/enter", data={"token": "host", "next": "//evil.example"})
        assert (await here.client.get("/me")).json() == {"role": "host"}
        assert (await here.client.post("/links", json={})).status_code == 201


@pytest.mark.parametrize("given", ["https://evil.example", "//evil.example", "/\\evil", ""])
async def test_redirects_stay_on_this_server(given: str) -> None:
    async with live_debate() as (here, _):
        came = await here.client.post("/enter", data={"token": "host", "next": given})
        assert came.headers["location"] == "/"


PROXIED = {"x-forwarded-for": "8.8.8.8"}


@pytest.mark.parametrize(
    "headers",
    [PROXIED, {"forwarded": "for=8.8.8.8"}, {"x-forwarded-proto": "https"}, {"via": "1.1 proxy"},
     {"host": "debates.example", "accept": "text/html"}],
)  # fmt: skip
async def test_what_a_proxy_passes_on_needs_a_token_unless_it_is_public(headers: dict[str, str]) -> None:
    paths = ("/debates", "/debates/d1", "/debates/d1/events", "/me", "/metrics")
    access = AccessControl("host")
    async with live_debate(access=access) as (here, _):
        for path in paths:
            assert (await here.client.get(path, headers=headers)).status_code == 401
            known = {**headers, "authorization": f"Bearer {access.viewer_token}"}
            async with here.client.stream("GET", path, headers=known) as answer:
                assert answer.status_code in (200, 307)
        came = await here.client.post("/enter", data={"token": access.viewer_token}, headers=headers)
        assert came.status_code == 303
        cookie = {"cookie": came.headers["set-cookie"].partition(";")[0]}
        assert (await here.client.get("/debates", headers=headers | cookie)).status_code == 200
        here.client.cookies.clear()
        with pytest.raises(WebSocketUpgradeError):
            async with aconnect_ws("/debates/d1/events", here.client, headers=dict(headers)):
                pass
    async with live_debate(access=AccessControl("host", public=True)) as (here, _):
        for path in paths:
            async with here.client.stream("GET", path, headers=headers) as answer:
                assert answer.status_code == 200


async def test_wrong_tokens_are_slowed_for_each_address() -> None:
    access = AccessControl("host", viewers_need_token=True)
    async with live_debate(access=access) as (here, _):

        async def guess(token: str, address: str, **more: str) -> int:
            headers = {"authorization": f"Bearer {token}", "x-forwarded-for": address, **more}
            return (await here.client.get("/me", headers=headers)).status_code

        statuses = [await guess(f"wrong-{n}", "8.8.8.8") for n in range(30)]
        assert statuses.count(401) == GUESS_BURST
        assert statuses[-1] == 429
        assert await guess("host", "8.8.8.8") == 429, "whether a guess was right cannot be seen"
        assert await guess("host", "9.9.9.9") == 200
        form = await here.client.post("/enter", data={"token": "x"}, headers={"x-forwarded-for": "8.8.8.8"})
        assert form.status_code == 429
        codes = [
            await here.client.post("/enter", data={"code": "x"}, headers={"x-forwarded-for": "2001:db8::1"})
            for _ in range(GUESS_BURST + 1)
        ]
        assert [each.status_code for each in codes[-2:]] == [403, 429]
        assert await guess("host", "2001:db8::2") == 429, "a /64 belongs to one customer"


async def test_votes_without_end_do_not_close_the_poll() -> None:
    async with live_debate() as (here, chair):
        await here.client.get("/debates/d1")
        vote = {"command": "vote", "debater": "a"}

        flood = [await command(here, vote, HOST | PROXIED) for _ in range(2)]
        assert flood == [202, 409], "one for each ticket"
        statuses = []
        for _ in range(60):
            here.client.cookies.clear()
            statuses.append(await command(here, vote))
        assert statuses.count(202) <= commands.VOTE_BURST + 5
        assert statuses.count(429) == 60 - statuses.count(202)
        votes = [event for event in chair.log._events if isinstance(event, Vote)]
        assert len(votes) == 1 + statuses.count(202)


async def test_interjections_have_a_rate_and_a_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_INTERJECTIONS", 3)
    async with live_debate() as (here, chair):
        await here.client.get("/debates/d1")
        order = {"command": "interject", "text": "Hm?"}
        statuses = []
        for number in range(commands.INTERJECTION_BURST + 1):
            statuses.append(await command(here, order, HOST))
            while (await here.client.get("/debates/d1")).json()["seq"] < 4 + min(number + 1, 3):
                await asyncio.sleep(0)
        assert statuses[:3] == [202] * 3
        assert statuses[3] == 409
        assert statuses[-1] == 429
        assert len([event for event in chair.log._events if isinstance(event, Interjection)]) == 3


async def test_debates_ordered_from_elsewhere_are_told_apart() -> None:
    office = RecordingHolder()
    async with live_debate(holder=office) as (here, _):
        for headers, elsewhere in (
            (HOST, False),
            (HOST | PROXIED, True),
            (HOST | {"host": "a.example"}, True),
        ):
            await here.client.post("/debates", json={"topic": "Tea?"}, headers=headers)
            assert office.from_elsewhere is elsewhere
        statuses = [
            (await here.client.post("/debates", json={"topic": "Tea?"}, headers=HOST | PROXIED)).status_code
            for _ in range(commands.ORDER_BURST)
        ]
        assert statuses[-1] == 429


# Pages of others


async def test_a_page_of_another_origin_can_neither_read_nor_write() -> None:
    async with live_debate() as (here, chair):
        evil = {"origin": "https://evil.example"}
        answer = await here.client.get("/debates/d1", headers=evil)
        assert "access-control-allow-origin" not in answer.headers
        asked = {"command": "vote", "debater": "a"}
        assert await command(here, asked, evil) == 403
        with pytest.raises(WebSocketUpgradeError):
            async with aconnect_ws("/debates/d1/events", here.client, headers=evil):
                pass
        assert await command(here, asked, {"origin": here.url}) == 202
        assert len([event for event in chair.log._events if isinstance(event, Vote)]) == 1


async def test_a_page_of_an_allowed_origin_can() -> None:
    origin = "https://friend.example"
    async with live_debate(access=AccessControl("host", origins=[origin])) as (here, _):
        answer = await here.client.get("/debates", headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        asked = {"origin": origin, "access-control-request-method": "GET",
                 "access-control-request-headers": "last-event-id"}  # fmt: skip
        assert (await here.client.options("/debates/d1/events", headers=asked)).status_code == 200
        received = ReceivedMessages()
        headers = {"origin": origin}
        await read_sse(
            here.client, "/debates/d1/events", received, until=received_at_least(1), headers=headers
        )
        assert received.of_type("snapshot")


async def test_a_name_that_was_made_to_point_here_needs_a_token() -> None:
    async with live_debate() as (here, _):
        answer = await here.client.get("/debates/d1", headers={"host": "evil.example"})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/debates", "/debates/d1", "/enter"])
async def test_pages_allow_nothing_from_elsewhere(path: str) -> None:
    async with live_debate() as (here, _):
        page = await here.client.get(path, headers={"accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"https?://|<script(?![^>]*src=\"/page/)|style=|\son\w+=", page.text)
        for part in re.findall(r'(?:src|href)="(/page/[^"]+)"', page.text):
            got = await here.client.get(part)
            assert got.status_code == 200
            again = await here.client.get(part, headers={"if-none-match": got.headers["etag"]})
            assert again.status_code == 304


# Limits


async def test_no_more_viewers_than_allowed() -> None:
    limits = ViewerLimits(viewers=3, viewers_per_address=2)
    async with live_debate(limits=limits) as (here, _):
        path = "/debates/d1/events"
        async with here.client.stream("GET", path), here.client.stream("GET", path) as second:
            refused = await here.client.get(path)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            with pytest.raises(WebSocketUpgradeError) as full:
                async with aconnect_ws(path, here.client):
                    pass
            assert full.value.response.status_code == 503
            await second.aclose()
            while len(here.hub.viewers) > 1:
                await asyncio.sleep(0)
            await read_sse(here.client, path, ReceivedMessages(), until=received_at_least(1))


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
async def test_live_messages_of_any_length_are_framed_for_a_websocket(encoding: str) -> None:
    async with live_debate() as (here, chair):
        path = f"/debates/d1/events?after=4&batch_ms=0&encoding={encoding}"
        async with aconnect_ws(path, here.client, max_message_size_bytes=1 << 24) as socket:
            while not len(here.hub.viewers):
                await asyncio.sleep(0)
            for number, length in enumerate((1, 125, 126, 65_535, 65_536, 300_000), 20):
                chair.log.append(TurnStarted(turn=number, debater="a", phase="é" * length))
                if encoding == "json":
                    told = json.loads(await socket.receive_text())
                else:
                    told = msgspec.msgpack.decode(await socket.receive_bytes())
                assert told["turn"] == number
                assert told["phase"] == "é" * length


async def flood_until_dropped(here: RunningServer, log: MemoryLog, size: int = 20_000) -> None:
    """Append large events until the server has dropped a viewer."""
    number = 10
    while not here.hub.viewers.counts["dropped"]:
        number += 1
        log.append(TurnStarted(turn=number, debater="a", phase="x" * size))
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("headers", [b"", WEBSOCKET_HEADERS], ids=["sse", "websocket"])
async def test_a_stalled_viewer_is_dropped_and_delays_nobody(
    monkeypatch: pytest.MonkeyPatch, headers: bytes
) -> None:
    monkeypatch.setattr(connections, "SEND_TIMEOUT_S", 0.5)
    async with live_debate() as (here, chair):
        received = ReceivedMessages()
        healthy = asyncio.create_task(
            read_sse(
                here.client, "/debates/d1/events?after=4", received, until=lambda r: bool(r.of_type("vote"))
            )
        )
        with stalled_client(here, "after=4&batch_ms=0", headers):
            while len(here.hub.viewers) < 2:
                await asyncio.sleep(0)
            await flood_until_dropped(here, chair.log)
            chair.handle(CastVote("before", "a"))
            await healthy
            assert [event.seq for event in received.events()] == list(range(5, len(chair.log._events) + 1))
            await here.hub.viewers.wait_until_empty()


async def test_a_viewer_that_paused_too_long_resumes_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent and never taken is told again, from the last event that was."""
    monkeypatch.setattr(connections, "SEND_TIMEOUT_S", 0.5)
    path = "/debates/d1/events?batch_ms=0&after=0"
    async with live_debate() as (here, chair):
        received, rest = ReceivedMessages(), b""
        async with here.client.stream("GET", path) as answer:
            arriving = answer.aiter_bytes()
            with contextlib.suppress(httpx.TransportError):
                while len(received.messages) < 4:
                    *blocks, rest = (rest + await anext(arriving)).split(b"\n\n")
                    for block in blocks:
                        received.feed(block)
                await flood_until_dropped(here, chair.log, 50_000)
                async for data in arriving:
                    *blocks, rest = (rest + data).split(b"\n\n")
                    for block in blocks:
                        received.feed(block)
        before = len(received.messages)
        assert 4 <= before < len(chair.log._events), "it was cut off before the end"
        chair.handle(CastVote("before", "a"))
        await read_sse(here.client, path, received, until=lambda r: bool(r.of_type("vote")))
        assert received.of_type("reset") == []
        check_same_log(received.events(), chair.log._events)


async def test_a_viewer_arriving_during_shutdown_learns_how_the_debate_ended() -> None:
    async with live_debate() as (here, chair):
        received = ReceivedMessages()
        await read_sse(here.client, "/debates/d1/events?after=0", received, until=received_at_least(2))
        chair.log.append(DebateFinished(reason="stopped"))
        here.hub.viewers.shut_down()
        await here.hub.wait_until_published("d1", 10)
        await read_sse(here.client, "/debates/d1/events", received)
        check_same_log(received.events(), chair.log._events)


async def test_the_server_says_goodbye() -> None:
    async with live_debate() as (here, _):
        received, over = ReceivedMessages(), ReceivedMessages()
        readings = [
            asyncio.create_task(read_sse(here.client, "/debates/d1/events", received)),
            asyncio.create_task(read_sse(here.client, "/debates/d1/debaters/a/events", over)),
        ]
        while len(here.hub.viewers) < 2:
            await asyncio.sleep(0)
        here.hub.viewers.shut_down()
        await asyncio.gather(*readings)
        await here.hub.viewers.wait_until_empty()
        for each in (received, over):
            assert each.messages[-1].type == "goodbye"
            assert each.retries[-1] == each.messages[-1].data["retry"]
            assert each.last_id
        late = ReceivedMessages(last_id=received.last_id)
        assert await read_sse(here.client, "/debates/d1/events", late) == 200
        assert [message.type for message in late.messages] == ["goodbye"]
