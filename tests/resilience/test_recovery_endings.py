"""Ends that may be cuts: what is requested again, and when an answer is complete."""

from __future__ import annotations

import pytest

from debate_tui.domain.stream import (
    Connected,
    FaultKind,
    Finished,
    StreamOrigin,
    UnmarkedEnd,
)
from tests.fakes.scripted_source import (
    Stall,
    Step,
)
from tests.resilience.guarded_case import GuardedCase, chunks, cut_fault
from tests.resilience.parallel_streams import UNDISTURBED_STATES


async def test_asked_for_more_nothing_more_is_complete() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea.", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea."
    assert heard.finished.reason == "complete"
    assert heard.states == [*UNDISTURBED_STATES, "connecting", "connected"]


async def test_asked_for_more_an_orderly_end_is_complete() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea.", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), UnmarkedEnd(vouched=True)],
    )
    assert (await case.hear()).finished.reason == "complete"


async def test_asked_for_more_the_same_again_is_complete() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", "is.", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), *chunks("Tea ", "is.", ids=1), UnmarkedEnd(vouched=True)],
    )
    assert (await case.hear()).text == "Tea is."


async def test_asked_for_more_another_text_is_not_taken() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", "is.", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), *chunks("or ", "is it?", ids=1)],
    )
    heard = await case.hear()
    assert heard.text == "Tea is."
    assert heard.superseded == 0


async def test_asked_for_more_the_same_again_with_other_ids_is_complete() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea.", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), *chunks("T", "ea.", ids=901), UnmarkedEnd(vouched=True)],
    )
    assert (await case.hear()).text == "Tea."


async def test_a_source_that_keeps_inventing_text_is_asked_no_more() -> None:
    case = GuardedCase(
        *(
            [Connected(StreamOrigin.CURSOR), *chunks(f"No {n}. ", ids=n), UnmarkedEnd(vouched=True)]
            for n in range(99)
        )
    )
    heard = await case.hear()
    assert heard.text == "".join(f"No {n}. " for n in range(21))
    assert heard.finished.reason == "complete"


async def test_asked_for_more_more_is_taken_and_asked_for_again() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", ids=1), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), *chunks("is ", ids=2), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), *chunks("old.", ids=3), UnmarkedEnd(vouched=True)],
        [Connected(StreamOrigin.CURSOR), UnmarkedEnd(vouched=True)],
    )
    heard = await case.hear()
    assert heard.text == "Tea is old."
    assert heard.waits == []


@pytest.mark.parametrize(
    "answer", [[cut_fault(FaultKind.BAD_REQUEST)], [Connected(StreamOrigin.CURSOR), Stall(90)]]
)
async def test_asked_for_more_a_refusal_or_silence_is_complete(answer: list[Step]) -> None:
    case = GuardedCase([Connected(), *chunks("Tea.", ids=1), UnmarkedEnd(vouched=True)], answer)
    heard = await case.hear()
    assert heard.text == "Tea."
    assert heard.finished.reason == "complete"


async def test_asked_for_more_a_broken_connection_is_asked_again() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", ids=1), UnmarkedEnd(vouched=True)],
        [cut_fault()],
        [Connected(StreamOrigin.CURSOR), *chunks("is.", ids=2), Finished()],
    )
    heard = await case.hear()
    assert heard.text == "Tea is."
    assert heard.waits == [1000]


async def test_where_only_closing_ends_the_same_text_twice_is_complete() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea ", "is."), UnmarkedEnd(vouched=False)],
        [Connected(), *chunks("Tea is."), UnmarkedEnd(vouched=False)],
    )
    heard = await case.hear()
    assert heard.text == "Tea is."
    assert heard.states == [*UNDISTURBED_STATES, "reconnecting 1/5", "connecting", "connected"]


async def test_where_only_closing_ends_less_or_more_text_is_a_cut() -> None:
    case = GuardedCase(
        [Connected(), *chunks("Tea "), UnmarkedEnd(vouched=False)],
        [Connected(), *chunks("Tea is "), UnmarkedEnd(vouched=False)],
        [Connected(), *chunks("Tea"), UnmarkedEnd(vouched=False)],
        [Connected(), *chunks("Tea is old."), UnmarkedEnd(vouched=False)],
        [Connected(), *chunks("Tea is old."), UnmarkedEnd(vouched=False)],
    )
    assert (await case.hear()).text == "Tea is old."


async def test_a_stream_that_never_says_the_same_twice_is_given_up() -> None:
    case = GuardedCase(*([Connected(), *chunks(f"Tea {n}."), UnmarkedEnd(vouched=False)] for n in range(6)))
    fault, heard = await case.fail()
    assert isinstance(fault, UnmarkedEnd)
    assert len(heard.waits) == 5
