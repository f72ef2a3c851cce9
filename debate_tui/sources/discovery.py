"""Which models are at hand without being named: keys in the environment, then servers on this machine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from debate_tui.sources.keys import key_in_environment
from debate_tui.sources.payloads.models import conversational
from debate_tui.sources.providers import provider, providers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.sources.providers import Provider

LOCAL_SERVERS = ("ollama", "lmstudio", "llamacpp")
PROBE_SECONDS = 0.3
MOST = 4


def at_hand(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for two to four debaters, as for ``-d``; empty if nothing was found.

    One debater for each provider whose key is in the environment, with its default model, a single key giving
    two; without any key, the models of a local server. Takes up to `PROBE_SECONDS`, and usually none of it:
    where nobody listens, the machine says so at once.
    """
    return with_keys(environ) or on_this_machine(environ)


def with_keys(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for the providers whose keys are in the environment."""
    return enough([f"{each.name}:{each.model}" for each in keyed(environ)])


def keyed(environ: Mapping[str, str] = os.environ) -> list[Provider]:
    """The providers whose keys are in the environment, with a model to begin with."""
    known = [provider(name, environ) for name in providers()]
    return [each for each in known if each.needs_key and each.model and key_in_environment(each, environ)]


def on_this_machine(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for the models of the first local server that answers in time."""
    for server, found in served(environ):
        return enough([f"{server.name}:{model}" for model in found])
    return ()


def served(environ: Mapping[str, str] = os.environ) -> list[tuple[Provider, tuple[str, ...]]]:
    """The local servers that answer in time, and their models. Blocks, for `PROBE_SECONDS` at most."""
    servers = [provider(name, environ) for name in LOCAL_SERVERS]
    pool = ThreadPoolExecutor(len(servers), thread_name_prefix="probe")
    probes = {server.name: pool.submit(models, server) for server in servers}
    wait(probes.values(), timeout=PROBE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = ((server, probes[server.name]) for server in servers)
    return [(server, probe.result()) for server, probe in answers if probe.done() and probe.result()]


def models(server: Provider, *, timeout: float = PROBE_SECONDS) -> tuple[str, ...]:
    """The models a server lists that can hold a conversation; empty if it does not answer. Blocks."""
    from http.client import HTTPConnection, HTTPException

    url = urlsplit(server.base_url)
    if url.scheme != "http" or not url.hostname:
        return ()
    connection = HTTPConnection(url.hostname, url.port or 80, timeout=timeout)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/models")
        return conversational(connection.getresponse().read(1 << 20))
    except (OSError, HTTPException):
        return ()
    finally:
        connection.close()


def enough(found: list[str]) -> tuple[str, ...]:
    """Two to four of what was found: one alone argues with itself."""
    return tuple(found[:MOST] if len(found) != 1 else found * 2)
