"""The footer: the keys that do something now, each a button; for a moment, what was just done."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs

GAP = 3


class Hint(NamedTuple):
    """A key, what it does, and the action that does it; the higher its `rank`, the sooner it makes room."""

    key: str
    label: str
    action: str
    rank: int = 1

    @property
    def width(self) -> int:
        """Cells it takes."""
        return cell_len(self.key) + 1 + cell_len(self.label)


class Footer(Lines):
    """One line; as many hints as fit, the last ones at the right edge."""

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._hints: tuple[Hint, ...] = ()
        self._places: list[tuple[range, str]] = []
        self._aside: Piece | None = None
        self._path = ""

    def show(self, hints: Sequence[Hint]) -> None:
        """Offer these keys from now on."""
        self._hints = tuple(hints)
        self.sync()

    def say(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        """Say something in place of the keys, and behind it a path; an empty text brings them back."""
        self._aside = Piece(text, tone) if text else None
        self._path = path
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The hints that fit, or the aside and the most important ones."""
        aside, chosen = self._said(self._aside, width) if self._aside else (None, list(self._hints))
        while chosen and _taken(chosen) - GAP > width:
            chosen.remove(max(reversed(chosen), key=lambda hint: hint.rank))
        left = [hint for hint in chosen if hint.rank]
        right = [hint for hint in chosen if not hint.rank]
        self._places.clear()
        right_pieces = self._pieces(right, self.inset + width - (_taken(right) - GAP))
        if aside is not None:
            return (Row((aside,), right_pieces),)
        return (Row(self._pieces(left, self.inset), right_pieces),)

    def _said(self, aside: Piece, width: int) -> tuple[Piece, list[Hint]]:
        """The aside with its path, and the hints beside it: none where the file's name needs their place."""
        hints = [hint for hint in self._hints if hint.rank == 0]
        if not self._path:
            return aside, hints
        room = width - cell_len(aside.text)
        if _taken(hints) + cell_len(f"{self.ellipsis}/{PurePath(self._path).name}") > room:
            hints = []
        path = elided(self._path, room - _taken(hints), self.ellipsis)
        return aside._replace(text=aside.text + path), hints

    def _pieces(self, hints: Sequence[Hint], x: int) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        for hint in hints:
            if pieces:
                pieces.append(Piece(" " * GAP))
            pieces += [Piece(hint.key, Tone.FOCUS, bold=True), Piece(f" {hint.label}", Tone.QUIET)]
            self._places.append((range(x, x + hint.width), hint.action))
            x += hint.width + GAP
        return tuple(pieces)

    def on_click(self, event: Click) -> None:
        """Press the hint under the mouse."""
        for place, action in self._places:
            if event.x in place:
                self.post_message(self.Pressed(action))
                return


def _taken(hints: Sequence[Hint]) -> int:
    """Cells that hints take, with the gap behind each."""
    return sum(hint.width + GAP for hint in hints)


def elided(path: str, width: int, ellipsis: str) -> str:
    """A path in at most `width` cells: without the first of its folders, and with the end of its name."""
    parts = PurePath(path).parts
    shorter = (str(PurePath(ellipsis, *parts[first:])) for first in range(1, len(parts)))
    fitting = next((text for text in (path, *shorter) if cell_len(text) <= width), None)
    if fitting is not None:
        return fitting
    room = max(0, width - cell_len(ellipsis))
    return ellipsis + set_cell_size(parts[-1][::-1], room)[::-1]
