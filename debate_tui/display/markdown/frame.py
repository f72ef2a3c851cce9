"""What stands at the left of a block: the bars of quotes, the bullets and numbers of items, indentation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.line import Line, Run, plain
from debate_tui.display.markdown.width import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.display.markdown.wrap import Span


class Part(Struct, frozen=True, gc=False):
    """One container's share: its text on the block's first line and on the others, equally wide."""

    first: str
    rest: str
    style: str


class Frame(Struct, frozen=True):
    """All containers' shares, outermost first, and the style they give the text.

    `above` tells of the blank line over the block: how many of the parts go on through it, or that there is
    no such line (−1).
    """

    parts: tuple[Part, ...] = ()
    style: str = ""
    above: int = -1

    def below(self) -> Frame:
        """The frame of what goes on, under the first line, with no blank line between."""
        return Frame(tuple(Part(part.rest, part.rest, part.style) for part in self.parts), self.style)

    def marked(self, marker: str) -> Frame:
        """The frame with another sign in place of the innermost bullet."""
        last = self.parts[-1]
        first = marker + " "
        return Frame((*self.parts[:-1], Part(first, " " * cells(first), last.style)), self.style, self.above)


class Margin(Struct, frozen=True):
    """A frame fitted into a width: what stands left of the first line and of others, and the room."""

    first: tuple[Run, ...]
    rest: tuple[Run, ...]
    indent: int
    cells: int
    room: int
    above: tuple[Line, ...]

    def line(self, runs: Sequence[Run], *, start: int, first: bool, fill: str = "") -> Line:
        """A line with this margin."""
        size = 0
        for text, _ in runs:
            size += cells(text)
        margin = self.first if first else self.rest
        return Line((*margin, *runs), self.cells + size, self.indent, start, fill)

    def lines(
        self, pieces: Sequence[Sequence[Run]], spans: Sequence[Span], offset: int = 0, *, first: bool = True
    ) -> list[Line]:
        """Lines with this margin, from runs and their places in the block's text."""
        return [
            self.line(runs, start=offset + span[0], first=first and index == 0)
            for index, (runs, span) in enumerate(zip(pieces, spans, strict=True))
        ]


@lru_cache(1024)
def margin(frame: Frame, width: int) -> Margin:
    """Fit a frame into a width; where containers would take more than half of it, the outer ones go."""
    parts = frame.parts
    above = frame.above
    while parts and sum(cells(part.rest) for part in parts) > width // 2:
        parts = parts[1:]
        above = above - 1 if above > 0 else above
    first = tuple((part.first, part.style) for part in parts)
    rest = tuple((part.rest, part.style) for part in parts)
    taken = cells(plain(rest))
    return Margin(
        first=first,
        rest=rest,
        indent=len(plain(rest)),
        cells=taken,
        room=max(1, width - taken),
        above=_above(rest[:above]) if above >= 0 else (),
    )


def _above(runs: Sequence[Run]) -> tuple[Line, ...]:
    while runs and not runs[-1][0].strip():
        runs = runs[:-1]
    text = plain(runs)
    return (Line(tuple(runs), cells(text), len(text)),)
