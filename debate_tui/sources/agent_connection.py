"""A connection to an agent over the Agent Client Protocol: sessions, prompts and what comes back.

The package's `Connection` matches answers to requests, and its schema builds the messages. What an agent
streams does not pass through it: it makes a task for each message, so a slow reader could not hold one back.

The agent gets no files and no terminal, and every permission it asks for is refused.
Protocol: https://agentclientprotocol.com/protocol/overview
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from acp.connection import Connection
from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, CLIENT_METHODS, PROTOCOL_VERSION
from acp.schema import (
    CancelNotification,
    ClientCapabilities,
    Implementation,
    InitializeRequest,
    LoadSessionRequest,
    NewSessionRequest,
    PromptRequest,
    TextContentBlock,
)

from debate_tui import __version__
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive, Usage
from debate_tui.domain.text import CharacterJoiner
from debate_tui.sources.payloads.errors import fault_from_error
from debate_tui.sources.payloads.json_decoder import to_count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from pydantic import BaseModel

    from debate_tui.domain.stream import Connected, FinishReason, StreamItem
    from debate_tui.sources.agent_process import AgentProcess, Message
    from debate_tui.sources.known_agents import Agent

CANCEL_TIMEOUT = 5.0
"""Seconds that an agent has to end a cancelled answer before it is started again."""
MAX_PENDING = 1 << 16
"""Number of characters received but not read at which reading from the agent stops."""

_AUTH_REQUIRED = -32000
_ERROR_KINDS = {
    -32600: FaultKind.BAD_REQUEST,  # invalid request
    -32601: FaultKind.BAD_REQUEST,  # method not found
    -32602: FaultKind.BAD_REQUEST,  # invalid parameters
    -32603: FaultKind.SERVER,  # internal error
}
"""JSON-RPC's codes, whose messages say nothing; the agent's own words are in the data."""
_FINISH_REASONS: dict[object, FinishReason] = {
    "max_tokens": "length",
    "max_turn_requests": "length",
    "refusal": "refused",
    "cancelled": "stopped",
}


class PromptStream:
    """What an agent sends in answer to one prompt, up to a bound."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[StreamItem | None] = asyncio.Queue()
        self._pending = 0
        self._room = asyncio.Event()
        self._room.set()
        self._joiners = {False: CharacterJoiner(), True: CharacterJoiner()}
        self._last = {False: "", True: ""}
        """The last two characters of the text and of the reasoning."""
        self._used_tool = False
        """Whether a tool was used since the last text."""

    async def put(self, update: object) -> None:
        """Add an update, and wait until more may be read."""
        item = self._read_update(update if isinstance(update, dict) else {})
        self._items.put_nowait(item)
        self._pending += _length(item)
        if self._pending >= MAX_PENDING:
            self._room.clear()
            await self._room.wait()

    async def get(self) -> StreamItem | None:
        """Return the next item, `None` after the last one."""
        item = await self._items.get()
        self._pending -= _length(item)
        if self._pending < MAX_PENDING:
            self._room.set()
        return item

    def end(self) -> None:
        """Note that the prompt was answered, or that no one reads any more."""
        self._pending = 0
        self._room.set()
        self._items.put_nowait(None)

    def _read_update(self, update: Message) -> StreamItem:
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                return self._read_text(update.get("content"), reasoning=False)
            case "agent_thought_chunk":
                return self._read_text(update.get("content"), reasoning=True)
            case "tool_call":
                self._used_tool = True
                name = one_line(str(update.get("title") or update.get("kind") or "unnamed"))
                return self._chunk(f"Tool: {name}\n\n", reasoning=True, on_its_own=True)
        return KeepAlive()

    def _read_text(self, content: object, *, reasoning: bool) -> StreamItem:
        text = content.get("text") if isinstance(content, dict) else None
        text = self._joiners[reasoning].join(text) if isinstance(text, str) else ""
        if not text:
            return KeepAlive()
        if reasoning or not self._used_tool:
            return self._chunk(text, reasoning=reasoning)
        self._used_tool = False
        return self._chunk(text, reasoning=False, on_its_own=True)

    def _chunk(self, text: str, *, reasoning: bool, on_its_own: bool = False) -> Chunk:
        """Return a chunk, as a new paragraph if it is `on_its_own`."""
        ending = self._last[reasoning]
        if on_its_own and ending:
            text = "\n" * (2 - len(ending) + len(ending.rstrip("\n"))) + text
        self._last[reasoning] = (ending + text)[-2:]
        return Chunk(text, reasoning)


def _length(item: StreamItem | None) -> int:
    """Return what an item counts for: also items without text take memory."""
    return len(item.text) + 1 if isinstance(item, Chunk) else 1


