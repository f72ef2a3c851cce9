"""A debate that is shared, in a real terminal."""

from __future__ import annotations

import socket

from tests.terminal.pty_terminal import run_in_terminal


async def test_its_address_is_read_at_80_columns_and_left_in_the_terminal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    debate = ("Tea or coffee?", "-d", "demo", "-d", "demo", "--share", f":{port}")
    async with run_in_terminal(*debate, columns=80, rows=24) as terminal:
        await terminal.wait_for_text(f"Shared at http://127.0.0.1:{port}/debates/", "no model is speaking")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        before = bytes(terminal.display.raw).partition(b"\x1b[?1049h")[0].decode()
        assert f"debate-tui: Shared at http://127.0.0.1:{port}/debates/" in before
