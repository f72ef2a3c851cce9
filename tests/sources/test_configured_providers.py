"""Providers of the user's own: `[provider.NAME]` in the settings, and what is sent to them."""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from debate_tui.cli.debate import parse_debater_option
from debate_tui.config import ProviderSettings
from debate_tui.domain.debate import ModelParameters
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import credentials, discovery
from debate_tui.sources.credentials import find_key, has_key
from debate_tui.sources.providers import (
    OTHER_SOURCES,
    Provider,
    configure_providers,
    find_provider,
    providers,
)
from debate_tui.sources.registry import _SCHEME_KINDS, SourceFactory, parse_source
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    MESSAGES,
    MODELS,
    RESPONSES,
    ProviderReply,
    ProviderServer,
    chat_events,
    error,
    messages_events,
    responses_events,
)
from tests.sources.source_reader import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def listed_providers_only() -> Iterator[None]:
    yield
    configure_providers({})


async def ask(source: str, parameters: ModelParameters | None = None) -> str:
    async with SourceFactory() as sources:
        heard = await read_source(sources.make(parse_source(source), parameters=parameters))
    if heard.fault is not None:
        raise heard.fault
    return heard.text


def printing(*keys: str, folder: Path) -> str:
    """A command that prints one key after the other, the last one again and again."""
    script = folder / "key.py"
    script.write_text(
        "import pathlib, sys\n"
        f"keys, count = {keys!r}, pathlib.Path({str(folder / 'count')!r})\n"
        "n = int(count.read_text()) if count.exists() else 0\n"
        "count.write_text(str(n + 1))\n"
        "print(keys[min(n, len(keys) - 1)])\n"
    )
    return shlex.join([sys.executable, str(script)])


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_a_provider_is_asked_as_its_table_says(
    server: ProviderServer, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(CHAT, ProviderReply(chat_events(["Tea."])))
    server.script(RESPONSES, ProviderReply(responses_events(["Tea."])))
    server.script(MESSAGES, ProviderReply(messages_events(["Tea."])))
    monkeypatch.setenv("MINE_KEY", "mine-0123456789")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai-0123456789")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    base_url = server.url if api == "messages" else server.base
    table = ProviderSettings(base_url=base_url, api=api, key_env="MINE_KEY", headers={"X-Team": "red"})  # type: ignore[arg-type]
    configure_providers({"mine": table.fields})
    assert await ask("mine:some/model:1") == "Tea."
    (request,) = server.requests
    assert request.json["model"] == "some/model:1"
    assert request.headers["x-team"] == "red"
    sent = [
        request.headers.get("authorization", "").removeprefix("Bearer "),
        request.headers.get("x-api-key"),
    ]
    assert "mine-0123456789" in sent
    assert "openai-organization" not in request.headers
    assert not any("sk-" in value for value in request.headers.values())


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_a_provider_without_a_key_gets_none(
    server: ProviderServer, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(CHAT, ProviderReply(chat_events(["Tea."])))
    server.script(RESPONSES, ProviderReply(responses_events(["Tea."])))
    server.script(MESSAGES, ProviderReply(messages_events(["Tea."])))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "ant-token-0123456789")
    configure_providers({"mine": {"base_url": server.url if api == "messages" else server.base, "api": api}})
    assert await ask("mine:m") == "Tea."
    (request,) = server.requests
    assert {"authorization", "x-api-key"}.isdisjoint(request.headers)


@pytest.mark.parametrize("api", ["chat", "messages"])
async def test_a_key_can_go_into_a_header_of_its_own(
    server: ProviderServer, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(CHAT, ProviderReply(chat_events(["Tea."])))
    server.script(MESSAGES, ProviderReply(messages_events(["Tea."])))
    monkeypatch.setenv("MINE_KEY", "mine-0123456789")
    base_url = server.url if api == "messages" else server.base
    fields = {"base_url": base_url, "api": api, "key_env": ("MINE_KEY",), "headers": {"Api-Key": "{key}"}}
    configure_providers({"mine": fields})
    await ask("mine:m")
    (request,) = server.requests
    assert request.headers["api-key"] == "mine-0123456789"
    assert {"authorization", "x-api-key"}.isdisjoint(request.headers)


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_a_key_command_is_asked_again_when_its_key_has_run_out(
    server: ProviderServer, api: str, tmp_path: Path
) -> None:
    refusal = ProviderReply(error("authentication_error", "expired"), 401, JSON)
    server.script(CHAT, refusal, ProviderReply(chat_events(["Tea."])))
    server.script(RESPONSES, refusal, ProviderReply(responses_events(["Tea."])))
    server.script(MESSAGES, refusal, ProviderReply(messages_events(["Tea."])))
    base_url = server.url if api == "messages" else server.base
    command = printing("first-key-1", "second-key-2", folder=tmp_path)
    configure_providers({"mine": {"base_url": base_url, "api": api, "key_command": command}})
    assert await ask("mine:m") == "Tea."
    sent = [" ".join(request.headers.values()) for request in server.requests]
    assert ["first-key-1" in sent[0], "second-key-2" in sent[1]] == [True, True]


async def test_a_key_command_that_keeps_failing_is_asked_twice(
    server: ProviderServer, tmp_path: Path
) -> None:
    server.script(CHAT, ProviderReply(error("authentication_error", "wrong: first-key-1"), 401, JSON))
    command = printing("first-key-1", folder=tmp_path)
    configure_providers({"mine": {"base_url": server.base, "key_command": command}})
    with pytest.raises(Fault) as caught:
        await ask("mine:m")
    assert caught.value.kind is FaultKind.AUTH
    assert "first-key-1" not in caught.value.message
    assert "[provider.mine]" in caught.value.hint
    assert len(server.requests) == 2


def command_provider(command: str) -> Provider:
    configure_providers({"mine": {"base_url": "http://127.0.0.1:9/v1", "key_command": command}})
    return find_provider("mine", {})


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("no-such-program-anywhere", "was not found"),
        (f"{shlex.quote(sys.executable)} -c 'print(1); raise SystemExit(3)'", "exit code 3"),
        (
            f"{shlex.quote(sys.executable)} -c 'import sys; sys.stderr.write(\"sk-secret-1\")'",
            "printed no key",
        ),
        (f"{shlex.quote(sys.executable)} -c 'while True: print(1)'", "more than a key"),
        ("'unclosed", "cannot be run"),
        ("''", "cannot be run"),
        ("echo $HOME > /tmp/x; echo hi", "invalid characters"),
    ],
)
def test_a_key_command_that_fails_says_how(command: str, problem: str) -> None:
    with pytest.raises(Fault) as caught:
        find_key(command_provider(command), {})
    assert caught.value.kind is FaultKind.AUTH
    assert problem in caught.value.message
    assert "secret" not in caught.value.message


