"""The table of providers."""

from __future__ import annotations

import pytest

from debate_tui.sources.providers import find_provider, providers


def test_every_provider_can_be_asked() -> None:
    for name, entry in providers().items():
        assert entry.name == name
        assert entry.base_url.startswith(("https://", "http://localhost:"))
        assert entry.base_url_env == f"{name.upper()}_BASE_URL"
        assert entry.model or entry.start, "no default model, and no server of one's own"
        assert entry.key_env


def test_the_promised_ones_are_there() -> None:
    promised = "openai anthropic ollama openrouter groq mistral deepseek xai together lmstudio llamacpp"
    assert {*promised.split()} <= {*providers()}


def test_the_environment_moves_a_provider() -> None:
    moved = find_provider("groq", {"GROQ_BASE_URL": "http://127.0.0.1:9/v1"})
    assert (moved.host, moved.api, moved.needs_key) == ("127.0.0.1:9", "chat", True)
    assert find_provider("groq", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}) == find_provider("groq", {})


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://api.openai.com/v1", "responses"),
        ("https://eu.api.openai.com/v1", "responses"),
        ("https://openai.example.com/v1", "chat"),
        ("https://api.openai.com.example.com/v1", "chat"),
        ("http://127.0.0.1:9/v1", "chat"),
    ],
)
def test_openai_elsewhere_is_a_compatible_server(url: str, api: str) -> None:
    assert find_provider("openai", {"OPENAI_BASE_URL": url}).api == api


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("box", "http://box:11434/v1"),
        ("box:9", "http://box:9/v1"),
        (":9", "http://127.0.0.1:9/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9", "http://127.0.0.1:9/v1"),
        ("http://0.0.0.0:9", "http://127.0.0.1:9/v1"),
        ("::", "http://[::1]:11434/v1"),
        ("[::]:9", "http://[::1]:9/v1"),
        ("fd00::7", "http://[fd00::7]:11434/v1"),
        ("[fd00::7]", "http://[fd00::7]:11434/v1"),
        ("http://box", "http://box:80/v1"),
        ("https://box", "https://box:443/v1"),
        ("https://box:9/ollama/", "https://box:9/ollama/v1"),
        ("box/ollama", "http://box:11434/ollama/v1"),
        ("ollama.com", "https://ollama.com:443/v1"),
        (" 'box:9'\n", "http://box:9/v1"),
    ],
)
def test_ollama_is_where_ollamas_own_variable_says(host: str, url: str) -> None:
    moved = find_provider("ollama", {"OLLAMA_HOST": host})
    assert (moved.base_url, moved.base_url_env) == (url, "OLLAMA_HOST")


def test_the_base_url_goes_before_ollamas_own_variable() -> None:
    environ = {"OLLAMA_HOST": "box", "OLLAMA_BASE_URL": "http://127.0.0.1:9/v1"}
    assert find_provider("ollama", environ).base_url == "http://127.0.0.1:9/v1"
    assert find_provider("ollama", {"OLLAMA_HOST": " "}) == find_provider("ollama", {})
    assert find_provider("lmstudio", {"OLLAMA_HOST": "box"}) == find_provider("lmstudio", {})


@pytest.mark.parametrize(
    "url", ["http://[::1/v1", "localhost:1234", "http://me:pass@[::1/v1", "//", "me:pass@x"]
)
def test_an_address_that_cannot_be_read_is_called_by_its_variable(url: str) -> None:
    moved = find_provider("openai", {"OPENAI_BASE_URL": url})
    assert moved.host == "the address in OPENAI_BASE_URL"


def test_anthropic_elsewhere_is_still_anthropic() -> None:
    assert find_provider("anthropic", {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}).api == "messages"


def test_userinfo_in_an_address_is_not_shown() -> None:
    assert find_provider("groq", {"GROQ_BASE_URL": "http://me:pass@host:9/v1"}).host == "host:9"


def test_other_names_are_unknown() -> None:
    with pytest.raises(KeyError):
        find_provider("nobody")
