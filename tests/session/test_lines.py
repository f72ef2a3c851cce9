"""Connections to a host, by whatever names it gives its places."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from debate_tui.domain.policy import Policy
from debate_tui.session.lines import Lines, Way
from debate_tui.sources.hosted import HTTP2, Hosted, Line, Told
from tests.server.material import example

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

LOG = example()


class Host:
    """Tells every debater's stream all of the debate, whatever place it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    @asynccontextmanager
    async def connect(self, place: str, debater: str | None = None) -> AsyncGenerator[Line]:
        self.asked.append((place, debater))
        yield Line(HTTP2, self._told())

    async def hang_up(self) -> None:
        pass

    async def _told(self) -> AsyncGenerator[Told]:
        for event in LOG:
            yield Told(event, place="aa:zz")


async def test_a_place_is_the_hosts_own_word() -> None:
    host = Host()
    lines = Lines(cast("Hosted", host), Policy())
    lines.way = Way(HTTP2)
    async with lines.follow("aa:zz", 3, ["a", "b"]) as told:
        events = [item.event async for item in told]
    assert events == LOG[3:]
    assert host.asked == [("aa:zz", "a"), ("aa:zz", "b")]
