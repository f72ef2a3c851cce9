"""Debaters whose words come from an agent that the user already has, over the Agent Client Protocol.

Each has one process and one session for the whole debate, in an empty temporary folder. A turn sends the same
prompt as to a model; the session may also remember its earlier turns. After a crash, it continues in a new
process if the agent can load it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.domain.prompts import messages_to_send
from debate_tui.domain.stream import Connected, Fault, FaultKind, StreamOrigin
from debate_tui.sources.agent_process import AgentProcess
from debate_tui.sources.known_agents import INSTALL_PROTOCOL_HINT, NO_PROTOCOL_MESSAGE, parse_agent
from debate_tui.sources.sdk_import import import_without_gc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest
    from debate_tui.sources.agent_connection import AgentConnection
    from debate_tui.sources.known_agents import Agent


def import_agent_protocol() -> None:
    """Import the protocol's package; blocking."""
    with import_without_gc():
        import_module("debate_tui.sources.agent_connection")


class Agents:
    """The agents of one run; the owner closes it, which ends their processes.

    `log_line` is called with the agent's name and each line that it prints besides its messages.
    """

    def __init__(self, log_line: Callable[[str, str], None]) -> None:
        self._log_line = log_line
        self._sources: list[AgentSource] = []

    def make(self, text: str) -> AgentSource:
        """Return the source for what follows ``acp:``; its process is started when it is opened."""
        agent = parse_agent(text)
        source = AgentSource(agent, lambda line: self._log_line(agent.title, line))
        self._sources.append(source)
        return source

    async def aclose(self) -> None:
        """End all processes and remove their folders."""
        await asyncio.gather(*(source.aclose() for source in self._sources))


class AgentSource:
    """A debater or judge for whom an agent speaks.

    Each request from outside the debate, such as a judge's reading, gets a session of its own: readings of
    the same debate in another order must not know of each other.
    """

    def __init__(self, agent: Agent, log_line: Callable[[str], None]) -> None:
        self._agent = agent
        self._log_line = log_line
        self._lock = asyncio.Lock()
        self._folder: Path | None = None
        self._connection: AgentConnection | None = None
        self._session = ""
        self._session_owner: AgentConnection | None = None
        """The connection in which the session is open."""

    @property
    def model(self) -> str:
        return self._agent.title

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`; starts the agent if it is not running."""
        resume = resume.for_new_answer() if resume else None
        partial_text = resume.text if resume else ""
        try:
            async with self._lock:
                earlier = self._connection
                connection = await self._connect()
                session = await self._open_session(connection, is_own=not request.turn)
            origin = StreamOrigin.CONTINUATION if partial_text else StreamOrigin.START
            start = Connected(origin, "ACP", reused=connection is earlier)
            async with connection.prompt(session, prompt_text(request, partial_text), start) as items:
                yield items
        except Fault as fault:
            if fault.kind is FaultKind.SERVER:
                self._session_owner = None  # perhaps the session is what is broken
            is_broken = self._connection is not None and self._connection.is_broken
            if is_broken or fault.kind is FaultKind.AUTH:  # it reads its login when it starts
                await self._disconnect()
            raise

    async def aclose(self) -> None:
        """End the process and remove its folder."""
        try:
            await self._disconnect()
        finally:
            if self._folder is not None:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _connect(self) -> AgentConnection:
        """Return the connection to the running agent, or to a new process of it."""
        connection = self._connection
        if connection is not None and not connection.is_broken:
            is_owner = connection is self._session_owner
            if not is_owner or await connection.wait_until_idle(self._session):
                return connection
        await self._disconnect()
        try:
            await asyncio.to_thread(import_agent_protocol)
        except ModuleNotFoundError:
            message = f"{NO_PROTOCOL_MESSAGE} {INSTALL_PROTOCOL_HINT}"
            raise Fault(FaultKind.BAD_REQUEST, message) from None
        from debate_tui.sources.agent_connection import AgentConnection

        if self._folder is None:
            # Not in a thread, which a cancellation would leave with a folder that no one removes.
            self._folder = Path(tempfile.mkdtemp(prefix="debate-tui-"))
        process = await AgentProcess.start(self._agent, self._folder, self._log_line)
        connection = self._connection = AgentConnection(self._agent, process)
        try:
            await connection.initialise()
        except BaseException:
            await self._disconnect()
            raise
        return connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _open_session(self, connection: AgentConnection, *, is_own: bool) -> str:
        """Return the session for a prompt; an agent that does not open it in time is stuck."""
        assert self._folder is not None
        try:
            if is_own:
                return await connection.open_session(self._folder)
            if self._session_owner is not connection:
                self._session = await connection.open_session(self._folder, self._session)
                self._session_owner = connection
        except asyncio.CancelledError:
            await self._disconnect()
            raise
        return self._session


def prompt_text(request: TurnRequest, partial_text: str) -> str:
    """Return the prompt as one text; with partial text, it asks to continue the answer."""
    messages = messages_to_send(request.messages, "", partial_text)
    begun = "You have begun to answer:\n\n"
    return "\n\n".join(f"{begun * (each.role == 'assistant')}{each.content}" for each in messages)
