"""Where the text of a new connection joins the text already shown.

A `TextSplicer` is fed the chunks of the new connection and holds them back until it is sure how they join.
What it holds back is, as far as anyone can tell, on screen already; so nothing is delayed that is new.
"""

from __future__ import annotations

import unicodedata
from typing import Protocol

from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor
from debate_tui.resilience.shown import TextPosition

MIN_REPEAT_WIDTH = 16
MIN_REPEAT_VARIETY = 8
"""A repetition shorter than this many columns, or of fewer different characters, may be meant."""


class SpliceResult(Struct, frozen=True):
    """How the texts join: what is new of the second one, and how much of it was there already.

    `superseded` says that they do not: the chunks then are the text from its start. `seen_cursors` are the
    cursors met within the text already shown, with their places in it.
    """

    chunks: tuple[Chunk, ...] = ()
    superseded: bool = False
    repeated: int = 0
    seen_cursors: tuple[tuple[Cursor, TextPosition], ...] = ()


class TextSplicer(Protocol):
    """Joins the text of one new connection to the text already shown."""

    @property
    def resolved(self) -> bool:
        """Whether the joint is found: all further chunks are new."""
        ...

    @property
    def has_pending(self) -> bool:
        """Whether text is held back."""
        ...

    def note_cursor(self, cursor: Cursor) -> None:
        """Take note of a cursor that came without text."""
        ...

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        """Take the next chunk; `None` as long as it is held back."""
        ...

    def finish(self) -> SpliceResult:
        """The stream has come to its natural end: the joint, as far as it can be told."""
        ...


def is_unintended_repeat(text: str) -> bool:
    """Whether `text`, coming twice in a row, can only be a repetition that was not meant."""
    if len(set(text)) < MIN_REPEAT_VARIETY or text.find(text[: len(text) // 2], 1) > 0:
        return False  # what is monotonous, or repeats itself, may well do so once more
    columns = 0
    for character in text:
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns >= MIN_REPEAT_WIDTH:
            return True
    return False
