"""The built-in demo: scripted debaters that need no key and no network, at a model's pace."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.debate import VERDICT
from debate_tui.domain.stream import Chunk, Connected, Cursor, Finished, Origin, Usage
from debate_tui.sources.demo.material import VOICES, check_voice, voice
from debate_tui.sources.demo.pace import Pace, pieces, timed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from debate_tui.domain.stream import FinishReason, Request, Resume, StreamItem
    from debate_tui.sources.demo.script import Part

__all__ = ["NOTICE", "VOICES", "DemoSource", "Pace", "lineup"]

NOTICE: Final = (
    "Scripted demo: no model is speaking. To hear one, set OPENAI_API_KEY or ANTHROPIC_API_KEY, "
    "start Ollama, or name it: debate-tui -d openai:MODEL -d anthropic:MODEL “topic”."
)
"""What the screen says while scripted debaters speak."""

MOST_BEHIND: Final = 0.25
"""Seconds of speech that wait for a listener who reads late, as a model's would; a pause saves up no more."""

UNHEARD: Final = Pace(tokens_per_second=220.0, clause=0.0, sentence=0.0, paragraph=0.0)
"""How a judge's verdict comes: nobody hears it being spoken."""


def lineup(count: int, seed: int = 0) -> tuple[str, ...]:
    """The voices of `count` debaters, all different while there are enough; another seed, another cast."""
    names = random.Random(seed).sample(tuple(VOICES), len(VOICES))  # noqa: S311 (variety, not secrecy)
    return tuple(names[place % len(names)] for place in range(count))


class DemoSource:
    """A scripted debater as a source.

    It reads who it is and what was said from its prompt, as a model would, and says the same for the same
    prompt and `seed`. `pace` is the voice's own unless given; `sleep` is awaited for every pause.
    """

    def __init__(
        self,
        voice: str,
        *,
        seed: int = 0,
        pace: Pace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        check_voice(voice)
        self._voice = voice
        self._seed = seed
        self._pace = pace
        self._sleep = sleep

    @property
    def model(self) -> str:
        """What stands where a model's name would."""
        return "scripted"

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Speak one turn; a resumed one goes on behind its cursor, or starts over without one."""
        # Reading the voices from disk takes milliseconds the panes should not wait for.
        part, pace = await asyncio.to_thread(self._prepare, request)
        await self._sleep(pace.scaled(pace.connect))
        stream = self._stream(part, pace, request, resume)
        try:
            yield stream
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        """Nothing outlives a turn."""

    def _prepare(self, request: Request) -> tuple[Part, Pace]:
        from debate_tui.domain.prompts import cast
        from debate_tui.sources.demo.script import compose

        if request.phase == VERDICT:
            from debate_tui.sources.demo.judge import ruling

            return ruling(self._voice, request.messages), self._pace or UNHEARD
        known = cast(request.messages)
        if not known.topic:
            known = msgspec.structs.replace(known, topic=request.topic)
        part = compose(self._voice, known, request.phase, self._seed)
        return part, self._pace or Pace(tokens_per_second=voice(self._voice).tokens_per_second)

    async def _stream(
        self, part: Part, pace: Pace, request: Request, resume: Resume | None
    ) -> AsyncGenerator[StreamItem, None]:
        reasoning, answer = pieces(part.reasoning), pieces(part.text)
        length = len(part.reasoning) + len(part.text)
        start = _position(resume, length)
        yield Connected(Origin.CURSOR if start is not None else Origin.START, transport="script")
        if start is None:
            await self._sleep(pace.scaled(pace.think))
        limit = request.max_output_tokens
        spoken = [*reasoning, *answer][:limit]
        rng = random.Random(f"{self._seed}\n{request.topic}\n{request.turn}")  # noqa: S311 (variety, not secrecy)
        at, behind, clock = 0, 0.0, asyncio.get_running_loop().time
        for wait, piece in timed(spoken, pace, rng):
            begin, at = at, at + len(piece)
            if at <= (start or 0):
                continue
            await self._sleep(max(wait - behind, 0.0))
            behind = max(behind - wait, 0.0)
            rest = piece[max((start or 0) - begin, 0) :]
            given = clock()
            yield Chunk(rest, reasoning=begin < len(part.reasoning), cursor=Cursor(str(at)))
            behind = min(behind + clock() - given, MOST_BEHIND)
        reason: FinishReason = "complete" if len(spoken) == len(reasoning) + len(answer) else "length"
        yield Finished(reason, _usage(request, spoken, reasoning))


def _position(resume: Resume | None, length: int) -> int | None:
    """The characters of reasoning and answer a cursor stands behind; `None` where there is no such place."""
    if resume is None or resume.cursor is None or not resume.cursor.position.isdecimal():
        return None
    position = int(resume.cursor.position)
    return position if position <= length else None


def _usage(request: Request, spoken: list[str], reasoning: list[str]) -> Usage:
    """What a model might have counted: pieces out, and a quarter of the prompt's characters in."""
    return Usage(
        input_tokens=len(request.prompt) // 4,
        output_tokens=len(spoken),
        reasoning_tokens=min(len(reasoning), len(spoken)),
    )
