"""How many terminal cells text takes.

The figures are Rich's, because the screen is composed with them: two for CJK and emoji, none for combining
and other zero-width characters, and one figure for a whole emoji sequence.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, split_graphemes

is_narrow = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u2070-\u209c\u20a0-\u20c0"
    "\u2100-\u22ff\u2500-\u25fc\u2713-\u2718]*"
).fullmatch
"""Whether each character of a text takes one cell and stands for itself: Latin, Greek, Cyrillic, typography,
currency, arrows, mathematics, boxes. A variation selector is none of these, so nothing can widen one later."""


def cells(text: str) -> int:
    """The width of a text without line breaks."""
    return len(text) if is_narrow(text) else cell_len(text)


def graphemes(text: str) -> list[tuple[int, int, int]]:
    """Start, end and width of everything in a text that may not be torn apart."""
    return split_graphemes(text)[0]


def crop(text: str, width: int) -> str:
    """As much of a text as fits into `width` cells, without tearing a grapheme."""
    if is_narrow(text):
        return text[:width]
    used = 0
    for start, _, size in graphemes(text):
        used += size
        if used > width:
            return text[:start]
    return text
