"""Which models are at hand without being named: keys in the environment, then servers one runs or named."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from debate_tui.sources.credentials import key_in_environment
from debate_tui.sources.providers import find_provider, providers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.sources.providers import Provider


# The models a server lists: https://platform.openai.com/docs/api-reference/models/list.


class _ListedModel(Struct):
    id: str


class _ModelList(Struct):
    data: tuple[_ListedModel, ...] | None = None


# Made here once: several threads decode with it at the same time, and may not be the first to use the struct.
_model_list_decoder = msgspec.json.Decoder(_ModelList)


def parse_chat_models(body: bytes) -> tuple[str, ...]:
    """The ids of those that can hold a conversation; none where the body is no such list."""
    try:
        listed = _model_list_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(model.id for model in listed.data or () if "embed" not in model.id.lower())


LOCAL_SERVERS = ("ollama", "lmstudio", "llamacpp")
PROBE_TIMEOUT = 0.3
MAX_SOURCES = 4


def discover_sources(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for two to four debaters, as for ``-d``; empty if nothing was found.

    One debater for each provider whose key is in the environment, with its default model, a single key giving
    two; without any key, the models of a server. Takes up to `PROBE_TIMEOUT`, and usually none of it:
    where nobody listens, the machine says so at once.
    """
    return sources_with_keys(environ) or sources_from_server(environ)


def sources_with_keys(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for the providers whose keys are in the environment."""
    return limit_sources([f"{each.name}:{each.model}" for each in providers_with_keys(environ)])


def providers_with_keys(environ: Mapping[str, str] = os.environ) -> list[Provider]:
    """The providers whose keys are in the environment, with a model to begin with."""
    known = [find_provider(name, environ) for name in providers()]
    return [each for each in known if each.needs_key and each.model and key_in_environment(each, environ)]


def sources_from_server(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for the models of the first server that answers in time."""
    for server, found in probe_servers(environ):
        return limit_sources([f"{server.name}:{model}" for model in found])
    return ()


def custom_servers(environ: Mapping[str, str] = os.environ) -> list[Provider]:
    """The servers that a variable such as ``OPENAI_BASE_URL`` leads to, and that may want no key."""
    moved = [name for name in providers() if environ.get(providers()[name].base_url_env, "").strip()]
    found = [find_provider(name, environ) for name in moved if name not in LOCAL_SERVERS]
    return [each for each in found if not each.needs_key]


def probe_servers(environ: Mapping[str, str] = os.environ) -> list[tuple[Provider, tuple[str, ...]]]:
    """The servers that answer in time, those named in the environment first, and their models.

    Blocks, for `PROBE_TIMEOUT` at most.
    """
    servers = [*custom_servers(environ), *(find_provider(name, environ) for name in LOCAL_SERVERS)]
    pool = ThreadPoolExecutor(len(servers), thread_name_prefix="probe")
    probes = {server.name: pool.submit(list_models, server, environ) for server in servers}
    wait(probes.values(), timeout=PROBE_TIMEOUT)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = ((server, probes[server.name]) for server in servers)
    return [(server, probe.result()) for server, probe in answers if probe.done() and probe.result()]


def list_models(
    server: Provider, environ: Mapping[str, str] = os.environ, *, timeout: float = PROBE_TIMEOUT
) -> tuple[str, ...]:
    """The models a server lists that can hold a conversation, its usual one first; blocks.

    Empty if it does not answer. It is shown its key, if there is one.
    """
    from http import client

    url = urlsplit(server.base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        return ()
    connect = client.HTTPConnection if url.scheme == "http" else client.HTTPSConnection
    key = key_in_environment(server, environ)
    try:
        connection = connect(url.hostname, url.port, timeout=timeout)
        try:
            path, headers = f"{url.path.rstrip('/')}/models", {"Authorization": f"Bearer {key}"}
            connection.request("GET", path, headers=headers if key else {})
            found = parse_chat_models(connection.getresponse().read(1 << 20))
        finally:
            connection.close()
    except (OSError, client.HTTPException, ValueError):  # a port or a key may be none
        return ()
    return tuple(sorted(found, key=lambda model: model != server.model))


def limit_sources(sources: list[str]) -> tuple[str, ...]:
    """Two to four of what was found: one alone argues with itself."""
    return tuple(sources[:MAX_SOURCES] if len(sources) != 1 else sources * 2)
