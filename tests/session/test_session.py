"""A debate's course, told by its log: who spoke when, who heard what, and how it ended."""

from __future__ import annotations

import asyncio

import pytest

from debate_tui.domain import events
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Fault,
    FaultKind,
    Finished,
    StateChange,
    Usage,
)
from debate_tui.session import turn
from debate_tui.session.commands import Decide, EndDebate, Interject, Pause, Resume, Retry, StopTurn
from tests.session.scripted_session import (
    Scripted,
    Step,
    events_of_type,
    motion,
    phase,
    reasons,
    speech_items,
    start_session,
    wait_until_logged,
)


async def test_every_round_of_every_phase_is_held_in_order() -> None:
    opening, rebuttal = phase("opening"), phase("rebuttal", rounds=2)
    session, _, seen = start_session(motion(opening, rebuttal), [Scripted(), Scripted()])
    await session.run()
    steps = [(event.phase, event.round, event.rounds) for event in events_of_type(seen, events.PhaseStarted)]
    assert steps == [("opening", 1, 1), ("rebuttal", 1, 2), ("rebuttal", 2, 2)]
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert [event.reason for event in events_of_type(seen, events.DebateFinished)] == ["complete"]
    assert isinstance(seen[0], events.DebateStarted)
    assert isinstance(seen[-1], events.DebateFinished)


async def test_text_arrives_with_offsets_and_is_accounted_for() -> None:
    session, _, seen = start_session(motion(), [Scripted(speech_items("Hé", "llo ", "世界")), Scripted()])
    await session.run()
    deltas = [
        (d.offset, d.text, d.attempt) for d in events_of_type(seen, events.TurnDelta) if d.debater == "d1"
    ]
    assert deltas == [(0, "Hé", 1), (2, "llo ", 1), (6, "世界", 1)]
    assert session.transcript.turns[1].text == "Héllo 世界"
    finished = events_of_type(seen, events.TurnFinished)[0]
    assert finished.usage == Usage(3, 3)
    assert finished.ttft_ms is not None
    assert finished.duration_ms is not None
    assert finished.ttft_ms <= finished.duration_ms


async def test_reasoning_has_offsets_of_its_own_and_no_listeners() -> None:
    thinking = [
        Chunk("hm, ", reasoning=True),
        Chunk("A"),
        Chunk("yes", reasoning=True),
        Chunk("B"),
        Finished(),
    ]
    ben = Scripted()
    session, _, seen = start_session(motion(phase("one"), phase("two")), [Scripted(thinking), ben])
    await session.run()
    deltas = [(d.offset, d.text, d.reasoning) for d in events_of_type(seen, events.TurnDelta) if d.turn == 1]
    assert deltas == [(0, "hm, ", True), (0, "A", False), (4, "yes", True), (1, "B", False)]
    assert "AB" in ben.requests[1].prompt
    assert "hm" not in ben.requests[1].prompt


async def test_parallel_speakers_see_only_earlier_rounds() -> None:
    ada, ben = Scripted(speech_items("ada one")), Scripted(speech_items("ben one"))
    session, _, _ = start_session(motion(phase("one"), phase("two")), [ada, ben])
    await session.run()
    assert "ada one" not in ben.requests[0].prompt
    assert "ada one" in ben.requests[1].prompt
    assert "ben one" in ada.requests[1].prompt


async def test_speakers_in_turn_may_see_the_round_under_way() -> None:
    ada, ben = Scripted(speech_items("ada one")), Scripted(speech_items("ben one"))
    session, _, seen = start_session(motion(phase("one", order="turns", sees="all")), [ada, ben])
    await session.run()
    assert "ada one" in ben.requests[0].prompt
    order = [event.debater for event in seen if isinstance(event, events.TurnStarted | events.TurnFinished)]
    assert order == ["d1", "d1", "d2", "d2"]


async def test_one_failing_debater_neither_stops_nor_delays_the_others() -> None:
    gate = asyncio.Event()
    waiting: list[Step] = [Connected(), Chunk("slow "), gate, Chunk("end"), Finished()]
    broken: list[Step] = [Connected(), Chunk("half"), Fault(FaultKind.SERVER, "It broke.", status=500)]
    session, _, seen = start_session(motion(debaters=3), [Scripted(waiting), Scripted(broken), Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebaterRemoved))
    gate.set()
    await running
    assert reasons(seen) == {"d1": "complete", "d2": "failed", "d3": "complete"}
    removed = events_of_type(seen, events.DebaterRemoved)[0]
    assert (removed.debater, removed.reason, removed.remaining) == ("d2", "It broke.", ("d1", "d3"))
    failed = next(event for event in events_of_type(seen, events.StreamStatus) if event.state == "failed")
    assert failed.error is not None
    assert (failed.error.kind, failed.error.status) == (FaultKind.SERVER, 500)
    assert session.transcript.turns[2].text == "half"


