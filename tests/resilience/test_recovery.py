"""A guarded stream through every kind of trouble, on a source scripted in memory; nobody waits."""

from __future__ import annotations

import asyncio

import pytest

from debate_tui.domain.stream import (
    Chunk,
    Citation,
    CitationsUpdate,
    Connected,
    Cursor,
    Fault,
    FaultKind,
    FaultReport,
    Finished,
    KeepAlive,
    Reclassified,
    RecoveryPolicy,
    ResumePoint,
    StateChange,
    StreamOrigin,
    Superseded,
    UnmarkedEnd,
    Usage,
    UsageUpdate,
)
from tests.fakes.scripted_source import (
    REQUEST,
    Pass,
    RecoveredOutput,
    Stall,
    Step,
)
from tests.resilience.guarded_case import RECOVERED_STATES, STORY, GuardedCase, chunks, cut_fault, words
from tests.resilience.parallel_streams import UNDISTURBED_STATES


async def test_a_stream_without_trouble_passes_unchanged() -> None:
    usage = Usage(10, 20, None)
    case = GuardedCase([Connected(), *chunks(*words()), Finished("length", usage)])
    heard = await case.hear()
    assert heard.text == STORY
    assert heard.states == UNDISTURBED_STATES
    assert heard.finished == Finished("length", usage)
    assert case.source.closed == 1
    assert case.clock.armed == 0


@pytest.mark.parametrize("kind", ["network", "timeout", "rate_limited", "overloaded", "server"])
async def test_what_may_pass_is_tried_again(kind: str) -> None:
    case = GuardedCase([cut_fault(FaultKind(kind), status=503)], [Connected(), *chunks(STORY), Finished()])
    heard = await case.hear()
    assert heard.text == STORY
    assert heard.states == ["connecting", "reconnecting 1/5", *UNDISTURBED_STATES]
    assert heard.statuses[1].error == FaultReport(FaultKind(kind), "It broke.", 503)
    assert case.source.resumes == [None, None]


@pytest.mark.parametrize("kind", ["auth", "quota", "bad_request", "unknown"])
async def test_what_will_not_pass_is_raised_at_once(kind: str) -> None:
    case = GuardedCase([Connected(), *chunks("Tea "), cut_fault(FaultKind(kind))])
    fault, heard = await case.fail()
    assert fault.kind == kind
    assert heard.text == "Tea "
    assert heard.states == UNDISTURBED_STATES
    assert case.announced[-1] is fault


async def test_a_refusal_ends_the_turn_and_nothing_else() -> None:
    heard = await GuardedCase([Connected(), *chunks("I "), cut_fault(FaultKind.REFUSED)]).hear()
    assert heard.finished.reason == "refused"


async def test_attempts_and_retries_are_counted_and_waits_announced_before_they_begin() -> None:
    case = GuardedCase(
        [cut_fault()], [cut_fault()], [cut_fault()], [cut_fault()], [cut_fault()], [cut_fault()]
    )
    fault, heard = await case.fail()
    assert fault.kind is FaultKind.NETWORK
    assert heard.waits == [1000, 2000, 4000, 8000, 16000]
    assert [status.attempt for status in heard.statuses] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert [s.retry for s in heard.statuses if s.state == "connecting"] == [0, 1, 2, 3, 4, 5]
    assert case.clock.time() == 1031.0


async def test_retry_after_is_the_floor_of_one_wait() -> None:
    case = GuardedCase(
        [cut_fault(FaultKind.RATE_LIMIT, retry_after=7.0)],
        [cut_fault()],
        [Connected(), *chunks(STORY), Finished()],
    )
    assert (await case.hear()).waits == [7150, 2000]


async def test_an_announced_reconnection_time_is_the_floor_of_all_waits() -> None:
    case = GuardedCase(
        [Connected(), KeepAlive(retry_after=5.0), cut_fault()],
        [cut_fault()],
        [Connected(), *chunks(STORY), Finished()],
    )
    assert (await case.hear()).waits == [5150, 5300]


async def test_a_retry_after_beyond_two_minutes_is_not_waited_for() -> None:
    fault, heard = await GuardedCase([cut_fault(FaultKind.RATE_LIMIT, status=429, retry_after=3600.0)]).fail()
    assert (fault.kind, fault.status, fault.retry_after) == (FaultKind.RATE_LIMIT, 429, 3600.0)
    assert fault.message == (
        "It broke. The server asks for a wait of 1 h; the limit is 2 min. Press 'r' to retry."
    )
    assert heard.states == ["connecting"]


