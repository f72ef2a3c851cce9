"""Answers in JSON, errors among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket

from debate_tui.display.json_lines import harmless
from debate_tui.domain.errors import ConfigError, DebateError, UsageError
from debate_tui.record.log import Unreachable
from debate_tui.server.audience import RETRY_AFTER_S, Full
from debate_tui.server.commands import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import HTTPConnection, Request

    from debate_tui.server.channel import Channel
    from debate_tui.server.hub import Hub

T = TypeVar("T")

MAX_BODY = 1 << 16
"""Bytes a request may bring."""


def json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON that is not kept by anybody, and harmless on a terminal."""
    return Response(
        harmless(msgspec.json.encode(value)),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/json",
    )


def error(status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """What is wrong, and what to do about it."""
    return json({"error": {"message": message, "hint": hint}}, status, headers)


def wants_page(request: Request) -> bool:
    """Whether a browser asks, to show what it gets."""
    return "text/html" in request.headers.get("accept", "")


def wants_json(request: Request) -> bool:
    """Whether one answer in JSON is wanted rather than a stream."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted


def address(connection: HTTPConnection) -> str:
    """Where a client is, as far as that is known."""
    return connection.client.host if connection.client else ""


async def found(hub: Hub, debate: str) -> Channel:
    """The channel of a debate, or the answer that there is none."""
    channel = await hub.find(debate)
    if channel is None:
        raise HTTPException(404, f"There is no debate {debate!r}.")
    return channel


def need_host(request: Request) -> None:
    """Refuse everybody but the host."""
    if request.state.role != "host":
        raise HTTPException(403, "Only the host may do that: it takes the host's token.")


async def body(request: Request, decode: Callable[[bytes], T]) -> T:
    """What a request brings, which has to be JSON that can be decoded."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "The body has to be application/json.")
    data = await received(request)
    try:
        return decode(data)
    except RecursionError:
        raise HTTPException(400, "The body cannot be read: it is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"The body cannot be read: {error}.") from None


async def received(request: Request) -> bytes:
    """What a request brings, as far as it is not too much."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MAX_BODY:
            raise HTTPException(413, f"The body has more than {MAX_BODY} bytes.")
    return data


async def complain(connection: HTTPConnection, raised: Exception) -> Response | None:
    """The answer to an error that a client can cause; a WebSocket gets it instead of being opened."""
    answer = answer_to(raised)
    if isinstance(connection, WebSocket):
        await connection.send_denial_response(answer)
        return None
    return answer


def answer_to(raised: Exception) -> Response:
    """What to say to an error; raises it again if no client can have caused it."""
    match raised:
        case HTTPException():
            return error(raised.status_code, raised.detail, headers=raised.headers)
        case Full() | Unreachable():
            return error(503, raised.message, raised.hint, {"retry-after": str(RETRY_AFTER_S)})
        case Conflict():
            return error(409, raised.message, raised.hint)
        case UsageError() | ConfigError():
            return error(400, raised.message, raised.hint)
        case DebateError():
            return error(500, raised.message, raised.hint)
    raise raised
