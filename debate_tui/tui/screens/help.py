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

_READING_KEYS = (
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
_MODE_KEYS = (
    ("1", "synchronized: all together"),
    ("2", "staggered: as it comes"),
    ("3", "hybrid: whichever suits"),
)
_DEBATE_KEYS = (
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
_REPLAY_KEYS = (
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
_WATCH_KEYS = (
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
_KEYS_BY_SCREEN = {
    "debate": ("The debate", (*_READING_KEYS, *_MODE_KEYS), _DEBATE_KEYS),
    "replay": ("The replay", _READING_KEYS, _REPLAY_KEYS),
    "watch": ("Watching", (*_READING_KEYS, *_MODE_KEYS), _WATCH_KEYS),
}
_BADGE_EXAMPLES = (
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
_KEY_WIDTH = 7
_DESCRIPTION_WIDTH = 29
_BADGE_WIDTHS = (14, 12, 12, 12, 10)


class HelpScreen(CardScreen):
    """Opened with ``?``, over a debate, its replay, or one that is held elsewhere."""

    def __init__(self, glyphs: Glyphs, kind: Literal["debate", "replay", "watch"] = "debate") -> None:
        title, *columns = _KEYS_BY_SCREEN[kind]
        left, right = (
            (Piece(text.ljust(_KEY_WIDTH + _DESCRIPTION_WIDTH), bold=True),) for text in ("Reading", title)
        )
        keys = [
            Row((*_key_pieces(glyphs, *reading), *_key_pieces(glyphs, *other)))
            for reading, other in zip_longest(*columns, fillvalue=("", ""))
        ]
        badges = [_badge_row(glyphs, _BADGE_EXAMPLES[:5]), _badge_row(glyphs, _BADGE_EXAMPLES[5:])]
        super().__init__(Card("Keys and badges", [Row((*left, *right)), *keys, Row(), *badges], glyphs))


def _key_pieces(glyphs: Glyphs, key: str, description: str) -> tuple[Piece, ...]:
    key, description = glyphs.displayable(key), glyphs.displayable(description)
    return Piece(key.ljust(_KEY_WIDTH), Tone.FOCUS, bold=True), Piece(description.ljust(_DESCRIPTION_WIDTH))


def _badge_row(glyphs: Glyphs, badges: Sequence[tuple[str, str, Tone]]) -> Row:
    widths = zip(badges, _BADGE_WIDTHS, strict=True)
    return Row(
        tuple(
            Piece(f"{getattr(glyphs, glyph)} {word:{width}}", tone) for (glyph, word, tone), width in widths
        )
    )
