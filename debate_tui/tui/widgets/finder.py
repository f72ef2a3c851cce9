"""Matches of a search in a page that goes on growing, and what of a row is lit up."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.markdown import Page, PageRow, Run

BlockId = tuple[int, int]
"""A section's number, and a block of its document."""

Highlight = tuple[int, int, str]
"""Start and end in a block's text, and the name of the style."""

_AFTER_LAST_BLOCK = (1 << 62, 0)


class SearchMatch(NamedTuple):
    """One match: its block, and its characters there."""

    section: int
    block: int
    start: int
    end: int


class MatchFinder:
    """The matches of one pattern, top first, as far as the page has been looked through."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self.matches: list[SearchMatch] = []
        self.current_match: SearchMatch | None = None
        self._page = page
        self._pattern = pattern
        self._next_block: BlockId = (0, 0)

    def scan(self, seconds: float) -> bool:
        """Spend some time on looking; whether the end was reached."""
        deadline = time.perf_counter() + seconds
        for block in self._page.blocks_between(self._next_block, _AFTER_LAST_BLOCK):
            self.matches += [SearchMatch(*block, start, end) for start, end in self._find_in_block(block)]
            self._next_block = block[0], block[1] + 1
            if time.perf_counter() > deadline:
                return False
        return True

    def invalidate_from(self, line: int) -> None:
        """Take it that the page has changed from a line on."""
        spot = self._page.position_at(line)
        # Where everything has changed, sections that are no more may have gone before the first.
        self._next_block = min(
            self._next_block, (spot.section, max(0, spot.position.block)) if line else (0, 0)
        )
        del self.matches[bisect_left(self.matches, self._next_block, key=lambda hit: hit[:2]) :]

    def highlights(self, section: int, block: int) -> Iterator[Highlight]:
        """What there is to light up in a block, looked through or not."""
        for start, end in self._find_in_block((section, block)):
            current = self.current_match == (section, block, start, end)
            yield start, end, "match current" if current else "match"

    def _find_in_block(self, block: BlockId) -> Iterator[tuple[int, int]]:
        for match in self._pattern.finditer(self._page.block_text(*block)):
            yield match.span()


def search_pattern(text: str) -> re.Pattern[str]:
    """What finds a text whatever its case."""
    return re.compile(re.escape(text), re.IGNORECASE)


def highlight_runs(row: PageRow, highlights: list[Highlight]) -> list[Run]:
    """The runs of a row, those within the spans in one more style; of several, in the last."""
    line = row.line
    if not highlights:
        return list(line.runs)
    runs: list[Run] = []
    offset = line.start - line.indent
    for text, style in line.runs:
        edges = {0, len(text)}
        for start, end, _ in highlights:
            edges |= {min(max(0, max(edge, line.start) - offset), len(text)) for edge in (start, end)}
        begin, *stops = sorted(edges)
        for stop in stops:
            at = offset + begin
            names = [name for start, end, name in highlights if max(start, line.start) <= at < end]
            runs.append((text[begin:stop], f"{style} {names[-1]}" if names else style))
            begin = stop
        offset += len(text)
    return runs
