"""Somebody else's debate in a real terminal: through a restart, paused for oneself, and left."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from msgspec.structs import replace

from debate_tui.domain.events import PhaseStarted, event_to_json
from debate_tui.record.log import MemoryLog
from debate_tui.server.asgi_servers import bind_socket
from tests.fakes.sse_server import Cut, SseServer, reply
from tests.fakes.tls import PEM
from tests.sample_debates import debate_started
from tests.server.generated_debates import DebateWriter, logged_events
from tests.server.running_server import running_server
from tests.terminal.pty_terminal import run_in_terminal


async def test_it_heals_is_paused_and_is_left() -> None:
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()
    writer = DebateWriter()
    log = MemoryLog(logged_events(writer.events))

    def say(text: str) -> None:
        writer.say("a", text)
        log.append(writer.events[-1])

    async with AsyncExitStack() as watching:
        async with running_server(port=port, secure=True) as here:
            here.hub.host("d1", log, known_seq=log.seq)
            url = f"https://127.0.0.1:{port}"
            terminal = await watching.enter_async_context(
                run_in_terminal("watch", url, SSL_CERT_FILE=str(PEM))
            )
            say("Said at first. ")
            await terminal.wait_for_text("Tea or coffee?", "Ada", "Bob", "Said at first.")
            terminal.press("s")
            await terminal.wait_for_text("Stream statistics", "HTTP/")
            terminal.press("s")
            await terminal.wait_until(lambda display: "Stream statistics" not in display.text)
        await terminal.wait_for_text("Reconnecting in")
        say("Said meanwhile. ")
        async with running_server(port=port, secure=True) as here:
            here.hub.host("d1", log, known_seq=log.seq)
            await terminal.wait_for_text("Said at first. Said meanwhile.")
            await terminal.wait_until(lambda display: "Reconnecting in" not in display.text)
            terminal.press(" ")
            await terminal.wait_for_text("‖ paused", "the debate continues")
            say("Said while it was paused. ")
            terminal.press(" ")
            await terminal.wait_for_text("Said meanwhile. Said while it was paused.")
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0
            assert terminal.is_restored()
            await here.hub.viewers.wait_until_empty()


async def test_a_host_that_cannot_be_believed_is_left_with_a_word_of_why() -> None:
    writer = DebateWriter()
    told = logged_events(writer.events)
    *frames, wrong = (
        b"id: aa:%d\ndata: %s\n\n" % (event.seq, event_to_json(event))
        for event in (*told, replace(told[0], seq=9))
    )
    enough = asyncio.Event()
    async with (
        SseServer(reply(*frames, enough, wrong, Cut.STALL)) as server,
        run_in_terminal("watch", f"{server.origin}/debates/d1") as terminal,
    ):
        await terminal.wait_for_text("Ada", "Bob")
        enough.set()
        assert await terminal.wait_for_exit() == 1
        assert terminal.is_restored()
        assert "not send a valid debate" in terminal.display.text


async def test_how_far_the_debate_has_come_is_seen_as_by_its_host() -> None:
    begun = [
        debate_started(),
        PhaseStarted(phase="opening", round=1, rounds=1),
        PhaseStarted(phase="rebuttal", round=1, rounds=2),
    ]
    async with running_server() as here:
        log = MemoryLog()
        for event in begun:
            log.append(event)
        here.hub.host("d1", log, known_seq=log.seq)
        async with run_in_terminal("watch", here.url, columns=80, rows=24) as terminal:
            display = await terminal.wait_for_text("Tea or coffee?", "Rebuttal 1/2")
            assert display.row(1).split()[0].count("━") > 10, "the opening is done"
            assert len(display.row(1).split()) > 2
