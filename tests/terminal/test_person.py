"""A person debates in a real terminal, against servers over real sockets, also through a crash."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import draft_file, open_store
from tests.fakes.sse_server import DONE_EVENT, Reply, SseServer, delta_event
from tests.stored_debate import stored_events
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.fakes.sse_server import ReceivedRequest

SEND = "\x13"
"""Ctrl+S."""


class Opponents:
    """A server for two debaters, whose answers end once they are `released`."""

    def __init__(self) -> None:
        self.server = SseServer(script=lambda request: Reply(self._answer(request)))
        self.released = asyncio.Event()

    async def _answer(self, request: ReceivedRequest) -> AsyncIterator[bytes]:
        yield delta_event(f"So says {request.path[1:]}.")
        await self.released.wait()
        yield DONE_EVENT

    @property
    def debater_options(self) -> list[str]:
        return [part for name in ("Ada", "Ben") for part in ("-d", f"{name}={self.server.origin}/{name}")]


def drafts() -> list[Path]:
    return sorted(draft_file(config.record_file(), "any", 1).parent.glob("*.txt"))


async def wait_for_draft(*texts: str) -> None:
    while [draft.read_text("utf-8") for draft in drafts()] != [*texts]:
        await asyncio.to_thread(config.record_file().exists)


async def test_a_stopped_turn_leaves_no_draft_once_the_debate_is_over() -> None:
    opponents = Opponents()
    opponents.released.set()
    async with opponents.server:
        options = ("Where?", "-d", "Jo=me", *opponents.debater_options, "-f", "compare")
        async with run_in_terminal(*options) as terminal:
            await terminal.wait_for_text("your turn", "0/250 words")
            terminal.press("Never mind")
            await wait_for_draft("Never mind")
            terminal.press("\x1b")
            await terminal.wait_for_text("enter write")
            terminal.press("x")
            await terminal.wait_for_text("It's over", "stopped")
            terminal.press("q")
            await terminal.wait_for_exit()
    assert Transcript(stored_events()).finish_reason == "complete"
    assert drafts() == []


async def test_a_deleted_debate_takes_its_drafts_along() -> None:
    opponents = Opponents()
    async with opponents.server:
        options = ("Where?", "-d", "Jo=me", *opponents.debater_options)
        async with run_in_terminal(*options) as terminal:
            await terminal.wait_for_text("your turn", "0/200 words")
            terminal.press("Mine")
            await terminal.wait_for_text("1/200 words")
            terminal.press("\x03")
            await terminal.wait_for_exit()
    assert [draft.read_text("utf-8") for draft in drafts()] == ["Mine"]
    store = open_store(config.record_file())
    (summary,) = await store.debates()
    assert await store.delete(summary.debate) == 1
    await store.aclose()
    assert drafts() == []


async def test_a_turn_that_is_continued_is_not_shown_as_stopped() -> None:
    opponents = Opponents()
    async with opponents.server:
        async with run_in_terminal("Where?", "-d", "Jo=me", *opponents.debater_options) as terminal:
            await terminal.wait_for_text("your turn", "0/200 words")
            terminal.press("Mine")
            await wait_for_draft("Mine")
            terminal.send(signal.SIGHUP)
            assert await terminal.wait_for_exit() == 128 + signal.SIGHUP
        async with run_in_terminal("--continue") as terminal:
            await terminal.wait_for_text("your turn", "1/200 words", "Mine")
            await terminal.wait_until(lambda display: "Stopped early" not in display.text)
            terminal.press("q")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 45)])
async def test_a_whole_debate_against_two_servers_with_a_crash(columns: int, rows: int) -> None:
    opponents = Opponents()
    async with opponents.server:
        options = ("Where?", "-d", "Jo=me", *opponents.debater_options, "-r", "1")
        async with run_in_terminal(*options, columns=columns, rows=rows) as terminal:
            await terminal.wait_for_text("your turn", "/200 words")
            terminal.press("Streets belong to")
            await terminal.wait_for_text("Streets belong to", "So says Ada.", "So says Ben.")
            terminal.press(" people")
            await wait_for_draft("Streets belong to people")
            terminal.send(signal.SIGKILL)
            assert await terminal.wait_for_exit() == -signal.SIGKILL
        async with run_in_terminal("--continue", columns=columns, rows=rows) as terminal:
            await terminal.wait_for_text("your turn", "Streets belong to people")
            terminal.resize(120, 35)
            terminal.press("\x1b[200~: all of\rthem\x1b[201~")
            await terminal.wait_for_text("people: all of", "them", "7/200 words")
            terminal.resize(columns, rows)
            terminal.press(SEND)
            await wait_for_draft()
            opponents.released.set()
            for words, text in (("0/150 words", "And so they do."), ("0/120 words", "They always have.")):
                await terminal.wait_for_text("your turn", words)
                terminal.press(text)
                await terminal.wait_for_text(text)
                terminal.press(SEND)
            await terminal.wait_for_text("It's over")
            assert "\x1b]2;❯ Where?".encode() in terminal.display.raw
            terminal.press("q")
            await terminal.wait_for_exit()
            assert terminal.is_restored()
    transcript = Transcript(stored_events())
    assert transcript.finish_reason == "complete"
    said = [turn.text for turn in transcript.turns.values() if turn.debater == "d1"]
    assert said == ["Streets belong to people: all of\nthem", "And so they do.", "They always have."]
    assert drafts() == []
