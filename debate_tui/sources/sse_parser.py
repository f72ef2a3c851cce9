"""Server-sent events from bytes, strictly by the WHATWG standard; shared by all HTTP sources.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Events are httpx-sse's. Its parser departs from the standard in some places (byte order mark, charset, a lone
CR at the end of a read, `retry` that is not all digits, blocks without data, an unfinished last event, no
size limit), so the fields are read here. What carries no event (comments, `retry`, a block with only an id)
is reported as a keep-alive.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Cursor, Fault, FaultKind, KeepAlive
from debate_tui.sources.payloads import UnfinishedEvent, is_done_marker
from debate_tui.sources.payloads.json_decoder import is_json_object

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from httpx_sse import ServerSentEvent

EVENT_LIMIT = 1 << 20
"""Maximum size of an event and of a line, in characters."""

_MAX_RETRY_DIGITS = 12
"""Longer reconnection times are truncated: no wait is that long."""
_MAX_STRAY_SIZE = 1 << 16
"""Characters kept of lines that are not fields."""


class SseParser:
    """Parser for the server-sent events of one response, independent of how reads split the bytes.

    An event is returned as soon as its last byte has arrived; one that is unfinished at the end is not
    returned by `feed`, as the standard requires. Use one instance per response.
    """

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        # This imports httpx, which must not slow down a start that makes no request yet.
        from httpx_sse import ServerSentEvent

        self._make_event = ServerSentEvent
        self._limit = limit
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._started = False
        self._after_cr = False
        self._open_line: list[str] = []
        self._open_line_size = 0
        # The block being read: the lines since the last blank one.
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._block_size = 0
        self._last_id = ""
        self._retry: float | None = None
        self._stray_lines: list[str] = []
        """Lines since the last event that are not fields: the body may not be an event stream at all."""
        self._stray_size = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent | KeepAlive]:
        """Yield the events completed by `data`, then at most one keep-alive for the rest.

        Raise a `bad_request` fault, after all of these, for an event or a line beyond the limit: the server
        would send it again, so a retry cannot help.
        """
        has_sign = False
        event_id = self._last_id
        for line in self._complete_lines(data):
            if not line:
                self._last_id = self._id
                if self._data:
                    event_id = self._id
                    yield self._take_event()
                self._event = ""
                self._block_size = 0
                continue
            if line.startswith("data: "):
                self._data.append(line[6:])
            elif self._read_field(line):
                has_sign = True
                if len(line) <= self._limit:
                    continue
            self._block_size += len(line) + 1
            if self._block_size > self._limit:
                break
        if has_sign or self._last_id != event_id:
            yield KeepAlive(None if self._last_id == event_id else Cursor(self._last_id), self._retry)
            self._retry = None
        if max(self._block_size, self._open_line_size) > self._limit:
            message = f"The server sent an event longer than {self._limit:,} characters."
            raise Fault(FaultKind.BAD_REQUEST, message)

    def finish(self) -> UnfinishedEvent | None:
        """Return the unfinished end of the bytes if it may be an end marker or an error.

        That is an event without its blank line, a JSON body without field names, or a field named ``error``.
        """
        self._read_field("".join(self._open_line))
        if self._data:
            data = "\n".join(self._data)
            if is_done_marker(data) or self._event in ("done", "error") or is_json_object(data):
                return UnfinishedEvent(data=data, event=self._event or "message")
            return None
        text = "\n".join(self._stray_lines).strip()
        if text.startswith("error:"):
            return UnfinishedEvent(data=text.removeprefix("error:").strip(), event="error")
        return UnfinishedEvent(data=text) if text.startswith("[{") or is_json_object(text) else None

    def _complete_lines(self, data: bytes) -> list[str]:
        """Return the lines completed by `data`; the rest of the last one is kept.

        A CR ends its line at once, and an LF right after it is skipped: waiting for the character after the
        CR would delay every event of a CR stream until the next one.
        """
        text = self._decode(data)
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        if text and self._after_cr:
            self._after_cr = False
            text = text.removeprefix("\n")
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        rest = lines.pop()
        if lines:
            if self._open_line:
                lines[0] = "".join((*self._open_line, lines[0]))
            self._open_line, self._open_line_size = [], 0
        if rest:
            self._open_line.append(rest)
            self._open_line_size += len(rest)
        return lines

    def _read_field(self, line: str) -> bool:
        """Read a line; return whether it counts at once, wherever it is (a comment, `retry`)."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id":
                if "\0" not in value:
                    self._id = value
            case "retry":
                if value.isascii() and value.isdecimal():
                    self._retry = int(value.lstrip("0")[:_MAX_RETRY_DIGITS] or 0) / 1000
                return True
            case "":
                return True
            case _:
                if self._stray_size <= _MAX_STRAY_SIZE:
                    self._stray_lines.append(line)
                    self._stray_size += len(line)
        return False

    def _take_event(self) -> ServerSentEvent:
        """Return the event of the block that ends here."""
        event = self._make_event(self._event, "\n".join(self._data), self._id)
        self._data = []
        if self._stray_lines:
            self._stray_lines, self._stray_size = [], 0
        return event


async def parse_sse(
    body: AsyncIterator[bytes], *, limit: int = EVENT_LIMIT
) -> AsyncGenerator[ServerSentEvent | KeepAlive, None]:
    """Yield the events of a response's body and keep-alives between them; see `SseParser`.

    `body` yields the bytes after content decoding, such as httpx's and httpx2's `aiter_bytes()`. The charset
    is UTF-8 whatever the headers say. The caller must check whether the response is an event stream, and
    whether its end was orderly.
    """
    parser = SseParser(limit)
    async for data in body:
        for item in parser.feed(data):
            yield item
    if unfinished := parser.finish():
        yield unfinished
