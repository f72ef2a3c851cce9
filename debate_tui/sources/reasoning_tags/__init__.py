"""Separation of reasoning from text by its tags, for servers that leave it there.

Servers without a reasoning parser send a model's thoughts as text: between tags such as ``<think>`` and
``</think>``, between the control tokens of the harmony format (``<|channel|>analysis<|message|>``), or up to
a lone closing tag if the prompt template contained the opening one. An opening tag only counts at the start
of an answer, ignoring white space. A lone closing tag counts once, outside code, at the end of a line. A tag
that is never closed is open to the end.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Finished,
    KeepAlive,
    Reclassified,
    StreamOrigin,
    UnmarkedEnd,
)
from debate_tui.domain.text import CodeTracker
from debate_tui.sources.reasoning_tags.tags import (
    BARE_ANALYSIS,
    BARE_FINAL,
    BARE_FINAL_PATTERN,
    HARMONY_TOKEN,
    MAX_TAG_LENGTH,
    TAG,
    TAG_OR_TOKEN,
    HarmonyState,
    harmony_ending,
    is_opening,
    line_ending,
    may_become_tag,
    partial_mark_start,
    tag_name,
)

if TYPE_CHECKING:
    import re
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from debate_tui.domain.stream import Cursor, ResumePoint, Source, StreamItem, TurnRequest

_MIN_REPEAT = 20
"""Characters that must match known reasoning for text to be recognised as it."""
_MAX_BLANKS = 4096
"""Characters of white space held back at the start of an answer, as a tag may follow."""

_Mode = Literal["start", "reasoning", "text", "harmony"]


class ReasoningTagSource:
    """A wrapper that marks the text inside a source's reasoning tags as reasoning."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def model(self) -> str:
        return self._source.model

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        async with (
            self._source.open(request, resume) as items,
            aclosing(_split_items(items, resume)) as split,
        ):
            yield split


async def _split_items(
    items: AsyncIterator[StreamItem], resume: ResumePoint | None
) -> AsyncGenerator[StreamItem]:
    splitter = ReasoningTagSplitter()
    try:
        async for item in items:
            if type(item) is Chunk and not item.reasoning and splitter.is_plain(item.text):
                yield item
                continue
            match item:
                case Chunk(reasoning=False):
                    for part in splitter.split(item):
                        yield part
                case Connected():
                    splitter = _splitter_for(item.origin, resume)
                    yield item
                case Chunk() | KeepAlive():
                    splitter.saw_reasoning |= isinstance(item, Chunk)
                    yield splitter.mark_cursor(item)
                case Finished():
                    for part in splitter.finish():
                        yield part
                    yield item
                case _:
                    yield item
    except UnmarkedEnd:  # probably the answer's own end
        for part in splitter.finish():
            yield part
        raise


def _splitter_for(origin: StreamOrigin, resume: ResumePoint | None) -> ReasoningTagSplitter:
    if resume is None:
        return ReasoningTagSplitter()
    if origin is StreamOrigin.CONTINUATION:
        return ReasoningTagSplitter(is_continuation=True)
    if origin is StreamOrigin.START or resume.cursor is None:
        return ReasoningTagSplitter(known_reasoning=resume.reasoning)
    return ReasoningTagSplitter.restore(resume, resume.cursor.state)


