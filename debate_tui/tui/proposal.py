"""What is proposed on the start screen: a debate that nobody has checked yet, and how it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.debate import Format

MOST_DEBATERS = 4
LEAST_DEBATERS = 2
MOST_JUDGES = 3


class Offer(Struct, frozen=True):
    """A source at hand, as for ``-d``; `about` says in a word or two what it is, `told` in a sentence."""

    source: str
    about: str = ""
    told: str = ""


class Proposal(Struct, frozen=True, kw_only=True):
    """A debate as it is put together; debaters and judges are sources, `format` is a name."""

    topic: str = ""
    debaters: tuple[str, ...] = ("demo", "demo")
    format: str = "oxford"
    mode: Mode = Mode.HYBRID
    judges: tuple[str, ...] = ()

    def with_debater(self, place: int, source: str) -> Proposal:
        """Another source at that place; at the place behind the last one, one more debater."""
        return replace(self, debaters=_put(self.debaters, place, source, MOST_DEBATERS))

    def without_debater(self, place: int) -> Proposal:
        """One debater less, if enough are left."""
        if len(self.debaters) <= LEAST_DEBATERS:
            return self
        return replace(self, debaters=_taken(self.debaters, place))

    def with_judge(self, place: int, source: str) -> Proposal:
        """Another judge at that place, or behind the last one, one more."""
        return replace(self, judges=_put(self.judges, place, source, MOST_JUDGES))

    def without_judge(self, place: int) -> Proposal:
        """One judge less."""
        return replace(self, judges=_taken(self.judges, place))


def after(chosen: str, offered: Sequence[str], steps: int) -> str:
    """What is offered some steps behind the one that is chosen, round and round; one not offered is first."""
    if chosen not in offered:
        offered = (chosen, *offered)
    return offered[(offered.index(chosen) + steps) % len(offered)]


def misfit(format_: Format, debaters: int) -> str:
    """Why so many debaters cannot hold this format; empty if they can."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= debaters <= most:
        return ""
    return f"takes {least} debaters" if least == most else f"takes {least} to {most} debaters"


def _put(sources: tuple[str, ...], place: int, source: str, most: int) -> tuple[str, ...]:
    return (*sources[:place], source, *sources[place + 1 :])[:most]


def _taken(sources: tuple[str, ...], place: int) -> tuple[str, ...]:
    return sources[:place] + sources[place + 1 :]
