"""The history on the full screen, and what is opened from it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli.continuing import check_free, format_of, taken_up
from debate_tui.cli.screens import options, remember_theme
from debate_tui.cli.signals import caught
from debate_tui.tui.history import HistoryApp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.sqlite import Store
    from debate_tui.record.summary import Summary
    from debate_tui.tui.archive import Visit


class _Archive:
    """The `Archive` of the record's file, whose work is done in threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def debates(self) -> Sequence[Summary]:
        """See `Archive.debates`."""
        return await asyncio.to_thread(self._store.debates)

    async def events(self, debate: str) -> Sequence[Event]:
        """See `Archive.events`."""
        return await asyncio.to_thread(self._store.events, debate)

    async def delete(self, debate: str) -> None:
        """See `Archive.delete`."""

        def delete() -> None:
            check_free(self._store.find(debate))
            self._store.delete(debate)

        await asyncio.to_thread(delete)

    async def check(self, debate: str) -> None:
        """See `Archive.check`."""
        await asyncio.to_thread(taken_up, debate, config.load({}))


async def browse(store: Store, words: str) -> int:
    """Show the recorded debates, and what is opened, until the user has seen enough; returns the exit code.

    The screen comes back when a replay or a debate is left, as it was. Settings are read anew each time:
    what was chosen in between is remembered.
    """
    archive, at = _Archive(store), ""
    while True:
        settings = config.load({})
        summaries = await archive.debates()
        app = HistoryApp(archive, summaries, options(settings), words=words, at=at, on_theme=remember_theme)
        with caught(app.exit, keyboard=0) as signal:
            visit = await app.run_async()
        if signal.number is not None:
            return 128 + signal.number
        if visit is None:
            return app.return_code or 0
        words, at = visit.words, visit.debate
        code = await _show(store, visit, config.load({}))
        if code > 128:
            return code


async def _show(store: Store, visit: Visit, settings: config.Settings) -> int:
    if visit.what == "continue":
        from debate_tui.cli import fullscreen

        return await fullscreen.run(taken_up(visit.debate, settings))
    from debate_tui.cli.playback import play

    events = await asyncio.to_thread(store.events, visit.debate)
    return await play(events, settings, format_=format_of(store.setup(visit.debate)))
