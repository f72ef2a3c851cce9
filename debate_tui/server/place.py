"""Places in a hosted debate: what an event id says, and what a returning viewer is to be given."""

from __future__ import annotations

import re
from hashlib import blake2s
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.events import encode

if TYPE_CHECKING:
    from debate_tui.domain.events import Event

LONGEST_RUN: Final = 4096
"""Events that are put together at most, so that a place in the middle of them can be found again."""

_ID: Final = re.compile(r"([0-9a-z]{1,32})(?:\.([0-9]{1,15})-([0-9]{1,15}))?:([0-9]{1,15})")


class Place(Struct, frozen=True):
    """Everything up to `seq` of the history named `epoch` was received; written ``EPOCH:SEQ``.

    Deltas of several debaters that were put together do not lie one behind the other in the log. A place
    between them therefore names the stretch of the log they stand for, `run` (behind its first number, up
    to its second), written ``EPOCH.FIRST-LAST:SEQ``: of that stretch, what ends at `seq` or before was
    received. It means the same to every server that has the debate, now and later.
    """

    epoch: str
    seq: int
    run: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.run is None:
            return f"{self.epoch}:{self.seq}"
        return f"{self.epoch}.{self.run[0]}-{self.run[1]}:{self.seq}"

    @property
    def base(self) -> int:
        """The `seq` up to which every single event was received."""
        return self.seq if self.run is None else self.run[0]


def parse(text: str) -> Place | None:
    """The place an event id names; `None` for what is none of ours."""
    if (found := _ID.fullmatch(text)) is None:
        return None
    epoch, first, last, seq = found.groups()
    if first is None:
        return Place(epoch, int(seq))
    run = (int(first), int(last))
    if not run[0] < int(seq) < run[1] or run[1] - run[0] > LONGEST_RUN:
        return None
    return Place(epoch, int(seq), run)


def epoch_of(first: Event) -> str:
    """A name for the history that begins with this event: the same after every restart, on every host."""
    return blake2s(encode(first), digest_size=5).hexdigest()
