"""Chat completion chunks, as OpenAI and the many servers that speak its dialect stream them.

Only the fields used are decoded. The dialects differ in where reasoning is (`reasoning_content`,
`reasoning`, thinking parts of a list-valued `content`), in where usage and errors are, and in whether
``[DONE]`` is sent; all of it is read here, so that no caller needs to know which server it talks to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Fault, FaultKind, Finished, Usage, UsageSoFar
from debate_tui.sources.payloads import faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import Event

# Mistral, DeepSeek, Google and vLLM have words of their own; any other word means the model was done.
_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refused",
    "refusal": "refused",
    "safety": "refused",
    "sensitive": "refused",
}
_BROKEN = {
    "error": FaultKind.SERVER,
    "abort": FaultKind.SERVER,
    "insufficient_system_resource": FaultKind.OVERLOADED,
}
_ALIVE = (Alive(),)


class _Part(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | list[_Part] | None = None


class _Delta(Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _Details | None = None


class _Groq(Struct):
    usage: _Usage | None = None


class _Completion(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: faults.ErrorBody | str | None = None
    x_groq: _Groq | None = None


_decode = msgspec.json.Decoder(_Completion).decode


class ChatDecoder:
    """Decodes one chat completion.

    The answer is finished with ``[DONE]``, or with an orderly end behind a `finish_reason`: the chunk with
    the usage comes after that. A refusal's text counts as the answer's text.
    """

    marks_end = True

    def __init__(self) -> None:
        self._reason: FinishReason | None = None
        self._refused = False
        self._usage: Usage | None = None

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        if event.event == "error":
            raise faults.from_body(event.data)
        if event.data == "[DONE]":
            return (self._finished(),)
        try:
            completion = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable(event.data) from None
        choices = completion.choices
        if choices and completion.usage is None and completion.error is None and completion.x_groq is None:
            return self._choice(choices[0]) or _ALIVE
        return self._rest(completion)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return None if self._reason is None else self._finished()

    def _finished(self) -> Finished:
        return Finished("refused" if self._refused else self._reason or "complete", self._usage)

    def _choice(self, choice: _Choice) -> list[StreamItem]:
        items: list[StreamItem] = []
        delta = choice.delta
        if delta is not None:
            reasoning = delta.reasoning_content or delta.reasoning
            if reasoning:
                items.append(Chunk(reasoning, True))
            content = delta.content
            if content:
                if isinstance(content, str):
                    items.append(Chunk(content))
                else:
                    items.extend(_parts(content))
            if delta.refusal:
                self._refused = True
                items.append(Chunk(delta.refusal))
        if choice.finish_reason is not None:
            self._ending(choice.finish_reason)
        return items

    def _ending(self, word: str) -> None:
        word = word.lower()
        if word in _BROKEN:
            raise Fault(_BROKEN[word], "The provider broke the answer off.")
        self._reason = _REASONS.get(word, "complete")

    def _rest(self, completion: _Completion) -> Iterator[StreamItem]:
        if completion.choices:
            yield from self._choice(completion.choices[0])
        usage = completion.usage or (completion.x_groq and completion.x_groq.usage)
        if usage:
            self._usage = _counted(usage)
            yield UsageSoFar(self._usage)
        elif completion.error is None:
            yield from _ALIVE
        if completion.error is not None:
            error = completion.error
            raise faults.fault(faults.ErrorBody(message=error) if isinstance(error, str) else error)


def _parts(parts: list[_Part]) -> Iterator[Chunk]:
    for part in parts:
        thinking = part.thinking
        if isinstance(thinking, list):
            thinking = "".join(inner.text or "" for inner in thinking)
        if thinking:
            yield Chunk(thinking, True)
        if part.text:
            yield Chunk(part.text)


def _counted(usage: _Usage) -> Usage:
    details = usage.completion_tokens_details
    return Usage(usage.prompt_tokens, usage.completion_tokens, details.reasoning_tokens if details else None)
