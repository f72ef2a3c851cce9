"""The statistics screen: live figures over a debate that goes on."""

from __future__ import annotations

import random
import re

import pytest

from debate_tui.display.buffer import PaneBufferStatistics
from debate_tui.display.statistics import Statistics
from debate_tui.domain import events as ev
from debate_tui.domain.stream import Connected, FaultKind, FaultReport, StreamOrigin, Usage
from debate_tui.tui.screens.statistics import StatisticsScreen
from tests.tui.debate_harness import START, DebateHarness
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, freeze_clocks, matches_snapshot

RESET = FaultReport(FaultKind.NETWORK, "The connection to api.anthropic.com broke: reset by peer.")
BUSY = FaultReport(FaultKind.OVERLOADED, "The model is overloaded, try again later.", 529)
SPEEDS = (62.0, 48.0, 95.0, 31.0)
WORDS = ("a", "city", "centre", "is", "one", "place", "where", "everything", "near", "else")


class FixedPaintTime(Statistics):
    """Statistics of a screen that always takes as long for a frame."""

    def record_frame(self, seconds: float) -> None:
        super().record_frame(0.0021 if seconds else 0.0)


class SteadyDebate:
    """Speeches at a steady pace into a board that is measured; nothing in it is left to chance."""

    def __init__(self, panes: int, **options: object) -> None:
        self.statistics = FixedPaintTime(clock=lambda: self.board.now)
        self.board = DebateHarness(panes, statistics=self.statistics, **options)
        self.board.log.subscribe(self.statistics)
        self.chance = random.Random(4)
        self.attempts = dict.fromkeys((debater.id for debater in self.board.debaters), 1)

    def at(self, seconds: float) -> SteadyDebate:
        self.board.now = START + seconds
        return self

    def status(self, debater: str, state: str, **more: object) -> None:
        attempt = self.attempts[debater]
        self.board.log_events(ev.StreamStatus(debater=debater, state=state, attempt=attempt, **more))

    def connect(
        self, debater: str, took: float, origin: StreamOrigin = StreamOrigin.START, **more: object
    ) -> None:
        self.status(debater, "connecting", **more)
        self.board.now += took
        self.status(debater, "connected")
        reused = self.attempts[debater] == 1 and self.board.turns[debater] > 4
        self.statistics.record_connection(debater, Connected(origin, "HTTP/1.1", reused))

    def break_off(self, debater: str, error: FaultReport, retry: int, wait: float) -> None:
        self.status(
            debater, "reconnecting", retry=retry, max_retries=5, retry_in_ms=int(wait * 1000), error=error
        )
        self.attempts[debater] += 1

    def speak(self, until: float, *debaters: str, reasoning: tuple[str, ...] = ()) -> None:
        """Words of all of them, one after the other as their speeds have it, until that second."""
        due = dict.fromkeys(debaters, self.board.now)
        speeds = dict(zip((debater.id for debater in self.board.debaters), SPEEDS, strict=False))
        while (soonest := min(due, key=lambda debater: due[debater])) and due[soonest] < START + until:
            self.board.now = max(self.board.now, due[soonest])
            self.board.say(soonest, f"{self.chance.choice(WORDS)} ", reasoning=soonest in reasoning)
            due[soonest] += self.chance.expovariate(speeds[soonest])


