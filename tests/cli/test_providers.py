"""Providers and parameters as users set them: files, options, what is sent, and what is on record."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from debate_tui import __version__, config
from debate_tui.cli.format_files import find_format
from debate_tui.domain import events as ev
from debate_tui.domain.debate import format_hash
from tests.cli.process import run_program
from tests.fakes.provider_server import (
    CHAT,
    ProviderReply,
    ProviderServer,
    chat_events,
    error,
    event,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOPIC = "Tea or coffee?"
FORMAT = """
name = "short"
title = "Short"
description = "One turn each."
[[phase]]
name = "only"
title = "Only"
"""


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        running.script(CHAT, ProviderReply(chat_events(["Tea ", "it is, and tea it stays."])))
        yield running


@pytest.fixture
def settings_file() -> Path:
    folder = config.config_folder()
    (folder / "formats").mkdir(parents=True, exist_ok=True)
    (folder / "formats" / "short.toml").write_text(FORMAT)
    return folder / "config.toml"


def started(events: list[ev.Event]) -> ev.DebateStarted:
    return next(event for event in events if isinstance(event, ev.DebateStarted))


def ends(events: list[ev.Event]) -> list[ev.TurnFinished]:
    return [event for event in events if isinstance(event, ev.TurnFinished)]


async def test_a_configured_provider_debates_and_is_on_record(
    server: ProviderServer, settings_file: Path
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 400}}
    body = [
        event(
            {"id": "gen-7", "model": "real-model-2", "choices": [{"index": 0, "delta": {"content": "Tea."}}]}
        ),
        event({"id": "gen-7", "model": "real-model-2", "choices": [{"delta": {}, "finish_reason": "stop"}]}),
        event({"id": "gen-7", "choices": [], "usage": {**usage, "cost": 0.0125}}),
        event("[DONE]"),
    ]
    server.script(CHAT, ProviderReply(body))
    settings_file.write_text(
        f"""
        [provider.mine]
        base_url = "{server.base}"
        key_command = "{sys.executable} -c 'print(\\"command-key-1\\")'"
        headers = {{ X-Team = "red" }}
        """
    )
    sources = ("-d", "Ada=mine:m?effort=low&temperature=0.5", "-d", "mine:m")
    result = await run_program(TOPIC, "-f", "short", "--json", *sources)
    assert result.code == 0, result.err
    begun = started(result.events)
    assert begun.version == __version__
    assert begun.format_hash == format_hash(find_format("short"))
    assert begun.debaters[0].parameters == {"effort": "low", "temperature": 0.5}
    assert begun.debaters[1].parameters == {}
    for end in ends(result.events):
        assert (end.model, end.response, end.cost) == ("real-model-2", "gen-7", 0.0125)
        assert end.usage is not None
        assert end.usage.cached_tokens == 400
    ada = next(request for request in server.requests if "temperature" in request.json)
    assert (ada.json["reasoning_effort"], ada.headers["authorization"]) == ("low", "Bearer command-key-1")
    assert "command-key-1" not in result.out + result.err


async def test_a_debate_file_sets_parameters_and_no_secret_is_kept(
    server: ProviderServer, settings_file: Path, tmp_path: Path
) -> None:
    settings_file.write_text(f'[provider.mine]\nbase_url = "{server.base}"\n')
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text(
        """
        format = "short"
        [[debater]]
        name = "Ada"
        source = "mine:m"
        effort = "high"
        seed = 7
        max_output_tokens = 90
        system = "Speak in rhymes."
        headers = { X-Secret-Key = "header-secret-1" }
        extra_body = { top_k = 3, api_key = "body-secret-2" }
        [[debater]]
        source = "mine:m"
        """
    )
    log_file = tmp_path / "streams.log"
    result = await run_program(TOPIC, "--json", "--config", str(debate_file), "--log", str(log_file))
    assert result.code == 0, result.err
    assert started(result.events).debaters[0].parameters == {
        "effort": "high",
        "seed": 7,
        "max_output_tokens": 90,
        "system": "Speak in rhymes.",
        "headers": ["X-Secret-Key"],
        "extra_body": {"top_k": 3, "api_key": "…"},
    }
    sent = next(request for request in server.requests if "seed" in request.json)
    assert sent.headers["x-secret-key"] == "header-secret-1"
    assert (sent.json["top_k"], sent.json["api_key"], sent.json["max_tokens"]) == (3, "body-secret-2", 90)
    messages: Any = sent.json["messages"]
    assert messages[0]["content"].endswith("\n\nSpeak in rhymes.")
    kept = result.out + result.err + log_file.read_text()
    kept += "".join(
        path.read_bytes().decode("latin-1") for path in config.record_file().parent.rglob("debates*")
    )
    assert TOPIC in kept
    assert "secret-1" not in kept
    assert "secret-2" not in kept


async def test_a_refused_parameter_is_dropped_said_once_and_recorded(
    server: ProviderServer, settings_file: Path
) -> None:
    refusal = error("invalid_request_error", "Unsupported parameter: 'temperature' is not supported.")

    def answer(request: Any) -> ProviderReply:
        if "temperature" in request.json:
            return ProviderReply(refusal, 400, "application/json")
        return ProviderReply(chat_events(["Tea ", "it is, and tea it stays."]))

    server.respond(CHAT, answer)
    settings_file.write_text(f'[provider.mine]\nbase_url = "{server.base}"\n')
    options = ("-f", "short", "-d", "Ada=mine:m?temperature=0.5", "-d", "Ben=mine:m")
    result = await run_program(TOPIC, "--json", *options)
    assert result.code == 0, result.err
    dropped = [e for e in result.events if isinstance(e, ev.StreamStatus) and e.dropped]
    assert [(status.debater, status.dropped) for status in dropped] == [("d1", ("temperature",))]
    assert [end.reason for end in ends(result.events)] == ["complete", "complete"]
    plain = await run_program(TOPIC, "--plain", *options)
    assert plain.err.count("Ada: The server refused 'temperature': no longer sent.") == 1


async def test_judges_take_the_same(server: ProviderServer, settings_file: Path) -> None:
    settings_file.write_text(f'[provider.mine]\nbase_url = "{server.base}"\n')
    judge = "mine:judge?effort=high&seed=3"
    options = ("-f", "short", "-d", "demo", "-d", "demo", "--judge", judge)
    result = await run_program(TOPIC, "--json", *options)
    verdict = next(event for event in result.events if isinstance(event, ev.Verdict))
    assert verdict.parameters == {"effort": "high", "seed": 3}
    assert {request.json["reasoning_effort"] for request in server.requests} == {"high"}


async def test_a_judge_can_be_a_table(server: ProviderServer, settings_file: Path, tmp_path: Path) -> None:
    settings_file.write_text(f'[provider.mine]\nbase_url = "{server.base}"\n')
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text(
        """
        format = "short"
        [[debater]]
        source = "demo"
        [[debater]]
        source = "demo"
        [[judge]]
        source = "mine:judge?seed=3"
        system = "Be strict."
        headers = { X-Team = "red" }
        """
    )
    result = await run_program(TOPIC, "--json", "--config", str(debate_file))
    verdict = next(event for event in result.events if isinstance(event, ev.Verdict))
    assert verdict.judge == "mine:judge?seed=3"
    assert verdict.parameters == {"seed": 3, "system": "Be strict.", "headers": ["X-Team"]}
    assert {request.headers["x-team"] for request in server.requests} == {"red"}
    assert all("Be strict." in str(request.json["messages"]) for request in server.requests)


@pytest.mark.parametrize("command", [(TOPIC,), ("doctor",)])
async def test_a_debate_file_cannot_have_a_provider(command: tuple[str, ...], tmp_path: Path) -> None:
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text('[provider.mine]\nbase_url = "http://127.0.0.1:9/v1"\nkey_command = "touch ran"\n')
    result = await run_program(*command, "--config", str(debate_file))
    assert result.code == 4
    assert "[provider]" in result.err
    assert "config.toml" in result.err


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[provider.demo]\nbase_url = "http://127.0.0.1:9/v1"', "'demo'"),
        ("[provider.mine]", "no base_url"),
        ('[provider.mine]\nbase_url = "http://127.0.0.1:9/v1"\napi = "soap"', "api"),
        ('[provider.mine]\nbase_ur = "http://127.0.0.1:9/v1"', "base_url"),
    ],
)
async def test_a_provider_that_cannot_be_one_ends_the_program(
    table: str, problem: str, settings_file: Path
) -> None:
    settings_file.write_text(table)
    result = await run_program(TOPIC, "-d", "demo", "-d", "demo")
    assert result.code == 4
    assert problem in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "key", ["extra_body = { stream = false }", "temperature = 3", 'headers = { "a b" = "" }']
)
async def test_parameters_that_cannot_be_end_the_program(key: str, tmp_path: Path) -> None:
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text(f'[[debater]]\nsource = "demo"\n{key}\n[[debater]]\nsource = "demo"\n')
    result = await run_program(TOPIC, "--config", str(debate_file))
    assert result.code == 4, result.err
    assert "Traceback" not in result.err


async def test_doctor_checks_a_configured_provider(server: ProviderServer, settings_file: Path) -> None:
    settings_file.write_text(
        f"""
        [provider.mine]
        title = "My gateway"
        base_url = "{server.base}"
        key_command = "{sys.executable} -c 'print(\\"command-key-1\\")'"
        model = "m"
        """
    )
    result = await run_program("doctor")
    assert result.code == 0, result.out
    assert "My gateway" in result.out
    assert "key_command" in result.out
    assert "mine:m" in result.out
    assert "command-key-1" not in result.out + result.err


async def test_a_debate_with_masked_headers_goes_on_with_its_file_only(
    server: ProviderServer, settings_file: Path, tmp_path: Path
) -> None:
    settings_file.write_text(f'[provider.mine]\nbase_url = "{server.base}"\n')
    debate_file = tmp_path / "debate.toml"
    debate_file.write_text(
        '[[debater]]\nsource = "mine:m"\nheaders = { X-Key = "header-secret-1" }\n'
        '[[debater]]\nsource = "demo"\n'
    )
    server.script(CHAT, ProviderReply(error("server_error", "down"), 404, "application/json"))
    first = await run_program(TOPIC, "--json", "--config", str(debate_file), "--max-tokens", "1")
    assert json.loads(first.out.splitlines()[-1])["type"] == "debate.finished"
    without = await run_program("--continue", "--json")
    assert without.code == 2
    assert "not recorded" in without.err
