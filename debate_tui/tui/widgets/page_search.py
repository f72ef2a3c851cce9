"""Search in a page that may still grow: its matches, and their highlights in a row."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.display.markdown import DocumentPosition, PagePosition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from debate_tui.display.markdown import Page, PageRow, Run

BlockId = tuple[int, int]
"""The number of a section, and of a block in its document."""

Highlight = tuple[int, int, str]
"""Start and end in a block's text, and the name of the style."""

TIME_SLICE = 0.004
"""Seconds per slice of wrapping or searching text that is out of sight."""

SLICE_INTERVAL = 0.01
"""Seconds between two slices, left for keys and new text."""

_AFTER_LAST_BLOCK = (1 << 62, 0)


class SearchMatch(NamedTuple):
    """A match: its block and its range of characters in it."""

    section: int
    block: int
    start: int
    end: int


class SearchPosition(NamedTuple):
    """The position of a search.

    `current` is the match that is shown, counted from 1 over all panes, or 0 for none. `is_complete` says
    whether `total` includes all matches.
    """

    current: int
    total: int
    is_complete: bool


class PageSearch:
    """The matches of a text in a page, in any case and in page order, as far as the page was searched.

    A long page is searched in slices: `call_later` schedules the next one, and `report_progress` is called
    after each, with whether the end was reached. `matches` is empty while nothing is searched for.
    """

    def __init__(
        self,
        page: Page,
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        report_progress: Callable[[bool], object],
    ) -> None:
        self.matches: list[SearchMatch] = []
        self.current_match: SearchMatch | None = None
        self._page = page
        self._call_later = call_later
        self._report_progress = report_progress
        self._pattern: re.Pattern[str] | None = None
        self._next_block: BlockId = (0, 0)
        self.is_scanning = False
        """Whether part of the page has not been searched yet."""

    @property
    def active(self) -> bool:
        """Whether a text is searched for."""
        return self._pattern is not None

    def start(self, text: str) -> None:
        """Search for a text, also in what is still to come; an empty text ends the search."""
        self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self.matches.clear()
        self.current_match = None
        self._next_block = (0, 0)
        if self.active and not self.is_scanning:
            self._scan_slice()

    def select(self, index: int) -> PagePosition:
        """Make a match the current one, counted from 0 at the top, and return its position."""
        match = self.current_match = self.matches[index]
        return PagePosition(match.section, DocumentPosition(match.block, match.start))

    def first_match_from(self, line: int) -> int:
        """Return the index of the first match not above a line; the number of matches if there is none."""
        spot = self._page.position_at(line)
        return bisect_left(self.matches, (spot.section, *spot.position), key=lambda match: match[:3])

    def rescan_from(self, line: int) -> None:
        """Search again from a line on, because the page has changed there."""
        if not self.active:
            return
        spot = self._page.position_at(line)
        # If everything has changed, sections before the first one may have been removed too.
        self._next_block = min(
            self._next_block, (spot.section, max(0, spot.position.block)) if line else (0, 0)
        )
        del self.matches[bisect_left(self.matches, self._next_block, key=lambda match: match[:2]) :]
        if not self.is_scanning:
            self._scan_slice()

    def highlights(self, section: int, block: int) -> Iterator[Highlight]:
        """Yield the highlights of a block, whether or not it has been searched yet."""
        for start, end in self._find_in_block((section, block)):
            current = self.current_match == (section, block, start, end)
            yield start, end, "match current" if current else "match"

    def scan(self, seconds: float) -> bool:
        """Search for up to `seconds`; return whether the end of the page was reached."""
        deadline = time.perf_counter() + seconds
        for block in self._page.blocks_between(self._next_block, _AFTER_LAST_BLOCK):
            self.matches += [SearchMatch(*block, start, end) for start, end in self._find_in_block(block)]
            self._next_block = block[0], block[1] + 1
            if time.perf_counter() > deadline:
                return False
        return True

    def _scan_slice(self) -> None:
        self.is_scanning = False
        if not self.active:
            return
        done = self.scan(TIME_SLICE)
        if not done:
            self.is_scanning = True
            self._call_later(SLICE_INTERVAL, self._scan_slice)
        self._report_progress(done)

    def _find_in_block(self, block: BlockId) -> Iterator[tuple[int, int]]:
        if self._pattern is not None:
            for match in self._pattern.finditer(self._page.block_text(*block)):
                yield match.span()


def highlight_runs(row: PageRow, highlights: list[Highlight]) -> list[Run]:
    """Return the runs of a row with the style of each highlight added; the last one wins."""
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
