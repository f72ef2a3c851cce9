"""The log file: one dated line for everything that happens to a stream, and no secret in any."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events
from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import Chunk, Connected, Cursor, Fault, FaultKind, Finished, StreamOrigin, Usage
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.resilience.stream_log import StreamLog
from tests.fakes.scripted_source import ManualClock, ScriptedSource, read_recovered

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError


async def test_a_broken_stream_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "streams.log"
    clock = ManualClock()
    source = ScriptedSource(
        [
            Connected(transport="HTTP/1.1", reused=False),
            Chunk("Tea ", cursor=Cursor("1")),
            Chunk("is ", cursor=Cursor("2")),
            Fault(FaultKind.OVERLOADED, "Busy.\nTry later.", status=529),
        ],
        [
            Connected(StreamOrigin.CURSOR, "HTTP/1.1", True),
            Chunk("is ", cursor=Cursor("2")),
            Chunk("old.", cursor=Cursor("3")),
            Finished("complete", Usage(10, 4)),
        ],
    )
    log = StreamLog(file, now=lambda: 1763791200.123)
    log.record_event(
        events.DebateStarted(
            debate="d1",
            topic="Tea?",
            format="oxford",
            debaters=(events.DebaterInfo("a", "Ada", "for", "demo", "demo"),),
        )
    )
    log.record_event(events.TurnStarted(turn=1, debater="a", phase="opening"))
    await read_recovered(
        RecoveringSource(source, clock=clock, random=lambda: 0.5, announce=log.announcer_for("a")),
        clock,
    )
    log.record_event(events.DebaterRemoved(debater="a", reason="Too tired.", remaining=()))
    log.close()
    assert file.read_text("utf-8").splitlines() == [
        f"2025-11-22T06:00:00.123Z {line}"
        for line in (
            "debate d1 started: Tea?",
            "Ada: turn 1 (opening)",
            "Ada: attempt 1: connecting",
            "Ada: connected (HTTP/1.1, new), from the start",
            "Ada: streaming",
            "Ada: attempt 1 failed: overloaded (status 529): Busy. Try later.; retry 1/5 in 1 s",
            "Ada: attempt 2: connecting",
            "Ada: connected (HTTP/1.1, reused), after the last event",
            "Ada: dropped 3 repeated characters",
            "Ada: streaming again",
            "Ada: finished: complete (tokens: 10 in, 4 out)",
            "Ada: removed: Too tired.",
        )
    ]


async def test_giving_up_is_told_too(tmp_path: Path) -> None:
    file, clock = tmp_path / "streams.log", ManualClock()
    log = StreamLog(file)
    source = ScriptedSource([Fault(FaultKind.AUTH, "Wrong key.", status=401)])
    with pytest.raises(Fault):
        await read_recovered(RecoveringSource(source, clock=clock, announce=log.announcer_for("a")), clock)
    log.close()
    assert file.read_text("utf-8").endswith("Z a: gave up: auth (status 401): Wrong key.\n")


def test_an_older_log_is_written_on(tmp_path: Path) -> None:
    file = tmp_path / "streams.log"
    for number in (1, 2):
        log = StreamLog(file)
        log.record_event(events.TurnStarted(turn=number, debater="a", phase="opening"))
        log.close()
    assert [line.split("turn ")[1] for line in file.read_text("utf-8").splitlines()] == [
        "1 (opening)",
        "2 (opening)",
    ]


def test_a_file_that_cannot_be_written_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot write .*: No such file or directory"):
        StreamLog(tmp_path / "missing" / "streams.log")


def test_a_new_log_is_for_its_owner_alone_and_an_older_one_stays_as_it_is(tmp_path: Path) -> None:
    new, old = tmp_path / "new.log", tmp_path / "old.log"
    old.touch(0o644)
    for file in (new, old):
        StreamLog(file).close()
    assert [stat.S_IMODE(file.stat().st_mode) for file in (new, old)] == [0o600, 0o644]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_log_that_cannot_be_written_on_is_said_once_when_it_is_closed() -> None:
    troubles: list[DebateError] = []
    log = StreamLog(Path("/dev/full"), on_error=troubles.append)
    for turn in (1, 2):
        log.record_event(events.TurnStarted(turn=turn, debater="a", phase="opening"))
    assert troubles == []
    log.close()
    assert [str(trouble) for trouble in troubles] == [
        "The log /dev/full is not complete: No space left on device."
    ]


def test_names_cannot_forge_lines_or_colours(tmp_path: Path) -> None:
    file = tmp_path / "streams.log"
    log = StreamLog(file, now=lambda: 0.0)
    names = (
        "A\n1970-01-01T00:00:00.000Z B: forged",
        "B\x1b[31m\x1b]0;title\x07\u202e",
        "sk-0123456789abcdef",
    )
    for place, name in enumerate(names):
        info = events.DebaterInfo(str(place), name, "", "", "")
        log.record_event(events.DebateStarted(debate="d", topic="T", format="f", debaters=(info,)))
        log.record_event(events.DebaterRemoved(debater=str(place), reason="r", remaining=()))
    log.close()
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) == 2 * len(names)
    assert lines[1] == "1970-01-01T00:00:00.000Z A 1970-01-01T00:00:00.000Z B: forged: removed: r"
    assert lines[3] == "1970-01-01T00:00:00.000Z B: removed: r"
    assert lines[5] == "1970-01-01T00:00:00.000Z …: removed: r"


def test_the_log_of_a_blind_debate_has_ids_and_no_sources(tmp_path: Path) -> None:
    file = tmp_path / "streams.log"
    log = StreamLog(file, now=lambda: 1763791200.123)
    masked = events.DebaterInfo("d1", "A", "for", "", "")
    log.record_event(
        events.DebateStarted(debate="d", topic="Tea?", format="oxford", debaters=(masked,), blind=True)
    )
    log.record_event(events.TurnStarted(turn=1, debater="d1", phase="opening"))
    log.record_event(events.DebaterReplaced(debater="d1", reason="user", remaining=(), source="", model=""))
    log.record_event(events.DebaterReturned(debater="d1", reason="user", remaining=(), source="", model=""))
    log.close()
    assert [line.partition(" ")[2] for line in file.read_text("utf-8").splitlines()] == [
        "debate d started: Tea?",
        "d1: turn 1 (opening)",
        "d1: replaced by another source",
        "d1: returned",
    ]
