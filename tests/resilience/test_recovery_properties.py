"""For any script of chunks, cuts at any byte, restarts and resumes, the final text is the sender's text.

The sender writes server-sent events as bytes; they are cut anywhere, read by the decoder of the remote
endpoints and guarded. Senders differ in their ids and in how they take a `Last-Event-ID`.
"""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Fault,
    FaultKind,
    Finished,
    RecoveryPolicy,
    StreamOrigin,
)
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.payloads.detect import EndpointDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.reasoning_tags import ReasoningTagSource
from debate_tui.sources.resumable import ByteCountingParser, ByteCursorChatDecoder
from debate_tui.sources.sse_parser import parse_sse
from tests.fakes.provider_server import chat_events, event, responses_events
from tests.fakes.scripted_source import ManualClock, read_recovered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from httpx_sse import ServerSentEvent

    from debate_tui.domain.stream import Cursor, KeepAlive, ResumePoint, StreamItem, TurnRequest


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
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        cursor = resume.cursor if resume and resume.cursor and resume.cursor.position else None
        wire = b"".join(self._sender.wire(cursor.position if cursor else ""))
        cut = self._cuts.pop(0) if self._cuts else None
        body = self._body(wire if cut is None else wire[: cut % len(wire)], broken=cut is not None)
        connected = Connected(StreamOrigin.CURSOR if cursor else StreamOrigin.START)
        decoded = decode_stream(parse_sse(body), EndpointDecoder(cursor), lambda: True, connected)
        async with aclosing(decoded) as items:
            yield items

    async def _body(self, data: bytes, *, broken: bool) -> AsyncIterator[bytes]:
        for at in range(0, len(data), self._read):
            yield data[at : at + self._read]
        if broken:
            raise Fault(FaultKind.NETWORK, "connection reset")


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


# Sources whose streams resume exactly: what they send is believed, however often the model repeats itself


class ExactSource:
    """Answers with `words`; every connection but the last is cut, and the next resumes at its cursor.

    `kind` says what the cursor is: an event id, an id in the data of a WebSocket's message, the sequence
    number of a background response, or llama.cpp's byte offset.
    """

    def __init__(self, kind: str, words: list[str], cuts: list[int], replays: int = 0) -> None:
        self.model = kind
        self._kind = kind
        self._words = words
        self._cuts = list(cuts)
        self._replays = replays

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        cursor = resume.cursor if resume else None
        place = int(cursor.position) if cursor else 0
        events = self._events()
        if self._kind != "bytes":
            place = len(b"".join(events[: max(0, place + (self._kind == "numbers") - self._replays)]))
        left = b"".join(events)[place if cursor else 0 :]
        cut = self._cuts.pop(0) if self._cuts else None
        body = self._body(left if cut is None else left[: cut % len(left)], broken=cut is not None)
        stream = self._decode(body, cursor, place)

        async def items() -> AsyncIterator[StreamItem]:
            yield Connected(StreamOrigin.CURSOR if cursor else StreamOrigin.START)
            async with aclosing(stream):
                async for item in stream:
                    yield item

        yield items()

    def _events(self) -> list[bytes]:
        match self._kind:
            case "numbers":
                return responses_events(self._words)
            case "bytes":
                return chat_events(self._words)
        numbered = enumerate(self._words, 1)
        if self._kind == "ids":
            sent = (b"id: %d\n" % number + event({"delta": word}) for number, word in numbered)
            return [*sent, event("", "done")]
        return [*(event({"delta": word, "id": number}) for number, word in numbered), event({"type": "done"})]

    def _decode(
        self, body: AsyncIterator[bytes], cursor: Cursor | None, place: int
    ) -> AsyncGenerator[StreamItem]:
        if self._kind == "numbers":
            decoder = ResponsesDecoder(cursor.stream if cursor else "")
            return decode_stream(parse_sse(body), decoder, lambda: False)
        if self._kind == "bytes":
            parser = ByteCountingParser(place)
            by_bytes = ByteCursorChatDecoder("conversation", parser)
            return decode_stream(self._parse(parser, body), by_bytes, lambda: False)
        by_ids = EndpointDecoder(cursor, ids_in_data=self._kind == "data")
        return decode_stream(parse_sse(body), by_ids, lambda: False)

    async def _parse(
        self, parser: ByteCountingParser, body: AsyncIterator[bytes]
    ) -> AsyncIterator[ServerSentEvent | KeepAlive]:
        async for data in body:
            for item in parser.feed(data):
                yield item

    async def _body(self, data: bytes, *, broken: bool) -> AsyncIterator[bytes]:
        yield data
        if broken:
            raise Fault(FaultKind.NETWORK, "connection reset")


