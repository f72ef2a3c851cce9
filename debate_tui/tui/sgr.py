"""From styled strips to escape sequences, saying only what changes from one style to the next.

Textual sets and resets every segment's whole style; with two 24-bit colours that is 40 bytes for each, and
most of what a pane of text sends.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.color import Color, ColorSystem
    from rich.segment import Segment
    from rich.style import Style

RESET = "\x1b[0m"

_ATTRIBUTE_CODES = (
    ("bold", "1", "22"),
    ("dim", "2", "22"),
    ("italic", "3", "23"),
    ("underline", "4", "24"),
    ("blink", "5", "25"),
    ("blink2", "6", "25"),
    ("reverse", "7", "27"),
    ("conceal", "8", "28"),
    ("strike", "9", "29"),
    ("underline2", "21", "24"),
    ("frame", "51", "54"),
    ("encircle", "52", "54"),
    ("overline", "53", "55"),
)
"""Rich's attributes, what turns each on, and what turns it off (with others, in pairs)."""


class RowStrip(Strip):
    """A strip that remembers what it is in escape sequences, because it will be painted again."""

    __slots__ = ("cached_encoding",)

    def __init__(self, segments: Iterable[Segment], cell_length: int) -> None:
        super().__init__(segments, cell_length)
        self.cached_encoding: tuple[ColorSystem, str] | None = None


def encode_rows(rows: Iterable[tuple[int, int, Strip]], system: ColorSystem) -> str:
    """What paints strips at places (column and row, from 0); it ends in the terminal's own style."""
    parts: list[str] = [RESET]
    current: Style | None = None
    for x, y, strip in rows:
        segments = strip._segments  # noqa: SLF001 - iterating makes an iterator per row and frame
        if not segments:
            continue
        parts.append(f"\x1b[{y + 1};{x + 1}H")
        parts.append(style_transition(current, segments[0].style, system))
        parts.append(_encode_strip(strip, segments, system))
        current = segments[-1].style
    parts.append(RESET)
    return "".join(parts)


def _encode_strip(strip: Strip, segments: list[Segment], system: ColorSystem) -> str:
    if not isinstance(strip, RowStrip):
        return _encode_segments(segments, system)
    if strip.cached_encoding is None or strip.cached_encoding[0] is not system:
        strip.cached_encoding = system, _encode_segments(segments, system)
    return strip.cached_encoding[1]


def _encode_segments(segments: list[Segment], system: ColorSystem) -> str:
    style = segments[0].style
    parts: list[str] = []
    for text, following, _ in segments:
        if following is not style:
            parts.append(style_transition(style, following, system))
            style = following
        parts.append(text)
    return "".join(parts)


@lru_cache(4096)
def style_transition(old: Style | None, new: Style | None, system: ColorSystem) -> str:
    """What turns one style into another; `None` is the terminal's own."""
    if old == new:
        return ""
    if new is None:
        return RESET
    codes: list[str] = []
    off: set[str] = set()
    for name, _, code in _ATTRIBUTE_CODES:
        if old is not None and getattr(old, name) and not getattr(new, name):
            off.add(code)
    codes += sorted(off)
    for name, on, code in _ATTRIBUTE_CODES:
        if getattr(new, name) and (old is None or not getattr(old, name) or code in off):
            codes.append(on)
    codes += _colour_codes(old.color if old else None, new.color, system, foreground=True)
    codes += _colour_codes(old.bgcolor if old else None, new.bgcolor, system, foreground=False)
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _colour_codes(
    old: Color | None, new: Color | None, system: ColorSystem, *, foreground: bool
) -> list[str]:
    if old == new:
        return []
    if new is None:
        return ["39" if foreground else "49"]
    return list(new.downgrade(system).get_ansi_codes(foreground))
