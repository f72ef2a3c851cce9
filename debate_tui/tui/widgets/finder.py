"""Matches of a search in a page that goes on growing, and what of a row is lit up."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.markdown import Page, Row, Run

Block = tuple[int, int]
"""A section's number, and a block of its document."""

Lit = tuple[int, int, str]
"""Start and end in a block's text, and the name of the style."""

_END = (1 << 62, 0)


class Hit(NamedTuple):
    """One match: its block, and its characters there."""

    section: int
    block: int
    start: int
    end: int


class Finder:
    """The matches of one pattern, top first, as far as the page has been looked through."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self.hits: list[Hit] = []
        self.current: Hit | None = None
        self._page = page
        self._pattern = pattern
        self._next: Block = (0, 0)

    def look(self, seconds: float) -> bool:
        """Spend some time on looking; whether the end was reached."""
        deadline = time.perf_counter() + seconds
        for block in self._page.blocks(self._next, _END):
            self.hits += [Hit(*block, start, end) for start, end in self._found(block)]
            self._next = block[0], block[1] + 1
            if time.perf_counter() > deadline:
                return False
        return True

    def look_again(self, line: int) -> None:
        """Take it that the page has changed from a line on."""
        spot = self._page.spot_of(line)
        # Where everything has changed, sections that are no more may have gone before the first.
        self._next = min(self._next, (spot.section, max(0, spot.place.block)) if line else (0, 0))
        del self.hits[bisect_left(self.hits, self._next, key=lambda hit: hit[:2]) :]

    def lit(self, section: int, block: int) -> Iterator[Lit]:
        """What there is to light up in a block, looked through or not."""
        for start, end in self._found((section, block)):
            current = self.current == (section, block, start, end)
            yield start, end, "match current" if current else "match"

    def _found(self, block: Block) -> Iterator[tuple[int, int]]:
        for match in self._pattern.finditer(self._page.text(*block)):
            yield match.span()


def pattern(text: str) -> re.Pattern[str]:
    """What finds a text whatever its case."""
    return re.compile(re.escape(text), re.IGNORECASE)


def lit_up(row: Row, spans: list[Lit]) -> list[Run]:
    """The runs of a row, those within the spans in one more style; of several, in the last."""
    line = row.line
    if not spans:
        return list(line.runs)
    runs: list[Run] = []
    offset = line.start - line.indent
    for text, style in line.runs:
        edges = {0, len(text)}
        for start, end, _ in spans:
            edges |= {min(max(0, max(edge, line.start) - offset), len(text)) for edge in (start, end)}
        begin, *stops = sorted(edges)
        for stop in stops:
            at = offset + begin
            names = [name for start, end, name in spans if max(start, line.start) <= at < end]
            runs.append((text[begin:stop], f"{style} {names[-1]}" if names else style))
            begin = stop
        offset += len(text)
    return runs
