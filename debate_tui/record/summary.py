"""What a list of recorded debates shows of each, kept beside the events so that none need be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import (
    DebateFinished,
    DebateResumed,
    DebaterInfo,
    DebaterReplaced,
    DebaterReturned,
    DebateStarted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event


class DebateSummary(Struct, frozen=True):
    """A recorded debate in a few words.

    `started` and `updated` (its newest event) are seconds since the epoch; `finished` is the reason of
    its `debate.finished`, `None` where that is missing: the debate is under way, or was killed. `events`
    counts what is recorded, which is also the `seq` of the newest event. `live` is whether some program
    holds the debate at this moment, as far as its store can tell.
    """

    debate: str
    topic: str = ""
    format: str = ""
    debaters: tuple[DebaterInfo, ...] = ()
    started: float = 0.0
    updated: float = 0.0
    finished: str | None = None
    events: int = 0
    live: bool = False

    def matches(self, words: str) -> bool:
        """Whether topic, format, id and debaters together contain every one of the words, in any case."""
        names = (f"{d.name} {d.side} {d.source} {d.model}" for d in self.debaters)
        text = " ".join((self.debate, self.topic, self.format, *names)).casefold()
        return all(word in text for word in words.casefold().split())


def update_summary(summary: DebateSummary, event: Event) -> DebateSummary:
    """The summary once `event` is recorded too; the same object where only `events` and `updated` change.

    The caller counts those once per commit: deltas come by the thousand.
    """
    match event:
        case DebateStarted():
            return msgspec.structs.replace(
                summary,
                topic=event.topic,
                format=event.format,
                debaters=event.debaters,
                started=event.at,
            )
        case DebaterReplaced() | DebaterReturned():
            return msgspec.structs.replace(
                summary,
                debaters=tuple(
                    msgspec.structs.replace(debater, source=event.source, model=event.model)
                    if debater.id == event.debater
                    else debater
                    for debater in summary.debaters
                ),
            )
        case DebateFinished():
            return msgspec.structs.replace(summary, finished=event.reason)
        case DebateResumed():
            return msgspec.structs.replace(summary, finished=None)
    return summary


def find_summary(debates: Sequence[DebateSummary], debate: str) -> DebateSummary:
    """The debate with this id, or whose id begins so; the first for an empty id. Raises `UsageError`."""
    if not debates:
        raise UsageError("no debates are recorded", "hold one first: debate-tui TOPIC")
    found = [summary for summary in debates if summary.debate == debate] or [
        summary for summary in debates if summary.debate.startswith(debate)
    ]
    if not found:
        raise UsageError(f"no recorded debate is called {debate!r}", "debate-tui history lists them")
    if debate and len(found) > 1:
        raise UsageError(f"{len(found)} recorded debates begin with {debate!r}", "give more of its id")
    return found[0]
