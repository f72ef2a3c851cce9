"""Helpers for text: decoding files, counting words, joining names, dates, and code in Markdown."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD_CHARACTER = re.compile(r"\w")


@cache
def _token_pattern() -> re.Pattern[str]:
    """Compile the pattern on first use: its large character class takes time."""
    return re.compile(rf"(?P<space>\s+)|(?P<alone>[{_CJK}])|[^\s{_CJK}]+")


def decode_text(data: bytes, errors: str = "strict") -> str:
    """Decode UTF-8, or the encoding named by a byte order mark, which Windows' tools write.

    Line ends become ``\\n``. With `errors` set to ``strict``, raise `UnicodeDecodeError` if the data is not
    text.
    """
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(data) > 2
    text = data.decode("utf-16" if is_utf16 else "utf-8-sig", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class CharacterJoiner:
    """Joins the halves of surrogate pairs in text that arrives in pieces.

    Senders that cut text by UTF-16 units put such halves into two successive pieces.
    """

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def join(self, piece: str) -> str:
        """Return the whole characters of the next piece; half a character is held until the other comes."""
        text = self._half + piece
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        if self._half:
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class WordCounter:
    """A counter of words in text that arrives in pieces.

    A word is a run of characters between white space that contains a letter or a digit; each CJK character
    counts as one word.
    """

    __slots__ = ("_in_word", "count")

    def __init__(self) -> None:
        self.count = 0
        self._in_word = False

    def feed(self, text: str) -> None:
        """Count the words of the next piece; the total does not depend on where the text is cut."""
        for part in _token_pattern().finditer(text):
            if part["space"]:
                self._in_word = False
            elif part["alone"]:
                self.count += 1
                self._in_word = False
            elif not self._in_word and _WORD_CHARACTER.search(part[0]):
                self.count += 1
                self._in_word = True


def join_names(names: Sequence[str]) -> str:
    """Join names in a sentence: ``A, B and C``."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


# Dates


def to_datetime(seconds: float, *, local: bool = False) -> datetime | None:
    """Convert seconds since the epoch to a date and time, in UTC or in local time.

    Return `None` if the calendar has no such date: times in a record need not be true.
    """
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment.astimezone() if local else moment
    except (OverflowError, OSError, ValueError):
        return None


# Code in Markdown


_HEAD_LENGTH = 256
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*\Z)|~{3,})")
_BACKTICKS = re.compile(r"`+")
_INDENTS = ("    ", "\t")


class CodeTracker:
    """A tracker of whether Markdown that arrives in pieces currently ends in code.

    Only the start of a line is kept, so the cost does not depend on the length of lines. A run of backticks
    must not be split between pieces. Inline code that is not yet closed counts as code.
    """

    def __init__(self) -> None:
        self.fence = ""
        """The marker that opened the current fenced block; empty outside one."""
        self._head = ""
        self._backticks = 0
        """Number of backticks that opened the current inline code; 0 outside it."""
        self._after_blank = True

    @property
    def is_inline(self) -> bool:
        """Whether backticks are open in the current paragraph."""
        return self._backticks > 0

    @property
    def is_code(self) -> bool:
        """Whether the next character would be in code of any kind."""
        return bool(self.fence or self._backticks or self._is_literal_line())

    def read(self, text: str) -> None:
        """Process the next piece of text."""
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
        """Return whether the line belongs to an indented code block or opens a fence."""
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


MAX_CHECKED_LENGTH: Final = 200_000
"""Characters of a text from its start in which quotes are looked for and found."""


def has_quotation_marks(text: str) -> bool:
    """Return whether a text may have a quote; cheap, and without the patterns that find one."""
    return any(mark in text for mark in '"“”„«»「『')
