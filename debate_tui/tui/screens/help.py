"""The help dialog: the keys of each screen, and the badges."""

from __future__ import annotations

import textwrap
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.screens.dialogs import CardScreen
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import FINISH_BADGES, STATE_BADGES
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.badge import Badge

_READING_KEYS = (
    ("tab", "next pane"),
    ("z", "zoom the pane"),
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("g G", "top; bottom and follow"),
    ("S", "scroll all panes together"),
    ("t", "show or hide reasoning"),
    ("c", "material of the debate"),
    ("/", "search; n N: next, previous"),
    ("y Y", "copy the turn; the debate"),
    ("T", "choose a theme"),
    ("m", "next display mode"),
)
_TURN_KEYS = (("[ ]", "previous, next turn"),)
_MODE_KEYS = (
    ("1", "synchronized"),
    ("2", "staggered"),
    ("3", "hybrid"),
)
_COMMON_KEYS = (
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
)
_DEBATE_KEYS = (
    ("space", "pause or resume all"),
    ("p", "pause or resume the pane"),
    ("w", "wait between rounds"),
    ("x", "stop the turn"),
    ("r", "retry the turn"),
    ("i", "interject"),
    ("M", "moderate: rounds, words, …"),
    ("v", "vote; show the outcome"),
    ("J", "judge a finished debate"),
    ("enter", "write; decide; error details"),
    ("ctrl+s", "send the turn you write"),
    *_COMMON_KEYS,
    ("esc", "leave editor; close; unzoom"),
    ("q", "quit; the debate is saved"),
)
_REPLAY_KEYS = (
    ("space", "play, pause or play again"),
    ("[ ]", "previous, next turn"),
    ("0–9", "jump to 0 % … 90 %"),
    (", .", "half, double the speed"),
    ("v", "show the verdict"),
    *_COMMON_KEYS,
    ("q", "leave the replay"),
)
_WATCH_KEYS = (
    ("space", "pause or resume all (here)"),
    ("p", "pause or resume the pane"),
    ("v", "show the verdict"),
    ("enter", "show error details"),
    *_COMMON_KEYS,
    ("esc", "close; unzoom"),
    ("q", "leave; the debate continues"),
)
_START_KEYS = (
    ("↑", "in the topic: choose an example"),
    ("↑ ↓", "move through the setup"),
    ("← →", "change the selected item"),
    ("enter", "choose; start the debate"),
    ("e", "edit name, side, parameters"),
    ("+ del", "add, remove a debater"),
    ("tab", "topic, or debaters and format"),
    ("^r", "recorded debates"),
    ("T", "choose a theme"),
    ("F1", "this help, also while typing"),
    ("q", "quit"),
)
_HISTORY_KEYS = (
    ("↑ ↓", "move through the list"),
    ("g G", "first, last debate"),
    ("enter", "read the whole debate"),
    ("space", "play it from the start"),
    ("c", "resume an interrupted debate"),
    ("e", "export"),
    ("d", "delete"),
    ("/", "filter by topic, name or model"),
    ("esc", "show all; back to the start"),
    ("T", "choose a theme"),
    ("F1", "this help, also while typing"),
    ("q", "quit"),
)
_SCROLL_KEYS = (
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("home", "top; end: bottom"),
)
_CLOSE_KEYS = (("esc q", "close"), ("?", "this help"))
_OUTCOME_KEYS = (
    ("tab", "verdict, report"),
    *_SCROLL_KEYS,
    ("v", "close; also enter"),
    *_CLOSE_KEYS,
)
_SECTIONS: dict[str, tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = {
    "debate": (("Reading", (*_READING_KEYS, *_TURN_KEYS, *_MODE_KEYS)), ("The debate", _DEBATE_KEYS)),
    "replay": (("Reading", _READING_KEYS), ("The replay", _REPLAY_KEYS)),
    "watch": (("Reading", (*_READING_KEYS, *_TURN_KEYS, *_MODE_KEYS)), ("Watching", _WATCH_KEYS)),
    "start": (("The start screen", _START_KEYS),),
    "history": (("Recorded debates", _HISTORY_KEYS),),
    "statistics": (("Stream statistics", (*_SCROLL_KEYS, ("s", "close; also enter"), *_CLOSE_KEYS)),),
    "verdict": (("The outcome", _OUTCOME_KEYS),),
    "card": (("This dialog", (*_SCROLL_KEYS, ("enter", "close"), *_CLOSE_KEYS)),),
    "menu": (
        (
            "This menu",
            (("↑ ↓", "move; also tab"), ("enter", "choose"), ("a–z", "choose by its letter"), *_CLOSE_KEYS),
        ),
    ),
    "input": (("This input", (("enter", "accept"), ("esc", "cancel"), ("F1", "this help"))),),
}
"""One or two titles with keys for each screen; two stand side by side if there is room."""

_BADGES = (*STATE_BADGES.values(), FINISH_BADGES["length"], FINISH_BADGES["refused"])
_TOPICS_WITH_BADGES = ("debate", "replay", "watch")
_KEY_WIDTH = 7
_COLUMN_WIDTH = 37
_BADGE_WIDTHS = (14, 12, 12, 12, 10)


class HelpScreen(CardScreen[None]):
    """The dialog opened with ``?`` over any screen; `topic` is what that one has as its `HELP_TOPIC`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "close"),
        Binding("question_mark,f1", "close"),
    ]

    def __init__(self, glyphs: Glyphs, topic: str = "debate") -> None:
        super().__init__("Keys and badges" if topic in _TOPICS_WITH_BADGES else "Keys", (), glyphs)
        self._topic = topic

    def rows(self, width: int) -> Sequence[Sequence[Piece]]:
        """Return the keys, in two columns if there are two sections and enough room, and the badges."""
        columns = [
            [(Piece(f"{title:{_COLUMN_WIDTH}}", bold=True),), *self._key_rows(keys, width)]
            for title, keys in _SECTIONS[self._topic]
        ]
        wide = width >= 2 * _COLUMN_WIDTH
        rows: list[tuple[Piece, ...]] = []
        if wide:
            blank = (Piece(" " * _COLUMN_WIDTH),)
            rows += (tuple(chain(*cells)) for cells in zip_longest(*columns, fillvalue=blank))
        else:
            for column in columns:
                rows += [*([()] if rows else []), *column]
        if self._topic in _TOPICS_WITH_BADGES:
            per_row = len(_BADGE_WIDTHS) if wide else 2
            rows.append(())
            rows += (
                _badge_row(_BADGES[first : first + per_row], self._glyphs)
                for first in range(0, len(_BADGES), per_row)
            )
        return rows

    def _key_rows(self, keys: Sequence[tuple[str, str]], width: int) -> Iterator[tuple[Piece, Piece]]:
        """Yield each key and its description, as wide as a column or the screen."""
        cells = max(1, min(_COLUMN_WIDTH, width) - _KEY_WIDTH)
        for key, description in keys:
            label = self._glyphs.displayable(key)
            for line in textwrap.wrap(self._glyphs.displayable(description), cells):
                yield Piece(f"{label:{_KEY_WIDTH}}", Tone.FOCUS, bold=True), Piece(f"{line:{cells}}")
                label = ""


def _badge_row(badges: Sequence[Badge], glyphs: Glyphs) -> tuple[Piece, ...]:
    return tuple(
        Piece(f"{badge.icon(glyphs)} {badge.word:{width}}", badge.tone)
        for badge, width in zip(badges, _BADGE_WIDTHS, strict=False)
    )
