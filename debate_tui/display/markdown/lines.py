"""The output of rendering: lines of styled runs, and the vocabulary of styles."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from debate_tui.display.markdown.wrap import cell_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.display.markdown.wrap import Span


Run = tuple[str, str]
"""Text and its style: names from `STYLES` joined by spaces, outermost first; empty for plain text."""

STYLES = frozenset(
    [
        "heading",
        "strong",
        "emphasis",
        "strike",
        "code",
        "block",
        "link",
        "url",
        "marker",
        "border",
        "quote",
        "reasoning",
        "notice",
        "keyword",
        "string",
        "number",
        "comment",
        "name",
    ]
)
"""The names that make up a style. The theme defines what they look like."""


class Line(Struct, frozen=True, gc=False):
    """One line on screen.

    The first `indent` characters are bars, bullets and indentation; the block's own text follows, from its
    character `start` on. `width` is the total width in cells; the rest of the row is blank, in style
    `fill`.
    """

    runs: tuple[Run, ...]
    width: int
    indent: int = 0
    start: int = 0
    fill: str = ""

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join([text for text, _ in self.runs])

    @property
    def content(self) -> str:
        """The line without styles, bars, bullets and indentation."""
        return self.text[self.indent :]


BLANK_LINE = Line((), 0)


@lru_cache(1024)
def combine_styles(outer: str, inner: str) -> str:
    """Return the style of `inner` within `outer`."""
    names = dict.fromkeys(outer.split())
    names.update(dict.fromkeys(inner.split()))
    return " ".join(names)


def runs_text(runs: Iterable[Run]) -> str:
    """Return the text of runs."""
    return "".join([text for text, _ in runs])


def merge_runs(runs: Iterable[Run]) -> list[Run]:
    """Join neighbouring runs of the same style, and drop empty ones."""
    result: list[Run] = []
    for text, style in runs:
        if not text:
            continue
        if result and result[-1][1] == style:
            result[-1] = (result[-1][0] + text, style)
        else:
            result.append((text, style))
    return result


def slice_runs(runs: Sequence[Run], spans: Iterable[tuple[int, int]]) -> list[list[Run]]:
    """Return the runs in each span of their text; spans must be ascending."""
    if len(runs) == 1:
        text, style = runs[0]
        return [[(text[start:end], style)] if end > start else [] for start, end in spans]
    result: list[list[Run]] = []
    index, offset = 0, 0
    for start, end in spans:
        piece: list[Run] = []
        while index < len(runs):
            text, style = runs[index]
            stop = offset + len(text)
            if stop > start and offset < end > start:
                piece.append((text[max(0, start - offset) : end - offset], style))
            if stop > end:
                break
            index += 1
            offset = stop
        result.append(piece)
    return result


# Prefixes: what is left of a block, such as the bars of quotes, bullets, numbers and indentation.


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


# Positions in a text, independent of its width.


class DocumentPosition(NamedTuple):
    """A character of a block; an offset of −1 is the blank line above it."""

    block: int
    offset: int
