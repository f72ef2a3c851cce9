r"""The Markdown that models write, beyond CommonMark: formulas, line breaks, and emphasis in CJK text.

Formulas (``\( … \)``, ``\[ … \]`` and ``$$ … $$``) stay as written. ``<br>`` breaks the line. Emphasis next
to Chinese, Japanese and Korean text follows the "CJK-friendly" amendment, because CommonMark's rules rely on
blanks between words. `extend_markdown_it` adds all of this to a parser; our own parser uses the functions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from unicodedata import category, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

    InlineRule = Callable[[StateInline, bool], bool]

MAX_FORMULA_LENGTH: Final = 4000
"""Maximum length of a formula on lines of its own, in characters; what is longer is text."""

# No formula contains the start of another, so that each character is read once.
_FORMULA = re.compile(
    r"""
    \\\( (?: [^\\]++ | \\[^()] )*+ \\\)
    | \\\[ (?: [^\\]++ | \\[^\[\]] )*+ \\\]
    | \$\$ (?: [^\\$]++ | \\. | \$(?!\$) )*+ \$\$
    """,
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED_FORMULA = re.compile(
    r"""
    \\\( (?: [^\\]++ | \\[^()] )*+ \\?\Z
    | \\\[ (?: [^\\]++ | \\[^\[\]] )*+ \\?\Z
    | \$\$ (?: [^\\$]++ | \\. | \$(?!\$) )*+ \\?\Z
    | [\\$]\Z
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTENT = re.compile(r"\w")
_DISPLAY_START = re.compile(r"\\\[|\$\$(?!\$)")
_DISPLAY_END = re.compile(r"[\s.,;:]*\Z")
_ESCAPED_BRACKET = re.compile(r"\\\[(?:[^\\\[\]]|\\[^\[\]])*\]")  # such as in \[x]

LINE_BREAK: Final = re.compile(r"<br *+/?>", re.IGNORECASE)
_UNFINISHED_LINE_BREAK = re.compile(r"<(?:b(?:r *+/?)?)?\Z", re.IGNORECASE)


def formula_end(text: str, at: int) -> int:
    """Return where the formula that starts at a position ends, or 0 if none does."""
    found = _FORMULA.match(text, at)
    return found.end() if found and _CONTENT.search(text, at + 2, found.end() - 2) else 0


def line_break_end(text: str, at: int) -> int:
    """Return where the ``<br>`` that starts at a position ends, or 0 if none does."""
    found = LINE_BREAK.match(text, at)
    return found.end() if found else 0


def may_become_verbatim(text: str, at: int) -> bool:
    """Return whether more text could make a formula or a ``<br>`` of what starts at a position."""
    unfinished = _UNFINISHED_LINE_BREAK if text.startswith("<", at) else _UNFINISHED_FORMULA
    return unfinished.match(text, at) is not None


def display_formula_end(line: str) -> str | None:
    r"""Return what closes the formula that starts with a line: ``$$``, ``\]``, or nothing if the line does.

    Return `None` if no formula starts with it. The line has no indentation.
    """
    # What is `None` for a line must stay so when the line grows.
    if not _DISPLAY_START.match(line) or _ESCAPED_BRACKET.match(line) or len(line) > MAX_FORMULA_LENGTH:
        return None
    if _FORMULA.match(line):
        end = formula_end(line, 0)
        return "" if end and _DISPLAY_END.match(line, end) else None
    if not _UNFINISHED_FORMULA.match(line):
        return None
    return "$$" if line[0] == "$" else "\\]"


# Emphasis


@lru_cache(1024)
def can_open_close(mark: str, before: str, after: str) -> tuple[bool, bool]:
    """Return whether delimiters can open and close emphasis between two characters.

    The start and the end of a text count as blanks.
    """
    blank_before, blank_after = _is_blank(before), _is_blank(after)
    punctuation_before, punctuation_after = _is_punctuation(before), _is_punctuation(after)
    cjk_before, cjk_after = _is_cjk(before), _is_cjk(after)
    loose_before = blank_before or punctuation_before or cjk_before
    loose_after = blank_after or punctuation_after or cjk_after
    left = not blank_after and (not punctuation_after or cjk_after or loose_before)
    right = not blank_before and (not punctuation_before or cjk_before or loose_after)
    if mark != "_":
        return left, right
    return left and (not right or punctuation_before), right and (not left or punctuation_after)


def _is_blank(character: str) -> bool:
    return character in " \t\n\v\f\r" or category(character) == "Zs"


def _is_punctuation(character: str) -> bool:
    return category(character)[0] in "PS"


def _is_cjk(character: str) -> bool:
    """Return whether a character is wide as CJK text and its punctuation are; emoji do not count."""
    is_emoji = "\u2300" <= character <= "\u2bff" or "\U0001f000" <= character <= "\U0001faff"
    return character >= "\u1100" and not is_emoji and east_asian_width(character) in "WFH"


# Rules for markdown-it


def extend_markdown_it(parser: MarkdownIt) -> None:
    """Add the rules to a parser. Formulas on lines of their own become tokens of type ``formula``."""
    from markdown_it.rules_inline import emphasis, strikethrough

    inline = parser.inline.ruler
    inline.at("emphasis", _with_cjk_rules(emphasis.tokenize))
    inline.at("strikethrough", _with_cjk_rules(strikethrough.tokenize))
    inline.before("escape", "formula", _formula_rule)
    inline.before("autolink", "line_break", _line_break_rule)
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "formula", _formula_block_rule, {"alt": interrupts})


def _with_cjk_rules(tokenize: InlineRule) -> InlineRule:
    """Return a rule for delimiters with `can_open_close` instead of markdown-it's decision."""

    def rule(state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.delimiters)
        if not tokenize(state, silent):
            return False
        before = state.src[start - 1] if start else " "
        after = state.src[state.pos] if state.pos < state.posMax else " "
        opens, closes = can_open_close(state.src[start], before, after)
        for delimiter in state.delimiters[known:]:
            delimiter.open, delimiter.close = opens, closes
        return True

    return rule


def _formula_rule(state: StateInline, silent: bool) -> bool:
    end = formula_end(state.src, state.pos)
    if not 0 < end <= state.posMax:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : end].replace("\n", " "))
    state.pos = end
    return True


def _line_break_rule(state: StateInline, silent: bool) -> bool:
    end = line_break_end(state.src, state.pos)
    if not 0 < end <= state.posMax:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = end
    return True


def _formula_block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    text = _line_text(state, start)
    closer = display_formula_end(text)
    if closer is None or silent:
        return closer is not None
    after = start + 1
    while closer and after < end and not state.isEmpty(after) and state.sCount[after] >= state.blkIndent:
        line = _line_text(state, after)
        if len(text) + len(line) >= MAX_FORMULA_LENGTH:
            break
        text += "\n" + line
        after += 1
        if closer in line:
            break
    state.line = after
    token = state.push("formula", "p", 0)
    token.content, token.map = text, [start, after]
    return True


def _line_text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
