"""The providers' SDKs: imported in a thread when first needed, with one client per server and key.

The SDKs build, sign and send requests, and raise errors for error statuses. They neither retry nor time out
on a silent stream: both are decided around a source, never in it.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network, prices, sdk_import
from debate_tui.sources.credentials import find_key, key_in_environment
from debate_tui.sources.http import decode_body, limit_receive_buffer, read_start
from debate_tui.sources.http_errors import Peer
from debate_tui.sources.urls import clean_value, find_url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from debate_tui.sources.network import Proxy
    from debate_tui.sources.providers import Api, Provider

C = TypeVar("C", covariant=True)
H = TypeVar("H")

CONNECT_TIMEOUT = 10.0

CLIENT_HEADERS = {"accept-encoding": "gzip, deflate"}
"""Sent with every request; other content codings are refused, as their expansion is not bounded."""


@dataclass(frozen=True, slots=True, eq=False)
class SdkClient(Generic[C]):
    """An SDK's client for a provider; `peer` is its server, with the key it signs with."""

    sdk: C
    provider: Provider
    peer: Peer


class SdkClients:
    """The SDK clients of all sources of one run; the owner closes it.

    `connect_timeout` is in seconds. Keys are looked up when a client is made, and again after
    `discard_client`.
    """

    def __init__(
        self, *, connect_timeout: float = CONNECT_TIMEOUT, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._connect_timeout = connect_timeout
        self._environ = environ
        self._clients: dict[tuple[str, str, str], asyncio.Task[SdkClient[Any]]] = {}
        self._discarded: list[asyncio.Task[SdkClient[Any]]] = []
        self._price_loading: asyncio.Task[None] | None = None
        self._closed = False

    async def client(self, provider: Provider) -> SdkClient[Any]:
        """Return the client of the SDK for the provider's API: Anthropic's for Messages, else OpenAI's.

        Raise an `auth` fault if there is no usable key, and a `bad_request` fault if its URL is not valid.
        """
        key = self._client_key(provider)
        task = self._clients.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._clients[key] = asyncio.create_task(asyncio.to_thread(self._make_client, provider))
            task.add_done_callback(self._load_prices)
        # Other tasks may wait for the same client; cancelling one must not cancel the client for all.
        return await asyncio.shield(task)

    def discard_client(self, provider: Provider) -> None:
        """Look the provider's key up again for the next request, as the current one was rejected."""
        if discarded := self._clients.pop(self._client_key(provider), None):
            # Another source may still be reading a response through it.
            self._discarded.append(discarded)

    async def aclose(self) -> None:
        """Close all clients and their connections."""
        self._closed = True
        if self._price_loading is not None:
            await self._price_loading
        tasks = (*self._clients.values(), *self._discarded)
        for made in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(made, SdkClient):
                await made.sdk.close()

    def _client_key(self, provider: Provider) -> tuple[str, str, str]:
        return provider.name, provider.base_url, key_in_environment(provider, self._environ)

    def _load_prices(self, _: object) -> None:
        """Load the price table once all clients are made: costs are only shown after an answer."""
        all_made = all(task.done() for task in self._clients.values())
        if self._price_loading is None and not self._closed and all_made:
            self._price_loading = asyncio.create_task(asyncio.to_thread(prices.load_price_table))

    def _make_client(self, provider: Provider) -> SdkClient[Any]:
        """Make a provider's client; blocking, as imports and certificates take time."""
        key = find_key(provider, self._environ)
        organization, project = _check_header_variables(provider, self._environ)
        if problem := find_url_problem(provider.base_url, ("http", "https")):
            raise _unusable_provider_fault(provider, problem)
        import_sdk(provider.api)
        import httpx2

        proxy = network.find_proxy(provider.base_url, self._environ)
        http_client = self._make_http_client(provider, proxy)
        options: dict[str, Any] = {
            "base_url": urlsplit(provider.base_url)._replace(query="", fragment="").geturl(),
            "max_retries": 0,
            "timeout": http_client.timeout,
            "http_client": http_client,
        }
        sdk_error: type[Exception]
        sdk: AsyncAnthropic | AsyncOpenAI
        try:
            if provider.api == "messages":
                from anthropic import AnthropicError as sdk_error

                sdk = self._make_anthropic(provider, key, options)
            else:
                from openai import OpenAIError as sdk_error

                sdk = self._make_openai(provider, key, options, organization, project)
        except (httpx2.InvalidURL, sdk_error) as error:
            raise _unusable_provider_fault(provider, str(error)) from None
        return SdkClient(sdk, provider, Peer(provider.host, httpx2, proxy, provider, key, (sdk_error,)))

    def _make_openai(
        self, provider: Provider, key: str, options: dict[str, Any], organization: str, project: str
    ) -> AsyncOpenAI:
        import openai

        sdk = openai.AsyncOpenAI(
            # The SDK refuses an empty key even if none is sent.
            api_key=key or "none",
            organization=organization or None,
            project=project or None,
            # Set here, the key cannot be overridden by a header from the environment.
            default_headers=({"Authorization": f"Bearer {key}"} if key else {})
            | provider.headers_with_key(key),
            **options,
        )
        # The SDK imports the modules of a resource when it is first accessed.
        with sdk_import.import_without_gc():
            _ = sdk.responses if provider.api == "responses" else sdk.chat.completions
        return sdk

    def _make_anthropic(self, provider: Provider, key: str, options: dict[str, Any]) -> AsyncAnthropic:
        import anthropic

        as_token = bool(key) and key == clean_value(self._environ.get("ANTHROPIC_AUTH_TOKEN", ""))
        return anthropic.AsyncAnthropic(
            # The SDK refuses an empty key even if none is sent.
            api_key=None if as_token else key or "none",
            auth_token=key if as_token else None,
            default_headers=provider.headers_with_key(key),
            **options,
        )

    def _make_http_client(self, provider: Provider, proxy: Proxy | None) -> httpx2.AsyncClient:
        import httpx2

        def make_tls_context() -> ssl.SSLContext:
            return network.make_tls_context(lambda: httpx2.create_ssl_context(trust_env=False), self._environ)

        parts = urlsplit(provider.base_url)
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        proxy_tls = make_tls_context() if proxy and proxy.scheme == "https" else None
        try:
            return httpx2.AsyncClient(
                verify=make_tls_context() if parts.scheme.lower() == "https" else no_tls,
                proxy=httpx2.Proxy(proxy.url, ssl_context=proxy_tls) if proxy else None,
                trust_env=False,
                timeout=httpx2.Timeout(None, connect=self._connect_timeout),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8),
                follow_redirects=False,
                headers=CLIENT_HEADERS,
                event_hooks={
                    "request": [trace_connection, partial(_append_query, parts.query.encode())],
                    "response": [bound_error_body],
                },
            )
        except (httpx2.InvalidURL, ValueError):
            if proxy is None:
                raise
            raise network.unusable_proxy_fault(proxy.variable) from None