class ReasoningTagSplitter:
    """Splits the text of one connection into answer and reasoning.

    `known_reasoning` is from an earlier connection that began at the same position: text that begins the same
    way is the same reasoning, although its closing tag has not arrived yet. In a continuation, spaces after
    reasoning belong to the answer, which may resume within a sentence.
    """

    def __init__(self, known_reasoning: str = "", *, is_continuation: bool = False) -> None:
        self.saw_reasoning = False  # whether reasoning has arrived separately from the text
        self._mode: _Mode = "start"
        self._held = ""  # text that may be part of a tag
        self._held_cursor: Cursor | None = None
        self._after_reasoning = False  # whether reasoning has just ended and the answer has not begun
        self._tag_name = ""
        self._at_opening = False  # whether reasoning has begun but has no words yet
        self._lone_tag_counts = True  # whether a lone closing tag still counts
        self._has_text = False
        self._margin = "\r\n" if is_continuation else None
        """Characters dropped between reasoning and answer; `None` for all white space."""
        self._known_reasoning = known_reasoning.lstrip()
        self._code = CodeTracker()
        self._open_tags = 0
        """Number of unclosed opening tags that are part of the text."""
        self._is_quoted = False  # whether a backtick preceded the last tag
        self._unread: list[str] = []  # text not read by the code tracker yet
        self._harmony = HarmonyState()

    @classmethod
    def restore(cls, resume: ResumePoint, state: str) -> ReasoningTagSplitter:
        """Return the splitter of a connection that resumes exactly at a cursor with this state."""
        splitter = cls()
        kind, _, detail = state.removesuffix("!").partition(" ")
        splitter._lone_tag_counts = not state.endswith("!")
        text, reasoning = resume.at_cursor
        splitter._has_text = bool(text.strip())
        if kind in ("open", "in"):
            splitter._mode, splitter._tag_name = "reasoning", detail
            splitter._at_opening = kind == "open"
            splitter._recount(reasoning)
        elif kind == "harmony":
            splitter._mode = "harmony"
            splitter._harmony = HarmonyState(detail)
        elif splitter._has_text:
            splitter._mode = "text"
            splitter._recount(text)
        else:
            splitter._after_reasoning = kind == "closed"
        return splitter

    @property
    def state(self) -> str:
        """State for `restore`; empty if no tag has counted yet, or if only the answer's text matters."""
        end = "" if self._lone_tag_counts else "!"
        if self._mode == "reasoning":
            return f"{'open' if self._at_opening else 'in'} {self._tag_name}{end}"
        if self._mode == "harmony":
            return f"harmony {self._harmony.channel}{end}"
        return ("closed" if self._mode == "start" and self._after_reasoning else "") + end

    def is_plain(self, text: str) -> bool:
        """Accept `text` and return true if it is answer text without tags, the usual case."""
        if "<" in text or "[" in text or "◁" in text or self._held:
            return False
        if self._mode != "text" or not self._lone_tag_counts:
            return False
        self._unread.append(text)
        return True

    def split(self, chunk: Chunk) -> Iterator[StreamItem]:
        """Yield the items for a chunk of text; a keep-alive if it is held back."""
        self._held_cursor = chunk.cursor or self._held_cursor
        parts = self._read(chunk.text, is_end=False)
        if self._is_pending or self._held_cursor is None:
            yield from parts or (KeepAlive(),)
            return
        cursor, self._held_cursor = self._mark(self._held_cursor), None
        last = parts.pop() if parts and isinstance(parts[-1], Chunk) else KeepAlive()
        yield from parts
        yield replace(last, cursor=cursor)

    def finish(self) -> Iterator[StreamItem]:
        """Yield what was held back until the end."""
        yield from self._read("", is_end=True)
        if self._held_cursor is not None:
            yield KeepAlive(self._mark(self._held_cursor))

    def mark_cursor(self, item: Chunk | KeepAlive) -> StreamItem:
        """Return a non-text item with its cursor ready for `restore`; no cursor while text is held back."""
        if item.cursor is None:
            return item
        if self._is_pending:
            self._held_cursor = item.cursor
            return replace(item, cursor=None)
        return replace(item, cursor=self._mark(item.cursor)) if self.state else item

    def _mark(self, cursor: Cursor) -> Cursor:
        return replace(cursor, state=self.state) if self.state and cursor.position else cursor

    @property
    def _is_pending(self) -> bool:
        return bool(self._held) or (self._mode == "harmony" and self._harmony.in_header)

    def _read(self, text: str, *, is_end: bool) -> list[StreamItem]:
        self._held += text
        parts: list[StreamItem] = []
        while self._held:
            is_again = self._read_start(is_end) if self._mode == "start" else self._read_marks(parts, is_end)
            if not is_again:
                break
        return parts

    # The start of an answer. Methods return true if the held text must be read again, in another mode.

    def _read_start(self, is_end: bool) -> bool:
        text = self._held.lstrip()
        if not text and len(self._held) < _MAX_BLANKS and not is_end:
            if self._after_reasoning:
                self._held = self._held.lstrip(self._margin)
            return False
        begins = self._begins_reasoning(text, is_end)
        if begins is False:
            self._mode = "text"
            if self._after_reasoning:
                self._held = self._held.lstrip(self._margin)
            self._restart_tracking()
        return begins is not None

    def _begins_reasoning(self, text: str, is_end: bool) -> bool | None:
        """Read what may precede an answer; return `None` if undecided, false if none of it does."""
        if (tag := TAG.match(text)) is not None:
            if is_opening(tag):
                self._open(tag, text[tag.end() :])
                return True
            ending = line_ending(text, tag.end(), is_end) if self._lone_tag_counts else 0
            if ending <= 0:
                return None if ending else False
            self._lone_tag_counts = False
            self._close(text[ending:])
            return True
        if HARMONY_TOKEN.match(text):
            self._mode, self._held = "harmony", text
            return True
        if BARE_ANALYSIS.match(text):
            self._mode, self._tag_name, self._held = "reasoning", BARE_FINAL, text[len("analysis") :]
            return True
        if text and not is_end and (may_become_tag(text) or "analysis".startswith(text)):
            return None
        return self._repeats_reasoning(text, is_end)

    def _repeats_reasoning(self, text: str, is_end: bool) -> bool | None:
        """Return whether text without a tag is known reasoning; `None` if it is too short to decide."""
        known = self._known_reasoning
        if not known or not text or self.saw_reasoning or self._after_reasoning or not self._lone_tag_counts:
            return False
        if not known.startswith(text[:MAX_TAG_LENGTH]):
            return False
        if not is_end and len(text) < min(_MIN_REPEAT, len(known)):
            return None
        self._mode, self._tag_name = "reasoning", "think"
        return True

    def _open(self, tag: re.Match[str], rest: str) -> None:
        if (tag["rest"] or "").endswith("/"):
            self._close(rest)
            return
        self._mode, self._tag_name, self._held = "reasoning", tag_name(tag), rest
        self._after_reasoning = self._at_opening = True
        self._restart_tracking()

    def _close(self, rest: str) -> None:
        """Continue with the answer after its reasoning."""
        self._mode, self._held, self._after_reasoning = "start", rest, True

    # Text and the marks in it: tags, control tokens, or the words that stand for them.

    def _read_marks(self, parts: list[StreamItem], is_end: bool) -> bool:
        if self._at_opening:
            self._held = self._held.lstrip()
            self._at_opening = not self._held
        held, start, mode, pattern = self._held, 0, self._mode, self._mark_pattern()
        for mark in pattern.finditer(held) if pattern else ():
            self._give(parts, held[start : mark.start()])
            start = mark.start()
            ending = self._read_mark(parts, mark, is_end)
            if ending < 0:
                self._held = held[start:]
                return False
            if self._mode != mode:
                self._held = held[ending:]
                return True
            start = ending or start
        closing = self._tag_name if mode == "reasoning" else ""
        end = partial_mark_start(held, start, closing) if pattern and not is_end else len(held)
        self._give(parts, held[start:end])
        self._held = held[end:]
        return False

    def _mark_pattern(self) -> re.Pattern[str] | None:
        match self._mode:
            case "reasoning":
                return BARE_FINAL_PATTERN if self._tag_name == BARE_FINAL else TAG
            case "harmony":
                return HARMONY_TOKEN
            case _:
                return TAG_OR_TOKEN if self._lone_tag_counts else None

    def _read_mark(self, parts: list[StreamItem], mark: re.Match[str], is_end: bool) -> int:
        """Return the end of a mark that counts; 0 if it is part of the text, -1 if undecided."""
        if self._mode == "harmony":
            return self._read_token(mark)
        if self._mode == "reasoning":
            ending = self._closing_end(mark, is_end)
            if ending > 0:
                self._close("")
            return ending
        ending = self._lone_mark_end(mark, is_end)
        if ending > 0:
            self._lone_tag_counts = False
            if self._has_text:
                parts.append(Reclassified())
                self._has_text = False
            self._close("")
            if mark["token"]:
                self._mode, self._harmony = "harmony", HarmonyState("final")
                self._restart_tracking()
        return ending

    def _read_token(self, token: re.Match[str]) -> int:
        harmony = self._harmony
        if harmony.channel == "final" and not harmony.in_header:
            self._track()
            if self._code.is_code:
                return 0
        harmony.read_token(token["token"])
        if harmony.channel == "final":
            self._restart_tracking()
        return token.end()

    def _closing_end(self, tag: re.Match[str], is_end: bool) -> int:
        """Return the end of a tag if it closes the reasoning around it; see `_read_mark`."""
        if self._tag_name == BARE_FINAL:
            return tag.end()
        if self._unread:
            self._is_quoted = self._unread[-1].endswith("`")
        self._track()
        code = self._code
        if is_opening(tag):
            self._open_tags += bool(code.fence)
            return 0
        if code.fence and self._open_tags:
            self._open_tags -= 1
            return 0
        if code.is_inline and self._is_quoted:
            after = tag.string[tag.end() : tag.end() + 1]
            if not after and not is_end:
                return -1
            return 0 if after == "`" else tag.end()
        return tag.end() if tag_name(tag) == self._tag_name else line_ending(tag.string, tag.end(), is_end)

    def _lone_mark_end(self, mark: re.Match[str], is_end: bool) -> int:
        """Return the end of a mark if it makes all text before it reasoning; see `_read_mark`."""
        text = mark.string
        if mark["token"]:
            ending = harmony_ending(text, mark.start(), is_end)
        else:
            ending = 0 if is_opening(mark) else line_ending(text, mark.end(), is_end)
        if ending < 0:
            return ending
        self._track()
        if self._code.is_code:
            return 0
        if not mark["token"] and (is_opening(mark) or self._open_tags):
            self._open_tags += 1 if is_opening(mark) else -1
            return 0
        return ending

    def _give(self, parts: list[StreamItem], text: str) -> None:
        reasoning = self._mode == "reasoning"
        if self._mode == "harmony":
            text = self._harmony.read_text(text)
            if self._harmony.channel == "tool":
                return
            reasoning = self._harmony.channel != "final"
        if not text:
            return
        parts.append(Chunk(text, reasoning))
        self._has_text = self._has_text or (not reasoning and not text.isspace())
        if self._lone_tag_counts or self._mode != "text":
            self._unread.append(text)

    # Code in the text.

    def _track(self) -> None:
        """Update the code tracker to the current position."""
        self._code.read("".join(self._unread))
        self._unread.clear()

    def _recount(self, text: str) -> None:
        """Count code and open tags in the text from an earlier connection."""
        start = 0
        for tag in TAG.finditer(text):
            self._unread.append(text[start : tag.start()])
            start = tag.start()
            self._track()
            if bool(self._code.fence) if self._mode == "reasoning" else not self._code.is_code:
                self._open_tags = max(0, self._open_tags + (1 if is_opening(tag) else -1))
        self._unread.append(text[start:])

    def _restart_tracking(self) -> None:
        self._code, self._open_tags = CodeTracker(), 0
        self._unread.clear()
