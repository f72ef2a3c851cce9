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

import redis

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

BINARY = shutil.which("redis-server") or shutil.which("valkey-server")
MISSING = "needs redis-server or valkey-server (Debian: apt-get install redis-server)"

_PATIENCE_S = 20.0


class RedisServer:
    """Listens on a Unix socket, so that any number run side by side; a context manager.

    `persistence` are its options, such as ``--appendonly yes``; without, it forgets everything when it dies.
    """

    def __init__(self, *persistence: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="debate-redis-")
        self.folder = Path(self._folder.name)
        self.url = f"unix://{self.folder}/socket"
        self._persistence = persistence
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
        """Start it with what its files hold, and wait until it answers."""
        assert BINARY
        self._process = subprocess.Popen(
            [
                *(BINARY, "--port", "0", "--unixsocket", f"{self.folder}/socket", "--dir", str(self.folder)),
                *("--save", "", "--loglevel", "warning", "--logfile", "log", *self._persistence),
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

    `deaf` swallows what the server answers, and cuts the connection instead: everything that was asked is
    done, and nobody knows.
    """

    def __init__(self, server: RedisServer) -> None:
        self._target = f"{server.folder}/socket"
        self._path = f"{server.folder}/proxy"
        self.url = f"unix://{self._path}"
        self.deaf = False
        self.deafened = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, requests}
        try:
            await asyncio.gather(
                self._pass(reader, requests, answers=False), self._pass(answers, writer, answers=True)
            )
        except OSError:
            pass
        finally:
            self._writers -= {writer, requests}
            writer.close()
            requests.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            if answers and self.deaf:
                self.deafened += 1
                self.cut()
                return
            writer.write(data)
            await writer.drain()
        writer.close()
