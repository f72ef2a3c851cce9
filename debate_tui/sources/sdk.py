"""The providers' SDKs: imported when first needed, in a thread, and one client of each per server and key.

The SDKs build, sign and send requests, and raise for error statuses. They neither retry nor read timeouts
off the silence of a stream: both are decided around a source, never in it.
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
"""What is sent with every request; other content codings are refused, as nothing bounds what they become."""


@dataclass(frozen=True, slots=True, eq=False)
class SdkClient(Generic[C]):
    """An SDK's client, what it raises, and the proxy it goes through.

    `key` is the one it signs with, which has to stay out of every message.
    """

    sdk: C
    key: str
    error_type: type[openai.OpenAIError] | type[anthropic.AnthropicError]
    status_error_type: type[openai.APIStatusError] | type[anthropic.APIStatusError]
    proxy: Proxy | None = None


AnySdkClient = SdkClient["AsyncOpenAI"] | SdkClient["AsyncAnthropic"]

_ClientKey = tuple[str, str, str]


class SdkClients:
    """The clients of all sources of one run; whoever makes it closes it.

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
        """The client for a provider that speaks OpenAI's APIs.

        Raises an `auth` fault if there is no usable key, a `bad_request` one if its URL is none.
        """
        return await self._get_client(self._openai_clients, provider, self._make_openai)

    async def anthropic(self, provider: Provider) -> SdkClient[AsyncAnthropic]:
        """The client for a provider that speaks Anthropic's API; raises as `openai` does."""
        return await self._get_client(self._anthropic_clients, provider, self._make_anthropic)

    async def prepare_client(self, provider: Provider) -> None:
        """Have the client ready before it is needed; a fault is left to whoever needs it."""
        try:
            await (self.anthropic(provider) if provider.api == "messages" else self.openai(provider))
        except Fault:
            return

    def discard_client(self, provider: Provider) -> None:
        """Look the provider's key up again for the next request, as this one was not accepted."""
        key = self._client_key(provider)
        for clients in (self._openai_clients, self._anthropic_clients):
            if discarded := clients.pop(key, None):
                # Another source may still be listening through it.
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
        # Others may wait for the same client: one of them being cancelled must not take it from them.
        return await asyncio.shield(task)

    def _load_prices(self, _: object) -> None:
        """Load the price table, once everybody can be asked: costs are told when they have answered."""
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
                # An empty key is refused even where none is sent.
                api_key=key or "none",
                organization=organization or None,
                project=project or None,
                base_url=server.base_url,
                max_retries=0,
                timeout=server.http_client.timeout,
                # Said here, a header from the environment cannot take its place.
                default_headers=({"Authorization": f"Bearer {key}"} if key else {})
                | provider.headers_with_key(key),
                http_client=server.http_client,
            )
        except (httpx2.InvalidURL, openai.OpenAIError) as error:
            raise _unusable_provider_fault(provider, str(error)) from None
        # Looked at for the first time, these import what they are made of.
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
                # An empty key is refused even where none is sent.
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
        """The client for a provider's server; raises a `bad_request` fault for an address that is none."""
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
    """A provider's server as an SDK is told of it: `base_url` is without its query, which the client adds."""

    base_url: str
    http_client: httpx2.AsyncClient
    proxy: Proxy | None


async def _append_query(query: bytes, request: httpx2.Request) -> None:
    """Add the query of a base URL (Azure's ``api-version``), which the SDKs drop: an event hook."""
    if query:
        own = request.url.query
        request.url = request.url.copy_with(query=query + b"&" + own if own else query)


def omitted_headers(provider: Provider, key: str, omit: H) -> dict[str, H]:
    """The headers that an SDK would send to any server though they are meant for its maker's, as `omit`."""
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
    """The organisation and the project at OpenAI; raises a fault for one no header can be made of.

    The SDKs send these to their own provider, and custom headers besides, a line each.
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
    """Import OpenAI's SDK and what its answers are read with; blocks for as long as that takes."""
    with sdk_import.import_without_gc():
        import httpx_sse  # noqa: F401
        import openai  # noqa: F401


def load_anthropic() -> None:
    """Import Anthropic's SDK and what its answers are read with; blocks for as long as that takes."""
    with sdk_import.import_without_gc():
        import anthropic  # noqa: F401
        import httpx_sse  # noqa: F401


NEW_CONNECTION = "debate_tui.connected"
"""The request extension that is there if a connection had to be made for the request."""


async def trace_connection(request: httpx2.Request) -> None:
    """Note on a request whether it had to connect first: an event hook of the clients."""

    async def trace(name: str, info: Mapping[str, object]) -> None:
        if name.endswith(".connect_tcp.complete"):
            request.extensions[NEW_CONNECTION] = True
            limit_receive_buffer(info)

    request.extensions["trace"] = trace


async def bound_error_body(response: httpx2.Response) -> None:
    """Keep what is needed of the body of an error or a redirect: an event hook of the clients.

    The SDKs would read all of it, and some have no end.
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
