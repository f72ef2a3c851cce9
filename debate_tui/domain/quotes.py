"""Quotes in speeches and verdicts, checked word for word against material and earlier speeches.

Text in quotation marks is checked if it has at least five words. It is found if one text contains it:
material that the debater may see, an earlier speech, the topic or a remark of the moderator. If it cites
material, only material counts, or else a false quote would come true once another debater repeats it; a
wrong number does not make it false. White space, quotation marks, kinds of dashes, Markdown, punctuation at
the ends and the case of the first letter are ignored. The parts of a quote with an ellipsis must follow each
other. Everything else must be the same.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple
from unicodedata import normalize

from debate_tui.domain.events import Quote
from debate_tui.domain.material import material_for
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.text import MAX_CHECKED_LENGTH, CodeTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from debate_tui.domain.events import TurnFinished
    from debate_tui.domain.material import Material
    from debate_tui.domain.transcript import Transcript, Turn

    QuoteCheck = Callable[[Turn, int], tuple[Quote, ...]]
    """A function that checks the quotes of a turn that cites a number of sources of its provider."""

MIN_WORDS: Final = 5
"""Words from which a quote is checked; in scripts without blanks, several characters make a word."""

MAX_QUOTE_LENGTH: Final = 2000
"""Maximum characters of a quote; more between two quotation marks is not a quote."""

MAX_QUOTES: Final = 200
"""Maximum number of quotes that are checked in one text."""

MAX_PARTS: Final = 8
"""Maximum number of parts of a quote that has ellipses; one of more parts is not found."""

MAX_SCANNED: Final = 30_000_000
"""Characters of other texts that are searched for the quotes of one text; the rest is not checked."""

_MAX_PLACES = 50  # where a part of a quote may begin or end within a word, before it counts as not found


# Find the quotes of a text


@cache
def _quote_pattern() -> re.Pattern[str]:
    """Compile the pattern for quotation marks in pairs; a search is linear, because each part stops early.

    A quote ends with its paragraph at the latest. Straight and reversed marks open only before a word.
    """
    letter = "0-9A-Za-z\u00c0-\u0dff"
    before, after = f"(?<![{letter}])", f"(?![{letter}])"

    def inside(marks: str) -> str:
        return rf"(?:[^{marks}\n]++|\n(?![ \t]*+\n))*+"

    pairs = (
        f"“{inside('“”')}”",
        f"„{inside('„“”')}[“”]",
        rf'{before}"(?=\S){inside(chr(34))}(?<=\S)"{after}',
        f"«{inside('«»')}»",
        rf"{before}»(?=\S){inside('«»')}«",
        rf"{before}”(?=\S){inside('“”')}”",
        f"「{inside('「」')}」",
        f"『{inside('『』')}』",
    )
    number = r"[*_]{0,3}[.,;:]?[ \u00a0]?\(?\[(?P<number>[0-9]{1,3})[\],]"
    opening = '(?=[“„"«»”「『])'  # Rules out most places at once, which is five times as fast.
    return re.compile(f"{opening}(?P<quote>{'|'.join(pairs)})(?:(?={number}))?")


_CJK = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"


@cache
def _word_patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Compile, on first use, the patterns for a word and for characters of scripts without blanks."""
    return (
        re.compile(r"[^\W_]+(?:['’-][^\W_]+)*"),
        re.compile(f"[{_CJK}]"),
        re.compile(f"[{_SOUTH_EAST_ASIAN}]"),
    )


def _count_words(text: str) -> int:
    """Count words; two CJK characters, or four of Thai, Lao, Burmese and Khmer, count as one."""
    word, cjk, south_east_asian = _word_patterns()
    text, pairs = cjk.subn(" ", text)
    text, groups = south_east_asian.subn(" ", text)
    return len(word.findall(text)) + pairs // 2 + groups // 4


def find_quotes(text: str) -> Iterator[Quote]:
    """Yield the quotes of a text, not yet checked, in order; quotes within code or a link do not count."""
    code, read = CodeTracker(), 0
    for found in _quote_pattern().finditer(text, 0, MAX_CHECKED_LENGTH):
        start, end = found.span("quote")
        if not 2 * MIN_WORDS - 1 <= end - start - 2 <= MAX_QUOTE_LENGTH:
            continue
        words = text[start + 1 : end - 1]
        if _count_words(words) < MIN_WORDS:
            continue
        code.read(text[read:start])
        read = start
        if code.is_code or (text[end : end + 1] == ")" and _is_link_title(text, start)):
            continue
        yield Quote(words.strip(), start, end, found=False, number=int(found["number"] or 0))


