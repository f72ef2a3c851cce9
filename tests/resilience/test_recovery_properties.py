"""For any script of chunks, cuts at any byte, restarts and resumes, the final text is the sender's text.

The sender writes server-sent events as bytes; they are cut anywhere, read by the decoder of the remote
endpoints and guarded. Senders differ in their ids and in how they take a `Last-Event-ID`.
"""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debate_tui.domain.stream import Connected, Fault, FaultKind, RecoveryPolicy, StreamOrigin
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.payloads import detect
from debate_tui.sources.sse_parser import parse_sse
from tests.fakes.scripted_source import ManualClock, read_recovered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import Resume, StreamItem, TurnRequest


class Piece(NamedTuple):
    text: str
    reasoning: bool


class ScriptedSender(NamedTuple):
    """What is to be said, in which events, and how a reconnection is answered."""

    pieces: tuple[Piece, ...]
    ids_every: int
    """0 without ids; n for an id on every n-th event only."""
    honours_ids: bool
    replays: int
    """How many events too many are sent behind the id that was asked for."""
    batches: int
    """How many pieces go into one event."""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if not piece.reasoning)

    @property
    def reasoning(self) -> str:
        return "".join(piece.text for piece in self.pieces if piece.reasoning)

    def wire(self, last_id: str) -> list[bytes]:
        """The events behind `last_id`, the last of them saying that it is done."""
        groups = [self.pieces[at : at + self.batches] for at in range(0, len(self.pieces), self.batches)]
        first = int(last_id) if self.honours_ids and last_id else 0
        first = max(0, first - self.replays) if first else 0
        sent = [self._event(number, group) for number, group in enumerate(groups, 1) if number > first]
        return [*sent, b"event: done\ndata:\n\n"]

    def _event(self, number: int, group: tuple[Piece, ...]) -> bytes:
        chunks = [{"delta": piece.text, "reasoning": piece.reasoning} for piece in group]
        data = chunks[0] if len(chunks) == 1 else {"type": "batch", "chunks": chunks}
        has_id = self.ids_every and number % self.ids_every == 0
        head = f"id: {number}\n" if has_id else ""
        return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class CutSource:
    """Reads a sender whose n-th connection is cut behind the n-th number of bytes."""

    def __init__(self, sender: ScriptedSender, cuts: list[int], read: int) -> None:
        self.model = "cut"
        self._sender = sender
        self._cuts = list(cuts)
        self._read = read

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        cursor = resume.cursor if resume and resume.cursor and resume.cursor.position else None
        wire = b"".join(self._sender.wire(cursor.position if cursor else ""))
        cut = self._cuts.pop(0) if self._cuts else None
        body = self._body(wire if cut is None else wire[: cut % len(wire)], broken=cut is not None)

        async def items() -> AsyncIterator[StreamItem]:
            yield Connected(StreamOrigin.CURSOR if cursor else StreamOrigin.START)
            async with aclosing(
                detect.decode_endpoint_stream(parse_sse(body), cursor, lambda: True)
            ) as stream:
                async for item in stream:
                    yield item

        yield items()

    async def _body(self, data: bytes, *, broken: bool) -> AsyncIterator[bytes]:
        for at in range(0, len(data), self._read):
            yield data[at : at + self._read]
        if broken:
            raise Fault(FaultKind.NETWORK, "connection reset")

    async def aclose(self) -> None:
        pass


texts = st.one_of(
    st.text(min_size=1, max_size=12),
    st.text("ab \n", min_size=1, max_size=6),
    st.sampled_from(["the ", "very ", "no, ", "ha", "🙂", "é", "e\u0301", "茶", "\n\n"]),
)
pieces = st.lists(st.builds(Piece, texts, st.booleans()), min_size=1, max_size=14).map(tuple)
senders = st.one_of(
    st.builds(ScriptedSender, pieces, st.just(0), st.just(False), st.just(0), st.integers(1, 3)),
    st.builds(ScriptedSender, pieces, st.just(1), st.just(True), st.integers(0, 4), st.integers(1, 3)),
    st.builds(ScriptedSender, pieces, st.just(1), st.just(False), st.just(0), st.integers(1, 3)),
    st.builds(ScriptedSender, pieces, st.integers(2, 3), st.just(True), st.just(0), st.integers(1, 3)),
)


@given(senders, st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from([1, 7, 4096]))
@settings(max_examples=300)
async def test_the_final_text_is_the_senders_text(sender: ScriptedSender, cuts: list[int], read: int) -> None:
    clock = ManualClock()
    policy = RecoveryPolicy(max_retries=len(cuts))
    source = RecoveringSource(CutSource(sender, cuts, read), policy, clock=clock)
    if not sender.text.strip():
        with pytest.raises(Fault, match="The answer had no text"):
            await read_recovered(source, clock)
        return
    heard = await read_recovered(source, clock)
    assert (heard.text, heard.reasoning) == (sender.text, sender.reasoning)
    assert heard.superseded == 0
    assert clock.armed == 0
