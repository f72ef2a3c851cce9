"""A browser without a window, told what to do over its debugging protocol; skips where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING, Any, Self

import httpx
import pytest
from httpx_ws import aconnect_ws

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from httpx_ws import AsyncWebSocketSession

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--no-proxy-server", "--remote-debugging-port=0",
)  # fmt: skip


_NAVIGATED = "Inspected target navigated or closed"


class Navigated(Exception):
    """The page that was asked has made way for another one."""


class Browser:
    """One page of a browser of its own; `problems` are what its console complained about."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._stack = contextlib.AsyncExitStack()
        self._calls = 0
        self.problems: list[str] = []

    async def __aenter__(self) -> Self:
        assert PROGRAM is not None
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *FLAGS, f"--user-data-dir={self._profile}", "about:blank", stderr=PIPE
        )
        self._stack.push_async_callback(process.wait)
        self._stack.callback(process.kill)
        assert process.stderr is not None
        line = b""
        while b"DevTools listening on ws://" not in line:
            line = await process.stderr.readline()
            assert line, "the browser did not start"
        drain = asyncio.create_task(process.stderr.read())
        self._stack.callback(drain.cancel)
        client = await self._stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        address = line.decode().split("ws://")[1].split("/")[0]
        pages = (await client.get(f"http://{address}/json")).json()
        page = next(page for page in pages if page["type"] == "page")
        self._socket: AsyncWebSocketSession = await self._stack.enter_async_context(
            aconnect_ws(page["webSocketDebuggerUrl"], client, max_message_size_bytes=1 << 26)
        )
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the debugging protocol."""
        self._calls += 1
        await self._socket.send_text(json.dumps({"id": self._calls, "method": method, "params": params}))
        while True:
            message = json.loads(await self._socket.receive_text())
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(message["params"]["exceptionDetails"]["text"])
            elif message.get("method") == "Log.entryAdded":
                self.problems.append(message["params"]["entry"]["text"])
            if message.get("id") == self._calls:
                if _NAVIGATED in str(message.get("error")):
                    raise Navigated
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.call("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def js(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        result = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true, as JavaScript has it."""
        while True:
            with contextlib.suppress(Navigated):
                if await self.js(f"Promise.resolve({expression}).then(Boolean)"):
                    return
            await asyncio.sleep(0.01)

    async def text(self, selector: str) -> str:
        """What an element shows."""
        text: str = await self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return text