def test_a_key_command_has_ten_seconds_and_ends_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(credentials, "KEY_COMMAND_TIMEOUT_S", 0.2)
    script = tmp_path / "slow.sh"
    script.write_text("sleep 60 &\nwait\n")
    with pytest.raises(Fault, match="did not end within"):
        find_key(command_provider(f"sh {shlex.quote(str(script))}"), {})


def test_a_variable_goes_before_the_command() -> None:
    provider = command_provider("no-such-program-anywhere")
    assert has_key(provider, {})
    configure_providers(
        {"mine": {"base_url": "http://h/v1", "key_command": "no-such-program", "key_env": ("MINE",)}}
    )
    assert find_key(find_provider("mine", {}), {"MINE": "from-variable"}) == "from-variable"


def test_what_is_no_provider_is_a_reserved_name() -> None:
    assert _SCHEME_KINDS.keys() <= OTHER_SOURCES
    for name in ("demo", "local", "me", "acp", "http", "wss"):
        with pytest.raises(ConfigError, match=f"'{name}'"):
            configure_providers({name: {"base_url": "http://127.0.0.1/v1"}})


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("mine", {}, "no base_url"),
        ("mine", {"base_url": "ftp://host/"}, "not a web address"),
        ("mine", {"base_url": "http://host:99999/v1"}, "not a web address"),
        ("Mine", {"base_url": "http://host/v1"}, "lower-case"),
        ("my own", {"base_url": "http://host/v1"}, "lower-case"),
    ],
)
def test_a_provider_that_cannot_be_one_is_refused(name: str, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configure_providers({name: fields})
    assert problem in f"{caught.value.message} {caught.value.hint}"


def test_a_listed_provider_keeps_what_is_not_set() -> None:
    configure_providers({"groq": {"key_command": "pass groq"}})
    groq = find_provider("groq", {})
    assert (groq.base_url, groq.key_command) == ("https://api.groq.com/openai/v1", "pass groq")
    assert next(iter(providers())) == "groq"
    configure_providers({"openai": {"base_url": "https://gateway.example/v1"}})
    assert (find_provider("openai", {}).api, find_provider("openai", {}).needs_key) == ("chat", False)


async def test_a_server_that_does_not_know_store_is_asked_without(server: ProviderServer) -> None:
    refusal = ProviderReply(error("invalid_request_error", "Unknown parameter: 'store'."), 400, JSON)
    server.script(RESPONSES, refusal, ProviderReply(responses_events(["Tea."])))
    configure_providers({"mine": {"base_url": server.base, "api": "responses"}})
    assert await ask("mine:m") == "Tea."
    assert [request.json.get("store") for request in server.requests] == [False, None]


async def test_without_a_model_the_first_listed_is_used(server: ProviderServer) -> None:
    server.script(MODELS, ProviderReply(b'{"data": [{"id": "embed-1"}, {"id": "first"}]}', 200, JSON))
    server.script(CHAT, ProviderReply(chat_events(["Tea."])))
    configure_providers({"mine": {"base_url": server.base, "headers": {"X-Team": "red"}}})
    assert await ask("mine") == "Tea."
    assert server.requests[1].json["model"] == "first"
    assert server.requests[0].headers["x-team"] == "red"


async def test_the_models_of_a_keyless_server_are_offered(server: ProviderServer) -> None:
    server.script(MODELS, ProviderReply(b'{"data": [{"id": "one"}, {"id": "two"}]}', 200, JSON))
    configure_providers({"mine": {"base_url": server.base, "headers": {"X-Team": "red"}}})
    found = await asyncio.to_thread(discovery.discover_sources, {})
    assert found == ("mine:one", "mine:two")
    assert server.requests[0].headers["x-team"] == "red"


def test_a_configured_address_stays_where_it_is() -> None:
    configure_providers({"ollama": {"base_url": "http://127.0.0.1:9/v1"}})
    environ = {"OLLAMA_HOST": "elsewhere", "OLLAMA_BASE_URL": "http://elsewhere/v1"}
    assert find_provider("ollama", environ).base_url == "http://127.0.0.1:9/v1"


async def test_no_fault_tells_a_secret_that_was_sent(server: ProviderServer) -> None:
    body = error("invalid_request_error", "bad: team-secret-1 provider-secret-2 body-secret-3")
    server.script(CHAT, ProviderReply(body, 400, JSON))
    configure_providers({"mine": {"base_url": server.base, "headers": {"X-Api-Token": "provider-secret-2"}}})
    parameters = ModelParameters(
        headers={"X-Team-Key": "team-secret-1"}, extra_body={"auth": {"user": "body-secret-3"}}
    )
    with pytest.raises(Fault) as caught:
        await ask("mine:m", parameters)
    assert "secret" not in str(caught.value)


# What is typed after a model


def test_parameters_follow_a_model() -> None:
    spec = parse_source("openai:gpt-x?effort=high&temperature=0.7&seed=-3&max_output_tokens=100")
    assert spec.detail == "gpt-x"
    assert spec.parameters == ModelParameters(effort="high", temperature=0.7, seed=-3, max_output_tokens=100)
    assert parse_source(spec.public_name) == spec
    assert parse_source("openai?effort=low").parameters.effort == "low"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("openai:m?efort=high", "Did you mean 'effort'?"),
        ("openai:m?effort=huge", "'effort'"),
        ("openai:m?temperature=9", "'temperature'"),
        ("openai:m?temperature=nan", "'temperature'"),
        ("openai:m?temperature", "needs one value"),
        ("openai:m?seed=1&seed=2", "needs one value"),
        ("openai:m?max_output_tokens=0", "'max_output_tokens'"),
        ("openai:m?system=x", "debate file"),
        ("demo?effort=high", "the demo takes none"),
    ],
)
def test_parameters_that_cannot_be_are_refused(source: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_source(source)
    assert problem in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("option", "name", "source"),
    [
        ("openai?effort=high", "", "openai?effort=high"),
        ("local?seed=1", "", "local?seed=1"),
        ("Ada=openai?effort=high", "Ada", "openai?effort=high"),
        ("Ada=openai:m?effort=high&seed=1", "Ada", "openai:m?effort=high&seed=1"),
        ("Who?=demo", "Who?", "demo"),
        ("https://host/?a=b", "", "https://host/?a=b"),
    ],
)
def test_a_debater_may_have_a_name_and_parameters(option: str, name: str, source: str) -> None:
    table = parse_debater_option(option)
    assert (table.get("name", ""), table["source"]) == (name, source)