def _is_link_title(text: str, start: int) -> bool:
    return re.search(r"\]\([^()\s]{1,2000}\s+\Z", text[max(0, start - 2010) : start]) is not None


# Compare


_IGNORED = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # soft hyphens and characters without width
_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys('"“”„‟«»‹›‘’‚‛「」『』', "'"),
        **dict.fromkeys(_IGNORED),
        **dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)),
    }
)
_ENDS: Final = " '-,.;:!?…、。，．：；！？"


class _Patterns(NamedTuple):
    """What is left out of texts that are compared, and where quotes leave something out."""

    line_start: re.Pattern[str]
    link: re.Pattern[str]
    markup: re.Pattern[str]
    dash: re.Pattern[str]
    cjk_gap: re.Pattern[str]
    ellipsis: re.Pattern[str]
    changed_letter: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """Compile the patterns on first use: start-up does not need them."""
    return _Patterns(
        line_start=re.compile(r"^[ \t>]*+(?:#{1,6}[ \t]++)?", re.MULTILINE),
        link=re.compile(r"\[([^\[\]\n]{0,500})\]\([^()\s]{0,2000}\)"),
        markup=re.compile(r"[*`]+|~~|(?<!\w)[_']+|[_']+(?!\w)|\\(?=[!-/:-@\[-`{-~])"),
        dash=re.compile(" ?[-‐‑‒–—―−]+ ?"),
        cjk_gap=re.compile(f"(?<=[{_CJK}]) (?=[{_CJK}])"),
        ellipsis=re.compile(r"\[ ?(?:…|\.{3}) ?\]|\( ?(?:…|\.{3}) ?\)|…|\.{3,}|\. \. \."),
        changed_letter=re.compile(r"\[(\w)\](?=\w)"),  # such as “[t]he city”
    )


def normalise(text: str) -> str:
    """Return a text without what may differ between a quote and its source; linear in its length."""
    patterns = _patterns()
    if not text.isascii():
        text = normalize("NFC", text)
    text = patterns.line_start.sub("", text.translate(_CHARACTERS))
    text = patterns.markup.sub("", patterns.link.sub(r"\1", text))
    text = patterns.dash.sub("-", " ".join(text.split()))
    return text if text.isascii() else patterns.cjk_gap.sub("", text)


def _parts_of(quote: str) -> list[str]:
    """Return the parts of a quote between ellipses, normalised and without punctuation at their ends."""
    patterns = _patterns()
    parts = patterns.ellipsis.split(patterns.changed_letter.sub(r"\1", quote))
    return [part for part in (normalise(part).strip(_ENDS) for part in parts) if part]


def _contains(source: str, parts: Sequence[str]) -> bool:
    """Return whether a normalised text contains these parts in this order."""
    at = 0
    for part in parts:
        starts = (_find(source, each, at) for each in {part, part[0].swapcase() + part[1:]})
        first = min((start for start in starts if start >= 0), default=-1)
        if first < 0:
            return False
        at = first + len(part)
    return True


def _find(source: str, part: str, at: int) -> int:
    """Return where a part stands that neither begins nor ends within a word, or −1."""
    for _ in range(_MAX_PLACES):
        at = source.find(part, at)
        if at < 0 or not (_is_in_word(source, at) or _is_in_word(source, at + len(part))):
            return at
        at += 1
    return -1


def _is_in_word(text: str, at: int) -> bool:
    """Return whether a place is between two letters of a script with blanks between words."""
    around = text[at - 1 : at + 1] if at else ""
    return len(around) == 2 and around.isalnum() and max(around) < "\u0e00"


