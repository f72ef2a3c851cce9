from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Event,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Vote,
    event_from_json,
    event_to_json,
)
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.domain.transcript import Seam, Transcript
from tests.sample_debates import ADA, BOB, numbered_events, opening_events

if TYPE_CHECKING:
    from collections.abc import Iterable


def transcript_of(*events: Event) -> Transcript:
    return Transcript(numbered_events(*opening_events(rounds=2), *events))


def delta(offset: int, text: str, attempt: int = 1, turn: int = 1, *, reasoning: bool = False) -> TurnDelta:
    return TurnDelta(
        turn=turn, debater="ab"[turn - 1], attempt=attempt, offset=offset, text=text, reasoning=reasoning
    )


def status(state: str, attempt: int = 1, **more: object) -> StreamStatus:
    return msgspec.convert(
        {"type": "stream.status", "debater": "a", "state": state, "attempt": attempt, **more}, StreamStatus
    )


def state_of(transcript: Transcript) -> dict[str, object]:
    """Everything a transcript says, as plain values."""
    return {
        **{name: value for name, value in vars(transcript).items() if name not in {"turns", "_latest_turns"}},
        "turns": [
            {
                **{k: v for k, v in vars(turn).items() if not k.startswith("_")},
                "text": turn.text,
                "reasoning": turn.reasoning,
                "length": turn.length,
                "seams": turn.seams,
            }
            for turn in transcript.turns.values()
        ],
    }


def test_a_debate_is_known_by_its_first_event():
    transcript = transcript_of()

    assert (transcript.debate_id, transcript.topic, transcript.format) == ("d1", "Tea or coffee?", "oxford")
    assert transcript.debaters == {"a": ADA, "b": BOB}
    assert transcript.active_debaters == ("a", "b")
    assert (transcript.seq, transcript.started_at, transcript.updated_at) == (4, 1.0, 4.0)
    assert transcript.phase is not None
    assert (transcript.phase.phase, transcript.phase.round, transcript.phase.rounds) == ("opening", 1, 2)


def test_deltas_add_up_to_text_and_reasoning_counted_separately():
    turn = transcript_of(
        delta(0, "Hel"), delta(0, "why", reasoning=True), delta(3, "lo 👋🏽"), delta(3, "?", reasoning=True)
    ).turns[1]

    assert (turn.text, turn.reasoning) == ("Hello 👋🏽", "why?")
    assert (turn.length, turn.reasoning_length) == (8, 4)


@pytest.mark.parametrize("offset", [0, 1, 2, 4, 100])
def test_a_delta_that_begins_elsewhere_does_not_apply(offset: int):
    assert transcript_of(delta(0, "abc"), delta(offset, "XY")).turns[1].text == "abc"


def test_a_delta_of_a_turn_that_never_started_does_not_apply():
    assert list(transcript_of(TurnDelta(turn=9, debater="a", attempt=1, offset=0, text="x")).turns) == [
        1,
        2,
    ]


def test_the_start_of_a_text_is_read_without_joining_it():
    turn = transcript_of(delta(0, "abc"), delta(3, "def"), delta(6, "ghij")).turns[1]
    starts = ["", "a", "abc", "abcd", "abcdefghij"]
    for _ in range(2):
        assert [turn.start_of_text(length) for length in (0, 1, 3, 4, 99)] == starts
        assert turn.text == "abcdefghij"


def test_the_first_delta_of_a_higher_attempt_is_a_seam():
    turn = transcript_of(delta(0, "abc"), delta(3, "def", 2), delta(6, "ghi", 2), delta(9, "j", 4)).turns[1]

    assert turn.text == "abcdefghij"
    assert turn.seams == (Seam(3, 2), Seam(9, 4))
    assert turn.attempt == 4


def test_a_recovery_before_any_text_leaves_no_seam():
    assert transcript_of(delta(0, "abc", 3)).turns[1].seams == ()


def test_superseding_drops_the_text_of_earlier_attempts_and_their_late_deltas():
    turn = transcript_of(
        delta(0, "old"),
        delta(0, "thought", reasoning=True),
        TurnSuperseded(turn=1, debater="a", attempt=2),
        delta(0, "late", 1),
        delta(0, "new", 2),
        TurnSuperseded(turn=1, debater="a", attempt=2),
    ).turns[1]

    assert (turn.text, turn.reasoning, turn.superseded_count, turn.seams) == ("new", "", 1, ())


