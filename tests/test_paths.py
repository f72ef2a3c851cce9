"""How far a text travels through the running program, from its cause to its effect."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections import deque
from functools import partialmethod
from typing import TYPE_CHECKING

from msgspec import Struct
from textual.app import App
from textual.strip import Strip

from debate_tui.cli.plan import make_plan
from debate_tui.cli.tui_runner import run_fullscreen
from debate_tui.config import DebaterSettings, Settings
from debate_tui.session.turn import RunningTurn
from debate_tui.tui.app import DebateApp
from tests.fakes.provider_server import CHAT, ProviderReply, ProviderServer, chat_events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from types import FrameType

    import pytest
    from textual.pilot import Pilot

MARK = "quokka"
"""A word that occurs in one delta, and nowhere else."""

MAX_MODULES = 25
"""Modules of debate_tui that a delta may pass from the socket to the screen."""

SIDE_BRANCHES = ("debate_tui.display.statistics",)
"""Listeners of the log from which nothing gets to the screen."""


class TextTrace:
    """The functions of debate_tui that have the marked text, until a strip with it was made.

    A function has it if an argument or a local variable holds it, if it is returned, or if a function called
    from there was given it or returned it. `self` does not count: an object may hold it for long.
    """

    def __init__(self) -> None:
        self.functions: dict[str, list[str]] = {}
        """The functions of each module, in the order of their first use."""
        self.done = False

    def __call__(self, frame: FrameType, event: str, result: object) -> None:
        """Look at a call or a return; the function for `sys.setprofile`."""
        if event not in ("call", "return") or not _module(frame):
            return
        local = [value for name, value in frame.f_locals.items() if name not in ("self", "cls")]
        if not _holds_mark([*local, result]):
            return
        for each in (frame, frame.f_back):
            module = _module(each)
            if each is not None and module and not module.startswith(SIDE_BRANCHES):
                names = self.functions.setdefault(module.removeprefix("debate_tui."), [])
                if each.f_code.co_qualname not in names:
                    names.append(each.f_code.co_qualname)
        if event == "return" and isinstance(result, Strip):
            sys.setprofile(None)
            self.done = True

    def __str__(self) -> str:
        return "\n".join(f"{module}: {', '.join(names)}" for module, names in self.functions.items())


def _module(frame: FrameType | None) -> str:
    name = frame.f_globals.get("__name__", "") if frame is not None else ""
    return name if name.startswith("debate_tui.") else ""


def _holds_mark(value: object, depth: int = 4) -> bool:
    match value:
        case str():
            return MARK in value
        case bytes() | bytearray() | memoryview():
            return MARK.encode() in bytes(value)
        case Strip():
            return MARK in value.text
    return depth > 0 and any(_holds_mark(part, depth - 1) for part in _parts(value))


def _parts(value: object) -> Iterable[object]:
    match value:
        case dict():
            return value.values()
        case list() | tuple() | set() | frozenset() | deque():
            return value
        case Struct():
            return [getattr(value, name) for name in value.__struct_fields__]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return (getattr(value, "data", None),) if type(value).__name__ == "ServerSentEvent" else ()


class TwoStreams(ProviderServer):
    """A server with two models that speak half a sentence each, and then wait."""

    def __init__(self) -> None:
        super().__init__()
        self.next_delta = asyncio.Event()
        self.end = asyncio.Event()
        self._speaking = 0
        self.respond(CHAT, lambda _: ProviderReply(self._speech()))

    def _speech(self) -> Iterator[bytes | asyncio.Event]:
        self._speaking += 1
        first = self._speaking == 1
        start, half, marked, *ends = chat_events(
            ["The street belongs to those who walk in it, and ", f"a {MARK} walks "]
        )
        yield from (start, half)
        if first:
            yield from (self.next_delta, marked)
        yield self.end
        yield from ends


def screen_text(app: App[None]) -> str:
    """What the whole screen shows."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def run_on_screen(
    server: TwoStreams, watch: Callable[[Pilot[None]], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run a debate on the full screen, with `watch` at the keyboard once both models speak."""

    async def pilot_app(pilot: Pilot[None]) -> None:
        while screen_text(pilot.app).count("walk in it") < 2:
            await pilot.pause()
        await watch(pilot)
        pilot.app.exit()
        server.end.set()

    monkeypatch.setenv("LMSTUDIO_BASE_URL", server.base)
    run = partialmethod(App.run_async, headless=True, size=(120, 35), auto_pilot=pilot_app)
    monkeypatch.setattr(DebateApp, "run_async", run)
    seats = [DebaterSettings(source="lmstudio:one"), DebaterSettings(source="lmstudio:two")]
    try:
        await run_fullscreen(make_plan("Who owns the street?", seats, Settings(record=False)))
    finally:
        sys.setprofile(None)


async def test_a_delta_of_a_chat_stream_passes_few_modules_from_socket_to_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = TextTrace()

    async def watch(pilot: Pilot[None]) -> None:
        sys.setprofile(trace)
        server.next_delta.set()
        while not trace.done:
            await pilot.pause()

    async with TwoStreams() as server:
        await run_on_screen(server, watch, monkeypatch)
    assert "display.buffer" in trace.functions, trace
    assert len(trace.functions) <= MAX_MODULES, f"{len(trace.functions)} modules\n{trace}"


# The key `r`


MAX_CALLS = 5
"""Calls of debate_tui from the action of a key to the turn that it concerns."""


async def test_the_key_r_reaches_the_turn_in_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def trace(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code is not RunningTurn.retry.__code__:
            return
        caller: FrameType | None = frame
        while caller is not None and "action_retry" not in caller.f_code.co_qualname:
            if _module(caller):
                calls.insert(0, caller.f_code.co_qualname)
            caller = caller.f_back
        sys.setprofile(None)

    async def watch(pilot: Pilot[None]) -> None:
        asked = len(server.requests)
        sys.setprofile(trace)
        await pilot.press("r")
        while len(server.requests) == asked:
            await pilot.pause()

    async with TwoStreams() as server:
        await run_on_screen(server, watch, monkeypatch)
    assert calls[-2:] == ["TurnRunner.retry", "RunningTurn.retry"]
    assert len(calls) <= MAX_CALLS, calls
