"""Translation of HTTP clients' exceptions and error responses into faults: short, readable, without keys.

httpx (endpoints) and httpx2 (the providers' SDKs) have the same exceptions under the same names, so every
source, judge and probe shares one translation.
"""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.sanitise import redact
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import network
from debate_tui.sources.payloads import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import httpx
    import httpx2

    from debate_tui.sources.network import Proxy
    from debate_tui.sources.payloads.body import BodyKind
    from debate_tui.sources.providers import Provider

_PAGE_TITLE = re.compile(r"<title[^>]{0,100}>([^<]{1,400})</title", re.IGNORECASE)
_MODEL_WORD = re.compile(r"\bmodels?\b", re.IGNORECASE)
_VERSION = re.compile(r"v\d+\w*")


class Peer(NamedTuple):
    """The server that a client's requests go to.

    `client_library` is httpx or httpx2. `errors` are further exceptions to translate, such as an SDK's own;
    `key` must not appear in any message.
    """

    host: str
    client_library: ModuleType
    proxy: Proxy | None = None
    provider: Provider | None = None
    key: str = ""
    errors: tuple[type[Exception], ...] = ()


@contextmanager
def translate_errors(peer: Peer) -> Iterator[None]:
    """Turn the exceptions of a request to `peer` into a `Fault`; cancellation passes."""
    http = peer.client_library
    try:
        yield
    except (
        http.HTTPError,
        http.InvalidURL,
        http.StreamError,
        *network.socks_errors(peer.proxy),
        *peer.errors,
    ) as error:
        fault = fault_from_exception(error, peer)
        fault.redact(peer.key)
        raise fault from None


def fault_from_exception(error: Exception, peer: Peer) -> Fault:
    """Return the fault for an exception of an HTTP client, which an SDK may have wrapped in its own."""
    response = getattr(error, "response", None)  # of an SDK's error for an error status
    if response is not None:
        return fault_from_response(response, response.content, peer.provider)
    host, http, proxy = peer.host, peer.client_library, peer.proxy
    refusals = (http.ProxyError, *network.socks_errors(proxy))
    refusal = _find_cause(error, refusals)
    if proxy and isinstance(refusal, refusals):
        return network.refused_by_proxy_fault(proxy, host, refusal)
    match _find_cause(error, (http.HTTPError, http.InvalidURL, http.StreamError)):
        case http.InvalidURL() | http.UnsupportedProtocol() | http.LocalProtocolError():
            # The error quotes the invalid value, which may be a key.
            return Fault(
                FaultKind.BAD_REQUEST,
                f"The address or a header for {host} is not valid.",
                hint=f"Check {peer.provider.base_url_env}." if peer.provider else "",
            )
        case http.TimeoutException():
            return Fault(FaultKind.TIMEOUT, f"Could not connect to {proxy.title if proxy else host} in time.")
        case http.ConnectError():
            return _connect_fault(error, peer)
        case http.RemoteProtocolError() as problem if "location header" in str(problem):
            # The client parses the target of a redirect even if it does not follow it.
            message = f"{host} redirects to an address that is not valid."
            return Fault(FaultKind.BAD_REQUEST, message)
        case problem if peer.provider and isinstance(problem, peer.errors):
            return Fault(FaultKind.UNKNOWN, f"The request to {peer.provider.title} failed: {problem}")
    reason = describe_cause(error)
    message = f"The connection to {host} broke: {reason}." if reason else f"{host} broke the connection."
    return Fault(FaultKind.NETWORK, message)


