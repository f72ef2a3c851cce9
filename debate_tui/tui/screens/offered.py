"""The start screen's menus: all that is offered for one item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.modes import MODE_DESCRIPTIONS
from debate_tui.tui.screens.menu import MenuScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece
from debate_tui.tui.widgets.menu import Menu, MenuItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.domain.debate import Format
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import DebateSetup, SetupItem, SourceOption

MAX_LABEL_CHARACTERS = 60

PROFILE_FIELDS: tuple[tuple[Literal["name", "side", "persona"], str, str, int], ...] = (
    ("name", "Shown above the pane, and what the others call it.", "made up", 40),
    ("side", "What it argues for. Empty: dealt out by the format.", "dealt out by the format", 200),
    ("persona", "How it speaks, such as: a judge who has heard it all before.", "none", 1000),
)
"""What a debater is besides its source: what each means, what it is if nobody says so, how long it may be."""


class SetupMenuScreen(MenuScreen):
    """Its result is a place among `made`: the proposals that come of the choices."""

    def __init__(
        self,
        title: str,
        rows: Sequence[tuple[str, str]],
        outcomes: Sequence[DebateSetup],
        current: DebateSetup,
        glyphs: Glyphs,
    ) -> None:
        self.outcomes = tuple(outcomes)
        choices = [
            MenuItem(
                one_line(label, MAX_LABEL_CHARACTERS),
                "",
                (Piece(one_line(about, MAX_LABEL_CHARACTERS), Tone.QUIET),),
            )
            for label, about in rows
        ]
        at = self.outcomes.index(current) if current in self.outcomes else 0
        super().__init__(Menu(title, choices, glyphs, highlighted=at))


def format_menu(setup: DebateSetup, known: Mapping[str, Format], glyphs: Glyphs) -> SetupMenuScreen:
    """All formats."""
    rows = [(name, format_.title) for name, format_ in known.items()]
    return SetupMenuScreen("How is it held?", rows, [replace(setup, format=n) for n in known], setup, glyphs)


def mode_menu(setup: DebateSetup, glyphs: Glyphs) -> SetupMenuScreen:
    """All display modes."""
    rows = [(mode.value, told) for mode, told in MODE_DESCRIPTIONS.items()]
    return SetupMenuScreen(
        "When do words appear?", rows, [replace(setup, mode=m) for m in MODE_DESCRIPTIONS], setup, glyphs
    )


def source_menu(
    setup: DebateSetup, item: SetupItem, options: Sequence[SourceOption], glyphs: Glyphs
) -> SetupMenuScreen:
    """All sources at hand for a debater or a judge; the place behind them stands for any other."""
    rows = [*((offer.source, offer.summary) for offer in options), ("another", "any source, as for -d")]
    made = [setup.with_source(item, offer.source) for offer in options]
    return SetupMenuScreen(source_question(item), rows, made, setup, glyphs)


def profile_menu(setup: DebateSetup, position: int, glyphs: Glyphs) -> MenuScreen:
    """What a debater is besides its source: the places are those of `PROFILE_FIELDS`."""
    now = setup.profile(position)
    choices = [
        MenuItem(f"{each} {glyphs.ellipsis}", each[0], (Piece(one_line(value or otherwise, 40), Tone.QUIET),))
        for (each, _, otherwise, _), value in zip(
            PROFILE_FIELDS, (now.name, now.side, now.persona), strict=True
        )
    ]
    return MenuScreen(Menu(f"Debater {position + 1}", choices, glyphs))


def source_question(item: SetupItem) -> str:
    """What is asked about a debater or a judge."""
    return "Who judges?" if item.kind == "judge" else "Who debates?"
