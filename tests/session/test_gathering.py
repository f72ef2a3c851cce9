"""When a reader pauses so that text gathers, and when it must not."""

from __future__ import annotations

from debate_tui.session.gathering import HURRY, MANY, WAITED, Gathering

PATIENCE = 0.05
LONG = 10 * WAITED


def test_a_slow_stream_is_read_half_of_the_time() -> None:
    gathering, now, asleep = Gathering(), 0.0, 0.0
    for _ in range(200):
        now += 0.0128
        pause = gathering.pause(LONG, now, PATIENCE)
        now += pause
        asleep += pause
    assert 0.3 < asleep / now <= 0.5


def test_what_is_there_already_is_read_at_once() -> None:
    gathering = Gathering()
    assert all(gathering.pause(0.0, 0.0, PATIENCE) == 0 for _ in range(1000))


def test_without_patience_nothing_waits() -> None:
    assert Gathering().pause(LONG, 0.0, 0.0) == 0


def test_a_reader_that_may_be_behind_reads_on() -> None:
    gathering = Gathering()
    for _ in range(MANY):
        gathering.pause(0.0, 0.0, PATIENCE)
    assert gathering.pause(LONG, 0.0, PATIENCE) == 0
    assert gathering.pause(LONG, HURRY / 2, PATIENCE) == 0
    assert gathering.pause(LONG, HURRY, PATIENCE) == PATIENCE