def cut_into_words(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


periodic_texts = st.builds(
    lambda start, unit, times, end: start + unit * times + end,
    st.text(max_size=5),
    st.one_of(
        st.text(min_size=1, max_size=40), st.sampled_from(["ha ", "very, ", "- [ ] to do\n", "</b> `"])
    ),
    st.integers(1, 6),
    st.text(max_size=5),
).filter(str.strip)
exact_kinds = st.sampled_from(["ids", "data", "numbers", "bytes"])


@given(exact_kinds, periodic_texts, st.integers(1, 30), st.lists(st.integers(0, 100_000), max_size=4))
@settings(max_examples=300)
async def test_an_exact_resume_loses_and_doubles_nothing(
    kind: str, text: str, size: int, cuts: list[int]
) -> None:
    source = ReasoningTagSource(ExactSource(kind, cut_into_words(text, size), cuts))
    clock, policy = ManualClock(), RecoveryPolicy(max_retries=len(cuts))
    heard = await read_recovered(RecoveringSource(source, policy, clock=clock), clock)
    assert (heard.text, heard.superseded) == (text, 0)


@given(
    st.sampled_from(["ids", "data"]),
    periodic_texts,
    st.integers(1, 9),
    st.integers(0, 100_000),
    st.integers(1, 3),
)
async def test_events_sent_once_more_are_recognised_by_their_ids(
    kind: str, text: str, size: int, cut: int, replays: int
) -> None:
    source = ExactSource(kind, cut_into_words(text, size), [cut], replays)
    clock, policy = ManualClock(), RecoveryPolicy()
    heard = await read_recovered(RecoveringSource(source, policy, clock=clock), clock)
    assert (heard.text, heard.superseded) == (text, 0)


@given(periodic_texts, st.integers(1, 30), st.lists(st.integers(0, 100_000), max_size=4), exact_kinds)
@settings(max_examples=300)
async def test_thoughts_in_the_text_survive_every_cut(
    text: str, size: int, cuts: list[int], kind: str
) -> None:
    text = text.replace("`", "'")  # around a tag they would make it code
    raw = f"<think>{text}</think>{text}"
    whole = await read_whole(cut_into_words(raw, len(raw)))
    source = ReasoningTagSource(ExactSource(kind, cut_into_words(raw, size), cuts))
    clock, policy = ManualClock(), RecoveryPolicy(max_retries=len(cuts))
    heard = await read_recovered(RecoveringSource(source, policy, clock=clock), clock)
    assert (heard.text, heard.reasoning) == whole


@given(exact_kinds, st.integers(1, 9), st.lists(st.integers(0, 100_000), max_size=4))
async def test_thoughts_whose_template_opened_the_tag_survive_every_cut(
    kind: str, size: int, cuts: list[int]
) -> None:
    raw = "Secret, secret plan.\n</think>\n\nI say yes."
    source = ReasoningTagSource(ExactSource(kind, cut_into_words(raw, size), cuts))
    clock, policy = ManualClock(), RecoveryPolicy(max_retries=len(cuts))
    heard = await read_recovered(RecoveringSource(source, policy, clock=clock), clock)
    assert (heard.reasoning, heard.text) == ("Secret, secret plan.\n", "I say yes.")


async def read_whole(words: list[str]) -> tuple[str, str]:
    clock = ManualClock()
    source = RecoveringSource(ReasoningTagSource(ExactSource("ids", words, [])), clock=clock)
    heard = await read_recovered(source, clock)
    return heard.text, heard.reasoning


# Models that continue an answer, or begin it again


class ContinuedSource:
    """A model that was cut, and when asked to continue writes the whole answer again."""

    model = "continued"

    def __init__(self, words: list[str], cuts: list[int]) -> None:
        self._words = words
        self._cuts = list(cuts)

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        cut = self._cuts.pop(0) if self._cuts else None

        async def items() -> AsyncIterator[StreamItem]:
            yield Connected(StreamOrigin.CONTINUATION if resume and resume.text else StreamOrigin.START)
            for word in self._words[: None if cut is None else cut % len(self._words)]:
                yield Chunk(word)
            if cut is not None:
                raise Fault(FaultKind.NETWORK, "connection reset")
            yield Finished()

        yield items()


@given(
    st.one_of(
        st.text("abcdefgh ,.", min_size=1, max_size=120).map(lambda text: f"A{text}!"),
        st.sampled_from(["Hello.", "Hello. " * 9 + "Bye.", "Cities should be calm.", "no, " * 12 + "yes"]),
    ),
    st.integers(1, 9),
    st.lists(st.integers(0, 100_000), max_size=5),
)
@example("Hello. " * 9 + "Bye.", 7, [3])
@example("Hello.\n\n\n" * 9 + "Bye.", 1, [27])
async def test_an_answer_that_begins_again_stands_once(text: str, size: int, cuts: list[int]) -> None:
    source = ContinuedSource(cut_into_words(text, size), cuts)
    clock, policy = ManualClock(), RecoveryPolicy(max_retries=len(cuts))
    heard = await read_recovered(RecoveringSource(source, policy, clock=clock), clock)
    assert (heard.text, heard.superseded) == (text, 0)
