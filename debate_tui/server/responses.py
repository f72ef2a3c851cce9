"""Helpers for routes: JSON responses, error responses, and request bodies."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.websockets import WebSocket

from debate_tui.domain.errors import ConfigError, DebateError, UsageError
from debate_tui.record.log import StoreUnreachableError
from debate_tui.server import limits
from debate_tui.server.commands import ConflictError, ForbiddenError
from debate_tui.server.connections import RETRY_AFTER_S, TooManyViewersError
from debate_tui.server.encoding import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import HTTPConnection, Request
    from starlette.types import Receive, Scope, Send

    from debate_tui.server.hosted_debate import HostedDebate
    from debate_tui.server.hub import Hub
    from debate_tui.server.limits import RateLimiter


T = TypeVar("T")

PIECE_BYTES: Final = 1 << 14
"""Maximum bytes of a response that a server is given at once."""


class PiecewiseResponse(Response):
    """A response sent in pieces, each once the client has accepted most of the one before.

    Servers buffer what they are given at once, and a client may have a response sent many times over and
    read none of them.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self.body) <= PIECE_BYTES:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), PIECE_BYTES):
            piece = bytes(self.body[start : start + PIECE_BYTES])
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response that is not cached; `bytes` are JSON already."""
    return PiecewiseResponse(
        value if isinstance(value, bytes) else encode_json(value),
        status,
        {"cache-control": "no-store", **(headers or {})},
        "application/json",
    )


def error_response(
    status: int, message: str, hint: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error response with a message and a hint."""
    return json_response({"error": {"message": message, "hint": hint}}, status, headers)


def wants_html(request: HTTPConnection) -> bool:
    """Return whether the client accepts HTML, as browsers do for pages."""
    return "text/html" in request.headers.get("accept", "")


def wants_json(request: HTTPConnection) -> bool:
    """Return whether the client wants a single JSON response, not a stream."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted


def client_address(connection: HTTPConnection) -> str:
    """Return the client's key for limits per address; empty if its address is unknown."""
    return limits.network_of(connection.client.host) if connection.client else ""


def require_rate(limiter: RateLimiter, key: str, message: str) -> None:
    """Raise `HTTPException` 429 if `key` exceeds the rate limit."""
    if wait := limiter.wait_s(key):
        raise HTTPException(429, message, {"retry-after": str(math.ceil(wait))})


async def get_debate_or_404(hub: Hub, debate: str) -> HostedDebate:
    """Return a hosted debate; raise `HTTPException` 404 if it is not found."""
    hosted = await hub.find(debate)
    if hosted is None:
        raise HTTPException(404, f"No debate has the id {debate!r}.")
    return hosted


def require_host(request: Request) -> None:
    """Raise `HTTPException` 403 unless the request has the host's role."""
    if request.state.role != "host":
        raise HTTPException(403, "Only the host can do this: send the host token.")


async def read_json_body(request: Request, decode: Callable[[bytes], T]) -> T:
    """Read and decode a JSON body; raise `HTTPException` if it is not valid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "The body must be application/json.")
    data = await read_body(request)
    try:
        return decode(data)
    except RecursionError:
        raise HTTPException(400, "The body is not valid: it is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"The body is not valid: {error}.") from None


async def read_body(request: Request) -> bytes:
    """Read a request's body; raise `HTTPException` if it is too large or arrives too slowly."""
    data = b""
    try:
        with limits.request_of(request.scope).receiving():
            async with asyncio.timeout(limits.REQUEST_TIMEOUT_S):
                async for part in request.stream():
                    data += part
                    if len(data) > limits.MAX_BODY_BYTES:
                        raise HTTPException(413, f"The body is larger than {limits.MAX_BODY_BYTES} bytes.")
    except TimeoutError:
        raise HTTPException(
            408, f"The body did not arrive within {limits.REQUEST_TIMEOUT_S:g} s.", {"connection": "close"}
        ) from None
    except ClientDisconnect:
        raise HTTPException(400, "The client has disconnected.") from None
    return data


async def refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an error response; to a WebSocket, as a denial response."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(refusal)
    else:
        await refusal(scope, receive, send)


async def handle_error(request: Request, error: Exception) -> Response:
    """Return the response to an error, as an exception handler of Starlette."""
    return response_to_error(error)


def response_to_error(exception: Exception) -> Response:
    """Return the response to an error; raise it again if it is not an expected one."""
    match exception:
        case HTTPException():
            return error_response(exception.status_code, exception.detail, headers=exception.headers)
        case TooManyViewersError() | StoreUnreachableError():
            return error_response(503, exception.message, exception.hint, {"retry-after": str(RETRY_AFTER_S)})
        case ForbiddenError():
            return error_response(403, exception.message, exception.hint)
        case ConflictError():
            return error_response(409, exception.message, exception.hint)
        case UsageError() | ConfigError():
            return error_response(400, exception.message, exception.hint)
        case DebateError():
            return error_response(500, exception.message, exception.hint)
    raise exception
