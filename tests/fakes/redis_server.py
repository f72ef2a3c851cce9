"""A real Redis (or Valkey) server of a test's own, to be killed, frozen and brought back."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

BINARY = shutil.which("redis-server") or shutil.which("valkey-server")

_PATIENCE_S = 20.0


class RedisServer:
    """Listens on a Unix socket, so that any number run side by side; a context manager.

    `options` are its own, such as ``--appendonly yes``; without, it forgets everything when it dies.
    """

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="debate-redis-")
        self.folder = Path(self._folder.name)
        self.url = f"unix://{self.folder}/socket"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = redis.Redis.from_url(self.url)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.admin.close()
        if self._process:
            self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it with what its files hold, and wait until it answers; without one the test is skipped."""
        if BINARY is None:
            pytest.skip("needs redis-server or valkey-server (Debian: apt-get install redis-server)")
        self._process = subprocess.Popen(
            [
                *(BINARY, "--port", "0", "--unixsocket", f"{self.folder}/socket", "--dir", str(self.folder)),
                *("--save", "", "--loglevel", "warning", "--logfile", "log", *self._options),
            ]
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it without a chance to save anything."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Let it neither answer nor notice anything until it is thawed."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.ConnectionError:
            return False


class Proxy:
    """The way to a Redis server, which can be cut when it hurts most: a context manager.

    With `swallow` set to n, the nth answer from then on gets lost, with all connections: what was asked is
    done, and nobody knows. `server` may be changed; connections that stand stay where they are.
    """

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.swallow = 0
        self._path = f"{server.folder}/proxy"
        self.url = f"unix://{self._path}"
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, requests = await asyncio.open_unix_connection(f"{self.server.folder}/socket")
        except OSError:
            writer.close()
            return
        both = {writer, requests}
        self._writers |= both
        try:
            await asyncio.gather(self._ask(reader, requests), self._answer(answers, writer))
        except OSError:
            pass
        finally:
            self._writers -= both
            writer.close()
            requests.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if self.swallow == 1:
                self.cut()
            self.swallow = max(0, self.swallow - 1)
            writer.write(data)
            await writer.drain()
        writer.close()
