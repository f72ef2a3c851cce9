"""``debate-tui doctor``: check what works on this machine, and suggest fixes for the rest."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from debate_tui import __version__, config
from debate_tui.cli import terminal
from debate_tui.cli.wiring import make_source, make_source_factory
from debate_tui.domain.debate import MAX_DEBATERS
from debate_tui.domain.errors import ConfigError, DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, Message, TurnRequest
from debate_tui.domain.wording import format_duration
from debate_tui.sources import discovery, prices, registry
from debate_tui.sources.credentials import find_key, find_key_variable
from debate_tui.sources.known_agents import check_agent, known_agents
from debate_tui.sources.providers import find_provider, providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.stream import Source
    from debate_tui.sources.known_agents import Agent
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.registry import SourceFactory

ANSWER_TIMEOUT_S = 20.0
"""Seconds to wait for the first word of a source's answer."""
LIST_TIMEOUT_S = 5.0
"""Seconds to wait for a server's list of models."""
LOAD_TIMEOUT_S = 300.0
"""Seconds to wait for a local model, which may have to be downloaded and loaded first."""
LOCAL_MODEL_TITLE = "bundled model"

_TEST_REQUEST = TurnRequest(
    topic="a test",
    phase="test",
    turn=1,
    messages=(Message("user", "Answer with the one word: ready"),),
    max_output_tokens=64,
)
_STATUS_MARKS = {"works": "✓", "absent": "·", "broken": "✗"}


class CheckResult(Struct, frozen=True):
    """The result of one check."""

    name: str
    status: Literal["works", "absent", "broken"]
    detail: str
    hint: str = ""


def run_checks(settings: config.Settings) -> int:
    """Run all checks and print the results; return 0, or 4 if a source does not work."""
    print(f"debate-tui {__version__}, Python {sys.version.split()[0]}")
    _print_section("Terminal", [_check_terminal(), _check_encoding()])
    _print_section("Files", _check_files())
    _print_section("Keys", [_check_key(each) for each in _providers_to_check(settings)])
    _print_section(
        "Local models",
        [
            *(_check_local_server(find_provider(name)) for name in discovery.LOCAL_SERVERS),
            _check_local_model(),
        ],
    )
    _print_section("Agents", [_check_agent(each) for each in known_agents().values()])
    named_servers = discovery.custom_servers()
    if named_servers:
        _print_section("Your servers", [_check_named_server(each) for each in named_servers])
    seats = [*_seats_to_check(settings)]
    if not seats:
        print("\nNo model was found, so debate-tui runs its scripted demo.")
        agent = next((name for name, each in known_agents().items() if each.find_program()), "")
        if named_servers:
            name = named_servers[0].name
            print(f"  To use your server, name a model: debate-tui -d {name}:MODEL -d {name}:MODEL")
        elif agent:
            print(f"  To use your agent: debate-tui -d acp:{agent} -d acp:{agent}")
        else:
            print("  Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a local server.")
        return 0
    source_results = asyncio.run(_check_sources(seats, settings))
    _print_section("Sources, each with one small request", source_results)
    return 4 if any(finding.status == "broken" for finding in source_results) else 0


def _print_section(title: str, results: Sequence[CheckResult]) -> None:
    width = max(len(finding.name) for finding in results)
    print(f"\n{title}")
    for finding in results:
        print(f"  {_STATUS_MARKS[finding.status]} {finding.name:<{width}}  {one_line(finding.detail)}")
        if finding.hint:
            print(f"    {'':<{width}}  {one_line(finding.hint)}")


def _check_terminal() -> CheckResult:
    size = shutil.get_terminal_size()
    name = os.environ.get("TERM", "")
    if terminal.supports_full_screen():
        true_colour = os.environ.get("COLORTERM") in ("truecolor", "24bit")
        colours = "16 million colours" if true_colour else "256 colours"
        return CheckResult("full screen", "works", f"{name}, {size.columns}×{size.lines}, {colours}")
    return CheckResult("full screen", "absent", "not a terminal; debates are printed as plain text")


def _check_encoding() -> CheckResult:
    encoding = sys.stdout.encoding or "unknown"
    if encoding.lower().replace("-", "") == "utf8":
        return CheckResult("characters", "works", encoding)
    return CheckResult("characters", "broken", encoding, "Set LANG to a UTF-8 locale, or use --ascii.")


def _check_files() -> list[CheckResult]:
    settings, record = config.config_folder() / "config.toml", config.record_file()
    return [
        CheckResult("settings", "works" if settings.exists() else "absent", str(settings)),
        CheckResult("debates", "works" if record.exists() else "absent", str(record)),
        CheckResult(
            "prices", "works", f"{prices.price_table_version()}; [price] in the settings takes precedence"
        ),
    ]


def _seats_to_check(settings: config.Settings) -> Iterable[config.DebaterSettings]:
    """Return the configured debaters (else the available models) and judges, without duplicates."""
    found = () if settings.debater else discovery.discover_sources(count=MAX_DEBATERS)
    judges = (
        config.DebaterSettings(source=judge)
        if isinstance(judge, str)
        else config.DebaterSettings(source=judge.source, **msgspec.structs.asdict(judge.parameters))
        for judge in settings.judge
    )
    seats = (*settings.debater, *(config.DebaterSettings(source=source) for source in found), *judges)
    return {
        repr((seat.source, seat.method, seat.background, seat.parameters)): seat for seat in seats
    }.values()


