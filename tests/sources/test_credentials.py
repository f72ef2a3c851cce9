"""Where keys come from, and that they are kept out of sight."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from keyring import get_keyring, set_keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.credentials import KEYRING_SERVICE, find_key, has_key, key_in_keyring
from debate_tui.sources.providers import find_provider

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keyring(KeyringBackend):
    """A keyring with one key in it, or one that is locked."""

    priority = 1.0

    def __init__(self, entry: tuple[str, str, str] | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._entry = entry

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def get_password(self, service: str, username: str) -> str | None:
        if self._entry is None:
            raise KeyringLocked("locked")
        return self._entry[2] if self._entry[:2] == (service, username) else None


@pytest.fixture(autouse=True)
def keyring() -> Iterator[None]:
    before = get_keyring()
    set_keyring(Keyring((KEYRING_SERVICE, "groq", "gsk_from_keyring")))
    yield
    set_keyring(before)


GROQ = find_provider("groq", {})


def test_the_environment_goes_first() -> None:
    assert find_key(GROQ, {"GROQ_API_KEY": " gsk_from_environment\n"}) == "gsk_from_environment"
    assert has_key(GROQ, {"GROQ_API_KEY": "gsk_from_environment"})


def test_the_keyring_is_the_fallback() -> None:
    assert find_key(GROQ, {"GROQ_API_KEY": ""}) == "gsk_from_keyring"
    assert has_key(GROQ, {})


def test_where_there_is_none_it_is_said_what_to_do() -> None:
    mistral = find_provider("mistral", {})
    assert not has_key(mistral, {})
    with pytest.raises(Fault) as caught:
        find_key(mistral, {})
    assert caught.value.kind is FaultKind.AUTH
    assert "MISTRAL_API_KEY" in caught.value.hint
    assert "keyring set debate-tui mistral" in caught.value.hint


def test_a_locked_or_missing_keyring_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keyring(Keyring(None))
    assert key_in_keyring(GROQ) == ""
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert key_in_keyring(GROQ) == ""


def test_no_key_is_looked_up_where_none_is_needed() -> None:
    set_keyring(Keyring(None))
    ollama = find_provider("ollama", {})
    assert has_key(ollama, {})
    assert find_key(ollama, {}) == ""


@pytest.mark.parametrize("key", ["sk-with space", "sk-…", "sk-\x1b[31m"])
def test_what_cannot_be_a_key_is_not_sent(key: str) -> None:
    with pytest.raises(Fault) as caught:
        find_key(GROQ, {"GROQ_API_KEY": key})
    assert key not in caught.value.message
