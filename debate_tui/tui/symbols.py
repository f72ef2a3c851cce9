"""The symbols drawn on screen, and their replacements for ASCII-only terminals."""

from __future__ import annotations

from msgspec import Struct


class Glyphs(Struct, frozen=True, kw_only=True):
    """Symbols of one cell each; `ellipsis`, `connecting` and `quote_marks` may be longer in ASCII.

    `fill_levels` are the fill levels of a cell, from empty to full.
    """

    waiting: str = "·"
    connecting: str = "…"
    connected: str = "●"
    streaming: str = "▸"
    paused: str = "‖"
    reconnecting: str = "↻"
    failed: str = "✗"
    done: str = "✓"
    cut: str = "✂"
    refused: str = "⊘"
    stopped: str = "■"
    skipped: str = "»"
    interjection: str = "❯"
    unread: str = "●"
    separator: str = "·"
    times: str = "×"
    missing_value: str = "–"
    thin_line: str = "─"
    heavy_line: str = "━"
    cross_line: str = "┼"
    tee_line: str = "┴"
    ellipsis: str = "…"
    up: str = "↑"
    down: str = "↓"
    quotes: tuple[str, str] = ("“", "”")
    quote_marks: tuple[str, str] = ("✓", "✗")
    dot: str = "●"
    fill_levels: str = " ▁▂▃▄▅▆▇█"

    @property
    def is_ascii(self) -> bool:
        """Whether this set is for terminals that show nothing but ASCII."""
        return self.ellipsis.isascii()

    def displayable(self, text: str) -> str:
        """Return a text with quotes, dashes, arrows and the like replaced if this set is ASCII."""
        return to_ascii(text) if self.is_ascii else text


def to_ascii(text: str) -> str:
    """Return a text with quotes, dashes, arrows and the like replaced by ASCII."""
    return text if text.isascii() else text.translate(_ASCII_REPLACEMENTS)


_ASCII_REPLACEMENTS = str.maketrans(
    {
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("–—−·", "-"),
        **dict(zip("…×↑↓←→", ("...", *"x^v<>"), strict=True)),
    }
)


UNICODE = Glyphs()

ASCII = Glyphs(
    waiting=".",
    connecting="...",
    connected="*",
    streaming=">",
    paused="=",
    reconnecting="~",
    failed="x",
    done="+",
    cut="/",
    refused="!",
    stopped="#",
    skipped=">",
    interjection=">",
    unread="*",
    separator="-",
    times="x",
    missing_value="-",
    thin_line="-",
    heavy_line="=",
    cross_line="+",
    tee_line="+",
    ellipsis="...",
    up="^",
    down="v",
    quotes=('"', '"'),
    quote_marks=(" [found]", " [not found]"),
    dot="O",
    fill_levels=" .:-=+*#@",
)
