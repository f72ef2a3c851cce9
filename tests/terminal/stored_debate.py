"""What a run has left in its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import DebateFinished
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite_log import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain.events import Event


def stored_events(home: Path) -> list[Event]:
    """The newest debate's events."""
    with SqliteStore(home / "data" / "debate-tui" / "debates.sqlite3") as store:
        return store.events(store.find().debate)


def stored_texts(home: Path, *, reason: str) -> dict[str, str]:
    """What each debater has said in a debate whose record is complete and ends for this reason."""
    recorded = stored_events(home)
    assert [event.seq for event in recorded] == list(range(1, len(recorded) + 1))
    last = recorded[-1]
    assert isinstance(last, DebateFinished)
    assert last.reason == reason
    transcript = Transcript(recorded)
    assert all(turn.finished for turn in transcript.turns.values())
    return {transcript.debaters[turn.debater].name: turn.text for turn in transcript.turns.values()}
