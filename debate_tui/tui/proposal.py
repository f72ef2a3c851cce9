"""What is proposed on the start screen: a debate that nobody has checked yet, and how it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.modes import Mode
from debate_tui.domain.debate import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.debate import Format

MOST_DEBATERS = 4
LEAST_DEBATERS = 2
MOST_JUDGES = 3

What = Literal["debater", "format", "mode", "judge", "begin"]


class Item(NamedTuple):
    """Something to choose; `place` is the debater's or the judge's, behind the last one for one more."""

    what: What
    place: int = 0


class Offer(Struct, frozen=True):
    """A source at hand, as for ``-d``; `about` says in a word or two what it is, `told` in a sentence."""

    source: str
    about: str = ""
    told: str = ""


class Role(Struct, frozen=True, kw_only=True):
    """What a debater is besides its source; an empty name is made up, an empty side dealt out."""

    name: str = ""
    side: str = ""
    persona: str = ""


NOBODY = Role()


class Proposal(Struct, frozen=True, kw_only=True):
    """A debate as it is put together; debaters and judges are sources, `format` is a name.

    `roles` are those of the debaters, in their order; debaters behind the last have none.
    """

    topic: str = ""
    debaters: tuple[str, ...] = ("demo", "demo")
    roles: tuple[Role, ...] = ()
    format: str = "oxford"
    mode: Mode = Mode.HYBRID
    judges: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """What there is to choose, from top to bottom; the last one begins the debate."""
        debaters = min(len(self.debaters) + 1, MOST_DEBATERS)
        judges = min(len(self.judges) + 1, MOST_JUDGES)
        return (
            *(Item("debater", place) for place in range(debaters)),
            Item("format"),
            Item("mode"),
            *(Item("judge", place) for place in range(judges)),
            Item("begin"),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Who is going to speak: the debaters, then the judges."""
        return (*self.debaters, *self.judges)

    def source(self, item: Item) -> str:
        """The source of a debater or a judge; empty for one more."""
        sources = self._sources(item)
        return sources[item.place] if item.place < len(sources) else ""

    def role(self, place: int) -> Role:
        """What the debater at a place is besides its source."""
        return self.roles[place] if place < len(self.roles) else NOBODY

    def with_role(self, place: int, role: Role) -> Proposal:
        """Another role for the debater at a place."""
        roles = [self.role(each) for each in range(len(self.debaters))]
        roles[place] = role
        return replace(self, roles=tuple(roles))

    def with_source(self, item: Item, source: str) -> Proposal:
        """Another source for a debater or a judge, or one more of them."""
        sources = self._sources(item)
        return self._with(item, (*sources[: item.place], source, *sources[item.place + 1 :]))

    def may_lose(self, item: Item) -> bool:
        """Whether it can do without this item."""
        least = {"debater": LEAST_DEBATERS, "judge": 0}.get(item.what)
        return least is not None and least < len(self._sources(item)) > item.place

    def without(self, item: Item) -> Proposal:
        """One debater or judge less, if it can do without."""
        sources = self._sources(item)
        if not self.may_lose(item):
            return self
        less = self._with(item, sources[: item.place] + sources[item.place + 1 :])
        if item.what != "debater":
            return less
        return replace(less, roles=self.roles[: item.place] + self.roles[item.place + 1 :])

    def changed(self, item: Item, steps: int, offers: Sequence[Offer], formats: Sequence[str]) -> Proposal:
        """What is offered for an item, some steps behind what it is now."""
        match item.what:
            case "format":
                return replace(self, format=after(self.format, formats, steps))
            case "mode":
                return replace(self, mode=Mode(after(self.mode.value, [*Mode], steps)))
            case "begin":
                return self
        sources = [offer.source for offer in offers]
        now = self.source(item)
        if not now:
            return self.with_source(item, sources[0 if steps > 0 else -1])
        return self.with_source(item, after(now, sources, steps))

    def filled(self, format_: Format) -> Proposal:
        """With as many debaters as the format takes at least; see `debate.filled`."""
        return replace(self, debaters=filled(self.debaters, format_))

    def _sources(self, item: Item) -> tuple[str, ...]:
        return self.judges if item.what == "judge" else self.debaters

    def _with(self, item: Item, sources: tuple[str, ...]) -> Proposal:
        if item.what == "judge":
            return replace(self, judges=sources[:MOST_JUDGES])
        return replace(self, debaters=sources[:MOST_DEBATERS])


def after(chosen: str, offered: Sequence[str], steps: int) -> str:
    """What is offered some steps behind the one that is chosen, round and round; one not offered is first."""
    if chosen not in offered:
        offered = (chosen, *offered)
    return offered[(offered.index(chosen) + steps) % len(offered)]


def misfit(format_: Format, debaters: int) -> str:
    """Why so many debaters cannot hold this format, and who joins them then; empty if they can."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= debaters <= most:
        return ""
    takes = f"takes {least}" if least == most else f"takes {least} to {most}"
    joining = least - debaters
    return (
        f"{takes}: {joining} more join{'s' if joining == 1 else ''}" if joining > 0 else f"{takes} debaters"
    )