async def test_the_others_are_told_of_a_removal_and_with_one_left_the_debate_ends() -> None:
    ada, ben = Scripted(), Scripted(speech_items("b1"), [Fault(FaultKind.BAD_REQUEST, "No such model.")])
    cleo = Scripted(speech_items("c1"), speech_items("c2"), [Fault(FaultKind.BAD_REQUEST, "Too long.")])
    session, _, seen = start_session(motion(*(phase(n) for n in "abcd"), debaters=3), [ada, ben, cleo])
    await session.run()
    assert "Ben" in ada.requests[2].prompt
    assert len(ada.requests) == 3  # after the third phase ada is alone
    assert session.transcript.turns[max(session.transcript.turns)].phase == "c"
    assert events_of_type(seen, events.DebateFinished)[0].reason == "complete"


async def test_nothing_said_at_all_is_a_failed_debate() -> None:
    fault: list[Step] = [Fault(FaultKind.NETWORK, "Connection refused.")]
    session, _, seen = start_session(motion(), [Scripted(fault), Scripted(fault)])
    await session.run()
    assert events_of_type(seen, events.DebateFinished)[0].reason == "failed"


async def test_a_refusal_ends_the_turn_and_keeps_the_debater() -> None:
    refused: list[Step] = [Connected(), Fault(FaultKind.REFUSED, "I would rather not.")]
    ada = Scripted(refused)
    session, _, seen = start_session(motion(phase("one"), phase("two")), [ada, Scripted()])
    await session.run()
    endings = {event.turn: event.reason for event in events_of_type(seen, events.TurnFinished)}
    assert endings == {1: "refused", 2: "complete", 3: "complete", 4: "complete"}
    assert len(ada.requests) == 2
    assert not events_of_type(seen, events.DebaterRemoved)


async def test_stopping_a_turn_keeps_its_text_and_the_debate() -> None:
    never = asyncio.Event()
    ada = Scripted([Connected(), Chunk("so far"), never])
    session, _, seen = start_session(motion(phase("one"), phase("two")), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "so far"
    )
    session.handle(StopTurn("d1"))
    await running
    first = next(event for event in events_of_type(seen, events.TurnFinished) if event.turn == 1)
    assert first.reason == "stopped"
    assert session.transcript.turns[1].text == "so far"
    assert ada.closed == 2
    assert events_of_type(seen, events.DebateFinished)[0].reason == "complete"


@pytest.mark.parametrize("whom", [None, "d1"])
async def test_a_pause_holds_back_everything_that_arrives(whom: str | None) -> None:
    go = asyncio.Event()
    ada = Scripted([Connected(), Chunk("before"), go, Chunk("after"), Finished()])
    session, _, seen = start_session(motion(), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "before"
    )
    session.handle(Pause(whom))
    go.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert session.transcript.turns[1].text == "before"
    assert session.transcript.statuses["d1"].state == "paused"
    session.handle(Resume(whom))
    await running
    assert session.transcript.turns[1].text == "beforeafter"
    assert [event.debater for event in events_of_type(seen, events.DebatePaused)] == [whom]
    assert [event.debater for event in events_of_type(seen, events.DebateResumed)] == [whom]


class Clock:
    """A monotonic clock that is set by hand."""

    now = 50.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("whom", [None, "d1"])
async def test_a_pause_does_not_count_as_time_of_the_turn(
    monkeypatch: pytest.MonkeyPatch, whom: str | None
) -> None:
    clock, go = Clock(), asyncio.Event()
    monkeypatch.setattr(turn, "time", clock)
    ada = Scripted([Connected(), go, Chunk("first"), Finished()])
    session, _, seen = start_session(motion(), [ada, Scripted([Connected(), go, Finished()])])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnStarted) and event.turn == 2)
    session.handle(Pause(whom))
    clock.now += 600
    session.handle(Resume(whom))
    clock.now += 2
    go.set()
    await running
    figures = {
        end.debater: (end.ttft_ms, end.duration_ms) for end in events_of_type(seen, events.TurnFinished)
    }
    assert figures == {"d1": (2000, 2000), "d2": (None, 2000 if whom is None else 602_000)}


