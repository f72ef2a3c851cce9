"""Masking for blind debates: a debater that names itself, or its model, is shown under its letter.

Masking comes before recovery, so that the text which recovery compares, and which is logged and painted, is
masked. The result does not depend on how the text was cut into chunks.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Fault,
    FaultReport,
    Finished,
    KeepAlive,
    Reclassified,
    StreamOrigin,
    UnmarkedEnd,
)
from debate_tui.domain.wording import describe_hidden_fault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator

    from debate_tui.domain.stream import Cursor, ResumePoint, Source, StreamItem, TurnRequest

# Names of models and their makers. A debater's own family is found by the first column in its source.


_FAMILIES: Final = (
    (
        r"openai|gpt|chatgpt|codex|o[134](?![a-z\d])",
        ("OpenAI", "Open AI", "ChatGPT", "GPT", "GPT-OSS", "Codex"),
    ),
    (r"anthropic|claude", ("Anthropic", "Claude")),
    (r"google|gemini|gemma", ("Google DeepMind", "DeepMind", "Google AI", "Google", "Gemini", "Gemma")),
    (r"meta-llama|llama(?!cpp|file)", ("Meta AI", "Llama")),
    (r"(?:mi|mini|magi)stral|mixtral|codestral|devstral|pixtral", ("Mistral AI", "Mistral", "Mixtral")),
    (r"deepseek", ("DeepSeek", "Deep Seek", "深度求索")),
    (
        r"qwen|qwq|alibaba|dashscope",
        ("Qwen", "QwQ", "Tongyi Qianwen", "Tongyi", "Alibaba", "通义千问", "千问"),
    ),
    (r"xai|x-ai|grok", ("xAI", "x.ai", "Grok")),
    (r"moonshot|kimi", ("Moonshot AI", "Moonshot", "Kimi", "月之暗面")),
    (r"zhipu|z-?ai|glm|chatglm", ("Zhipu AI", "Zhipu", "Z.ai", "ChatGLM", "GLM", "智谱")),
    (r"minimax|abab", ("MiniMax",)),
    (r"cohere|command-", ("Cohere", "Command R", "Command A")),
    (r"microsoft|phi(?![a-z])", ("Microsoft", "Phi")),
    (r"nvidia|nemotron", ("NVIDIA", "Nemotron")),
    (r"ibm|granite", ("IBM", "Granite")),
    (r"amazon|nova(?![a-z])", ("Amazon Nova", "Nova")),
    (r"tencent|hunyuan", ("Tencent", "Hunyuan", "混元")),
    (r"baidu|ernie", ("Baidu", "ERNIE Bot", "ERNIE", "文心一言")),
    (r"bytedance|doubao", ("ByteDance", "Doubao", "豆包")),
    (r"perplexity|sonar", ("Perplexity", "Sonar")),
    (r"smollm|huggingface", ("SmolLM", "Hugging Face", "HuggingFace")),
)

_TIERS: Final = (
    *("opus", "sonnet", "haiku", "pro", "flash", "ultra", "mini", "nano", "lite", "turbo", "large", "medium"),
    *("small", "max", "plus", "instruct", "chat", "reasoner", "coder", "thinking", "preview", "latest"),
    "fast",
)
"""Words that belong to a name after it: ``Claude Sonnet 4.5``, ``GPT-5 mini``."""

_COMMON_WORDS: Final = frozenset(
    {"against", "auto", "chat", "con", "default", "for", "large", "local", "model", "pro", "small", "test"}
)
"""Names of debaters and models that are words like any other: these stay."""

_MAX_NAME_LENGTH: Final = 100
"""Characters of a name that are compared."""


class Mask(NamedTuple):
    """What hides a debater: the letter that stands for its `names`."""

    letter: str
    names: tuple[str, ...]


def own_names(name: str, scheme: str, model: str) -> tuple[str, ...]:
    """Return the names by which a debater may give itself away.

    `name` is the one the user chose, if any; `scheme` and `model` are those of its source. Names of other
    families stay: to speak of another model gives nothing away.
    """
    source = f"{scheme} {model}".lower()
    families = [names for key, names in _FAMILIES if re.search(rf"(?<![a-z\d])(?:{key})", source)]
    whole = model.partition("?")[0]
    parts = (whole, whole.rpartition("/")[2], whole.rpartition("/")[2].partition(":")[0])
    given = [each for each in (name, *parts) if len(each) > 2 and each.lower() not in _COMMON_WORDS]
    return tuple(dict.fromkeys((*given, *(each for names in families for each in names))))


# Patterns. `_held` matches whatever may still become a name, up to the end of the text so far.


_JOIN = "[-‐‑ _\u00a0]"
_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
"""A letter or digit, but of scripts without spaces between words: next to those, a name is a whole word."""

_VERSION = r"v?\d{1,8}(?:\.\d{1,8}){0,3}[a-z]{0,3}"
_PARTIAL_VERSION = r"v?(?:\d{1,8}(?:\.\d{1,8}){0,3}(?:\.|[a-z]{1,3})?)?"
_MAX_SUFFIXES = 5


def _partial(units: list[str]) -> str:
    """Return a pattern for every beginning of a sequence of patterns, the whole included."""
    pattern = ""
    for unit in reversed(units):
        pattern = f"{unit}(?:{pattern})?" if pattern else unit
    return pattern


def _units(name: str) -> list[str]:
    return [_JOIN if re.match(_JOIN, character) else re.escape(character) for character in name]


def _any_of(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def compile_mask(names: Collection[str]) -> re.Pattern[str]:
    """Return a pattern whose group ``name`` is one of the names, and ``held`` what may become one.

    Names are whole words in any case, with the version or the tier that follows. Hyphens and spaces in them
    are the same.
    """
    if not names:
        return re.compile("(?P<held>(?P<name>(?!)))")  # matches nothing
    lines = (" ".join(name.split())[:_MAX_NAME_LENGTH] for name in names)
    spelled = [_units(line) for line in sorted(lines, key=len, reverse=True)]
    whole = _any_of("".join(units) for units in spelled)
    suffix = f"{_JOIN}{_any_of((_VERSION, *_TIERS))}"
    full = f"{whole}(?:{_VERSION})?(?:{suffix}){{0,{_MAX_SUFFIXES}}}"
    tiers = (_partial(_units(tier)) for tier in _TIERS)
    begun = f"{_JOIN}{_any_of((*tiers, _PARTIAL_VERSION))}"
    held = _any_of((f"{full}(?:{begun})?", f"{whole}{_PARTIAL_VERSION}", *map(_partial, spelled)))
    return re.compile(rf"(?<!{_LETTER})(?:(?P<held>{held}\Z)|(?P<name>{full}(?!{_LETTER})))", re.IGNORECASE)


_END: Final = "\n"
"""What ends a text: no name continues after it."""


class NameMask:
    """Replaces names in a text that comes in pieces; `before` is the text before the first piece.

    The end of a piece is held back while it may be the beginning of a name.
    """

    def __init__(self, pattern: re.Pattern[str], letter: str, before: str = "") -> None:
        self._pattern = pattern
        self._letter = letter
        self._before = before[-1:]
        self.held = ""

    def feed(self, text: str, *, is_end: bool = False) -> str:
        """Return the masked text that is certain now; all of it at the end of the text."""
        text = f"{self._before}{self.held}{text}{_END if is_end else ''}"
        start = len(self._before)
        parts: list[str] = []
        while (found := self._pattern.search(text, start)) and found["held"] is None:
            parts += (text[start : found.start()], self._letter)
            start = found.end()
        end = found.start() if found else len(text) - len(_END) * is_end
        parts.append(text[start:end])
        self.held = text[end:] if found else ""
        self._before = text[:end][-1:]
        return "".join(parts)


# The source


class MaskedSource:
    """A source whose text, reasoning and faults do not tell who it is; itself a source."""

    model = ""

    def __init__(self, source: Source, mask: Mask) -> None:
        self._source = source
        self._pattern = compile_mask(mask.names)
        self._letter = mask.letter

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        async with AsyncExitStack() as connection:
            try:
                items = await connection.enter_async_context(self._source.open(request, resume))
            except Fault as fault:
                raise _hide_fault(fault) from None
            yield await connection.enter_async_context(aclosing(self._mask_items(items, resume)))

    async def _mask_items(
        self, items: AsyncIterator[StreamItem], resume: ResumePoint | None
    ) -> AsyncGenerator[StreamItem]:
        masks = _StreamMasks(self._pattern, self._letter)
        try:
            async for item in items:
                if isinstance(item, Connected):
                    masks = _StreamMasks(self._pattern, self._letter, *_text_before(item.origin, resume))
                for masked in masks.mask_item(item):
                    yield masked
        except UnmarkedEnd:  # probably the answer's own end
            for masked in masks.finish():
                yield masked
            raise
        except Fault as fault:
            raise _hide_fault(fault) from None


class _StreamMasks:
    """The masks of one connection, for its answer and its reasoning.

    A cursor is passed on with the next text or sign of life after which nothing is held back: text that is
    still held would be missing after it.
    """

    def __init__(self, pattern: re.Pattern[str], letter: str, answer: str = "", reasoning: str = "") -> None:
        self._masks = {False: NameMask(pattern, letter, answer), True: NameMask(pattern, letter, reasoning)}
        self._cursor: Cursor | None = None

    def mask_item(self, item: StreamItem) -> Iterator[StreamItem]:
        """Yield what is certain after an item of the stream."""
        match item:
            case Chunk():
                yield from self._mask_chunk(item)
            case Connected():
                yield _hide_connection(item)
            case KeepAlive():
                yield self._settle_cursor(item)
            case Reclassified():
                yield from (*self.finish(), item)
            case Finished():
                yield from (*self.finish(), replace(item, model="", response=""))
            case _:
                yield item

    def finish(self) -> Iterator[StreamItem]:
        """Yield what is held back at the end of the text."""
        for reasoning in (True, False):
            yield from self._end_text(reasoning=reasoning)
        if self._cursor is not None:
            yield self._settle_cursor(KeepAlive())

    def _mask_chunk(self, chunk: Chunk) -> Iterator[StreamItem]:
        # A name does not continue from the reasoning into the answer.
        yield from self._end_text(reasoning=not chunk.reasoning)
        text = self._masks[chunk.reasoning].feed(chunk.text)
        yield self._settle_cursor(
            Chunk(text, chunk.reasoning, chunk.cursor) if text else KeepAlive(chunk.cursor)
        )

    def _settle_cursor(self, item: Chunk | KeepAlive) -> Chunk | KeepAlive:
        """Return the item with the newest cursor, or with none while text is held back."""
        newest = item.cursor or self._cursor
        is_held = any(mask.held for mask in self._masks.values())
        self._cursor = newest if is_held else None
        return replace(item, cursor=None if is_held else newest)

    def _end_text(self, *, reasoning: bool) -> Iterator[StreamItem]:
        if self._masks[reasoning].held:
            yield Chunk(self._masks[reasoning].feed("", is_end=True), reasoning)


def _text_before(origin: StreamOrigin, resume: ResumePoint | None) -> tuple[str, str]:
    """Return the answer and the reasoning that precede the text of a connection."""
    if resume is None or origin is StreamOrigin.START:
        return "", ""
    return (resume.text, "") if origin is StreamOrigin.CONTINUATION else resume.at_cursor


def _hide_connection(connected: Connected) -> Connected:
    """Return a connection without what only some sources have."""
    transport = connected.transport if connected.transport.startswith("HTTP/") else ""
    return replace(connected, transport=transport, dropped=())


_MAX_STANDARD_STATUS: Final = 511
"""Statuses above it are some provider's own, such as Anthropic's 529."""


def _hide_fault(fault: Fault) -> Fault:
    """Replace the words of a fault, in which servers name themselves and their models, and return it."""
    fault.message, fault.hint = describe_hidden_fault(FaultReport(fault.kind, fault.message, fault.status))
    fault.args = (fault.message,)
    if fault.status is not None and fault.status > _MAX_STANDARD_STATUS:
        fault.status = None
    return fault
