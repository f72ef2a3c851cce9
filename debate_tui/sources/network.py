"""How servers are reached: addresses, proxies and certificates from the environment.

All clients of all sources get their settings from here; none reads the environment itself. So models,
endpoints and `doctor` agree, and a variable that cannot be used is a fault of the debaters that need it.

`HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` are read in lower case first. `NO_PROXY` is read as curl does:
https://curl.se/libcurl/c/CURLOPT_NOPROXY.html, plus the ports and schemes that other programs accept.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.urls import clean_value, find_url_problem, url_host

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

_PROXY_SCHEMES = {
    "http": "http",
    "https": "https",
    "socks": "socks5",  # written by GNOME and KDE
    "socks5": "socks5",
    "socks5h": "socks5h",
}
DEFAULT_PORTS = {"http": 80, "https": 443}
_EXCEPTION_SEPARATORS = re.compile(r"[,\s]+")
_SYSTEM_SETTINGS = "the system's proxy settings"


def variable_fault(variable: str, reason: str, hint: str = "") -> Fault:
    """Return the fault of an environment variable that cannot be used; `reason` must quote no secret."""
    hint = hint or f"Correct or unset {variable}."
    return Fault(FaultKind.BAD_REQUEST, f"{variable} cannot be used: {reason}.", hint=hint)


# Proxies.


class Proxy(Struct, frozen=True):
    """A proxy; `url` may contain a password, `variable` is the setting it comes from."""

    url: str
    variable: str

    @property
    def title(self) -> str:
        """Name in messages, without credentials."""
        return f"the proxy {url_host(self.url)} ({self.variable})"

    @property
    def scheme(self) -> str:
        """``http``, ``https``, ``socks5`` or ``socks5h``."""
        return urlsplit(self.url).scheme


def find_proxy(url: str, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """Return the proxy for `url`, or `None`; raise a `bad_request` fault if it cannot be used.

    Loopback servers are never reached through a proxy.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), _normalise_host(parts.hostname or "")
    if is_loopback(host):
        return None
    value, variable = _proxy_setting(scheme, host, environ)
    port = parts.port or DEFAULT_PORTS.get(scheme)
    exceptions = _EXCEPTION_SEPARATORS.split(_read_variable("no_proxy", environ)[0].lower())
    is_exempt = any(_matches_exception(scheme, host, port, entry) for entry in exceptions if entry)
    return _parse_proxy(value, variable) if value and not is_exempt else None


def refused_by_proxy_fault(proxy: Proxy, host: str, error: Exception) -> Fault:
    """Return the fault of a proxy that did not connect to `host`; if it needs a login, a retry is useless."""
    answers_otherwise = isinstance(error, socks_errors(proxy)) or not str(error)
    reason = "it does not respond like a proxy" if answers_otherwise else one_line(str(error))
    needs_login = reason.startswith("407") or "password" in reason
    return Fault(
        FaultKind.BAD_REQUEST if needs_login else FaultKind.NETWORK,
        f"Could not connect to {host} through {proxy.title}: {reason.rstrip('.')}.",
        hint=f"Check {proxy.variable}, or add the server to NO_PROXY.",
    )


def socks_errors(proxy: Proxy | None) -> tuple[type[Exception], ...]:
    """Return the exceptions that HTTP clients let through if a SOCKS proxy answers incorrectly."""
    if proxy is None or not proxy.scheme.startswith("socks"):
        return ()
    from socksio import SOCKSError

    return SOCKSError, AssertionError


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine: ``localhost``, its subdomains or a loopback address.

    That is 127.0.0.0/8, ``::1``, or the unspecified addresses ``0.0.0.0`` and ``::``.
    """
    host = _normalise_host(host)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _parse_address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _proxy_setting(scheme: str, host: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the proxy's address as written, and the variable it comes from."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        value, variable = _read_variable(name, environ)
        # In a CGI program, `HTTP_PROXY` is a header sent by the client: https://httpoxy.org
        if value and not (variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
            return value, variable
    if environ is not os.environ:
        return "", ""
    # macOS and Windows also have system settings.
    from urllib.request import getproxies, proxy_bypass

    return ("", "") if proxy_bypass(host) else (getproxies().get(scheme, ""), _SYSTEM_SETTINGS)


def _read_variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return a variable's value and actual name; an empty lower-case variable hides the upper-case one."""
    variable = name if name in environ else name.upper()
    return clean_value(environ.get(variable, "")), variable


