"""Chat completion chunks, as OpenAI and the many servers that speak its dialect stream them.

Only the fields used are decoded. The dialects differ in where reasoning is (`reasoning_content`,
`reasoning`, thinking parts of a list-valued `content`), in where usage and errors are, and in whether
``[DONE]`` is sent; all of it is read here, so that no caller needs to know which server it talks to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive, Usage, UsageUpdate
from debate_tui.sources.payloads import errors, unreadable_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent

# Mistral, DeepSeek, Google and vLLM have words of their own; any other word means the model was done.
_FINISH_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refused",
    "refusal": "refused",
    "safety": "refused",
    "sensitive": "refused",
}
_FAILURE_REASONS = {
    "error": FaultKind.SERVER,
    "abort": FaultKind.SERVER,
    "insufficient_system_resource": FaultKind.OVERLOADED,
}
_KEEPALIVE = (KeepAlive(),)


class _ChatPart(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | list[_ChatPart] | None = None


class _ChatDelta(Struct):
    content: str | list[_ChatPart] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _ChatChoice(Struct):
    index: int = 0
    delta: _ChatDelta | None = None
    finish_reason: str | None = None


class _ChatTokenDetails(Struct):
    reasoning_tokens: int | None = None


class _ChatUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _ChatTokenDetails | None = None


class _GroqExtension(Struct):
    usage: _ChatUsage | None = None


class _ChatCompletion(Struct):
    choices: list[_ChatChoice] | None = None
    usage: _ChatUsage | None = None
    error: errors.ErrorBody | str | None = None
    x_groq: _GroqExtension | None = None


_decode = msgspec.json.Decoder(_ChatCompletion).decode


class ChatDecoder:
    """Decodes one chat completion.

    The answer is finished with ``[DONE]``, or with an orderly end behind a `finish_reason`: the chunk with
    the usage comes after that. A refusal's text counts as the answer's text.
    """

    has_end_marker = True

    def __init__(self) -> None:
        self._finish_reason: FinishReason | None = None
        self._has_refusal = False
        self._usage: Usage | None = None

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        if event.event == "error":
            raise errors.fault_from_body(event.data)
        if event.data == "[DONE]":
            return (self._finished(),)
        try:
            completion = _decode(event.data)
        except msgspec.DecodeError:
            raise unreadable_fault(event.data) from None
        choices = completion.choices
        if choices and completion.usage is None and completion.error is None and completion.x_groq is None:
            return self._decode_choice(choices[0]) or _KEEPALIVE
        return self._decode_metadata(completion)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None if self._finish_reason is None else self._finished()

    def _finished(self) -> Finished:
        return Finished("refused" if self._has_refusal else self._finish_reason or "complete", self._usage)

    def _decode_choice(self, choice: _ChatChoice) -> list[StreamItem]:
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
                    items.extend(_part_chunks(content))
            if delta.refusal:
                self._has_refusal = True
                items.append(Chunk(delta.refusal))
        if choice.finish_reason is not None:
            self._set_finish_reason(choice.finish_reason)
        return items

    def _set_finish_reason(self, reason: str) -> None:
        reason = reason.lower()
        if reason in _FAILURE_REASONS:
            raise Fault(_FAILURE_REASONS[reason], "The provider broke the answer off.")
        self._finish_reason = _FINISH_REASONS.get(reason, "complete")

    def _decode_metadata(self, completion: _ChatCompletion) -> Iterator[StreamItem]:
        if completion.choices:
            yield from self._decode_choice(completion.choices[0])
        usage = completion.usage or (completion.x_groq and completion.x_groq.usage)
        if usage:
            self._usage = _to_usage(usage)
            yield UsageUpdate(self._usage)
        elif completion.error is None:
            yield from _KEEPALIVE
        if completion.error is not None:
            error = completion.error
            raise errors.fault_from_error(
                errors.ErrorBody(message=error) if isinstance(error, str) else error
            )


def _part_chunks(parts: list[_ChatPart]) -> Iterator[Chunk]:
    for part in parts:
        thinking = part.thinking
        if isinstance(thinking, list):
            thinking = "".join(inner.text or "" for inner in thinking)
        if thinking:
            yield Chunk(thinking, True)
        if part.text:
            yield Chunk(part.text)


def _to_usage(usage: _ChatUsage) -> Usage:
    details = usage.completion_tokens_details
    return Usage(usage.prompt_tokens, usage.completion_tokens, details.reasoning_tokens if details else None)
