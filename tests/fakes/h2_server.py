"""A scripted HTTP/2 server on loopback, over TLS: streams of one connection, each with its own script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, RequestReceived, StreamReset

from tests.fakes import tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    Script = Callable[[str], tuple["Step", ...]]


class GoAway:
    """Ends the connection: streams above the one named were not looked at."""

    def __init__(self, last_stream: int) -> None:
        self.last_stream = last_stream


class Reset:
    """Ends one stream with an error."""


Step = bytes | asyncio.Event | GoAway | Reset


class H2Server:
    """Answers each path by its script; a script that runs out ends its stream in order."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.paths: list[str] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls.server("h2"))
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def origin(self) -> str:
        assert self._server is not None
        return f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        streams: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(1 << 16):
                for event in connection.receive_data(data):
                    if isinstance(event, RequestReceived):
                        path = dict(event.headers)[b":path"].decode()
                        self.paths.append(path)
                        task = asyncio.create_task(self._answer(connection, writer, event.stream_id, path))
                        streams.add(task)
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                    elif isinstance(event, StreamReset | ConnectionTerminated):
                        continue
                writer.write(connection.data_to_send())
        except ConnectionError:
            return
        finally:
            for task in streams:
                task.cancel()
            writer.close()

    async def _answer(
        self, connection: H2Connection, writer: asyncio.StreamWriter, stream: int, path: str
    ) -> None:
        headers = [(":status", "200"), ("content-type", "text/event-stream")]
        connection.send_headers(stream, headers)
        writer.write(connection.data_to_send())
        for step in self._script(path):
            match step:
                case asyncio.Event():
                    await step.wait()
                case bytes():
                    connection.send_data(stream, step)
                case Reset():
                    connection.reset_stream(stream, error_code=2)
                    writer.write(connection.data_to_send())
                    return
                case GoAway():
                    connection.close_connection(last_stream_id=step.last_stream)
                    writer.write(connection.data_to_send())
                    writer.close()
                    return
            writer.write(connection.data_to_send())
            await writer.drain()
        connection.end_stream(stream)
        writer.write(connection.data_to_send())
