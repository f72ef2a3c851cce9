"""What a debate is made of before its first word."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from debate_tui.domain.debate import Debater, Format


class DebateSpec(Struct, frozen=True, kw_only=True):
    """What is debated, how, and by whom; `debate` is the debate's id in the record.

    `max_output_tokens` is for one turn. Once the whole debate has spent `max_tokens`, sent and answered, or
    `max_cost`, in US dollars, no further turn begins. `prices` says by which table that is reckoned.
    """

    debate: str
    topic: str
    format: Format
    debaters: tuple[Debater, ...]
    max_output_tokens: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    prices: str = ""


class Backpressure(Protocol):
    """Whoever shows the debate may make a debater's reader wait, so that its sender slows down."""

    read_delay: float
    """How long text may pile up at its sender before it is read, in seconds: reading seldom is cheap."""

    def has_room(self, debater: str) -> bool:
        """Whether more text of this debater is welcome now."""
        ...

    async def wait_for_room(self, debater: str) -> None:
        """Wait until it is."""
        ...


class NoBackpressure:
    """No backpressure: whoever reads the log keeps up by itself."""

    read_delay = 0.0

    def has_room(self, debater: str) -> bool:
        return True

    async def wait_for_room(self, debater: str) -> None:
        return