@pytest.mark.parametrize("url", ["https://host/path?effort=high", "ws://host/x?temperature=0.7"])
def test_the_query_of_an_address_is_its_own(url: str) -> None:
    spec = parse_source(url)
    assert (spec.detail, spec.parameters) == (url, ModelParameters())


@pytest.mark.parametrize(
    "parameters",
    [{"extra_body": {"stream": False}}, {"headers": {"X Y": "1"}}, {"headers": {"X": "a\nb"}}],
)
def test_parameters_that_would_break_a_request_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`"):
        ModelParameters(**parameters)


def test_what_is_recorded_holds_no_secret() -> None:
    parameters = ModelParameters(
        effort="low",
        headers={"X-B": "header-secret", "X-A": "1"},
        extra_body={
            "api_key": "body-secret",
            "max_tokens": 5,
            "user": "sk-abcdefgh12345678",
            "auth": {"any": ["nested-secret", 7]},
            "top_k": 3,
        },
    )
    public = parameters.to_public()
    assert "secret" not in str(public)
    assert "abcdefgh" not in str(public)
    assert public["headers"] == ["X-A", "X-B"]
    body: Any = public["extra_body"]
    assert (public["effort"], body["max_tokens"], body["top_k"]) == (
        "low",
        5,
        3,
    )
    stored = parameters.without_secrets()
    assert "secret" not in str(stored)
    assert stored.has_masked_secrets
    assert not parameters.has_masked_secrets