async def test_a_wait_the_stream_itself_asked_for_is_reported_too() -> None:
    script = [Connected(), KeepAlive(retry_after=86400.0), *chunks("Tea "), cut_fault()]
    fault, _ = await GuardedCase(script).fail()
    assert "a wait of 24 h" in fault.message


async def test_recovered_is_said_once_and_only_after_reconnecting() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", ids=1), cut_fault()],
        [cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks("is ", "old.", ids=2), Finished()],
    )
    heard = await case.hear()
    assert [(s.attempt, s.recovered) for s in heard.statuses if s.state == "streaming"] == [
        (1, False),
        (3, True),
    ]


async def test_progress_of_200_characters_counts_retries_anew() -> None:
    long = [chunks("x" * 199 + str(n), ids=n) for n in range(8)]
    case = GuardedCase(
        *([Connected(StreamOrigin.CURSOR), *part, cut_fault()] for part in long),
        [Connected(StreamOrigin.CURSOR), Finished()],
    )
    heard = await case.hear()
    assert heard.waits == [1000] * 8
    assert len(heard.text) == 1600


# Where the next connection begins


async def test_behind_a_cursor_the_server_goes_on() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", "is ", ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks("older.", ids=3), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea is older."
    assert heard.states == RECOVERED_STATES
    assert case.source.resumes[1] == ResumePoint(1, Cursor("2"), "Tea is ")


