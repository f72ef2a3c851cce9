"""Text as the program takes it in: files and pipes decoded, words counted while a text grows."""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from functools import cache

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
