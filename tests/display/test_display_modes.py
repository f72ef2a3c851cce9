"""What is painted when: the modes' promises, held over any interleaving of what can happen."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.display_modes import (
    FLUSH_WINDOW,
    MAX_FRAME_REST,
    MIN_FRAME_INTERVAL,
    DisplayMode,
    FrameClock,
    FrameDecision,
)

PANES = ("a", "b", "c", "d")
ROUNDING = 1e-9


def test_the_mode_key_cycles() -> None:
    assert DisplayMode.SYNCHRONIZED.next is DisplayMode.STAGGERED
    assert DisplayMode.STAGGERED.next is DisplayMode.HYBRID
    assert DisplayMode.HYBRID.next is DisplayMode.SYNCHRONIZED
    assert DisplayMode("hybrid") is DisplayMode.HYBRID


def test_nothing_pending_is_nothing_to_do() -> None:
    for mode in DisplayMode:
        assert FrameClock(mode).decide(1.0, {}, active_streams=4) == FrameDecision((), None)


def test_a_window_opens_with_its_first_text_and_paints_all_panes() -> None:
    clock = FrameClock(DisplayMode.SYNCHRONIZED)
    assert clock.decide(5.0, {"a": 5.0}, active_streams=1) == FrameDecision((), 5.1)
    assert clock.decide(5.09, {"a": 5.0, "b": 5.08}, active_streams=1) == FrameDecision((), 5.1)
    assert clock.decide(5.1, {"a": 5.0, "b": 5.08}, active_streams=1) == FrameDecision(("a", "b"), None)


def test_windows_follow_one_another_on_absolute_deadlines() -> None:
    clock = FrameClock(DisplayMode.SYNCHRONIZED)
    oldest, deadlines = 0.0, []
    for _ in range(100):
        deadline = clock.decide(oldest, {"a": oldest}, active_streams=1).ask_again_at
        assert deadline is not None
        deadlines.append(deadline)
        late = deadline + 0.003
        assert clock.decide(late, {"a": oldest}, active_streams=1).panes == ("a",)
        oldest = late + 0.02
    assert deadlines == pytest.approx([tick * FLUSH_WINDOW for tick in range(1, 101)])


def test_staggered_text_is_painted_at_once_but_never_faster_than_frames() -> None:
    clock = FrameClock(DisplayMode.STAGGERED)
    assert clock.decide(1.0, {"a": 1.0}, active_streams=4) == FrameDecision(("a",), None)
    assert clock.decide(1.001, {"b": 1.001}, active_streams=4) == FrameDecision((), 1.0 + MIN_FRAME_INTERVAL)
    assert clock.decide(1.0 + MIN_FRAME_INTERVAL, {"b": 1.001}, active_streams=4) == FrameDecision(
        ("b",), None
    )


def test_hybrid_follows_the_number_of_active_streams() -> None:
    clock = FrameClock(DisplayMode.HYBRID)
    assert [clock.is_synchronized(active) for active in range(4)] == [False, False, True, True]
    assert clock.decide(1.0, {"a": 1.0}, active_streams=2) == FrameDecision((), 1.1)
    assert clock.decide(1.02, {"a": 1.0}, active_streams=1) == FrameDecision(("a",), None)


def test_a_crowd_is_painted_before_its_window_closes() -> None:
    clock = FrameClock(DisplayMode.SYNCHRONIZED)
    assert clock.decide(1.01, {"a": 1.0}, active_streams=2, flush_early=True).panes == ("a",)
    assert clock.decide(
        1.011, {"a": 1.011}, active_streams=2, flush_early=True
    ).ask_again_at == pytest.approx(1.01 + MIN_FRAME_INTERVAL)
    assert clock.decide(1.03, {"a": 1.011}, active_streams=2).ask_again_at == pytest.approx(1.11)


@pytest.mark.parametrize("mode", DisplayMode)
def test_switching_and_flushing_paint_at_once(mode: DisplayMode) -> None:
    clock = FrameClock(DisplayMode.SYNCHRONIZED)
    clock.decide(1.0, {"a": 0.9}, active_streams=4)
    clock.record_paint_time(0.2)
    clock.set_mode(mode)
    assert clock.mode is mode
    assert clock.decide(1.0, {"a": 1.0, "b": 1.0}, active_streams=4).panes == ("a", "b")
    clock.request_flush()
    assert clock.decide(1.0, {"c": 1.0}, active_streams=4).panes == ("c",)
    clock.request_flush()
    assert clock.decide(1.0, {}, active_streams=4) == FrameDecision()
    assert clock.decide(1.001, {"a": 1.001}, active_streams=4).panes == ()


def test_slow_painting_lowers_the_frame_rate() -> None:
    clock = FrameClock(DisplayMode.STAGGERED)
    assert clock.decide(1.0, {"a": 1.0}, active_streams=1).panes == ("a",)
    clock.record_paint_time(0.040)
    assert clock.decide(1.041, {"a": 1.041}, active_streams=1).ask_again_at == pytest.approx(1.080)
    assert clock.decide(1.081, {"a": 1.041}, active_streams=1).panes == ("a",)
    clock.record_paint_time(60.0)
    assert clock.decide(1.1, {"a": 1.1}, active_streams=1).ask_again_at == pytest.approx(
        1.081 + MAX_FRAME_REST
    )


def test_a_loop_that_is_late_again_and_again_is_given_rest() -> None:
    clock = FrameClock(DisplayMode.STAGGERED)
    assert clock.decide(1.050, {"a": 1.000}, active_streams=1).panes == ("a",)
    assert clock.decide(1.051, {"a": 1.051}, active_streams=1).ask_again_at == pytest.approx(
        1.050 + MIN_FRAME_INTERVAL
    )
    assert clock.decide(1.051 + 0.040, {"a": 1.051}, active_streams=1).panes == ("a",)
    rested = clock.decide(1.100, {"a": 1.100}, active_streams=1).ask_again_at
    assert rested is not None
    assert rested > 1.091 + MIN_FRAME_INTERVAL


def test_a_terminal_that_lags_behind_gets_no_further_frame() -> None:
    clock = FrameClock(DisplayMode.STAGGERED)
    now = 1.0
    for _ in range(20):
        due = clock.decide(now, {"a": 1.0}, active_streams=1, terminal_backlog=True)
        assert due.panes == ()
        assert due.ask_again_at == pytest.approx(now + MIN_FRAME_INTERVAL)
        now += MIN_FRAME_INTERVAL
    assert clock.decide(now, {"a": 1.0}, active_streams=1).panes == ("a",)
    assert clock.decide(
        now + MIN_FRAME_INTERVAL, {"a": now + MIN_FRAME_INTERVAL}, active_streams=1
    ).panes == ("a",)


class SimulatedScreen(RuleBasedStateMachine):
    """A driver that asks on time, a terminal that keeps up, and everything that can happen to both."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.buffer: SharedBuffer[str] = SharedBuffer(PANES, max_pending_items=8, clock=lambda: self.now)
        self.buffer.on_due_change = self.ask
        self.clock = FrameClock(DisplayMode.HYBRID)
        self.active = 0
        self.again: float | None = None
        self.bound = 0.0  # what pending text was promised before the mode in effect changed
        self.arrivals: dict[str, list[float]] = {pane: [] for pane in PANES}
        self.received = dict.fromkeys(PANES, "")
        self.painted = dict.fromkeys(PANES, "")

    def ask(self) -> None:
        pending = dict(self.buffer.oldest_arrivals)
        synchronized = self.clock.is_synchronized(self.active)
        bound = max(self.bound, FLUSH_WINDOW if synchronized else MIN_FRAME_INTERVAL) + ROUNDING
        due = self.clock.decide(
            self.now, pending, active_streams=self.active, flush_early=self.buffer.should_flush_early
        )
        self.again = due.ask_again_at
        if not due.panes:
            assert (due.ask_again_at is None) == (not pending)
            return
        if synchronized:
            assert set(due.panes) == set(pending)
        for pane in due.panes:
            assert self.now - self.arrivals[pane][0] <= bound
        self.paint(self.buffer.take(due.panes))
        self.bound = 0.0

    def paint(self, taken: dict[str, list[str]]) -> None:
        for pane, items in taken.items():
            self.painted[pane] += "".join(items)
            del self.arrivals[pane][: len(items)]

    @rule(pane=st.sampled_from(PANES), text=st.text(min_size=1, max_size=4))
    def chunk(self, pane: str, text: str) -> None:
        self.received[pane] += text
        self.arrivals[pane].append(self.now)
        self.buffer.push(pane, text, len(text))

    @rule(seconds=st.floats(0.0, 0.3))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.again is not None and self.again <= until:
            self.now = max(self.now, self.again)
            self.ask()
        self.now = until

    @rule(mode=st.sampled_from(DisplayMode))
    def switch(self, mode: DisplayMode) -> None:
        self.bound = FLUSH_WINDOW
        self.clock.set_mode(mode)
        self.ask()
        assert not self.buffer.oldest_arrivals

    @rule()
    def pause(self) -> None:
        self.clock.request_flush()
        self.ask()
        assert not self.buffer.oldest_arrivals

    @rule(active=st.integers(0, 4))
    def streams(self, active: int) -> None:
        if self.buffer.oldest_arrivals and self.clock.is_synchronized(self.active):
            self.bound = FLUSH_WINDOW
        self.active = active
        self.ask()

    @rule(panes=st.sets(st.sampled_from(PANES)))
    def take(self, panes: set[str]) -> None:
        self.paint(self.buffer.take(panes))

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self) -> None:
        for pane in PANES:
            assert self.received[pane].startswith(self.painted[pane])
            pending = self.buffer.statistics()[pane].pending_size
            assert len(self.painted[pane]) + pending == len(self.received[pane])

    @invariant()
    def nothing_waits_too_long(self) -> None:
        for pane, arrivals in self.arrivals.items():
            assert (pane in self.buffer.oldest_arrivals) == bool(arrivals)
            if arrivals:
                assert self.now - arrivals[0] <= FLUSH_WINDOW + MIN_FRAME_INTERVAL

    def teardown(self) -> None:
        self.bound = FLUSH_WINDOW
        self.clock.request_flush()
        self.ask()
        assert self.painted == self.received


TestFrameClockSchedule = SimulatedScreen.TestCase
TestFrameClockSchedule.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize(
    ("mode", "active", "patience"),
    [
        (DisplayMode.SYNCHRONIZED, 1, 0.05),
        (DisplayMode.HYBRID, 2, 0.05),
        (DisplayMode.HYBRID, 1, MIN_FRAME_INTERVAL / 2),
        (DisplayMode.STAGGERED, 4, MIN_FRAME_INTERVAL / 2),
    ],
)
def test_text_may_gather_for_half_of_what_it_would_wait_anyway(
    mode: DisplayMode, active: int, patience: float
) -> None:
    assert FrameClock(mode, window=0.1).read_delay(active) == pytest.approx(patience)
