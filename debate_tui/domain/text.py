"""Text as the program takes it in, and puts in words: files decoded, words counted, lists told."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD_CHARACTER = re.compile(r"\w")


@cache
def _token_pattern() -> re.Pattern[str]:
    """Compiled when there is something to count: so many characters take their time."""
    return re.compile(rf"(?P<space>\s+)|(?P<alone>[{_CJK}])|[^\s{_CJK}]+")


def decode_text(data: bytes, errors: str = "strict") -> str:
    """Text in UTF-8, or in what its byte order mark says: Windows' editors and shells begin files with one.

    Line ends become ``\\n``. With `errors` as ``strict``, raises `UnicodeDecodeError` for what is no text.
    """
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(data) > 2
    text = data.decode("utf-16" if is_utf16 else "utf-8-sig", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class WordCounter:
    """A word is what stands between blanks and has a letter or a digit; a CJK character is one by itself."""

    __slots__ = ("_in_word", "count")

    def __init__(self) -> None:
        self.count = 0
        self._in_word = False

    def feed(self, text: str) -> None:
        """Count on; however a text is cut, the count is the same."""
        for part in _token_pattern().finditer(text):
            if part["space"]:
                self._in_word = False
            elif part["alone"]:
                self.count += 1
                self._in_word = False
            elif not self._in_word and _WORD_CHARACTER.search(part[0]):
                self.count += 1
                self._in_word = True


# The log's times as dates.


def to_datetime(seconds: float, *, local: bool = False) -> datetime | None:
    """The date and time of seconds since the epoch, in UTC or as clocks here have it.

    `None` where the calendar has none: what a record says of when it was need not be true.
    """
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment.astimezone() if local else moment
    except (OverflowError, OSError, ValueError):
        return None


# Where in Markdown a text stands, as it comes in.


_HEAD_LENGTH = 256
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*\Z)|~{3,})")
_BACKTICKS = re.compile(r"`+")
_INDENTS = ("    ", "\t")


class CodeTracker:
    """Whether the end of a Markdown text is in code, for text that comes in pieces.

    Only the beginning of a line is kept: the cost is that of the text, however long its lines are. A run of
    backticks must not be cut. Inline code whose end is yet to come counts as code.
    """

    def __init__(self) -> None:
        self.fence = ""
        """What opened the fenced block under way."""
        self._head = ""
        self._backticks = 0
        """How many backticks opened the inline code under way."""
        self._after_blank = True

    @property
    def is_inline(self) -> bool:
        """Whether backticks are open in the paragraph."""
        return self._backticks > 0

    @property
    def is_code(self) -> bool:
        """Whether the next character would be in code of any kind."""
        return bool(self.fence or self._backticks or self._is_literal_line())

    def read(self, text: str) -> None:
        """Read on."""
        first, *others = text.split("\n")
        self._read_part(first)
        for line in others:
            self._end_line()
            self._read_part(line)

    def _read_part(self, part: str) -> None:
        self._head += part[: max(0, _HEAD_LENGTH - len(self._head))]
        if self.fence or self._is_literal_line():
            return
        for run in _BACKTICKS.findall(part):
            if not self._backticks:
                self._backticks = len(run)
            elif self._backticks == len(run):
                self._backticks = 0

    def _is_literal_line(self) -> bool:
        """Whether the line is an indented code block's, or opens a fence."""
        return _FENCE.match(self._head) is not None or (
            self._after_blank and self._head.startswith(_INDENTS) and bool(self._head.strip())
        )

    def _end_line(self) -> None:
        head, self._head = self._head, ""
        fence = _FENCE.match(head)
        if self.fence:
            if fence and fence[1].startswith(self.fence) and not head[fence.end() :].strip():
                self.fence = ""
        elif fence:
            self.fence, self._backticks = fence[1], 0
        elif not head.strip():
            self._backticks, self._after_blank = 0, True
            return
        elif self._after_blank and head.startswith(_INDENTS):
            return  # the next line of an indented block
        self._after_blank = False


def describe_dropped(settings: Sequence[str]) -> str:
    """What there is to say of settings that a server has refused, in one sentence."""
    names = " and ".join(f"'{name}'" for name in settings)
    return f"The server refused {names}: no longer sent."
