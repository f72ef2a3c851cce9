"""The history on the full screen, and what is opened from it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli.continuing import check_not_live, decode_format, plan_continuation
from debate_tui.cli.screens import make_screen_options, remember_theme
from debate_tui.cli.signals import catch_signals
from debate_tui.tui.app import HistoryApp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.sqlite_log import SqliteStore
    from debate_tui.record.summary import DebateSummary
    from debate_tui.tui.screens.history import HistorySelection


class _ThreadedStore:
    """The `HistoryStore` of the record's file, whose work is done in threads."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def debates(self) -> Sequence[DebateSummary]:
        """See `HistoryStore.debates`."""
        return await asyncio.to_thread(self._store.debates)

    async def events(self, debate: str) -> Sequence[Event]:
        """See `HistoryStore.events`."""
        return await asyncio.to_thread(self._store.events, debate)

    async def delete(self, debate: str) -> None:
        """See `HistoryStore.delete`."""

        def delete() -> None:
            check_not_live(self._store.find(debate))
            self._store.delete(debate)

        await asyncio.to_thread(delete)

    async def check(self, debate: str) -> None:
        """See `HistoryStore.check`."""
        await asyncio.to_thread(plan_continuation, debate, config.load_settings({}))


async def browse_history(store: SqliteStore, query: str) -> int:
    """Show the recorded debates, and what is opened, until the user has seen enough; returns the exit code.

    The screen comes back when a replay or a debate is left, as it was. Settings are read anew each time:
    what was chosen in between is remembered.
    """
    archive, selected_debate = _ThreadedStore(store), ""
    while True:
        settings = config.load_settings({})
        summaries = await archive.debates()
        app = HistoryApp(
            archive,
            summaries,
            make_screen_options(settings),
            filter_text=query,
            selected_debate=selected_debate,
            on_theme=remember_theme,
        )
        with catch_signals(app.exit, terminal_fd=0) as signal:
            visit = await app.run_async()
        if signal.number is not None:
            return 128 + signal.number
        if visit is None:
            return app.return_code or 0
        query, selected_debate = visit.filter_text, visit.debate
        code = await _open_debate(store, visit, config.load_settings({}))
        if code > 128:
            return code


async def _open_debate(store: SqliteStore, visit: HistorySelection, settings: config.Settings) -> int:
    if visit.action == "continue":
        from debate_tui.cli import fullscreen

        return await fullscreen.run_fullscreen(plan_continuation(visit.debate, settings))
    from debate_tui.cli.playback import play_fullscreen

    events = await asyncio.to_thread(store.events, visit.debate)
    return await play_fullscreen(events, settings, format_=decode_format(store.setup(visit.debate)))
