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
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network, prices, sdk_import
from debate_tui.sources.credentials import find_key, key_in_environment
from debate_tui.sources.http import decode_body, limit_receive_buffer, read_start
from debate_tui.sources.network import clean_value, find_url_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import anthropic
    import httpx2
    import openai
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from debate_tui.sources.network import Proxy
    from debate_tui.sources.providers import Provider

C = TypeVar("C", "AsyncOpenAI", "AsyncAnthropic")
H = TypeVar("H")

CONNECT_TIMEOUT = 10.0

CLIENT_HEADERS = {"accept-encoding": "gzip, deflate"}
"""Sent with every request; other content codings are refused, as their expansion is not bounded."""


@dataclass(frozen=True, slots=True, eq=False)
class SdkClient(Generic[C]):
    """An SDK's client with its exception types and proxy.

    `key` is the key it signs with; it must not appear in any message.
    """

    sdk: C
    key: str
    error_type: type[openai.OpenAIError] | type[anthropic.AnthropicError]
    status_error_type: type[openai.APIStatusError] | type[anthropic.APIStatusError]
    proxy: Proxy | None = None


AnySdkClient = SdkClient["AsyncOpenAI"] | SdkClient["AsyncAnthropic"]

_ClientKey = tuple[str, str, str]


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
        self._openai_clients: dict[_ClientKey, asyncio.Task[SdkClient[AsyncOpenAI]]] = {}
        self._anthropic_clients: dict[_ClientKey, asyncio.Task[SdkClient[AsyncAnthropic]]] = {}
        self._discarded: list[
            asyncio.Task[SdkClient[AsyncOpenAI]] | asyncio.Task[SdkClient[AsyncAnthropic]]
        ] = []
        self._price_loading: asyncio.Task[None] | None = None
        self._closed = False

    async def openai(self, provider: Provider) -> SdkClient[AsyncOpenAI]:
        """Return the client for a provider with one of OpenAI's APIs.

        Raise an `auth` fault if there is no usable key, and a `bad_request` fault if its URL is not valid.
        """
        return await self._get_client(self._openai_clients, provider, self._make_openai)

    async def anthropic(self, provider: Provider) -> SdkClient[AsyncAnthropic]:
        """Return the client for a provider with Anthropic's API; raise the same faults as `openai`."""
        return await self._get_client(self._anthropic_clients, provider, self._make_anthropic)

    async def prepare_client(self, provider: Provider) -> None:
        """Make the client ahead of its first use; a fault is left to that use."""
        try:
            await (self.anthropic(provider) if provider.api == "messages" else self.openai(provider))
        except Fault:
            return

    def discard_client(self, provider: Provider) -> None:
        """Look the provider's key up again for the next request, as the current one was rejected."""
        key = self._client_key(provider)
        for clients in (self._openai_clients, self._anthropic_clients):
            if discarded := clients.pop(key, None):
                # Another source may still be reading a response through it.
                self._discarded.append(discarded)

    async def aclose(self) -> None:
        """Close all clients and their connections."""
        self._closed = True
        tasks = (*self._openai_clients.values(), *self._anthropic_clients.values(), *self._discarded)
        if self._price_loading is not None:
            await self._price_loading
        for made in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(made, SdkClient):
                await made.sdk.close()

    def _client_key(self, provider: Provider) -> _ClientKey:
        return provider.name, provider.base_url, key_in_environment(provider, self._environ)

    async def _get_client(
        self,
        clients: dict[_ClientKey, asyncio.Task[SdkClient[C]]],
        provider: Provider,
        make: Callable[[Provider], SdkClient[C]],
    ) -> SdkClient[C]:
        key = self._client_key(provider)
        task = clients.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = clients[key] = asyncio.create_task(asyncio.to_thread(make, provider))
            task.add_done_callback(self._load_prices)
        # Other tasks may wait for the same client; cancelling one must not cancel the client for all.
        return await asyncio.shield(task)

    def _load_prices(self, _: object) -> None:
        """Load the price table once all clients are made: costs are only shown after an answer."""
        making = (*self._openai_clients.values(), *self._anthropic_clients.values())
        if self._price_loading is None and not self._closed and all(task.done() for task in making):
            self._price_loading = asyncio.create_task(asyncio.to_thread(prices.load_price_table))

    def _make_openai(self, provider: Provider) -> SdkClient[AsyncOpenAI]:
        key = find_key(provider, self._environ)
        organization, project = _check_header_variables(provider, self._environ)
        load_openai()
        import httpx2
        import openai

        server = self._make_http_client(provider)
        try:
            sdk = openai.AsyncOpenAI(
                # The SDK refuses an empty key even if none is sent.
                api_key=key or "none",
                organization=organization or None,
                project=project or None,
                base_url=server.base_url,
                max_retries=0,
                timeout=server.http_client.timeout,
                # Set here, it cannot be overridden by a header from the environment.
                default_headers=({"Authorization": f"Bearer {key}"} if key else {})
                | provider.headers_with_key(key),
                http_client=server.http_client,
            )
        except (httpx2.InvalidURL, openai.OpenAIError) as error:
            raise _unusable_provider_fault(provider, str(error)) from None
        # The SDK imports the modules of a resource when it is first accessed.
        with sdk_import.import_without_gc():
            _ = sdk.responses if provider.api == "responses" else sdk.chat.completions
        return SdkClient(sdk, key, openai.OpenAIError, openai.APIStatusError, server.proxy)

    def _make_anthropic(self, provider: Provider) -> SdkClient[AsyncAnthropic]:
        key = find_key(provider, self._environ)
        _check_header_variables(provider, self._environ)
        load_anthropic()
        import anthropic
        import httpx2

        server = self._make_http_client(provider)
        as_token = bool(key) and key == clean_value(self._environ.get("ANTHROPIC_AUTH_TOKEN", ""))
        try:
            sdk = anthropic.AsyncAnthropic(
                # The SDK refuses an empty key even if none is sent.
                api_key=None if as_token else key or "none",
                auth_token=key if as_token else None,
                default_headers=provider.headers_with_key(key),
                base_url=server.base_url,
                max_retries=0,
                timeout=server.http_client.timeout,
                http_client=server.http_client,
            )
        except (httpx2.InvalidURL, anthropic.AnthropicError) as error:
            raise _unusable_provider_fault(provider, str(error)) from None
        return SdkClient(sdk, key, anthropic.AnthropicError, anthropic.APIStatusError, server.proxy)

    def _make_http_client(self, provider: Provider) -> _ProviderServer:
        """Return the client for a provider's server; raise a `bad_request` fault for an invalid address."""
        if problem := find_url_problem(provider.base_url, ("http", "https")):
            raise _unusable_provider_fault(provider, problem)
        import httpx2

        proxy = network.find_proxy(provider.base_url, self._environ)

        def make_tls_context() -> ssl.SSLContext:
            return network.make_tls_context(lambda: httpx2.create_ssl_context(trust_env=False), self._environ)

        parts = urlsplit(provider.base_url)
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        proxy_tls = make_tls_context() if proxy and proxy.scheme == "https" else None
        try:
            http_client = httpx2.AsyncClient(
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
        except (httpx2.InvalidURL, ValueError, ImportError) as error:
            if proxy is None:
                raise
            raise network.unusable_proxy_fault(proxy, error) from None
        return _ProviderServer(parts._replace(query="", fragment="").geturl(), http_client, proxy)


class _ProviderServer(NamedTuple):
    """A provider's server; `base_url` lacks its query, which the HTTP client adds."""

    base_url: str
    http_client: httpx2.AsyncClient
    proxy: Proxy | None


async def _append_query(query: bytes, request: httpx2.Request) -> None:
    """Add the base URL's query (Azure's ``api-version``), which the SDKs drop: an event hook."""
    if query:
        own = request.url.query
        request.url = request.url.copy_with(query=query + b"&" + own if own else query)


def omitted_headers(provider: Provider, key: str, omit: H) -> dict[str, H]:
    """Return the headers, as `omit`, that an SDK must not send to servers other than its maker's."""
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
    if not key or provider.key_is_in_headers:
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


def load_openai() -> None:
    """Import OpenAI's SDK and httpx-sse; blocking."""
    with sdk_import.import_without_gc():
        import httpx_sse  # noqa: F401
        import openai  # noqa: F401


def load_anthropic() -> None:
    """Import Anthropic's SDK and httpx-sse; blocking."""
    with sdk_import.import_without_gc():
        import anthropic  # noqa: F401
        import httpx_sse  # noqa: F401


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
