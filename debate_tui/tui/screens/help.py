"""Help: every key and every badge on one card."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from debate_tui.tui.screens.card import Card, CardScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.glyphs import Glyphs

_READING = (
    ("tab", "next pane"),
    ("z", "zoom the pane"),
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("g G", "top, bottom and follow"),
    ("t", "show or hide thinking"),
    ("/", "search; n N: next, previous"),
    ("y", "copy the turn"),
    ("T", "try on other themes"),
    ("m", "next display mode"),
)
_MODES = (
    ("1", "synchronized: all together"),
    ("2", "staggered: as it comes"),
    ("3", "hybrid: whichever suits"),
)
_DEBATE = (
    ("space", "pause, go on: all"),
    ("p", "pause, go on: this pane"),
    ("x", "stop this turn"),
    ("r", "retry this turn"),
    ("i", "interject"),
    ("M", "moderate: rounds, words …"),
    ("v", "vote; see the verdict"),
    ("enter", "what went wrong"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("esc", "close, unzoom"),
    ("q", "quit; all is recorded"),
)
_REPLAY = (
    ("space", "pause, play, play again"),
    ("[ ]", "back, and on, by a turn"),
    ("0–9", "to a tenth of the debate"),
    (", .", "half, and twice, the speed"),
    ("v", "see the verdict"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("q", "leave the replay"),
)
_WATCHING = (
    ("space", "pause here, go on: all"),
    ("p", "pause here, go on: this pane"),
    ("v", "see the verdict"),
    ("enter", "what went wrong"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("esc", "close, unzoom"),
    ("q", "leave; the debate goes on"),
)
_KINDS = {
    "debate": ("The debate", (*_READING, *_MODES), _DEBATE),
    "replay": ("The replay", _READING, _REPLAY),
    "watch": ("Watching", (*_READING, *_MODES), _WATCHING),
}
_BADGES = (
    ("waiting", "waiting", Tone.WAITING),
    ("connecting", "connecting", Tone.WAITING),
    ("connected", "connected", Tone.CONNECTED),
    ("streaming", "streaming", Tone.STREAMING),
    ("paused", "paused", Tone.PAUSED),
    ("reconnecting", "reconnecting", Tone.RECONNECTING),
    ("failed", "failed", Tone.FAILED),
    ("done", "done", Tone.FINISHED),
    ("cut", "cut", Tone.FINISHED),
    ("refused", "refused", Tone.WAITING),
)
_KEY = 7
_DOES = 29
_WORDS = (14, 12, 12, 12, 10)


class HelpScreen(CardScreen):
    """Opened with ``?``, over a debate, its replay, or one that is held elsewhere."""

    def __init__(self, glyphs: Glyphs, kind: Literal["debate", "replay", "watch"] = "debate") -> None:
        title, *columns = _KINDS[kind]
        left, right = ((Piece(text.ljust(_KEY + _DOES), bold=True),) for text in ("Reading", title))
        keys = [
            Row((*_key(glyphs, *reading), *_key(glyphs, *other)))
            for reading, other in zip_longest(*columns, fillvalue=("", ""))
        ]
        badges = [_badges(glyphs, _BADGES[:5]), _badges(glyphs, _BADGES[5:])]
        super().__init__(Card("Keys and badges", [Row((*left, *right)), *keys, Row(), *badges], glyphs))


def _key(glyphs: Glyphs, key: str, does: str) -> tuple[Piece, ...]:
    key, does = glyphs.typed(key), glyphs.typed(does)
    return Piece(key.ljust(_KEY), Tone.FOCUS, bold=True), Piece(does.ljust(_DOES))


def _badges(glyphs: Glyphs, marks: Sequence[tuple[str, str, Tone]]) -> Row:
    widths = zip(marks, _WORDS, strict=True)
    return Row(
        tuple(
            Piece(f"{getattr(glyphs, glyph)} {word:{width}}", tone) for (glyph, word, tone), width in widths
        )
    )
