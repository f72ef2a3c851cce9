"""``debate-tui history`` and ``export``: list, delete and export recorded debates."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.continuation import check_not_live, plan_continuation
from debate_tui.cli.messages import write_stderr
from debate_tui.cli.plan import load_settings
from debate_tui.cli.terminal import catch_signals
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.exports import export_debate, export_filename
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import to_datetime
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import debate_state
from debate_tui.record.stores import open_store
from debate_tui.record.summary import NO_DIGEST, digest_events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.domain.exports import ExportType
    from debate_tui.domain.material import Material
    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import DebateDigest, DebateSummary
    from debate_tui.tui.screens.history import HistorySelection


def show_history(query: str, *, plain: bool) -> int:
    """Show the recorded debates that contain all words of `query`, newest first.

    Uses the full screen on a terminal, unless `plain` is set or no debate matches. Return the exit code.
    """
    store = open_store(config.record_file())
    found = asyncio.run(store.debates(query))
    if found and not plain and terminal.supports_full_screen():
        terminal.reopen_keyboard()
        return asyncio.run(browse_history(store, query)) or 0
    _print_summaries(found, asyncio.run(_read_digests(store, found)), query)
    return 0


def _print_summaries(found: Sequence[DebateSummary], digests: Sequence[DebateDigest], query: str) -> None:
    if not found:
        none = f"No recorded debate matches “{one_line(query)}”." if query else "No debates are recorded."
        write_stderr(f"{none}\n")
        return
    for summary, digest in zip(found, digests, strict=True):
        print(_format_summary(summary, digest))


async def _read_digests(store: DebateStore, found: Sequence[DebateSummary]) -> list[DebateDigest]:
    """Return the digests of debates; that of an unreadable debate is empty."""
    digests: list[DebateDigest] = []
    for summary in found:
        try:
            digests.append(digest_events(await store.events(summary.debate, deltas=False)))
        except DebateError:
            digests.append(NO_DIGEST)
    return digests


def delete_debates(debate_ids: Sequence[str], *, confirmed: bool) -> None:
    """Delete recorded debates permanently, after asking the user unless `confirmed`.

    Raise `UsageError` if a debate is live, or if the user does not agree or cannot be asked because standard
    input is not a terminal.
    """
    asyncio.run(_delete_debates(open_store(config.record_file()), debate_ids, confirmed=confirmed))


async def _delete_debates(store: DebateStore, debate_ids: Sequence[str], *, confirmed: bool) -> None:
    found = [await store.find(debate) for debate in debate_ids]
    for summary in found:
        check_not_live(summary)
    for summary in found:
        print(_format_summary(summary))
    if not confirmed and not _confirm_deletion(len(found)):
        raise UsageError("Nothing was deleted.", "Use --yes to delete without being asked.")
    await store.delete(*(summary.debate for summary in found))
    write_stderr(f"Deleted {len(found)}.\n")


def write_export(debate: str, form: ExportType, output: Path | None) -> None:
    """Export a debate to a file, or to standard output if `output` is `None`.

    If `output` is a folder, choose a file name in it. Raise `DebateError` if the file cannot be written.
    """
    events, setup, material = asyncio.run(_read_record(open_store(config.record_file()), debate))
    text = export_debate(events, form, setup=setup, material=material)
    if output is None:
        # `main` has made standard output a `TextIOWrapper`; its declared type is more general.
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(text)
        return
    if output.is_dir():
        output = output / export_filename(Transcript(events), form)
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise DebateError(f"Cannot write {output}: {error.strerror}.") from None
    write_stderr(f"{output}\n")


async def _read_record(store: DebateStore, debate: str) -> tuple[Sequence[Event], str, tuple[Material, ...]]:
    name = (await store.find(debate)).debate
    return await store.events(name), await store.setup(name), await store.material(name)


def _format_summary(summary: DebateSummary, digest: DebateDigest = NO_DIGEST) -> str:
    began = to_datetime(summary.started, local=True)
    when = f"{began:%Y-%m-%d %H:%M}" if began else "????-??-?? ??:??"
    names = ", ".join(debater.name for debater in summary.debaters)
    state = debate_state(summary.finished, live=summary.live)
    facts = ", ".join(filter(None, (digest.outcome, *digest.facts)))
    return (
        f"{one_line(summary.debate)}  {when}  {state:<11}  {one_line(summary.topic, 60)}"
        f"  ({one_line(summary.format)}: {one_line(names)})"
        f"{f'  {facts}' if facts else ''}"
    )


def _confirm_deletion(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    what = "this debate" if count == 1 else f"these {count} debates"
    return input(f"Delete {what} permanently? [y/N] ").strip().lower() in ("y", "yes")


# The history on the full screen


async def browse_history(store: DebateStore, query: str, *, can_go_back: bool = False) -> int | None:
    """Show the history screen and the debates opened from it until the user quits; return the exit code.

    Leaving a debate returns to the same place in the list. If `query` is the id of a debate, that debate is
    shown first. With `can_go_back`, the user may also return to the start screen: then return `None`.
    Settings are reloaded each time, since a screen may have saved new ones.
    """
    from debate_tui.cli.tui_runner import make_screen_options
    from debate_tui.tui.screens.history import HistoryOptions, HistoryScreen, HistorySelection
    from debate_tui.tui.single_screen import SingleScreenApp
    from debate_tui.tui.widgets.debate_list import DigestCache

    async def check_resumable(debate: str) -> None:
        await plan_continuation(store, debate, load_settings({}))

    digests, selected_debate = DigestCache(), ""
    summaries = await store.debates()
    named = next((summary.debate for summary in summaries if summary.debate == query), None)
    visit = HistorySelection(named, "read", "") if named is not None else None
    while True:
        if visit is not None:
            query, selected_debate = visit.filter_text, visit.debate
            code = await _open_debate(store, visit, load_settings({}))
            if code > 128:
                return code
            summaries = await store.debates()
        options = make_screen_options(load_settings({}))
        screen = HistoryScreen(
            store,
            check_resumable,
            summaries,
            options.glyphs,
            options=HistoryOptions(query, selected_debate, can_go_back),
            digests=digests,
        )
        app = SingleScreenApp[HistorySelection](screen, options)
        with catch_signals(app.exit, terminal_fd=0) as signal:
            visit = await app.run_async()
        if signal.number is not None:
            return 128 + signal.number
        if visit is None:
            return app.return_code or 0
        if visit.action == "back":
            return None


async def _open_debate(store: DebateStore, visit: HistorySelection, settings: config.Settings) -> int:
    if visit.action == "continue":
        from debate_tui.cli import tui_runner

        return await tui_runner.run_fullscreen(await plan_continuation(store, visit.debate, settings))
    from debate_tui.cli.tui_runner import play_fullscreen

    events, setup = await store.events(visit.debate), await store.setup(visit.debate)
    material = await store.material(visit.debate)
    return await play_fullscreen(
        events, settings, material=material, setup=setup, from_end=visit.action == "read"
    )
