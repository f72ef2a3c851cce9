"""Blocks that are still growing, as immutable values, so that a draft costs only a reference.

The part of a block that can no longer change is moved to the list of closed leaves at once, so an open
block is bounded, however long the whole block is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.block_prefix import BlockPrefix
from debate_tui.display.markdown.blocks import CodeBlock, LeafBlock, Paragraph
from debate_tui.display.markdown.highlight import MAX_HIGHLIGHTED_TEXT
from debate_tui.display.markdown.inline import PIECE_SIZE, split_point
from debate_tui.display.markdown.tables import SAMPLED_ROWS, Alignment, TableColumns, TableRow
from debate_tui.display.markdown.wrap import JOINERS, strip_stray_joiners_so_far

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_JOINTLY_HIGHLIGHTED_LINES = 200
"""The maximum number of lines of fenced code highlighted together; longer code is done line by line."""

MAX_BLANK_LINES = 100
"""The maximum number of blank lines kept within indented code."""

CODE_GROUP_LINES = 20
"""Lines of long code that are closed together."""

_CLOSING_FENCE = re.compile(r"(`{3,}|~{3,}) *$")


class OpenParagraph(Struct, frozen=True):
    """A paragraph's text since the last cut.

    Its last line begins at `last_line_start`, and may be the heading of a table if `can_head_table`.
    """

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
        """Start a paragraph with its first line."""
        return cls(text, prefix, is_task).split_off_closed(closed)

    @property
    def last_line(self) -> str:
        """The last line read."""
        return self.text[self.last_line_start :]

    def with_line(self, line: str, closed: list[LeafBlock], *, can_head_table: bool) -> OpenParagraph:
        """Return the paragraph with one more line."""
        last = len(self.text) + 1
        return OpenParagraph(
            f"{self.text}\n{line}", self.prefix, self.is_task, last, can_head_table, self.was_split
        ).split_off_closed(closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenParagraph:
        """Return the paragraph with more text in its last line."""
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
        """Return the paragraph without its last line, or `None` if it has only one."""
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
        """Close the paragraph."""
        closed.append(Paragraph(self.text.rstrip(), self.prefix, self.is_task))

    def split_off_closed(self, closed: list[LeafBlock]) -> OpenParagraph:
        """Close as much as possible, and return the rest."""
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
    """Fenced code, with the lines since the last closed ones; `is_long` if highlighted line by line."""

    marker: str
    language: str
    indent: int
    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    size: int = 0
    is_long: bool = False

    @classmethod
    def start(cls, marker: str, info: str, indent: int, prefix: BlockPrefix) -> OpenFence:
        """Start an empty fence; the first word after its marker names the language."""
        words = info.split()
        return cls(marker, words[0] if words else "", indent, prefix)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` can add to the last line read."""
        return bool(self.lines)

    def is_closing_line(self, line: str, position: int) -> bool:
        """Return whether this line closes the fence."""
        start = skip_indentation(line, position)
        end = _CLOSING_FENCE.match(line, start) if start - position < 4 else None
        return end is not None and end[1].startswith(self.marker)

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenFence:
        """Return the fence with one more line, without the indentation of the fence itself."""
        start = min(skip_indentation(line, position), position + self.indent)
        return self._with_lines((*self.lines, *_split_long_line(line[start:])), len(line) - start + 1, closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenFence:
        """Return the fence with more text in its last line."""
        return self._with_lines(
            (*self.lines[:-1], *_split_long_line(self.lines[-1] + text)), len(text), closed
        )

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the fence; a draft is highlighted line by line."""
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
    """Indented code; blank lines at its end belong to it only if more code follows."""

    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    blank_lines: tuple[str, ...] = ()

    @classmethod
    def start(cls, line: str, prefix: BlockPrefix, closed: list[LeafBlock]) -> OpenIndentedCode:
        """Start code with its first line."""
        return cls(prefix).with_lines(_split_long_line(line), closed)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` can add to the last line read."""
        return not self.blank_lines

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenIndentedCode | None:
        """Return the code with one more line, or `None` if it is neither indented nor blank.

        Blank lines beyond `MAX_BLANK_LINES` are dropped.
        """
        start = skip_indentation(line, position)
        if start == len(line):
            blanks = (*self.blank_lines, *_split_long_line(line[position + 4 :]))
            return OpenIndentedCode(self.prefix, self.lines, blanks[:MAX_BLANK_LINES])
        if start - position < 4:
            return None
        return self.with_lines((*self.blank_lines, *_split_long_line(line[position + 4 :])), closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenIndentedCode:
        """Return the code with more text in its last line."""
        return OpenIndentedCode(self.prefix, self.lines[:-1]).with_lines(
            _split_long_line(self.lines[-1] + text), closed
        )

    def with_lines(self, more: Iterable[str], closed: list[LeafBlock]) -> OpenIndentedCode:
        """Return the code with more lines."""
        lines, prefix = (*self.lines, *more), self.prefix
        while len(lines) > 2 * CODE_GROUP_LINES:
            closed.append(CodeBlock("\n".join(lines[:CODE_GROUP_LINES]), prefix))
            prefix = prefix.continuation()
            lines = lines[CODE_GROUP_LINES:]
        return OpenIndentedCode(prefix, lines)

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the code, without the blank lines at its end."""
        closed.append(CodeBlock("\n".join(self.lines), self.prefix))


def _split_long_line(line: str) -> list[str]:
    """Split a line of code that is very long."""
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
    """A table: its first rows until its columns are final, and only the columns after that."""

    heading_line: str
    headings: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    prefix: BlockPrefix
    rows: tuple[str, ...] = ()
    columns: TableColumns | None = None

    def with_row(self, row: str, closed: list[LeafBlock]) -> OpenTable:
        """Return the table with one more row."""
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
        """Close the table."""
        if self.columns is not None:
            return
        columns = TableColumns.from_rows(self.headings, self.alignments, self.rows)
        closed.append(TableRow(self.heading_line, self.prefix, columns, is_heading=True))
        below = self.prefix.continuation()
        closed.extend(TableRow(row, below, columns) for row in self.rows)


OpenBlock = OpenParagraph | OpenFence | OpenIndentedCode | OpenTable


_BLANKS = re.compile(" *")


def skip_indentation(line: str, position: int) -> int:
    """Return where the text after the blanks at a position begins."""
    blanks = _BLANKS.match(line, position)
    assert blanks is not None
    return blanks.end()
