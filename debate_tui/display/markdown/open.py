"""Blocks that are still growing. Each is a value: growing makes another, so that a draft costs a reference.

What of a block can no longer change is moved to the list of closed leaves at once; so an open block is bounded,
however long the whole of it is.
"""

from __future__ import annotations

import re

from msgspec import Struct

from debate_tui.display.markdown.containers import indentation
from debate_tui.display.markdown.frame import Frame
from debate_tui.display.markdown.highlight import MAX_TEXT
from debate_tui.display.markdown.inline import PIECE, cut
from debate_tui.display.markdown.leaves import Code, Leaf, Paragraph
from debate_tui.display.markdown.tables import ROWS, Columns, Row, Side
from debate_tui.display.markdown.width import JOINERS, unjoined_so_far

MOST_LINES = 200
"""Lines of a fence that are coloured together; of a longer one, each by itself."""

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
        return cls(text, frame, task)._cut(closed)

    @property
    def last_line(self) -> str:
        """The line read last."""
        return self.text[self.last :]

    def added(self, line: str, closed: list[Leaf], *, may_head: bool) -> OpenParagraph:
        """With one more line."""
        last = len(self.text) + 1
        return OpenParagraph(f"{self.text}\n{line}", self.frame, self.task, last, may_head, self.cut)._cut(
            closed
        )

    def extended(self, text: str, closed: list[Leaf]) -> OpenParagraph:
        """With more text in its last line."""
        grown = OpenParagraph(self.text + text, self.frame, self.task, self.last, self.may_head, self.cut)
        return grown._cut(closed)

    def without_last_line(self) -> OpenParagraph | None:
        """What stands above the last line, if anything does."""
        if not self.last:
            return None
        return OpenParagraph(self.text[: self.last - 1], self.frame, self.task, 0, self.may_head, self.cut)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it."""
        closed.append(Paragraph(self.text.rstrip(), self.frame, self.task))

    def _cut(self, closed: list[Leaf]) -> OpenParagraph:
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
    """A fence and its lines, each with its line feed; `long` if they are coloured one by one."""

    sign: str
    language: str
    indent: int
    frame: Frame
    text: str = ""
    long: bool = False

    @classmethod
    def begun(cls, sign: str, info: str, indent: int, frame: Frame) -> Fence:
        """An empty fence; the first word behind the sign names the language."""
        words = info.split()
        return cls(sign, words[0] if words else "", indent, frame)

    def is_end(self, line: str, position: int) -> bool:
        """Whether this line ends the fence."""
        start = indentation(line, position)
        end = _END.match(line, start) if start - position < 4 else None
        return end is not None and end[1].startswith(self.sign)

    def added(self, line: str, position: int, closed: list[Leaf]) -> Fence:
        """With one more line, of which as many blanks go as stand before the fence."""
        start = min(indentation(line, position), position + self.indent)
        return self.extended(line[start:] + "\n", closed, begins=True)

    def extended(self, text: str, closed: list[Leaf], *, begins: bool = False) -> Fence:
        """With more text in its last line."""
        whole = self.text + text if begins else self.text[:-1] + text + "\n"
        lines = _chopped(whole)
        if not self.long and len(lines) <= MOST_LINES and len(whole) <= MAX_TEXT:
            return self._with("\n".join(lines) + "\n", self.frame, long=False)
        frame = self.frame
        while len(lines) > GROUP:
            closed.append(Code("\n".join(lines[:GROUP]), frame, self.language, single=True))
            frame = frame.below()
            lines = lines[GROUP:]
        return self._with("\n".join(lines) + "\n", frame, long=True)

    @property
    def ends_in_text(self) -> bool:
        """Whether `extended` adds to what was read last."""
        return bool(self.text)

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it; as a draft, a short one has no colours yet."""
        language = "" if draft and not self.long else self.language
        closed.append(Code(self.text[:-1], self.frame, language, single=self.long))

    def _with(self, text: str, frame: Frame, *, long: bool) -> Fence:
        return Fence(self.sign, self.language, self.indent, frame, text, long)


class Indented(Struct, frozen=True):
    """Code by indentation; the blank lines at its end are only part of it if more code follows."""

    text: str
    frame: Frame
    blanks: str = ""

    @classmethod
    def begun(cls, line: str, frame: Frame, closed: list[Leaf]) -> Indented:
        """Code with its first line."""
        return cls("", frame)._grown(line + "\n", closed)

    def added(self, line: str, position: int, closed: list[Leaf]) -> Indented | None:
        """With one more line, if it is indented or blank."""
        start = indentation(line, position)
        if start == len(line):
            return Indented(self.text, self.frame, self.blanks + line[position + 4 :] + "\n")
        if start - position < 4:
            return None
        return self._grown(self.text + self.blanks + line[position + 4 :] + "\n", closed)

    def extended(self, text: str, closed: list[Leaf]) -> Indented:
        """With more text in its last line."""
        return self._grown(self.text[:-1] + text + "\n", closed)

    @property
    def ends_in_text(self) -> bool:
        """Whether `extended` adds to what was read last."""
        return not self.blanks

    def close(self, closed: list[Leaf], *, draft: bool = False) -> None:
        """Close it, without the blank lines."""
        closed.append(Code(self.text[:-1], self.frame))

    def _grown(self, text: str, closed: list[Leaf]) -> Indented:
        lines, frame = _chopped(text), self.frame
        while len(lines) > 2 * GROUP:
            closed.append(Code("\n".join(lines[:GROUP]), frame))
            frame = frame.below()
            lines = lines[GROUP:]
        return Indented("\n".join(lines) + "\n", frame)


def _chopped(text: str) -> list[str]:
    """Lines of code, very long ones chopped; the last line feed ends no line."""
    lines: list[str] = []
    for line in unjoined_so_far(text[:-1]).split("\n"):
        while len(line) > PIECE:
            end = PIECE
            while end > 1 and JOINERS.search(line, end - 1, end + 1):
                end -= 1
            lines.append(line[:end])
            line = line[end:]
        lines.append(line)
    return lines


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
            closed.append(Row(row, self.columns, self.frame))
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
        closed.append(Row(self.head, columns, self.frame, head=True))
        below = self.frame.below()
        closed.extend(Row(row, columns, below) for row in self.rows)


OpenLeaf = OpenParagraph | Fence | Indented | OpenTable
