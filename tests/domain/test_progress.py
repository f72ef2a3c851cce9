from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.debate import Debater, Format, Phase, Round, iter_rounds
from debate_tui.domain.events import (
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebateStarted,
    Event,
    PhaseStarted,
    TurnFinished,
    TurnStarted,
)
from debate_tui.domain.progress import Pauses, Progress, compute_progress
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason

DEBATERS = tuple(Debater(id=id_, name=id_.upper(), side="", source="demo") for id_ in "abc")
OPENING = Phase(name="opening", title="Opening")
REBUTTAL = Phase(name="rebuttal", title="Rebuttal", rounds=2)
CLOSING = Phase(name="closing", title="Closing", order="reverse", speakers=(1, 2))
FORMAT = Format(name="f", title="F", description="", phases=(OPENING, REBUTTAL, CLOSING))
PLAN = tuple(iter_rounds(FORMAT))


def begin(phase: str, round_: int = 1, total: int = 1) -> PhaseStarted:
    return PhaseStarted(phase=phase, round=round_, rounds=total)


def speak(turn: int, debater: str) -> TurnStarted:
    return TurnStarted(turn=turn, debater=debater, phase="")


def end(turn: int, debater: str, reason: FinishReason = "complete") -> TurnFinished:
    return TurnFinished(turn=turn, debater=debater, reason=reason)


def whole_round(first: int) -> list[Event]:
    return [event for i, id_ in enumerate("abc") for event in (speak(first + i, id_), end(first + i, id_))]


def progress_after(*events: Event) -> Progress:
    infos = tuple(DebaterInfo(d.id, d.name, d.side, d.source, "demo") for d in DEBATERS)
    log = (DebateStarted(debate="d", topic="t", format="f", debaters=infos), *events)
    numbered = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(log, 1)]
    return compute_progress(Transcript(numbered), FORMAT, DEBATERS)


def test_of_a_debate_that_never_began_everything_remains():
    assert progress_after() == Progress(None, (), (), PLAN)


def test_a_round_that_began_without_a_word_is_owed_by_all():
    assert progress_after(begin("opening")) == Progress(PLAN[0], (), ("a", "b", "c"), PLAN[1:])


def test_turns_cut_short_are_open_and_the_silent_owe_theirs():
    stands = progress_after(begin("opening"), speak(1, "a"), speak(2, "b"), end(1, "a"))

    assert (stands.round, stands.open_turns, stands.pending_speakers) == (PLAN[0], (2,), ("c",))
    assert not stands.complete


@pytest.mark.parametrize("reason", ["complete", "length", "refused", "stopped", "skipped", "failed"])
def test_a_turn_that_ended_is_not_owed_again_however_it_did(reason: FinishReason):
    stands = progress_after(begin("opening"), *whole_round(1)[:4], speak(3, "c"), end(3, "c", reason))

    assert (stands.round, stands.open_turns, stands.pending_speakers, stands.remaining_rounds) == (
        None,
        (),
        (),
        PLAN[1:],
    )


def test_the_rounds_of_a_phase_are_told_apart():
    stands = progress_after(
        begin("opening"),
        *whole_round(1),
        begin("rebuttal", 1, 2),
        *whole_round(4),
        begin("rebuttal", 2, 2),
        speak(7, "b"),
    )

    assert (stands.round, stands.open_turns, stands.pending_speakers, stands.remaining_rounds) == (
        PLAN[2],
        (7,),
        ("a", "c"),
        PLAN[3:],
    )


def test_who_owes_a_turn_speaks_in_the_order_of_the_phase():
    assert progress_after(begin("closing")).pending_speakers == ("b", "a")


def test_phases_that_were_skipped_stay_skipped():
    assert (
        progress_after(begin("opening"), *whole_round(1), begin("closing"), speak(4, "b")).remaining_rounds
        == ()
    )


def test_who_left_owes_nothing_and_leaves_nothing_open():
    gone = DebaterRemoved(debater="b", reason="quota", remaining=("a", "c"))
    stands = progress_after(begin("opening"), speak(1, "b"), gone, speak(2, "a"))

    assert (stands.open_turns, stands.pending_speakers) == ((2,), ("c",))


def test_an_extra_round_is_completed_before_the_format_goes_on():
    stands = progress_after(
        begin("opening"),
        *whole_round(1),
        begin("rebuttal", 1, 2),
        *whole_round(4),
        begin("rebuttal", 9, 9),
        speak(7, "a"),
    )

    assert stands.round == Round(REBUTTAL, 9, 9)
    assert (stands.open_turns, stands.pending_speakers, stands.remaining_rounds) == (
        (7,),
        ("b", "c"),
        PLAN[2:],
    )


def test_a_debate_whose_last_round_is_spoken_is_complete():
    stands = progress_after(
        begin("closing"),
        speak(1, "b"),
        end(1, "b"),
        speak(2, "a"),
        end(2, "a"),
        begin("opening"),
        *whole_round(3),
    )

    assert stands.complete


def test_a_round_that_was_asked_for_but_not_begun_is_still_ahead():
    stands = progress_after(begin("opening"), *whole_round(1), begin("rebuttal", 1, 3), *whole_round(4))

    assert stands.remaining_rounds == (Round(REBUTTAL, 2, 3), Round(REBUTTAL, 3, 3), *PLAN[3:])


def test_a_number_of_words_asked_for_holds_for_all_that_follows():
    shorter = PhaseStarted(phase="rebuttal", round=1, rounds=2, words=40)
    stands = progress_after(begin("opening"), *whole_round(1), shorter, speak(4, "a"))

    assert stands.round is not None
    assert {round_.phase.words for round_ in (stands.round, *stands.remaining_rounds)} == {40}


def test_while_the_judges_read_nothing_remains_to_be_said():
    stands = progress_after(
        begin("closing"), speak(1, "b"), end(1, "b"), speak(2, "a"), end(2, "a"), begin("verdict")
    )

    assert stands.complete


# Who is paused.


def pause(debater: str | None = None, reason: str = "user") -> DebatePaused:
    return DebatePaused(reason=reason, debater=debater)


def resume(debater: str | None = None, reason: str = "user") -> DebateResumed:
    return DebateResumed(reason=reason, debater=debater)


@pytest.mark.parametrize(
    ("events", "held", "holds_all"),
    [
        ((), "", False),
        ((pause(),), "ab", True),
        ((pause("a"),), "a", False),
        ((pause("a"), resume()), "a", False),
        ((pause("a"), resume("a")), "", False),
        ((pause(), resume("a")), "b", False),
        ((pause(), resume("a"), pause()), "ab", True),
        ((pause("a", "auth: no key"),), "ab", True),
        ((pause("a", "auth: no key"), resume()), "ab", True),
        ((pause("a", "auth: no key"), pause("b", "quota"), resume("a", "decided")), "ab", True),
        ((pause("a", "auth: no key"), resume("a", "decided")), "", False),
        ((pause(), pause("a"), resume(reason="continued")), "", False),
    ],
)
def test_pauses_hold_all_or_one(
    events: tuple[DebatePaused | DebateResumed, ...], held: str, holds_all: bool
) -> None:
    pauses = Pauses()
    for event in events:
        pauses.apply(event)
    assert "".join(debater for debater in "ab" if pauses.holds(debater)) == held
    assert pauses.holds_all == holds_all
