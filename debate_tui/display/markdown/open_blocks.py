"""Blocks that are still growing. Each is a value: growing makes another, so that a draft costs a reference.

What of a block can no longer change is moved to the list of closed leaves at once; so an open block is
bounded, however long the whole of it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.blocks import CodeBlock, LeafBlock, Paragraph
from debate_tui.display.markdown.highlight import MAX_HIGHLIGHTED_TEXT
from debate_tui.display.markdown.inline import PIECE_SIZE, split_point
from debate_tui.display.markdown.lines import BlockPrefix
from debate_tui.display.markdown.tables import SAMPLED_ROWS, Alignment, TableColumns, TableRow
from debate_tui.display.markdown.wrap import JOINERS, strip_stray_joiners_so_far

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_JOINTLY_HIGHLIGHTED_LINES = 200
"""Lines of a fence that are coloured together; of a longer one, each by itself."""

MAX_BLANK_LINES = 100
"""Blank lines within indented code that are kept."""

CODE_GROUP_LINES = 20
"""Lines of a long fence that are closed together."""

_CLOSING_FENCE = re.compile(r"(`{3,}|~{3,}) *$")


class OpenParagraph(Struct, frozen=True):
    """The text since the last cut; its last line begins at `last_line_start`, and may head a table if
    `can_head_table`."""

    text: str
    prefix: BlockPrefix
    is_task: bool
    last_line_start: int = 0
    can_head_table: bool = True
    was_split: bool = False

    @classmethod
    def start(
        cls, text: str, prefix: BlockPrefix, closed: list[LeafBlock], *, is_task: bool
    ) -> OpenParagraph:
        """A paragraph with its first line."""
        return cls(text, prefix, is_task).split_off_closed(closed)

    @property
    def last_line(self) -> str:
        """The line read last."""
        return self.text[self.last_line_start :]

    def with_line(self, line: str, closed: list[LeafBlock], *, can_head_table: bool) -> OpenParagraph:
        """With one more line."""
        last = len(self.text) + 1
        return OpenParagraph(
            f"{self.text}\n{line}", self.prefix, self.is_task, last, can_head_table, self.was_split
        ).split_off_closed(closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenParagraph:
        """With more text in its last line."""
        grown = OpenParagraph(
            self.text + text,
            self.prefix,
            self.is_task,
            self.last_line_start,
            self.can_head_table,
            self.was_split,
        )
        return grown.split_off_closed(closed)

    def without_last_line(self) -> OpenParagraph | None:
        """What stands above the last line, if anything does."""
        if not self.last_line_start:
            return None
        return OpenParagraph(
            self.text[: self.last_line_start - 1],
            self.prefix,
            self.is_task,
            0,
            self.can_head_table,
            self.was_split,
        )

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close it."""
        closed.append(Paragraph(self.text.rstrip(), self.prefix, self.is_task))

    def split_off_closed(self, closed: list[LeafBlock]) -> OpenParagraph:
        """With as little as need be kept open."""
        grown = self
        while split_at := split_point(grown.text):
            closed.append(Paragraph(grown.text[:split_at].rstrip(), grown.prefix, grown.is_task))
            last = grown.last_line_start - split_at
            grown = OpenParagraph(
                grown.text[split_at:],
                grown.prefix.continuation(),
                False,
                max(0, last),
                grown.can_head_table and last >= 0,
                True,
            )
        return grown


