"""Hosting debates: the hub, the doors to it, and the debates that are held for viewers."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
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

    from debate_tui.cli.stage import Stage
    from debate_tui.server.access import Access, Role
    from debate_tui.server.commands import Holder
    from debate_tui.server.hub import Hub

PACKAGES: Final = ("starlette", "uvicorn", "httptools", "wsproto", "hypercorn")

LAST_WORDS_S: Final = 2.0
"""How long the end of a debate, and goodbye, may take to reach the viewers."""


class Hosting(Struct, frozen=True):
    """Where and for whom debates are hosted; tokens that are empty are made up."""

    host: str = "127.0.0.1"
    port: int = 8484
    token: str = ""
    viewer_token: str = ""
    certificate: Path | None = None
    key: Path | None = None
    origins: tuple[str, ...] = ()
    max_viewers: int = 10_000
    max_viewers_per_address: int = 100


@dataclass(frozen=True)
class Reach:
    """How hosted debates are reached; ways in hold codes that are good once."""

    url: str
    access: Access

    def debate(self, debate: str) -> str:
        """The address of a debate."""
        return f"{self.url}/debates/{debate}"

    def way_in(self, role: Role) -> str:
        """A link for a browser."""
        return f"{self.url}/enter?code={self.access.link(role)}"


def check_installed() -> None:
    """Raise `DebateError` where the server's packages are missing."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise DebateError(
            f"Hosting debates needs packages that are not installed: {', '.join(missing)}.",
            "pip install 'debate-tui[serve]'",
        )


def certificate(hosting: Hosting) -> tuple[Path, Path] | None:
    """The files of the certificate and its key, if HTTPS is wanted; raises `UsageError` for unusable ones."""
    chain, key = hosting.certificate, hosting.key
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise UsageError("--cert and --key need each other.", "Give both, or neither.")
    import ssl

    for file in (chain, key):
        try:
            file.open("rb").close()
        except OSError as error:
            raise UsageError(
                f"Cannot read {file}: {error.strerror}.", "--cert and --key name files."
            ) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    except ssl.SSLError as error:
        raise UsageError(
            f"{chain} and {key} are no certificate and its key: {error.reason or error}.",
            "Both have to be PEM, and belong together.",
        ) from None
    return chain, key


@asynccontextmanager
async def opened(hub: Hub, hosting: Hosting, holder: Holder | None = None) -> AsyncIterator[Reach]:
    """Let viewers in for the length of a block; leaving it tells them goodbye.

    Raises `DebateError` where the address cannot be had.
    """
    from debate_tui.server.access import Access, is_loopback
    from debate_tui.server.app import create
    from debate_tui.server.listening import Certificate, bound, listening

    files = certificate(hosting)
    pair = Certificate(*files) if files else None
    access = Access(
        hosting.token,
        hosting.viewer_token,
        viewers_need_token=not is_loopback(hosting.host),
        origins=hosting.origins,
        names=(hosting.host,),
    )
    _allow_many_connections()
    with bound(hosting.host, hosting.port) as at:
        name = socket.gethostname() if hosting.host in ("0.0.0.0", "::") else hosting.host  # noqa: S104
        name = f"[{name}]" if ":" in name else name
        url = f"http{'s' if pair else ''}://{name}:{at.getsockname()[1]}"
        async with listening(create(hub, access, holder), at, pair):
            try:
                yield Reach(url, access)
            finally:
                hub.audience.goodbye()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await hub.audience.gone()


@asynccontextmanager
async def shared(stage: Stage, hosting: Hosting) -> AsyncIterator[str]:
    """Host the debate of this process; gives its address, with a token if viewers need one that was made up.

    Leave it once the session has run.
    """
    check_installed()
    from debate_tui.server.audience import Limits
    from debate_tui.server.hub import Hub

    session = stage.session
    debate = session.motion.debate
    async with Hub(limits=Limits(hosting.max_viewers, hosting.max_viewers_per_address)) as hub:
        hub.host(debate, stage.log, session, known=session.transcript.seq)
        async with opened(hub, hosting) as reach:
            made_up = reach.access.viewers_need_token and not hosting.viewer_token
            try:
                yield reach.debate(debate) + (f" (token {reach.access.viewer_token})" if made_up else "")
            finally:
                if session.transcript.finished is not None:
                    await hub.told(debate, LAST_WORDS_S)


def _allow_many_connections() -> None:
    """Use as many descriptors as the system allows; a shell's own limit is made for other programs."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
