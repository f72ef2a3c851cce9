"""A Markdown text that grows, as lines that are made once.

What a flush costs depends on the new text and on the block that is still open, which is bounded; what is
closed is kept as text with its number of lines, and drawn again when it is looked at.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.display.markdown.blocks import Parser
from debate_tui.display.markdown.frame import margin
from debate_tui.display.markdown.leaves import Code, Leaf, Paragraph
from debate_tui.display.markdown.place import Place
from debate_tui.display.markdown.signs import UNICODE, Signs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.display.markdown.flow import Flow
    from debate_tui.display.markdown.line import Line

TAB = 4
MOST_DRAWN = 300
"""Lines of closed blocks that are kept; of the last block that was looked at, all."""

MOST_TAKEN = 50
"""Blocks closed at once that are drawn at once, because they may come into view."""

NARROWEST = 4
"""Columns a document is wrapped at least at."""


class Drawn(NamedTuple):
    """A leaf's lines: the blank one above first, if it has one."""

    leaf: Leaf
    lines: list[Line]


class Document:
    """Markdown in, lines out.

    `feed` takes sanitised text, cut anywhere; `flush` reads it and returns the index of the first line that
    is not what it was, `None` if all are. `style` is put around everything.

    `resize` is lazy: after it, the number of lines is an estimate until `settle` has said that it is done,
    and `lines` corrects it where it looks. Keep a `Place` rather than the index of a line across both.
    """

    def __init__(self, width: int, signs: Signs = UNICODE, style: str = "") -> None:
        self.width = max(NARROWEST, width)
        self.length = 0
        self._signs = signs
        self._parser = Parser(signs, style)
        self._fed: list[str] = []
        self._partial = ""
        self._column = -1  # where a line goes on that has been read in part
        self._closed: list[Leaf] = []
        self._starts = array("L", (0,))
        self._fresh = bytearray()
        self._drawn: dict[int, list[Line]] = {}
        self._drawn_count = 0
        self._open: list[Drawn] = []
        self._tail: list[Line] = []
        self._flows: dict[int, Flow] = {}

    def feed(self, text: str) -> None:
        """Take text; nothing is seen of it before `flush`."""
        self._fed.append(text)

    def flush(self) -> int | None:
        """Read what was fed."""
        if not self._fed:
            return None
        text = "".join(self._fed)
        self._fed.clear()
        self.length += len(text)
        self._read(text)
        return self._refresh()

    def close(self) -> int | None:
        """Read what was fed, and take it that no more will follow."""
        for text in self._fed:
            self.length += len(text)
            self._read(text)
        self._fed.clear()
        if self._partial:
            self._parser.line(self._partial.expandtabs(TAB))
            self._partial = ""
        self._column = -1
        self._parser.end()
        return self._refresh()

    @property
    def line_count(self) -> int:
        """How many lines there are; an estimate while not settled."""
        return self._starts[-1] + len(self._tail)

    @property
    def closed_count(self) -> int:
        """How many lines at the top no further text can change."""
        return self._starts[-1]

    @property
    def is_settled(self) -> bool:
        """Whether all is known about the present width."""
        return 0 not in self._fresh

    def lines(self, start: int, stop: int) -> list[Line]:
        """Some lines; fewer at the end."""
        return [line for _, line in self.rows(start, stop)]

    def rows(self, start: int, stop: int) -> list[tuple[int, Line]]:
        """Some lines, each with the number of its block."""
        result: list[tuple[int, Line]] = []
        if start >= stop:
            return result
        for block in self._blocks_from(start):
            first = self._start_of(block)
            result += [(block, line) for line in self._block(block)[max(0, start - first) : stop - first]]
            if len(result) >= stop - start:
                break
        return result

    def put(self, leaf: Leaf) -> None:
        """Add a block that is no Markdown; seen after `flush`."""
        self._parser.put(leaf)
        self._fed.append("")

    def resize(self, width: int) -> None:
        """Wrap to another width: at once what is open, the rest when it is looked at."""
        width = max(NARROWEST, width)
        if width == self.width:
            return
        ratio = self.width / width
        counts = [stop - start for start, stop in zip(self._starts, self._starts[1:], strict=False)]
        self._starts = _ends(max(1, round(count * ratio)) for count in counts)
        self._fresh = bytearray(len(counts))
        self.width = width
        self._drawn.clear()
        self._drawn_count = 0
        self._flows.clear()
        self._open.clear()
        self._draw_open(self._parser.draft(self._partial.expandtabs(TAB)).leaves)

    def settle(self, seconds: float) -> bool:
        """Spend some time on counting lines at the present width; whether that was enough."""
        stale = self._fresh.find(0)
        if stale < 0:
            return True
        deadline = time.perf_counter() + seconds
        counts = [stop - start for start, stop in zip(self._starts, self._starts[1:], strict=False)]
        while stale >= 0 and time.perf_counter() < deadline:
            counts[stale] = self._count(stale)
            self._fresh[stale] = 1
            stale = self._fresh.find(0, stale)
        self._starts = _ends(counts)
        return stale < 0

    def place_of(self, line: int) -> Place:
        """The place a line shows first."""
        for block in self._blocks_from(line):
            lines = self._block(block)
            index = line - self._start_of(block)
            if index < len(lines):
                above = self._above(block)
                return Place(block, lines[index].start if index >= above else -1)
        return Place(len(self._closed) + len(self._open), 0)

    def line_of(self, place: Place) -> int:
        """The line that shows a place."""
        if place.block >= len(self._closed) + len(self._open):
            return self.line_count
        lines = self._block(place.block)
        line = self._start_of(place.block)
        if place.offset < 0:
            return line
        above = self._above(place.block)
        starts = [entry.start for entry in lines[above:]]
        return line + above + max(0, bisect_right(starts, place.offset) - 1)

    def text(self, block: int) -> str:
        """What a block says: one line for a paragraph, however it is wrapped."""
        return self._leaf(block).said(self.width, self._signs)

    @property
    def block_count(self) -> int:
        """How many blocks there are, those still open included."""
        return len(self._closed) + len(self._open)

    def _read(self, text: str) -> None:
        if self._column >= 0:
            rest, feed, text = text.partition("\n")
            self._extend(rest)
            if not feed:
                return
            self._column = -1
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._parser.line(line.expandtabs(TAB) if "\t" in line else line)

    def _extend(self, text: str) -> None:
        if "\t" in text:
            offset = self._column % TAB
            text = (" " * offset + text).expandtabs(TAB)[offset:]
        self._column += len(text)
        if text:
            self._parser.extend(text)

    def _refresh(self) -> int | None:
        """Take over what was closed, draw what is open; the first line that differs."""
        before, begin = self._tail, self._starts[-1]
        partial = self._partial.expandtabs(TAB)
        closed = self._parser.take()
        leaves, certain = self._parser.draft(partial)
        if certain:
            self._parser.line(partial)
            self._partial, self._column = "", len(partial)
            more = self._parser.take()
            closed += more
            leaves = leaves[len(more) :]
        known = self._take_all(closed, before)
        self._draw_open(leaves)
        if known == self._starts[-1] - begin:
            known += _common(before, self._tail, known)
        return None if known == len(before) == self.line_count - begin else begin + known

    def _take_all(self, leaves: list[Leaf], before: list[Line]) -> int:
        """Keep closed leaves; how many of the lines there were before are also the first of theirs."""
        begin = self._starts[-1]
        draw = len(leaves) <= MOST_TAKEN
        known = 0
        for leaf in leaves:
            alike = known == self._starts[-1] - begin
            lines = self._take(leaf, draw=draw)
            if alike and lines is not None:
                known += _common(before, lines, known)
        return known

    def _take(self, leaf: Leaf, *, draw: bool) -> list[Line] | None:
        """Keep a closed leaf; its lines, if they are known or `draw` asks for them."""
        index = len(self._closed)
        before = self._open.pop(0) if self._open else None
        lines = self._draw(leaf, index, before).lines if draw or before else None
        self._flows.pop(index, None)
        self._closed.append(leaf)
        self._fresh.append(1)
        if lines is not None:
            self._keep(index, lines)
        self._starts.append(self._starts[-1] + (len(lines) if lines is not None else self._count(index)))
        return lines

    def _draw_open(self, leaves: list[Leaf]) -> None:
        before = self._open
        first = len(self._closed)
        self._open = [
            self._draw(leaf, first + index, before[index] if index < len(before) else None)
            for index, leaf in enumerate(leaves)
        ]
        tail: list[Line] = []
        for drawn in self._open:
            tail += drawn.lines
        self._tail = tail

    def _draw(self, leaf: Leaf, index: int, before: Drawn | None) -> Drawn:
        """Draw a leaf, by what is known of what stood in its place before."""
        if before is not None and before.leaf == leaf:
            return before
        if isinstance(leaf, Paragraph):
            flow, lines = leaf.grow(self._flows.get(index), self.width, self._signs)
            self._flows[index] = flow
        elif isinstance(leaf, Code) and before is not None and isinstance(before.leaf, Code):
            lines = leaf.grow(before.leaf, before.lines[self._height_above(leaf) :], self.width, self._signs)
        else:
            lines = leaf.draw(self.width, self._signs)
        return Drawn(leaf, self._with_above(leaf, lines))

    def _with_above(self, leaf: Leaf, lines: list[Line]) -> list[Line]:
        above = margin(leaf.frame, self.width).above
        return [*above, *lines] if above else lines

    def _height_above(self, leaf: Leaf) -> int:
        return len(margin(leaf.frame, self.width).above)

    def _above(self, block: int) -> int:
        return self._height_above(self._leaf(block))

    def _leaf(self, block: int) -> Leaf:
        closed = len(self._closed)
        return self._closed[block] if block < closed else self._open[block - closed].leaf

    def _count(self, block: int) -> int:
        leaf = self._closed[block]
        return self._above(block) + leaf.count(self.width, self._signs)

    def _start_of(self, block: int) -> int:
        closed = len(self._closed)
        if block <= closed:
            return self._starts[block]
        return self._starts[-1] + sum(len(drawn.lines) for drawn in self._open[: block - closed])

    def _blocks_from(self, line: int) -> Iterator[int]:
        """The blocks from the one with a line on; each is counted when it is reached."""
        closed = max(0, bisect_right(self._starts, line) - 1)
        yield from range(min(closed, len(self._closed)), self.block_count)

    def _block(self, block: int) -> list[Line]:
        """A block's lines."""
        closed = len(self._closed)
        if block >= closed:
            return self._open[block - closed].lines
        lines = self._drawn.pop(block, None)
        if lines is not None:
            self._drawn_count -= len(lines)
        else:
            leaf = self._closed[block]
            lines = self._with_above(leaf, leaf.draw(self.width, self._signs))
        self._keep(block, lines)
        if not self._fresh[block]:
            self._fresh[block] = 1
            shift = len(lines) - (self._starts[block + 1] - self._starts[block])
            if shift:
                self._starts[block + 1 :] = array("L", [start + shift for start in self._starts[block + 1 :]])
        return lines

    def _keep(self, block: int, lines: list[Line]) -> None:
        self._drawn[block] = lines
        self._drawn_count += len(lines)
        while self._drawn_count > MOST_DRAWN and len(self._drawn) > 1:
            self._drawn_count -= len(self._drawn.pop(next(iter(self._drawn))))


def _ends(counts: Iterable[int]) -> array[int]:
    """Where each block begins, and where the last one ends."""
    return array("L", [0, *accumulate(counts)])


def _common(before: list[Line], lines: list[Line], offset: int) -> int:
    """How many of the lines stand in `before` from `offset` on."""
    count = 0
    for old, new in zip(before[offset:], lines, strict=False):
        if old is not new and old != new:
            break
        count += 1
    return count
