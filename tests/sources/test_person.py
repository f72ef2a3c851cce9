"""Debaters for whom a person writes: the stream of a turn, its draft, and how long it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from debate_tui import config
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Finished,
    ResumePoint,
    StateChange,
    TurnRequest,
)
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.person import PersonSource, TurnDraft
from tests.fakes.scripted_source import ManualClock

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from debate_tui.domain.stream import Source, StreamItem

REQUEST = TurnRequest("Tea?", "opening", 3, ())


class Writer:
    """A person who begins with what is there, adds `text`, and sends it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[str] = []

    async def __call__(self, debater: str, request: TurnRequest, draft: TurnDraft) -> str:
        assert (debater, request) == ("d1", REQUEST)
        self.found.append(draft.text)
        draft.text += self.text
        draft.save()
        return draft.text


async def read(source: Source, resume: ResumePoint | None = None) -> list[StreamItem]:
    async with source.open(REQUEST, resume) as stream:
        return [item async for item in stream]


async def test_text_comes_whole_and_its_draft_goes(tmp_path: Path) -> None:
    file = tmp_path / "d-3.txt"
    writer = Writer("Tea is calm. " * 1000)
    source = PersonSource("d1", writer, lambda _: TurnDraft(file, config.write_private_file))
    connected, *chunks, finished = await read(source)
    assert isinstance(connected, Connected)
    assert connected.untimed
    assert "".join(each.text for each in chunks if isinstance(each, Chunk)) == writer.text
    assert finished == Finished()
    assert not file.exists()


async def test_draft_stays_until_the_text_was_taken(tmp_path: Path) -> None:
    file = tmp_path / "d-3.txt"
    source = PersonSource("d1", Writer("Tea."), lambda _: TurnDraft(file, config.write_private_file))
    async with source.open(REQUEST) as stream:
        items = [await anext(stream), await anext(stream)]
        assert items[-1] == Chunk("Tea.")
        assert file.read_text() == "Tea."
    assert file.exists(), "the text may not have been recorded"


async def test_retried_turn_begins_with_what_was_sent() -> None:
    writer = Writer("Tea.")
    source = PersonSource("d1", writer, lambda _: TurnDraft())
    await read(source)
    await read(source)
    assert writer.found == ["", "Tea."]


async def test_turn_without_a_draft_resumes_with_what_is_recorded() -> None:
    writer = Writer("!")
    source = PersonSource("d1", writer, lambda _: TurnDraft())
    items = await read(RecoveringSource(source), ResumePoint(1, None, "Tea is calm, and cheap"))
    assert writer.found == ["Tea is calm, and cheap"]
    assert "".join(each.text for each in items if isinstance(each, Chunk)) == "!"


async def test_hostile_draft_is_cleaned(tmp_path: Path) -> None:
    file = tmp_path / "d-3.txt"
    file.write_bytes(b"\x1b[2Jcaf\xc3\xa9 \xff\x00")
    assert TurnDraft(file).text == "café \ufffd"


def test_empty_draft_has_no_file(tmp_path: Path) -> None:
    draft = TurnDraft(tmp_path / "d-3.txt", config.write_private_file)
    draft.text = "a"
    draft.save()
    draft.text = ""
    draft.save()
    assert [*tmp_path.glob("*.txt")] == []
    draft.discard()


async def test_no_timeout_applies() -> None:
    clock = ManualClock()

    async def think(_debater: str, _request: TurnRequest, _draft: TurnDraft) -> str:
        clock.advance(7 * 24 * 3600)
        return "Tea."

    person = PersonSource("d1", think, lambda _: TurnDraft())
    items = await read(RecoveringSource(person, clock=cast("asyncio.AbstractEventLoop", clock)))
    states = [each.state for each in items if isinstance(each, StateChange)]
    assert states == ["connecting", "connected", "streaming"]
