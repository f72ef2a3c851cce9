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
    DebatersRevealed,
    DebateStarted,
)
from debate_tui.domain.judging.summary import outcome_label
from debate_tui.domain.progress import speaking_seconds
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import NO_SPENDING, Spending, compute_costs
from debate_tui.domain.wording import format_duration, format_money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        case DebatersRevealed():
            return msgspec.structs.replace(summary, debaters=event.debaters)
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


class DebateDigest(Struct, frozen=True):
    """What a list shows of a debate besides its summary, taken from its events except the deltas.

    `outcome` is empty if the debate was not judged. `seconds` is its `speaking_seconds`, rounded.
    """

    outcome: str = ""
    spending: Spending = NO_SPENDING
    seconds: float = 0.0

    @property
    def facts(self) -> Iterator[str]:
        """Length and cost in words, if they say something: a demo costs nothing."""
        if self.seconds:
            yield format_duration(self.seconds)
        if self.spending.cost:
            yield format_money(self.spending.cost, complete=self.spending.priced)


NO_DIGEST = DebateDigest()


def digest_events(events: Sequence[Event]) -> DebateDigest:
    """Return the digest of a debate's events; deltas make no difference."""
    transcript = Transcript(events)
    seconds = float(round(speaking_seconds(events)))
    return DebateDigest(outcome_label(transcript), compute_costs(transcript).total, seconds)
