"""The table of model providers: which there are, where they answer, and what is peculiar about each."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from debate_tui.domain import toml

if TYPE_CHECKING:
    from collections.abc import Mapping

Api = Literal["responses", "chat", "messages"]

_OPENAI_HOST = "api.openai.com"


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider, as `providers.toml` describes it and the environment may have moved it.

    `name` is what a user types before the colon. `key_env` are the variables its key may be in, the first
    that is set counts; `needs_key` whether it answers nobody without one. `model` is used where none is
    named; empty means the first one it lists. `start` is the command that starts a server of one's own.

    Peculiarities: `usage_option` is false where ``stream_options.include_usage`` is refused; `replays` is
    true where a broken stream can be read on (llama.cpp's ``/v1/stream``).
    """

    name: str = ""
    title: str
    base_url: str
    api: Api = "chat"
    key_env: tuple[str, ...] = ()
    needs_key: bool = True
    model: str = ""
    start: str = ""
    usage_option: bool = True
    replays: bool = False

    @property
    def base_url_env(self) -> str:
        """The variable that moves the provider elsewhere, such as ``OPENAI_BASE_URL``."""
        return f"{self.name.upper()}_BASE_URL"

    @property
    def host(self) -> str:
        """Where the provider answers, as messages name it: ``api.groq.com``, ``localhost:11434``."""
        url = urlsplit(self.base_url)
        return url.netloc.rpartition("@")[2] or self.base_url


@cache
def providers() -> Mapping[str, Provider]:
    """All providers by name, in the order of the table, as if the environment were empty."""
    text = Path(__file__).with_name("providers.toml").read_text("utf-8")
    table = toml.decode_toml(text, dict[str, Provider], file_name="providers.toml")
    return {name: msgspec.structs.replace(entry, name=name) for name, entry in table.items()}


def find_provider(name: str, environ: Mapping[str, str] = os.environ) -> Provider:
    """The provider called `name`, where ``NAME_BASE_URL`` says it is; raises `KeyError` for any other name.

    OpenAI elsewhere than at OpenAI is a compatible server: it is asked for chat completions, and has to say
    itself whether it wants a key.
    """
    known = providers()[name]
    base_url = environ.get(known.base_url_env, "").strip()
    if not base_url:
        return known
    moved = msgspec.structs.replace(known, base_url=base_url)
    host = urlsplit(base_url).hostname or ""
    if known.api == "responses" and not (host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")):
        moved = msgspec.structs.replace(moved, api="chat", needs_key=False)
    return moved
