"""``debate-tui history`` and ``export``: the debates on record."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.cli.continuing import check_not_live
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.exports import export_debate, export_filename
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import to_datetime
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite_log import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from debate_tui.domain.exports import ExportType
    from debate_tui.record.summary import DebateSummary

_ENDING_LABELS = {"complete": "complete", "stopped": "stopped", "failed": "failed", None: "broken off"}


def show_history(query: str, *, plain: bool) -> int:
    """Show the recorded debates that contain all of `query`, newest first; returns the exit code.

    On a terminal they are a screen, unless `plain` is asked for, or there are none to fill one.
    """
    with SqliteStore(config.record_file()) as store:
        found = store.debates(query)
        if found and not plain and terminal.supports_full_screen():
            from debate_tui.cli.browsing import browse_history

            terminal.reopen_keyboard()
            return asyncio.run(browse_history(store, query))
    _print_summaries(found, query)
    return 0


def _print_summaries(found: Sequence[DebateSummary], query: str) -> None:
    if not found:
        about = f" about “{one_line(query)}”" if query else ""
        print(f"No debate{about} is on record.", file=sys.stderr)
        return
    for summary in found:
        print(_format_summary(summary))


def delete_debates(debate_ids: Sequence[str], *, confirmed: bool) -> None:
    """Delete recorded debates for good; raises `UsageError` unless that is confirmed, or somebody can ask."""
    with SqliteStore(config.record_file()) as store:
        found = [store.find(debate) for debate in debate_ids]
        for summary in found:
            check_not_live(summary)
        for summary in found:
            print(_format_summary(summary))
        if not confirmed and not _confirm_deletion(len(found)):
            raise UsageError("Nothing was deleted.", "Say --yes to delete without being asked.")
        store.delete(*(summary.debate for summary in found))
    print(f"Deleted {len(found)}.", file=sys.stderr)


def write_export(debate: str, form: ExportType, output: Path | None) -> None:
    """Export a debate to a file, into a folder, or to standard output."""
    with SqliteStore(config.record_file()) as store:
        events = store.events(store.find(debate).debate)
    text = export_debate(events, form)
    if output is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(text)
        return
    if output.is_dir():
        output = output / export_filename(Transcript(events), form)
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise DebateError(f"Cannot write {output}: {error.strerror}.") from None
    print(output, file=sys.stderr)


def _format_summary(summary: DebateSummary) -> str:
    began = to_datetime(summary.started, local=True)
    when = f"{began:%Y-%m-%d %H:%M}" if began else "????-??-?? ??:??"
    names = ", ".join(debater.name for debater in summary.debaters)
    live = summary.live and summary.finished is None
    ending = "live" if live else _ENDING_LABELS.get(summary.finished, summary.finished)
    return (
        f"{one_line(summary.debate)}  {when}  {ending:<10}  {one_line(summary.topic, 60)}"
        f"  ({one_line(summary.format)}: {one_line(names)})"
    )


def _confirm_deletion(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    what = "this debate" if count == 1 else f"these {count} debates"
    return input(f"Delete {what} for good? [y/N] ").strip().lower() in ("y", "yes")
