"""Pictures of the screen's main states, looked at once and held to since; the clock stands still in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from tests.tui.debate_harness import START, DebateHarness
from tests.tui.snapshot_cases import at_every_size_and_theme, freeze_clocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    Snap = Callable[..., bool]
    Play = Callable[[DebateHarness], None]

DEMO = "Scripted demo: no model is speaking. To hear one, set OPENAI_API_KEY, or name it: -d openai:MODEL."

SPEECH = """\
A city centre is the one place where **everything is near everything else**. The car takes that nearness
away twice: once while it drives, and once while it *stands*.

1. Meeting people, which needs quiet.
2. Trade, which needs people on foot.

> A street that is only a way to somewhere else has stopped being a place.

| city | cars before | after |
|---|---|---|
| Oslo | 700 spaces | 0 |

我们可以走路。 `permits` help.
"""


@pytest.fixture(autouse=True)
def _clocks_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_clocks(monkeypatch)


def compare(snap: Snap, board: DebateHarness, size: tuple[int, int], play: Play, *keys: str) -> bool:
    """The screen after a debate was played and keys were pressed."""

    async def run(pilot: Pilot[None]) -> None:
        board.pilot = pilot
        await board.settle()
        play(board)
        await board.settle()
        for key in keys:
            await board.press(key)

    board.now = START
    return snap(board.app, terminal_size=size, run_before=run)


def all_states(board: DebateHarness) -> None:
    """Four panes in four states."""
    reset = FaultReport(FaultKind.NETWORK, "Connection reset by peer (api.example.com:443)")
    overloaded = FaultReport(FaultKind.OVERLOADED, "The [bold]model[/bold] is overloaded, try later", 529)
    board.begin().phase()
    board.now += 1
    for debater in board.debaters:
        board.status(debater.id, "streaming").say(debater.id, SPEECH)
    board.now += 60
    for debater in board.debaters:
        board.end(debater.id, usage=Usage(output_tokens=312), cost=0.0031, ttft_ms=640)
    board.phase("rebuttal", 1, 2)
    board.now += 1
    for debater in board.debaters:
        board.status(debater.id, "streaming").say(debater.id, "I have three things to say to this. ")
    board.now += 1
    board.say("ada", "The first is short, and").status(
        "ben", "reconnecting", retry=2, wait_ms=3000, error=reset
    )
    if len(board.debaters) > 2:
        board.say("cleo", "Pondering.", reasoning=True).say("cleo", "None of it matters.")
        board.end("cleo", "length", usage=Usage(output_tokens=9))
        board.end("dara", "failed", error=overloaded)
        board.log_events(
            ev.DebaterRemoved(debater="dara", reason=overloaded.message, remaining=("ada", "ben"))
        )


def paused(board: DebateHarness) -> None:
    all_states(board)
    board.log_events(ev.DebatePaused(reason="user", debater=None))


def over(board: DebateHarness) -> None:
    all_states(board)
    board.end("ada").end("ben", "stopped").log_events(ev.DebateFinished(reason="stopped"))


def held(board: DebateHarness) -> None:
    all_states(board)
    board.log_events(ev.DebatePaused(reason="OpenAI refused the key (401): invalid_api_key", debater="ben"))


@at_every_size_and_theme
@pytest.mark.parametrize("panes", [2, 4])
def test_states(snap_compare: Snap, size: tuple[int, int], theme: str, panes: int) -> None:
    assert compare(snap_compare, DebateHarness(panes, notice=DEMO, theme=theme), size, all_states)


@at_every_size_and_theme
@pytest.mark.parametrize(
    ("panes", "play", "keys"),
    [
        pytest.param(2, all_states, ("question_mark",), id="help"),
        pytest.param(2, all_states, ("e", "down"), id="export"),
        pytest.param(2, all_states, ("i", *"Why?", "tab"), id="interjection"),
        pytest.param(4, all_states, ("shift+tab", "enter"), id="trouble"),
        pytest.param(2, held, (), id="decision"),
    ],
)
def test_asked(
    snap_compare: Snap, size: tuple[int, int], theme: str, panes: int, play: Play, keys: tuple[str, ...]
) -> None:
    assert compare(snap_compare, DebateHarness(panes, theme=theme), size, play, *keys)


def test_paused(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(2), (80, 24), paused)


def test_over(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(2), (80, 24), over)


def test_zoomed(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4), (120, 35), all_states, "tab", "z")


def test_tabs(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4), (60, 20), all_states, "tab")


def test_thinking_shown(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4), (160, 30), all_states, "t")


def test_ascii(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4, ascii=True), (120, 35), all_states)


def test_waiting(snap_compare: Snap) -> None:
    def nothing(board: DebateHarness) -> None:
        pass

    assert compare(snap_compare, DebateHarness(2, notice=DEMO), (80, 24), nothing)