def _connect_fault(error: Exception, peer: Peer) -> Fault:
    target = peer.proxy.title if peer.proxy else peer.host
    if isinstance(_find_root_cause(error), ssl.SSLError):  # of either, with an HTTPS proxy
        both = peer.proxy and peer.proxy.scheme == "https"
        target = f"{peer.host} or {target}" if both else peer.host
    hint = ""
    if peer.provider:
        moved_by, start = peer.provider.moved_by, peer.provider.start
        hint = f"The address comes from {moved_by}. " if moved_by else ""
        hint = (hint + (f"Start the server with: {start}" if start else "")).rstrip()
    message = f"Could not connect to {target}: {describe_cause(error) or 'connection lost'}."
    return Fault(FaultKind.NETWORK, message, hint=hint)


def describe_cause(error: BaseException) -> str:
    """Return the root cause of an error in a few words; empty if they are only the client's own."""
    match error := _find_root_cause(error):
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason})" if error.reason else "TLS failed"
        case socket.gaierror():
            return "host not found"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError():
            return "connection reset"
        case OSError() if error.strerror:
            return error.strerror.lower()
        case _:
            return ""


def _find_root_cause(error: BaseException) -> BaseException:
    *_, root = _causes(error)
    return root


def _find_cause(error: BaseException, kinds: tuple[type[Exception], ...]) -> BaseException:
    """Return the first of an error and its causes that is of these types; else the error."""
    return next((cause for cause in _causes(error) if isinstance(cause, kinds)), error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, from the outermost to the root; of a group, the first error's."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = cause.__cause__ or cause.__context__
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else inner


def fault_from_response(
    response: httpx.Response | httpx2.Response, body: bytes, provider: Provider | None = None
) -> Fault:
    """Return the fault of an error response or a redirect, with the server's own message if it has one."""
    status = response.status_code
    if provider and 300 <= status < 400:
        # Following the redirect would send the key to another address.
        return Fault(
            FaultKind.BAD_REQUEST,
            f"{provider.host} redirects to {redact(response.headers.get('location', 'nowhere'))}.",
            status=status,
            hint=f"Set {provider.base_url_env} to the server's actual address.",
        )
    fault = errors.fault_from_body(
        body, status=status, retry_after=errors.parse_retry_after(response.headers)
    )
    if status == 404:
        _explain_not_found(fault, response.request.url, provider)
    elif provider and fault.kind is FaultKind.AUTH and (provider.key_command or provider.key_env):
        fault.hint = provider.key_hint if provider.key_command else f"Check {provider.key_env[0]}."
    elif provider and fault.kind is FaultKind.QUOTA:
        fault.hint = f"Check the plan and billing of your {provider.title} account."
    return fault


def _explain_not_found(fault: Fault, url: httpx.URL | httpx2.URL, provider: Provider | None) -> None:
    """Add the requested URL to the fault, and its problem unless it was the model that was not found."""
    knows_path = provider is not None and not _MODEL_WORD.search(fault.message)
    problem = _find_path_problem(url.path) if knows_path else ""
    fault.message = f"{fault.message} {errors.describe_url(str(url), problem)}"
    fault.args = (fault.message,)
    fault.hint = f"Check {provider.base_url_env}." if provider and problem else ""


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


def unexpected_body_fault(
    response: httpx2.Response, head: bytes, kind: BodyKind | None, provider: Provider
) -> Fault:
    """Return the fault of a successful response whose body, which starts with `head`, is not an answer."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    start = " ".join(head[:400].decode("utf-8", "replace").split())[:80]
    if not start and media_type == "text/event-stream":
        # The address is right: an intermediary closed the connection.
        message = f"{provider.host} answered with an empty body."
        return Fault(FaultKind.NETWORK, message, status=response.status_code)
    what = f"{media_type or 'text'} ('{start}')" if start else "an empty body"
    if kind == "page":
        title = _PAGE_TITLE.search(head[:4096].decode("utf-8", "replace"))
        what = "a web page" + (f" ('{' '.join(title[1].split())[:80]}')" if title else "")
    return Fault(
        FaultKind.BAD_REQUEST,
        f"{provider.host} returned {what} instead of an event stream.",
        status=response.status_code,
        hint=f"Check {provider.base_url_env}.",
    )
