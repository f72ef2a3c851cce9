"""Blocks that are still growing. Each is a value: growing makes another, so that a draft costs a reference.

What of a block can no longer change is moved to the list of closed leaves at once; so an open block is
bounded, however long the whole of it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.containers import indentation
from debate_tui.display.markdown.frame import Frame
from debate_tui.display.markdown.highlight import MAX_TEXT
from debate_tui.display.markdown.leaves import Code, Leaf, Paragraph
from debate_tui.display.markdown.settled import PIECE, cut
from debate_tui.display.markdown.tables import ROWS, Columns, Row, Side
from debate_tui.display.markdown.width import JOINERS, unjoined_so_far

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LINES = 200
"""Lines of a fence that are coloured together; of a longer one, each by itself."""

MOST_BLANKS = 100
"""Blank lines within indented code that are kept."""

GROUP = 20
"""Lines of a long fence that are closed together."""

_END = re.compile(r"(`{3,}|~{3,}) *$")


class OpenParagraph(Struct, frozen=True):
    """The text since the last cut; its last line begins at `last`, and may head a table if `may_head`."""

    text: str
    frame: Frame
    task: bool
    last: int = 0
    may_head: bool = True
    cut: bool = False

    @classmethod
    def begun(cls, text: str, frame: Frame, closed: list[Leaf], *, task: bool) -> OpenParagraph:
        """A paragraph with its first line."""
        return cls(text, frame, task).cut_up(closed)

    @property
    def last_line(self) -> str:
        """The line read last."""
        return self.text[self.last :]

    def added(self, line: str, closed: list[Leaf], *, may_head: bool) -> OpenParagraph:
        """With one more line."""
        last = len(self.text) + 1
        return OpenParagraph(f"{self.text}\n{line}", self.frame, self.task, last, may_head, self.cut).cut_up(
            closed
        )

    def extended(self, text: str, closed: list[Leaf]) -> OpenParagraph:
        """With more text in its last line."""
        grown = OpenParagraph(self.text + text, self.frame, self.task, self.last, self.may_head, self.cut)
        return grown.cut_up(closed)

    def without_last_line(self) -> OpenParagraph | None:
        """What stands above the last line, if anything does."""
        if not self.last:
            return None
        return OpenParagraph(self.text[: self.last - 1], self.frame, self.task, 0, self.may_head, self.cut)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it."""
        closed.append(Paragraph(self.text.rstrip(), self.frame, self.task))

    def cut_up(self, closed: list[Leaf]) -> OpenParagraph:
        """With as little as need be kept open."""
        grown = self
        while place := cut(grown.text):
            closed.append(Paragraph(grown.text[:place].rstrip(), grown.frame, grown.task))
            last = grown.last - place
            grown = OpenParagraph(
                grown.text[place:],
                grown.frame.below(),
                False,
                max(0, last),
                grown.may_head and last >= 0,
                True,
            )
        return grown


