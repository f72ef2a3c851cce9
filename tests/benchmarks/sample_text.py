"""Text to measure with: what debaters write, and one kind of thing without end."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("prose", "items", "table", "fence", "paragraph", "han")

_TURN = """\
## {n}. The burden of proof

My opponent says that **attention is finite** and that a rule is *therefore* needed. I grant the premise, \
and deny the conclusion: what is scarce is not attention but the `will` to spend it, and no rule ever passed \
that made anybody want a thing. See [the 2019 survey](https://example.org/survey), which is quoted so often, \
and so seldom read to its end. Where schools tried it, the effect was gone within a year.

- First, the figures of the trial were never repeated, although three groups tried.
- Second, **those who comply** are not those who needed to.
- Third, it costs what could have paid for two teachers a school.

> A rule that must be kept up by the people it was meant to relieve is a tax, not a relief.

What follows from that is not despair. It is that we should ask, before the next rule, who is going to keep \
it, and what they will stop doing to find the time. Nobody on the other side has said a word about it so far.

"""

_CODE = """\
def effect_{n}(group: list[float], trials: int = {n}) -> float:
    # mean of what is left after {n} trials
    return sum(group) / (trials + {n})
"""
_CLAIM = "the claim that nothing follows from a premise we all accept is itself a claim and wants an argument"
_WORDS = tuple(_CLAIM.split())
_HAN = "議論の余地がないとされる前提から何も導かれないという主張もまた一つの主張であり、論拠を必要とする。"


def prose(length: int) -> str:
    """Debate speech, as Markdown."""
    return _to(length, (_TURN.format(n=n) for n in range(1, 10_000)))


def items(length: int) -> str:
    """One list."""
    words = cycle(_WORDS)
    return _to(length, (f"- item **{n}** {' '.join(islice(words, 12))}\n" for n in range(10_000)))


def table(length: int) -> str:
    """One table."""
    rows = (
        f"| {n} | {_WORDS[n % 18]} **{n % 7}** | {_WORDS[n % 11]} {_WORDS[n % 5]} |\n" for n in range(20_000)
    )
    return "| no | claim | answer |\n|---:|---|---|\n" + _to(length, rows)


def fence(length: int) -> str:
    """One fence that is never closed."""
    return "```python\n" + _to(length, (_CODE.format(n=n) for n in range(10_000)))


def paragraph(length: int) -> str:
    """One paragraph, with markup here and there."""
    words = cycle(_WORDS)
    return _to(length, (f"{' '.join(islice(words, 18))}, **as said** in no. {n}. " for n in range(10_000)))


def han(length: int) -> str:
    """CJK, in paragraphs."""
    return _to(length, (_HAN * 6 + "\n\n" for _ in range(10_000)))


def _to(length: int, parts: Iterable[str]) -> str:
    text: list[str] = []
    size = 0
    for part in parts:
        if size >= length:
            break
        text.append(part)
        size += len(part)
    return "".join(text)


def deltas(text: str, size: int = 4) -> list[str]:
    """The text in the pieces it streams in."""
    return [text[start : start + size] for start in range(0, len(text), size)]
