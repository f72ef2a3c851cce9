"""How many terminal cells text takes.

The figures are Rich's, because the screen is composed with them: two for CJK and emoji, none for combining
and other zero-width characters, and one figure for a whole emoji sequence.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, split_graphemes

_NARROW = (
    " -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u2070-\u209c\u20a0-\u20c0"
    "\u2100-\u22ff\u2500-\u25fc\u2713-\u2718"
)
_WIDE = (
    "\u3001-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3131-\u3163\u31f0-\u321e"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6"
)

is_narrow = re.compile(f"[{_NARROW}]*").fullmatch
"""Whether each character of a text takes one cell and stands for itself: Latin, Greek, Cyrillic, typography,
currency, arrows, mathematics, boxes. Selectors and joiners are none of these, so nothing widens one later."""

is_wide = re.compile(f"[{_WIDE}]").match
"""Whether a character takes two cells and stands for itself: ideographs, kana, hangul and their signs."""

has_simple_widths = re.compile(f"[{_NARROW}{_WIDE}]*").fullmatch
"""Whether each character of a text is one of these."""

_find_wide = re.compile(f"[{_WIDE}]").findall


def fitting_end(text: str, start: int, width: int) -> int:
    """How far a plain text goes from `start` on in `width` cells."""
    end, length = start, len(text)
    while end < length and width > 0:
        step = max(1, width // 2)
        piece = text[end : end + step]
        size = len(piece) + len(_find_wide(piece))
        if size > width:
            break
        end += len(piece)
        width -= size
    return end


JOINERS = re.compile("[\u200d\ufe0f]")
"""What joins characters to one, or makes one wide."""

_EMOJI = "\u2190-\u3299\U0001f000-\U0001faff"
_STRAY_SELECTOR = re.compile("(?<![0-9#*\xa9\xae\u203c-\u3299\U0001f000-\U0001faff])\ufe0f")
_STRAY_JOINER = re.compile(f"\u200d(?![{_EMOJI}])|(?<![{_EMOJI}\ufe0f])\u200d")


def strip_stray_joiners(text: str) -> str:
    """The text without joiners outside of emoji sequences: terminals and Rich do not agree on their width."""
    return text if text.isascii() else _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", text))


def strip_stray_joiners_so_far(text: str) -> str:
    """The same for a text that goes on: the joiner at its end may yet join something."""
    kept = "\u200d" if text.endswith("\u200d") else ""
    return strip_stray_joiners(text.removesuffix("\u200d")) + kept


def cell_width(text: str) -> int:
    """The width of a text without line breaks."""
    if is_narrow(text):
        return len(text)
    return len(text) + len(_find_wide(text)) if has_simple_widths(text) else cell_len(text)


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
