"""What a terminal shows and which of its modes are on, as told by the bytes that were written to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyte
from wcwidth import iter_graphemes, wcswidth

if TYPE_CHECKING:
    from collections.abc import Iterable

FRAME_START = b"\x1b[?2026h"
FRAME_END = b"\x1b[?2026l"

_QUERY = re.compile(rb"\x1b\[\?(\d+)\$p")
_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_KEYBOARD = re.compile(rb"\x1b\[([<>])\d*u")
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<>=][\d;]*[a-zA-Z]|\?\d+\$p)")
_UNFINISHED = re.compile(rb"\x1b(?:\[[?<>=\d;$]*)?\Z")

SUPPORTED = {2026: 2, 2048: 0}
"""How modes are answered for: 2 is known and off, 0 is unknown."""


class GraphemeScreen(pyte.Screen):
    """A screen that puts a whole grapheme into a cell, as terminals do that know emoji sequences."""

    def draw(self, data: str) -> None:
        for cluster in (data,) if len(data) == 1 else iter_graphemes(data):
            self._put(cluster, 1 if cluster.isascii() else wcswidth(cluster))

    def _put(self, cluster: str, width: int) -> None:
        line, cursor = self.buffer[self.cursor.y], self.cursor
        if width <= 0:
            if cursor.x:
                last = line[cursor.x - 1]
                line[cursor.x - 1] = last._replace(data=last.data + cluster)
            return
        cursor.x = min(cursor.x, self.columns - width)
        line[cursor.x] = cursor.attrs._replace(data=cluster)
        for stub in range(cursor.x + 1, cursor.x + width):
            line[stub] = cursor.attrs._replace(data="")
        cursor.x += width


class EmulatedDisplay:
    """Takes what is written to a terminal, frame by frame.

    `frames` are the synchronized updates, as written; `raw` is everything. What is not part of a frame is
    shown at once, a frame when it is complete.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.cells = GraphemeScreen(columns, rows)
        self.frames: list[bytes] = []
        self.raw = bytearray()
        self.modes: dict[int, bool] = {}
        self.keyboard_protocol_depth = 0
        self._stream = pyte.ByteStream(self.cells)
        self._rest = b""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Take what was written; returns what the terminal answers."""
        self.raw += data
        data = self._rest + data
        end = len(data)
        if (unfinished := _UNFINISHED.search(data)) is not None:
            end = unfinished.start()
        start = 0
        while (begin := data.find(FRAME_START, start, end)) >= 0:
            stop = data.find(FRAME_END, begin, end)
            if stop < 0:
                end = begin
                break
            yield from self._take(data[start:begin])
            self.frames.append(data[begin : stop + len(FRAME_END)])
            yield from self._take(self.frames[-1])
            start = stop + len(FRAME_END)
        yield from self._take(data[start:end])
        self._rest = data[max(start, end) :]

    def _take(self, data: bytes) -> Iterable[bytes]:
        for numbers, switch in _MODES.findall(data):
            self.modes.update(dict.fromkeys(map(int, numbers.split(b";")), switch == b"h"))
        for change in _KEYBOARD.findall(data):
            self.keyboard_protocol_depth += 1 if change == b">" else -1
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        for mode in map(int, _QUERY.findall(data)):
            yield b"\x1b[?%d;%d$y" % (mode, SUPPORTED.get(mode, 0))

    def resize(self, columns: int, rows: int) -> None:
        """Take another size, as it was shown."""
        self.cells.resize(rows, columns)

    def row(self, y: int, first: int = 0, end: int | None = None) -> str:
        """A row's text, or what its cells from `first` to before `end` hold."""
        line = self.cells.buffer[y]
        return "".join(line[x].data for x in range(first, self.cells.columns if end is None else end))

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(self.row(y).rstrip() for y in range(self.cells.lines))
