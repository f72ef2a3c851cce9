"""A process that watches a debate behind some place, and prints the epoch and each event as it comes."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

from debate_tui.domain.events import event_to_json
from debate_tui.record.stores import open_store


async def main(address: str, debate: str, after: int) -> None:
    async with aclosing(open_store(address)) as store:
        watched = await store.watch(debate)
        print(watched.epoch, flush=True)
        async for batch in watched.follow(after):
            for event in batch:
                print(event_to_json(event).decode(), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
