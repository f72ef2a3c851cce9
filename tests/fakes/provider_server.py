"""A loopback server that speaks the providers' wire formats over real sockets.

Every path has a queue of replies; a request takes the next one, and the last one stays for good. A path
without a script answers 404 in the provider's own words. `requests` records what was asked.

    async with ProviderServer() as server:
        server.script(CHAT, Reply(chat_stream("Hello"), piece=1), Reply(error(429), status=429))
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

RESPONSES = "/v1/responses"
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
MODELS = "/v1/models"
STREAM = "/v1/stream"

JSON = "application/json"
NOWHERE = "http://127.0.0.1:9/v1"
NO_LOCAL_SERVERS = {f"{name}_BASE_URL": NOWHERE for name in ("OLLAMA", "LMSTUDIO", "LLAMACPP")}
"""Environment in which no server of this machine is found."""

Ending = Literal["end", "cut", "reset", "stall"]


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """One answer: `body` as bytes, or as steps between which an `asyncio.Event` is waited for.

    `piece` is the size of the HTTP chunks the body is sent in, 0 for a step at a time. `ending` says what
    comes after the body: the chunked terminator, a close without it, a reset, or nothing until the client
    leaves.
    """

    body: bytes | Iterable[bytes | asyncio.Event] = b""
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    piece: int = 0
    ending: Ending = "end"


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """One request as it came in; `gone` is set once the client has left the answer, or it was sent whole."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    connection: int
    gone: asyncio.Event

    @property
    def json(self) -> dict[str, object]:
        decoded: dict[str, object] = json.loads(self.body)
        return decoded


class ProviderServer:
    """The server; `url` is its origin, and `base` what an OpenAI-compatible client takes as its base URL."""

    def __init__(self) -> None:
        self.requests: list[ProviderRequest] = []
        self._scripts: dict[str, list[ProviderReply]] = {}
        self._answers: dict[str, Callable[[ProviderRequest], ProviderReply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = 0
        self._arrived = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def script(self, path: str, *replies: ProviderReply) -> None:
        """Answer requests for `path` with these replies, the last one again and again."""
        self._scripts[path] = list(replies)

    def respond(self, path: str, answer: Callable[[ProviderRequest], ProviderReply]) -> None:
        """Answer every request for `path` with what this makes of it."""
        self._answers[path] = answer

    async def received(self, count: int) -> ProviderRequest:
        """Wait until `count` requests have come in, and return the last of them."""
        while len(self.requests) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.requests[count - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._connections += 1
        number = self._connections
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                ahead: bytes | None = b""
                while ahead is not None:
                    ahead = await self._serve(number, reader, writer, ahead)
        except asyncio.CancelledError:
            pass  # the test is over; the task ends like any other connection
        finally:
            writer.close()

    async def _serve(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ahead: bytes
    ) -> bytes | None:
        """Answer one request; returns what was read of the next one, or `None` if the connection is over."""
        head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        fields = (line.partition(":") for line in head[1:])
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        received = ProviderRequest(method, url.path, query, headers, body, number, asyncio.Event())
        self.requests.append(received)
        self._arrived.set()
        try:
            return await self._answer(self._next(received), reader, writer)
        finally:
            received.gone.set()

    def _next(self, received: ProviderRequest) -> ProviderReply:
        path = received.path
        if answer := self._answers.get(path):
            return answer(received)
        script = self._scripts.get(path)
        if not script:
            return ProviderReply(error("not_found_error", f"no such path: {path}"), 404, JSON)
        return script.pop(0) if len(script) > 1 else script[0]

    async def _answer(
        self, reply: ProviderReply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        head = [f"HTTP/1.1 {reply.status} Scripted", "Transfer-Encoding: chunked"]
        head += [f"Content-Type: {reply.content_type}"] if reply.content_type else []
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        await writer.drain()
        # Reading is how a client that leaves is noticed; what is read instead is its next request.
        following = asyncio.ensure_future(reader.read(1))
        sent = asyncio.ensure_future(self._send(reply, writer))
        try:
            await asyncio.wait((following, sent), return_when=asyncio.FIRST_COMPLETED)
            if following.done() and not following.result():
                return None
            await sent
        finally:
            sent.cancel()
            following.cancel()
            await asyncio.gather(sent, following, return_exceptions=True)
        if reply.ending == "reset":
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        if reply.ending != "end":
            return None
        return b"" if following.cancelled() else following.result()

    async def _send(self, reply: ProviderReply, writer: asyncio.StreamWriter) -> None:
        steps = [reply.body] if isinstance(reply.body, bytes) else reply.body
        for step in steps:
            if isinstance(step, asyncio.Event):
                await step.wait()
                continue
            size = reply.piece or len(step)
            for start in range(0, len(step), size or 1):
                piece = step[start : start + size]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
        if reply.ending == "end":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        elif reply.ending == "stall":
            await asyncio.Event().wait()


def event(data: object, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"{head}data: {text}\n\n".encode()


def error(kind: str, message: str = "scripted", code: str | None = None) -> bytes:
    """An error body; both providers' clients find what they look for in it."""
    return json.dumps(
        {"type": "error", "error": {"type": kind, "code": code, "message": message, "param": None}}
    ).encode()


def chat_events(
    pieces: Iterable[str],
    *,
    reasoning: Iterable[str] = (),
    finish: str | None = "stop",
    usage: Mapping[str, object] | None = None,
    done: bool = True,
) -> list[bytes]:
    """A chat completion, event by event."""

    def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
        return event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "fake",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }
        )

    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"reasoning_content": piece}) for piece in reasoning]
    events += [chunk({"content": piece}) for piece in pieces]
    if finish is not None:
        events.append(chunk({}, finish))
    if usage is not None:
        events.append(event({"id": "chatcmpl-1", "choices": [], "usage": usage}))
    if done:
        events.append(event("[DONE]"))
    return events


