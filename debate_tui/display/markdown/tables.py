"""Tables: a heading, a rule, and rows; the first ten rows determine the column widths."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct

from debate_tui.display.markdown.blocks import LeafBlock
from debate_tui.display.markdown.inline import parse_inline_cached
from debate_tui.display.markdown.lines import Line, Run, combine_styles
from debate_tui.display.markdown.wrap import (
    BlockPrefix,
    FittedPrefix,
    cell_width,
    fit_prefix,
    is_narrow,
    runs_text,
    slice_runs,
    wrap,
)
from debate_tui.domain.markdown import LINE_BREAK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.display.markdown.lines import MarkdownSymbols

Alignment = Literal["left", "right", "center"]

SAMPLED_ROWS = 10
"""The number of rows that determine the column widths."""

MAX_WORD_WIDTH = 12
"""The longest word, in cells, that a column is widened for; without enough room, rows become lists."""

_PIPE = re.compile(r"(?<!\\)\|")
_DELIMITERS = re.compile(r"[-:|][-:| ]+")
_DELIMITER = re.compile(r":?-+:?")


def split_row(row: str) -> list[str]:
    """Split a row into cells."""
    return _strip_cells([cell.replace("\\|", "|") for cell in _PIPE.split(row.strip())])


def parse_alignments(line: str) -> tuple[Alignment, ...]:
    """Return the alignment of each column, or nothing if the line is not a delimiter row."""
    line = line.strip()
    if not _DELIMITERS.fullmatch(line) or line.startswith("- "):
        return ()
    cells = _strip_cells(line.split("|"))
    if not all(_DELIMITER.fullmatch(cell) for cell in cells):
        return ()
    return tuple(_parse_alignment(cell) for cell in cells)


def _strip_cells(cells: list[str]) -> list[str]:
    """Strip each cell, and drop the empty ones outside the first and the last pipe."""
    begin = 1 if not cells[0] else 0
    end = len(cells) - 1 if len(cells) > begin and not cells[-1] else len(cells)
    return [cell.strip() for cell in cells[begin:end]]


def _parse_alignment(part: str) -> Alignment:
    if part.endswith(":"):
        return "center" if part.startswith(":") and len(part) > 1 else "right"
    return "left"


class TableColumns(Struct, frozen=True):
    """What the rows of a table share.

    Its headings and their alignments, and each column's preferred and minimum width in cells.
    """

    headings: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    preferred_widths: tuple[int, ...]
    minimum_widths: tuple[int, ...]

    @classmethod
    def from_rows(
        cls, headings: Sequence[str], alignments: Sequence[Alignment], rows: Iterable[str]
    ) -> TableColumns:
        """Return the columns that a heading and its first rows need."""
        wishes, needs = [1] * len(headings), [1] * len(headings)
        for cells_of_row in (headings, *(split_row(row)[: len(headings)] for row in rows)):
            for index, cell in enumerate(cells_of_row):
                wish, need = _measure_cell(cell)
                wishes[index] = max(wishes[index], wish)
                needs[index] = max(needs[index], need)
        return cls(tuple(headings), tuple(alignments), tuple(wishes), tuple(needs))


@lru_cache(512)
def _measure_cell(cell: str) -> tuple[int, int]:
    text = runs_text(parse_inline_cached(cell))
    words = [len(word) if is_narrow(word) else 2 for word in text.split()]
    width = max(cell_width(line) for line in text.split("\n"))
    return width, min(MAX_WORD_WIDTH, max(words, default=1))


@lru_cache(256)
def fit_columns(preferred: tuple[int, ...], minimum: tuple[int, ...], available: int) -> tuple[int, ...]:
    """Return each column's width within `available` cells, or nothing if there is not enough room.

    Wide columns are cut to a common width.
    """
    free = available - 3 * (len(preferred) - 1)
    if sum(preferred) <= free:
        return preferred
    if sum(minimum) > free:
        return ()

    def cut_to(size: int) -> list[int]:
        return [min(wish, max(need, size)) for wish, need in zip(preferred, minimum, strict=True)]

    given = cut_to(max(size for size in range(free + 1) if sum(cut_to(size)) <= free))
    for index, wish in enumerate(preferred):
        if sum(given) < free and wish > given[index]:
            given[index] += 1
    return tuple(given)


class TableRow(LeafBlock, frozen=True, gc=False):
    """One row of a table; the heading row includes the rule under it."""

    is_wide: ClassVar[bool] = True

    columns: TableColumns
    is_heading: bool = False

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Render the cells side by side, or one below the other if there is not enough room."""
        prefix = fit_prefix(self.prefix, width)
        sizes = fit_columns(self.columns.preferred_widths, self.columns.minimum_widths, prefix.text_width)
        if not sizes:
            return self._render_as_list(prefix, symbols)
        style = self._style
        border = combine_styles(self.prefix.style, "border")
        columns = [
            _render_cell(cell, style, size, side)
            for cell, size, side in zip(self._cells, sizes, self.columns.alignments, strict=True)
        ]
        rows: list[list[Run]] = []
        for pieces in zip_longest(*columns):
            row: list[Run] = []
            for index, (piece, size) in enumerate(zip(pieces, sizes, strict=True)):
                if index:
                    row.append((f" {symbols.column_separator} ", border))
                row += piece or [(" " * size, style)]
            rows.append(row)
        if self.is_heading:
            rows.append(
                [
                    (
                        f"{symbols.rule}{symbols.column_crossing}{symbols.rule}".join(
                            symbols.rule * n for n in sizes
                        ),
                        border,
                    )
                ]
            )
        return _build_row_lines(prefix, rows)

    def count_lines(self, width: int, symbols: MarkdownSymbols) -> int:
        """Return 1 if the row obviously fits on one line, else render and count."""
        sizes = fit_columns(
            self.columns.preferred_widths,
            self.columns.minimum_widths,
            fit_prefix(self.prefix, width).text_width,
        )
        # Markup only ever makes a cell narrower, except for line breaks.
        plain_to_see = sizes and self.text.isascii() and not self.is_heading and "<" not in self.text
        if plain_to_see and all(len(cell) <= size for cell, size in zip(self._cells, sizes, strict=True)):
            return 1
        return len(self.render(width, symbols))

    def plain_text(self, width: int, symbols: MarkdownSymbols) -> str:
        """Return what is on screen."""
        return "\n".join([line.content for line in self.render(width, symbols)])

    @property
    def _cells(self) -> list[str]:
        found = split_row(self.text)[: len(self.columns.headings)]
        return found + [""] * (len(self.columns.headings) - len(found))

    @property
    def _style(self) -> str:
        return combine_styles(self.prefix.style, "marker strong") if self.is_heading else self.prefix.style

    def _render_as_list(self, prefix: FittedPrefix, symbols: MarkdownSymbols) -> list[Line]:
        if self.is_heading:
            return _build_row_lines(
                prefix, [[(symbols.rule * prefix.text_width, combine_styles(self.prefix.style, "border"))]]
            )
        rows: list[list[Run]] = []
        style = self.prefix.style
        for name, cell in zip(self.columns.headings, self._cells, strict=True):
            runs = [
                *parse_inline_cached(LINE_BREAK.sub(" ", name), combine_styles(style, "marker")),
                (": ", combine_styles(style, "marker")),
                *parse_inline_cached(cell, style),
            ]
            rows += slice_runs(runs, wrap(runs_text(runs), prefix.text_width))
        rows.append([(symbols.rule * prefix.text_width, combine_styles(style, "border"))])
        return _build_row_lines(prefix, rows)


def _build_row_lines(prefix: FittedPrefix, rows: Sequence[Sequence[Run]]) -> list[Line]:
    """Build lines whose text is what is on screen; a row has no other text."""
    lines: list[Line] = []
    start = 0
    for runs in rows:
        lines.append(prefix.build_line(runs, start=start, first=not lines))
        start += len(runs_text(runs)) + 1
    return lines


def _render_cell(text: str, style: str, size: int, alignment: Alignment) -> list[list[Run]]:
    runs = list(parse_inline_cached(text, style))
    pieces = slice_runs(runs, wrap(runs_text(runs), size))
    return [_pad_runs(piece, style, size, alignment) for piece in pieces]


def _pad_runs(runs: list[Run], style: str, size: int, alignment: Alignment) -> list[Run]:
    free = max(0, size - sum(cell_width(text) for text, _ in runs))
    left = free if alignment == "right" else free // 2 if alignment == "center" else 0
    return [run for run in ((" " * left, style), *runs, (" " * (free - left), style)) if run[0]]


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
