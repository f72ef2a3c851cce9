"""A process that records a debate until it is killed, saying how much of it is durable."""

from __future__ import annotations

import asyncio
import sys

from debate_tui.record.stores import open_store
from tests.sample_debates import opening_events, turn_deltas


async def main(address: str) -> None:
    log = await open_store(address).create("d1")
    for event in opening_events():
        log.append(event)
    for event in turn_deltas():
        print(log.append(event).seq, log.durable_seq, flush=True)
        await asyncio.sleep(0)


asyncio.run(main(sys.argv[1]))
