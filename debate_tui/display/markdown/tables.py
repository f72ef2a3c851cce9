"""Tables: a heading, a line under it, and rows whose columns are as wide as the first ten rows want them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui.display.markdown.frame import Margin, margin
from debate_tui.display.markdown.inline import short
from debate_tui.display.markdown.leaves import Leaf
from debate_tui.display.markdown.line import Line, Run, blend, cut, plain
from debate_tui.display.markdown.width import cells, is_narrow
from debate_tui.display.markdown.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.display.markdown.signs import Signs

Side = Literal["left", "right", "center"]

ROWS = 10
"""Rows that have a say in how wide the columns are."""

LONGEST_WORD = 12
"""Cells of a word that a column is made wide enough for; where there is no room, rows are drawn as lists."""

_PIPE = re.compile(r"(?<!\\)\|")
_DELIMITERS = re.compile(r"[-:|][-:| ]+")
_DELIMITER = re.compile(r":?-+:?")


def split(row: str) -> list[str]:
    """The cells of a row as it was typed."""
    parts = [part.replace("\\|", "|") for part in _PIPE.split(row.strip())]
    if parts and not parts[0]:
        parts = parts[1:]
    if parts and not parts[-1]:
        parts = parts[:-1]
    return [part.strip() for part in parts]


def sides(line: str) -> tuple[Side, ...]:
    """The alignment of each column, from the line under a heading; nothing if it is no such line."""
    line = line.strip()
    if not _DELIMITERS.fullmatch(line) or line.startswith("- "):
        return ()
    parts = [part.strip() for part in line.split("|")]
    if not parts[0]:
        parts = parts[1:]
    if parts and not parts[-1]:
        parts = parts[:-1]
    if not all(_DELIMITER.fullmatch(part) for part in parts):
        return ()
    return tuple(_side(part) for part in parts)


def _side(part: str) -> Side:
    if part.endswith(":"):
        return "center" if part.startswith(":") and len(part) > 1 else "right"
    return "left"


class Columns(Struct, frozen=True):
    """What the rows of one table share.

    Its headings and their alignments, and of each column the width it would like and the least it is worth
    drawing with.
    """

    heads: tuple[str, ...]
    sides: tuple[Side, ...]
    wishes: tuple[int, ...]
    needs: tuple[int, ...]

    @classmethod
    def of(cls, heads: Sequence[str], sides: Sequence[Side], rows: Iterable[str]) -> Columns:
        """The columns that a heading and its first rows ask for."""
        wishes, needs = [1] * len(heads), [1] * len(heads)
        for cells_of_row in (heads, *(split(row)[: len(heads)] for row in rows)):
            for index, cell in enumerate(cells_of_row):
                wish, need = _measure(cell)
                wishes[index] = max(wishes[index], wish)
                needs[index] = max(needs[index], need)
        return cls(tuple(heads), tuple(sides), tuple(wishes), tuple(needs))


@lru_cache(512)
def _measure(cell: str) -> tuple[int, int]:
    text = plain(short(cell))
    words = [len(word) if is_narrow(word) else 2 for word in text.split()]
    return cells(text), min(LONGEST_WORD, max(words, default=1))


@lru_cache(256)
def widths(wishes: tuple[int, ...], needs: tuple[int, ...], room: int) -> tuple[int, ...]:
    """Each column's width in `room` cells, the wide ones cut to one size; nothing if that is too little."""
    free = room - 3 * (len(wishes) - 1)
    if sum(wishes) <= free:
        return wishes
    if sum(needs) > free:
        return ()

    def cut_to(size: int) -> list[int]:
        return [min(wish, max(need, size)) for wish, need in zip(wishes, needs, strict=True)]

    given = cut_to(max(size for size in range(free + 1) if sum(cut_to(size)) <= free))
    for index, wish in enumerate(wishes):
        if sum(given) < free and wish > given[index]:
            given[index] += 1
    return tuple(given)


class Row(Leaf, frozen=True, gc=False):
    """One row of a table; the heading brings the line under it."""

    columns: Columns
    head: bool = False

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """The cells side by side, or under one another where there is no room."""
        space = margin(self.frame, width)
        sizes = widths(self.columns.wishes, self.columns.needs, space.room)
        if not sizes:
            return self._listed(space, signs)
        style = self._style
        border = blend(self.frame.style, "border")
        columns = [
            _cell(cell, style, size, side)
            for cell, size, side in zip(self._cells, sizes, self.columns.sides, strict=True)
        ]
        rows: list[list[Run]] = []
        for pieces in zip_longest(*columns):
            row: list[Run] = []
            for index, (piece, size) in enumerate(zip(pieces, sizes, strict=True)):
                if index:
                    row.append((f" {signs.column} ", border))
                row += piece or [(" " * size, style)]
            rows.append(row)
        if self.head:
            rows.append(
                [(f"{signs.rule}{signs.crossing}{signs.rule}".join(signs.rule * n for n in sizes), border)]
            )
        return _numbered(space, rows)

    def count(self, width: int, signs: Signs) -> int:
        """One where it is plain to see, or as long as it is drawn."""
        sizes = widths(self.columns.wishes, self.columns.needs, margin(self.frame, width).room)
        # Markup only ever makes a cell narrower.
        plain_to_see = sizes and self.text.isascii() and not self.head
        if plain_to_see and all(len(cell) <= size for cell, size in zip(self._cells, sizes, strict=True)):
            return 1
        return len(self.draw(width, signs))

    def said(self, width: int, signs: Signs) -> str:
        """What is on screen."""
        return "\n".join([line.content for line in self.draw(width, signs)])

    @property
    def _cells(self) -> list[str]:
        found = split(self.text)[: len(self.columns.heads)]
        return found + [""] * (len(self.columns.heads) - len(found))

    @property
    def _style(self) -> str:
        return blend(self.frame.style, "marker strong") if self.head else self.frame.style

    def _listed(self, space: Margin, signs: Signs) -> list[Line]:
        if self.head:
            return _numbered(space, [[(signs.rule * space.room, blend(self.frame.style, "border"))]])
        rows: list[list[Run]] = []
        style = self.frame.style
        for name, cell in zip(self.columns.heads, self._cells, strict=True):
            runs = [*short(name, blend(style, "marker")), (": ", blend(style, "marker")), *short(cell, style)]
            rows += cut(runs, wrap(plain(runs), space.room))
        rows.append([(signs.rule * space.room, blend(style, "border"))])
        return _numbered(space, rows)


def _numbered(space: Margin, rows: Sequence[Sequence[Run]]) -> list[Line]:
    """Lines whose text is what is on screen: a row has no other."""
    lines: list[Line] = []
    start = 0
    for runs in rows:
        lines.append(space.line(runs, start=start, first=not lines))
        start += len(plain(runs)) + 1
    return lines


def _cell(text: str, style: str, size: int, side: Side) -> list[list[Run]]:
    runs = list(short(text, style))
    pieces = cut(runs, wrap(plain(runs), size))
    return [_padded(piece, style, size, side) for piece in pieces]


def _padded(runs: list[Run], style: str, size: int, side: Side) -> list[Run]:
    free = max(0, size - sum(cells(text) for text, _ in runs))
    left = free if side == "right" else free // 2 if side == "center" else 0
    return [run for run in ((" " * left, style), *runs, (" " * (free - left), style)) if run[0]]
