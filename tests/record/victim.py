"""A process that records a debate until it is killed, saying how much of it is durable."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from debate_tui.record.sqlite import Store
from tests.record.material import deltas, opening


async def main(path: Path) -> None:
    log = Store(path).create("d1")
    for event in opening():
        log.append(event)
    for event in deltas():
        print(log.append(event).seq, log.durable, flush=True)
        await asyncio.sleep(0)


asyncio.run(main(Path(sys.argv[1])))
