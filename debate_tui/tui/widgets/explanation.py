"""What the start screen explains: whatever has the keys."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.modes import TOLD
from debate_tui.tui.proposal import LEAST_DEBATERS, misfit
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from debate_tui.domain.debate import Format, Phase
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import Item, Offer, Proposal

EXAMPLES = (
    "Should cities ban private cars?",
    "Is it wrong to eat meat?",
    "Tabs or spaces?",
    "Would you rather live forever?",
)
MAX_CHARACTERS = 2000
_OUTCOMES = {
    "none": "Nobody wins: you make up your own mind.",
    "swing": "Whoever moves more opinions wins.",
    "panel": "Judges decide.",
    "consensus": "It ends with what all agree on.",
    "ranking": "The debaters rank each other's answers.",
}


class Explanation(Lines):
    """As much of it as there is room for; `item` is `None` for the topic."""

    inset = 2

    def __init__(self, formats: Mapping[str, Format], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._formats = formats
        self._tell: Callable[[int], Iterator[Row]] = self._topic

    def show(self, item: Item | None, proposal: Proposal, offers: Sequence[Offer]) -> None:
        """Explain this item of this proposal from now on; what is known of its sources is in `offers`."""
        about = {offer.source: offer.told for offer in offers}
        format_ = self._formats.get(proposal.format)

        def tell(width: int) -> Iterator[Row]:
            match item and item.what:
                case None:
                    return self._topic(width)
                case "debater":
                    return self._debater(proposal, item.place if item else 0, about, width)
                case "judge":
                    return self._judge(width)
                case "mode":
                    return self._mode(proposal, width)
                case "format" if format_ is not None:
                    return self._format(format_, len(proposal.debaters), width)
                case _:
                    return self._begin(proposal, format_, width)

        self._tell = tell
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The explanation; what does not fit is left out at the end."""
        height = self.size.height
        return (*self._tell(max(width, 10)), *[Row()] * height)[:height]

    def _topic(self, width: int) -> Iterator[Row]:
        yield _title("The topic")
        yield from _prose("A question, or a motion to argue for and against. Such as:", width)
        yield Row()
        for example in EXAMPLES:
            yield Row((Piece(example),))

    def _debater(self, proposal: Proposal, place: int, about: Mapping[str, str], width: int) -> Iterator[Row]:
        sources, role = proposal.debaters, proposal.role(place)
        if place == len(sources):
            yield _title("One more debater")
            yield from _prose("Two to four can debate. The format deals out the sides.", width)
            return
        source = sources[place]
        yield _title(one_line(source, 200))
        yield from _prose(about.get(source, ""), width)
        for label, value in (("Name", role.name), ("Side", role.side), ("Persona", role.persona)):
            if value:
                yield from _prose(f"{label}: {value}", width)
        if len(sources) > LEAST_DEBATERS:
            yield Row()
            yield from _prose("Delete leaves it out.", width)

    def _judge(self, width: int) -> Iterator[Row]:
        yield _title("Judges")
        yield from _prose(
            "Each reads the debate twice, the sides in either order and without names, and says who argued "
            "better. A judge that decides differently each time has seen a tie.",
            width,
        )
        yield Row()
        yield from _prose("Better ones are of another family than the debaters.", width)

    def _mode(self, proposal: Proposal, width: int) -> Iterator[Row]:
        yield _title("When words appear")
        for mode, about in TOLD.items():
            yield Row((Piece(mode.value, Tone.FOCUS if mode is proposal.mode else Tone.TEXT),))
            yield from _prose(f"{about}.", width)
        yield Row()
        yield from _prose("It can be changed at any time, with m.", width)

    def _format(self, format_: Format, debaters: int, width: int) -> Iterator[Row]:
        yield _title(one_line(format_.title, 60))
        if wrong := misfit(format_, debaters):
            yield Row((Piece(f"{wrong[0].upper()}{wrong[1:]}.", Tone.RECONNECTING),))
        yield from _prose(format_.description, width)
        yield Row()
        for phase in format_.phases:
            yield Row((Piece(one_line(phase.title, 40)),), (Piece(self._length(phase), Tone.QUIET),))
        yield Row()
        yield from _prose(_OUTCOMES[format_.outcome], width)

    def _length(self, phase: Phase) -> str:
        times = f"{phase.rounds} {self._glyphs.times} " if phase.rounds > 1 else ""
        return f"{times}{phase.words} words" if phase.words else times.removesuffix(f" {self._glyphs.times} ")

    def _begin(self, proposal: Proposal, format_: Format | None, width: int) -> Iterator[Row]:
        yield _title("Begin")
        if format_ is None:
            return
        debaters = len(proposal.filled(format_).debaters)
        turns = sum(phase.rounds * (len(phase.speakers) or debaters) for phase in format_.phases)
        words = sum(p.rounds * (len(p.speakers) or debaters) * p.words for p in format_.phases)
        told = f"{debaters} debaters, {turns} turns"
        yield from _prose(f"{told}, about {words:,} words." if words else f"{told}.", width)


def _title(text: str) -> Row:
    return Row((Piece(text, bold=True),))


def _prose(text: str, width: int) -> Iterator[Row]:
    for line in textwrap.wrap(one_line(text, MAX_CHARACTERS), width):
        yield Row((Piece(line, Tone.QUIET),))
