"""The meter: how quick and how much, in one quiet line under a pane's text."""

from __future__ import annotations

from msgspec import Struct
from rich.cells import cell_len

from debate_tui.tui.glyphs import UNICODE, Glyphs


class Reading(Struct, frozen=True, kw_only=True):
    """What is known of a turn's speed and size.

    `words` are those of `words_asked`, 0 where no number was asked for; `rate` is in tokens per second;
    `estimated` says that `tokens` was reckoned from the text. `cost` is the debater's so far, in US dollars,
    `None` where no price is known; it is not all of it unless `priced`.
    """

    words: int = 0
    words_asked: int = 0

    ttft_ms: int | None = None
    tokens: int | None = None
    estimated: bool = False
    rate: float | None = None
    cost: float | None = None
    priced: bool = True
    finished: bool = False


def meter(reading: Reading, width: int, glyphs: Glyphs = UNICODE) -> str:
    """The longest form of a reading that fits; empty before there is anything to tell."""
    parts = _parts(reading, glyphs)
    between = f" {glyphs.between} "
    for form in (0, 1):
        text = between.join(part[form] for part in parts)
        if cell_len(text) <= width:
            return text
    while parts:
        parts.pop(0)
        text = between.join(part[1] for part in parts)
        if cell_len(text) <= width:
            return text
    return ""


def _parts(reading: Reading, glyphs: Glyphs) -> list[tuple[str, str]]:
    """Long and short form of each figure, in the order shown; the first is the first to go."""
    parts = []
    if reading.ttft_ms is not None:
        first = (
            f"{reading.ttft_ms / 1000:.1f}s" if reading.ttft_ms < 99_950 else f"{reading.ttft_ms // 1000}s"
        )
        parts.append((f"{first} to first token", first))
    if reading.words and reading.words_asked:
        said = f"{reading.words}/{reading.words_asked}"
        parts.append((f"{said} words", f"{said} w"))
    if reading.tokens is None:
        return parts
    about = "~" if reading.estimated else ""
    count = thousands(reading.tokens)
    parts.append((f"{about}{count} tokens", f"{about}{count} tok"))
    if reading.rate is not None:
        rate = f"{reading.rate:,.0f}"
        parts.append((f"{rate} tokens/s", f"{rate}/s"))
    cost = _cost(reading, glyphs)
    if cost:
        parts.append((cost, cost))
    return parts


def thousands(tokens: int) -> str:
    """A number of tokens in a few characters."""
    return f"{tokens:,}" if tokens < 10_000 else f"{tokens / 1000:.1f}k"


def _cost(reading: Reading, glyphs: Glyphs) -> str:
    if reading.cost is None and not reading.finished:
        return ""
    return money(reading.cost, glyphs, priced=reading.priced)


def money(cost: float | None, glyphs: Glyphs, *, priced: bool) -> str:
    """US dollars; what is not known is never guessed, and a sum that lacks something says so."""
    if cost is None:
        return f"${glyphs.unknown}"
    more = "" if priced else "+"
    if not cost:
        return f"$0{more}"
    return f"${cost:.4f}{more}" if cost < 0.1 else f"${cost:.2f}{more}"
