"""Help: every key and every badge on one card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.screens.card import Card, CardScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row

if TYPE_CHECKING:
    from debate_tui.tui.glyphs import Glyphs

_READING = (
    ("tab", "next pane"),
    ("z", "zoom the pane"),
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("g G", "top, bottom and follow"),
    ("t", "show or hide thinking"),
    ("y", "copy the turn"),
    ("m", "next display mode"),
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
    ("enter", "what went wrong"),
    ("", ""),
    ("?", "this help"),
    ("esc", "close, unzoom"),
    ("q", "quit; all is recorded"),
)
_BADGES = (
    ("waiting", "waiting", Tone.WAITING),
    ("connecting", "connecting", Tone.WAITING),
    ("connected", "connected", Tone.CONNECTED),
    ("streaming", "streaming", Tone.STREAMING),
    ("paused", "paused", Tone.PAUSED),
    ("reconnecting", "reconnecting", Tone.RECONNECTING),
    ("failed", "failed", Tone.FAILED),
    ("done", "done", Tone.FINISHED),
    ("cut", "cut at the limit", Tone.FINISHED),
    ("refused", "refused", Tone.WAITING),
)
_COLUMNS = (7, 28, 7, 26, 20)


class HelpScreen(CardScreen):
    """Opened with ``?``."""

    def __init__(self, glyphs: Glyphs) -> None:
        headings = Row(
            (
                Piece("Reading".ljust(sum(_COLUMNS[:2])), bold=True),
                Piece("The debate".ljust(sum(_COLUMNS[2:4])), bold=True),
                Piece("Badges", bold=True),
            )
        )
        rows = [
            Row((*_key(left, *_COLUMNS[:2]), *_key(right, *_COLUMNS[2:4]), *_badge(mark, glyphs)))
            for left, right, mark in zip(_READING, _DEBATE, _BADGES, strict=True)
        ]
        super().__init__(Card("Keys", [headings, Row(), *rows], glyphs))


def _key(binding: tuple[str, str], key_width: int, width: int) -> tuple[Piece, ...]:
    key, does = binding
    return Piece(key.ljust(key_width), Tone.FOCUS, bold=True), Piece(does.ljust(width), Tone.TEXT)


def _badge(mark: tuple[str, str, Tone], glyphs: Glyphs) -> tuple[Piece, ...]:
    glyph, word, tone = mark
    return (Piece(f"{getattr(glyphs, glyph)} {word}".ljust(_COLUMNS[4]), tone),)
