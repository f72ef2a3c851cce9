"""The built-in demo: scripted debaters at a model's pace, without key or network."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.stream import Chunk, Connected, Cursor, Finished, StreamOrigin, Usage
from debate_tui.sources.demo.vocabulary import VOICES, check_voice, load_voice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, ResumePoint, StreamItem, TurnRequest
    from debate_tui.sources.demo.script import ScriptedTurn

__all__ = ["DEMO_NOTICE", "READABLE_SPEED", "VOICES", "DemoSource", "Pace", "pick_voices"]


# Pace of a script: token-like pieces with pauses between them.


_TOKEN = re.compile(r" ?[^\W\d_]{1,7}|\n+| {1,8}|\d{1,3}|[^\w\s]{1,2}|.", re.DOTALL)
_SENTENCE_ENDS = frozenset(".!?…。！？")
_CLAUSE_ENDS = frozenset(",;:—、，")
_CONNECT_SECONDS = 0.25
_THINK_SECONDS = 0.35


class Pace(Struct, frozen=True):
    """Speed of a script: the rate between pauses, and the pauses after parts of a text in seconds."""

    tokens_per_second: float
    clause: float = 0.05
    sentence: float = 0.12
    paragraph: float = 0.3


def split_tokens(text: str) -> list[str]:
    """Split `text` like a tokenizer into pieces of 1 to 8 characters, which join to the same text."""
    return [piece[at : at + 8] for piece in _TOKEN.findall(text) for at in range(0, len(piece), 8)]


def add_delays(tokens: Iterable[str], pace: Pace, rng: random.Random) -> Iterator[tuple[float, str]]:
    """Yield each piece with the seconds to wait before it: an uneven stream with pauses after sentences."""
    pause = 0.0
    for part in tokens:
        yield pause + rng.lognormvariate(-0.15, 0.55) / pace.tokens_per_second, part
        last = part.rstrip(" *_")[-1:]
        if "\n" in part:
            pause = pace.paragraph * rng.uniform(0.5, 1.2)
        elif last in _SENTENCE_ENDS:
            pause = pace.sentence * rng.uniform(0.4, 1.6)
        elif last in _CLAUSE_ENDS:
            pause = pace.clause * rng.uniform(0.4, 1.6)
        else:
            pause = 0.0


DEMO_NOTICE: Final = (
    "Scripted demo: no model is speaking. To use one, set OPENAI_API_KEY or ANTHROPIC_API_KEY, "
    "start Ollama, or name models: debate-tui -d openai:MODEL -d anthropic:MODEL “topic”."
)
"""Notice on the screen while scripted debaters speak."""

READABLE_SPEED: Final = 0.31
"""The factor of the demo's speed for readers: 15 to 25 tokens/s for every voice, pauses included."""

MAX_BACKLOG: Final = 0.25
"""Seconds of text a slow reader receives without waiting, as from a model; a pause saves up no more."""

VERDICT_PACE: Final = Pace(tokens_per_second=220.0, clause=0.0, sentence=0.0, paragraph=0.0)
"""Pace of a judge's verdict, which is not shown while it is written."""


def pick_voices(count: int, seed: int = 0) -> tuple[str, ...]:
    """Return voices for `count` debaters, all different as far as possible; `seed` varies the choice."""
    names = random.Random(seed).sample(tuple(VOICES), len(VOICES))  # noqa: S311 (variety, not secrecy)
    return tuple(names[place % len(names)] for place in range(count))


class DemoSource:
    """A scripted debater as a source.

    Like a model, it takes its identity and the debate so far from its prompt, and gives the same answer for
    the same prompt and `seed`. `speed` is a factor of the voice's speed. `sleep` is awaited for every pause.
    """

    def __init__(
        self,
        voice: str,
        *,
        seed: int = 0,
        speed: float = 1.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        check_voice(voice)
        self._voice = voice
        self._seed = seed
        self._speed = speed
        self._sleep = sleep

    @property
    def model(self) -> str:
        """Shown in place of a model's name."""
        return "scripted"

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Stream one turn; a resumed one continues after its cursor, or starts again without one."""
        # Reading the voices from disk takes milliseconds, which must not delay the panes.
        part, pace = await asyncio.to_thread(self._prepare, request)
        await self._sleep(_CONNECT_SECONDS)
        stream = self._stream(part, pace, request, resume)
        try:
            yield stream
        finally:
            await stream.aclose()

    def _prepare(self, request: TurnRequest) -> tuple[ScriptedTurn, Pace]:
        from debate_tui.domain.prompts import parse_prompt
        from debate_tui.sources.demo.script import compose_judgement, compose_turn

        if request.phase == VERDICT_PHASE:
            return compose_judgement(self._voice, request.messages), VERDICT_PACE
        prompt = parse_prompt(request.messages)
        if not prompt.topic:
            prompt = msgspec.structs.replace(prompt, topic=request.topic)
        part = compose_turn(self._voice, prompt, request.phase, self._seed)
        return part, Pace(self._speed * load_voice(self._voice).tokens_per_second)

    async def _stream(
        self, part: ScriptedTurn, pace: Pace, request: TurnRequest, resume: ResumePoint | None
    ) -> AsyncGenerator[StreamItem, None]:
        reasoning, answer = split_tokens(part.reasoning), split_tokens(part.text)
        length = len(part.reasoning) + len(part.text)
        start = _resume_position(resume, length)
        yield Connected(StreamOrigin.CURSOR if start is not None else StreamOrigin.START, transport="script")
        if start is None:
            await self._sleep(_THINK_SECONDS)
        limit = request.max_output_tokens
        tokens = [*reasoning, *answer][:limit]
        rng = random.Random(f"{self._seed}\n{request.topic}\n{request.turn}")  # noqa: S311 (variety, not secrecy)
        at, backlog, clock = 0, 0.0, asyncio.get_running_loop().time
        for wait, piece in add_delays(tokens, pace, rng):
            begin, at = at, at + len(piece)
            if at <= (start or 0):
                continue
            await self._sleep(max(wait - backlog, 0.0))
            backlog = max(backlog - wait, 0.0)
            rest = piece[max((start or 0) - begin, 0) :]
            sent_at = clock()
            yield Chunk(rest, reasoning=begin < len(part.reasoning), cursor=Cursor(str(at)))
            backlog = min(backlog + clock() - sent_at, MAX_BACKLOG)
        reason: FinishReason = "complete" if len(tokens) == len(reasoning) + len(answer) else "length"
        yield Finished(reason, _estimate_usage(request, tokens, reasoning))


def _resume_position(resume: ResumePoint | None, length: int) -> int | None:
    """Return the cursor's position in reasoning plus answer, in characters; `None` if it is not valid."""
    if resume is None or resume.cursor is None or not resume.cursor.position.isdecimal():
        return None
    position = int(resume.cursor.position)
    return position if position <= length else None


def _estimate_usage(request: TurnRequest, tokens: list[str], reasoning: list[str]) -> Usage:
    """Estimate a model's usage: one token per piece, and one per four characters of the prompt."""
    return Usage(
        input_tokens=len(request.prompt) // 4,
        output_tokens=len(tokens),
        reasoning_tokens=min(len(reasoning), len(tokens)),
    )
