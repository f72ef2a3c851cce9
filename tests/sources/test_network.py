"""What the environment says of proxies, certificates, addresses and keys, and what comes of it on the wire.

Hosts under ``.test`` do not exist: what reaches a server by such a name went through the proxy.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network
from debate_tui.sources.discovery import fetch_models
from debate_tui.sources.http import HttpClients
from debate_tui.sources.providers import find_provider
from debate_tui.sources.registry import SourceFactory, parse_source
from debate_tui.sources.sse import SseSource
from debate_tui.sources.urls import clean_value
from tests.fakes import tls, websocket
from tests.fakes.provider_server import (
    CHAT,
    MESSAGES,
    MODELS,
    STREAM,
    ProviderReply,
    ProviderServer,
    chat_events,
    listing,
    messages_events,
)
from tests.fakes.proxy_server import ProxyServer
from tests.fakes.sse_server import ReceivedRequest, Reply, SseServer, reply
from tests.fakes.tls import PEM
from tests.sources.source_reader import SourceOutput, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

KEY = "sk-test-0123456789"
PASSWORD = "hunter2-secret"
HELLO = ProviderReply(b"".join(chat_events("Hello.")))
SSE_HELLO = reply(b'data: {"delta": "Hello."}\n\n', b"event: done\ndata:\n\n")


async def ask(source: str) -> SourceOutput:
    """What a source says to its first question."""
    async with SourceFactory() as sources:
        return await read_source(sources.make(parse_source(source)))


def fault_of(output: SourceOutput) -> Fault:
    assert output.fault is not None, output.text
    assert PASSWORD not in f"{output.fault.message} {output.fault.hint}"
    return output.fault


@asynccontextmanager
async def chat_server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        server.script(CHAT, HELLO)
        server.script(MODELS, listing("m"))
        yield server


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return monkeypatch


# Which proxy an address has.

PROXY = {"HTTP_PROXY": "http://web:3128", "HTTPS_PROXY": "http://tls:3128"}


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://a.test", {}, None),
        ("http://a.test", PROXY, "http://web:3128"),
        ("https://a.test", PROXY, "http://tls:3128"),
        ("https://a.test", {"ALL_PROXY": "http://all:1"}, "http://all:1"),
        ("https://a.test", {"ALL_PROXY": "http://all:1", **PROXY}, "http://tls:3128"),
        ("http://a.test", {"http_proxy": "low:1", **PROXY}, "http://low:1"),
        ("http://a.test", {"http_proxy": "", **PROXY}, None),
        ("http://a.test", {"REQUEST_METHOD": "GET", **PROXY}, None),
        ("http://a.test", {"HTTP_PROXY": " 'web:3128'\r\n"}, "http://web:3128"),
        ("http://a.test", {"ALL_PROXY": "socks://127.0.0.1:9/"}, "socks5://127.0.0.1:9"),
        ("http://a.test", {"ALL_PROXY": "SOCKS5h://127.0.0.1:9"}, "socks5h://127.0.0.1:9"),
        ("http://a.test", {"HTTP_PROXY": "http://me:p%40ss@[::1]:9"}, "http://me:p%40ss@[::1]:9"),
        ("http://a.test", {"HTTP_PROXY": "http://me:p@ss@web:9"}, "http://me:p%40ss@web:9"),
    ],
)
def test_the_proxy_of_an_address(url: str, environ: Mapping[str, str], proxy: str | None) -> None:
    found = network.find_proxy(url, environ)
    assert (found.url if found else None) == proxy


@pytest.mark.parametrize(
    ("host", "exceptions", "exempt"),
    [
        ("a.test", "*", True),
        ("a.test", "b.test, a.test", True),
        ("a.test", "b.test a.test", True),
        ("x.a.test", "a.test", True),
        ("x.a.test", ".a.test", True),
        ("x.a.test", "*.a.test", True),
        ("A.test", "a.TEST.", True),
        ("xa.test", "a.test", False),
        ("a.test", "a.test:443", False),
        ("a.test:8080", "a.test:8080", True),
        ("a.test", "http://a.test", True),
        ("a.test", "https://a.test", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:81", "10.1.2.3:81", True),
        ("10.1.2.3:82", "10.1.2.3:81", False),
        ("10.1.2.3", "10.0.0.0/8/8,10.0.0.0/99,[::,a b/c", False),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "[fd00::]/8", True),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("[fd00::1]:81", "[fd00::1]:81", True),
        ("[fd00::1]:82", "[fd00::1]:81", False),
        ("[fd00::1]", "fd00:0:0:0:0:0:0:1", True),
        ("[::ffff:10.1.2.3]", "10.0.0.0/8", True),
        ("[fe80::1]", "fd00::/8,10.0.0.0/8", False),
        ("a.test", "10.0.0.0/8,::1,[::1]", False),
        ("a.test", "", False),
    ],
)
def test_hosts_that_no_proxy_names(host: str, exceptions: str, exempt: bool) -> None:
    found = network.find_proxy(f"http://{host}/v1", {"NO_PROXY": exceptions, **PROXY})
    assert (found is None) is exempt


@given(st.text(), st.text(max_size=40))
def test_any_exceptions_can_be_read(exceptions: str, entry: str) -> None:
    environ = {"no_proxy": f"{exceptions},{entry}/{entry},[{entry}]:{entry}", **PROXY}
    for host in ("a.test", "10.1.2.3", "[fd00::1]"):
        network.find_proxy(f"http://{host}/v1", environ)


LOOPBACK = "localhost LOCALHOST localhost. api.localhost 127.0.0.1 127.8.9.1 [::1] 0.0.0.0 [::ffff:127.0.0.1]"


@pytest.mark.parametrize("host", LOOPBACK.split())
def test_loopback_is_never_reached_through_a_proxy(host: str) -> None:
    for value in ("http://web:1", "ftp://x", "http://web:99999"):
        assert network.find_proxy(f"http://{host}:11434", {"ALL_PROXY": value, "HTTP_PROXY": value}) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f"http://me:{PASSWORD}@web:99999", "port"),
        (f"http://me:{PASSWORD}@web:0", "port"),
        (f"http://me:{PASSWORD}@web:port", "port"),
        (f"http://me:{PASSWORD}#@web:3128", "port"),
        ("http://[::1", "host"),
        ("http://", "host"),
        ("http://we b:3128", "host"),
        ("socks4://web:1080", "'socks4'"),
        ("ftp://web:21", "'ftp'"),
        (f"{PASSWORD}://web", "not one of"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(value: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        network.find_proxy("http://a.test", {"all_proxy": value})
    fault = caught.value
    assert fault.kind is FaultKind.BAD_REQUEST
    assert fault.message.startswith("all_proxy cannot be used: ")
    assert reason in fault.message
    assert PASSWORD not in fault.message + fault.hint
    assert "all_proxy" in fault.hint


@given(st.text(max_size=60))
def test_any_proxy_is_read_or_refused(value: str) -> None:
    with suppress(Fault):
        network.find_proxy("http://a.test", {"HTTP_PROXY": value})


# Proxies on the wire, for models, endpoints, WebSockets and lists of models.

SOURCES = ("openai:m", "http://words.test/e", "ws://words.test/e")


@asynccontextmanager
async def server_for(source: str, environ: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that `source` is to be reached at; gives its port."""
    environ.setenv("OPENAI_BASE_URL", "http://model.test/v1")
    if source.startswith("openai"):
        async with chat_server() as server:
            yield server.port
    elif source.startswith("ws"):

        def handshake(request: ReceivedRequest) -> Reply:
            message = websocket.text('{"delta": "Hello.", "done": true}')
            return websocket.upgraded(request, message, websocket.close())

        async with SseServer(script=handshake) as endpoint:
            yield urlsplit(endpoint.url).port or 0
    else:
        async with SseServer(SSE_HELLO) as endpoint:
            yield urlsplit(endpoint.url).port or 0


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("scheme", ["http", "socks", "socks5h"])
async def test_every_source_goes_through_the_proxy(
    source: str, scheme: str, environ: pytest.MonkeyPatch
) -> None:
    async with server_for(source, environ) as port, ProxyServer(port) as proxy:
        environ.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}/")
        output = await ask(source)
    assert (output.fault, output.text) == (None, "Hello.")
    assert proxy.targets == [f"{'model' if source.startswith('openai') else 'words'}.test:80"]


