"""Plain output says everything that happened, in words, and in the order of ending."""

from __future__ import annotations

import io
import os
import textwrap
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.display.output import OutputWriter
from debate_tui.display.plain import PlainFormatter, write_plain
from debate_tui.domain import events
from debate_tui.domain.stream import Citation, FaultKind, FaultReport
from debate_tui.record.log import MemoryLog

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason, StreamState

ADA = events.DebaterInfo("a", "Ada", "for", "openai:gpt-5.2", "gpt-5.2")
BEN = events.DebaterInfo("b", "Ben", "against", "http://127.0.0.1:1/", "")
OPENED = events.DebateStarted(debate="1", topic="Ban\x1b[2J cars?", format="oxford", debaters=(ADA, BEN))


def started(turn: int, debater: str) -> events.TurnStarted:
    return events.TurnStarted(turn=turn, debater=debater, phase="opening")


def delta(turn: int, text: str, offset: int = 0, *, reasoning: bool = False) -> events.TurnDelta:
    return events.TurnDelta(
        turn=turn, debater="ab"[turn % 2 - 1], attempt=1, offset=offset, text=text, reasoning=reasoning
    )


def finished(turn: int, debater: str, reason: FinishReason = "complete") -> events.TurnFinished:
    return events.TurnFinished(turn=turn, debater=debater, reason=reason)


def quoting(turn: int, debater: str) -> list[events.Event]:
    """A turn with a true and a false quote, and with sources."""
    said = "\x1b[1mSo “one two three” and “four five six”."
    marks = (
        events.Quote("one two three", 7, 22, found=True),
        events.Quote("four five six", 27, 42, found=False),
    )
    cited = (Citation("https://example.com/a", "A page"), Citation("ftp://example.com", "A file"))
    return [
        started(turn, debater),
        delta(turn, said),
        replace(finished(turn, debater), quotes=marks, citations=cited),
    ]


def status(debater: str, state: StreamState, error: str = "") -> events.StreamStatus:
    report = FaultReport(FaultKind.NETWORK, error) if error else None
    return events.StreamStatus(debater=debater, state=state, attempt=1, error=report)


async def log_of(*happened: events.Event) -> MemoryLog:
    log = MemoryLog()
    for event in happened:
        log.append(event)
    await log.aclose()
    return log


async def written_output(
    *happened: events.Event, notice: str = "", encoding: str = "utf-8"
) -> tuple[str, str]:
    log = await log_of(*happened)
    files = io.BytesIO(), io.BytesIO()
    with OutputWriter(files[0], encoding) as out, OutputWriter(files[1], encoding) as err:
        assert await write_plain(log.follow(), out, err, notice=notice)
    return files[0].getvalue().decode(encoding), files[1].getvalue().decode(encoding)


async def test_a_debate_reads_from_top_to_bottom() -> None:
    out, err = await written_output(
        OPENED,
        events.PhaseStarted(phase="opening", round=1, rounds=1),
        started(1, "a"),
        started(2, "b"),
        status("a", "streaming"),
        delta(1, "thinking", reasoning=True),
        delta(1, "Cars\x1b[31"),
        delta(2, "No.\n\n"),
        finished(2, "b", "length"),
        delta(1, "m are **bad**.", 8),
        finished(1, "a"),
        events.PhaseStarted(phase="rebuttal", round=2, rounds=3),
        events.Interjection(text="Be brief.\x07", to=None),
        events.Interjection(text="You too.", to="b"),
        events.DebaterReplaced(debater="b", reason="user", remaining=("a", "b"), source="demo", model="demo"),
        events.DebaterRemoved(debater="b", reason="no\nmoney", remaining=("a",)),
        events.DebaterReturned(debater="b", reason="user", remaining=("a", "b"), source="demo", model="demo"),
        events.DebateFinished(reason="complete"),
        notice="This is scripted.",
    )
    assert out == textwrap.dedent(
        """\
        # Ban cars?

        Format: oxford. The debaters:
        - Ada (for): gpt-5.2
        - Ben (against): http://127.0.0.1:1/

        This is scripted.

        ## Opening

        ### Ben (against)

        No.

        (cut off at the length limit)

        ### Ada (for)

        Cars are **bad**.

        ## Rebuttal, round 2 of 3

        The moderator, to everyone: Be brief.

        The moderator, to Ben: You too.

        Ben switched to demo

        Ben left the debate: no money

        Ben returned to the debate

        The debate is over.
        """
    )
    assert err == "Ada: streaming\n"


