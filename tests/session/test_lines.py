"""Connections to a host, by whatever names it gives its places."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from debate_tui.domain.stream import RecoveryPolicy
from debate_tui.session.http2_merge import ConnectionInfo, RemoteConnector
from debate_tui.sources.remote_debate import HTTP2_TRANSPORT, HostConnection, HostMessage
from tests.server.material import example_debate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.sources.remote_debate import RemoteDebate

LOG = example_debate()


class Host:
    """Tells every debater's stream all of the debate, whatever place it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    @asynccontextmanager
    async def connect(self, last_event_id: str, debater: str | None = None) -> AsyncGenerator[HostConnection]:
        self.asked.append((last_event_id, debater))
        yield HostConnection(HTTP2_TRANSPORT, self._told())

    async def close_connections(self) -> None:
        pass

    async def _told(self) -> AsyncGenerator[HostMessage]:
        for event in LOG:
            yield HostMessage(event, event_id="aa:zz")


async def test_a_cursor_is_the_hosts_own_string() -> None:
    host = Host()
    lines = RemoteConnector(cast("RemoteDebate", host), RecoveryPolicy())
    lines.connection = ConnectionInfo(HTTP2_TRANSPORT)
    async with lines.open_messages("aa:zz", 3, ["a", "b"]) as told:
        events = [item.event async for item in told]
    assert events == LOG[3:]
    assert host.asked == [("aa:zz", "a"), ("aa:zz", "b")]
