"""A way to a server on loopback that can be cut, and that can go to sleep."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator


class Gateway:
    """Passes bytes on to `port`; `connections` counts those that were made."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.connections = 0
        self._to = port
        self._open: set[asyncio.StreamWriter] = set()
        self._asleep: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            writer.transport.abort()

    def sleep(self) -> None:
        """Carry nothing more on the connections there are, and say nothing of it; new ones are as ever."""
        self._asleep |= self._open

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError):
            further_reader, further = await asyncio.open_connection("127.0.0.1", self._to)
            self._open |= {writer, further}
            await asyncio.gather(self._carry(reader, further), self._carry(further_reader, writer))
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                if writer not in self._asleep:
                    writer.write(data)
                    await writer.drain()
        finally:
            self._open.discard(writer)
            writer.close()


@asynccontextmanager
async def open_gateway(
    port: int, *, at: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Gateway]:
    """A gateway to a port for the length of a block, `at` a port of its own; with `tls` it ends that."""
    way = Gateway(port)
    async with await asyncio.start_server(way.pass_on, "127.0.0.1", at, ssl=tls) as server:
        way.port = server.sockets[0].getsockname()[1]
        try:
            yield way
        finally:
            way.cut()
