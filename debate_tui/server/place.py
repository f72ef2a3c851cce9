"""Places in a hosted debate: what an event id says, and what a returning viewer is to be given."""

from __future__ import annotations

import re
from hashlib import blake2s
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.events import event_to_json

if TYPE_CHECKING:
    from debate_tui.domain.events import Event

MAX_SPAN_EVENTS: Final = 4096
"""Events that are put together at most, so that a place in the middle of them can be found again."""

_CURSOR_PATTERN: Final = re.compile(r"([0-9a-z]{1,32})(?:\.([0-9]{1,15})-([0-9]{1,15}))?:([0-9]{1,15})")


class EventCursor(Struct, frozen=True):
    """Everything up to `seq` of the history named `epoch` was received; written ``EPOCH:SEQ``.

    Deltas of several debaters that were put together do not lie one behind the other in the log. A place
    between them therefore names the stretch of the log they stand for, `span` (behind its first number, up
    to its second), written ``EPOCH.FIRST-LAST:SEQ``: of that stretch, what ends at `seq` or before was
    received. It means the same to every server that has the debate, now and later.
    """

    epoch: str
    seq: int
    span: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.epoch}:{self.seq}"
        return f"{self.epoch}.{self.span[0]}-{self.span[1]}:{self.seq}"

    @property
    def contiguous_seq(self) -> int:
        """The `seq` up to which every single event was received."""
        return self.seq if self.span is None else self.span[0]


def parse_cursor(text: str) -> EventCursor | None:
    """The place an event id names; `None` for what is none of ours."""
    if (found := _CURSOR_PATTERN.fullmatch(text)) is None:
        return None
    epoch, first, last, seq = found.groups()
    if first is None:
        return EventCursor(epoch, int(seq))
    span = (int(first), int(last))
    if not span[0] < int(seq) < span[1] or span[1] - span[0] > MAX_SPAN_EVENTS:
        return None
    return EventCursor(epoch, int(seq), span)


def epoch_from_event(first: Event) -> str:
    """A name for the history that begins with this event: the same after every restart, on every host."""
    return blake2s(event_to_json(first), digest_size=5).hexdigest()
