"""The start screen's menus: all that is offered for one item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.modes import TOLD
from debate_tui.tui.screens.menu import MenuScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece
from debate_tui.tui.widgets.menu import Choice, Menu

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.domain.debate import Format
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import Item, Offer, Proposal

MAX_CHARACTERS = 60

ROLES: tuple[tuple[Literal["name", "side", "persona"], str, str, int], ...] = (
    ("name", "Shown above the pane, and what the others call it.", "made up", 40),
    ("side", "What it argues for. Empty: dealt out by the format.", "dealt out by the format", 200),
    ("persona", "How it speaks, such as: a judge who has heard it all before.", "none", 1000),
)
"""What a debater is besides its source: what each means, what it is if nobody says so, how long it may be."""


class Offered(MenuScreen):
    """Its result is a place among `made`: the proposals that come of the choices."""

    def __init__(
        self,
        title: str,
        rows: Sequence[tuple[str, str]],
        made: Sequence[Proposal],
        now: Proposal,
        glyphs: Glyphs,
    ) -> None:
        self.made = tuple(made)
        choices = [
            Choice(one_line(label, MAX_CHARACTERS), "", (Piece(one_line(about, MAX_CHARACTERS), Tone.QUIET),))
            for label, about in rows
        ]
        at = self.made.index(now) if now in self.made else 0
        super().__init__(Menu(title, choices, glyphs, at=at))


def formats(proposal: Proposal, known: Mapping[str, Format], glyphs: Glyphs) -> Offered:
    """All formats."""
    rows = [(name, format_.title) for name, format_ in known.items()]
    return Offered("How is it held?", rows, [replace(proposal, format=n) for n in known], proposal, glyphs)


def modes(proposal: Proposal, glyphs: Glyphs) -> Offered:
    """All display modes."""
    rows = [(mode.value, told) for mode, told in TOLD.items()]
    return Offered("When do words appear?", rows, [replace(proposal, mode=m) for m in TOLD], proposal, glyphs)


def sources(proposal: Proposal, item: Item, offers: Sequence[Offer], glyphs: Glyphs) -> Offered:
    """All sources at hand for a debater or a judge; the place behind them stands for any other."""
    rows = [*((offer.source, offer.about) for offer in offers), ("another", "any source, as for -d")]
    made = [proposal.with_source(item, offer.source) for offer in offers]
    return Offered(who(item), rows, made, proposal, glyphs)


def role(proposal: Proposal, place: int, glyphs: Glyphs) -> MenuScreen:
    """What a debater is besides its source: the places are those of `ROLES`."""
    now = proposal.role(place)
    choices = [
        Choice(f"{each} {glyphs.ellipsis}", each[0], (Piece(one_line(value or otherwise, 40), Tone.QUIET),))
        for (each, _, otherwise, _), value in zip(ROLES, (now.name, now.side, now.persona), strict=True)
    ]
    return MenuScreen(Menu(f"Debater {place + 1}", choices, glyphs))


def who(item: Item) -> str:
    """What is asked about a debater or a judge."""
    return "Who judges?" if item.what == "judge" else "Who debates?"
