"""How far a growing paragraph can be read for good.

markdown-it reads a text whole. To read only what is new, `final_length` finds how far a text can no longer be
changed by anything that follows it: to there it is read once, and then never again.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from debate_tui.display.markdown.inline import markdown_it_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_SIZE = 2000
"""Characters that markup may always span; what a paragraph is read in has at most twice as many."""

_DELIMITER_RUN = re.compile(r"([*_~])\1*")
_TICKS = re.compile(r"`+")
_AUTOLINK = re.compile(r"<[a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\x00-\x20]*>|<[^\s<>@]+@[^\s<>@]+>")
_AUTOLINK_END = re.compile(r"[\s<>]")
_LINK_DESTINATION = re.compile(r"\([ \n]*([^\s()<>\\*_~\[\]`&]*)(?:[ \n]+\"[^\"\\*_~\[\]`&]*\")?[ \n]*\)")
_SPECIAL_CHARACTER = re.compile(r"[\\`*_~\[\]<]")
_UNDECIDED = -1


def _unmarked_stretches(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text that are inside of no markup and cannot come to be, in order.

    Whatever is doubtful ends it: then less is settled, and read again, than could be. Everything said about a
    text holds for each longer one.
    """
    stack: list[str] = []
    position = begin = 0
    length = len(text)
    while position < length:
        found = _SPECIAL_CHARACTER.search(text, position)
        stop = found.start() if found else length
        if not stack and stop > begin:
            yield begin, stop
        if found is None:
            return
        position = _skip_markup(text, stop, stack)
        if position == _UNDECIDED:
            return
        begin = position


def _skip_markup(text: str, at: int, stack: list[str]) -> int:
    """The end of the markup at a place, with what it opens or closes done to the stack; `_UNDECIDED` in
    doubt."""
    match text[at]:
        case "\\":
            return at + 2 if at + 2 <= len(text) else _UNDECIDED
        case "`":
            return _skip_code(text, at)
        case "<":
            if link := _AUTOLINK.match(text, at):
                return link.end()
            return at + 1 if _AUTOLINK_END.search(text, at + 1) else _UNDECIDED
        case "[":
            stack.append("[")
            return at + 1
        case "]":
            return _skip_bracket(text, at, stack)
        case _:
            return _skip_delimiter(text, at, stack)


def _skip_code(text: str, at: int) -> int:
    ticks = _TICKS.match(text, at)
    assert ticks is not None
    for other in _TICKS.finditer(text, ticks.end()):
        if len(other[0]) == len(ticks[0]):
            return other.end() if other.end() < len(text) else _UNDECIDED
    return _UNDECIDED


def _skip_bracket(text: str, at: int, stack: list[str]) -> int:
    if "[" not in stack:
        return at + 1
    if stack[-1] != "[" or at + 1 == len(text):
        return _UNDECIDED
    stack.pop()
    if text[at + 1] != "(":
        return at + 1
    target = _LINK_DESTINATION.match(text, at + 1)
    if (
        target is None
        or "[" in stack
        or not markdown_it_parser().validateLink(markdown_it_parser().normalizeLink(target[1]))
    ):
        return _UNDECIDED
    return target.end()


def _skip_delimiter(text: str, at: int, stack: list[str]) -> int:
    run = _DELIMITER_RUN.match(text, at)
    assert run is not None
    end = run.end()
    if end == len(text):
        return _UNDECIDED
    if run[1] == "~" and len(run[0]) != 2:
        return end if len(run[0]) == 1 else _UNDECIDED
    opens, closes = _can_open_close(text, at, end)
    if closes and stack and stack[-1] == run[0]:
        stack.pop()
    elif closes and stack:
        return _UNDECIDED
    elif opens:
        stack.append(run[0])
    return end


@cache
def _character_classes() -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace

    def is_blank(character: str) -> bool:
        return isWhiteSpace(ord(character))

    def is_punctuation(character: str) -> bool:
        return isMdAsciiPunct(ord(character)) or isPunctChar(character)

    return is_blank, is_punctuation


def _can_open_close(text: str, at: int, end: int) -> tuple[bool, bool]:
    """Whether a run of delimiters can open and close emphasis, by CommonMark's rules of flanking."""
    is_blank, is_punctuation = _character_classes()
    before, after = text[at - 1] if at else " ", text[end]
    blank_before, blank_after = is_blank(before), is_blank(after)
    mark_before, mark_after = is_punctuation(before), is_punctuation(after)
    left = not blank_after and (not mark_after or blank_before or mark_before)
    right = not blank_before and (not mark_before or blank_after or mark_after)
    if text[at] != "_":
        return left, right
    return left and (not right or mark_before), right and (not left or mark_after)


_IDEOGRAPH = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_BREAK_PATTERN = rf"(?<=[^\s] )(?=[!-~\u00c0-\u02af\u0391-\u03ff\u0410-\u044f“‘«{_IDEOGRAPH}])"
_BREAK_PATTERN += rf"|(?<=[{_IDEOGRAPH}])(?=[{_IDEOGRAPH}])"
_BREAK_POINT = re.compile(_BREAK_PATTERN)
_SENTENCE_END = re.compile(rf"(?<=[.!?:;…] )(?=[!-~\u00c0-\u02af])|(?<=[。！？])(?=[{_IDEOGRAPH}])")


def final_length(text: str) -> int:
    """How far the markup of a text can be read for good: to there, and from there on, are two texts."""
    end = 0
    for start, stop in _unmarked_stretches(text):
        # What stands behind the stretch belongs to the look ahead.
        place = _last_break(text, start, stop)
        end = place or end
    return end


def _last_break(text: str, start: int, stop: int) -> int:
    blank = stop
    while (blank := text.rfind(" ", start, blank)) >= 0:
        if _BREAK_POINT.match(text, blank + 1):
            return blank + 1
    if text.isascii():
        return 0
    return max((found.start() for found in _BREAK_POINT.finditer(text, start, stop)), default=0)


def split_point(text: str) -> int:
    """Where a long paragraph is cut so that it can be read in pieces; 0 while there is no need to.

    Outside of all markup if that can be had: after the first sentence that ends beyond `PIECE_SIZE`
    characters, or at any blank beyond one and a half times that; at twice that in any case. A longer text is
    cut alike.
    """
    if len(text) < PIECE_SIZE:
        return 0
    late = PIECE_SIZE * 3 // 2
    for start, stop in _unmarked_stretches(text[: 2 * PIECE_SIZE]):
        if stop <= PIECE_SIZE:
            continue
        sentence = _SENTENCE_END.search(text, max(start, PIECE_SIZE), stop)
        if sentence and sentence.start() <= late:
            return sentence.start()
        anywhere = _BREAK_POINT.search(text, max(start, late), stop)
        if anywhere:
            return min(anywhere.start(), sentence.start()) if sentence else anywhere.start()
    if len(text) <= 2 * PIECE_SIZE:
        return 0
    return _forced_split_point(text)


def _forced_split_point(text: str) -> int:
    blank = text.rfind(" ", PIECE_SIZE, 2 * PIECE_SIZE)
    if blank > 0:
        return blank + 1
    end = 2 * PIECE_SIZE
    while end > PIECE_SIZE and not text[end - 1 : end + 1].isalnum():
        end -= 1
    return end if end > PIECE_SIZE else 2 * PIECE_SIZE
