"""When a reader pauses so that text gathers, and when it must not."""

from __future__ import annotations

from debate_tui.session.turn_runner import (
    FAST_SENDER_HOLDOFF_S,
    MAX_CHUNKS_BETWEEN_DELAYS,
    MIN_WAIT_S,
    ReadCoalescer,
)

PATIENCE = 0.05
LONG = 10 * MIN_WAIT_S


def test_a_slow_stream_is_read_half_of_the_time() -> None:
    gathering, now, asleep = ReadCoalescer(), 0.0, 0.0
    for _ in range(200):
        now += 0.0128
        pause = gathering.next_delay(LONG, now, PATIENCE)
        now += pause
        asleep += pause
    assert 0.3 < asleep / now <= 0.5


def test_what_is_there_already_is_read_at_once() -> None:
    gathering = ReadCoalescer()
    assert all(gathering.next_delay(0.0, 0.0, PATIENCE) == 0 for _ in range(1000))


def test_without_patience_nothing_waits() -> None:
    assert ReadCoalescer().next_delay(LONG, 0.0, 0.0) == 0


def test_a_reader_that_may_lag_does_not_pause() -> None:
    gathering = ReadCoalescer()
    for _ in range(MAX_CHUNKS_BETWEEN_DELAYS):
        gathering.next_delay(0.0, 0.0, PATIENCE)
    assert gathering.next_delay(LONG, 0.0, PATIENCE) == 0
    assert gathering.next_delay(LONG, FAST_SENDER_HOLDOFF_S / 2, PATIENCE) == 0
    assert gathering.next_delay(LONG, FAST_SENDER_HOLDOFF_S, PATIENCE) == PATIENCE