async def test_statuses_go_to_standard_error_once_each() -> None:
    out, err = await written_output(
        OPENED,
        status("a", "waiting"),
        status("a", "connecting"),
        status("a", "connecting"),
        events.StreamStatus(
            debater="a",
            state="reconnecting",
            attempt=1,
            retry=2,
            max_retries=5,
            retry_in_ms=3200,
            error=FaultReport(FaultKind.NETWORK, "reset\x1b[1m by\npeer"),
        ),
        events.StreamStatus(debater="a", state="streaming", attempt=2, recovered=True),
        events.DebatePaused(reason="user", debater=None),
        events.DebateResumed(reason="user", debater=None),
        events.DebatePaused(reason="user", debater="b"),
        events.DebatePaused(reason="wrong key", debater="b"),
        status("b", "failed", "wrong key"),
        events.DebateFinished(reason="failed"),
    )
    assert err.splitlines() == [
        "Ada: connecting",
        "Ada: reconnecting, retry 2 of 5 in 3.2 s: reset by peer",
        "Ada: streaming again",
        "The debate is paused.",
        "The debate is resumed.",
        "Ben is paused.",
        "The debate is paused (Ben): wrong key",
        "Ben: failed: wrong key",
    ]
    assert out.endswith("The debate failed: no turn was completed.\n")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("refused", "(refused to answer)"),
        ("stopped", "(stopped early)"),
        ("skipped", "(skipped)"),
        ("failed", "(failed: connection reset)"),
    ],
)
async def test_how_a_turn_ended_is_said(reason: FinishReason, words: str) -> None:
    out, _ = await written_output(
        OPENED, started(1, "a"), status("a", "failed", "connection reset"), finished(1, "a", reason)
    )
    assert f"### Ada (for)\n\n(no text)\n\n{words}\n" in out


async def test_what_a_broken_off_record_holds_is_said() -> None:
    out, _ = await written_output(OPENED, started(1, "a"), started(2, "b"), delta(1, "Cars"))
    assert out.endswith(
        "### Ada (for)\n\nCars\n\n(unfinished)\n\nThe record ends here; the debate was not finished.\n"
    )
    assert "### Ben" not in out


async def test_a_stopped_debate_says_so() -> None:
    out, _ = await written_output(OPENED, events.DebateFinished(reason="stopped"))
    assert out.endswith("\n\nThe debate was stopped.\n")


async def test_an_empty_log_says_nothing() -> None:
    assert await written_output() == ("", "")


def test_duplicate_events_are_printed_once() -> None:
    plain = PlainFormatter()
    event = events.Interjection(seq=1, text="once", to=None)
    assert [said.text for said in [*plain.apply(event), *plain.apply(event)]] == [
        "The moderator, to everyone: once"
    ]


async def test_a_narrow_encoding_does_not_crash() -> None:
    out, _ = await written_output(
        OPENED, started(1, "a"), delta(1, "“漢字”"), finished(1, "a"), encoding="ascii"
    )
    assert "\n\n????\n\n" in out


@pytest.mark.parametrize("gone", ["out", "err"])
async def test_only_the_reader_of_standard_output_is_missed(gone: str) -> None:
    log = await log_of(OPENED, status("a", "connecting"), status("a", "failed"))
    reading, writing = os.pipe()
    os.close(reading)
    with io.FileIO(writing, "wb") as pipe, OutputWriter(pipe) as broken, OutputWriter(io.BytesIO()) as other:
        out, err = (broken, other) if gone == "out" else (other, broken)
        assert await write_plain(log.follow(), out, err) is (gone == "err")


async def test_quotes_are_marked_in_words_and_sources_follow() -> None:
    out, _ = await written_output(OPENED, *quoting(1, "a"))
    assert (
        "So “one two three” [found] and “four five six” [not found].\n\n"
        "Sources:\n[1] A page: https://example.com/a\n[2] A file\n" in out
    )
