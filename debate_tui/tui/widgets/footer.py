"""The footer: clickable hints for the keys that do something now, or a short status message."""

from __future__ import annotations

import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import Click

    from debate_tui.tui.symbols import Glyphs


HINT_GAP = 3


class KeyHint(NamedTuple):
    """A key, its label and its action; hints with a higher `drop_order` are dropped first."""

    key: str
    label: str
    action: str
    drop_order: int = 1

    @property
    def width(self) -> int:
        """Width in cells."""
        return cell_len(self.key) + 1 + cell_len(self.label)


class Footer(TextRows):
    """One line with as many hints as fit; those with a `drop_order` of 0 are at the right edge."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._hints: tuple[KeyHint, ...] = ()
        self._click_targets: list[tuple[range, str]] = []
        self._status: Piece | None = None
        self._status_path = ""

    def set_hints(self, hints: Sequence[KeyHint]) -> None:
        """Set the hints to show."""
        self._hints = tuple(hints)
        self.refresh_rows()

    def show_status(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        """Show a message and a path after it in place of the hints; an empty text restores them."""
        self._status = Piece(text, tone) if text else None
        self._status_path = path
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the hints that fit, or the status message with the most important ones."""
        aside, chosen = self._fit_status(self._status, width) if self._status else (None, list(self._hints))
        while chosen and _hints_width(chosen) - HINT_GAP > width:
            chosen.remove(max(reversed(chosen), key=lambda hint: hint.drop_order))
        left = [hint for hint in chosen if hint.drop_order]
        right = [hint for hint in chosen if not hint.drop_order]
        self._click_targets.clear()
        right_pieces = self._hint_pieces(right, self.inset + width - (_hints_width(right) - HINT_GAP))
        if aside is not None:
            return (Row((aside,), right_pieces),)
        return (Row(self._hint_pieces(left, self.inset), right_pieces),)

    def _fit_status(self, status: Piece, width: int) -> tuple[Piece, list[KeyHint]]:
        """Return the status with its path, and hints unless the file's name needs their space."""
        hints = [hint for hint in self._hints if hint.drop_order == 0]
        if not self._status_path:
            return status, hints
        room, ellipsis = width - cell_len(status.text), self._glyphs.ellipsis
        if _hints_width(hints) + cell_len(f"{ellipsis}/{PurePath(self._status_path).name}") > room:
            hints = []
        path = shorten_path(self._status_path, room - _hints_width(hints), ellipsis)
        return status._replace(text=status.text + path), hints

    def _hint_pieces(self, hints: Sequence[KeyHint], x: int) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        for hint in hints:
            if pieces:
                pieces.append(Piece(" " * HINT_GAP))
            pieces += [Piece(hint.key, Tone.FOCUS, bold=True), Piece(f" {hint.label}", Tone.QUIET)]
            self._click_targets.append((range(x, x + hint.width), hint.action))
            x += hint.width + HINT_GAP
        return tuple(pieces)

    async def on_click(self, event: Click) -> None:
        """Run the screen's action for the clicked hint."""
        for cells, action in self._click_targets:
            if event.x in cells:
                await self.screen.run_action(action)
                return


def _hints_width(hints: Sequence[KeyHint]) -> int:
    """Return the width of hints in cells, with the gap after each."""
    return sum(hint.width + HINT_GAP for hint in hints)


def shorten_path(path: str, width: int, ellipsis: str) -> str:
    """Shorten a path to `width` cells: drop its first folders, then the start of its name."""
    parts = PurePath(path).parts
    shorter = (str(PurePath(ellipsis, *parts[first:])) for first in range(1, len(parts)))
    fitting = next((text for text in (path, *shorter) if cell_len(text) <= width), None)
    if fitting is not None:
        return fitting
    room = max(0, width - cell_len(ellipsis))
    return ellipsis + set_cell_size(parts[-1][::-1], room)[::-1]


# Notices: a few lines above the footer that stay until they no longer apply.


MAX_ROWS_PER_NOTICE = 2
"""Maximum rows per notice."""
MAX_NOTICE_ROWS = 3


class Notices(Struct):
    """What the debate screen has to say above its footer, besides where others can watch."""

    warning: str = ""
    waiting: str = ""
    lasting: str = ""
    shows_size: bool = True


_DISMISS_PIECES = (Piece("esc", Tone.FOCUS, bold=True), Piece(" dismiss", Tone.QUIET))


class NoticeBar(TextRows):
    """Notices above the footer; hidden while empty.

    The height follows the text, and changes only when the panes are arranged. `on_dismiss` is called when the
    bar is clicked; while the screen sets `dismissible`, the bar names the key that does the same.
    """

    def __init__(self, glyphs: Glyphs, on_dismiss: Callable[[], object] = lambda: None) -> None:
        super().__init__(glyphs)
        self.dismissible = False
        self._on_dismiss = on_dismiss
        self._text = ""
        self.display = False

    def update(self, text: str, width: int) -> None:
        """Show this text on a screen of `width` cells; each line of `text` is a separate notice.

        If there is not enough room for all of them in full, the first ones get it.
        """
        self._text = self._glyphs.displayable(text)
        self.display = bool(text)
        self.styles.height = len(self.rows(width - 2 * self.inset)) or 1
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the wrapped notices; lines never break at hyphens, which may be part of a URL."""
        notices = self._text.splitlines()
        keys = _DISMISS_PIECES if self.dismissible else ()
        keys_width = pieces_width(keys) + 2 if keys else 0
        spare = MAX_NOTICE_ROWS - len(notices)
        rows: list[Row] = []
        for place, notice in enumerate(notices, 1):
            lines = self._wrap(notice, width, spare)
            if place == len(notices) and cell_len(lines[-1]) + keys_width > width:
                lines = self._wrap(notice, width - keys_width, spare)
            spare -= len(lines) - 1
            rows += [Row((Piece(line, Tone.QUIET),)) for line in lines]
        if rows:
            rows[-1] = rows[-1]._replace(right=keys)
        return tuple(rows)

    def _wrap(self, notice: str, width: int, spare_rows: int) -> list[str]:
        return textwrap.wrap(
            notice,
            max(width, 10),
            max_lines=max(1, min(MAX_ROWS_PER_NOTICE, 1 + spare_rows)),
            placeholder=f" {self._glyphs.ellipsis}",
            break_on_hyphens=False,
        )

    def on_click(self, _: Click) -> None:
        self._on_dismiss()
