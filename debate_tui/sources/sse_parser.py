"""Server-sent events from bytes, strictly by the WHATWG standard; shared by all HTTP sources.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

httpx-sse parses the fields. It departs from the standard in some places (byte order mark, charset, a lone CR
at the end of a read, `retry` that is not all digits, blocks without data, an unfinished last event, no size
limit), so it is only given complete events in lines that end in LF. Everything else is handled here: what it
would parse wrongly is removed first, and what carries no event (comments, `retry`, a block with only an id)
is reported as a keep-alive.
"""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import TYPE_CHECKING, cast

from debate_tui.domain.stream import Cursor, Fault, FaultKind, KeepAlive
from debate_tui.sources.payloads import UnfinishedEvent, errors, is_done_marker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    import httpx
    from httpx_sse import ServerSentEvent

EVENT_LIMIT = 1 << 20
"""Maximum size of an event and of a line, in characters."""

_MAX_PIECE = 1 << 14
"""Bytes parsed at a time: a few milliseconds of work, whatever they contain."""
_MAX_RETRY_DIGITS = 12
"""Longer reconnection times are truncated: no wait is that long."""
_COMMENTS = re.compile(r"(?:^:[^\n]*\n)++", re.MULTILINE)
_RETRY_LINES = re.compile(r"(?:^retry(?::[^\n]*)?\n)++", re.MULTILINE)
"""Reconnection times, which take effect immediately, wherever they occur."""
_RETRY_TIME = re.compile(r"^retry: ?([0-9]++)$", re.MULTILINE)
_SIMPLE_EVENTS = re.compile(
    r"(?:(?:(?:event|id)(?::[^\n]*)?\n)*+data(?::[^\n]*)?\n(?:(?:data|event|id)(?::[^\n]*)?\n)*+\n)++"
)
"""Events that httpx-sse parses correctly: each has data, and there are no other blank lines."""


