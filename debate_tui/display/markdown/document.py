"""A growing Markdown text, as lines that are rendered once.

The cost of a flush depends on the new text and the open block, which is bounded. Closed blocks are kept as
text with their number of lines and rendered again when they are viewed.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.display.markdown.block_parser import BlockParser
from debate_tui.display.markdown.blocks import LabelBlock
from debate_tui.display.markdown.code import PRELOADED_LANGUAGES, CodeBlock, highlight
from debate_tui.display.markdown.lines import UNICODE_SYMBOLS, DocumentPosition, MarkdownSymbols
from debate_tui.display.markdown.paragraphs import Paragraph
from debate_tui.display.markdown.wrap import BlockPrefix, PrefixPart, fit_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.display.markdown.blocks import LeafBlock
    from debate_tui.display.markdown.lines import Line
    from debate_tui.display.markdown.paragraphs import IncrementalParagraph

TAB_SIZE = 4
MAX_CACHED_LINES = 300
"""Cached lines of closed blocks; the last block viewed is cached in full."""

MAX_EAGERLY_RENDERED = 50
"""The maximum number of blocks closed together that are rendered at once, as they may come into view."""

MIN_WIDTH = 4
"""The minimum number of columns for wrapping."""


class WrapWidths(NamedTuple):
    """Columns for wrapping: of code and tables, and of everything else."""

    wide: int
    prose: int

    def of(self, leaf: LeafBlock) -> int:
        """Return the columns for a block."""
        return self.wide if leaf.is_wide else self.prose


def wrap_widths(width: int, prose_width: int | None) -> WrapWidths:
    """Return the columns for a document of `width` columns, with prose in at most `prose_width` of them."""
    wide = max(MIN_WIDTH, width)
    return WrapWidths(wide, wide if prose_width is None else max(MIN_WIDTH, min(prose_width, wide)))


class RenderedLeaf(NamedTuple):
    """A leaf's lines, including the blank line above if there is one."""

    leaf: LeafBlock
    lines: list[Line]


class ClosedBlocks:
    """The blocks at the top of a document that no further text can change.

    They are kept as text with their number of lines, which is an estimate after `resize` until a block is
    rendered or counted. The lines viewed last are cached.
    """

    def __init__(self, widths: WrapWidths, symbols: MarkdownSymbols) -> None:
        self.leaves: list[LeafBlock] = []
        self.first_lines = array("L", (0,))
        """Where each block begins, and where the last one ends."""
        self._widths = widths
        self._symbols = symbols
        self._measured = bytearray()
        self._cache: dict[int, list[Line]] = {}
        self._cached_line_count = 0

    @property
    def is_measured(self) -> bool:
        """Whether the number of lines is exact."""
        return 0 not in self._measured

    def append(self, leaf: LeafBlock, lines: list[Line] | None) -> None:
        """Add a block; `lines` are its lines if they are known, including the blank line above."""
        index = len(self.leaves)
        self.leaves.append(leaf)
        self._measured.append(1)
        if lines is not None:
            self._cache_lines(index, lines)
        count = self._count_lines(index) if lines is None else len(lines)
        self.first_lines.append(self.first_lines[-1] + count)

    def lines(self, block: int) -> list[Line]:
        """Return a block's lines, from the cache if possible, and correct its line count."""
        lines = self._cache.pop(block, None)
        if lines is not None:
            self._cached_line_count -= len(lines)
        else:
            leaf = self.leaves[block]
            width = self._widths.of(leaf)
            lines = with_gap(leaf, leaf.render(width, self._symbols), width)
        self._cache_lines(block, lines)
        if not self._measured[block]:
            self._measured[block] = 1
            shift = len(lines) - (self.first_lines[block + 1] - self.first_lines[block])
            if shift:
                later = [start + shift for start in self.first_lines[block + 1 :]]
                self.first_lines[block + 1 :] = array("L", later)
        return lines

    def resize(self, widths: WrapWidths) -> None:
        """Estimate the number of lines at another width."""
        ratio = self._widths.prose / widths.prose
        self._widths = widths
        counts = [max(1, round(count * ratio)) for count in self._line_counts()]
        self._set_line_counts(counts)
        self._measured = bytearray(len(counts))
        self._cache.clear()
        self._cached_line_count = 0

    def measure(self, seconds: float) -> bool:
        """Count lines for up to `seconds`; return whether all are counted."""
        stale = self._measured.find(0)
        if stale < 0:
            return True
        deadline = time.perf_counter() + seconds
        counts = self._line_counts()
        while stale >= 0 and time.perf_counter() < deadline:
            counts[stale] = self._count_lines(stale)
            self._measured[stale] = 1
            stale = self._measured.find(0, stale)
        self._set_line_counts(counts)
        return stale < 0

    def _line_counts(self) -> list[int]:
        return [stop - start for start, stop in pairwise(self.first_lines)]

    def _set_line_counts(self, counts: Iterable[int]) -> None:
        self.first_lines = array("L", [0, *accumulate(counts)])

    def _count_lines(self, block: int) -> int:
        leaf = self.leaves[block]
        width = self._widths.of(leaf)
        return gap_height(leaf, width) + leaf.count_lines(width, self._symbols)

    def _cache_lines(self, block: int, lines: list[Line]) -> None:
        self._cache[block] = lines
        self._cached_line_count += len(lines)
        while self._cached_line_count > MAX_CACHED_LINES and len(self._cache) > 1:
            self._cached_line_count -= len(self._cache.pop(next(iter(self._cache))))