def _parse_proxy(value: str, variable: str) -> Proxy:
    written = value if "://" in value else f"http://{value}"
    scheme, _, rest = written.partition("://")
    known = _PROXY_SCHEMES.get(scheme.lower())
    if known is None:
        kind = f"'{scheme}'" if scheme.isalnum() else "it"  # what is not a scheme may be a password
        raise unusable_proxy_fault(variable, f"{kind} is not one of {', '.join(_PROXY_SCHEMES)}")
    url = f"{known}://{rest}"
    if problem := find_url_problem(url, (known,)):
        raise unusable_proxy_fault(variable, problem)
    parts = urlsplit(url)
    userinfo = ":".join(quote(unquote(part), safe="") for part in (parts.username, parts.password) if part)
    host_and_port = parts.netloc.rpartition("@")[2]
    return Proxy(f"{known}://{userinfo}{'@' * bool(userinfo)}{host_and_port}", variable)


def unusable_proxy_fault(variable: str, reason: str = "its host is not valid") -> Fault:
    """Return the fault of a proxy that cannot be used; `variable` is the setting it comes from."""
    return variable_fault(variable, reason, f"Correct or unset {variable}, or add the server to NO_PROXY.")


def _matches_exception(scheme: str, host: str, port: int | None, entry: str) -> bool:
    """Return whether an entry of ``NO_PROXY`` matches the server; invalid entries match nothing."""
    if entry == "*":
        return True
    entry_scheme, has_scheme, rest = entry.rpartition("://")
    if has_scheme and entry_scheme not in (scheme, "all"):
        return False
    address = _parse_address(host)
    if "/" in rest.strip("/"):
        return address is not None and _is_in_network(address, rest)
    name, entry_port = _split_port(rest.strip("/"))
    if entry_port is not None and entry_port != port:
        return False
    if address is not None:
        return _parse_address(name) == address
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _is_in_network(address: IPv4Address | IPv6Address, text: str) -> bool:
    try:
        return address in ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, int | None]:
    """Split ``host``, ``host:port`` or ``[address]:port``; IPv6 addresses may lack brackets."""
    host, colon, port = entry.rpartition(":")
    is_port = colon and port.isdecimal() and (":" not in host or host.endswith("]"))
    return (_normalise_host(host), int(port)) if is_port else (_normalise_host(entry), None)


def _normalise_host(host: str) -> str:
    return host.strip("[]").partition("%")[0].rstrip(".").lower()


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


# Certificates.


def make_tls_context(
    make_default: Callable[[], ssl.SSLContext], environ: Mapping[str, str] = os.environ
) -> ssl.SSLContext:
    """Return a context trusting `SSL_CERT_FILE`, else `SSL_CERT_DIR`, else `make_default`'s certificates.

    Block while certificates are read. Raise a `bad_request` fault that names the variable if one cannot be
    used.
    """
    import ssl

    file, folders = (clean_value(environ.get(name, "")) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    variable = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
    try:
        if file:
            Path(file).read_bytes()  # OpenSSL's own error says less
        elif folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
            # OpenSSL ignores missing folders and would then reject every certificate.
            raise FileNotFoundError(errno.ENOENT, "no such folder")
        variable = "SSLKEYLOGFILE"  # Python opens it for every context
        if not file and not folders:
            return make_default()
        return ssl.create_default_context(cafile=file or None, capath=None if file else folders)
    except ssl.SSLError:
        raise variable_fault("SSL_CERT_FILE", f"'{file}' contains no certificate") from None
    except OSError as error:
        raise variable_fault(variable, (error.strerror or str(error)).lower()) from None
    except ValueError:
        raise variable_fault(variable, "it is not a valid path") from None


# Protection against addresses that remote users must not reach through this machine.

_NAT64 = ip_network("64:ff9b::/96")


def is_public_address(text: str) -> bool:
    """Return whether an IP address, or the IPv4 address embedded in it, is on the public internet."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public_address(str(inner))
    return address.is_global and not address.is_multicast


async def check_public_connection(name: str, info: Mapping[str, object]) -> None:
    """Raise `Fault` if a connection leads to this machine or a private network; a trace hook of httpcore.

    Names are resolved before connecting, so that open ports cannot be probed. The connected address is
    checked again, as the name may resolve to another one by then.
    """
    import asyncio
    import socket

    if name.endswith(".connect_tcp.started"):
        loop = asyncio.get_running_loop()
        with suppress(OSError, UnicodeError):  # What cannot be resolved cannot be connected to.
            found = await loop.getaddrinfo(str(info["host"]), None, type=socket.SOCK_STREAM)
            if not all(is_public_address(str(address[0])) for *_, address in found):
                raise _private_address_fault()
    elif name.endswith(".connect_tcp.complete"):
        stream: Any = info["return_value"]
        peer = stream.get_extra_info("server_addr")
        if not isinstance(peer, tuple) or not is_public_address(str(peer[0])):
            await stream.aclose()
            raise _private_address_fault()


def _private_address_fault() -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        "The endpoint is not on the public internet.",
        hint="Remote users cannot choose servers on this machine or its network.",
    )
