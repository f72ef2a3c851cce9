"""Masking: the same text however it is cut, exact resumption, and faults that name no one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import (
    Chunk,
    Citation,
    Connected,
    Cursor,
    Fault,
    FaultKind,
    Finished,
    KeepAlive,
    RecoveryPolicy,
    ResumePoint,
    StreamItem,
    StreamOrigin,
    TurnRequest,
    UnmarkedEnd,
)
from debate_tui.resilience.masking import Mask, MaskedSource, NameMask, compile_mask, own_names
from debate_tui.resilience.recovery import RecoveringSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

REQUEST = TurnRequest("topic", "opening", 1, ())
NAMES = own_names("Ada Bot", "anthropic", "claude-sonnet-4-5")
PATTERN = compile_mask(NAMES)
MASK = Mask("A", NAMES)


def mask(text: str, *names: str) -> str:
    return NameMask(compile_mask(names) if names else PATTERN, "A").feed(text, is_end=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am Claude.", "I am A."),
        ("CLAUDE's view, as claude", "A's view, as A"),
        ("I'm Claude Sonnet 4.5, by Anthropic", "I'm A, by A"),
        ("Claude-Sonnet-4.5!", "A!"),
        ("Claude 3.5 Sonnet says", "A says"),
        ("**Claude** and _Claude_", "**A** and _A_"),
        ("我是Claude模型", "我是A模型"),
        ("저는 Claude입니다", "저는 A입니다"),
        ("Claudette, MacClaude, Claudesque", "Claudette, MacClaude, Claudesque"),
        ("Claude properly answered", "A properly answered"),
        ("Claude 4. Then", "A. Then"),
        ("As Ada Bot, I, ada-bot", "As A, I, A"),
        ("my model is claude-sonnet-4-5-20250929", "my model is A"),
        ("Unlike ChatGPT or Gemini", "Unlike ChatGPT or Gemini"),
    ],
)
def test_own_names_are_whole_words_in_any_case(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("scheme", "model", "said"),
    [
        ("openai", "gpt-5.2", "I am GPT-5.2, ChatGPT, from OpenAI"),
        ("groq", "openai/gpt-oss-120b", "I am gpt-oss-120b of OpenAI"),
        ("openai", "o3-mini", "o3-mini here, from OpenAI"),
        ("gemini", "gemini-2.5-flash", "Gemini 2.5 Flash, Google DeepMind"),
        ("ollama", "llama3.1:8b", "Llama 3.1 by Meta AI"),
        ("ollama", "qwen3:8b", "Qwen3, 通义千问, by Alibaba"),
        ("mistral", "mistral-large-latest", "Mistral Large from Mistral AI"),
        ("deepseek", "deepseek-reasoner", "DeepSeek-R1, deepseek reasoner"),
        ("xai", "grok-4", "Grok 4 of xAI"),
    ],
)
def test_a_family_is_known_by_its_provider_or_its_model(scheme: str, model: str, said: str) -> None:
    masked = mask(said, *own_names("", scheme, model)).lower()

    for name in ("gpt", "openai", "o3", "gemini", "google", "llama", "meta", "qwen", "mistral", "deepseek"):
        assert name not in masked
    assert "grok" not in masked
    assert "xai" not in masked


def test_a_name_is_one_line_whatever_a_file_says() -> None:
    assert mask("I am Ada Bot", "Ada\nBot", "Ada\n") == "I am A"
    assert mask("I am Ada", "Ada\nBot", "Ada\n") == "I am A"


def test_names_that_are_common_words_stay() -> None:
    assert own_names("For", "llamacpp", "model") == ()
    assert own_names("A", "lmstudio", "x") == ()


# Chunks

_PIECES = st.sampled_from(
    (
        *("Claude", "claude", " ", "-", "Sonnet", "4.5", "4", ".", "Anthropic", "Cl", "au", "de", "x", "我"),
        *("Ada Bot", "Ada", " Bot", "é", "_", "'s", "sonnet-4-5", " opus", "v", "3.5", "anthropic-", "\n"),
    )
)
_TEXTS = st.lists(_PIECES, max_size=20).map("".join)


@st.composite
def _cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(_TEXTS)
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)) | {0, len(text)})
    return text, [text[a:b] for a, b in pairwise(places)]


@given(_cut_texts())
def test_any_chunking_gives_the_same_text(cut: tuple[str, list[str]]) -> None:
    text, pieces = cut
    stepwise = NameMask(PATTERN, "A")
    parts = [stepwise.feed(piece) for piece in pieces]
    parts.append(stepwise.feed("", is_end=True))

    assert "".join(parts) == mask(text)


def test_only_what_may_become_a_name_is_held_back() -> None:
    held = NameMask(PATTERN, "A")

    assert held.feed("Well, Cl") == "Well, "
    assert held.feed("early, I am Claude") == "Clearly, I am "
    assert held.feed(" Son") == ""
    assert held.feed("g. ") == "A Song. "
    assert held.feed("The end.") == "The end."


def test_held_text_is_bounded_in_a_hostile_text() -> None:
    held = NameMask(PATTERN, "A")

    for _ in range(1000):
        held.feed("Claude-4.5-sonnet-4.5-")
        assert len(held.held) < 300


# Streams


class CountedSource:
    """A source of numbered chunks that resumes after a cursor; each of its connections ends at a cut."""

    model = "claude-sonnet-4-5"

    def __init__(self, chunks: Sequence[Chunk], cuts: Sequence[int] = ()) -> None:
        self._chunks = [
            Chunk(chunk.text, chunk.reasoning, Cursor(str(place))) for place, chunk in enumerate(chunks, 1)
        ]
        self._cuts = list(cuts)
        self.resumed: list[ResumePoint | None] = []

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        self.resumed.append(resume)
        yield self._items(resume)

    async def _items(self, resume: ResumePoint | None) -> AsyncIterator[StreamItem]:
        start = int(resume.cursor.position) if resume and resume.cursor else 0
        cut = self._cuts.pop(0) if self._cuts else None
        yield Connected(StreamOrigin.CURSOR if start else StreamOrigin.START)
        for number, chunk in enumerate(self._chunks[start:]):
            if number == cut:
                raise Fault(FaultKind.NETWORK, "claude-sonnet-4-5 at api.anthropic.com was reset.")
            yield chunk
        yield Finished(model="claude-sonnet-4-5-20250929", response="msg_1", citations=(CITATION,))


CITATION = Citation("https://www.anthropic.com/claude", "Claude")
POLICY = RecoveryPolicy(max_retries=50, initial=0, cap=0)


async def read(source: CountedSource) -> tuple[list[StreamItem], str, str]:
    stream = RecoveringSource(MaskedSource(source, MASK), POLICY)
    async with stream.open(REQUEST) as opened:
        items = [item async for item in opened]
    chunks = [item for item in items if isinstance(item, Chunk)]
    answer, reasoning = (
        "".join(chunk.text for chunk in chunks if chunk.reasoning is kind) for kind in (False, True)
    )
    return items, answer, reasoning


@given(_cut_texts(), _cut_texts(), st.lists(st.integers(0, 8), max_size=4))
def test_a_stream_cut_anywhere_resumes_exactly(
    thought: tuple[str, list[str]], said: tuple[str, list[str]], cuts: list[int]
) -> None:
    chunks = [Chunk(piece, reasoning=True) for piece in thought[1]] + [Chunk(piece) for piece in said[1]]
    chunks.append(Chunk(" The end."))

    _, answer, reasoning = asyncio.run(read(CountedSource(chunks, cuts)))

    assert answer == mask(f"{said[0]} The end.")
    assert reasoning == mask(thought[0])


def test_a_cursor_waits_for_the_text_before_it() -> None:
    source = CountedSource([Chunk("I am Cl"), Chunk("aude"), Chunk(", so. "), Chunk("Yes.")], cuts=[2])

    _, answer, _ = asyncio.run(read(source))

    assert answer == "I am A, so. Yes."
    assert [resume and resume.cursor for resume in source.resumed] == [None, None]


def test_nothing_in_the_stream_tells_who_speaks() -> None:
    items, answer, _ = asyncio.run(read(CountedSource([Chunk("I am Claude. "), Chunk("Yes.")], cuts=[1])))

    assert answer == "I am A. Yes."
    shown = str([item for item in items if not isinstance(item, Finished)]).lower()
    assert "claude" not in shown
    assert "anthropic" not in shown
    assert items[-1] == Finished(citations=(CITATION,))


def _fail_with(fault: Fault) -> Fault:
    class Failing(CountedSource):
        @asynccontextmanager
        async def open(
            self, request: TurnRequest, resume: ResumePoint | None = None
        ) -> AsyncIterator[AsyncIterator[StreamItem]]:
            raise fault
            yield

    async def open_once() -> None:
        async with MaskedSource(Failing([]), MASK).open(REQUEST):
            pass

    with pytest.raises(Fault) as caught:
        asyncio.run(open_once())
    return caught.value


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(FaultKind.AUTH, "Incorrect key for OpenAI", status=401), "Key refused"),
        (Fault(FaultKind.AUTH, "No API key found for OpenAI", hint="Set OPENAI_API_KEY"), "No API key"),
        (Fault(FaultKind.BAD_REQUEST, "The model gpt-9 does not exist", status=404), "Model not found"),
        (Fault(FaultKind.OVERLOADED, "Overloaded", status=529), "Overloaded"),
    ],
)
def test_a_fault_names_its_cause_and_nothing_else(fault: Fault, message: str) -> None:
    hidden = _fail_with(fault)

    assert hidden.message == f"{message}; the details are hidden in a blind debate."
    assert str(hidden) == hidden.message
    assert "OPENAI" not in hidden.hint
    assert hidden.status in (None, 401, 404)


def test_an_end_without_a_marker_gives_what_was_held_back() -> None:
    class Unmarked(CountedSource):
        async def _items(self, resume: ResumePoint | None) -> AsyncIterator[StreamItem]:
            yield Connected()
            yield Chunk("I am Claude")
            raise UnmarkedEnd(vouched=False, text_seen=True)

    async def collect() -> list[StreamItem]:
        items: list[StreamItem] = []
        async with MaskedSource(Unmarked([]), MASK).open(REQUEST) as stream:
            with suppress(UnmarkedEnd):
                async for item in stream:
                    items.append(item)  # noqa: PERF401 (kept although the stream breaks)
        return items

    assert asyncio.run(collect()) == [Connected(), Chunk("I am "), Chunk("A")]


def test_a_chunk_that_is_held_back_is_a_sign_of_life() -> None:
    async def collect() -> list[StreamItem]:
        source = CountedSource([Chunk("Cl"), Chunk("ear.")])
        async with MaskedSource(source, MASK).open(REQUEST) as stream:
            return [item async for item in stream]

    connected, held, text, _ = asyncio.run(collect())
    assert held == KeepAlive()
    assert text == Chunk("Clear.", cursor=Cursor("2"))
    assert isinstance(connected, Connected)
