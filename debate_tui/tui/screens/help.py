"""The help dialog: all keys and badges."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType

from debate_tui.tui.screens.dialogs import CardScreen
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.symbols import Glyphs

_READING_KEYS = (
    ("tab", "next pane"),
    ("z", "zoom the pane"),
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("g G", "top; bottom and follow"),
    ("S", "scroll all panes together"),
    ("t", "show or hide reasoning"),
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
    ("x", "stop the turn"),
    ("r", "retry the turn"),
    ("i", "interject"),
    ("M", "moderate: rounds, words, …"),
    ("v", "vote; show the verdict"),
    ("enter", "show error details"),
    *_COMMON_KEYS,
    ("esc", "close; unzoom"),
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
    ("space", "pause or resume all, here only"),
    ("p", "pause or resume the pane"),
    ("v", "show the verdict"),
    ("enter", "show error details"),
    *_COMMON_KEYS,
    ("esc", "close; unzoom"),
    ("q", "leave; the debate continues"),
)
_KEYS_BY_SCREEN = {
    "debate": ("The debate", (*_READING_KEYS, *_TURN_KEYS, *_MODE_KEYS), _DEBATE_KEYS),
    "replay": ("The replay", _READING_KEYS, _REPLAY_KEYS),
    "watch": ("Watching", (*_READING_KEYS, *_TURN_KEYS, *_MODE_KEYS), _WATCH_KEYS),
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
_COLUMN_WIDTH = 37
_BADGE_WIDTHS = (14, 12, 12, 12, 10)


class HelpScreen(CardScreen[None]):
    """The dialog opened with ``?`` over a debate, a replay, or a debate that is being watched."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,question_mark,f1", "close")]

    def __init__(self, glyphs: Glyphs, kind: Literal["debate", "replay", "watch"] = "debate") -> None:
        title, *columns = _KEYS_BY_SCREEN[kind]
        headings = (Piece("Reading".ljust(_COLUMN_WIDTH), bold=True), Piece(title, bold=True))
        keys = [
            (*_key_row(*reading, glyphs, width=_COLUMN_WIDTH), *_key_row(*other, glyphs))
            for reading, other in zip_longest(*columns, fillvalue=("", ""))
        ]
        badges = [_badge_row(_BADGE_EXAMPLES[:5], glyphs), _badge_row(_BADGE_EXAMPLES[5:], glyphs)]
        super().__init__("Keys and badges", [headings, *keys, (), *badges], glyphs)


def _key_row(key: str, description: str, glyphs: Glyphs, *, width: int = 0) -> tuple[Piece, Piece]:
    """Return a key and its description, `width` cells wide at least."""
    key, description = glyphs.displayable(key), glyphs.displayable(description)
    return Piece(key.ljust(_KEY_WIDTH), Tone.FOCUS, bold=True), Piece(description.ljust(width - _KEY_WIDTH))


def _badge_row(badges: Sequence[tuple[str, str, Tone]], glyphs: Glyphs) -> tuple[Piece, ...]:
    return tuple(
        Piece(f"{getattr(glyphs, glyph)} {word:{width}}", tone)
        for (glyph, word, tone), width in zip(badges, _BADGE_WIDTHS, strict=True)
    )
