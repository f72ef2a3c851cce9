"""What a list tells of a debate besides its summary."""

from __future__ import annotations

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebatersRevealed,
    DebateStarted,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    Verdict,
)
from debate_tui.record.summary import NO_DIGEST, DebateSummary, digest_events, update_summary

CAST = tuple(DebaterInfo(name, name.title(), "", "x", "x") for name in ("ada", "ben"))


def test_time_counts_while_someone_speaks_and_deltas_make_no_difference() -> None:
    events = [
        DebateStarted(seq=1, at=0, debate="d", topic="t", format="f", debaters=CAST),
        TurnStarted(seq=2, at=10, turn=1, debater="ada", phase="opening"),
        TurnStarted(seq=3, at=10, turn=2, debater="ben", phase="opening"),
        TurnDelta(seq=4, at=12, turn=1, debater="ada", attempt=1, offset=0, text="Yes."),
        TurnFinished(seq=5, at=15, turn=1, debater="ada", reason="complete", cost=0.5),
        DebatePaused(seq=6, at=16, reason="user", debater=None),
        DebateResumed(seq=7, at=900, reason="user", debater=None),
        TurnFinished(seq=8, at=904, turn=2, debater="ben", reason="complete"),
        Verdict(seq=9, at=990, judge="j", model="j", winner="ada", agreed=True, controlled=True, cost=0.25),
        DebateFinished(seq=10, at=999, reason="complete"),
    ]
    digest = digest_events(events)
    assert digest == digest_events([event for event in events if not isinstance(event, TurnDelta)])
    assert (digest.outcome, digest.seconds) == ("Ada wins", 10)
    assert list(digest.facts) == ["10 s", "$0.75+"]


def test_a_debate_that_has_just_begun_has_nothing_to_tell() -> None:
    assert digest_events([DebateStarted(debate="d", topic="t", format="f", debaters=CAST)]) == NO_DIGEST
    assert list(NO_DIGEST.facts) == []


def test_a_blind_debate_is_found_by_its_debaters_once_they_are_revealed() -> None:
    masked = tuple(DebaterInfo(each.id, letter, "", "", "") for each, letter in zip(CAST, "AB", strict=True))
    started = DebateStarted(debate="d", topic="t", format="f", debaters=masked, blind=True)
    summary = update_summary(DebateSummary("d"), started)
    assert not summary.matches("ada")
    summary = update_summary(summary, DebatersRevealed(debaters=CAST))
    assert summary.matches("ada")
