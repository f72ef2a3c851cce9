"""JSON lines hold exactly the log, and nothing that acts on a terminal."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.json_lines import encode_line, write_json_lines
from debate_tui.display.output import OutputWriter
from debate_tui.domain import events
from debate_tui.record.log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

HARMFUL = {*map(chr, [*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0)])}
HARMFUL |= {*map(chr, [*range(0x2028, 0x202F), *range(0x2066, 0x206A)])}


def json_delta(text: str, offset: int = 0) -> events.TurnDelta:
    return events.TurnDelta(seq=1, at=0.5, turn=1, debater="a", attempt=1, offset=offset, text=text)


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(sorted(HARMFUL))))
def test_a_line_is_harmless_and_decodes_to_the_exact_event(text: str) -> None:
    written = encode_line(json_delta(text))
    assert events.event_from_json(written) == json_delta(text)
    assert json.loads(written)["text"] == text
    shown = written.decode()
    assert not HARMFUL.intersection(shown)
    assert shown.splitlines() == [shown[:-1]]


def test_controls_are_written_as_escapes_and_other_text_as_it_is() -> None:
    written = encode_line(json_delta("\x7f\x9b\u202e\u2066\u2028 é漢👩‍👩‍👧")).decode()
    assert "\\u007f\\u009b\\u202e\\u2066\\u2028 é漢👩‍👩‍👧" in written


async def test_all_events_are_written_until_the_debate_is_over() -> None:
    log = MemoryLog()
    for offset, text in enumerate("abc"):
        log.append(json_delta(text, offset))
    log.append(events.DebateFinished(reason="complete"))
    file = io.BytesIO()
    with OutputWriter(file) as out:
        assert await write_json_lines(log.follow(), out)
    assert [events.event_from_json(row) for row in file.getvalue().splitlines()] == await log.read()


async def test_events_are_written_as_they_happen() -> None:
    log, file = MemoryLog(), io.BytesIO()
    written: list[int] = []

    async def batches() -> AsyncIterator[Sequence[events.Event]]:
        for text in "abc":
            yield [log.append(json_delta(text))]
            written.append(file.getvalue().count(b"\n"))

    with OutputWriter(file) as out:
        assert await write_json_lines(batches(), out)
    assert written == [1, 2, 3]


async def test_a_reader_that_has_gone_ends_the_output_quietly() -> None:
    log = MemoryLog()
    log.append(json_delta("a"))
    reading, writing = os.pipe()
    os.close(reading)
    with io.FileIO(writing, "wb") as pipe, OutputWriter(pipe) as out:
        assert not await write_json_lines(log.follow(), out)
