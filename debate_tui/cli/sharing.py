"""``--share``: viewers of a debate that is held here for somebody's own screen."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.cli.hosting import Hosting
    from debate_tui.cli.plan import Plan
    from debate_tui.cli.stage import Stage

DEFAULT = "127.0.0.1:8484"


@asynccontextmanager
async def sharing(plan: Plan, stage: Stage) -> AsyncIterator[Plan]:
    """Host the debate if its plan says so; gives the plan, which then says where.

    Leave it once the session has run. Raises `DebateError` where it cannot be hosted.
    """
    if not plan.share:
        yield plan
        return
    from debate_tui.cli.hosting import shared

    async with shared(stage, hosting(plan.share)) as where:
        yield msgspec.structs.replace(plan, shared=f"Shared at {where}")


def hosting(address: str) -> Hosting:
    """What ``HOST:PORT``, ``HOST`` or ``:PORT`` asks for; raises `UsageError` for anything else."""
    import os

    from debate_tui.cli.hosting import Hosting

    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = address, ""
    if port and not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"--share {address}: {port!r} is no port.", "Say HOST:PORT, HOST or :PORT.")
    defaults = Hosting()
    return Hosting(
        host=host.strip("[]") or defaults.host,
        port=int(port) if port else defaults.port,
        token=os.environ.get("DEBATE_TUI_TOKEN", ""),
        viewer_token=os.environ.get("DEBATE_TUI_VIEWER_TOKEN", ""),
    )