def _providers_to_check(settings: config.Settings) -> Iterable[Provider]:
    """Yield the providers that need a key and are configured, used, or have a key set.

    OpenAI and Anthropic are always included.
    """
    schemes = {registry.parse_source(seat.source).scheme for seat in settings.debater} | {
        "openai",
        "anthropic",
    }
    for name in providers():
        each = find_provider(name)
        if each.needs_key and (name in schemes or name in settings.provider or find_key_variable(each)):
            yield each


def _check_key(provider_: Provider) -> CheckResult:
    variable = find_key_variable(provider_)
    try:
        find_key(provider_)
    except Fault as fault:
        if variable or provider_.key_command:
            where = f"{variable}: " if variable else ""
            return CheckResult(provider_.title, "broken", f"{where}{fault.message}", fault.hint)
        where = f"set {' or '.join(provider_.key_env)}" if provider_.key_env else provider_.key_hint
        return CheckResult(provider_.title, "absent", f"no key; {where}")
    where = variable or ("the output of its key_command" if provider_.key_command else "the system keyring")
    return CheckResult(provider_.title, "works", f"found in {where}")


def _check_local_server(server: Provider) -> CheckResult:
    absent = CheckResult(server.title, "absent", f"no answer at {server.host}; {server.start}")
    try:
        models = discovery.fetch_models(server, timeout=discovery.PROBE_TIMEOUT)
    except Fault as fault:
        # Another program may be using the server's default address.
        is_absent = not server.moved_by or fault.kind in (FaultKind.NETWORK, FaultKind.TIMEOUT)
        return absent if is_absent else CheckResult(server.title, "broken", fault.message, fault.hint)
    return CheckResult(server.title, "works", _shorten_list(models)) if models else absent


def _check_named_server(server: Provider) -> CheckResult:
    name, detail = f"{server.title} at {server.host}", f"set in {server.base_url_env}"
    try:
        models = discovery.fetch_models(server, timeout=LIST_TIMEOUT_S)
    except Fault as fault:
        return CheckResult(name, "broken", f"{detail}: {fault.message}", fault.hint)
    if not models:
        return CheckResult(name, "absent", f"{detail}; lists no models", f"-d {server.name}:MODEL")
    return CheckResult(name, "works", f"{detail}: {_shorten_list(models)}")


def _shorten_list(models: Sequence[str]) -> str:
    rest = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return f"{', '.join(models[:3])}{rest}"


def _check_local_model() -> CheckResult:
    """Check the bundled model: the server program and the model file."""
    from debate_tui.sources import local_model

    server = local_model.find_server_program()
    if server is None:
        return CheckResult(
            LOCAL_MODEL_TITLE, "absent", "llama-server is not installed", local_model.INSTALL_HINT
        )
    if local_model.find_bundled_model(config.model_folder()) is None:
        detail = f"uses {server}; downloads {local_model.DOWNLOAD_MB} MB once"
        return CheckResult(LOCAL_MODEL_TITLE, "absent", detail, "debate-tui -d local -d local")
    return CheckResult(LOCAL_MODEL_TITLE, "works", f"{local_model.BUNDLED_MODEL}, using {server}")


def _check_agent(agent: Agent) -> CheckResult:
    """Check whether an agent's program is on PATH; it is not started, since it may act on its own."""
    program = agent.find_program()
    if program is None:
        return CheckResult(agent.title, "absent", f"not installed: {agent.install}")
    try:
        check_agent(agent.name)
    except ConfigError as error:
        return CheckResult(agent.title, "absent", error.message, error.hint)
    return CheckResult(agent.title, "works", f"{program}; use it with -d acp:{agent.name}")


async def _check_sources(
    seats: Sequence[config.DebaterSettings], settings: config.Settings
) -> list[CheckResult]:
    async with make_source_factory(settings) as sources:
        return await asyncio.gather(*(_check_source(seat, sources) for seat in seats))


async def _check_source(seat: config.DebaterSettings, sources: SourceFactory) -> CheckResult:
    name = seat.source
    try:
        specification = registry.parse_source(seat.source)
        name = specification.public_name
        registry.check_availability(specification)
        if specification.kind == "demo":
            return CheckResult(name, "works", "scripted; needs no key and no network")
        if specification.kind == "person":
            return CheckResult(name, "works", "you write on the screen; needs a terminal")
        if specification.kind == "agent":
            return CheckResult(name, "works", "installed; not started, since an agent may act on its own")
        limit_s = LOAD_TIMEOUT_S if specification.kind == "local" else ANSWER_TIMEOUT_S
        seconds = await _time_first_chunk(make_source(sources, specification, seat), limit_s)
    except DebateError as error:
        return CheckResult(name, "broken", error.message, error.hint)
    return CheckResult(name, "works", f"answered in {format_duration(seconds)}")


async def _time_first_chunk(source: Source, limit_s: float) -> float:
    """Return the seconds until the source's first word; raise `Fault` if none comes in time."""
    started_at = time.monotonic()
    try:
        async with asyncio.timeout(limit_s), source.open(_TEST_REQUEST) as stream:
            async for item in stream:
                if isinstance(item, Chunk | Finished):
                    break
    except TimeoutError:
        raise Fault(FaultKind.TIMEOUT, f"No answer within {format_duration(limit_s)}.") from None
    return time.monotonic() - started_at
