"""A proxy on loopback that speaks HTTP (forwarding and CONNECT) and SOCKS5, and leads wherever it is told.

    async with ProviderServer() as server, ProxyServer(server.port) as proxy:
        … a client asks http://model.test/v1 through proxy.port …
        assert proxy.targets == ["model.test:80"]

Whatever host it is asked for, it connects to `target_port`. A proxy with an `answer` sends that, and closes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType


class ProxyServer:
    """The proxy; `targets` are the hosts and ports it was asked for, `logins` what it was shown for them."""

    def __init__(
        self,
        target_port: int,
        *,
        answer: bytes | None = None,
        login: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.targets: list[str] = []
        self.logins: list[str] = []
        self.port = 0
        self._target_port = target_port
        self._answer = answer
        self._login = login
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                first = await reader.readexactly(1)
                if self._answer is not None:
                    writer.write(self._answer)
                elif first == b"\x05":
                    await self._serve_socks(reader, writer)
                else:
                    await self._serve_http(first, reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    async def _serve_socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x05\x02" if self._login else b"\x05\x00")
        if self._login:
            name = await reader.readexactly((await reader.readexactly(2))[1])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            self.logins.append(f"{name.decode()}:{password.decode()}")
            writer.write(b"\x01\x00")
        kind = (await reader.readexactly(4))[3]
        assert kind == 3, "names are for the proxy to look up"
        host = await reader.readexactly((await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2))
        self.targets.append(f"{host.decode()}:{port}")
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        await self._relay(b"", reader, writer)

    async def _serve_http(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.partition(b"\r\n")[0].decode().split(" ")
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "proxy-authorization":
                self.logins.append(value.strip())
        if method == "CONNECT":
            self.targets.append(target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay(b"", reader, writer)
        else:
            url = urlsplit(target)
            self.targets.append(f"{url.hostname}:{url.port or 80}")
            await self._relay(head, reader, writer)

    async def _relay(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        there_writer.write(head)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, there_writer))
                group.create_task(_copy(there_reader, writer))
        finally:
            there_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
