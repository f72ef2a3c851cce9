"""An agent's process: messages in both directions, bounded, and what it prints besides."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from signal import Signals
from typing import TYPE_CHECKING, Any

import msgspec

from debate_tui.domain.sanitise import one_line, redact, sanitise, secret_variables
from debate_tui.domain.stream import Fault, FaultKind, TimeSlice
from debate_tui.sources.guarded_process import GuardedProcess
from debate_tui.sources.known_agents import missing_program_message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Self

    from debate_tui.sources.known_agents import Agent

    Message = dict[str, Any]
    """A message of JSON-RPC 2.0."""

MAX_LINE = 1 << 20
"""Maximum size of a message, in bytes."""
MAX_STRAY_LINES = 100
"""Lines in a row that may be no messages: some agents greet on standard output."""
MAX_LOGGED = 1 << 18
"""Maximum number of bytes to log for one process."""
EXIT_TIMEOUT = 2.0
"""Seconds to wait for the end of a process that has closed its output."""
STOP_TIMEOUT = 0.5
"""Seconds that an agent has to end by itself when its input is closed."""

_OWN_VARIABLES = "DEBATE_TUI_"


class AgentProcess:
    """A running agent; `log_line` is called with each line it prints that is not a message.

    Faults show the last line of its standard error, with the values of secret variables masked.
    """

    def __init__(self, agent: Agent, process: GuardedProcess, log_line: Callable[[str], None]) -> None:
        self._agent = agent
        self._process = process
        self._log_line = log_line
        self._stray_count = 0
        self._message_count = 0
        self._logged = 0
        """Bytes of all that was printed to be logged."""
        self._last_words = ""
        self._secrets = secret_variables(os.environ)
        self._turn = TimeSlice(asyncio.get_running_loop().call_soon)
        self._error_reader = asyncio.create_task(self._read_errors())

    @classmethod
    async def start(cls, agent: Agent, folder: Path, log_line: Callable[[str], None]) -> Self:
        """Start the agent in `folder`; raise `Fault` if its program is not there."""
        program = await asyncio.to_thread(agent.find_program)
        if program is None:
            raise Fault(FaultKind.BAD_REQUEST, missing_program_message(agent))
        pipe = asyncio.subprocess.PIPE
        process = await GuardedProcess.start(
            (program, *agent.command[1:]),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=agent_environment(),
            cwd=folder,
            limit=MAX_LINE,
        )
        return cls(agent, process, log_line)

    async def read_message(self) -> Message | None:
        """Return the next message, `None` at the end of the output; raise `Fault` for too much else."""
        output = self._process.stdout
        assert output is not None
        while True:
            await self._yield_if_spent()
            try:
                line = await output.readline()
            except ValueError:
                raise self._protocol_fault(f"sent a line of more than {MAX_LINE >> 20} MiB") from None
            if not line:
                return None
            message = _decode(line)
            if isinstance(message, dict):
                self._stray_count = 0
                self._message_count += 1
                return message
            text = self._log(line, "printed ")
            self._stray_count += 1
            if self._stray_count > MAX_STRAY_LINES:
                raise self._protocol_fault(f"sent “{one_line(text, 60)}”" if text else "sent an empty line")

    async def _yield_if_spent(self) -> None:
        """Yield to the event loop if the readers of both outputs have used up their time."""
        if (now := time.monotonic()) >= self._turn.end and self._turn.is_spent(now):
            await asyncio.sleep(0)

    def _protocol_fault(self, did: str) -> Fault:
        advice = "Check that the command speaks the Agent Client Protocol on standard output."
        return Fault(FaultKind.BAD_REQUEST, f"{self._agent.title} {did}, which is not a message. {advice}")

    async def send(self, message: Message) -> None:
        """Send a message, and wait until there is room for the next one."""
        self.write(message)
        await self.wait_for_room()

    def write(self, message: Message) -> None:
        """Send a message without waiting; one to a process that has ended is dropped."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            # Standard JSON: text may hold half a character, which only its escapes can carry.
            line = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"))
            pipe.write(line.encode() + b"\n")

    async def wait_for_room(self) -> None:
        """Wait until the agent has read most of what was sent to it."""
        if self._process.stdin is not None:
            with suppress(ConnectionError):
                await self._process.stdin.drain()

    async def exit_fault(self) -> Fault:
        """Return the fault of an agent that has closed its output, and stop it if it goes on running.

        One that ends by itself before its first message will do so again: that is not worth a retry.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_TIMEOUT):
                await self._process.wait()
        code = self._process.exit_code
        await self.stop()
        ending = "closed its output" if code is None else _describe_exit(code)
        is_hopeless = not self._message_count and code is not None and code >= 0
        when = " before it answered" if is_hopeless else ""
        words = f": {self._last_words.rstrip('.')}." if self._last_words else "."
        advice = f" Run '{self._agent.command_line}' in a terminal to see more." if is_hopeless else ""
        kind = FaultKind.BAD_REQUEST if is_hopeless else FaultKind.NETWORK
        return Fault(kind, f"{self._agent.title} {ending}{when}{words}{advice}")

    async def stop(self) -> None:
        """End the process and all it has started; it has `STOP_TIMEOUT` seconds to do so by itself.

        `read_message` must not be running.
        """
        if (pipe := self._process.stdin) is not None:
            pipe.close()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await self._process.wait()
        finally:
            await self._process.stop()
            # Not awaited itself: a cancellation would reach it, and then everyone who waits for it.
            await asyncio.wait({self._error_reader}, timeout=EXIT_TIMEOUT)
            self._error_reader.cancel()

    async def _read_errors(self) -> None:
        """Log standard error line by line, and keep its last line."""
        errors, rest = self._process.stderr, b""
        assert errors is not None
        while data := await errors.read(1 << 12):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-MAX_LOGGED:]
            for line in lines:
                self._last_words = self._log(line) or self._last_words
                await self._yield_if_spent()
            await self._yield_if_spent()  # there may be no lines at all
        self._last_words = self._log(rest) or self._last_words

    def _log(self, line: bytes, prefix: str = "") -> str:
        """Log a line that it printed, up to a limit in all; return the line as it may be shown."""
        text = one_line(self.mask(line.decode("utf-8", "replace")), 500)
        self._logged += len(line)
        if text and self._logged <= MAX_LOGGED:
            self._log_line(prefix + text)
        return text

    def mask(self, text: str) -> str:
        """Return sanitised text of the agent without secrets: it may quote what its environment has."""
        return redact(sanitise(text), *self._secrets)


def agent_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for an agent, which needs its login: all but this program's own variables."""
    return {name: value for name, value in environ.items() if not name.startswith(_OWN_VARIABLES)}


def _decode(line: bytes) -> object:
    """Return the JSON value of a line, `None` if there is none.

    The slow decoder accepts half a surrogate pair, which agents that cut text by UTF-16 units send.
    """
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    with suppress(ValueError):
        return f"was ended by {Signals(-code).name}"
    return f"was ended by signal {-code}"