@pytest.mark.parametrize("first", range(1, 7))
async def test_events_sent_again_are_not_shown_again(first: int) -> None:
    parts = ["ha ", "ha ", "ha ", "said ", "the ", "the ", "end"]
    case = GuardedCase(
        [Connected(), *chunks(*parts[:6], ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*parts[first - 1 :], ids=first), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "".join(parts)
    assert heard.states == RECOVERED_STATES


async def test_everything_sent_again_in_other_pieces_is_not_shown_again() -> None:
    case = GuardedCase(
        [Connected(), *chunks(*words()[:6], ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*STORY, ids=1), Finished()],
    )
    assert (await case.hear()).text == STORY


async def test_everything_sent_again_with_other_ids_is_not_shown_again() -> None:
    case = GuardedCase(
        [Connected(), *chunks(*words()[:9], ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*words(), ids=901), Finished()],
    )
    assert (await case.hear()).text == STORY


async def test_ids_that_repeat_lose_nothing() -> None:
    same = Cursor("7")
    case = GuardedCase(
        [Connected(), *(Chunk(word, cursor=same) for word in words()[:5]), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *(Chunk(word, cursor=same) for word in words()[5:]), Finished()],
    )
    heard = await case.hear()
    assert heard.text == STORY
    assert not heard.superseded


async def test_events_behind_the_last_id_are_sent_again_and_dropped() -> None:
    """Events without an id of their own carry the last one: the server goes on behind the one that had it."""
    first, second = Cursor("1"), Cursor("2")
    case = GuardedCase(
        [
            Connected(),
            Chunk("Tea ", cursor=first),
            Chunk("is ", cursor=first),
            Chunk("o", cursor=first),
            cut_fault(),
        ],
        [Connected(StreamOrigin.CURSOR), Chunk("is "), Chunk("older.", cursor=second), Finished()],
    )
    assert (await case.hear()).text == "Tea is older."


@pytest.mark.parametrize("anew", [["Coffee ", "is."], ["## **Coffee** ", "is."], ["Tea ", "was ", "first."]])
async def test_a_server_that_begins_its_ids_and_its_text_anew_supersedes(anew: list[str]) -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", "is ", ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*anew, ids=1), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "".join(anew)
    assert heard.superseded == 1


async def test_a_server_that_goes_on_but_counts_anew_is_taken_at_its_word() -> None:
    case = GuardedCase(
        [Connected(), *chunks(*words()[:4], ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*words()[4:8], ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks(*words()[8:], ids=1), Finished()],
    )
    heard = await case.hear()
    assert heard.text == STORY
    assert heard.superseded == 0


async def test_a_restart_drops_what_is_shown_already() -> None:
    case = GuardedCase(
        [Connected(), *chunks(*words()[:5]), cut_fault()], [Connected(), *chunks(*STORY), Finished()]
    )
    heard = await case.hear()
    assert heard.text == STORY
    assert heard.superseded == 0
    assert heard.states == RECOVERED_STATES


async def test_a_restart_that_differs_supersedes() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea is older."), cut_fault()],
        [Connected(), *chunks("Tea is ", "younger."), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea is younger."
    assert [type(item) for item in heard.items].count(Superseded) == 1
    assert Superseded(2) in heard.items
    assert heard.states == RECOVERED_STATES


async def test_a_restart_that_ends_earlier_supersedes() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea is older."), cut_fault()], [Connected(), *chunks("Tea is"), Finished()]
    )
    heard = await case.hear()
    assert heard.text == "Tea is"
    assert heard.superseded == 1


async def test_a_restart_with_nothing_to_say_keeps_the_text() -> None:
    case = GuardedCase([Connected(), *chunks("Tea is older."), cut_fault()], [Connected(), Finished()])
    assert (await case.hear()).text == "Tea is older."


async def test_reasoning_is_joined_like_the_answer() -> None:
    thought = chunks("Which ", "is ", "older?", reasoning=True)
    case = GuardedCase(
        [Connected(), *thought, *chunks("Tea "), cut_fault()],
        [Connected(), *thought, *chunks("Tea is."), Finished()],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text) == ("Which is older?", "Tea is.")
    assert heard.superseded == 0


async def test_other_thoughts_supersede_the_answer_too() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Which?", reasoning=True), *chunks("Tea"), cut_fault()],
        [Connected(), *chunks("Why?", reasoning=True), *chunks("Tea"), Finished()],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text) == ("Why?", "Tea")
    assert heard.superseded == 1


async def test_a_continuation_does_not_repeat_the_sentence_it_begins_with() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea is old. It keeps better in"), cut_fault()],
        [Connected(StreamOrigin.CONTINUATION), *chunks("It keeps ", "better in", " a storm."), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea is old. It keeps better in a storm."
    assert heard.states == RECOVERED_STATES


async def test_a_cursor_is_forgotten_when_another_answer_goes_on() -> None:
    case = GuardedCase(
        [Connected(), Chunk("Tea is older than", cursor=Cursor("4", "r1")), cut_fault()],
        [Connected(StreamOrigin.CONTINUATION), Chunk(" coffee"), cut_fault()],
        [Connected(StreamOrigin.CONTINUATION), Chunk("."), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea is older than coffee."
    assert case.source.resumes[2] == ResumePoint(2, None, "Tea is older than coffee")


async def test_two_faults_during_recovery_lose_nothing() -> None:
    case = GuardedCase(
        [Connected(), *chunks(*words()[:6]), cut_fault()],
        [Connected(), *chunks(*words()[:3]), cut_fault()],
        [Connected(), *chunks(*words()[:8]), cut_fault(FaultKind.OVERLOADED)],
        [Connected(), *chunks(*words()), Finished()],
    )
    heard = await case.hear()
    assert heard.text == STORY
    assert heard.states == [
        *(*UNDISTURBED_STATES, "reconnecting 1/5"),
        *("connecting", "connected", "reconnecting 2/5"),
        *(*UNDISTURBED_STATES, "reconnecting 3/5"),
        *UNDISTURBED_STATES,
    ]


async def test_a_turn_taken_up_again_counts_on_and_joins_its_text() -> None:
    case = GuardedCase([Connected(), *chunks(*words()), Finished()])
    heard = await case.hear(ResumePoint(3, None, "Tea is ", ""))
    assert heard.text == STORY.removeprefix("Tea is ")
    assert {status.attempt for status in heard.statuses} == {4}


async def test_a_cursor_taken_up_again_may_be_sent_once_more() -> None:
    case = GuardedCase([Connected(StreamOrigin.CURSOR), *chunks("is ", "older.", ids=2), Finished()])
    heard = await case.hear(ResumePoint(1, Cursor("2"), "Tea is "))
    assert heard.text == "older."
    assert heard.superseded == 0


# Answers without text


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([Finished()], "The answer had no text."),
        ([*chunks(" \n"), Finished()], "The answer had no text."),
        ([Finished(instead="a tool call")], "The answer had no text, only a tool call."),
        ([Finished(instead="only reasoning")], "The answer had no text, only reasoning."),
        ([*chunks("Hm.", reasoning=True), Finished("length")], "The answer had no text, only reasoning."),
        (
            [*chunks("Hm.", reasoning=True), Finished(instead="a tool call")],
            "The answer had no text, only a tool call.",
        ),
        (
            [*chunks("Hm.", ids=1, reasoning=True), UnmarkedEnd(vouched=True)],
            "The answer had no text, only reasoning.",
        ),
    ],
)
async def test_an_answer_without_text_is_requested_once_more(script: list[Step], message: str) -> None:
    again = [Connected(StreamOrigin.CURSOR), Finished()] if isinstance(script[-1], Fault) else None
    case = GuardedCase(
        [Connected(), *script], *([again] if again else []), [Connected(), *chunks(STORY), Finished()]
    )
    heard = await case.hear()
    assert (heard.text, heard.reasoning) == (STORY, "")
    error = next(status.error for status in heard.statuses if status.error)
    assert error.message == message
    last = case.source.resumes[-1]
    assert last is None or (last.cursor, last.text) == (None, "")

    if again is None:
        fault, heard = await GuardedCase(*[[Connected(), *script]] * 2).fail()
        assert (fault.kind, fault.message) == (FaultKind.UNKNOWN, message)
        assert [state for state in heard.states if state.startswith("reconnecting")] == ["reconnecting 1/5"]


async def test_a_refusal_needs_no_text() -> None:
    heard = await GuardedCase([Connected(), Finished("refused")]).hear()
    assert heard.finished.reason == "refused"


async def test_a_turn_that_has_text_already_may_end_without_more() -> None:
    case = GuardedCase([Connected(StreamOrigin.CURSOR), Finished()])
    assert (await case.hear(ResumePoint(1, Cursor("2"), "Tea."))).finished.reason == "complete"


# Text that turns out to be reasoning


async def test_text_before_a_closing_tag_is_delivered_again_as_reasoning() -> None:
    case = GuardedCase([Connected(), *chunks("Hm", ". "), Reclassified(), *chunks("Yes."), Finished()])
    heard = await case.hear()
    assert (heard.reasoning, heard.text, heard.superseded) == ("Hm. ", "Yes.", 1)
    assert heard.states == UNDISTURBED_STATES


async def test_text_of_an_earlier_connection_is_reasoning_too() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Hm, ", "tea? ", ids=1), cut_fault()],
        [
            Connected(StreamOrigin.CURSOR),
            *chunks("Well. ", ids=3),
            Reclassified(),
            *chunks("Yes.", ids=4),
            cut_fault(),
        ],
        [Connected(StreamOrigin.CURSOR), *chunks(" No.", ids=5), Finished()],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text, heard.superseded) == ("Hm, tea? Well. ", "Yes. No.", 1)
    assert case.source.resumes[2] == ResumePoint(2, Cursor("4"), "Yes.", "Hm, tea? Well. ")


async def test_a_continuation_that_thinks_aloud_keeps_the_answer() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea is older than cof"), cut_fault()],
        [
            Connected(StreamOrigin.CONTINUATION),
            *chunks("Where was I? "),
            Reclassified(),
            *chunks("coffee."),
            Finished(),
        ],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text) == ("Where was I? ", "Tea is older than coffee.")


async def test_a_restart_that_supersedes_and_thinks_aloud_counts_as_two_attempts() -> None:
    """Whoever folds the log takes two of the same attempt for one."""
    case = GuardedCase(
        [Connected(), *chunks("Tea "), cut_fault()],
        [Connected(), *chunks("Hm. "), Reclassified(), *chunks("Yes."), Finished()],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text) == ("Hm. ", "Yes.")
    assert [item for item in heard.items if isinstance(item, Superseded)] == [Superseded(2), Superseded(3)]


async def test_a_restart_held_back_whole_is_reasoning() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Hm, tea? "), cut_fault()],
        [Connected(), *chunks("Hm, "), Reclassified(), *chunks("Yes."), Finished()],
    )
    heard = await case.hear()
    assert (heard.reasoning, heard.text) == ("Hm, ", "Yes.")


