"""CPU time and bytes of a flush of four panes, beside Textual's own: ``python -m tests.benchmarks flush``.

Every figure is CPU time of the whole process (writer thread included) in a real pseudo-terminal, per flush of
four panes with 20 deltas of 4 characters each, from the first `feed` to the bytes being written.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import TYPE_CHECKING

from textual.app import App
from textual.containers import Horizontal
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Markdown

from debate_tui.tui import painter, themes
from debate_tui.tui.widgets.turn_text import TurnText
from tests.benchmarks import sample_text
from tests.benchmarks.report import Figure, at_least, at_most
from tests.benchmarks.sample_text import KINDS
from tests.benchmarks.terminal import in_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import ComposeResult
    from textual.strip import Strip

TIMES, ROUNDS = 60, 3
PANES = 4
DELTAS = 20
PAUSE = 0.05
TICK = 2
"""Flushes from one movement of the position marks to the next: of 100 ms each, four movements a second."""


class ReadyStrips(Widget):
    """A line-API pane whose strips are ready: what Textual costs by itself."""

    def __init__(self, strips: list[Strip]) -> None:
        super().__init__()
        self._strips = strips
        self._top = 0

    def scroll_one(self) -> None:
        self._top = (self._top + 1) % (len(self._strips) - self.size.height)
        self.refresh()

    def change_last(self) -> None:
        self._top = (self._top + 1) % (len(self._strips) - self.size.height)
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        return self._strips[self._top + crop.y : self._top + crop.bottom]


class FourPaneApp(App[None]):
    """Four panes side by side; `work` measures."""

    CSS = "Horizontal { height: 1fr; } Horizontal > * { width: 1fr; height: 1fr; overflow-y: auto; }"

    def __init__(self, make: Callable[[], Widget], work: Callable[[FourPaneApp], object]) -> None:
        super().__init__()
        self._make = make
        self._work = work

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.default_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        with Horizontal():
            for _ in range(PANES):
                yield self._make()

    @property
    def panes(self) -> list[Widget]:
        return list(self.query_one(Horizontal).children)

    async def on_mount(self) -> None:
        self.run_worker(self._measure())

    async def _measure(self) -> None:
        await asyncio.sleep(0.3)
        self.exit(await self._work(self))  # type: ignore[misc]


async def wait_until_idle() -> None:
    """Wait until the process has nothing more to do."""
    while True:
        begin = time.process_time()
        await asyncio.sleep(0.5)
        if time.process_time() - begin < 0.05:
            return


async def cost(flush: Callable[[int], object], times: int) -> float:
    """CPU milliseconds of one of `times` flushes, less what the loop costs without them."""
    gc.collect()
    gc.freeze()
    begin = time.process_time()
    for _ in range(times):
        await asyncio.sleep(PAUSE)
    idle = time.process_time() - begin
    begin = time.process_time()
    for number in range(times):
        done = flush(number)
        if asyncio.iscoroutine(done):
            await done
        await asyncio.sleep(PAUSE)
    await wait_until_idle()
    spent = time.process_time() - begin
    gc.unfreeze()
    return (spent - idle) / times * 1000


def run(make: Callable[[], Widget], work: Callable[[FourPaneApp], object]) -> dict[str, float]:
    return FourPaneApp(make, work).run()  # type: ignore[return-value]


def engine(text: str, times: int, sent: Callable[[], int], *, up: bool = False) -> dict[str, float]:
    """Our panes, loaded with all of a text but its end, which then streams."""
    size = DELTAS * 4

    async def work(stage: FourPaneApp) -> dict[str, float]:
        panes = [pane for pane in stage.panes if isinstance(pane, TurnText)]
        body, rest = text[: -size * times], text[-size * times :]
        for pane in panes:
            pane.page.append_text(body)
            pane.flush()
        if up:
            for pane in panes:
                pane.action_line(-200)
        await wait_until_idle()

        def flush(number: int) -> None:
            new = rest[number * size : (number + 1) * size]
            with painter.frame(stage.screen):
                for pane in panes:
                    for delta in sample_text.deltas(new):
                        pane.page.append_text(delta)
                    pane.flush()
                    if number % TICK == 0:
                        pane.tick()

        before = sent()
        spent = await cost(flush, times)
        return {"ms": spent, "bytes": (sent() - before) / times}

    return run(TurnText, work)


def strips(text: str) -> list[Strip]:
    """The strips our panes would show."""
    found: list[Strip] = []

    async def work(stage: FourPaneApp) -> dict[str, float]:
        pane = stage.panes[0]
        assert isinstance(pane, TurnText)
        pane.page.append_text(text)
        pane.flush()
        for _ in range(min(400, pane.line_count) // pane.size.height):
            found.extend(pane.render_lines(Region(0, 0, *pane.size)))
            pane.action_line(-pane.size.height)
        return {}

    run(TurnText, work)
    return found


def floor(ready: list[Strip], act: str, times: int, sent: Callable[[], int]) -> dict[str, float]:
    """Panes whose strips are ready, through Textual's own refresh."""

    async def work(stage: FourPaneApp) -> dict[str, float]:
        panes = [pane for pane in stage.panes if isinstance(pane, ReadyStrips)]

        def flush(_: int) -> None:
            for pane in panes:
                getattr(pane, act)()

        flush(0)
        await wait_until_idle()
        before = sent()
        spent = await cost(flush, times)
        return {"ms": spent, "bytes": (sent() - before) / times}

    return run(lambda: ReadyStrips(ready), work)