class AgentConnection:
    """The protocol with one running agent, and the transport that `Connection` reads and writes."""

    def __init__(self, agent: Agent, process: AgentProcess) -> None:
        self._agent = agent
        self._process = process
        self._rpc = Connection(self._answer_request, self)
        self._can_load = False
        self._login_methods = ""
        self._streams: dict[str, PromptStream] = {}
        self._prompts: dict[str, asyncio.Task[Any]] = {}
        """The last prompt of each session."""
        self._fault: Fault | None = None

    @property
    def is_broken(self) -> bool:
        """Whether no more messages can come."""
        return self._fault is not None

    async def initialise(self) -> None:
        """Agree on a version; raise `Fault` if the agent has another one."""
        request = InitializeRequest(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=ClientCapabilities(),
            client_info=Implementation(name="debate-tui", title="debate-tui", version=__version__),
        )
        answer = await self._request("initialize", request)
        self._check_version(answer.get("protocolVersion"))
        capabilities = answer.get("agentCapabilities")
        self._can_load = isinstance(capabilities, dict) and capabilities.get("loadSession") is True
        methods = answer.get("authMethods")
        names = map(_name_of, methods[:4] if isinstance(methods, list) else [])
        self._login_methods = ", ".join(filter(None, names))

    def _check_version(self, version: object) -> None:
        if not isinstance(version, int):
            raise self._invalid_answer("initialize")
        if version != PROTOCOL_VERSION:
            older = self._agent.title if version < PROTOCOL_VERSION else "debate-tui"
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"{self._agent.title} speaks version {version} of the Agent Client Protocol instead of "
                f"{PROTOCOL_VERSION}. Update {older}.",
            )

    async def open_session(self, folder: Path, earlier: str = "") -> str:
        """Load the `earlier` session if the agent can, else make a new one; return its id."""
        if earlier and self._can_load:
            try:
                load = LoadSessionRequest(cwd=str(folder), mcp_servers=[], session_id=earlier)
                await self._request("session_load", load)
            except Fault as fault:
                if self.is_broken or fault.kind is FaultKind.AUTH:
                    raise
            else:
                return earlier
        answer = await self._request("session_new", NewSessionRequest(cwd=str(folder), mcp_servers=[]))
        session = answer.get("sessionId")
        if not isinstance(session, str) or not session or session in self._streams:
            raise self._invalid_answer("session/new")
        return session

    @asynccontextmanager
    async def prompt(
        self, session: str, text: str, start: Connected
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Send a prompt, and yield what comes back, after `start`; leaving early cancels it."""
        stream = self._streams[session] = PromptStream()
        request = PromptRequest(session_id=session, prompt=[TextContentBlock(type="text", text=text)])
        task = self._prompts[session] = asyncio.create_task(self._request("session_prompt", request))
        task.add_done_callback(partial(_end_stream, stream))
        try:
            async with aclosing(self._read(start, stream, task)) as items:
                yield items
        finally:
            del self._streams[session]
            stream.end()
            if not task.done():
                params = _to_json(CancelNotification(session_id=session))
                self._process.write({"method": AGENT_METHODS["session_cancel"], "params": params})

    async def wait_until_idle(self, session: str) -> bool:
        """Wait for the end of a cancelled prompt; return whether it came in time."""
        task = self._prompts.get(session)
        if task is not None:
            await asyncio.wait({task}, timeout=CANCEL_TIMEOUT)
        return task is None or task.done()

    async def aclose(self) -> None:
        """Stop reading, end the process and all it has started."""
        self._fault = self._fault or Fault(FaultKind.NETWORK, f"{self._agent.title} was stopped.")
        for stream in self._streams.values():
            stream.end()
        try:
            await self._rpc.close()
        finally:
            await self._process.stop()
        if self._prompts:
            await asyncio.wait(self._prompts.values(), timeout=CANCEL_TIMEOUT)

    async def _read(
        self, start: Connected, stream: PromptStream, task: asyncio.Task[Message]
    ) -> AsyncGenerator[StreamItem]:
        yield start
        while (item := await stream.get()) is not None:
            yield item
        answer = await task
        reason = answer.get("stopReason")
        if not isinstance(reason, str):
            raise self._invalid_answer("session/prompt")
        yield Finished(_FINISH_REASONS.get(reason, "complete"), _read_usage(answer.get("usage")))

    async def _request(self, method: str, params: BaseModel) -> Message:
        try:
            answer = await self._rpc.send_request(AGENT_METHODS[method], _to_json(params))
        except RequestError as error:
            raise self._reported_fault(error) from None
        except ConnectionError:
            raise self._fault or Fault(FaultKind.NETWORK, f"{self._agent.title} has ended.") from None
        return answer if isinstance(answer, dict) else {}

    def _reported_fault(self, error: RequestError) -> Fault:
        """Return the fault for an error that the agent reports."""
        is_vague = error.code in _ERROR_KINDS and isinstance(error.data, str)
        message = error.data if is_vague else str(error)
        reported = fault_from_error({"code": error.code, "message": message, "details": error.data})
        kind = reported.kind
        if error.code == _AUTH_REQUIRED:
            kind = FaultKind.AUTH
        elif kind is FaultKind.UNKNOWN:
            kind = _ERROR_KINDS.get(error.code, FaultKind.SERVER)
        name, said = self._agent.title, self._process.mask(reported.message)
        if kind is not FaultKind.AUTH:
            return Fault(kind, f"{name}: {said}", status=reported.status)
        hint = f"Run '{self._agent.login}' in a terminal." if self._agent.login else ""
        if not hint and self._login_methods:
            hint = f"It offers: {self._login_methods}."
        return Fault(kind, f"{name} needs a login: {said}", hint=hint or "Log in with its own command.")

    def _invalid_answer(self, method: str) -> Fault:
        advice = f"Update {self._agent.title}."
        return Fault(FaultKind.BAD_REQUEST, f"{self._agent.title} sent no valid answer to {method}. {advice}")

    # What the agent asks for, and the transport of `Connection`

    async def _answer_request(self, method: str, params: object, _is_notification: bool) -> object:
        if method == CLIENT_METHODS["session_request_permission"]:
            return {"outcome": _refuse(params)}
        raise RequestError.method_not_found(method)

    async def send(self, message: Message) -> None:
        """Send a message; see `Transport.send` of the package."""
        await self._process.send(message)

    async def receive(self) -> Message | None:
        """Return the next request or answer, `None` at the end; see `Transport.receive`."""
        try:
            while (message := await self._process.read_message()) is not None:
                if "method" in message and "id" not in message:
                    await self._handle_notification(message)
                elif _is_well_formed(message):
                    # `Connection` makes a task for each request: one that reads no answers gets no more.
                    await self._process.wait_for_room()
                    return message
        except Fault as fault:
            self._fault = fault
        else:
            self._fault = await self._process.exit_fault()
        return None

    async def close(self) -> None:
        """Do nothing: the process is stopped with the connection; see `Transport.close`."""

    async def _handle_notification(self, message: Message) -> None:
        """Pass an update on; what an agent repeats while it loads a session is not wanted."""
        params = message.get("params")
        if message["method"] != CLIENT_METHODS["session_update"] or not isinstance(params, dict):
            return
        session = params.get("sessionId")
        stream = self._streams.get(session) if isinstance(session, str) else None
        if stream is not None:
            await stream.put(params.get("update"))


def _end_stream(stream: PromptStream, prompt: asyncio.Task[Message]) -> None:
    """End a prompt's stream; if no one reads it any more, its fault matters to no one either."""
    if not prompt.cancelled():
        prompt.exception()
    stream.end()


def _name_of(login_method: object) -> str:
    name = login_method.get("name") if isinstance(login_method, dict) else None
    return one_line(name, 60) if isinstance(name, str) else ""


def _to_json(params: BaseModel) -> Message:
    message: Message = params.model_dump(mode="json", by_alias=True, exclude_none=True)
    return message


def _is_well_formed(message: Message) -> bool:
    """Return whether `Connection` can handle a message: a request or an answer; it trusts their types."""
    if "method" in message:
        return isinstance(message["method"], str) and isinstance(message.get("id", 0), int | str)
    error = message.get("error")
    is_error = isinstance(error, dict) and isinstance(error.get("code"), int)
    return isinstance(message.get("id"), int) and ("result" in message or is_error)


def _refuse(params: object) -> Message:
    """Return the answer that refuses a permission once; without such an option, it cancels the request."""
    options = params.get("options") if isinstance(params, dict) else None
    for option in options if isinstance(options, list) else ():
        if isinstance(option, dict) and option.get("kind") == "reject_once":
            return {"outcome": "selected", "optionId": option.get("optionId")}
    return {"outcome": "cancelled"}


def _read_usage(usage: object) -> Usage | None:
    """Return the tokens of a prompt, which most agents do not report."""
    if not isinstance(usage, dict):
        return None
    names = ("inputTokens", "outputTokens", "thoughtTokens", "cachedReadTokens")
    given = (usage.get(name) for name in names)
    counts = [to_count(count) if type(count) in (int, float) else None for count in given]
    return Usage(*counts) if any(count is not None for count in counts) else None