def play_minute(panes: int, **options: object) -> DebateHarness:
    """A minute of a debate in which one stream breaks and heals, and one is lost."""
    debate = SteadyDebate(panes, **options)
    board = debate.at(0).board.begin().phase()
    names = [debater.id for debater in board.debaters]
    for place, name in enumerate(names):
        debate.at(0.1 + place / 50).connect(name, 0.18 + place / 10)
    for name in names:
        debate.at(0.8).status(name, "streaming")
    debate.speak(12, *names, reasoning=("cleo",))
    debate.break_off("ben", RESET, 1, 1.1)
    others = [name for name in names if name != "ben"]
    debate.speak(13.1, *others, reasoning=("cleo",))
    debate.connect("ben", 0.2, StreamOrigin.CONTINUATION, retry=1, max_retries=5)
    debate.status("ben", "streaming", recovered=True)
    debate.speak(21, *names)
    if "dara" in names:
        for retry, (at, wait) in enumerate(((21, 1.0), (23, 2.0), (26, 4.0)), 1):
            debate.speak(at, *(name for name in names if name != "dara"))
            debate.break_off("dara", BUSY, retry, wait)
    rest = [name for name in names if name != "dara"]
    debate.speak(31, *rest)
    if "dara" in names:
        board.end("dara", "failed", error=BUSY)
        board.log_events(ev.DebaterRemoved(debater="dara", reason=BUSY.message, remaining=tuple(rest)))
    debate.speak(38, *rest)
    for name in rest:
        usage = Usage(400, 30_000 // len(name) // 10, 0)
        board.end(name, usage=usage, cost=usage.output_tokens * 1e-5, ttft_ms=700, duration_ms=37_300)
    board.debaters = tuple(debater for debater in board.debaters if debater.id in rest)
    debate.at(38.2).board.phase("rebuttal", 1, 2)
    for place, name in enumerate(rest):
        debate.attempts[name] = 1
        debate.at(38.3 + place / 50).connect(name, 0.09)
    for name in rest:
        debate.at(38.9).status(name, "streaming")
    debate.speak(61, *rest)
    debate.break_off("ben", RESET, 1, 3.0)
    debate.speak(62, "ada")
    lanes = {name: PaneBufferStatistics(120, 0, 0.0) for name in names}
    lanes["ada"] = PaneBufferStatistics(33_012, 3, 1.24)
    board.buffer.statistics = lambda: lanes  # type: ignore[method-assign]
    return board


@pytest.fixture
def _clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_clocks(monkeypatch, 62)


@pytest.mark.usefixtures("_clock_stands_still")
@at_every_size_and_theme
@pytest.mark.parametrize("panes", [2, 4])
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str, panes: int) -> None:
    assert matches_snapshot(snap_compare, play_minute(panes, theme=theme), size, None, "s")


async def test_the_figures_go_on_while_they_are_shown_and_so_does_the_debate() -> None:
    debate = SteadyDebate(2)
    async with debate.board.opened() as board:
        board.begin().phase()
        debate.at(1).connect("ada", 0.25)
        debate.status("ada", "streaming")
        await board.press("s")
        assert isinstance(board.app.screen, StatisticsScreen)
        assert row(board, "connection")[:2] == ["HTTP/1.1 · first byte 250 ms", "–"]
        debate.speak(6, "ada")
        await open_statistics(board)
        assert row(board, "first token")[:2] == ["1.25 s", "–"]
        turn = debate.statistics.newest_turn("ada")
        assert turn.mean_rate is not None
        assert row(board, "tokens/s")[0].endswith(f" now · {turn.mean_rate:.0f} mean")
        assert "▁" in board.text or "█" in board.text
        debate.break_off("ada", BUSY, 1, 2.0)
        await open_statistics(board)
        assert row(board, "state")[:2] == ["reconnecting 1/5", "waiting"]
        assert row(board, "reconnects")[:2] == ["1 · waited 2 s", "–"]
        assert row(board, "faults")[0].startswith("overloaded (529) · The model is")
        await board.press("s")
        assert not isinstance(board.app.screen, StatisticsScreen)
        assert board.pane_text("ada").split()[-1] in WORDS


@pytest.mark.parametrize("key", ["s", "escape", "q"])
async def test_it_closes_again(key: str) -> None:
    async with DebateHarness(2).opened() as board:
        await board.press("s")
        assert "Stream statistics" in board.text
        await board.press(key)
        assert "Stream statistics" not in board.text
        assert board.app.is_running


async def test_it_scrolls_where_it_does_not_fit() -> None:
    async with play_minute(4).opened(40, 15) as board:
        await board.press("s")
        assert "Stream statistics" in board.text
        assert "backpressure" not in board.text
        await board.press("end")
        assert "backpressure" in board.text
        await board.press("home")
        assert "Stream statistics" in board.text