def gap_height(leaf: LeafBlock, width: int) -> int:
    """Return the number of blank lines above a block: 0 or 1."""
    return len(fit_prefix(leaf.prefix, width).gap_lines)


def with_gap(leaf: LeafBlock, lines: list[Line], width: int) -> list[Line]:
    """Return a block's lines with the blank line above if there is one."""
    gap = fit_prefix(leaf.prefix, width).gap_lines
    return [*gap, *lines] if gap else lines


class Document:
    """A Markdown document that turns text into lines.

    `feed` takes sanitised text, split anywhere; `flush` parses it and returns the index of the first line
    that changed, or `None` if none did. `style` applies to the whole document.
    Prose is wrapped at `prose_width` columns if that is less than `width`; code and tables may be wider.

    `resize` is lazy: after it, the number of lines is an estimate until `measure` returns true; `rows`
    corrects it for the blocks that it reads. Across both, keep a `DocumentPosition` instead of the index of
    a line.
    """

    def __init__(
        self,
        width: int,
        symbols: MarkdownSymbols = UNICODE_SYMBOLS,
        style: str = "",
        prose_width: int | None = None,
    ) -> None:
        self._widths = wrap_widths(width, prose_width)
        self.text_length = 0
        self._symbols = symbols
        self._parser = BlockParser(symbols, style)
        self._pending_text: list[str] = []
        self._partial_line = ""
        self._partial_line_column = -1  # the column where a line read in part continues
        self._closed = ClosedBlocks(self._widths, symbols)
        self._open_leaves: list[RenderedLeaf] = []
        self._open_lines: list[Line] = []
        self._growing_paragraphs: dict[int, IncrementalParagraph] = {}

    def feed(self, text: str) -> None:
        """Queue text; it shows after the next `flush`."""
        self._pending_text.append(text)

    def flush(self) -> int | None:
        """Parse the queued text and return the index of the first line that changed, or `None`."""
        if not self._pending_text:
            return None
        self._read_pending()
        return self._refresh()

    def close(self) -> int | None:
        """Parse the queued text and end the document; return as `flush` does."""
        self._read_pending()
        if self._partial_line:
            self._parser.read_line(self._partial_line.expandtabs(TAB_SIZE))
            self._partial_line = ""
        self._partial_line_column = -1
        self._parser.close_all()
        return self._refresh()

    @property
    def line_count(self) -> int:
        """The number of lines; an estimate unless `is_measured`."""
        return self.closed_line_count + len(self._open_lines)

    @property
    def closed_line_count(self) -> int:
        """The number of lines at the top that no further text can change."""
        return self._closed.first_lines[-1]

    @property
    def is_measured(self) -> bool:
        """Whether the number of lines at the current width is exact."""
        return self._closed.is_measured

    @property
    def block_count(self) -> int:
        """The number of blocks, including open ones."""
        return len(self._closed.leaves) + len(self._open_leaves)

    def rows(self, start: int, stop: int) -> list[tuple[int, Line]]:
        """Return the lines from `start` up to `stop`, each with the number of its block.

        There are fewer at the end.
        """
        result: list[tuple[int, Line]] = []
        if start >= stop:
            return result
        for block in self._blocks_from(start):
            first = self._first_line_of(block)
            result += [
                (block, line) for line in self._block_lines(block)[max(0, start - first) : stop - first]
            ]
            if len(result) >= stop - start:
                break
        return result

    def append_leaf(self, leaf: LeafBlock) -> None:
        """Append a block that is not Markdown; it shows after the next `flush`."""
        self._parser.append_leaf(leaf)
        self._pending_text.append("")

    def append_lines(self, text: str) -> None:
        """Append lines that are not Markdown, each with its indentation; they show after the next `flush`."""
        for line in text.expandtabs(TAB_SIZE).split("\n"):
            content = line.lstrip(" ")
            indent = " " * (len(line) - len(content))
            self.append_leaf(LabelBlock(content, BlockPrefix((PrefixPart(indent, indent, ""),))))

    def resize(self, width: int, prose_width: int | None = None) -> None:
        """Wrap to another width: the open blocks at once, the rest when viewed."""
        widths = wrap_widths(width, prose_width)
        if widths == self._widths:
            return
        self._widths = widths
        self._closed.resize(widths)
        self._growing_paragraphs.clear()
        self._open_leaves.clear()
        self._render_open(self._parser.draft(self._partial_line.expandtabs(TAB_SIZE)).leaves)

    def measure(self, seconds: float) -> bool:
        """Count lines at the current width for up to `seconds`; return whether all are counted."""
        return self._closed.measure(seconds)

    def position_at(self, line: int) -> DocumentPosition:
        """Return the position of the first character of a line."""
        for block in self._blocks_from(line):
            lines = self._block_lines(block)
            index = line - self._first_line_of(block)
            if index < len(lines):
                leaf = self._leaf_at(block)
                above = gap_height(leaf, self._widths.of(leaf))
                return DocumentPosition(block, lines[index].start if index >= above else -1)
        return DocumentPosition(self.block_count, 0)

    def line_at(self, position: DocumentPosition) -> int:
        """Return the index of the line that shows a position."""
        block, offset = position
        if block >= self.block_count:
            return self.line_count
        lines = self._block_lines(block)
        line = self._first_line_of(block)
        if offset < 0:
            return line
        leaf = self._leaf_at(block)
        above = gap_height(leaf, self._widths.of(leaf))
        starts = [entry.start for entry in lines[above:]]
        return line + above + max(0, bisect_right(starts, offset) - 1)

    def block_text(self, block: int) -> str:
        """Return the text of a block: one line for a paragraph, however it is wrapped."""
        leaf = self._leaf_at(block)
        return leaf.plain_text(self._widths.of(leaf), self._symbols)

    def _read_pending(self) -> None:
        text = "".join(self._pending_text)
        self._pending_text.clear()
        self.text_length += len(text)
        if self._partial_line_column >= 0:
            rest, feed, text = text.partition("\n")
            self._extend_line(rest)
            if not feed:
                return
            self._partial_line_column = -1
        *lines, self._partial_line = (self._partial_line + text).split("\n")
        for line in lines:
            self._parser.read_line(line.expandtabs(TAB_SIZE) if "\t" in line else line)

    def _extend_line(self, text: str) -> None:
        if "\t" in text:
            offset = self._partial_line_column % TAB_SIZE
            text = (" " * offset + text).expandtabs(TAB_SIZE)[offset:]
        self._partial_line_column += len(text)
        if text:
            self._parser.extend_line(text)

    def _refresh(self) -> int | None:
        """Store closed leaves, render open ones, and return the index of the first line that changed."""
        before, begin = self._open_lines, self.closed_line_count
        partial = self._partial_line.expandtabs(TAB_SIZE)
        closed = self._parser.take_closed()
        leaves, certain = self._parser.draft(partial)
        if certain:
            self._parser.read_line(partial)
            self._partial_line, self._partial_line_column = "", len(partial)
            more = self._parser.take_closed()
            closed += more
            leaves = leaves[len(more) :]
        known = self._close_leaves(closed, before)
        self._render_open(leaves)
        if known == self.closed_line_count - begin:
            known += _common_line_count(before, self._open_lines, known)
        return None if known == len(before) == self.line_count - begin else begin + known

    def _close_leaves(self, leaves: list[LeafBlock], previous: list[Line]) -> int:
        """Store closed leaves; return how many leading `previous` lines are unchanged."""
        begin = self.closed_line_count
        draw = len(leaves) <= MAX_EAGERLY_RENDERED
        known = 0
        for leaf in leaves:
            alike = known == self.closed_line_count - begin
            lines = self._close_leaf(leaf, render=draw)
            if alike and lines is not None:
                known += _common_line_count(previous, lines, known)
        return known

    def _close_leaf(self, leaf: LeafBlock, *, render: bool) -> list[Line] | None:
        """Store a closed leaf; return its lines if they are known or `render` is set."""
        index = len(self._closed.leaves)
        before = self._open_leaves.pop(0) if self._open_leaves else None
        lines = self._render_leaf(leaf, index, before).lines if render or before else None
        self._growing_paragraphs.pop(index, None)
        self._closed.append(leaf, lines)
        return lines

    def _render_open(self, leaves: list[LeafBlock]) -> None:
        before = self._open_leaves
        first = len(self._closed.leaves)
        self._open_leaves = [
            self._render_leaf(leaf, first + index, before[index] if index < len(before) else None)
            for index, leaf in enumerate(leaves)
        ]
        tail: list[Line] = []
        for drawn in self._open_leaves:
            tail += drawn.lines
        self._open_lines = tail

    def _render_leaf(self, leaf: LeafBlock, index: int, previous: RenderedLeaf | None) -> RenderedLeaf:
        """Render a leaf, reusing what was `previous` in its place."""
        if previous is not None and previous.leaf == leaf:
            return previous
        width = self._widths.of(leaf)
        if isinstance(leaf, Paragraph):
            paragraph, lines = leaf.render_incremental(
                self._growing_paragraphs.get(index), width, self._symbols
            )
            self._growing_paragraphs[index] = paragraph
        elif isinstance(leaf, CodeBlock) and previous is not None and isinstance(previous.leaf, CodeBlock):
            lines = leaf.render_incremental(
                previous.leaf, previous.lines[gap_height(leaf, width) :], width, self._symbols
            )
        else:
            lines = leaf.render(width, self._symbols)
        return RenderedLeaf(leaf, with_gap(leaf, lines, width))

    def _leaf_at(self, block: int) -> LeafBlock:
        closed = self._closed.leaves
        return closed[block] if block < len(closed) else self._open_leaves[block - len(closed)].leaf

    def _first_line_of(self, block: int) -> int:
        open_before = self._open_leaves[: max(0, block - len(self._closed.leaves))]
        if not open_before:
            return self._closed.first_lines[block]
        return self.closed_line_count + sum(len(drawn.lines) for drawn in open_before)

    def _blocks_from(self, line: int) -> Iterator[int]:
        """Yield the blocks from the one that contains a line; each is counted when reached."""
        closed = max(0, bisect_right(self._closed.first_lines, line) - 1)
        yield from range(min(closed, len(self._closed.leaves)), self.block_count)

    def _block_lines(self, block: int) -> list[Line]:
        closed = len(self._closed.leaves)
        return self._closed.lines(block) if block < closed else self._open_leaves[block - closed].lines


def _common_line_count(before: list[Line], lines: list[Line], offset: int) -> int:
    """Return how many of the first `lines` are equal to those in `before` from `offset` on."""
    count = 0
    for old, new in zip(before[offset:], lines, strict=False):
        if old is not new and old != new:
            break
        count += 1
    return count


def preload() -> None:
    """Load what the first text and the first code block need; may run in a thread."""
    document = Document(40)
    document.feed("**bold**\n")
    document.flush()
    for language in PRELOADED_LANGUAGES:
        highlight("", language)