class OpenFence(Struct, frozen=True):
    """A fence and its lines since the last that were closed; `is_long` if they stay coloured one by one."""

    marker: str
    language: str
    indent: int
    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    size: int = 0
    is_long: bool = False

    @classmethod
    def start(cls, marker: str, info: str, indent: int, prefix: BlockPrefix) -> OpenFence:
        """An empty fence; the first word behind the sign names the language."""
        words = info.split()
        return cls(marker, words[0] if words else "", indent, prefix)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` adds to what was read last."""
        return bool(self.lines)

    def is_closing_line(self, line: str, position: int) -> bool:
        """Whether this line ends the fence."""
        start = skip_indentation(line, position)
        end = _CLOSING_FENCE.match(line, start) if start - position < 4 else None
        return end is not None and end[1].startswith(self.marker)

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenFence:
        """With one more line, of which as many blanks go as stand before the fence."""
        start = min(skip_indentation(line, position), position + self.indent)
        return self._with_lines((*self.lines, *_split_long_line(line[start:])), len(line) - start + 1, closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenFence:
        """With more text in its last line."""
        return self._with_lines(
            (*self.lines[:-1], *_split_long_line(self.lines[-1] + text)), len(text), closed
        )

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close it; until then each line has its colours by itself."""
        closed.append(
            CodeBlock(
                "\n".join(self.lines), self.prefix, self.language, highlight_per_line=draft or self.is_long
            )
        )

    def _with_lines(self, lines: tuple[str, ...], added_size: int, closed: list[LeafBlock]) -> OpenFence:
        size = self.size + added_size
        if not self.is_long and len(lines) <= MAX_JOINTLY_HIGHLIGHTED_LINES and size <= MAX_HIGHLIGHTED_TEXT:
            return OpenFence(self.marker, self.language, self.indent, self.prefix, lines, size)
        prefix = self.prefix
        while len(lines) > CODE_GROUP_LINES:
            closed.append(
                CodeBlock("\n".join(lines[:CODE_GROUP_LINES]), prefix, self.language, highlight_per_line=True)
            )
            prefix = prefix.continuation()
            lines = lines[CODE_GROUP_LINES:]
        return OpenFence(self.marker, self.language, self.indent, prefix, lines, size, is_long=True)


class OpenIndentedCode(Struct, frozen=True):
    """Code by indentation; the blank lines at its end are only part of it if more code follows."""

    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    blank_lines: tuple[str, ...] = ()

    @classmethod
    def start(cls, line: str, prefix: BlockPrefix, closed: list[LeafBlock]) -> OpenIndentedCode:
        """Code with its first line."""
        return cls(prefix).with_lines(_split_long_line(line), closed)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` adds to what was read last."""
        return not self.blank_lines

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenIndentedCode | None:
        """With one more line, if it is indented or blank; of blank ones, only so many."""
        start = skip_indentation(line, position)
        if start == len(line):
            blanks = (*self.blank_lines, *_split_long_line(line[position + 4 :]))
            return OpenIndentedCode(self.prefix, self.lines, blanks[:MAX_BLANK_LINES])
        if start - position < 4:
            return None
        return self.with_lines((*self.blank_lines, *_split_long_line(line[position + 4 :])), closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenIndentedCode:
        """With more text in its last line."""
        return OpenIndentedCode(self.prefix, self.lines[:-1]).with_lines(
            _split_long_line(self.lines[-1] + text), closed
        )

    def with_lines(self, more: Iterable[str], closed: list[LeafBlock]) -> OpenIndentedCode:
        """With more lines."""
        lines, prefix = (*self.lines, *more), self.prefix
        while len(lines) > 2 * CODE_GROUP_LINES:
            closed.append(CodeBlock("\n".join(lines[:CODE_GROUP_LINES]), prefix))
            prefix = prefix.continuation()
            lines = lines[CODE_GROUP_LINES:]
        return OpenIndentedCode(prefix, lines)

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close it, without the blank lines."""
        closed.append(CodeBlock("\n".join(self.lines), self.prefix))


def _split_long_line(line: str) -> list[str]:
    """A line of code, chopped if it is very long."""
    line = strip_stray_joiners_so_far(line)
    lines: list[str] = []
    while len(line) > PIECE_SIZE:
        end = PIECE_SIZE
        while end > 1 and JOINERS.search(line, end - 1, end + 1):
            end -= 1
        lines.append(line[:end])
        line = line[end:]
    return [*lines, line]


class OpenTable(Struct, frozen=True):
    """A table: until its columns are settled its first rows, and then nothing but the columns."""

    heading_line: str
    headings: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    prefix: BlockPrefix
    rows: tuple[str, ...] = ()
    columns: TableColumns | None = None

    def with_row(self, row: str, closed: list[LeafBlock]) -> OpenTable:
        """With one more row."""
        if self.columns is not None:
            closed.append(TableRow(row, self.prefix, self.columns))
            return self
        grown = OpenTable(self.heading_line, self.headings, self.alignments, self.prefix, (*self.rows, row))
        if len(grown.rows) < SAMPLED_ROWS:
            return grown
        grown.close(closed)
        columns = TableColumns.from_rows(self.headings, self.alignments, grown.rows)
        return OpenTable(
            self.heading_line, self.headings, self.alignments, self.prefix.continuation(), (), columns
        )

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close it."""
        if self.columns is not None:
            return
        columns = TableColumns.from_rows(self.headings, self.alignments, self.rows)
        closed.append(TableRow(self.heading_line, self.prefix, columns, is_heading=True))
        below = self.prefix.continuation()
        closed.extend(TableRow(row, below, columns) for row in self.rows)


OpenBlock = OpenParagraph | OpenFence | OpenIndentedCode | OpenTable


_BLANKS = re.compile(" *")


def skip_indentation(line: str, position: int) -> int:
    """Where the text begins that follows the blanks at a position."""
    blanks = _BLANKS.match(line, position)
    assert blanks is not None
    return blanks.end()