class QuoteChecker:
    """The texts of one debate that quotes may come from; each is normalised once, when first needed."""

    def __init__(self, material: Iterable[Material], transcript: Transcript) -> None:
        self._material = tuple(material)
        self._transcript = transcript
        self._pieces: dict[int, str] = {}
        self._speeches: dict[int, tuple[TurnFinished, str]] = {}

    def prepare(self) -> None:
        """Normalise the material now; large texts take long enough to do this in a thread."""
        for piece in self._material:
            self._piece(piece)

    def check_turn(self, turn: Turn, citations: int = 0) -> tuple[Quote, ...]:
        """Check the quotes of a turn against what its debater could know when it ended.

        A quote from one of the turn's `citations`, the pages its provider names, is not checked: their text
        is not known here.
        """
        # Joining all of a very long answer takes tens of milliseconds, just when the others end, too.
        checked = self._check(turn.start_of_text(MAX_CHECKED_LENGTH), turn.debater, turn.number)
        numbers = {piece.number for piece in material_for(self._material, turn.debater)}
        cited = {number for number in range(1, citations + 1) if number not in numbers}
        return tuple(quote for quote in checked if quote.found or quote.number not in cited)

    def check_text(self, text: str) -> tuple[Quote, ...]:
        """Check the quotes of what a judge wrote, against all speeches and what everyone may see."""
        return self._check(text)

    def is_said(self, quote: str, debater: str) -> bool:
        """Return whether a quote, given without its marks, stands in a speech of this debater."""
        parts = _parts_of(quote[:MAX_QUOTE_LENGTH])
        turns = (turn for turn in self._transcript.turns.values() if turn.debater == debater)
        said = (self._speech(turn) for turn in turns if turn.is_public)
        return 0 < len(parts) <= MAX_PARTS and any(_contains(text, parts) for text in said)

    def _check(self, text: str, debater: str = "", turn: int = 0) -> tuple[Quote, ...]:
        quotes = list(islice(find_quotes(text), MAX_QUOTES))
        # Other texts are normalised only if there is anything to look for in them.
        sources = self._sources(debater, turn) if quotes else {}
        size, scanned = sum(map(len, sources.values())), 0
        checked: list[Quote] = []
        for quote in quotes if sources else ():
            parts = _parts_of(quote.text)
            scanned += size * len(parts)
            if scanned > MAX_SCANNED:
                break
            found = self._has(parts, sources, quote.number)
            checked.append(Quote(quote.text, quote.offset, quote.end, found, quote.number))
        return tuple(checked)

    def _has(self, parts: Sequence[str], sources: dict[int, str], number: int = 0) -> bool:
        if not 0 < len(parts) <= MAX_PARTS:
            return False
        if number in sources:
            return any(_contains(source, parts) for key, source in sources.items() if key > 0)
        around = (self._transcript.topic, *(said.text for said in self._transcript.interjections))
        return any(_contains(source, parts) for source in sources.values()) or any(
            _contains(normalise(text), parts) for text in around
        )

    def _sources(self, debater: str = "", turn: int = 0) -> dict[int, str]:
        """Return what a quote may come from: material by its number, other turns by minus theirs."""
        sources = {piece.number: self._piece(piece) for piece in material_for(self._material, debater)}
        for number, other in self._transcript.turns.items():
            if number != turn and other.is_public:
                sources[-number] = self._speech(other)
        return sources

    def _piece(self, piece: Material) -> str:
        if piece.number not in self._pieces:
            self._pieces[piece.number] = normalise(piece.text)
        return self._pieces[piece.number]

    def _speech(self, turn: Turn) -> str:
        """Return a normalised speech; a turn that ran again has another end."""
        end, known = turn.end, self._speeches.get(turn.number)
        assert end is not None
        if known is None or known[0] is not end:
            known = self._speeches[turn.number] = (end, normalise(turn.start_of_text(MAX_CHECKED_LENGTH)))
        return known[1]


# Show the results


QUOTE_MARKS: Final = ("✓", "✗")
"""What follows a quote that was found, and any other."""

QUOTE_MARKS_IN_WORDS: Final = (" [found]", " [not found]")
"""The same where symbols may not be readable."""


def mark_quotes(text: str, quotes: Sequence[Quote], marks: tuple[str, str] = QUOTE_MARKS) -> str:
    """Return a text sanitised, with a mark after each quote."""
    shown = sanitise(text)
    return insert_marks(shown, quote_ends(shown, quotes), marks)


def insert_marks(text: str, ends: Iterable[tuple[int, bool]], marks: tuple[str, str] = QUOTE_MARKS) -> str:
    """Return a text with a mark at each of these places, which are in order."""
    parts: list[str] = []
    start = 0
    for end, is_found in ends:
        parts += text[start:end], marks[0] if is_found else marks[1]
        start = end
    return "".join((*parts, text[start:]))


def quote_ends(shown: str, quotes: Sequence[Quote]) -> list[tuple[int, bool]]:
    """Return the place after each quote in a sanitised text, in order, and whether the quote was found.

    The quotes' own places are in the text as received. If sanitising has moved any of them, all are searched
    for; one that is not there, as a quote from another program may be, is left out.
    """
    ends: list[tuple[int, bool]] = []
    at = 0
    in_order = [(sanitise(quote.text), quote) for quote in sorted(quotes, key=lambda each: each.end)]
    moved = any(shown[quote.offset + 1 : quote.end - 1].strip() != text for text, quote in in_order)
    for text, quote in in_order:
        if not text:
            continue
        if (end := quote.end) <= at or moved:
            if (start := shown.find(text, at)) < 0:
                continue
            end = start + len(text)
            end += len(shown[end:]) - len(shown[end:].lstrip()) + 1
        at = min(end, len(shown))
        ends.append((at, quote.found))
    return ends