# Silence


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([Stall(90)], "No answer within 90 s."),
        ([Connected(), Stall(90)], "No answer within 90 s."),
        ([Connected(), KeepAlive(), Stall(60)], "No data for 60 s."),
        ([Connected(), *chunks("Tea "), Stall(60)], "No data for 60 s."),
        (
            [Connected(), *chunks("Tea "), *([Pass(50), KeepAlive()] * 12), Stall(0)],
            "No text for 10 min, only keep-alives.",
        ),
    ],
)
async def test_silence_has_its_limits(script: list[Step], message: str) -> None:
    case = GuardedCase(script, [Connected(), *chunks("Tea "), Finished()])
    heard = await case.hear()
    assert heard.text == "Tea "
    broken = next(status for status in heard.statuses if status.state == "reconnecting")
    assert broken.error == FaultReport(FaultKind.TIMEOUT, message)


async def test_every_connection_has_its_own_limits() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea "), cut_fault()],
        [Stall(10)],
        [Connected(), *chunks("Tea "), Finished()],
        policy=RecoveryPolicy(first_byte_timeout=10.0),
    )
    heard = await case.hear()
    assert heard.text == "Tea "
    assert heard.states == [
        *UNDISTURBED_STATES,
        "reconnecting 1/5",
        "connecting",
        "reconnecting 2/5",
        "connecting",
        "connected",
    ]


