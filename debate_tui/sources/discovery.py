"""Models available without configuration: by keys in the environment, or from local or named servers."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network
from debate_tui.sources.credentials import find_key, find_key_variable, key_in_environment
from debate_tui.sources.http_errors import describe_cause
from debate_tui.sources.payloads import errors
from debate_tui.sources.providers import find_provider, providers
from debate_tui.sources.urls import find_url_problem, url_host

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.sources.providers import Provider


# Model listings: https://platform.openai.com/docs/api-reference/models/list.


_OTHER_KINDS = re.compile(
    r"embed|rerank|moderation|guard|dall-?e|stable-?diffusion|sdxl|whisper|transcri|realtime|speech|^video$"
    r"|(?<![a-z])(?:imagen?|tts|stt|asr|audio|sora|veo|flux|lyria|clip|bge|gte|e5|minilm|parakeet|kokoro|bark)"
    r"(?![a-z])"
)
"""Names of models that cannot chat: embedding, ranking, moderation, image, audio and video models."""


def parse_chat_models(body: bytes) -> tuple[str, ...]:
    """Return the ids of the models that can chat; empty if the body is not a list of models.

    The list is OpenAI's, or a bare array (Together). What a model can do is taken from the server's own
    fields (Together's ``type``, Mistral's ``capabilities``, OpenRouter's ``output_modalities``), otherwise
    from its name.
    """
    try:
        listed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    entries = listed.get("data") if isinstance(listed, dict) else listed
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple(entry["id"] for entry in found if isinstance(entry.get("id"), str) and _can_chat(entry))


def _can_chat(entry: dict[str, Any]) -> bool:
    kind, capabilities, architecture = (entry.get(key) for key in ("type", "capabilities", "architecture"))
    if isinstance(kind, str) and _OTHER_KINDS.search(kind.lower().replace("image-text-to-text", "")):
        return False
    if isinstance(capabilities, dict) and capabilities.get("completion_chat") is False:
        return False
    if isinstance(capabilities, list) and "completion" not in capabilities and "embedding" in capabilities:
        return False
    outputs = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    if isinstance(outputs, list) and outputs and outputs != ["text"]:
        return False
    return bool(entry["id"]) and not _OTHER_KINDS.search(entry["id"].lower())


LOCAL_SERVERS = ("ollama", "lmstudio", "llamacpp")
PROBE_TIMEOUT = 0.3
_MAX_LISTING = 1 << 20
"""Maximum size of a model list, in bytes."""
DEFAULT_COUNT = 2
"""Number of debaters in an automatic line-up, unless the format takes more."""


def discover_sources(
    environ: Mapping[str, str] = os.environ, *, count: int = DEFAULT_COUNT
) -> tuple[str, ...]:
    """Return sources for `count` debaters, in the syntax of ``-d``; empty if none were found.

    There is one debater per provider whose key is in the environment, with its default model, repeated if
    there are too few; without any key, the models of the first server that answers are used. Takes up to
    `PROBE_TIMEOUT`, but usually returns at once: closed ports refuse connections immediately.
    """
    if found := sources_with_keys(environ, count=count):
        return found
    served = next(iter(probe_servers(environ)), None)
    return limit_sources([f"{served[0].name}:{model}" for model in served[1]], count) if served else ()


def sources_with_keys(
    environ: Mapping[str, str] = os.environ, *, count: int = DEFAULT_COUNT
) -> tuple[str, ...]:
    """Return sources for the providers whose keys are in the environment."""
    return limit_sources([f"{each.name}:{each.model}" for each in providers_with_keys(environ)], count)


def providers_with_keys(environ: Mapping[str, str] = os.environ) -> list[Provider]:
    """Return the providers with a default model and a key from the environment or a command.

    Providers from the user's settings that need no key are included: a model named there is meant to be used.
    """
    known = [find_provider(name, environ) for name in providers()]
    return [
        each
        for each in known
        if each.model
        and (
            (each.needs_key and bool(each.key_command or key_in_environment(each, environ)))
            or (each.is_configured and not each.needs_key)
        )
    ]


def any_key(environ: Mapping[str, str] = os.environ) -> str:
    """Return the variable or command that supplies the first provider key found, in table order, or ""."""
    sources = (
        find_key_variable(each, environ) or (each.key_command and f"'key_command' of [provider.{each.name}]")
        for each in providers().values()
    )
    return next(filter(None, sources), "")


def custom_servers(environ: Mapping[str, str] = os.environ) -> list[Provider]:
    """Return the keyless servers set by a variable such as ``OPENAI_BASE_URL`` or in the settings."""
    found = [find_provider(name, environ) for name in providers() if name not in LOCAL_SERVERS]
    return [each for each in found if each.moved_by and not each.needs_key]


def probe_servers(environ: Mapping[str, str] = os.environ) -> list[tuple[Provider, tuple[str, ...]]]:
    """Return the servers that answer in time with their models, those from the environment first.

    Block up to `PROBE_TIMEOUT`.
    """

    def probe(server: Provider) -> tuple[str, ...]:
        try:
            return fetch_models(server, environ, timeout=PROBE_TIMEOUT)
        except Fault:
            return ()

    servers = [*custom_servers(environ), *(find_provider(name, environ) for name in LOCAL_SERVERS)]
    pool = ThreadPoolExecutor(len(servers), thread_name_prefix="probe")
    probes = [(server, pool.submit(probe, server)) for server in servers]
    wait((answer for _, answer in probes), timeout=PROBE_TIMEOUT)
    pool.shutdown(wait=False, cancel_futures=True)
    return [(server, answer.result()) for server, answer in probes if answer.done() and answer.result()]


def fetch_models(
    server: Provider, environ: Mapping[str, str] = os.environ, *, timeout: float
) -> tuple[str, ...]:
    """Fetch the models a server lists that can chat, its default model first; blocking.

    The server is sent its key, if one is set, and is reached the same way as in a debate. Raise `Fault` if it
    cannot be reached.
    """
    if problem := find_url_problem(server.base_url, ("http", "https")):
        raise Fault(FaultKind.BAD_REQUEST, f"{server.base_url_env} cannot be used: {problem}.")
    url = urlsplit(server.base_url)
    path = f"{url.path.rstrip('/')}{'/v1' if server.api == 'messages' else ''}/models"
    listing = url._replace(path=path, fragment="").geturl()
    key = find_key(server, environ) if key_in_environment(server, environ) else ""
    in_authorization = bool(key) and not server.key_is_in_headers
    headers = {"Authorization": f"Bearer {key}"} if in_authorization else {}
    headers |= server.headers_with_key(key)
    if network.find_proxy(listing, environ) is not None:
        body = asyncio.run(_get_through_proxy(listing, headers, timeout))
    else:
        body = _get_directly(listing, headers, timeout, environ)
    return tuple(sorted(parse_chat_models(body), key=lambda model: model != server.model))


def _get_directly(url: str, headers: dict[str, str], timeout: float, environ: Mapping[str, str]) -> bytes:
    """Fetch a response body without the HTTP client, whose import takes longer than a probe may."""
    from http import client

    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: client.HTTPConnection
    if parts.scheme.lower() == "https":
        tls_context = network.make_tls_context(ssl.create_default_context, environ)
        connection = client.HTTPSConnection(host, port, timeout=timeout, context=tls_context)
    else:
        connection = client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="").geturl(), headers=headers)
        response = connection.getresponse()
        body = response.read(_MAX_LISTING)
    except (OSError, client.HTTPException, ValueError) as error:
        reason = describe_cause(error) or error
        raise Fault(FaultKind.NETWORK, f"Could not connect to {url_host(url)}: {reason}.") from None
    finally:
        connection.close()
    if response.status >= 400:
        raise errors.fault_from_body(body, status=response.status)
    return body


async def _get_through_proxy(url: str, headers: dict[str, str], seconds: float) -> bytes:
    from debate_tui.sources.http import HttpClients, HttpRequest, open_response

    clients = HttpClients(connect_timeout=seconds)
    body = b""
    try:
        async with (
            asyncio.timeout(seconds),
            open_response(clients, HttpRequest("GET", url, headers, {})) as response,
        ):
            if response.httpx_response.status_code >= 400:
                raise await response.read_error()
            async for data in response.body():
                body += data
                if len(body) >= _MAX_LISTING:
                    break
    except TimeoutError:
        raise Fault(FaultKind.TIMEOUT, f"{url_host(url)} did not answer in time.") from None
    finally:
        await clients.aclose()
    return body


def limit_sources(sources: Sequence[str], count: int = DEFAULT_COUNT) -> tuple[str, ...]:
    """Return `count` sources, repeating them if there are fewer; empty if there are none."""
    return tuple(islice(cycle(sources), count))
