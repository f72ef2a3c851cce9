"""A slow terminal: panes scroll in turn, by much at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from textual.geometry import Size

from debate_tui.tui.frame_loop import THROTTLE_SECONDS, ScrollThrottle

if TYPE_CHECKING:
    from debate_tui.tui.widgets.turn_text import TurnText


class ScrolledPage:
    """As much of a pane's text as is asked for."""

    size = Size(40, 30)
    scroll_step = 1


class PacedTerminal(NamedTuple):
    throttle: ScrollThrottle
    pages: list[ScrolledPage]

    def leaps(self, now: float, *, streaming: bool = True) -> list[int]:
        self.throttle.limit_scrolling(cast("list[TurnText]", self.pages), now, streaming=streaming)
        return [page.scroll_step for page in self.pages]


@pytest.fixture
def paced() -> PacedTerminal:
    return PacedTerminal(ScrollThrottle(), [ScrolledPage() for _ in range(3)])


def test_a_quick_terminal_gets_every_line(paced: PacedTerminal) -> None:
    assert paced.leaps(0) == [1, 1, 1]


def test_on_a_slow_one_each_pane_has_its_turn(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    frames = [paced.leaps(frame / 10) for frame in range(6)]
    assert all(sorted(leaps) == [0, 0, 10] for leaps in frames)
    assert [leaps.index(10) for leaps in frames[:3]] == [leaps.index(10) for leaps in frames[3:]]
    assert {leaps.index(10) for leaps in frames} == {0, 1, 2}


def test_one_slow_frame_is_no_slow_terminal(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 1)
    assert paced.leaps(0) == [1, 1, 1]
    paced.throttle.update(2, 2)
    assert paced.leaps(2) == [1, 1, 1]
    paced.throttle.update(2.5, 3)
    assert sorted(paced.leaps(2.5)) == [0, 0, 10]


def test_it_is_spared_for_a_while(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    assert paced.leaps(THROTTLE_SECONDS) == [1, 1, 1]


def test_when_nothing_streams_all_come_to_their_end(paced: PacedTerminal) -> None:
    paced.throttle.update(0, 2)
    assert paced.leaps(0.1, streaming=False) == [1, 1, 1]