def textual_markdown(text: str, times: int, sent: Callable[[], int], *, pieces: int) -> dict[str, float]:
    """Textual's Markdown, appended to: all of a flush in so many pieces."""
    size = DELTAS * 4

    async def work(stage: FourPaneApp) -> dict[str, float]:
        panes = [pane for pane in stage.panes if isinstance(pane, Markdown)]
        for pane in panes:
            pane.anchor()
            await pane.update(text[: -size * times])
        await wait_until_idle()
        rest = text[-size * times :]

        async def flush(number: int) -> None:
            new = rest[number * size : (number + 1) * size]
            for pane in panes:
                for piece in sample_text.deltas(new, size // pieces):
                    await pane.append(piece)

        before = sent()
        spent = await cost(flush, times)
        return {"ms": spent, "bytes": (sent() - before) / times}

    return run(Markdown, work)


def floors(times: int, rounds: int) -> Callable[[Callable[[], int]], str]:
    """The engine beside the floors at 50,000 characters, in turns."""

    def measure(sent: Callable[[], int]) -> str:
        text = sample_text.prose(50_000)
        ready = strips(text)
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for name, act in {
                "floor: scrolled": lambda: floor(ready, "scroll_one", times, sent),
                "engine": lambda: engine(text, times, sent),
                "floor: last line": lambda: floor(ready, "change_last", times, sent),
                "engine, scrolled up": lambda: engine(text, times, sent, up=True),
            }.items():
                found.setdefault(name, []).append(act())
        return json.dumps(found)

    return measure


def growth(make: Callable[[int], str], times: int, rounds: int) -> Callable[[Callable[[], int]], str]:
    """The engine at 10,000 and 100,000 characters of a kind, in turns."""

    def measure(sent: Callable[[], int]) -> str:
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for length in (10_000, 100_000):
                found.setdefault(str(length), []).append(engine(make(length), times, sent))
        return json.dumps(found)

    return measure


def compare_with_textual(length: int, times: int) -> Callable[[Callable[[], int]], str]:
    """The engine beside Textual's Markdown, which is given the same deltas, or all of a flush at once."""

    def measure(sent: Callable[[], int]) -> str:
        text = sample_text.prose(length)
        return json.dumps(
            {
                "deltas": [textual_markdown(text, times, sent, pieces=DELTAS)],
                "engine": [engine(text, 40, sent) for _ in range(ROUNDS)],
                "at once": [textual_markdown(text, 2 * times, sent, pieces=1)],
            }
        )

    return measure


def best(found: dict[str, list[dict[str, float]]], name: str, figure: str = "ms") -> float:
    """The least of the rounds: what disturbs a measurement only ever adds to it."""
    return min(entry[figure] for entry in found[name])


def figures(size: str) -> Iterator[Figure]:
    """A flush beside its floors, as the text grows, and beside Textual's Markdown."""
    columns, rows = map(int, size.split("x"))
    yield from _beside_floors(json.loads(in_terminal(columns, rows, floors(TIMES, ROUNDS))), size)
    for kind in KINDS:
        make = getattr(sample_text, kind)
        found = json.loads(in_terminal(columns, rows, growth(make, TIMES, ROUNDS)))
        ratio = best(found, "100000") / best(found, "10000")
        yield at_most(f"growth of a flush, 10,000 → 100,000 characters: {kind}", ratio, 1.15, "{:.2f} ×")
    for length, times, target in ((10_000, 4, 50), (100_000, 1, 300)):
        found = json.loads(in_terminal(columns, rows, compare_with_textual(length, times)))
        ratios = {name: best(found, name) / best(found, "engine") for name in ("deltas", "at once")}
        what = f"Textual's `Markdown` against it, {length:,} characters"
        yield at_least(f"{what}, the same chunks", ratios["deltas"], target, "{:.0f} ×")
        yield Figure(f"{what}, given all of a flush at once", f"{ratios['at once']:.0f} ×", "–", met=True)


def _beside_floors(found: dict[str, list[dict[str, float]]], size: str) -> Iterator[Figure]:
    flush, scrolled = best(found, "engine"), best(found, "floor: scrolled")
    up, last = best(found, "engine, scrolled up"), best(found, "floor: last line")
    sent = best(found, "engine", "bytes") / best(found, "floor: scrolled", "bytes")
    what = f"flush of 4 panes × 50,000 characters, {size}"
    yield at_most(f"{what}: CPU", flush, 10, "{:.1f} ms")
    yield at_most(f"{what}: against Textual scrolling four panes", flush / scrolled, 1.5, "{:.2f} ×")
    yield at_most("the same while scrolled up: against four changed last lines", up / last, 0.5, "{:.2f} ×")
    yield at_most("bytes to the terminal per flush, against the scroll floor's", sent, 1.35, "{:.2f} ×")
