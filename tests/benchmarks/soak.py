"""Four debaters for hours, a fault every few seconds: nothing may be lost, and nothing may pile up.

    python -m tests.benchmarks.soak --minutes 30

Real sockets, simulated time: every chunk takes the 50 ms it would take at a model's pace, announced waits and
silences pass at once, so half an hour on the wall is many hours of debate. Prints what is held every few
seconds; exits with 1 if a text differs, or if tasks, sockets or memory at the end are not what they were
after the first tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, RecoveryPolicy, StateChange
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.sse import SseSource
from tests.fakes.scripted_source import REQUEST, ManualClock, RecoveredOutput
from tests.fakes.sse_server import DONE_EVENT, Cut, ReceivedRequest, Reply, SseServer, delta_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fakes.sse_server import Step

PANES = 4
CHUNKS = 400
SECONDS_A_CHUNK = 0.05
SECONDS_A_FAULT = 4.0
ALLOWED_GROWTH = 1.05
POLICY = RecoveryPolicy(max_retries=50)
PIECES = [f"{n} Tea 🍵 keeps " if n % 3 else "better.\n\n" for n in range(CHUNKS)]
TEXT = "".join(PIECES)


@dataclass
class Tally:
    """What has happened so far."""

    turns: int = 0
    faults: int = 0
    wrong: int = 0
    simulated: float = 0.0
    held: list[tuple[int, int, int, int]] = field(default_factory=list)


class FaultySender:
    """One debater's endpoint, with ids in every other turn; connections break somewhere, in some way.

    Without ids a connection begins at the start again, so that it has to live longer to get anywhere.
    """

    def __init__(self, seed: int, stalled: Callable[[ReceivedRequest], None]) -> None:
        self._chance = random.Random(seed)
        self._stalled = stalled
        self.ids = True

    def script(self, request: ReceivedRequest) -> Reply:
        behind = int(request.last_event_id or 0)
        events = [delta_event(piece, n if self.ids else None) for n, piece in enumerate(PIECES, 1)]
        return Reply(self._steps(request, b"".join([*events[behind:], DONE_EVENT])))

    def _steps(self, request: ReceivedRequest, data: bytes) -> Iterator[Step]:
        # Bytes until the next fault, if faults are to come every few seconds of a model's pace.
        chunks = self._chance.expovariate(SECONDS_A_CHUNK / SECONDS_A_FAULT) * (1 if self.ids else 4)
        until = int(chunks * len(delta_event(PIECES[1], 100)))
        for at in range(0, min(until, len(data)), 4096):
            yield data[at : min(at + 4096, until)]
        if until >= len(data):
            return
        cut = self._chance.choice(list(Cut))
        if cut is Cut.STALL:
            self._stalled(request)
        yield cut


class Debater:
    """Speaks turn after turn, and counts."""

    def __init__(self, number: int, clients: HttpClients, tally: Tally) -> None:
        self._clock = ManualClock()
        self._sender = FaultySender(number, self._stalled)
        self._clients = clients
        self._tally = tally

    def _stalled(self, request: ReceivedRequest) -> None:
        asyncio.get_running_loop().call_later(0.05, self._pass_silence, request)

    def _pass_silence(self, request: ReceivedRequest) -> None:
        if not request.gone.is_set():
            self._clock.advance(90.0)

    async def speak(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        async with SseServer(script=self._sender.script) as server:
            guarded = RecoveringSource(
                SseSource(server.url, clients=self._clients), POLICY, clock=self._clock
            )
            while time.monotonic() < until:
                heard, began = RecoveredOutput(), self._clock.time()
                async with guarded.open(REQUEST) as items:
                    async for item in items:
                        heard.take(item)
                        if isinstance(item, Chunk):
                            self._clock.advance(SECONDS_A_CHUNK)
                        elif isinstance(item, StateChange) and item.retry_in_ms:
                            self._tally.faults += 1
                            loop.call_soon(self._clock.advance, item.retry_in_ms / 1000)
                self._tally.turns += 1
                self._tally.wrong += heard.text != TEXT
                self._tally.simulated += self._clock.time() - began
                self._sender.ids = not self._sender.ids
                server.requests.clear()


async def watch(tally: Tally, until: float, every: float) -> None:
    """Take stock every so often."""
    print("  hours   turns  faults  wrong  tasks  files  objects  RSS MiB")
    while time.monotonic() < until:
        await asyncio.sleep(every)
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        memory = pages * resource.getpagesize()
        files = len(list(Path("/proc/self/fd").iterdir()))
        tally.held.append((len(asyncio.all_tasks()), files, len(gc.get_objects()), memory))
        tasks, files, objects, memory = tally.held[-1]
        print(
            f"{tally.simulated / 3600:7.1f}{tally.turns:8}{tally.faults:8}{tally.wrong:7}"
            f"{tasks:7}{files:7}{objects:9}{memory / 2**20:9.1f}",
            flush=True,
        )


def leaked(held: list[tuple[int, int, int, int]]) -> list[str]:
    """What there is clearly more of in the last third than there was in the first, its start-up aside."""
    steady = held[len(held) // 10 + 1 :]
    third = max(1, len(steady) // 3)
    names = ("tasks", "files", "objects", "memory")
    early = [max(column) for column in zip(*steady[:third], strict=True)]
    late = [min(column) for column in zip(*steady[-third:], strict=True)]
    return [
        name for name, first, last in zip(names, early, late, strict=True) if last > first * ALLOWED_GROWTH
    ]


async def soak(minutes: float) -> int:
    tally, clients = Tally(), HttpClients()
    until = time.monotonic() + minutes * 60
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(PANES):
                group.create_task(Debater(number, clients, tally).speak(until))
            group.create_task(watch(tally, until, max(0.5, minutes * 60 / 30)))
    finally:
        await clients.aclose()
    more = leaked(tally.held)
    print(f"{tally.wrong} of {tally.turns} turns differ; growing: {', '.join(more) or 'nothing'}")
    return int(bool(tally.wrong or more))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="on the wall (default: 1)")
    return asyncio.run(soak(parser.parse_args().minutes))


if __name__ == "__main__":
    sys.exit(main())