@pytest.mark.parametrize("source", SOURCES)
async def test_a_proxy_behind_tls_is_trusted_as_servers_are(source: str, environ: pytest.MonkeyPatch) -> None:
    async with server_for(source, environ) as port, ProxyServer(port, tls=tls.server()) as proxy:
        environ.setenv("HTTP_PROXY", f"https://127.0.0.1:{proxy.port}/")
        fault = fault_of(await ask(source))
        assert f".test or the proxy 127.0.0.1:{proxy.port} (HTTP_PROXY)" in fault.message
        environ.setenv("SSL_CERT_FILE", str(PEM))
        output = await ask(source)
    assert (output.fault, output.text) == (None, "Hello.")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_server_behind_tls_is_reached_through_a_tunnel(
    scheme: str, environ: pytest.MonkeyPatch
) -> None:
    trusting = tls.client()
    trusting.check_hostname = False  # the certificate is for loopback, which no proxy leads to
    clients = HttpClients(make_tls_context=lambda: trusting)
    async with (
        SseServer(SSE_HELLO, tls=tls.server()) as endpoint,
        ProxyServer(urlsplit(endpoint.url).port or 0) as proxy,
    ):
        environ.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}")
        output = await read_source(SseSource("https://words.test/e", clients=clients))
        await clients.aclose()
    assert (output.fault, output.text) == (None, "Hello.")
    assert proxy.targets == ["words.test:443"]