class SseParser:
    """Parser for the server-sent events of one response, independent of how reads split the bytes.

    An event is returned as soon as its last byte has arrived; one that is unfinished at the end is not
    returned by `feed`, as the standard requires. Use one instance per response.
    """

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        # Reads are processed in pieces no larger than this, so only what began in an earlier piece, which is
        # the first line and the first block of this one, can exceed the limit.
        self._piece_size = min(_MAX_PIECE, limit)
        self._httpx_sse = _HttpxSseAdapter()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._started = False
        self._after_cr = False
        self._open_line: list[str] = []
        self._open_line_size = 0
        self._open_block: list[str] = []
        self._open_block_size = 0
        self._last_id = ""
        self._retry: float | None = None
        self._stray_lines: list[str] = []
        """Lines since the last event that are not fields."""
        self._stray_size = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent | KeepAlive]:
        """Yield the events completed by `data`, then at most one keep-alive for the rest.

        Raise a `bad_request` fault, after the events before it, for an event or a line beyond the limit: the
        server would send it again, so a retry cannot help.
        """
        if len(data) <= self._piece_size:
            yield from self._feed_piece(data)
            return
        for start in range(0, len(data), self._piece_size):
            yield from self._feed_piece(data[start : start + self._piece_size])

    def finish(self) -> UnfinishedEvent | None:
        """Return the unfinished end of the bytes if it may be an end marker or an error.

        That is an event without its blank line, a JSON body without field names, or a field named ``error``.
        """
        lines = "".join((*self._open_block, *self._open_line)).split("\n")
        fields = [
            (name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)
        ]
        event = next((value for name, value in fields if name == "event"), "message")
        data = "\n".join(value for name, value in fields if name == "data")
        if any(name == "data" for name, _ in fields):
            is_marker = is_done_marker(data) or event in ("done", "error")
            return (
                UnfinishedEvent(data=data, event=event) if is_marker or errors.is_json_object(data) else None
            )
        text = "\n".join((*self._stray_lines, *lines)).strip()
        if text.startswith("error:"):
            return UnfinishedEvent(data=text.removeprefix("error:").strip(), event="error")
        return UnfinishedEvent(data=text) if errors.is_json_object(text) or text.startswith("[{") else None

    def _feed_piece(self, data: bytes) -> list[ServerSentEvent | KeepAlive]:
        lines = self._complete_lines(self._normalise_newlines(self._decode(data)))
        if not lines:
            return []
        has_immediate_lines = False
        if "\n:" in lines or lines[0] == ":":
            lines, found = _COMMENTS.subn("", lines)
            has_immediate_lines = found > 0
        if "retry" in lines:
            if times := _RETRY_TIME.findall(lines):
                self._retry = int(times[-1].lstrip("0")[:_MAX_RETRY_DIGITS] or 0) / 1000
            lines, found = _RETRY_LINES.subn("", lines)
            has_immediate_lines = has_immediate_lines or found > 0
        previous_id = self._last_id
        events = self._parse_blocks(self._complete_blocks(lines))
        last_event_id = events[-1].id if events else previous_id
        items = cast("list[ServerSentEvent | KeepAlive]", events)
        if has_immediate_lines or self._last_id != last_event_id:
            cursor = None if self._last_id == last_event_id else Cursor(self._last_id)
            items.append(KeepAlive(cursor, self._retry))
            self._retry = None
        return items

    def _normalise_newlines(self, text: str) -> str:
        """Remove the byte order mark, and end every line with LF.

        A CR ends its line at once, and an LF right after it is skipped: waiting for the character after the
        CR would delay every event of a CR stream until the next one.
        """
        if not text:
            return text
        if not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text

    def _complete_lines(self, text: str) -> str:
        """Return the lines completed by `text`; the rest of the last one is kept."""
        cut = text.rfind("\n") + 1
        if not cut:
            self._open_line.append(text)
            self._open_line_size += len(text)
            self._check_limit(self._open_line_size)
            return ""
        lines = text[:cut]
        if self._open_line_size:
            lines = "".join((*self._open_line, lines))
            self._check_limit(lines.find("\n"))
        self._open_line = [text[cut:]]
        self._open_line_size = len(text) - cut
        return lines

    def _complete_blocks(self, lines: str) -> str:
        """Return the blocks completed by `lines`; the lines of the open one are kept."""
        cut = lines.rfind("\n\n") + 2
        if cut == 1:
            cut = int(lines.startswith("\n"))
        if not cut:
            self._open_block.append(lines)
            self._open_block_size += len(lines)
            self._check_limit(self._open_block_size)
            return ""
        blocks = lines[:cut]
        if self._open_block_size:
            blocks = "".join((*self._open_block, blocks))
        if len(blocks) > self._limit:
            self._check_limit(blocks.find("\n\n") + 1)
        self._open_block = [lines[cut:]]
        self._open_block_size = len(lines) - cut
        return blocks

    def _parse_blocks(self, blocks: str) -> list[ServerSentEvent]:
        if not blocks:
            return []
        if _SIMPLE_EVENTS.fullmatch(blocks):
            events = self._httpx_sse.parse(blocks, blocks.count("\n\n"))
            self._last_id = events[-1].id
            self._stray_lines.clear()
            return events
        return self._httpx_sse.parse(*self._drop_blocks_without_data(blocks))

    def _drop_blocks_without_data(self, blocks: str) -> tuple[str, int]:
        """Return the blocks with data and their number; other blocks only set the id of later events."""
        kept: list[str] = []
        block: list[str] = []
        has_data = False
        count = 0
        for line in blocks.split("\n")[:-1]:
            if line:
                name, _, value = line.partition(":")
                if name == "id" and "\0" not in value:
                    self._last_id = value.removeprefix(" ")
                    kept.append(line)
                else:
                    has_data = has_data or name == "data"
                    block.append(line)
                continue
            if has_data:
                kept += *block, ""
                count += 1
                self._stray_lines.clear()
            elif block:
                self._keep_stray(block)
            block.clear()
            has_data = False
        return "".join(f"{line}\n" for line in kept), count

    def _keep_stray(self, block: list[str]) -> None:
        """Keep the lines of a block that is not an event: the body may not be an event stream at all."""
        if not self._stray_lines:
            self._stray_size = 0
        self._stray_size += sum(map(len, block))
        if self._stray_size <= _MAX_PIECE:
            self._stray_lines += (line for line in block if line.partition(":")[0] != "event")

    def _check_limit(self, size: int) -> None:
        if size > self._limit:
            raise Fault(
                FaultKind.BAD_REQUEST, f"The server sent an event of more than {self._limit:,} characters."
            )


async def parse_sse(
    body: AsyncIterator[bytes], *, limit: int = EVENT_LIMIT
) -> AsyncGenerator[ServerSentEvent | KeepAlive, None]:
    """Yield the events of a response's body and keep-alives between them; see `SseParser`.

    `body` yields the bytes after content decoding, such as httpx's and httpx2's `aiter_bytes()`. The charset
    is UTF-8 whatever the headers say. The caller must check whether the response is an event stream, and
    whether its end was orderly.
    """
    stream = SseParser(limit)
    async for data in body:
        for item in stream.feed(data):
            yield item
    if unfinished := stream.finish():
        yield unfinished


class _HttpxSseAdapter:
    """The response passed to httpx-sse: text in which every event is complete."""

    def __init__(self) -> None:
        # This imports httpx, which must not slow down a start that makes no request yet.
        from httpx_sse import EventSource

        self.headers = {"content-type": "text/event-stream"}
        self._text = ""
        self._events = EventSource(cast("httpx.Response", self)).iter_sse()

    def parse(self, text: str, count: int) -> list[ServerSentEvent]:
        """Return the `count` events in `text`; the exact count keeps httpx-sse from reading past the end."""
        self._text += text
        return list(islice(self._events, count))

    def iter_text(self) -> Iterator[str]:
        while self._text:
            text, self._text = self._text, ""
            yield text
