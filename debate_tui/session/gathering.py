"""When a reader lets text pile up at its sender: waking for every token is what costs most."""

from __future__ import annotations

MIN_WAIT_S = 0.0002
"""A chunk that took longer to come, in seconds, was waited for: there is nothing more to be read yet."""

MAX_CHUNKS_BETWEEN_DELAYS = 150
"""Chunks between two pauses that are too many to pause: the sender is ahead of the reader."""

FAST_SENDER_HOLDOFF_S = 1.0
"""For how long no further pause is made then, in seconds."""


class ReadCoalescer:
    """Tells a reader how long to leave its socket alone; one instance reads one stream.

    Never before the second chunk, at most half of the time, and not at all while the sender is fast: a reader
    that may be behind reads on. All times are in seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._chunks = 0
        self._no_delay_until = float("-inf")

    def next_delay(self, waited: float, now: float, read_delay: float) -> float:
        """How long to pause after a chunk that came after `waited`; 0 for not at all."""
        self._chunks += 1
        if waited < MIN_WAIT_S or not read_delay or now < self._no_delay_until:
            return 0.0
        sender_is_fast, self._chunks = self._chunks > MAX_CHUNKS_BETWEEN_DELAYS, 0
        self._no_delay_until = now + (FAST_SENDER_HOLDOFF_S if sender_is_fast else 2 * read_delay)
        return 0.0 if sender_is_fast else read_delay
