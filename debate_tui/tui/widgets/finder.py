"""Matches of a search in a page that goes on growing, and what of a row is lit up."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.markdown import Hit, Page, Row, Run

Lit = tuple[int, int, str]
"""Start and end in a block's text, and the name of the style."""


class Finder:
    """The matches of one pattern, top first."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self.hits: list[Hit] = list(page.find(pattern))
        self.current = -1
        self._page = page
        self._pattern = pattern

    def again(self, line: int) -> None:
        """Look again at what has changed, from a line on."""
        spot = self._page.spot_of(line)
        first = (spot.section, max(0, spot.place.block))
        del self.hits[bisect_left(self.hits, first, key=lambda hit: hit[:2]) :]
        self.hits += self._page.find(self._pattern, first)

    def lit(self, section: int, block: int) -> Iterator[Lit]:
        """The matches in a block."""
        key = (section, block)
        for index in range(bisect_left(self.hits, key, key=lambda hit: hit[:2]), len(self.hits)):
            hit = self.hits[index]
            if hit[:2] != key:
                return
            yield hit.start, hit.end, "match current" if index == self.current else "match"


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
