"""How far a growing paragraph can be read for good.

markdown-it reads a text whole. To read only what is new, `settled` finds how far a text can no longer be
changed by anything that follows it: to there it is read once, and then never again.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from debate_tui.display.markdown.inline import parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 2000
"""Characters that markup may always span; what a paragraph is read in has at most twice as many."""

_RUN = re.compile(r"([*_~])\1*")
_TICKS = re.compile(r"`+")
_AUTOLINK = re.compile(r"<[a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\x00-\x20]*>|<[^\s<>@]+@[^\s<>@]+>")
_NO_LINK = re.compile(r"[\s<>]")
_TARGET = re.compile(r"\([ \n]*([^\s()<>\\*_~\[\]`&]*)(?:[ \n]+\"[^\"\\*_~\[\]`&]*\")?[ \n]*\)")
_SPECIAL = re.compile(r"[\\`*_~\[\]<]")
_REST = -1


def _free(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text that are inside of no markup and cannot come to be, in order.

    Whatever is doubtful ends it: then less is settled, and read again, than could be. Everything said about a
    text holds for each longer one.
    """
    stack: list[str] = []
    position = begin = 0
    length = len(text)
    while position < length:
        found = _SPECIAL.search(text, position)
        stop = found.start() if found else length
        if not stack and stop > begin:
            yield begin, stop
        if found is None:
            return
        position = _past(text, stop, stack)
        if position == _REST:
            return
        begin = position


def _past(text: str, at: int, stack: list[str]) -> int:
    """The end of the markup at a place, with what it opens or closes done to the stack; `_REST` in doubt."""
    match text[at]:
        case "\\":
            return at + 2 if at + 2 <= len(text) else _REST
        case "`":
            return _past_code(text, at)
        case "<":
            if link := _AUTOLINK.match(text, at):
                return link.end()
            return at + 1 if _NO_LINK.search(text, at + 1) else _REST
        case "[":
            stack.append("[")
            return at + 1
        case "]":
            return _past_bracket(text, at, stack)
        case _:
            return _past_delimiter(text, at, stack)


def _past_code(text: str, at: int) -> int:
    ticks = _TICKS.match(text, at)
    assert ticks is not None
    for other in _TICKS.finditer(text, ticks.end()):
        if len(other[0]) == len(ticks[0]):
            return other.end() if other.end() < len(text) else _REST
    return _REST


def _past_bracket(text: str, at: int, stack: list[str]) -> int:
    if "[" not in stack:
        return at + 1
    if stack[-1] != "[" or at + 1 == len(text):
        return _REST
    stack.pop()
    if text[at + 1] != "(":
        return at + 1
    target = _TARGET.match(text, at + 1)
    if target is None or "[" in stack or not parser().validateLink(parser().normalizeLink(target[1])):
        return _REST
    return target.end()


def _past_delimiter(text: str, at: int, stack: list[str]) -> int:
    run = _RUN.match(text, at)
    assert run is not None
    end = run.end()
    if end == len(text):
        return _REST
    if run[1] == "~" and len(run[0]) != 2:
        return end if len(run[0]) == 1 else _REST
    opens, closes = _flanks(text, at, end)
    if closes and stack and stack[-1] == run[0]:
        stack.pop()
    elif closes and stack:
        return _REST
    elif opens:
        stack.append(run[0])
    return end


@cache
def _classes() -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace

    def is_blank(character: str) -> bool:
        return isWhiteSpace(ord(character))

    def is_punctuation(character: str) -> bool:
        return isMdAsciiPunct(ord(character)) or isPunctChar(character)

    return is_blank, is_punctuation


def _flanks(text: str, at: int, end: int) -> tuple[bool, bool]:
    """Whether a run of delimiters can open and close emphasis, by CommonMark's rules of flanking."""
    is_blank, is_punctuation = _classes()
    before, after = text[at - 1] if at else " ", text[end]
    blank_before, blank_after = is_blank(before), is_blank(after)
    mark_before, mark_after = is_punctuation(before), is_punctuation(after)
    left = not blank_after and (not mark_after or blank_before or mark_before)
    right = not blank_before and (not mark_before or blank_after or mark_after)
    if text[at] != "_":
        return left, right
    return left and (not right or mark_before), right and (not left or mark_after)


_IDEOGRAPH = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_BREAK = rf"(?<=[^\s] )(?=[!-~\u00c0-\u02af\u0391-\u03ff\u0410-\u044f“‘«{_IDEOGRAPH}])"
_BREAK += rf"|(?<=[{_IDEOGRAPH}])(?=[{_IDEOGRAPH}])"
_BREAKS = re.compile(_BREAK)
_SENTENCE = re.compile(rf"(?<=[.!?:;…] )(?=[!-~\u00c0-\u02af])|(?<=[。！？])(?=[{_IDEOGRAPH}])")


def settled(text: str) -> int:
    """How far the markup of a text can be read for good: to there, and from there on, are two texts."""
    end = 0
    for start, stop in _free(text):
        # What stands behind the stretch belongs to the look ahead.
        place = _last_break(text, start, stop)
        end = place or end
    return end


def _last_break(text: str, start: int, stop: int) -> int:
    blank = stop
    while (blank := text.rfind(" ", start, blank)) >= 0:
        if _BREAKS.match(text, blank + 1):
            return blank + 1
    if text.isascii():
        return 0
    return max((found.start() for found in _BREAKS.finditer(text, start, stop)), default=0)


def cut(text: str) -> int:
    """Where a long paragraph is cut so that it can be read in pieces; 0 while there is no need to.

    Outside of all markup if that can be had: after the first sentence that ends beyond `PIECE` characters, or
    at any blank beyond one and a half times that; at twice that in any case. A longer text is cut alike.
    """
    if len(text) < PIECE:
        return 0
    late = PIECE * 3 // 2
    for start, stop in _free(text[: 2 * PIECE]):
        if stop <= PIECE:
            continue
        sentence = _SENTENCE.search(text, max(start, PIECE), stop)
        if sentence and sentence.start() <= late:
            return sentence.start()
        anywhere = _BREAKS.search(text, max(start, late), stop)
        if anywhere:
            return min(anywhere.start(), sentence.start()) if sentence else anywhere.start()
    if len(text) <= 2 * PIECE:
        return 0
    return _forced(text)


def _forced(text: str) -> int:
    blank = text.rfind(" ", PIECE, 2 * PIECE)
    if blank > 0:
        return blank + 1
    end = 2 * PIECE
    while end > PIECE and not text[end - 1 : end + 1].isalnum():
        end -= 1
    return end if end > PIECE else 2 * PIECE
