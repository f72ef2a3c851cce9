"""Debates whose panes are in many states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tui.debate_harness import DebateHarness

    Snap = Callable[..., bool]
    Play = Callable[[DebateHarness], None]


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
