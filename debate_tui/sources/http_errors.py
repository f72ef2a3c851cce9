"""Translation of SDK and HTTP client errors into faults: short, readable and without keys."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import redact
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network
from debate_tui.sources.payloads import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from debate_tui.sources.network import Proxy
    from debate_tui.sources.payloads.body import BodyKind
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import AnySdkClient

_PAGE_TITLE = re.compile(r"<title[^>]{0,100}>([^<]{1,400})</title", re.IGNORECASE)
_MODEL_WORD = re.compile(r"\bmodels?\b", re.IGNORECASE)
_VERSION = re.compile(r"v\d+\w*")


@contextmanager
def translate_sdk_errors(provider: Provider, client: AnySdkClient) -> Iterator[None]:
    """Turn the SDK's and HTTP client's errors into a `Fault`; cancellation passes."""
    import httpx2

    try:
        yield
    except client.status_error_type as error:
        raise redact_fault(_status_fault(error.response, provider), client) from None
    except (
        client.error_type,
        httpx2.HTTPError,
        httpx2.StreamError,
        *network.socks_errors(client.proxy),
    ) as error:
        raise redact_fault(_connection_fault(error, provider, client.proxy), client) from None


def redact_fault(fault: Fault, client: AnySdkClient) -> Fault:
    """Return the same fault with keys masked in its message."""
    fault.redact(client.key)
    return fault


def unexpected_body_fault(
    response: httpx2.Response, head: bytes, kind: BodyKind | None, provider: Provider
) -> Fault:
    """Return the fault of a successful response whose body, which starts with `head`, is not an answer."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    hint = f"Check {provider.base_url_env}."
    start = " ".join(head[:400].decode("utf-8", "replace").split())[:80]
    if not start and media_type == "text/event-stream":
        # The address is right: an intermediary closed the connection.
        message = f"{provider.host} answered with an empty body."
        return Fault(FaultKind.NETWORK, message, status=response.status_code)
    what = f"{media_type or 'text'} ('{start}')" if start else "an empty body"
    if kind == "page":
        title = _PAGE_TITLE.search(head[:4096].decode("utf-8", "replace"))
        what = "a web page" + (f" ('{' '.join(title[1].split())[:80]}')" if title else "")
    message = f"{provider.host} answered with {what}, not with an event stream."
    return Fault(FaultKind.BAD_REQUEST, message, status=response.status_code, hint=hint)


def _status_fault(response: httpx2.Response, provider: Provider) -> Fault:
    status = response.status_code
    if 300 <= status < 400:
        # Following the redirect would send the key to another address.
        return Fault(
            FaultKind.BAD_REQUEST,
            f"{provider.host} redirects to {redact(response.headers.get('location', 'nowhere'))}.",
            status=status,
            hint=f"Set {provider.base_url_env} to where the server really is.",
        )
    fault = errors.fault_from_body(
        response.content, status=status, retry_after=errors.parse_retry_after(response.headers)
    )
    if status == 404:
        _explain_not_found(fault, response.request.url, provider)
    elif fault.kind is FaultKind.AUTH and provider.key_command:
        fault.hint = provider.key_hint
    elif fault.kind is FaultKind.AUTH and provider.key_env:
        fault.hint = f"Check {provider.key_env[0]}."
    elif fault.kind is FaultKind.QUOTA:
        fault.hint = f"Check the plan and billing of your {provider.title} account."
    return fault


def _explain_not_found(fault: Fault, url: httpx2.URL, provider: Provider) -> None:
    """Add the requested URL to the fault, and its problem unless it was the model that was not found."""
    problem = "" if _MODEL_WORD.search(fault.message) else _find_path_problem(url.path)
    set_message(fault, f"{fault.message} {errors.describe_url(str(url), problem)}")
    fault.hint = f"Check {provider.base_url_env}." if problem else ""


def _find_path_problem(path: str) -> str:
    """Return what looks wrong with the path of a model API's URL; empty if nothing does."""
    parts = path.strip("/").split("/")
    versions = [part for part in parts if _VERSION.fullmatch(part)]
    if len(versions) != len(set(versions)):
        return f"it has '/{versions[0]}' twice"
    for count in (1, 2):
        if len(parts) >= 2 * count and parts[-count:] == parts[-2 * count : -count]:
            return f"it has '/{'/'.join(parts[-count:])}' twice"
    return "" if versions else "it has no '/v1'"


def set_message(fault: Fault, message: str) -> None:
    """Replace a fault's message."""
    fault.message = message
    fault.args = (message,)


def _connection_fault(error: Exception, provider: Provider, proxy: Proxy | None) -> Fault:
    import httpx2

    host = provider.host
    refusals: tuple[type[Exception], ...] = (httpx2.ProxyError, *network.socks_errors(proxy))
    refusal = _find_cause(error, refusals)
    error = _find_cause(error, httpx2.HTTPError)
    if isinstance(error, httpx2.TimeoutException):
        peer = proxy.title if proxy and isinstance(error, httpx2.ConnectTimeout) else host
        return Fault(FaultKind.TIMEOUT, f"No answer from {peer} in time.")
    if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
        hint = f"Check {provider.base_url_env}."
        return Fault(FaultKind.BAD_REQUEST, f"A request to {host} cannot be sent: {error}", hint=hint)
    if "location header" in str(error):  # httpx2 parses the redirect target even if it does not follow it
        return Fault(FaultKind.BAD_REQUEST, f"{host} redirects to an address that cannot be read.")
    if proxy and isinstance(refusal, refusals):
        return network.refused_by_proxy_fault(proxy, host, refusal)
    if isinstance(error, httpx2.ConnectError):
        hint = f"Is it running? Start it with: {provider.start}" if provider.start else ""
        if provider.moved_by:
            hint = f"Its address is from {provider.moved_by}. {hint}".rstrip()
        return Fault(FaultKind.NETWORK, _connect_error_message(error, host, proxy), hint=hint)
    if isinstance(error, (httpx2.HTTPError, httpx2.StreamError)):
        return Fault(FaultKind.NETWORK, f"The connection to {host} broke: {error or type(error).__name__}")
    return Fault(FaultKind.UNKNOWN, f"{provider.title} could not be asked: {error}")


def _connect_error_message(error: Exception, host: str, proxy: Proxy | None) -> str:
    root = _find_cause(error, (socket.gaierror, ssl.SSLError, ConnectionRefusedError))
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"The certificate of {network.tls_peer(host, proxy)} cannot be trusted: {root.verify_message}."
    if isinstance(root, ssl.SSLError):
        return f"TLS with {network.tls_peer(host, proxy)} failed: {root.reason or root}."
    if proxy:
        reason = "connection refused" if isinstance(root, ConnectionRefusedError) else str(root)
        return f"Could not connect to {proxy.title}: {reason}."
    if isinstance(root, socket.gaierror):
        return f"No such host: {host}."
    if isinstance(root, ConnectionRefusedError):
        return f"{host} refused the connection."
    return f"{host} cannot be reached: {error}."


def _find_cause(error: BaseException, kinds: type[Exception] | tuple[type[Exception], ...]) -> Exception:
    """Return the first exception of these types in an error's causes, groups included; else the error."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, kinds):
            return found
        if isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        else:
            found = found.__cause__ or found.__context__
    assert isinstance(error, Exception)
    return error