async def test_waiting_for_a_decision_does_not_count_as_time_of_any_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, go = Clock(), asyncio.Event()
    monkeypatch.setattr(turn, "time", clock)
    refused = Fault(FaultKind.AUTH, "wrong key", status=401)
    ada, bob = Scripted([refused]), Scripted([Connected(), go, Chunk("first"), Finished()])
    session, _, seen = start_session(motion(), [ada, bob])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebatePaused))
    clock.now += 600
    session.handle(Decide("d1", "fix"))
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebateResumed))
    clock.now += 2
    go.set()
    await running
    durations = {end.debater: end.duration_ms for end in events_of_type(seen, events.TurnFinished)}
    assert durations["d2"] == 2000
    assert durations["d1"] is not None
    assert durations["d1"] <= 2000


async def test_ending_finishes_every_open_turn_then_the_debate() -> None:
    never = asyncio.Event()
    sources = [Scripted([Connected(), Chunk("a"), never]), Scripted([Connected(), never])]
    session, _, seen = start_session(motion(phase("one"), phase("two")), sources)
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnDelta))
    session.handle(EndDebate())
    await running
    assert reasons(seen) == {"d1": "stopped", "d2": "stopped"}
    assert events_of_type(seen, events.DebateFinished)[0].reason == "stopped"
    assert isinstance(seen[-1], events.DebateFinished)


async def test_cancelling_the_session_leaves_a_complete_record() -> None:
    never = asyncio.Event()
    session, _, seen = start_session(
        motion(), [Scripted([Connected(), Chunk("a"), never]), Scripted([never])]
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnDelta))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert set(reasons(seen).values()) == {"stopped"}
    assert seen[-1].seq == len(seen)
    assert events_of_type(seen, events.DebateFinished)[0].reason == "stopped"


async def test_a_wrong_key_pauses_everybody_until_somebody_decides() -> None:
    bad_key = Fault(FaultKind.AUTH, "Invalid key.", status=401)
    go = asyncio.Event()
    ada = Scripted([bad_key], speech_items("with the right key"))
    ben = Scripted([Connected(), Chunk("b1"), go, Chunk("b2"), Finished()])
    session, _, seen = start_session(motion(), [ada, ben])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebatePaused))
    assert events_of_type(seen, events.DebatePaused)[0].reason == "Key refused (401): Invalid key."
    go.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert "b2" not in session.transcript.turns[2].text
    session.handle(Decide("d1", "fix"))
    await running
    assert session.transcript.turns[1].text == "with the right key"
    assert session.transcript.turns[2].text == "b1b2"
    assert reasons(seen) == {"d1": "complete", "d2": "complete"}


@pytest.mark.parametrize(("choice", "ending"), [("remove", "complete"), ("end", "stopped")])
async def test_going_on_without_a_debater_or_ending(choice: str, ending: str) -> None:
    ada = Scripted([Fault(FaultKind.QUOTA, "No credit.")])
    session, _, seen = start_session(motion(debaters=3), [ada, Scripted(), Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebatePaused))
    session.handle(Decide("d1", choice))  # type: ignore[arg-type]
    await running
    assert events_of_type(seen, events.DebaterRemoved)[0].debater == "d1"
    assert events_of_type(seen, events.DebateFinished)[0].reason == ending


async def test_without_anybody_to_ask_a_wrong_key_ends_the_debate() -> None:
    never = asyncio.Event()
    sources = [Scripted([Fault(FaultKind.AUTH, "Invalid key.")]), Scripted([Connected(), never])]
    session, _, seen = start_session(motion(), sources, unattended=True)
    await session.run()
    assert session.fatal_fault is not None
    assert events_of_type(seen, events.DebateFinished)[0].reason == "failed"
    assert reasons(seen) == {"d1": "failed", "d2": "stopped"}


async def test_retrying_a_failed_turn_goes_on_from_its_text_while_others_stream() -> None:
    go = asyncio.Event()
    ada = Scripted(
        [Connected(), Chunk("half"), Fault(FaultKind.SERVER, "gone")], [Chunk(" whole"), Finished()]
    )
    ben = Scripted([Connected(), go, Chunk("b"), Finished()])
    session, _, seen = start_session(motion(), [ada, ben])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebaterRemoved))
    session.handle(Retry("d1"))
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebaterReturned))
    go.set()
    await running
    assert ada.resumes[1] is not None
    assert ada.resumes[1].text == "half"
    assert session.transcript.turns[1].text == "half whole"
    assert session.transcript.turns[1].reason == "complete"
    assert session.transcript.active_debaters == ("d1", "d2")


async def test_retrying_a_streaming_turn_starts_it_anew() -> None:
    never = asyncio.Event()
    ada = Scripted([StateChange("streaming", 1), Chunk("waffle"), never], speech_items("to the point"))
    session, _, seen = start_session(motion(), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "waffle"
    )
    session.handle(Retry("d1"))
    await running
    assert session.transcript.turns[1].text == "to the point"
    superseded = events_of_type(seen, events.TurnSuperseded)
    assert [(event.turn, event.attempt) for event in superseded] == [(1, 2)]


