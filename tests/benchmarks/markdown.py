"""What the Markdown engine costs by itself: ``python -m tests.benchmarks.markdown``.

CPU time of a flush as the text grows, with nothing painted; the longest hold-up of four long panes that are
resized; a search through them. Memory beside the raw text is part of ``python -m tests.benchmarks``.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING

from debate_tui.display.markdown import Page
from debate_tui.display.markdown.document import Document
from debate_tui.tui.widgets.page_search import PageSearch
from tests.benchmarks import sample_text
from tests.benchmarks.report import Figure
from tests.benchmarks.sample_text import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DELTA = 4
DELTAS = 20
SLICE = 0.004
FRAME_MS = 1000 / 60


def flush_us(text: str, flushes: int = 80) -> float:
    """CPU microseconds of a flush of 20 deltas at the end of a text, the median of many."""
    size = DELTA * DELTAS
    page = Page(38)
    page.append_text(text[: -size * flushes])
    page.flush()
    spent: list[int] = []
    for start in range(len(text) - size * flushes, len(text), size):
        begin = time.process_time_ns()
        page.append_text(text[start : start + size])
        page.flush()
        page.rows(page.line_count - 45, page.line_count)
        spent.append(time.process_time_ns() - begin)
    return statistics.fmean(sorted(spent)[: len(spent) * 9 // 10]) / 1000


def growth() -> None:
    """From 1,000 to 100,000 characters."""
    lengths = (10_000, 30_000, 100_000)
    print("CPU µs a flush and pane, 20 deltas of 4 characters")
    print(f"  {'':12}" + "".join(f"{length:>10,}" for length in lengths) + "    growth 10k → 100k")
    for kind in KINDS:
        text = getattr(sample_text, kind)
        found = {length: min(flush_us(text(length)) for _ in range(5)) for length in lengths}
        ratio = found[100_000] / found[10_000]
        print(f"  {kind:12}" + "".join(f"{found[length]:10.0f}" for length in lengths) + f"{ratio:14.2f} ×")


def figures() -> Iterator[Figure]:
    """What a pane keeps in memory."""
    for kind in KINDS:
        each, raw, fixed = memory(getattr(sample_text, kind)(400_000))
        within = each <= 6 * raw and fixed <= 1
        what = f"memory per pane for each 1,000 chunks of 4 characters: {kind}"
        shown = f"{each:.0f} KiB = {each / raw:.1f} × raw, and {fixed:.2f} MiB"
        yield Figure(what, shown, "≤ 6 × and 1 MiB", within)


def memory(text: str) -> tuple[float, float, float]:
    """KiB kept for each thousand deltas, KiB of their text, and MiB kept at once, for 400,000 characters."""
    Document(38).feed(text[:4000])
    gc.collect()
    tracemalloc.start()
    page = Page(38)
    marks: list[int] = []
    for start in range(0, 400_000, 80):
        page.append_text(text[start : start + 80])
        page.flush()
        page.rows(page.line_count - 45, page.line_count)
        if start in (200_000, 399_920):
            gc.collect()
            marks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    each = (marks[1] - marks[0]) / 50 / 1024
    fixed = (marks[0] - each * 1024 * 50) / 1024 / 1024
    return each, len(text[200_000:400_000].encode()) / 50 / 1024, fixed


def find_matches(pages: list[Page], text: str) -> int:
    """The number of matches in these pages, searched in slices."""
    slices: list[Callable[[], None]] = []
    searches = [
        PageSearch(page, call_later=lambda _, scan: slices.append(scan), report_progress=bool)
        for page in pages
    ]
    for search in searches:
        search.start(text)
    while slices:
        slices.pop()()
    return sum(len(search.matches) for search in searches)


def resizing() -> None:
    """Four panes of 100,000 characters from 38 to 58 columns, in slices; and a search through them."""
    print(f"Four panes of 100,000 characters resized; a frame is {FRAME_MS:.1f} ms")
    for kind in KINDS:
        text = getattr(sample_text, kind)(100_000)
        pages = [Page(38) for _ in range(4)]
        for page in pages:
            page.append_text(text)
            page.flush()
        holdups: list[float] = []

        def held(act, holdups: list[float] = holdups) -> object:
            begin = time.perf_counter()
            result = act()
            holdups.append((time.perf_counter() - begin) * 1000)
            return result

        def show(pages: list[Page] = pages) -> None:
            for page in pages:
                page.resize(58)
                page.rows(page.line_count - 45, page.line_count)

        held(show)
        for page in pages:
            while not held(lambda page=page: page.measure(SLICE)):
                pass
        begin = time.perf_counter()
        matches = find_matches(pages, "議論" if kind == "han" else "claim")
        search = (time.perf_counter() - begin) * 1000
        print(
            f"  {kind:12}shown after {holdups[0]:5.1f} ms, settled in {sum(holdups):6.0f} ms, "
            f"longest hold-up {max(holdups):5.1f} ms; search {search:5.0f} ms, {matches} matches"
        )


if __name__ == "__main__":
    growth()
    resizing()
