"""What stands before the lines of a block: bars of quotes, bullets, numbers and indentation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.lines import Line, Run, runs_text
from debate_tui.display.markdown.wrap import cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.display.markdown.wrap import Span


class PrefixPart(Struct, frozen=True, gc=False):
    """One container's part: its text on the block's first line and on the others, equally wide."""

    first: str
    rest: str
    style: str


class BlockPrefix(Struct, frozen=True):
    """The parts of all containers, outermost first, and the style they give the text.

    `gap_depth` is how many of the parts continue through the blank line above the block, or −1 if it has
    none.
    """

    parts: tuple[PrefixPart, ...] = ()
    style: str = ""
    gap_depth: int = -1

    def continuation(self) -> BlockPrefix:
        """Return the prefix for what continues after the first line, without a blank line between."""
        return BlockPrefix(
            tuple(PrefixPart(part.rest, part.rest, part.style) for part in self.parts), self.style
        )

    def with_marker(self, marker: str) -> BlockPrefix:
        """Return the prefix with another marker instead of the innermost bullet."""
        last = self.parts[-1]
        first = marker + " "
        return BlockPrefix(
            (*self.parts[:-1], PrefixPart(first, " " * cell_width(first), last.style)),
            self.style,
            self.gap_depth,
        )


class FittedPrefix(Struct, frozen=True):
    """A prefix fitted into a width: its runs for the first and other lines, and the room for text."""

    first: tuple[Run, ...]
    rest: tuple[Run, ...]
    indent: int
    width: int
    text_width: int
    gap_lines: tuple[Line, ...]

    def build_line(self, runs: Sequence[Run], *, start: int, first: bool, fill: str = "") -> Line:
        """Build a line with this prefix."""
        size = 0
        for text, _ in runs:
            size += cell_width(text)
        prefix = self.first if first else self.rest
        return Line((*prefix, *runs), self.width + size, self.indent, start, fill)

    def build_lines(
        self, pieces: Sequence[Sequence[Run]], spans: Sequence[Span], offset: int = 0, *, first: bool = True
    ) -> list[Line]:
        """Build lines with this prefix, from runs and their spans in the block's text."""
        return [
            self.build_line(runs, start=offset + span[0], first=first and index == 0)
            for index, (runs, span) in enumerate(zip(pieces, spans, strict=True))
        ]


@lru_cache(1024)
def fit_prefix(prefix: BlockPrefix, width: int) -> FittedPrefix:
    """Fit a prefix into a width; drop outer containers while they take more than half of it."""
    parts = prefix.parts
    above = prefix.gap_depth
    while parts and sum(cell_width(part.rest) for part in parts) > width // 2:
        parts = parts[1:]
        above = above - 1 if above > 0 else above
    first = tuple((part.first, part.style) for part in parts)
    rest = tuple((part.rest, part.style) for part in parts)
    taken = cell_width(runs_text(rest))
    return FittedPrefix(
        first=first,
        rest=rest,
        indent=len(runs_text(rest)),
        width=taken,
        text_width=max(1, width - taken),
        gap_lines=_gap_lines(rest[:above]) if above >= 0 else (),
    )


def _gap_lines(runs: Sequence[Run]) -> tuple[Line, ...]:
    while runs and not runs[-1][0].strip():
        runs = runs[:-1]
    text = runs_text(runs)
    return (Line(tuple(runs), cell_width(text), len(text)),)
