"""``--share``: viewers of a debate that is held here for somebody's own screen."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.cli.hosting import HostingOptions
    from debate_tui.cli.plan import Plan
    from debate_tui.cli.stage import DebateContext

DEFAULT_SHARE_ADDRESS = "127.0.0.1:8484"


@asynccontextmanager
async def share_if_planned(plan: Plan, context: DebateContext) -> AsyncIterator[Plan]:
    """Host the debate if its plan says so; gives the plan, which then says where.

    Leave it once the session has run. Raises `DebateError` where it cannot be hosted.
    """
    if not plan.share_address:
        yield plan
        return
    from debate_tui.cli.hosting import share_session

    async with share_session(context, parse_share_address(plan.share_address)) as address:
        yield msgspec.structs.replace(plan, sharing_notice=f"Shared at {address}")


def parse_share_address(address: str) -> HostingOptions:
    """What ``HOST:PORT``, ``HOST`` or ``:PORT`` asks for; raises `UsageError` for anything else."""
    import os

    from debate_tui.cli.hosting import HostingOptions

    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = address, ""
    if port and not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"--share {address}: {port!r} is no port.", "Say HOST:PORT, HOST or :PORT.")
    defaults = HostingOptions()
    return HostingOptions(
        host=host.strip("[]") or defaults.host,
        port=int(port) if port else defaults.port,
        token=os.environ.get("DEBATE_TUI_TOKEN", ""),
        viewer_token=os.environ.get("DEBATE_TUI_VIEWER_TOKEN", ""),
    )
