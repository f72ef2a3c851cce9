"""A slow terminal: panes scroll in turn, by much at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from textual.geometry import Size

from debate_tui.tui.thrift import SPARED_SECONDS, Thrift

if TYPE_CHECKING:
    from debate_tui.tui.widgets.prose import Prose


class Page:
    """As much of a pane's text as is asked for."""

    size = Size(40, 30)
    leap = 1


class Paced(NamedTuple):
    thrift: Thrift
    pages: list[Page]

    def leaps(self, now: float, *, streaming: bool = True) -> list[int]:
        self.thrift.pace(cast("list[Prose]", self.pages), now, streaming=streaming)
        return [page.leap for page in self.pages]


@pytest.fixture
def paced() -> Paced:
    return Paced(Thrift(), [Page() for _ in range(3)])


def test_a_quick_terminal_gets_every_line(paced: Paced) -> None:
    assert paced.leaps(0) == [1, 1, 1]


def test_on_a_slow_one_each_pane_has_its_turn(paced: Paced) -> None:
    paced.thrift.look(0, 2)
    frames = [paced.leaps(frame / 10) for frame in range(6)]
    assert all(sorted(leaps) == [0, 0, 10] for leaps in frames)
    assert [leaps.index(10) for leaps in frames[:3]] == [leaps.index(10) for leaps in frames[3:]]
    assert {leaps.index(10) for leaps in frames} == {0, 1, 2}


def test_a_hiccup_is_no_slow_terminal(paced: Paced) -> None:
    paced.thrift.look(0, 1)
    assert paced.leaps(0) == [1, 1, 1]
    paced.thrift.look(2, 2)
    assert paced.leaps(2) == [1, 1, 1]
    paced.thrift.look(2.5, 3)
    assert sorted(paced.leaps(2.5)) == [0, 0, 10]


def test_it_is_spared_for_a_while(paced: Paced) -> None:
    paced.thrift.look(0, 2)
    assert paced.leaps(SPARED_SECONDS) == [1, 1, 1]


def test_when_nothing_streams_all_come_to_their_end(paced: Paced) -> None:
    paced.thrift.look(0, 2)
    assert paced.leaps(0.1, streaming=False) == [1, 1, 1]