class Fence(Struct, frozen=True):
    """A fence and its lines since the last that were closed; `long` if they stay coloured one by one."""

    sign: str
    language: str
    indent: int
    frame: Frame
    lines: tuple[str, ...] = ()
    size: int = 0
    long: bool = False

    @classmethod
    def begun(cls, sign: str, info: str, indent: int, frame: Frame) -> Fence:
        """An empty fence; the first word behind the sign names the language."""
        words = info.split()
        return cls(sign, words[0] if words else "", indent, frame)

    @property
    def ends_in_text(self) -> bool:
        """Whether `extended` adds to what was read last."""
        return bool(self.lines)

    def is_end(self, line: str, position: int) -> bool:
        """Whether this line ends the fence."""
        start = indentation(line, position)
        end = _END.match(line, start) if start - position < 4 else None
        return end is not None and end[1].startswith(self.sign)

    def added(self, line: str, position: int, closed: list[Leaf]) -> Fence:
        """With one more line, of which as many blanks go as stand before the fence."""
        start = min(indentation(line, position), position + self.indent)
        return self._with((*self.lines, *_chopped(line[start:])), len(line) - start + 1, closed)

    def extended(self, text: str, closed: list[Leaf]) -> Fence:
        """With more text in its last line."""
        return self._with((*self.lines[:-1], *_chopped(self.lines[-1] + text)), len(text), closed)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it; until then each line has its colours by itself."""
        closed.append(Code("\n".join(self.lines), self.frame, self.language, single=draft or self.long))

    def _with(self, lines: tuple[str, ...], more: int, closed: list[Leaf]) -> Fence:
        size = self.size + more
        if not self.long and len(lines) <= MOST_LINES and size <= MAX_TEXT:
            return Fence(self.sign, self.language, self.indent, self.frame, lines, size)
        frame = self.frame
        while len(lines) > GROUP:
            closed.append(Code("\n".join(lines[:GROUP]), frame, self.language, single=True))
            frame = frame.below()
            lines = lines[GROUP:]
        return Fence(self.sign, self.language, self.indent, frame, lines, size, long=True)


class Indented(Struct, frozen=True):
    """Code by indentation; the blank lines at its end are only part of it if more code follows."""

    frame: Frame
    lines: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()

    @classmethod
    def begun(cls, line: str, frame: Frame, closed: list[Leaf]) -> Indented:
        """Code with its first line."""
        return cls(frame).grown(_chopped(line), closed)

    @property
    def ends_in_text(self) -> bool:
        """Whether `extended` adds to what was read last."""
        return not self.blanks

    def added(self, line: str, position: int, closed: list[Leaf]) -> Indented | None:
        """With one more line, if it is indented or blank; of blank ones, only so many."""
        start = indentation(line, position)
        if start == len(line):
            blanks = (*self.blanks, *_chopped(line[position + 4 :]))
            return Indented(self.frame, self.lines, blanks[:MOST_BLANKS])
        if start - position < 4:
            return None
        return self.grown((*self.blanks, *_chopped(line[position + 4 :])), closed)

    def extended(self, text: str, closed: list[Leaf]) -> Indented:
        """With more text in its last line."""
        return Indented(self.frame, self.lines[:-1]).grown(_chopped(self.lines[-1] + text), closed)

    def grown(self, more: Iterable[str], closed: list[Leaf]) -> Indented:
        """With more lines."""
        lines, frame = (*self.lines, *more), self.frame
        while len(lines) > 2 * GROUP:
            closed.append(Code("\n".join(lines[:GROUP]), frame))
            frame = frame.below()
            lines = lines[GROUP:]
        return Indented(frame, lines)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it, without the blank lines."""
        closed.append(Code("\n".join(self.lines), self.frame))


def _chopped(line: str) -> list[str]:
    """A line of code, chopped if it is very long."""
    line = unjoined_so_far(line)
    lines: list[str] = []
    while len(line) > PIECE:
        end = PIECE
        while end > 1 and JOINERS.search(line, end - 1, end + 1):
            end -= 1
        lines.append(line[:end])
        line = line[end:]
    return [*lines, line]


class OpenTable(Struct, frozen=True):
    """A table: until its columns are settled its first rows, and then nothing but the columns."""

    head: str
    heads: tuple[str, ...]
    sides: tuple[Side, ...]
    frame: Frame
    rows: tuple[str, ...] = ()
    columns: Columns | None = None

    def added(self, row: str, closed: list[Leaf]) -> OpenTable:
        """With one more row."""
        if self.columns is not None:
            closed.append(Row(row, self.frame, self.columns))
            return self
        grown = OpenTable(self.head, self.heads, self.sides, self.frame, (*self.rows, row))
        if len(grown.rows) < ROWS:
            return grown
        grown.close(closed)
        columns = Columns.of(self.heads, self.sides, grown.rows)
        return OpenTable(self.head, self.heads, self.sides, self.frame.below(), (), columns)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it."""
        if self.columns is not None:
            return
        columns = Columns.of(self.heads, self.sides, self.rows)
        closed.append(Row(self.head, self.frame, columns, head=True))
        below = self.frame.below()
        closed.extend(Row(row, below, columns) for row in self.rows)


OpenLeaf = OpenParagraph | Fence | Indented | OpenTable
