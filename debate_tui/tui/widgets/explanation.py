"""What the start screen explains: whatever has the keys."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.modes import MODE_DESCRIPTIONS
from debate_tui.tui.proposal import MIN_DEBATERS, format_mismatch
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from debate_tui.domain.debate import Format, Phase
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import DebateSetup, SetupItem, SourceOption

EXAMPLE_TOPICS = (
    "Should cities ban private cars?",
    "Is it wrong to eat meat?",
    "Tabs or spaces?",
    "Would you rather live forever?",
)
MAX_HELP_CHARACTERS = 2000
_OUTCOME_DESCRIPTIONS = {
    "none": "Nobody wins: you make up your own mind.",
    "swing": "Whoever moves more opinions wins.",
    "panel": "Judges decide.",
    "consensus": "It ends with what all agree on.",
    "ranking": "The debaters rank each other's answers.",
}


class SetupHelp(TextRows):
    """As much of it as there is room for; `item` is `None` for the topic."""

    inset = 2

    def __init__(self, formats: Mapping[str, Format], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._formats = formats
        self._build_help: Callable[[int], Iterator[Row]] = self._topic_rows

    def update(
        self, item: SetupItem | None, setup: DebateSetup, source_options: Sequence[SourceOption]
    ) -> None:
        """Explain this item of this proposal from now on; what is known of its sources is in
        `source_options`."""
        about = {offer.source: offer.description for offer in source_options}
        format_ = self._formats.get(setup.format)

        def tell(width: int) -> Iterator[Row]:
            match item and item.kind:
                case None:
                    return self._topic_rows(width)
                case "debater":
                    return self._debater_rows(setup, item.position if item else 0, about, width)
                case "judge":
                    return self._judge_rows(width)
                case "mode":
                    return self._mode_rows(setup, width)
                case "format" if format_ is not None:
                    return self._format_rows(format_, len(setup.debaters), width)
                case _:
                    return self._begin_rows(setup, format_, width)

        self._build_help = tell
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The explanation; what does not fit is left out at the end."""
        height = self.size.height
        return (*self._build_help(max(width, 10)), *[Row()] * height)[:height]

    def _topic_rows(self, width: int) -> Iterator[Row]:
        yield _title_row("The topic")
        yield from _paragraph_rows("A question, or a motion to argue for and against. Such as:", width)
        yield Row()
        for example in EXAMPLE_TOPICS:
            yield Row((Piece(example),))

    def _debater_rows(
        self, setup: DebateSetup, index: int, about: Mapping[str, str], width: int
    ) -> Iterator[Row]:
        sources, role = setup.debaters, setup.profile(index)
        if index == len(sources):
            yield _title_row("One more debater")
            yield from _paragraph_rows("Two to four can debate. The format deals out the sides.", width)
            return
        source = sources[index]
        yield _title_row(one_line(source, 200))
        yield from _paragraph_rows(about.get(source, ""), width)
        for label, value in (("Name", role.name), ("Side", role.side), ("Persona", role.persona)):
            if value:
                yield from _paragraph_rows(f"{label}: {value}", width)
        if len(sources) > MIN_DEBATERS:
            yield Row()
            yield from _paragraph_rows("Delete leaves it out.", width)

    def _judge_rows(self, width: int) -> Iterator[Row]:
        yield _title_row("Judges")
        yield from _paragraph_rows(
            "Each reads the debate twice, the sides in either order and without names, and says who argued "
            "better. A judge that decides differently each time has seen a tie.",
            width,
        )
        yield Row()
        yield from _paragraph_rows("Better ones are of another family than the debaters.", width)

    def _mode_rows(self, setup: DebateSetup, width: int) -> Iterator[Row]:
        yield _title_row("When words appear")
        for mode, about in MODE_DESCRIPTIONS.items():
            yield Row((Piece(mode.value, Tone.FOCUS if mode is setup.mode else Tone.TEXT),))
            yield from _paragraph_rows(f"{about}.", width)
        yield Row()
        yield from _paragraph_rows("It can be changed at any time, with m.", width)

    def _format_rows(self, format_: Format, debaters: int, width: int) -> Iterator[Row]:
        yield _title_row(one_line(format_.title, 60))
        if wrong := format_mismatch(format_, debaters):
            yield Row((Piece(f"{wrong[0].upper()}{wrong[1:]}.", Tone.RECONNECTING),))
        yield from _paragraph_rows(format_.description, width)
        yield Row()
        for phase in format_.phases:
            yield Row((Piece(one_line(phase.title, 40)),), (Piece(self._phase_length(phase), Tone.QUIET),))
        yield Row()
        yield from _paragraph_rows(_OUTCOME_DESCRIPTIONS[format_.outcome], width)

    def _phase_length(self, phase: Phase) -> str:
        times = f"{phase.rounds} {self._glyphs.times} " if phase.rounds > 1 else ""
        return f"{times}{phase.words} words" if phase.words else times.removesuffix(f" {self._glyphs.times} ")

    def _begin_rows(self, setup: DebateSetup, format_: Format | None, width: int) -> Iterator[Row]:
        yield _title_row("Begin")
        if format_ is None:
            return
        debaters = len(setup.with_min_debaters(format_).debaters)
        turns = sum(phase.rounds * (len(phase.speakers) or debaters) for phase in format_.phases)
        words = sum(p.rounds * (len(p.speakers) or debaters) * p.words for p in format_.phases)
        told = f"{debaters} debaters, {turns} turns"
        yield from _paragraph_rows(f"{told}, about {words:,} words." if words else f"{told}.", width)


def _title_row(text: str) -> Row:
    return Row((Piece(text, bold=True),))


def _paragraph_rows(text: str, width: int) -> Iterator[Row]:
    for line in textwrap.wrap(one_line(text, MAX_HELP_CHARACTERS), width):
        yield Row((Piece(line, Tone.QUIET),))
