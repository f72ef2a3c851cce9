"""Summaries of recorded debates, stored beside the events so that listing need not read them."""

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
    """The summary of a recorded debate.

    `started` and `updated` (the newest event) are in seconds since the epoch. `finished` is the reason of
    its `debate.finished`, or `None` if that is missing because the debate is running or was killed.
    `events` is the number of recorded events, which is also the `seq` of the newest. `live` is whether a
    program holds the debate now, as far as its store can tell.
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
        """Return whether topic, format, id and debaters together contain all the words, ignoring case."""
        names = (f"{d.name} {d.side} {d.source} {d.model}" for d in self.debaters)
        text = " ".join((self.debate, self.topic, self.format, *names)).casefold()
        return all(word in text for word in words.casefold().split())


def update_summary(summary: DebateSummary, event: Event) -> DebateSummary:
    """Return the summary updated with `event`, except for `events` and `updated`.

    The caller updates those two once per commit, because there are thousands of deltas. If nothing else
    changes, `summary` itself is returned.
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
    """Return the debate whose id is or starts with `debate`, or the first if it is empty.

    Raise `UsageError` if no debate matches, or several do.
    """
    if not debates:
        raise UsageError("No debates are recorded.", "Start one: debate-tui TOPIC")
    found = [summary for summary in debates if summary.debate == debate] or [
        summary for summary in debates if summary.debate.startswith(debate)
    ]
    if not found:
        raise UsageError(f"No recorded debate has the id '{debate}'.", "List them: debate-tui history")
    if debate and len(found) > 1:
        raise UsageError(
            f"{len(found)} recorded debates have ids that start with '{debate}'.", "Give more of the id."
        )
    return found[0]