async def test_what_was_said_stays_until_the_retry_has_something_to_say() -> None:
    never, go = asyncio.Event(), asyncio.Event()
    ada = Scripted(
        [StateChange("streaming", 1), Chunk("waffle"), never],
        [StateChange("connected", 2), go, *speech_items("short")],
    )
    session, _, seen = start_session(motion(), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "waffle"
    )
    session.handle(Retry("d1"))
    await wait_until_logged(seen, lambda event: isinstance(event, events.StreamStatus) and event.attempt == 2)
    assert session.transcript.turns[1].text == "waffle"
    go.set()
    await running
    assert session.transcript.turns[1].text == "short"
    assert ada.resumes[1] is not None
    assert ada.resumes[1].text == ""


async def test_a_retry_that_fails_leaves_what_was_said() -> None:
    never = asyncio.Event()
    gone = Fault(FaultKind.SERVER, "gone")
    ada = Scripted([StateChange("streaming", 1), Chunk("waffle"), never], [gone], speech_items("short"))
    ben = Scripted([Connected(), never, Finished()])
    session, _, seen = start_session(motion(), [ada, ben])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "waffle"
    )
    session.handle(Retry("d1"))
    await wait_until_logged(seen, lambda event: isinstance(event, events.DebaterRemoved))
    assert session.transcript.turns[1].text == "waffle"
    session.handle(Retry("d1"))
    never.set()
    await running
    assert session.transcript.turns[1].text == "short"


@pytest.mark.parametrize("whom", ["d1", None])
async def test_retrying_a_paused_turn_lets_it_go_and_keeps_its_text_until_there_is_other(
    whom: str | None,
) -> None:
    never, go = asyncio.Event(), asyncio.Event()
    ada = Scripted(
        [StateChange("streaming", 1), Chunk("waffle"), never],
        [StateChange("connected", 2), go, *speech_items("short")],
    )
    ben = Scripted([StateChange("streaming", 1), Chunk("b1"), go, Chunk("b2"), Finished()])
    session, _, seen = start_session(motion(), [ada, ben])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnDelta) and event.text == "b1")
    session.handle(Pause(whom))
    session.handle(Retry("d1"))
    await wait_until_logged(seen, lambda event: isinstance(event, events.StreamStatus) and event.attempt == 2)
    assert session.transcript.turns[1].text == "waffle"
    go.set()
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnFinished) and event.debater == "d1"
    )
    assert session.transcript.turns[1].text == "short"
    if whom is None:
        assert session.transcript.statuses["d2"].state == "paused"
        session.handle(Resume())
    await running
    assert session.transcript.turns[2].text == "b1b2"


async def test_retrying_a_paused_turn_whose_stream_was_broken_goes_on_from_its_text() -> None:
    never = asyncio.Event()
    lost = StateChange("reconnecting", 1, retry=1, max_retries=5, retry_in_ms=9000)
    ada = Scripted([StateChange("streaming", 1), Chunk("half"), lost, never], [Chunk(" whole"), Finished()])
    session, _, seen = start_session(motion(), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.StreamStatus) and event.state == "reconnecting"
    )
    session.handle(Pause("d1"))
    session.handle(Retry("d1"))
    await running
    assert session.transcript.turns[1].text == "half whole"


async def test_an_interjection_reaches_its_debater_once() -> None:
    go = asyncio.Event()
    ada = Scripted([Connected(), go, Chunk("a"), Finished()])
    ben = Scripted()
    session, _, seen = start_session(motion(phase("one"), phase("two"), phase("three")), [ada, ben])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(Interject("What about dogs?", "d1"))
    go.set()
    await running
    assert ["dogs" in request.prompt for request in ada.requests] == [False, True, False]
    assert not any("dogs" in request.prompt for request in ben.requests)


class GatheringSource:
    """A painter that lets text gather."""

    read_delay = 0.001

    def has_room(self, debater: str) -> bool:
        return True

    async def wait_for_room(self, debater: str) -> None:
        raise AssertionError("there was room")


async def test_text_that_gathers_is_all_there_in_the_end() -> None:
    gate = asyncio.Event()
    many: list[Step] = [Chunk(str(n)) for n in range(50)]
    ada = Scripted([Connected(), *many, gate, Chunk("late"), Finished()])
    ben = Scripted([Connected(), Finished()])
    session, _, _ = start_session(motion(), [ada, ben], backpressure=GatheringSource())
    asyncio.get_running_loop().call_later(0.05, gate.set)
    await session.run()
    assert session.transcript.turns[1].text == "".join(map(str, range(50))) + "late"
