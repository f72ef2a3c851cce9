"""The few signs the screen draws with, and what stands for them where only ASCII can be shown."""

from __future__ import annotations

from msgspec import Struct


class Glyphs(Struct, frozen=True, kw_only=True):
    """One cell each, but `ellipsis` and `connecting`, which may be longer in ASCII.

    `fill_levels` are the fillings of a cell, from none to all of it.
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
    ellipsis: str = "…"
    up: str = "↑"
    down: str = "↓"
    quotes: tuple[str, str] = ("“", "”")
    dot: str = "●"
    fill_levels: str = " ▁▂▃▄▅▆▇█"

    def displayable(self, text: str) -> str:
        """A text with its quotes, dashes, arrows and the like as these can draw them; else as it is."""
        return to_ascii(text) if self.ellipsis.isascii() else text


def to_ascii(text: str) -> str:
    """A text with ASCII in place of quotes, dashes, arrows and the like, whoever wrote it."""
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
    ellipsis="...",
    up="^",
    down="v",
    quotes=('"', '"'),
    dot="O",
    fill_levels=" .:-=+*#@",
)