@pytest.mark.parametrize("source", SOURCES[:2])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_the_proxy_is_shown_its_login(source: str, scheme: str, environ: pytest.MonkeyPatch) -> None:
    async with server_for(source, environ) as port, ProxyServer(port, login=True) as proxy:
        environ.setenv("HTTP_PROXY", f"{scheme}://me:{PASSWORD}%40@127.0.0.1:{proxy.port}")
        assert (await ask(source)).text == "Hello."
    basic = base64.b64encode(f"me:{PASSWORD}@".encode()).decode()
    assert proxy.logins == ([f"Basic {basic}"] if scheme == "http" else [f"me:{PASSWORD}@"])


@pytest.mark.parametrize("source", SOURCES)
async def test_a_host_that_is_exempt_is_reached_without(source: str, environ: pytest.MonkeyPatch) -> None:
    async with server_for(source, environ) as port, ProxyServer(port) as proxy:
        environ.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        environ.setenv("NO_PROXY", ".test,::1,[fd00::1]:80,10.0.0.0/8")
        fault = fault_of(await ask(source))  # there is no such host
    assert fault.kind is FaultKind.NETWORK
    assert proxy.targets == []


@pytest.mark.parametrize("value", ["http://web:99999", "socks4://web:1", "http://[::1", "://"])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_malformed_proxy_is_a_fault_of_whoever_needs_it(
    source: str, value: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("OPENAI_BASE_URL", "http://model.test/v1")
    environ.setenv("HTTP_PROXY", value)
    fault = fault_of(await ask(source))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert fault.message.startswith("HTTP_PROXY cannot be used: ")
    async with chat_server() as server, SseServer(SSE_HELLO) as endpoint:
        environ.setenv("OPENAI_BASE_URL", server.base)
        assert (await ask("openai:m")).text == "Hello."
        assert (await ask(f"{endpoint.url}/e")).text == "Hello."


@pytest.mark.parametrize("source", SOURCES[:2])
@pytest.mark.parametrize(
    ("scheme", "answer", "kind", "says"),
    [
        ("socks", b"", FaultKind.NETWORK, "does not respond like a proxy"),
        ("socks", b"HTTP/1.1 400 Bad Request\r\n\r\n", FaultKind.NETWORK, ""),
        ("socks", b"\x05\xff", FaultKind.NETWORK, "NO ACCEPTABLE METHODS"),
        ("socks", b"\x05", FaultKind.NETWORK, ""),
        ("socks", b"\x04\x00\x00\x00", FaultKind.NETWORK, ""),
        ("http", b"", FaultKind.NETWORK, ""),
    ],
)
async def test_a_proxy_that_does_not_connect_is_named(
    source: str, scheme: str, answer: bytes, kind: FaultKind, says: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("OPENAI_BASE_URL", "http://model.test/v1")
    async with ProxyServer(9, answer=answer) as proxy:
        environ.setenv("HTTP_PROXY", f"{scheme}://me:{PASSWORD}@127.0.0.1:{proxy.port}")
        fault = fault_of(await ask(source))
    assert fault.kind is kind
    assert says in fault.message
    if scheme == "socks":
        assert f"the proxy 127.0.0.1:{proxy.port} (HTTP_PROXY)" in fault.message


@pytest.mark.parametrize("source", ["openai:m", "https://words.test/e"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", FaultKind.BAD_REQUEST),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", FaultKind.NETWORK),
    ],
)
async def test_a_tunnel_that_is_refused_is_explained(
    source: str, answer: bytes, kind: FaultKind, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("OPENAI_BASE_URL", "https://model.test/v1")
    async with ProxyServer(9, answer=answer) as proxy:
        environ.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}")
        fault = fault_of(await ask(source))
    assert fault.kind is kind
    assert "(HTTPS_PROXY)" in fault.message
    assert answer.split(b"\r\n")[0].decode().partition(" ")[2] in fault.message


@pytest.mark.parametrize("scheme", ["http", "https", "socks"])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_proxy_that_is_not_there_is_named(
    source: str, scheme: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("OPENAI_BASE_URL", "http://model.test/v1")
    environ.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:9")
    fault = fault_of(await ask(source))
    assert fault.kind is FaultKind.NETWORK
    assert "the proxy 127.0.0.1:9 (ALL_PROXY)" in fault.message


async def test_models_are_listed_through_the_proxy(environ: pytest.MonkeyPatch) -> None:
    async with server_for("openai:m", environ) as port, ProxyServer(port) as proxy:
        environ.setenv("HTTP_PROXY", f"socks://127.0.0.1:{proxy.port}")
        assert await asyncio.to_thread(fetch_models, find_provider("openai"), timeout=5.0) == ("m",)
    assert proxy.targets == ["model.test:80"]


# Certificates.


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("source", ["anthropic:m", "https://127.0.0.1:9/e", "wss://127.0.0.1:9/e"])
async def test_certificates_that_are_gone_are_named(
    source: str, variable: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("ANTHROPIC_API_KEY", KEY)
    environ.setenv("ANTHROPIC_BASE_URL", "https://127.0.0.1:9")
    environ.setenv(variable, "/nonexistent/ca.pem")
    fault = fault_of(await ask(source))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert fault.message.startswith(f"{variable} cannot be used: no such f")
    assert variable in fault.hint


@pytest.mark.parametrize(("content", "says"), [(b"", "no certificate"), (b"not PEM\n", "no certificate")])
async def test_a_file_without_certificates_is_named(
    content: bytes, says: str, environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    for path, reason in ((file, says), (tmp_path, "is a directory")):
        environ.setenv("SSL_CERT_FILE", str(path))
        fault = fault_of(await ask("https://127.0.0.1:9/e"))
        assert fault.message.startswith("SSL_CERT_FILE cannot be used: ")
        assert reason in fault.message


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
async def test_certificates_matter_for_https_only(variable: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv(variable, "/nonexistent/ca.pem")
    async with chat_server() as server, SseServer(SSE_HELLO) as endpoint:
        environ.setenv("OPENAI_BASE_URL", server.base)
        assert (await ask("openai:m")).text == "Hello."
        assert (await ask(f"{endpoint.url}/e")).text == "Hello."


async def test_the_certificates_of_the_environment_are_trusted(environ: pytest.MonkeyPatch) -> None:
    async with SseServer(SSE_HELLO, tls=tls.server()) as endpoint:
        environ.setenv("SSL_CERT_FILE", f'"{PEM}"')
        assert (await ask(f"{endpoint.url}/e")).text == "Hello."


@pytest.mark.parametrize("certificates", [{"SSL_CERT_FILE": str(PEM)}, {"SSL_CERT_DIR": str(PEM.parent)}])
@pytest.mark.parametrize("source", ["anthropic:m", "https://127.0.0.1:9/e"])
async def test_a_key_log_that_cannot_be_written_is_named(
    source: str, certificates: Mapping[str, str], environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("ANTHROPIC_API_KEY", KEY)
    environ.setenv("ANTHROPIC_BASE_URL", "https://127.0.0.1:9")
    environ.setenv("SSLKEYLOGFILE", "/nonexistent/keys")
    for name, value in certificates.items():
        environ.setenv(name, value)
    assert fault_of(await ask(source)).message.startswith("SSLKEYLOGFILE cannot be used: no such file")


# Keys and addresses.


@pytest.mark.parametrize(
    "written",
    [KEY, f'"{KEY}"', f"'{KEY}'\n", f"{KEY}\r\n", f"\ufeff{KEY}", f"“{KEY}”", f"{KEY}\\n", f' "{KEY}\n" '],
)
async def test_a_key_is_sent_without_what_stands_around_it(written: str, environ: pytest.MonkeyPatch) -> None:
    async with chat_server() as server:
        server.script(MESSAGES, ProviderReply(b"".join(messages_events("Hello."))))
        environ.setenv("OPENAI_BASE_URL", server.base)
        environ.setenv("OPENAI_API_KEY", written)
        environ.setenv("ANTHROPIC_BASE_URL", f"'{server.url}'")
        environ.setenv("ANTHROPIC_AUTH_TOKEN", written)
        assert (await ask("openai:m")).text == "Hello."
        assert (await ask("anthropic:m")).text == "Hello."
    assert [each.headers["authorization"] for each in server.requests] == [f"Bearer {KEY}"] * 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_ORG_ID", "org…"),
        ("OPENAI_ORG_ID", "org\nx"),
        ("OPENAI_PROJECT_ID", "pröject"),
        ("OPENAI_CUSTOM_HEADERS", "X-Fine: 1\nX-A: …"),
        ("OPENAI_CUSTOM_HEADERS", "X A: b"),
        ("ANTHROPIC_CUSTOM_HEADERS", "X-A: …"),
        ("ANTHROPIC_CUSTOM_HEADERS", ": b"),
    ],
)
async def test_a_variable_that_makes_no_header_is_named(
    variable: str, value: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv(variable, value)
    environ.setenv("ANTHROPIC_API_KEY", KEY)
    async with chat_server() as server:
        environ.setenv("OPENAI_BASE_URL", server.base)
        environ.setenv("LMSTUDIO_BASE_URL", server.base)
        fault = fault_of(await ask("anthropic:m" if variable.startswith("ANTHROPIC") else "openai:m"))
        assert fault.message.startswith(f"{variable} cannot be used: ")
        assert fault.kind is FaultKind.BAD_REQUEST
        assert (await ask("lmstudio:m")).text == "Hello."


async def test_variables_for_headers_are_sent_clean(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("OPENAI_ORG_ID", '"org-1"\r\n')
    environ.setenv("OPENAI_PROJECT_ID", "proj-1\n")
    environ.setenv("OPENAI_CUSTOM_HEADERS", "X-One: 1\r\nnonsense\nX-Two: two words ")
    async with chat_server() as server:
        environ.setenv("OPENAI_BASE_URL", server.base)
        assert (await ask("openai:m")).text == "Hello."
    headers = server.requests[0].headers
    names = ("openai-organization", "openai-project", "x-one", "x-two")
    assert [headers[name] for name in names] == ["org-1", "proj-1", "1", "two words"]


@given(st.text())
def test_clean_values_stay_clean(value: str) -> None:
    clean = clean_value(value)
    assert clean in value
    assert clean_value(clean) == clean


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:99999/v1", "port"),
        ("http://127.0.0.1:0/v1", "port"),
        ("http://127.0.0.1:port/v1", "port"),
        ("http://[::1/v1", "host"),
        ("http://", "host"),
        ("http:///v1", "host"),
        ("127.0.0.1:8080/v1", "http://"),
        ("localhost:8080", "http://"),
        (f"ftp://me:{PASSWORD}@host/v1", "http://"),
        ("nonsense", "http://"),
    ],
)
@pytest.mark.parametrize("name", ["openai", "anthropic", "lmstudio"])
async def test_an_address_that_cannot_be_read_is_named_by_its_variable(
    name: str, address: str, reason: str, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv(f"{name.upper()}_BASE_URL", address)
    environ.setenv("ANTHROPIC_API_KEY", KEY)
    fault = fault_of(await ask(f"{name}:m"))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert f"{name.upper()}_BASE_URL cannot be used: " in fault.message
    assert reason in fault.message


async def test_where_the_address_of_a_server_that_is_not_there_comes_from(
    environ: pytest.MonkeyPatch,
) -> None:
    environ.setenv("OLLAMA_HOST", "127.0.0.1:9")
    fault = fault_of(await ask("ollama:m"))
    assert fault.hint == "The address comes from OLLAMA_HOST. Start the server with: ollama serve"


@pytest.mark.parametrize("target", ["http://127.0.0.1:99999/", "http://[::1/", "http://:0/", "ftp://x/"])
async def test_a_redirect_to_no_address_is_a_fault(target: str, environ: pytest.MonkeyPatch) -> None:
    redirect = reply(status=302, headers=(("location", target),))
    async with SseServer(redirect, redirect) as endpoint:
        environ.setenv("OPENAI_BASE_URL", f"{endpoint.url}/v1")
        for source in (f"{endpoint.url}/e", "openai:m"):
            fault = fault_of(await ask(source))
            assert fault.kind is FaultKind.BAD_REQUEST
            assert "redirects to" in fault.message


async def test_secrets_in_a_redirect_are_not_shown(environ: pytest.MonkeyPatch) -> None:
    location = f"http://me:{PASSWORD}@other.test/v1?api_key={PASSWORD}&page=1"
    redirect = reply(status=307, headers=(("location", location),))
    async with SseServer(redirect) as endpoint:
        environ.setenv("OPENAI_BASE_URL", f"{endpoint.url}/v1")
        fault = fault_of(await ask("openai:m"))
    assert "redirects to http://…@other.test/v1?api_key=…&page=1." in fault.message


QUERY = {"api-version": "2024-10-21", "sig": "a/b c", "flag": ""}


async def test_the_query_of_a_base_url_is_kept(environ: pytest.MonkeyPatch) -> None:
    async with chat_server() as server:
        server.script(MESSAGES, ProviderReply(b"".join(messages_events("Hello."))))
        environ.setenv("OPENAI_BASE_URL", f"{server.base}?{urlencode(QUERY)}#top")
        environ.setenv("LMSTUDIO_BASE_URL", f"{server.base}/?{urlencode(QUERY)}")
        environ.setenv("ANTHROPIC_BASE_URL", f"{server.url}/?{urlencode(QUERY)}")
        environ.setenv("ANTHROPIC_API_KEY", KEY)
        for source in ("openai:m", "lmstudio", "anthropic:m"):
            output = await ask(source)
            assert (output.fault, output.text) == (None, "Hello.")
        assert await asyncio.to_thread(fetch_models, find_provider("openai"), timeout=5.0) == ("m",)
    assert [each.path for each in server.requests] == [CHAT, MODELS, CHAT, MESSAGES, MODELS]
    assert all(each.query == QUERY for each in server.requests)


async def test_a_query_of_the_request_goes_beside_that_of_the_base_url(environ: pytest.MonkeyPatch) -> None:
    """A base URL's query on a path of llama.cpp's with one of its own."""
    async with ProviderServer() as server:
        server.script(CHAT, ProviderReply(b"".join(chat_events("Hello."))[:60], ending="cut"))
        environ.setenv("LLAMACPP_BASE_URL", f"{server.base}?tenant=7")
        async with SourceFactory() as sources:
            await read_source(sources.make(parse_source("llamacpp:m")))
    asked = [each for each in server.requests if each.path == STREAM]
    assert asked
    assert all({"tenant", "conv_id"} <= {*each.query} for each in asked)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True),
        ("no address", False),
    ],
)
def test_addresses_on_the_public_internet(address: str, public: bool) -> None:
    assert network.is_public_address(address) is public