def test_a_finished_turn_holds_how_it_ended():
    usage = Usage(input_tokens=10, output_tokens=20)
    turn = transcript_of(
        delta(0, "abc"),
        TurnFinished(
            turn=1, debater="a", reason="length", usage=usage, cost=0.5, ttft_ms=120, duration_ms=900
        ),
    ).turns[1]

    assert turn.finished
    assert (turn.reason, turn.usage, turn.cost, turn.ttft_ms, turn.duration_ms) == (
        "length",
        usage,
        0.5,
        120,
        900,
    )
    assert turn.end is not None
    assert (turn.started_at, turn.end.at) == (3.0, 6.0)


def test_a_failed_turn_that_is_tried_again_is_under_way_again():
    failed = TurnFinished(turn=1, debater="a", reason="failed")

    superseded = transcript_of(delta(0, "abc"), failed, TurnSuperseded(turn=1, debater="a", attempt=2)).turns[
        1
    ]
    restarted = transcript_of(
        delta(0, "abc"), failed, TurnStarted(turn=1, debater="a", phase="opening")
    ).turns[1]

    assert (superseded.reason, superseded.text) == (None, "")
    assert (restarted.reason, restarted.text) == (None, "abc")


def test_turns_know_their_round_and_step():
    transcript = transcript_of(
        PhaseStarted(phase="opening", round=2, rounds=2),
        TurnStarted(turn=3, debater="a", phase="opening"),
        PhaseStarted(phase="closing", round=1, rounds=1),
        TurnStarted(turn=4, debater="a", phase="closing"),
    )

    assert [(t.phase, t.round, t.step) for t in transcript.turns.values()] == [
        ("opening", 1, 1),
        ("opening", 1, 1),
        ("opening", 2, 2),
        ("closing", 1, 3),
    ]
    assert transcript.latest_turn("a") is transcript.turns[4]
    assert transcript.latest_turn("b") is transcript.turns[2]
    assert transcript.latest_turn("nobody") is None


def test_the_last_status_of_each_debater_is_kept_and_faults_go_to_its_turn():
    fault = FaultReport(FaultKind.NETWORK, "connection reset")
    again = status("reconnecting", 2, retry=1, max_retries=5, retry_in_ms=1000, error=fault)
    transcript = transcript_of(status("streaming"), again)

    assert msgspec.structs.replace(transcript.statuses["a"], seq=0, at=0.0) == again
    assert transcript.turns[1].faults == [fault]
    assert transcript.turns[1].attempt == 2
    assert transcript.turns[2].faults == []


def test_a_status_between_turns_belongs_to_no_turn():
    fault = FaultReport(FaultKind.NETWORK, "connection reset")
    transcript = transcript_of(
        TurnFinished(turn=1, debater="a", reason="failed"), status("failed", 3, error=fault)
    )

    assert transcript.turns[1].faults == []
    assert transcript.statuses["a"].error == fault


def test_debaters_leave_change_their_source_and_return():
    removed = DebaterRemoved(debater="a", reason="five retries spent", remaining=("b",))
    returned = DebaterReturned(
        debater="a", reason="asked for", remaining=("a", "b"), source="openai:new", model="new"
    )
    replaced = DebaterReplaced(
        debater="b", reason="asked for", remaining=("a", "b"), source="demo:x", model="x"
    )

    assert transcript_of(removed).active_debaters == ("b",)
    transcript = transcript_of(removed, returned, replaced)
    assert transcript.active_debaters == ("a", "b")
    assert (transcript.debaters["a"].source, transcript.debaters["a"].model) == ("openai:new", "new")
    assert (transcript.debaters["b"].source, transcript.debaters["b"].name) == ("demo:x", "Bob")
    assert [type(note.event) for note in transcript.side_events] == [
        DebaterRemoved,
        DebaterReturned,
        DebaterReplaced,
    ]


def test_a_turn_knows_which_model_spoke_last():
    replaced = DebaterReplaced(debater="b", reason="", remaining=("a", "b"), source="demo:x", model="x")
    finished = TurnFinished(turn=2, debater="b", reason="complete")

    assert transcript_of().turns[2].model == "gpt"
    assert transcript_of(replaced).turns[2].model == "x"
    assert transcript_of(finished, replaced).turns[2].model == "gpt"


def test_an_interjection_keeps_its_place_among_the_turns():
    transcript = transcript_of(
        Interjection(text="and milk?", to="a"), TurnStarted(turn=3, debater="a", phase="opening")
    )

    assert [(note.step, note.turn_count) for note in transcript.side_events] == [(1, 2)]
    assert [(said.text, said.to) for said in transcript.interjections] == [("and milk?", "a")]


def test_paused_resumed_and_finished():
    paused = DebatePaused(reason="key refused", debater="b")
    resumed = DebateResumed(reason="", debater=None)

    halted = transcript_of(paused)
    assert halted.pause is not None
    assert halted.pause.reason == "key refused"
    assert transcript_of(paused, resumed).pause is None
    assert transcript_of(DebateFinished(reason="stopped")).finish_reason == "stopped"
    assert transcript_of(DebateFinished(reason="stopped"), resumed).finish_reason is None


