"""A recording has what counted in the end, in the original timing without long waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebateStarted,
    Event,
    MaterialInfo,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Vote,
)
from debate_tui.domain.playback import make_recording, playback_positions
from debate_tui.domain.stream import FaultReport
from debate_tui.domain.transcript import Transcript
from tests.sample_debates import ADA, BOB, numbered_events
from tests.server.generated_debates import debates

if TYPE_CHECKING:
    from collections.abc import Sequence

STARTED = DebateStarted(debate="d1", topic="Tea?", format="oxford", debaters=(ADA, BOB))


def timed(*events: tuple[float, Event]) -> list[Event]:
    return [
        msgspec.structs.replace(event, seq=seq, at=100.0 + at) for seq, (at, event) in enumerate(events, 1)
    ]


def delta(
    text: str, offset: int = 0, *, turn: int = 1, attempt: int = 1, reasoning: bool = False
) -> TurnDelta:
    return TurnDelta(
        turn=turn, debater="ab"[turn - 1], attempt=attempt, offset=offset, text=text, reasoning=reasoning
    )


def played(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """The recording, with the types of events instead of the events."""
    return [
        (entry[0], entry[1]["type"]) if isinstance(entry[1], dict) else entry
        for entry in make_recording(events)
    ]


def test_what_a_debater_says_in_a_step_is_one_delta_and_long_waits_are_short() -> None:
    turns = [TurnStarted(turn=turn, debater="ab"[turn - 1], phase="opening") for turn in (1, 2)]
    events = timed(
        (0, STARTED),
        (0.5, turns[0]),
        (0.5, turns[1]),
        (1.01, delta("Tea ")),
        (1.02, delta("No", turn=2)),
        (1.04, delta("is 茶", 4)),
        (1.1, delta(".", 8)),
        (61.1, delta(" Hm.", 9)),
        (61.1, TurnFinished(turn=1, debater="a", reason="complete")),
    )
    assert played(events) == [
        (0, "debate.started"),
        (5, "turn.started"),
        (5, "turn.started"),
        (10, 1, "Tea is 茶"),
        (10, 2, "No"),
        (11, 1, "."),
        (41, 1, " Hm."),
        (41, "turn.finished"),
    ]
    assert playback_positions(events)[-1] == pytest.approx(1.1 + 3.0)


def test_what_did_not_count_is_not_played_and_takes_no_time() -> None:
    start = TurnStarted(turn=1, debater="a", phase="opening")
    events = timed(
        (0, STARTED),
        (0, start),
        (0, StreamStatus(debater="a", state="streaming", attempt=1)),
        (1, delta("Dropped.")),
        (2, delta("Because", reasoning=True)),
        (3, StreamStatus(debater="a", state="reconnecting", attempt=2, error=FaultReport("network", "x"))),
        (4, StreamStatus(debater="a", state="streaming", attempt=2)),
        (5, TurnFinished(turn=1, debater="a", reason="failed")),
        (5, DebateFinished(reason="stopped")),
        (6, DebateResumed(reason="continued", debater=None)),
        (6, DebatePaused(reason="asked for", debater=None)),
        (7, start),
        (7, TurnSuperseded(turn=1, debater="a", attempt=3)),
        (8, delta("late", 8)),
        (8, delta("Counts.", attempt=3)),
        (8, delta("Counts.", attempt=3)),
        (8, Vote(when="after", voter="user", debater="a")),
        (9, TurnFinished(turn=1, debater="a", reason="complete")),
        (9, DebateFinished(reason="complete")),
        (9, delta("for no turn", turn=2)),
    )
    assert played(events) == [
        (0, "debate.started"),
        (0, "turn.started"),
        (0, "stream.status"),
        (30, "turn.started"),
        (40, 1, "Counts."),
        (50, "turn.finished"),
        (50, "debate.finished"),
    ]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_resumed_turn_ends_once_at_most(is_killed: bool) -> None:
    events = timed(
        (0, STARTED),
        (0, TurnStarted(turn=1, debater="a", phase="opening")),
        (1, delta("Half ")),
        (1, TurnFinished(turn=1, debater="a", reason="stopped")),
        (1, DebateFinished(reason="stopped", cut=(1,))),
        (2, DebateResumed(reason="continued", debater=None)),
        (2, delta("a cup", 5, attempt=2)),
        (3, TurnFinished(turn=1, debater="a", reason="complete")),
    )
    assert played(events[:-1] if is_killed else events)[2:] == [
        (10, 1, "Half "),
        (20, 1, "a cup"),
        *([] if is_killed else [(30, "turn.finished")]),
    ]


def test_what_no_page_shows_is_left_out() -> None:
    hidden = MaterialInfo("secret.txt", "0" * 64, 9, "a")
    started = msgspec.structs.replace(STARTED, material=(hidden,), prices="2026", version="1")
    finished = TurnFinished(turn=1, debater="a", reason="complete", cost=1.0, response="r1", model="gpt")
    phase = PhaseStarted(phase="opening", round=1, rounds=1)
    turn = TurnStarted(turn=1, debater="a", phase="opening")
    entries = make_recording(numbered_events(started, phase, turn, finished))
    assert "secret" not in str(entries)
    assert "demo:ada" not in str(entries)
    assert entries[-1] == (30, {"type": "turn.finished", "turn": 1, "debater": "a", "reason": "complete"})


def test_nothing_is_played_of_nothing() -> None:
    assert make_recording([]) == []


@given(debates())
def test_the_texts_are_those_of_the_transcript(log: list[Event]) -> None:
    texts: dict[int, str] = {}
    position = 0
    for at, what, *text in make_recording(log):
        assert at >= position
        position = at
        if isinstance(what, int):
            texts[what] = texts.get(what, "") + text[0]
    transcript = Transcript(log)
    assert texts == {number: turn.text for number, turn in transcript.turns.items() if turn.text}
