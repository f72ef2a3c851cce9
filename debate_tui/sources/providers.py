"""The table of model providers: names, addresses and peculiarities."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from debate_tui.domain import toml
from debate_tui.domain.errors import ConfigError
from debate_tui.sources.urls import clean_value, find_url_problem, url_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from debate_tui.domain.debate import Effort

Api = Literal["responses", "chat", "messages"]

KEY_PLACEHOLDER = "{key}"

OTHER_SOURCES = frozenset({"acp", "demo", "file", "http", "https", "local", "me", "ws", "wss"})
"""Source schemes that are not providers."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OPENAI_HOST = "api.openai.com"
_EFFORT_FIELDS: dict[Api, str] = {
    "chat": "reasoning_effort",
    "responses": "reasoning.effort",
    "messages": "output_config.effort",
}


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider from `providers.toml`, with changes from settings or environment applied.

    `name` is what a user types before the colon. `key_env` lists the variables for its key; the first one
    that is set is used. `needs_key` is true if it requires a key. `model` is the default model; empty means
    the first one the server lists. `families` are how the names of its models begin: they are suggested when
    a model is named without a provider. `start` is the command that starts a local server. `host_env` is the
    variable that holds a host in Ollama's syntax; `moved_by` is the variable or settings table that changed
    the address.

    `key_command` prints a key if no variable is set; `headers` are sent with every request, with ``{key}``
    replaced by the key.

    Peculiarities: `usage_option` is false if ``stream_options.include_usage`` is refused; `replays` is true
    if an interrupted stream can be resumed (llama.cpp's ``/v1/stream``); `effort_field` is the field for the
    reasoning effort if it differs from the API's own, with its parts joined by dots.
    """

    name: str = ""
    title: str
    base_url: str
    api: Api = "chat"
    key_env: tuple[str, ...] = ()
    needs_key: bool = True
    model: str = ""
    families: tuple[str, ...] = ()
    start: str = ""
    host_env: str = ""
    moved_by: str = ""
    usage_option: bool = True
    replays: bool = False
    effort_field: str = ""
    key_command: str = ""
    headers: dict[str, str] = {}

    @property
    def base_url_env(self) -> str:
        """The variable that overrides the address, such as ``OPENAI_BASE_URL``."""
        return self.moved_by or f"{self.name.upper().replace('-', '_')}_BASE_URL"

    @property
    def is_configured(self) -> bool:
        """Whether its address comes from the user's settings."""
        return self.moved_by.startswith("[")

    @property
    def key_hint(self) -> str:
        """How to supply a key."""
        if self.key_command:
            return f"Check 'key_command' of [provider.{self.name}] in config.toml."
        variables = f"Set {' or '.join(self.key_env)}, or run" if self.key_env else "Run"
        return f"{variables}: keyring set debate-tui {self.name}"

    @property
    def key_is_in_headers(self) -> bool:
        """Whether the key is sent in one of the provider's own headers instead of the API's usual one."""
        return any(KEY_PLACEHOLDER in value for value in self.headers.values())

    def headers_with_key(self, key: str) -> dict[str, str]:
        """Return the provider's own headers with `key` filled in."""
        return {name: value.replace(KEY_PLACEHOLDER, key) for name, value in self.headers.items()}

    def effort_params(self, effort: Effort) -> Iterator[tuple[str, object]]:
        """Yield the request fields that set the reasoning effort, with their parts joined by dots."""
        field = self.effort_field or _EFFORT_FIELDS[self.api]
        last = field.rpartition(".")[2]
        if last == "enable_thinking":
            yield field, effort != "none"
        elif last == "type":
            yield field, "disabled" if effort == "none" else "enabled"
        elif self.api != "messages" or self.effort_field:
            yield field, effort
        elif effort == "none":
            yield "thinking.type", "disabled"
        else:
            yield field, "low" if effort == "minimal" else effort

    @property
    def host(self) -> str:
        """Host and port for messages: ``api.groq.com``, ``localhost:11434``."""
        return url_host(self.base_url) or f"the address in {self.base_url_env}"


_configured: dict[str, Provider] = {}


def providers() -> Mapping[str, Provider]:
    """Return all providers by name, the user's own first, ignoring the environment."""
    return {**_configured, **{name: entry for name, entry in _listed().items() if name not in _configured}}


@cache
def _listed() -> Mapping[str, Provider]:
    text = Path(__file__).with_name("providers.toml").read_text("utf-8")
    table = toml.decode_toml(text, dict[str, Provider], file_name="providers.toml")
    return {name: msgspec.structs.replace(entry, name=name) for name, entry in table.items()}


def configure_providers(tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Add the user's own providers to the table, replacing those added before.

    Each table has the fields of `Provider` to set; a provider already listed keeps the others. Raise
    `ConfigError` if a provider is not valid.
    """
    configured = {name: _configure(name, fields) for name, fields in tables.items()}
    _configured.clear()
    _configured.update(configured)


def _configure(name: str, fields: Mapping[str, Any]) -> Provider:
    where = f"[provider.{name}] in config.toml"
    if name in OTHER_SOURCES:
        raise ConfigError(f"A provider cannot be named '{name}': that is another source.", f"Rename {where}.")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A provider cannot be named '{name}'.", "Use lower-case letters, digits, '-' and '_'."
        )
    listed, base_url = _listed().get(name), fields.get("base_url", "")
    if listed is None and not base_url:
        raise ConfigError(
            f"The provider '{name}' has no base_url.", f'Add base_url = "https://…" to {where}.'
        )
    if base_url and (problem := find_url_problem(base_url, ("http", "https"))):
        raise ConfigError(
            f"The base_url of the provider '{name}' is not a web address: {problem}.",
            f'Write base_url = "https://host/v1" in {where}.',
        )
    if listed is None:
        has_key = bool(fields.get("key_env") or fields.get("key_command"))
        given = {"name": name, "title": name, "needs_key": has_key, "moved_by": where, **fields}
        return Provider(**given)
    moved = _move(listed, base_url, where) if base_url else listed
    return msgspec.structs.replace(moved, **fields)


def find_provider(name: str, environ: Mapping[str, str] = os.environ) -> Provider:
    """Return the provider called `name` at its configured address; raise `KeyError` for unknown names.

    An address in the user's settings takes precedence over the environment.
    """
    known = providers()[name]
    if known.moved_by:
        return known
    base_url, variable = clean_value(environ.get(known.base_url_env, "")), known.base_url_env
    if not base_url and (host := clean_value(environ.get(known.host_env, ""))):
        base_url, variable = _ollama_base_url(host), known.host_env
    return _move(known, base_url, variable) if base_url else known


def _move(known: Provider, base_url: str, variable: str) -> Provider:
    """Return the provider at another address; `variable` names where that came from.

    OpenAI's API at a host other than OpenAI is a compatible server: it gets Chat Completions requests and
    reports itself if it needs a key.
    """
    moved = msgspec.structs.replace(known, base_url=base_url, moved_by=variable)
    host = url_host(base_url).rpartition(":")[0] or url_host(base_url)
    if known.name == "openai" and host != _OPENAI_HOST and not host.endswith(f".{_OPENAI_HOST}"):
        moved = msgspec.structs.replace(moved, api="chat", needs_key=False)
    return moved


_OLLAMA_PORT = 11434


def _ollama_base_url(value: str) -> str:
    """Return the base URL for ``OLLAMA_HOST``: ``host``, ``:port``, ``http://host/path``, ``0.0.0.0``, …

    Parsed as Ollama does, except that a port out of range is only rejected by the request:
    https://github.com/ollama/ollama/blob/main/envconfig/config.go.
    """
    scheme, has_scheme, rest = value.rpartition("://")
    host_and_port, _, path = rest.partition("/")
    if not has_scheme and host_and_port == "ollama.com":
        scheme = has_scheme = "https"
    default_port = {"": _OLLAMA_PORT, "http": 80, "https": 443}.get(scheme.lower(), _OLLAMA_PORT)
    host, colon, port = host_and_port.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # no port, or IPv6 without brackets
        host, port = host_and_port, ""
    host = host.strip("[]")
    if host in ("", "0.0.0.0"):  # noqa: S104 (where a server listens; clients ask the loopback)
        host = "127.0.0.1"
    elif ":" in host:
        host = f"[{'::1' if host == '::' else host}]"
    path = f"/{path.strip('/')}" if path.strip("/") else ""
    return f"{scheme or 'http'}://{host}:{port or default_port}{path}/v1"
