"""Chat completion chunks, from OpenAI and the many compatible servers.

Only the fields used are decoded. The dialects differ in the place of reasoning (`reasoning_content`,
`reasoning`, `reasoning_details`, thinking parts of a list-valued `content`), usage and errors, in whether
``[DONE]`` is sent, and in whether a request for a stream is answered with one. All of them are read here, so
that callers need not know the server. Legacy completions (`text`) are read, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Usage
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.json_decoder import NOTHING, Count, JsonDecoder, fit_json, to_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent


class _ChatPart(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | list[_ChatPart | str] | None = None
    url: object = None
    title: object = None


class _ChatDelta(Struct):
    content: str | list[_ChatPart | str] | _ChatPart | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[_ChatPart] | None = None
    refusal: str | None = None
    tool_calls: object = None
    function_call: object = None
    annotations: object = None


class _ChatChoice(Struct):
    index: int = 0
    delta: _ChatDelta | None = None
    finish_reason: str | None = None
    text: str | None = None
    message: _ChatDelta | None = None


class _ChatTokenDetails(Struct):
    reasoning_tokens: Count = None
    cached_tokens: Count = None


class _ChatCost(Struct):
    total_cost: Count = None


class _ChatUsage(Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    completion_tokens_details: _ChatTokenDetails | None = None
    prompt_tokens_details: _ChatTokenDetails | None = None
    prompt_cache_hit_tokens: Count = None
    cost: float | _ChatCost | None = None


class _GroqExtension(Struct):
    usage: _ChatUsage | None = None
    error: object = None


class _ChatCompletion(Struct):
    choices: list[_ChatChoice] | None = None
    usage: _ChatUsage | None = None
    error: object = None
    x_groq: _GroqExtension | None = None
    citations: object = None
    search_results: object = None


class _ChatHead(Struct):
    id: str = ""
    model: str = ""


class ChatDecoder(JsonDecoder[_ChatCompletion]):
    """Decodes one chat completion.

    The answer is finished by ``[DONE]``, or by any end after a `finish_reason`: the chunk with the usage
    follows that. A refusal's text counts as the answer's text. Of several choices index 0 counts, or the
    lowest in the first chunk.
    """

    shape = _ChatCompletion
    parse = msgspec.json.Decoder(_ChatCompletion).decode

    def __init__(self) -> None:
        super().__init__()
        self._choice_index: int | None = None
        self._has_text = False

    def read(self, value: _ChatCompletion, event: PayloadEvent) -> Iterable[StreamItem]:
        choices = value.choices
        is_plain = value.usage is None and value.error is None and value.x_groq is None
        if choices and is_plain and (value.citations or value.search_results) is None:
            choice = choices[0]
            if choice.index == self._choice_index and len(choices) == 1:
                return self._read_choice(choice) or NOTHING
            return self._read_choices(choices, event) or NOTHING
        return self._read_metadata(value, event)

    def _read_choices(self, choices: list[_ChatChoice], event: PayloadEvent) -> list[StreamItem]:
        """Return the items of the choice that counts, which the first chunk determines."""
        if self._choice_index is None:
            self._understood = True
            indices = [choice.index for choice in choices]
            self._choice_index = 0 if 0 in indices else min(indices)
            head = fit_json(event.data, _ChatHead)
            self._model, self._response = head.model, head.id
        return [
            item
            for choice in choices
            if choice.index == self._choice_index
            for item in self._read_choice(choice)
        ]

    def _read_choice(self, choice: _ChatChoice) -> list[StreamItem]:
        delta = choice.delta
        items = self._read_undivided(choice) if delta is None else self._read_delta(delta)
        if items and type(items[0]) is Chunk:
            self._has_text = True
        if choice.finish_reason is not None:
            self.note_finish_reason(choice.finish_reason)
        return items

    def _read_undivided(self, choice: _ChatChoice) -> list[StreamItem]:
        """Return the items of a legacy completion's chunk, or of an answer that was not streamed."""
        if choice.text:
            return [Chunk(choice.text)]
        if choice.message is None:
            return []
        if self._has_text:
            return [*self.cite(choice.message.annotations)]
        self.finish_reason = "complete"
        return self._read_delta(choice.message)

    def _read_delta(self, delta: _ChatDelta) -> list[StreamItem]:
        items: list[StreamItem] = []
        if reasoning := delta.reasoning_content or delta.reasoning:
            items.append(Chunk(reasoning, True))
        elif delta.reasoning_details:
            items += (Chunk(part.text, True) for part in delta.reasoning_details if part.text)
        content = delta.content
        if content:
            if isinstance(content, str):
                items.append(Chunk(content))
            else:
                parts: list[_ChatPart | str] = content if isinstance(content, list) else [content]
                items += _part_chunks(parts)
                items += self.cite([_to_citation(part) for part in parts if isinstance(part, _ChatPart)])
        if delta.refusal:
            self._is_refusal = True
            items.append(Chunk(delta.refusal))
        if delta.tool_calls or delta.function_call:
            self._instead = "a tool call"
        if delta.annotations:
            items += self.cite(delta.annotations)
        return items

    def _read_metadata(self, completion: _ChatCompletion, event: PayloadEvent) -> Iterator[StreamItem]:
        """Yield the items of a chunk with more than text: the choice's, then citations and usage.

        Raise its error last.
        """
        extension = completion.x_groq or _GroqExtension()
        usage = completion.usage or extension.usage
        error = next((e for e in (completion.error, extension.error) if errors.is_error({"error": e})), None)
        is_empty = True
        for choice in completion.choices or ():
            choice.finish_reason = None if error else choice.finish_reason
        for item in self._read_choices(completion.choices, event) if completion.choices else ():
            is_empty = False
            yield item
        for item in self.cite([completion.citations, completion.search_results]):
            is_empty = False
            yield item
        if usage is not None and (counted := _to_usage(usage)) != Usage():
            if (cost := _to_cost(usage.cost)) is not None:
                self._cost = cost
            is_empty = False
            yield from self.update_usage(counted)
        if error and error is completion.error:
            raise errors.fault_from_body(event.data)
        if error:
            raise errors.fault_from_error(error)
        if is_empty and completion.choices is None and completion.usage is None and extension.usage is None:
            yield from self.read_other(event)
        elif is_empty:
            yield from NOTHING


def _part_chunks(parts: list[_ChatPart | str]) -> Iterator[Chunk]:
    for part in parts:
        if isinstance(part, str):
            text, thinking = part, None
        else:
            text, thinking = part.text or "", part.thinking
        if isinstance(thinking, list):
            thinking = "".join(inner if isinstance(inner, str) else inner.text or "" for inner in thinking)
        if thinking:
            yield Chunk(thinking, True)
        if text:
            yield Chunk(text)


def _to_citation(part: _ChatPart) -> object:
    """Return a part as a citation, as it is one if it has an address (Mistral's tool references)."""
    return {"url": part.url, "title": part.title}


def _to_usage(usage: _ChatUsage) -> Usage:
    output, prompt = usage.completion_tokens_details, usage.prompt_tokens_details
    cached = prompt.cached_tokens if prompt else None
    return Usage(
        to_count(usage.prompt_tokens),
        to_count(usage.completion_tokens),
        to_count(output.reasoning_tokens if output else None),
        to_count(cached or usage.prompt_cache_hit_tokens) or None,
    )


def _to_cost(cost: float | _ChatCost | None) -> float | None:
    cost = cost.total_cost if isinstance(cost, _ChatCost) else cost
    return cost if cost is not None and cost >= 0 else None
