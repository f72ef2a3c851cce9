"""What is painted when: the modes' promises, held over any interleaving of what can happen."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.modes import FRAME, LONGEST_REST, WINDOW, Due, FrameClock, Mode

PANES = ("a", "b", "c", "d")
ROUNDING = 1e-9


def test_the_mode_key_goes_round() -> None:
    assert Mode.SYNCHRONIZED.next is Mode.STAGGERED
    assert Mode.STAGGERED.next is Mode.HYBRID
    assert Mode.HYBRID.next is Mode.SYNCHRONIZED
    assert Mode("hybrid") is Mode.HYBRID


def test_nothing_pending_is_nothing_to_do() -> None:
    for mode in Mode:
        assert FrameClock(mode).due(1.0, {}, active=4) == Due((), None)


def test_a_window_opens_with_its_first_text_and_paints_all_panes() -> None:
    clock = FrameClock(Mode.SYNCHRONIZED)
    assert clock.due(5.0, {"a": 5.0}, active=1) == Due((), 5.1)
    assert clock.due(5.09, {"a": 5.0, "b": 5.08}, active=1) == Due((), 5.1)
    assert clock.due(5.1, {"a": 5.0, "b": 5.08}, active=1) == Due(("a", "b"), None)


def test_windows_follow_one_another_on_absolute_deadlines() -> None:
    clock = FrameClock(Mode.SYNCHRONIZED)
    oldest, deadlines = 0.0, []
    for _ in range(100):
        deadline = clock.due(oldest, {"a": oldest}, active=1).again
        assert deadline is not None
        deadlines.append(deadline)
        late = deadline + 0.003
        assert clock.due(late, {"a": oldest}, active=1).panes == ("a",)
        oldest = late + 0.02
    assert deadlines == pytest.approx([tick * WINDOW for tick in range(1, 101)])


def test_staggered_text_is_painted_at_once_but_never_faster_than_frames() -> None:
    clock = FrameClock(Mode.STAGGERED)
    assert clock.due(1.0, {"a": 1.0}, active=4) == Due(("a",), None)
    assert clock.due(1.001, {"b": 1.001}, active=4) == Due((), 1.0 + FRAME)
    assert clock.due(1.0 + FRAME, {"b": 1.001}, active=4) == Due(("b",), None)


def test_hybrid_follows_the_number_of_active_streams() -> None:
    clock = FrameClock(Mode.HYBRID)
    assert [clock.synchronized(active) for active in range(4)] == [False, False, True, True]
    assert clock.due(1.0, {"a": 1.0}, active=2) == Due((), 1.1)
    assert clock.due(1.02, {"a": 1.0}, active=1) == Due(("a",), None)


def test_a_crowd_is_painted_before_its_window_closes() -> None:
    clock = FrameClock(Mode.SYNCHRONIZED)
    assert clock.due(1.01, {"a": 1.0}, active=2, crowded=True).panes == ("a",)
    assert clock.due(1.011, {"a": 1.011}, active=2, crowded=True).again == pytest.approx(1.01 + FRAME)
    assert clock.due(1.03, {"a": 1.011}, active=2).again == pytest.approx(1.11)


@pytest.mark.parametrize("mode", Mode)
def test_switching_and_flushing_paint_at_once(mode: Mode) -> None:
    clock = FrameClock(Mode.SYNCHRONIZED)
    clock.due(1.0, {"a": 0.9}, active=4)
    clock.spent(0.2)
    clock.switch(mode)
    assert clock.mode is mode
    assert clock.due(1.0, {"a": 1.0, "b": 1.0}, active=4).panes == ("a", "b")
    clock.flush()
    assert clock.due(1.0, {"c": 1.0}, active=4).panes == ("c",)
    clock.flush()
    assert clock.due(1.0, {}, active=4) == Due()
    assert clock.due(1.001, {"a": 1.001}, active=4).panes == ()


def test_slow_painting_makes_frames_rarer() -> None:
    clock = FrameClock(Mode.STAGGERED)
    assert clock.due(1.0, {"a": 1.0}, active=1).panes == ("a",)
    clock.spent(0.040)
    assert clock.due(1.041, {"a": 1.041}, active=1).again == pytest.approx(1.080)
    assert clock.due(1.081, {"a": 1.041}, active=1).panes == ("a",)
    clock.spent(60.0)
    assert clock.due(1.1, {"a": 1.1}, active=1).again == pytest.approx(1.081 + LONGEST_REST)


def test_a_loop_that_is_late_again_and_again_is_given_rest() -> None:
    clock = FrameClock(Mode.STAGGERED)
    assert clock.due(1.050, {"a": 1.000}, active=1).panes == ("a",)
    assert clock.due(1.051, {"a": 1.051}, active=1).again == pytest.approx(1.050 + FRAME)
    assert clock.due(1.051 + 0.040, {"a": 1.051}, active=1).panes == ("a",)
    rested = clock.due(1.100, {"a": 1.100}, active=1).again
    assert rested is not None
    assert rested > 1.091 + FRAME


def test_a_terminal_that_lags_behind_gets_no_further_frame() -> None:
    clock = FrameClock(Mode.STAGGERED)
    now = 1.0
    for _ in range(20):
        due = clock.due(now, {"a": 1.0}, active=1, backlog=True)
        assert due.panes == ()
        assert due.again == pytest.approx(now + FRAME)
        now += FRAME
    assert clock.due(now, {"a": 1.0}, active=1).panes == ("a",)
    assert clock.due(now + FRAME, {"a": now + FRAME}, active=1).panes == ("a",)


class Screen(RuleBasedStateMachine):
    """A driver that asks on time, a terminal that keeps up, and everything that can happen to both."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.buffer: SharedBuffer[str] = SharedBuffer(PANES, max_chunks=8, clock=lambda: self.now)
        self.buffer.woken = self.ask
        self.clock = FrameClock(Mode.HYBRID)
        self.active = 0
        self.again: float | None = None
        self.bound = 0.0  # what pending text was promised before the mode in effect changed
        self.arrivals: dict[str, list[float]] = {pane: [] for pane in PANES}
        self.received = dict.fromkeys(PANES, "")
        self.painted = dict.fromkeys(PANES, "")

    def ask(self) -> None:
        pending = dict(self.buffer.pending)
        synchronized = self.clock.synchronized(self.active)
        bound = max(self.bound, WINDOW if synchronized else FRAME) + ROUNDING
        due = self.clock.due(self.now, pending, active=self.active, crowded=self.buffer.crowded)
        self.again = due.again
        if not due.panes:
            assert (due.again is None) == (not pending)
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

    @rule(mode=st.sampled_from(Mode))
    def switch(self, mode: Mode) -> None:
        self.bound = WINDOW
        self.clock.switch(mode)
        self.ask()
        assert not self.buffer.pending

    @rule()
    def pause(self) -> None:
        self.clock.flush()
        self.ask()
        assert not self.buffer.pending

    @rule(active=st.integers(0, 4))
    def streams(self, active: int) -> None:
        if self.buffer.pending and self.clock.synchronized(self.active):
            self.bound = WINDOW
        self.active = active
        self.ask()

    @rule(panes=st.sets(st.sampled_from(PANES)))
    def take(self, panes: set[str]) -> None:
        self.paint(self.buffer.take(panes))

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self) -> None:
        for pane in PANES:
            assert self.received[pane].startswith(self.painted[pane])
            pending = self.buffer.statistics().panes[pane].fill
            assert len(self.painted[pane]) + pending == len(self.received[pane])

    @invariant()
    def nothing_waits_too_long(self) -> None:
        for pane, arrivals in self.arrivals.items():
            assert (pane in self.buffer.pending) == bool(arrivals)
            if arrivals:
                assert self.now - arrivals[0] <= WINDOW + FRAME

    def teardown(self) -> None:
        self.bound = WINDOW
        self.clock.flush()
        self.ask()
        assert self.painted == self.received


TestScreen = Screen.TestCase
TestScreen.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize(
    ("mode", "active", "patience"),
    [
        (Mode.SYNCHRONIZED, 1, 0.05),
        (Mode.HYBRID, 2, 0.05),
        (Mode.HYBRID, 1, FRAME / 2),
        (Mode.STAGGERED, 4, FRAME / 2),
    ],
)
def test_text_may_gather_for_half_of_what_it_would_wait_anyway(
    mode: Mode, active: int, patience: float
) -> None:
    assert FrameClock(mode, window=0.1).patience(active) == pytest.approx(patience)
