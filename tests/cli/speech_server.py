"""Endpoints that make speeches, and debates recorded with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.process import run_program
from tests.fakes.sse_server import Reply, SseServer, each_byte

if TYPE_CHECKING:
    from tests.fakes.sse_server import ReceivedRequest


def sse_body(text: str, size: int = 3) -> bytes:
    """The text as JSON deltas with ids, ended as such streams end."""
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    lines = [
        f"id: {number}\ndata: {json.dumps({'delta': piece})}\n\n" for number, piece in enumerate(pieces, 1)
    ]
    return ("".join(lines) + "event: done\ndata: {}\n\n").encode()


def speech_server(texts: dict[str, str]) -> SseServer:
    def answer(request: ReceivedRequest) -> Reply:
        return Reply(each_byte(sse_body(texts[request.path])))

    return SseServer(script=answer)


def source_options(server: SseServer, *paths: str) -> list[str]:
    return [argument for path in paths for argument in ("-d", f"{path[1:]}={server.origin}{path}")]


async def record_debate(topic: str) -> None:
    async with speech_server({"/ada": "Yes **indeed**.", "/ben": "No <b>way</b>."}) as server:
        assert (await run_program(topic, "--json", *source_options(server, "/ada", "/ben"))).code == 0
