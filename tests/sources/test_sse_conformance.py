"""The shared conformance cases and recorded provider streams, through the `sse` source over real sockets."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from debate_tui.domain.stream import Chunk, Connected, Fault, Finished, KeepAlive, Usage
from debate_tui.sources import endpoint, sse
from debate_tui.sources.http import HttpClients
from debate_tui.sources.payloads import SimpleEvent
from tests.fakes.scripted_source import REQUEST
from tests.fakes.sse_server import Reply, SseServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from debate_tui.domain.stream import StreamItem

SHARED = Path(__file__).resolve().parents[3] / "shared"
REWRITES = (0, 1, 2, 3, 7, 10**9)
# One case is a single line of 3 MiB: it is about time, not about the bound.
LIMIT = 4 << 20


def load_cases(name: str, key: str) -> list[Any]:
    path = SHARED / name
    return json.loads(path.read_bytes())[key] if path.exists() else []


cases = load_cases("sse/cases.json", "cases")
captures = load_cases("captures/index.json", "captures")


async def raw(url: str, report: dict[str, object]) -> AsyncIterator[object]:
    """What the runner asks of a client: the events themselves, and what was remembered of the others."""
    clients = HttpClients()
    try:
        source = sse.SseSource(url, clients=clients, limit=LIMIT)
        async with source.open(REQUEST) as stream:
            async for item in stream:
                if isinstance(item, KeepAlive):
                    if item.cursor is not None:
                        report["last_event_id"] = item.cursor.position
                    if item.retry_after is not None:
                        report["retry_ms"] = int(item.retry_after * 1000)
                elif not isinstance(item, Connected | Finished):
                    report["last_event_id"] = item.id  # type: ignore[union-attr]
                    yield item
    finally:
        await clients.aclose()


@pytest.mark.skipif(not cases, reason="the conformance cases are not here")
@pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])
async def test_the_standard_is_kept(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def undecoded(
        events: AsyncGenerator[StreamItem], *_: object, **__: object
    ) -> AsyncGenerator[StreamItem]:
        async for event in events:
            if not isinstance(event, SimpleEvent):  # the source's own
                yield event

    monkeypatch.setattr(endpoint, "decode_stream", undecoded)
    runner = load_runner()
    async with runner.Server([case]) as server:
        for size in REWRITES:
            if size and ("prompt" in case["tags"] or ("size" in case["tags"] and size < 100)):
                continue
            problems, _, _ = await runner.one(server, case, raw, f"run{size}", size)
            assert problems == []


def load_runner() -> Any:
    spec = importlib.util.spec_from_file_location("run_cases", SHARED / "sse" / "run_cases.py")
    assert spec is not None
    assert spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    return runner


@pytest.mark.skipif(not captures, reason="the recorded streams are not here")
@pytest.mark.parametrize("capture", captures, ids=lambda capture: capture["file"])
@pytest.mark.parametrize("piece", [7, 1 << 20])
async def test_recorded_streams_are_read_whatever_they_speak(capture: dict[str, Any], piece: int) -> None:
    body = (SHARED / "captures" / capture["file"]).read_bytes()
    pieces = tuple(body[i : i + piece] for i in range(0, len(body), piece))
    items: list[StreamItem] = []
    fault: Fault | None = None
    clients = HttpClients()
    async with SseServer(Reply(pieces, content_type=capture["content_type"])) as server:
        try:
            async with sse.SseSource(server.url, clients=clients).open(REQUEST) as stream:
                async for item in stream:
                    items.append(item)  # noqa: PERF401
        except Fault as broken:
            fault = broken
        await clients.aclose()
    assert text_of(items, reasoning=False) == capture["final_text"] + capture["refusal_text"]
    assert text_of(items, reasoning=True) == capture["reasoning_text"]
    assert (fault is not None) == bool(capture["error"])
    if fault is None:
        finished = items[-1]
        assert isinstance(finished, Finished)
        assert finished.reason == ending(capture)
        if capture["usage"]:
            assert isinstance(finished.usage, Usage)


def text_of(items: list[StreamItem], *, reasoning: bool) -> str:
    return "".join(item.text for item in items if isinstance(item, Chunk) and item.reasoning is reasoning)


def ending(capture: dict[str, Any]) -> str:
    if capture["refusal_text"] or capture["finish_reason"] == "refusal":
        return "refused"
    return "length" if capture["finish_reason"] in ("length", "max_tokens") else "complete"
