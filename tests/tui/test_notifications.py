"""What the program tells its user outside the screen: title, bell, desktop notification."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from debate_tui.domain import events as ev
from debate_tui.tui import notifications
from debate_tui.tui.driver import TerminalDriver
from debate_tui.tui.notifications import notification
from tests.tui.debate_harness import TOPIC, DebateHarness


@pytest.mark.parametrize(
    ("kind", "environment", "sequence"),
    [
        ("off", {}, ""),
        ("bell", {}, "\a"),
        ("desktop", {"TERM": "xterm-kitty"}, "\x1b]9;debate-tui: Over.\a"),
        ("desktop", {"TERM": "foot"}, "\x1b]777;notify;debate-tui;Over.\a"),
        ("desktop", {"TERM": "rxvt-unicode"}, "\x1b]777;notify;debate-tui;Over.\a"),
        ("desktop", {"VTE_VERSION": "7600"}, "\x1b]777;notify;debate-tui;Over.\a"),
        ("desktop", {"TMUX": "/tmp/tmux"}, "\x1bPtmux;\x1b\x1b]9;debate-tui: Over.\a\x1b\\"),
    ],
)
def test_terminals_are_notified_their_way(kind: Any, environment: dict[str, str], sequence: str) -> None:
    assert notification("Over.", kind, environment) == sequence


def test_names_cannot_end_the_sequence() -> None:
    assert notification("Ada\a\x1b]0;x\a", "desktop", {}).count("\a") == 1


class FakeDriver:
    """Keeps the titles and what else is written."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.written: list[str] = []
        self.set_title = self.titles.append
        self.write = self.written.append


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    driver = FakeDriver()
    monkeypatch.setattr(notifications, "terminal_driver", lambda _: driver)
    return driver


async def test_end_is_signalled_once(terminal: FakeDriver) -> None:
    async with DebateHarness(2, notify="bell").opened() as board:
        board.begin().phase()
        await board.settle()
        assert (terminal.titles, terminal.written) == ([], [])
        board.log_events(ev.DebateFinished(reason="complete"), ev.DebateFinished(reason="complete"))
        await board.settle()
    assert terminal.titles == [f"✓ {TOPIC} – debate-tui"]
    assert terminal.written == ["\a"]


@pytest.mark.parametrize(
    ("pause", "mark", "text"),
    [
        (ev.DebatePaused(reason="wrong key (401)", debater="ben"), "✗", "Ben cannot continue"),
        (ev.DebatePaused(reason=ev.STEP_PAUSE, debater=None), "‖", "Press Space for the next one"),
    ],
)
async def test_need_for_the_user_is_signalled(
    terminal: FakeDriver, pause: ev.DebatePaused, mark: str, text: str
) -> None:
    async with DebateHarness(2, notify="desktop").opened() as board:
        board.begin().phase().log_events(pause)
        await board.settle()
        assert terminal.titles[-1].startswith(f"{mark} ")
        assert text in terminal.written[-1]
        board.log_events(ev.DebateResumed(reason="user", debater=pause.debater))
        await board.settle()
        assert terminal.titles[-1] == f"{TOPIC} – debate-tui"


async def test_pauses_by_the_user_and_debates_elsewhere_are_not_signalled(terminal: FakeDriver) -> None:
    async with DebateHarness(2, notify="bell").opened() as board:
        board.begin().phase().log_events(ev.DebatePaused(reason="user", debater=None))
        board.log_events(ev.DebateResumed(reason="user", debater=None))
        await board.settle()
    async with DebateHarness(2, notify="bell", commands=False).opened() as board:
        board.begin().phase().log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
    assert (terminal.titles, terminal.written) == ([], [])


def test_title_is_saved_once_and_has_no_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    driver: Any = TerminalDriver.__new__(TerminalDriver)
    driver._app = SimpleNamespace()
    driver.write = written.append
    driver._in_application_mode, driver._has_set_title = True, False
    monkeypatch.setenv("TERM", "xterm")
    driver.set_title("one\x07\x1b[31m")
    driver.set_title("two")
    assert written == ["\x1b[22;2t", "\x1b]2;one\x07", "\x1b]2;two\x07"]
    monkeypatch.setenv("TERM", "linux")
    driver.set_title("three")
    assert len(written) == 3
