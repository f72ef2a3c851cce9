"""A llama.cpp server process: started on a free local port, awaited until ready, and stopped."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.guarded_process import GuardedProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    ProgressCallback = Callable[[str, str], None]
    """Called with the current step and its progress; both are empty when it is done."""

HOST = "127.0.0.1"
PARALLEL_SLOTS = 4
"""The maximum number of debaters, so that all of them are answered at once."""
CONTEXT_TOKENS = 4096
"""Context per slot: enough for a debate of four. A model's own maximum could use up all memory."""
READY_POLL_INTERVAL = 0.05
"""Seconds between two readiness checks."""

_LOG_TAIL_BYTES = 1 << 14
_LOG_PREFIX = re.compile(r"^[\d.]+ [A-Z] (?:\w+ +)?")
_LOG_ERROR = re.compile(r"^[\d.]+ E |error|failed", re.IGNORECASE)


class ServerLaunch(Struct, frozen=True):
    """What to run: the program, the model's file and name, and extra options."""

    program: Path
    model: Path
    name: str
    options: tuple[str, ...] = ()


class LlamaServer:
    """One running server. Clients must send `key`, so that web pages cannot use it."""

    def __init__(self, launch: ServerLaunch, process: GuardedProcess, port: int, log: IO[bytes]) -> None:
        self._launch = launch
        self._process = process
        self._log = log
        self._port = port

    @classmethod
    async def start(cls, launch: ServerLaunch, key: str, report_progress: ProgressCallback) -> LlamaServer:
        """Start a server and wait until its model is loaded; raise `Fault` if it exits before that.

        If the wait is cancelled, the server is stopped.
        """
        port = _free_port()
        # A file rather than a pipe, which would have to be read. It is deleted when its last user closes it.
        log = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this function)
        process = await GuardedProcess.start(
            (
                str(launch.program),
                *("--model", str(launch.model), "--alias", launch.name),
                *("--host", HOST, "--port", str(port)),
                *("--parallel", str(PARALLEL_SLOTS), "--ctx-size", str(PARALLEL_SLOTS * CONTEXT_TOKENS)),
                *launch.options,
            ),
            env={**os.environ, "LLAMA_API_KEY": key},
            stdout=log,
            stderr=log,
        )
        server = cls(launch, process, port, log)
        try:
            await server._wait_loaded(report_progress)
        except BaseException:
            await server.stop()
            raise
        return server

    @property
    def is_running(self) -> bool:
        """Whether the process has not exited yet, as far as is known."""
        return self._process.exit_code is None

    @property
    def base_url(self) -> str:
        """URL of its OpenAI-compatible API."""
        return f"http://{HOST}:{self._port}/v1"

    async def stop(self) -> None:
        """Kill the server; it has no state to save."""
        await self._process.stop()
        self._log.close()

    async def _wait_loaded(self, report_progress: ProgressCallback) -> None:
        size = self._launch.model.stat().st_size
        amount = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
        step = f"Loading {self._launch.name} ({amount})"
        clock = asyncio.get_running_loop().time
        started_at, reported = clock(), 0
        report_progress(step, "")
        try:
            while not await asyncio.to_thread(_is_ready, self._port):
                if not self.is_running:
                    raise self._start_fault()
                await asyncio.sleep(READY_POLL_INTERVAL)
                if (waited := int(clock() - started_at)) > reported:
                    reported = waited
                    report_progress(step, f"{waited} s")
            if not self.is_running:
                raise self._start_fault()  # another program answers on this port
        finally:
            report_progress("", "")

    def _start_fault(self) -> Fault:
        code = self._process.exit_code or 0
        hint = f"Run it by itself to see more: {self._launch.program} -m {self._launch.model}"
        if -code == 4:  # SIGILL, which is 4 on every supported system
            reason = "it was built for another kind of processor"
            hint = "Put a llama-server for this machine on PATH."
        else:
            reason = self._first_log_error() or f"it exited with code {code}"
        return Fault(FaultKind.BAD_REQUEST, f"llama-server did not start: {reason}", hint=hint)

    def _first_log_error(self) -> str:
        """Return the first error in the log; the others follow from it."""
        self._log.seek(max(0, os.fstat(self._log.fileno()).st_size - _LOG_TAIL_BYTES))
        lines = [line for line in self._log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        error_line = next((line for line in lines if _LOG_ERROR.search(line)), lines[-1] if lines else "")
        return _LOG_PREFIX.sub("", error_line).strip()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port


def _is_ready(port: int) -> bool:
    """Return whether the server on `port` reports that its model is loaded. Blocking."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
