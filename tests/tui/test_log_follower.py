"""Following a log: nothing missed, nothing twice, state at once and text through the buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.buffer import PaneItem, PaneText, SharedBuffer
from debate_tui.domain import events as ev
from debate_tui.domain.events import DebaterInfo
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.record.log import MemoryLog
from debate_tui.tui.log_follower import LogFollower
from debate_tui.tui.pane_state import PaneState
from debate_tui.tui.symbols import UNICODE

if TYPE_CHECKING:
    from collections.abc import Sequence

CAST = tuple(DebaterInfo(name, name.title(), "", "demo", "") for name in ("a", "b"))


class FollowerHarness:
    """A follower, and what it told."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog(clock=lambda: self.now)
        self.now = 100.0
        self.buffer: SharedBuffer[PaneItem] = SharedBuffer(["a", "b"])
        self.told: list[str] = []
        self.counts: list[int] = []
        self.follower = LogFollower(
            self.buffer,
            on_debate_event=lambda event: self.told.append(type(event).__name__),
            on_active_change=lambda: self.counts.append(self.follower.active_streams),
        )

    def tell(self, *happened: ev.Event, at: float | None = None) -> None:
        self.now = self.now if at is None else at
        for event in happened:
            self.log.append(event)

    def taken(self, pane: str) -> str:
        items = self.buffer.take([pane]).get(pane, [])
        return "".join(item.text for item in items if isinstance(item, PaneText))


def start() -> Sequence[ev.Event]:
    return (
        ev.DebateStarted(debate="d", topic="t", format="f", debaters=CAST),
        ev.PhaseStarted(phase="opening", round=1, rounds=1),
        ev.TurnStarted(turn=1, debater="a", phase="opening"),
    )


def delta(offset: int, text: str) -> ev.TurnDelta:
    return ev.TurnDelta(turn=1, debater="a", attempt=1, offset=offset, text=text)


class ConcurrentlyAppendedLog(MemoryLog):
    """A log to which something is appended while it is being read."""

    meanwhile: ev.Event | None = None

    async def read(self, after: int = 0, limit: int = 1000) -> Sequence[ev.Event]:
        found = await super().read(after, limit)
        if self.meanwhile is not None:
            event, self.meanwhile = self.meanwhile, None
            self.append(event)
        return found


async def test_events_appended_during_the_backlog_are_applied_once_in_order() -> None:
    log = ConcurrentlyAppendedLog()
    for event in (*start(), delta(0, "one ")):
        log.append(event)
    log.meanwhile = delta(4, "two ")
    watch = FollowerHarness(log)
    await watch.follower.open(watch.log)
    log.append(delta(8, "three"))
    assert watch.taken("a") == "one two three"


async def test_debate_events_and_active_streams_are_reported_at_once() -> None:
    watch = FollowerHarness()
    await watch.follower.open(watch.log)
    watch.tell(*start(), ev.StreamStatus(debater="a", state="streaming", attempt=1))
    watch.tell(
        ev.StreamStatus(debater="a", state="finished", attempt=1), ev.DebateFinished(reason="complete")
    )
    assert watch.told == ["DebateStarted", "PhaseStarted", "DebateFinished"]
    assert watch.counts == [1, 0]


async def test_closed_follower_ignores_events() -> None:
    watch = FollowerHarness()
    await watch.follower.open(watch.log)
    watch.follower.close()
    watch.tell(*start(), delta(0, "x"))
    assert watch.told == []
    assert watch.taken("a") == ""


async def test_meter_uses_log_times_and_provider_figures() -> None:
    watch = FollowerHarness()
    await watch.follower.open(watch.log)
    watch.tell(*start())
    watch.tell(delta(0, "x" * 42), at=101.5)
    watch.tell(delta(42, "x" * 42), at=103.5)
    speaker = PaneState(CAST[0], watch.follower)
    reading = speaker.meter_reading()
    assert (reading.ttft_ms, reading.tokens, reading.tokens_estimated, reading.tokens_per_second) == (
        1500,
        20,
        True,
        10.0,
    )
    watch.tell(
        ev.TurnFinished(
            turn=1, debater="a", reason="complete", usage=Usage(output_tokens=17), cost=0.5, ttft_ms=1400
        )
    )
    reading = speaker.meter_reading()
    assert (reading.ttft_ms, reading.tokens, reading.tokens_estimated, reading.cost) == (1400, 17, False, 0.5)


async def test_superseded_text_is_not_counted() -> None:
    watch = FollowerHarness()
    await watch.follower.open(watch.log)
    watch.tell(*start(), delta(0, "x" * 420), ev.TurnSuperseded(turn=1, debater="a", attempt=2))
    assert PaneState(CAST[0], watch.follower).meter_reading().tokens is None


async def test_debater_is_paused_alone_with_all_or_by_a_fault() -> None:
    speaker = PaneState(CAST[0], FollowerHarness().follower)
    for paused, resumed in (
        (ev.DebatePaused(reason="user", debater="a"), ev.DebateResumed(reason="user", debater="a")),
        (ev.DebatePaused(reason="user", debater=None), ev.DebateResumed(reason="user", debater=None)),
        (ev.DebatePaused(reason="no key", debater="b"), ev.DebateResumed(reason="decided", debater="b")),
        (ev.DebatePaused(reason="user", debater=None), ev.DebateResumed(reason="user", debater="a")),
    ):
        speaker.apply(paused, 0)
        assert speaker.is_paused
        speaker.apply(resumed, 0)
        assert not speaker.is_paused
    speaker.apply(ev.DebatePaused(reason="user", debater="b"), 0)
    assert not speaker.is_paused


async def test_countdown_uses_the_screens_clock() -> None:
    speaker = PaneState(CAST[0], FollowerHarness().follower)
    error = FaultReport(FaultKind.NETWORK, "reset\x1b[31m\nby peer")
    speaker.apply(
        ev.StreamStatus(
            debater="a",
            state="reconnecting",
            attempt=1,
            retry=1,
            max_retries=5,
            retry_in_ms=4000,
            error=error,
        ),
        50.0,
    )
    assert speaker.badge(51.5).text(UNICODE) == "↻ reconnecting 1/5 · 3s"
    assert speaker.badge(60.0).text(UNICODE) == "↻ reconnecting 1/5"
    assert speaker.problem == "reset by peer"