@pytest.mark.parametrize(
    "script",
    [
        [Pass(89), *chunks("Tea ")],
        [KeepAlive(), *([Pass(59), KeepAlive()] * 9), *chunks("Tea "), Pass(59)],
        [
            *chunks("Te"),
            *([Pass(59), KeepAlive()] * 10),
            Pass(9),
            *chunks("a "),
            *([Pass(59), KeepAlive()] * 10),
        ],
    ],
)
async def test_signs_of_life_and_text_defer_the_limits(script: list[Step]) -> None:
    case = GuardedCase([Connected(), *script, Finished()])
    heard = await case.hear()
    assert heard.text == "Tea "
    assert heard.states == UNDISTURBED_STATES


async def test_time_in_which_nobody_asks_does_not_count() -> None:
    case = GuardedCase([Connected(), *chunks(*words()), Finished()])
    heard = RecoveredOutput()
    async with case.guarded.open(REQUEST) as items:
        async for item in items:
            heard.take(item)
            case.clock.advance(10_000)
    assert heard.text == STORY
    assert heard.states == UNDISTURBED_STATES


async def test_time_in_which_reading_is_paused_does_not_count() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea "), Stall(3000)], [Connected(), *chunks("Tea "), Finished()]
    )
    case.held = True
    hearing = asyncio.create_task(case.hear())
    while case.clock.time() < 4000:
        await asyncio.sleep(0)
    assert case.source.opened == 1
    case.held = False
    case.clock.advance(58)
    await asyncio.sleep(0)
    assert case.source.opened == 1
    case.clock.advance(3)
    assert (await hearing).text == "Tea "
    assert case.source.opened == 2


async def test_cancelling_the_reader_is_no_timeout() -> None:
    case = GuardedCase([Connected(), *chunks("Tea "), asyncio.Event()])
    hearing = asyncio.create_task(case.hear())
    while case.source.opened == 0:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    hearing.cancel()
    case.clock.advance(60)
    with pytest.raises(asyncio.CancelledError):
        await hearing
    assert case.source.closed == 1
    assert case.clock.armed == 0


async def test_a_reader_that_leaves_while_waiting_leaves_nothing_behind() -> None:
    case = GuardedCase([cut_fault()])
    async with case.guarded.open(REQUEST) as items:
        async for item in items:
            if "reconnecting" in str(item):
                break
    assert case.source.closed == 1
    assert case.clock.armed == 0


# Accounts, and what is told


async def test_broken_connections_are_paid_for_too() -> None:
    case = GuardedCase(
        [Connected(), UsageUpdate(Usage(10, 1)), *chunks("Tea "), UsageUpdate(Usage(None, 5)), cut_fault()],
        [Connected(StreamOrigin.CONTINUATION), *chunks("is."), Finished("complete", Usage(14, 3, 2))],
    )
    heard = await case.hear()
    assert heard.finished.usage == Usage(24, 8, 2)
    assert [item.usage for item in heard.items if isinstance(item, UsageUpdate)] == [
        Usage(10, 1),
        Usage(10, 5),
    ]


async def test_an_answer_resumed_behind_its_cursor_is_paid_for_once() -> None:
    case = GuardedCase(
        [Connected(), UsageUpdate(Usage(10, 1)), *chunks("Tea ", ids=1), cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks("is.", ids=2), Finished("complete", Usage(None, 7))],
    )
    assert (await case.hear()).finished.usage == Usage(10, 7)


async def test_a_source_that_runs_dry_is_a_cut() -> None:
    case = GuardedCase([Connected(), *chunks("Tea ", ids=1)], [Connected(StreamOrigin.CURSOR), Finished()])
    heard = await case.hear()
    assert heard.statuses[3].error == FaultReport(
        FaultKind.NETWORK, "The stream ended before the answer was complete."
    )


async def test_citations_pass_through_before_the_text_they_come_with() -> None:
    tea, milk = Citation("https://tea.example"), Citation("https://milk.example")
    case = GuardedCase(
        [Connected(), CitationsUpdate((tea,)), *chunks(STORY[:30]), cut_fault()],
        [
            Connected(StreamOrigin.CONTINUATION),
            CitationsUpdate((milk,)),
            *chunks(STORY[30:]),
            Finished(citations=(milk,)),
        ],
    )
    heard = await case.hear()
    kept = [item for item in heard.items if isinstance(item, CitationsUpdate | StateChange)]
    reconnected = next(place for place, item in enumerate(kept) if getattr(item, "attempt", 0) == 2)
    assert CitationsUpdate((tea,)) in kept[:reconnected]
    assert CitationsUpdate((milk,)) in kept[reconnected:]
    assert heard.finished.citations == (milk,)
