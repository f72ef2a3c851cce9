"""Hosting debates: start a server, and share the debate of this process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import secrets
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import DebateError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.cli.wiring import DebateContext
    from debate_tui.server.auth import AccessControl, Role
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.hub import Hub


SERVER_PACKAGES: Final = ("starlette", "uvicorn", "httptools", "wsproto", "hypercorn")

DRAIN_TIMEOUT_S: Final = 2.0
"""Seconds to wait for viewers to receive a debate's last events and the goodbye message."""


class HostingOptions(Struct, frozen=True):
    """Where debates are hosted, and for which viewers. Empty tokens are generated.

    With `public`, viewers that come through a proxy need no token. `allowed_sources` are the sources that
    remote hosts may use in addition to the demo and the server's own.
    """

    host: str = "127.0.0.1"
    port: int = 8484
    token: str = ""
    viewer_token: str = ""
    certificate: Path | None = None
    key: Path | None = None
    origins: tuple[str, ...] = ()
    max_viewers: int = 10_000
    max_viewers_per_address: int = 100
    public: bool = False
    allowed_sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostAddresses:
    """Addresses of a server and its debates."""

    url: str
    access: AccessControl

    def debate_url(self, debate: str) -> str:
        """Return the address of a debate."""
        return f"{self.url}/debates/{debate}"

    def login_link(self, role: Role) -> str:
        """Return a link that logs a browser in; it works once."""
        return f"{self.url}/enter?code={self.access.create_link(role)}"


def check_installed() -> None:
    """Raise `DebateError` if a package that the server needs is not installed."""
    missing = [name for name in SERVER_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DebateError(
            f"To host debates, install the missing packages: {', '.join(missing)}.",
            "Run: pip install 'debate-tui[serve]'",
        )


def load_certificate(hosting: HostingOptions) -> tuple[Path, Path] | None:
    """Return the files of the TLS certificate and its key, or `None` if neither is given.

    Raise `UsageError` if only one is given, or if they cannot be read or do not match.
    """
    chain, key = hosting.certificate, hosting.key
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise UsageError("--cert and --key must be used together.", "Use both or neither.")
    import ssl

    for file in (chain, key):
        try:
            file.open("rb").close()
        except OSError as error:
            raise UsageError(
                f"Cannot read {file}: {error.strerror}.", "Check the paths after --cert and --key."
            ) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    except ssl.SSLError as error:
        raise UsageError(
            f"{chain} and {key} are not a certificate and its key: {error.reason or error}.",
            "Both must be PEM files, and the key must match the certificate.",
        ) from None
    return chain, key


def check_options(hosting: HostingOptions) -> None:
    """Raise `UsageError` for weak tokens, and for options that contradict `public`."""
    from debate_tui.server.auth import check_tokens, is_loopback

    check_tokens(hosting.token, hosting.viewer_token)
    if hosting.public and not is_loopback(hosting.host):
        raise UsageError(
            f"--public cannot be used with --host {hosting.host}.",
            "Listen on 127.0.0.1 and use a proxy, or omit --public: viewers then need the token.",
        )
    if hosting.public and hosting.viewer_token:
        raise UsageError("--public and a viewer token cannot be used together.", "Omit one of them.")


@asynccontextmanager
async def open_server(
    hub: Hub, hosting: HostingOptions, launcher: DebateLauncher | None = None, *, secret: bytes = b""
) -> AsyncIterator[HostAddresses]:
    """Serve `hub` while the context is open; on exit, say goodbye to all viewers.

    Tokens and cookies are derived from `secret`; without it, they are valid only until the server stops.
    `launcher` starts debates that hosts request. Raise `DebateError` if the address cannot be bound.
    """
    from debate_tui.server.app import create_app
    from debate_tui.server.asgi_servers import TlsCertificate, bind_socket, run_server
    from debate_tui.server.auth import AccessControl, is_loopback

    check_options(hosting)
    files = load_certificate(hosting)
    tls_certificate = TlsCertificate(*files) if files else None
    access = AccessControl(
        hosting.token,
        hosting.viewer_token,
        viewers_need_token=not is_loopback(hosting.host),
        origins=hosting.origins,
        public=hosting.public,
        secret=secret or secrets.token_bytes(32),
    )
    _raise_descriptor_limit()
    with bind_socket(hosting.host, hosting.port) as listener:
        name = socket.gethostname() if hosting.host in ("0.0.0.0", "::") else hosting.host  # noqa: S104 (only compared)
        name = f"[{name}]" if ":" in name else name
        url = f"http{'s' if tls_certificate else ''}://{name}:{listener.getsockname()[1]}"
        async with run_server(create_app(hub, access, launcher), listener, tls_certificate):
            try:
                yield HostAddresses(url, access)
            finally:
                hub.viewers.shut_down()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_TIMEOUT_S):
                        await hub.viewers.wait_until_empty()


@asynccontextmanager
async def share_session(context: DebateContext, hosting: HostingOptions) -> AsyncIterator[str]:
    """Host the debate of this process and yield its address.

    The address includes the viewer token if viewers need one and it was generated. Exit the context after the
    session has run.
    """
    check_installed()
    from debate_tui.server.hub import Hub
    from debate_tui.server.limits import ViewerLimits

    session = context.session
    debate = session.spec.debate
    async with Hub(limits=ViewerLimits(hosting.max_viewers, hosting.max_viewers_per_address)) as hub:
        hub.host(debate, context.log, session.handle, known_seq=session.transcript.seq)
        async with open_server(hub, hosting) as addresses:
            token_generated = addresses.access.viewers_need_token and not hosting.viewer_token
            try:
                yield addresses.debate_url(debate) + (
                    f" (token {addresses.access.viewer_token})" if token_generated else ""
                )
            finally:
                if session.transcript.finish_reason is not None:
                    await hub.wait_until_published(debate, DRAIN_TIMEOUT_S)


def _raise_descriptor_limit() -> None:
    """Raise the limit on open files to the hard limit: the default is too low for many viewers."""
    if sys.platform == "win32":
        return
    import resource

    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


# The ``--share`` option


@asynccontextmanager
async def share_if_asked(context: DebateContext, address: str) -> AsyncIterator[str]:
    """Host the debate at `address`, unless it is empty; yield a notice about where others can watch it.

    Exit the context after the session has run. Raise `DebateError` if the debate cannot be hosted.
    """
    if not address:
        yield ""
        return

    async with share_session(context, parse_share_address(address)) as watch_address:
        yield f"Shared at {watch_address}"


def parse_share_address(address: str) -> HostingOptions:
    """Parse ``HOST:PORT``, ``HOST`` or ``:PORT``; tokens come from the environment.

    Raise `UsageError` if the port is not valid.
    """
    import os

    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = address, ""
    if port and not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"--share {address}: '{port}' is not a port.", "Use HOST:PORT, HOST or :PORT.")
    defaults = HostingOptions()
    return HostingOptions(
        host=host.strip("[]") or defaults.host,
        port=int(port) if port else defaults.port,
        token=os.environ.get("DEBATE_TUI_TOKEN", ""),
        viewer_token=os.environ.get("DEBATE_TUI_VIEWER_TOKEN", ""),
    )
