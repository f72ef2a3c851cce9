"""When a reader lets text pile up at its sender: waking for every token is what costs most."""

from __future__ import annotations

WAITED = 0.0002
"""A chunk that took longer to come, in seconds, was waited for: there is nothing more to be read yet."""

MANY = 150
"""Chunks between two pauses that are too many to pause: the sender is ahead of the reader."""

HURRY = 1.0
"""For how long no further pause is made then, in seconds."""


class Gathering:
    """Tells a reader how long to leave its socket alone; one instance reads one stream.

    Never before the second chunk, at most half of the time, and not at all while the sender is fast: a reader
    that may be behind reads on. All times are in seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._chunks = 0
        self._until = float("-inf")

    def pause(self, waited: float, now: float, patience: float) -> float:
        """How long to pause after a chunk that came after `waited`; 0 for not at all."""
        self._chunks += 1
        if waited < WAITED or not patience or now < self._until:
            return 0.0
        many, self._chunks = self._chunks > MANY, 0
        self._until = now + (HURRY if many else 2 * patience)
        return 0.0 if many else patience
