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


def test_anthropic_elsewhere_is_still_anthropic() -> None:
    assert find_provider("anthropic", {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}).api == "messages"


def test_userinfo_in_an_address_is_not_shown() -> None:
    assert find_provider("groq", {"GROQ_BASE_URL": "http://me:pass@host:9/v1"}).host == "host:9"


def test_other_names_are_unknown() -> None:
    with pytest.raises(KeyError):
        find_provider("nobody")