async def test_a_decision_comes_over_it() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("s")
        board.log_events(ev.DebatePaused(reason="No key", debater="ben"))
        await board.settle()
        assert "Ben cannot continue" in board.text
        await board.press("escape", "escape")
        assert len(board.app.screen_stack) == 1


async def test_without_a_holder_the_log_is_measured_as_it_is_followed() -> None:
    board = DebateHarness(2).begin().phase().say("ada", "x" * 42)
    async with board.opened():
        board.say("ada", "y" * 42)
        await board.press("s")
        assert row(board, "tokens")[0] == "~20"


async def test_meter_and_statistics_agree() -> None:
    debate = SteadyDebate(2)
    async with debate.board.opened() as board:
        board.begin().phase()
        debate.at(1).connect("ada", 0.25)
        debate.speak(6, "ada")
        debate.board.end("ada", usage=Usage(400, 300, 0), cost=0.003, ttft_ms=700, duration_ms=5000)
        await board.settle()
        meter = board.pane("ada")._metrics_line.rows(80)[0].left[0].text
        await board.press("s")
        first, _words, tokens, rate, cost = meter.split(" · ")
        assert first == "700 ms to first token"
        assert row(board, "first token")[0] == "700 ms"
        assert row(board, "tokens")[0] == tokens.removesuffix(" tokens")
        assert row(board, "tokens/s")[0] == f"{rate.removesuffix(' tokens/s')} mean"
        assert row(board, "cost")[0] == cost


async def test_it_fits_into_another_size() -> None:
    async with play_minute(4).opened(160, 45) as board:
        await board.press("s")
        assert "at character" in board.text
        await board.pilot.resize_terminal(80, 24)
        await open_statistics(board)
        assert all(label in board.text for label in ("tokens/s", "backpressure", "reconnects"))
        assert "median" not in board.text


async def test_slow_frames_are_reported() -> None:
    board = DebateHarness(2).begin()
    async with board.opened():
        await board.press("s")
        assert "slow frames" not in board.text
        for _ in range(500):
            board.screen._follower.statistics.record_frame(0.08)
        await open_statistics(board)
        assert "slow frames (80 ms)" in board.text


async def test_ascii_draws_with_ascii() -> None:
    async with play_minute(4, ascii=True).opened(160, 45) as board:
        await board.press("s")
        assert "Stream statistics" in board.text
        assert board.text.isascii()


async def test_hostile_names_and_messages_are_text() -> None:
    async with DebateHarness(2).opened(160, 45) as board:
        board.begin().phase().status(
            "ada", "reconnecting", retry=1, wait_ms=1000, error=FaultReport(FaultKind.NETWORK, "[b]x\x1b[2J")
        )
        await board.press("s")
        assert "[b]x" in board.text
        assert "\x1b" not in board.text


async def open_statistics(board: DebateHarness) -> None:
    """The screen has looked at the figures again."""
    screen = board.app.screen
    assert isinstance(screen, StatisticsScreen)
    screen.show_rows(screen.app.size.width)
    await board.pilot.pause()


def row(board: DebateHarness, label: str) -> list[str]:
    """What a row of the table says of each debater."""
    found = next(match for line in board.rows if (match := re.search(rf" {label.ljust(13)}(\S.*)", line)))
    return re.split(r"\s{2,}", found[1])


@pytest.mark.parametrize("width", [1, 10, 19, 20, 21, 22, 24])
async def test_it_opens_however_narrow_the_terminal_is(width: int) -> None:
    async with DebateHarness(2).opened(40, 24) as board:
        board.begin().phase("opening").say("ada", "A word. ").say("ben", "Another.")
        await board.press("s")
        await board.pilot.resize_terminal(width, 24)
        await board.settle()
        assert isinstance(board.app.screen, StatisticsScreen)
        await board.press("escape", "s")
        assert isinstance(board.app.screen, StatisticsScreen)
