"""A script at a model's pace: token-like pieces, and the pauses between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r" ?[^\W\d_]{1,7}|\n+| {1,8}|\d{1,3}|[^\w\s]{1,2}|.", re.DOTALL)
_SENTENCE_ENDS = frozenset(".!?…。！？")
_CLAUSE_ENDS = frozenset(",;:—、，")


class Pace(Struct, frozen=True):
    """How fast a script is spoken; times in seconds.

    `tokens_per_second` is the rate between pauses. `speed` divides every time; with 0 nothing waits.
    """

    tokens_per_second: float = 55.0
    connect: float = 0.25
    think: float = 0.35
    clause: float = 0.05
    sentence: float = 0.12
    paragraph: float = 0.3
    speed: float = 1.0

    def scale(self, seconds: float) -> float:
        """A time as it is really waited."""
        return seconds / self.speed if self.speed > 0 else 0.0


def split_tokens(text: str) -> list[str]:
    """`text` cut as a tokenizer might: pieces of 1 to 8 characters that join to the text again."""
    return [piece[at : at + 8] for piece in _TOKEN.findall(text) for at in range(0, len(piece), 8)]


def add_delays(tokens: Iterable[str], pace: Pace, rng: random.Random) -> Iterator[tuple[float, str]]:
    """Every piece with the seconds to wait before it: an uneven stream that breathes after sentences."""
    pause = 0.0
    for part in tokens:
        yield pace.scale(pause + rng.lognormvariate(-0.15, 0.55) / pace.tokens_per_second), part
        last = part.rstrip(" *_")[-1:]
        if "\n" in part:
            pause = pace.paragraph * rng.uniform(0.5, 1.2)
        elif last in _SENTENCE_ENDS:
            pause = pace.sentence * rng.uniform(0.4, 1.6)
        elif last in _CLAUSE_ENDS:
            pause = pace.clause * rng.uniform(0.4, 1.6)
        else:
            pause = 0.0
