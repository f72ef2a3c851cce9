"""``debate-tui doctor``: what works here, and what to do about the rest."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui import __version__, config
from debate_tui.cli import terminal
from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, Message, Request
from debate_tui.sources import discovery, prices, registry
from debate_tui.sources.keys import key_in_environment, key_in_keyring
from debate_tui.sources.providers import provider, providers
from debate_tui.sources.registry import Sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.stream import Source
    from debate_tui.sources.providers import Provider

PATIENCE = 20.0
"""Seconds a source has for the first word of its answer."""
PATIENCE_TO_LIST = 5.0
"""Seconds a server has to list its models."""
PATIENCE_TO_LOAD = 300.0
"""Where a model has to be loaded first, and maybe fetched."""
BOX = "model in the box"

_QUESTION = Request(
    topic="a test",
    phase="test",
    turn=1,
    messages=(Message("user", "Answer with the one word: ready"),),
    max_output_tokens=64,
)
_MARKS = {"works": "✓", "absent": "·", "broken": "✗"}


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    verdict: Literal["works", "absent", "broken"]
    detail: str
    hint: str = ""


def examine(settings: config.Settings) -> int:
    """Look at everything and print what was found; returns 0, or 4 where a source does not work."""
    print(f"debate-tui {__version__}, Python {sys.version.split()[0]}")
    _report("Terminal", [_screen(), _writing()])
    _report("Files", _files())
    _report("Keys", [_key(each) for each in _in_question(settings)])
    _report("Local models", [*(_server(provider(name)) for name in discovery.LOCAL_SERVERS), _box()])
    named = discovery.elsewhere()
    if named:
        _report("Servers named in the environment", [_named(each) for each in named])
    sources = [seat.source for seat in settings.debater] or list(discovery.at_hand())
    if not sources:
        print("\nNo model is at hand: debate-tui runs its scripted demo.")
        if named:
            print(
                f"  Name a model of your server: debate-tui -d {named[0].name}:MODEL -d {named[0].name}:MODEL"
            )
        else:
            print("  Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start one of the local servers.")
        return 0
    tried = asyncio.run(_try_all(list(dict.fromkeys(sources)), settings))
    _report("Sources, each asked for one word", tried)
    return 4 if any(finding.verdict == "broken" for finding in tried) else 0


def _report(title: str, findings: Sequence[Finding]) -> None:
    width = max(len(finding.what) for finding in findings)
    print(f"\n{title}")
    for finding in findings:
        print(f"  {_MARKS[finding.verdict]} {finding.what:<{width}}  {one_line(finding.detail)}")
        if finding.hint:
            print(f"    {'':<{width}}  {one_line(finding.hint)}")


def _screen() -> Finding:
    size = shutil.get_terminal_size()
    name = os.environ.get("TERM", "")
    if terminal.fits_full_screen():
        many = os.environ.get("COLORTERM") in ("truecolor", "24bit")
        colours = "16 million colours" if many else "256 colours"
        return Finding("full screen", "works", f"{name}, {size.columns}×{size.lines}, {colours}")
    return Finding("full screen", "absent", "not a terminal here: debates are printed as plain text")


def _writing() -> Finding:
    encoding = sys.stdout.encoding or "unknown"
    if encoding.lower().replace("-", "") == "utf8":
        return Finding("characters", "works", encoding)
    return Finding("characters", "broken", encoding, "Set LANG to a UTF-8 locale, or use --ascii.")


def _files() -> list[Finding]:
    settings, record = config.config_folder() / "config.toml", config.record_file()
    return [
        Finding("settings", "works" if settings.exists() else "absent", str(settings)),
        Finding("debates", "works" if record.exists() else "absent", str(record)),
        Finding("prices", "works", f"{prices.table()}, after [price] in the settings"),
    ]


def _in_question(settings: config.Settings) -> Iterable[Provider]:
    """The providers that need a key and are in use, or are the two everybody knows."""
    wanted = {registry.parse(seat.source).scheme for seat in settings.debater} | {"openai", "anthropic"}
    for name in providers():
        each = provider(name)
        if each.needs_key and (name in wanted or key_in_environment(each)):
            yield each


def _key(asked: Provider) -> Finding:
    variable = next((name for name in asked.key_env if os.environ.get(name, "").strip()), None)
    if variable:
        return Finding(asked.title, "works", f"found in {variable}")
    if key_in_keyring(asked):
        return Finding(asked.title, "works", "found in the system keyring")
    return Finding(asked.title, "absent", f"none: set {' or '.join(asked.key_env)}")


def _server(server: Provider) -> Finding:
    found = discovery.models(server)
    if not found:
        return Finding(server.title, "absent", f"not answering at {server.host}: {server.start}")
    return Finding(server.title, "works", _some(found))


def _named(server: Provider) -> Finding:
    found = discovery.models(server, timeout=PATIENCE_TO_LIST)
    what, detail = f"{server.title} at {server.host}", f"named by {server.base_url_env}"
    if not found:
        return Finding(what, "absent", f"{detail}; lists no models", f"-d {server.name}:MODEL")
    return Finding(what, "works", f"{detail}: {_some(found)}")


def _some(models: Sequence[str]) -> str:
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return f"{', '.join(models[:3])}{more}"


def _box() -> Finding:
    """The model in the box: its server and its file."""
    from debate_tui.sources import boxed, local

    server = local.program()
    if server is None:
        return Finding(BOX, "absent", "no llama-server to run it", local.INSTALL)
    if boxed.find(config.model_folder()) is None:
        detail = f"run by {server}; {boxed.FETCHED_MB} MB to be fetched, once"
        return Finding(BOX, "absent", detail, "debate-tui -d local -d local")
    return Finding(BOX, "works", f"{boxed.NAME}, run by {server}")


async def _try_all(texts: Sequence[str], settings: config.Settings) -> list[Finding]:
    timeout = settings.recovery.connect_timeout
    async with Sources(connect_timeout=timeout, models=config.model_folder()) as sources:
        return await asyncio.gather(*(_try(text, sources) for text in texts))


async def _try(text: str, sources: Sources) -> Finding:
    what = text
    try:
        specification = registry.parse(text)
        what = specification.public
        registry.check_key(specification)
        if specification.kind == "demo":
            return Finding(what, "works", "scripted, needs nothing")
        patience = PATIENCE_TO_LOAD if specification.kind == "local" else PATIENCE
        seconds = await _first_word(sources.make(specification), patience)
    except DebateError as error:
        return Finding(what, "broken", error.message, error.hint)
    return Finding(what, "works", f"answered after {seconds:.1f} s")


async def _first_word(source: Source, patience: float) -> float:
    """How long the source takes for its first word, in seconds; raises `Fault` where there is none."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience), source.open(_QUESTION) as stream:
            async for item in stream:
                if isinstance(item, Chunk | Finished):
                    break
    except TimeoutError:
        raise Fault(FaultKind.TIMEOUT, f"No answer within {patience:.0f} s.") from None
    return time.monotonic() - began