def responses_events(
    pieces: Iterable[str],
    *,
    reasoning: Iterable[str] = (),
    response: str = "resp_1",
    status: str = "completed",
    details: Mapping[str, object] | None = None,
    usage: Mapping[str, object] | None = None,
) -> list[bytes]:
    """A Responses stream, event by event; the sequence numbers are the places in the list."""
    whole = list(pieces)
    states: list[tuple[str, dict[str, object]]] = [
        ("response.created", {"response": {"id": response, "status": "queued", "output": []}}),
        ("response.in_progress", {"response": {"id": response, "status": "in_progress", "output": []}}),
    ]
    item: dict[str, object] = {"item_id": "item_1", "output_index": 0}
    states += [("response.reasoning_summary_text.delta", {**item, "delta": piece}) for piece in reasoning]
    states += [
        ("response.output_text.delta", {**item, "content_index": 0, "delta": piece}) for piece in whole
    ]
    if status:
        text = {"type": "output_text", "text": "".join(whole)}
        states.append(
            (
                f"response.{status}",
                {
                    "response": {
                        "id": response,
                        "status": status,
                        "incomplete_details": details,
                        "output": [{"type": "message", "content": [text]}],
                        "usage": usage,
                    }
                },
            )
        )
    return [event({"type": n, "sequence_number": i, **data}, n) for i, (n, data) in enumerate(states)]


def messages_events(
    pieces: Iterable[str],
    *,
    reasoning: Iterable[str] = (),
    stop: str | None = "end_turn",
    usage: tuple[int, int] = (10, 20),
) -> list[bytes]:
    """A Messages stream, event by event."""
    whole = list(reasoning)
    start = {"id": "msg_1", "role": "assistant", "usage": {"input_tokens": usage[0], "output_tokens": 1}}
    states: list[tuple[str, dict[str, object]]] = [("message_start", {"message": start})]
    blocks: list[tuple[str, str, list[str]]] = [("thinking", "thinking_delta", whole)] if whole else []
    blocks.append(("text", "text_delta", list(pieces)))
    for index, (kind, delta, texts) in enumerate(blocks):
        states.append(("content_block_start", {"index": index, "content_block": {"type": kind, kind: ""}}))
        states.append(("ping", {}))
        states += [
            ("content_block_delta", {"index": index, "delta": {"type": delta, kind: text}}) for text in texts
        ]
        states.append(("content_block_stop", {"index": index}))
    if stop is not None:
        ending = {"delta": {"stop_reason": stop}, "usage": {"output_tokens": usage[1]}}
        states += [("message_delta", ending), ("message_stop", {})]
    return [event({"type": name, **data}, name) for name, data in states]


def listing(*models: str) -> ProviderReply:
    """A list of models."""
    body = json.dumps({"object": "list", "data": [{"id": model} for model in models]})
    return ProviderReply(body.encode(), content_type=JSON)