def import_sdk(api: Api) -> None:
    """Import the SDK for an API, and httpx-sse; blocking."""
    with sdk_import.import_without_gc():
        import_module("httpx_sse")
        import_module("anthropic" if api == "messages" else "openai")


async def _append_query(query: bytes, request: httpx2.Request) -> None:
    """Add the base URL's query (Azure's ``api-version``), which the SDKs drop: an event hook."""
    if query:
        own = request.url.query
        request.url = request.url.copy_with(query=query + b"&" + own if own else query)


def omitted_headers(client: SdkClient[object], omit: H) -> dict[str, H]:
    """Return the headers, as `omit`, that an SDK must not send to servers other than its maker's."""
    provider = client.provider
    names: set[str] = set()
    sdk_maker = "anthropic" if provider.api == "messages" else "openai"
    if provider.name != sdk_maker:
        custom = os.environ.get(f"{sdk_maker.upper()}_CUSTOM_HEADERS", "").splitlines()
        names = {
            "OpenAI-Organization",
            "OpenAI-Project",
            *(line.partition(":")[0].strip() for line in custom),
        }
        names = {name for name in names if name and name.lower() not in _KEY_HEADERS}
    if not client.peer.key or provider.key_is_in_headers:
        names |= _KEY_HEADERS
    own = {name.lower() for name in provider.headers}
    return {name: omit for name in names if name.lower() not in own}


_KEY_HEADERS = frozenset({"authorization", "x-api-key"})


_HEADER = re.compile(r"[!#$%&'*+\-.^`|~\w]+:[\t\x20-\x7e]*", re.ASCII)


def _check_header_variables(provider: Provider, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return OpenAI's organisation and project; raise a fault if one cannot be sent as a header.

    The SDKs send these to their own provider only, plus custom headers, one per line.
    """
    organization, project = (clean_value(environ.get(f"OPENAI_{name}_ID", "")) for name in ("ORG", "PROJECT"))
    custom = f"{provider.name.upper()}_CUSTOM_HEADERS"
    headers = [("OPENAI_ORG_ID", f"x:{organization}"), ("OPENAI_PROJECT_ID", f"x:{project}")]
    headers = headers if provider.name == "openai" else []
    headers += [(custom, line.strip()) for line in environ.get(custom, "").split("\n") if ":" in line]
    for variable, header in headers:
        if not _HEADER.fullmatch(header):
            raise network.variable_fault(variable, "no header can be made of it")
    return organization, project


NEW_CONNECTION = "debate_tui.connected"
"""Request extension set if a new connection was made for the request."""


async def trace_connection(request: httpx2.Request) -> None:
    """Record on a request whether it made a new connection: an event hook of the clients."""

    async def trace(name: str, info: Mapping[str, object]) -> None:
        if name.endswith(".connect_tcp.complete"):
            request.extensions[NEW_CONNECTION] = True
            limit_receive_buffer(info)

    request.extensions["trace"] = trace


async def bound_error_body(response: httpx2.Response) -> None:
    """Limit the body read of an error or a redirect: an event hook of the clients.

    The SDKs would read all of it, and some bodies never end.
    """
    import httpx2

    stream = response.stream
    if response.status_code < 300 or not isinstance(stream, httpx2.AsyncByteStream):
        return
    body = b""
    if response.status_code >= 400:
        coding = response.headers.get("content-encoding", "")
        body = await read_start(decode_body(aiter(stream), coding), httpx2.HTTPError)
    await stream.aclose()
    response.headers.pop("content-encoding", None)
    response.stream = httpx2.ByteStream(body)


def _unusable_provider_fault(provider: Provider, reason: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"The address of {provider.title} in {provider.base_url_env} cannot be used: {reason.rstrip('.')}.",
        hint=f"Correct or unset {provider.base_url_env}.",
    )
