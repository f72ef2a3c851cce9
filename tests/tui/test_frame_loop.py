"""The display's one timer: what is released together, and when it is looked at the clock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from debate_tui.display.buffer import PaneItem, PaneText, SharedBuffer
from debate_tui.display.display_modes import DisplayMode, FrameClock
from debate_tui.display.markdown import Page
from debate_tui.tui.frame_loop import (
    MAX_PANE_FRAME_CHARACTERS,
    THROTTLE_SECONDS,
    FrameLoop,
    ScrollThrottle,
)
from debate_tui.tui.widgets.page_view import Viewport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator


class RecordingTarget:
    """Notes what is released; `flushed` is set by each release."""

    active_streams = 2

    def __init__(self, buffer: SharedBuffer[PaneItem]) -> None:
        self.buffer = buffer
        self.behind = False
        self.times_behind = 0
        self.often_behind = asyncio.Event()
        self.released: list[dict[str, str]] = []
        self.ticks = 0
        self.ticked = asyncio.Event()
        self.flushed = asyncio.Event()
        self.frames: list[list[str]] = []
        self._open: list[str] | None = None

    @property
    def has_backlog(self) -> bool:
        self.times_behind += self.behind
        if self.times_behind == 5:
            self.often_behind.set()
        return self.behind

    @contextmanager
    def frame(self) -> Iterator[None]:
        self._open = []
        yield
        self.frames.append(self._open)
        self._open = None

    def _note(self, what: str) -> None:
        if self._open is None:
            self.frames.append([what])
        else:
            self._open.append(what)

    def paint(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> None:
        taken = self.buffer.take(panes, limit=limit)
        self.released.append(
            {pane: "".join(i.text for i in items if isinstance(i, PaneText)) for pane, items in taken.items()}
        )
        self._note("text")
        self.flushed.set()

    def tick(self, now: float) -> None:
        self._note("tick")
        self.ticks += 1
        self.ticked.set()


@asynccontextmanager
async def running_loop(
    mode: DisplayMode, window: float = 0.02
) -> AsyncIterator[tuple[RecordingTarget, SharedBuffer[PaneItem], FrameClock, FrameLoop]]:
    buffer: SharedBuffer[PaneItem] = SharedBuffer(["a", "b"])
    stage, clock = RecordingTarget(buffer), FrameClock(mode, window=window)
    pulse = FrameLoop(buffer, clock, stage)
    task = asyncio.create_task(pulse.run())
    try:
        yield stage, buffer, clock, pulse
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def push_text(buffer: SharedBuffer[PaneItem], pane: str, text: str) -> None:
    buffer.push(pane, PaneText(1, 1, text), len(text))


async def test_window_releases_all_panes_in_one_call() -> None:
    async with running_loop(DisplayMode.SYNCHRONIZED) as (stage, buffer, _, _):
        push_text(buffer, "a", "1")
        await asyncio.sleep(0)
        push_text(buffer, "b", "2")
        push_text(buffer, "a", "3")
        await stage.flushed.wait()
        assert stage.released == [{"a": "13", "b": "2"}]


async def test_switching_modes_releases_pending_text_at_once() -> None:
    async with running_loop(DisplayMode.SYNCHRONIZED, window=3600) as (stage, buffer, clock, pulse):
        push_text(buffer, "a", "held")
        await asyncio.sleep(0)
        assert stage.released == []
        clock.set_mode(DisplayMode.STAGGERED)
        pulse.wake()
        await stage.flushed.wait()
        assert stage.released == [{"a": "held"}]


async def test_flood_is_released_in_order_in_frames_of_bounded_size() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, _):
        pieces = [str(number) * 1000 for number in range(10)] * 10
        for piece in pieces:
            push_text(buffer, "a", piece)
        while buffer.oldest_arrivals:
            stage.flushed.clear()
            await stage.flushed.wait()
        texts = [frame["a"] for frame in stage.released]
        assert "".join(texts) == "".join(pieces)
        assert max(len(text) for text in texts) < MAX_PANE_FRAME_CHARACTERS + 1000


async def test_no_frame_while_the_terminal_has_a_backlog() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, _):
        stage.behind = True
        push_text(buffer, "a", "later")
        await stage.often_behind.wait()
        assert stage.frames == []
        stage.behind = False
        await stage.flushed.wait()
        assert stage.released == [{"a": "later"}]


async def test_flush_all_needs_no_clock() -> None:
    async with running_loop(DisplayMode.SYNCHRONIZED, window=3600) as (stage, buffer, _, pulse):
        push_text(buffer, "a", "now")
        pulse.flush_all()
        assert stage.released == [{"a": "now"}]
        assert not buffer.oldest_arrivals


async def test_ticks_share_frames_with_text() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, _):
        while stage.ticks < 2:
            stage.flushed.clear()
            push_text(buffer, "a", "word ")
            await stage.flushed.wait()
    assert sum("tick" in frame for frame in stage.frames) == 2
    assert all("text" in frame for frame in stage.frames)


async def test_ticks_have_their_own_frames_without_text() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, _, _, _):
        await stage.ticked.wait()
    assert stage.frames == [["tick"]]


# A slow terminal: panes scroll in turn, by much at once.


class PacedTerminal(NamedTuple):
    throttle: ScrollThrottle
    viewports: list[Viewport]

    def leaps(self, now: float, *, streaming: bool = True) -> list[int]:
        self.throttle.limit_scrolling(self.viewports, now, streaming=streaming)
        return [viewport.scroll_step for viewport in self.viewports]


@pytest.fixture
def paced() -> PacedTerminal:
    viewports = [Viewport(Page(40)) for _ in range(3)]
    for viewport in viewports:
        viewport.resize(40, 30)
    return PacedTerminal(ScrollThrottle(), viewports)


def test_fast_terminal_scrolls_line_by_line(paced: PacedTerminal) -> None:
    assert paced.leaps(0) == [1, 1, 1]


def test_slow_terminal_scrolls_panes_in_turn(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    frames = [paced.leaps(frame / 10) for frame in range(6)]
    assert all(sorted(leaps) == [0, 0, 10] for leaps in frames)
    assert [leaps.index(10) for leaps in frames[:3]] == [leaps.index(10) for leaps in frames[3:]]
    assert {leaps.index(10) for leaps in frames} == {0, 1, 2}


def test_one_slow_write_does_not_throttle(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 1)
    assert paced.leaps(0) == [1, 1, 1]
    paced.throttle.update(2, 2)
    assert paced.leaps(2) == [1, 1, 1]
    paced.throttle.update(2.5, 3)
    assert sorted(paced.leaps(2.5)) == [0, 0, 10]


def test_throttling_ends_after_a_while(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    assert paced.leaps(THROTTLE_SECONDS) == [1, 1, 1]


def test_all_panes_may_scroll_once_nothing_streams(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    assert paced.leaps(0.1, streaming=False) == [1, 1, 1]


async def test_text_waits_for_the_effect_of_a_key() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, pulse):
        await asyncio.sleep(0)
        pulse.start_input()
        assert not buffer.has_room("a")
        push_text(buffer, "a", "text")
        for _ in range(5):
            await asyncio.sleep(0)
        assert stage.released == []
        pulse.finish_input()
        assert buffer.has_room("a")
        await stage.flushed.wait()
        assert stage.released == [{"a": "text"}]


async def test_text_waits_briefly_for_a_key_without_effect() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, pulse):
        pulse.start_input()
        push_text(buffer, "a", "text")
        await stage.flushed.wait()
        assert buffer.has_room("a")


async def test_keys_leave_time_for_text() -> None:
    async with running_loop(DisplayMode.STAGGERED) as (stage, buffer, _, pulse):
        pulse.start_input()
        push_text(buffer, "a", "text")
        await stage.flushed.wait()
        pulse.start_input()  # too early
        assert buffer.has_room("a")


class SlowTarget(RecordingTarget):
    """Takes as long for a frame as it is told to."""

    def __init__(self, buffer: SharedBuffer[PaneItem], clock: dict[str, float]) -> None:
        super().__init__(buffer)
        self.clock = clock
        self.seconds = 0.0

    def paint(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> None:
        super().paint(panes, limit=limit)
        self.clock["now"] += self.seconds


def test_frame_size_adapts_to_the_painting_speed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = {"now": 1.0}
    monkeypatch.setattr("debate_tui.tui.frame_loop.time.monotonic", lambda: clock["now"])
    buffer: SharedBuffer[PaneItem] = SharedBuffer(["a"], clock=lambda: clock["now"])
    stage = SlowTarget(buffer, clock)
    pulse = FrameLoop(buffer, FrameClock(DisplayMode.STAGGERED), stage)

    def frames(count: int, seconds: float) -> list[int]:
        stage.seconds = seconds
        stage.released.clear()
        for _ in range(count):
            for _ in range(100):
                push_text(buffer, "a", "x" * 1024)
            clock["now"] += 1
            pulse._paint_due(clock["now"], tick_due=False)
            buffer.take()
        return [len(frame["a"]) for frame in stage.released]

    assert frames(6, 0.1) == [size * 1024 for size in (32, 16, 8, 4, 4, 4)]
    assert frames(5, 0.001) == [size * 1024 for size in (4, 8, 16, 32, 32)]