# --- invariants ---------------------------------------------------------------------------------

PIECE = st.text(max_size=4)


@st.composite
def debates(draw: st.DrawFn) -> list[Event]:
    """Logs as a session writes them: two turns, either text, recoveries, restarts, a retry after the end."""
    events: list[Event] = opening_events(rounds=2)
    state = {1: [1, 0, 0], 2: [1, 0, 0]}
    for _ in range(draw(st.integers(0, 25))):
        turn = draw(st.sampled_from([1, 2]))
        place = state[turn]
        match draw(st.sampled_from(["text", "text", "text", "more", "again", "end", "status", "said"])):
            case "text":
                text, thinking = draw(PIECE), draw(st.booleans())
                events.append(delta(place[1 + thinking], text, place[0], turn, reasoning=thinking))
                place[1 + thinking] += len(text)
            case "more":
                place[0] += 1
            case "again":
                place[:] = [place[0] + 1, 0, 0]
                events.append(TurnSuperseded(turn=turn, debater="ab"[turn - 1], attempt=place[0]))
            case "end":
                events.append(TurnFinished(turn=turn, debater="ab"[turn - 1], reason="failed"))
            case "status":
                fault = FaultReport(FaultKind.SERVER, "broken")
                events.append(
                    StreamStatus(debater="ab"[turn - 1], state="reconnecting", attempt=place[0], error=fault)
                )
            case "said":
                events.append(Interjection(text="?", to=None))
    return numbered_events(*events)


def coalesced(events: Iterable[Event]) -> list[Event]:
    """Neighbouring deltas of one attempt with adjacent offsets made one, with the `seq` of the last."""
    out: list[Event] = []
    for event in events:
        last = out[-1] if out else None
        if (
            isinstance(event, TurnDelta)
            and isinstance(last, TurnDelta)
            and (last.turn, last.attempt, last.reasoning) == (event.turn, event.attempt, event.reasoning)
            and last.offset + len(last.text) == event.offset
        ):
            out[-1] = msgspec.structs.replace(event, offset=last.offset, text=last.text + event.text)
        else:
            out.append(event)
    return out


@given(debates())
def test_coalesced_deltas_fold_to_the_same(events: list[Event]):
    assert state_of(Transcript(coalesced(events))) == state_of(Transcript(events))


@given(debates(), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5))
def test_duplicates_are_harmless(events: list[Event], connections: list[tuple[int, int]]):
    """A stream that was cut is sent again from somewhere earlier, as often as it likes."""
    sent: list[Event] = []
    known = 0
    for start, end in connections:
        sent += events[min(start, known) : end]
        known = max(known, min(end, len(events)))
    sent += events[known:]

    assert state_of(Transcript(sent)) == state_of(Transcript(events))


@given(debates(), st.data())
def test_duplicate_deltas_are_harmless_even_without_their_number(events: list[Event], data: st.DataObject):
    """The offset alone tells a delta that was applied from one that was not."""
    seen: list[Event] = []
    doubled = Transcript()
    for event in events:
        doubled.apply(event)
        if isinstance(event, TurnDelta):
            seen.append(msgspec.structs.replace(event, seq=0))
        if seen and data.draw(st.booleans()):
            doubled.apply(data.draw(st.sampled_from(seen)))

    assert state_of(doubled) == state_of(Transcript(events))


@given(debates(), st.data())
def test_folding_may_stop_anywhere_and_go_on(events: list[Event], data: st.DataObject):
    cut = data.draw(st.integers(0, len(events)))
    transcript = Transcript(events[:cut])
    state_of(transcript)  # reading joins the text; it must not change what follows
    for event in events[cut:]:
        transcript.apply(event)

    assert state_of(transcript) == state_of(Transcript(events))


@given(debates())
def test_events_survive_their_encoding(events: list[Event]):
    assert [event_from_json(event_to_json(event)) for event in events] == events


def test_a_debate_ended_when_that_was_first_said_until_it_is_taken_up_again():
    events = (
        DebateFinished(seq=1, at=10.0, reason="complete"),
        Vote(seq=2, at=70.0, when="after", voter="user", debater=None),
        DebateFinished(seq=3, at=70.0, reason="complete"),
    )
    transcript = Transcript(events)
    assert (transcript.finish_reason, transcript.finished_at) == ("complete", 10.0)

    transcript.apply(DebateResumed(seq=4, at=99.0, reason="continued", debater=None))
    assert (transcript.finish_reason, transcript.finished_at) == (None, None)
