"""Inline markup within a paragraph (emphasis, code, links), parsed by markdown-it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from debate_tui.display.markdown.lines import Run, combine_styles, merge_runs, runs_text, slice_runs
from debate_tui.display.markdown.wrap import JOINERS, strip_stray_joiners, wrap
from debate_tui.domain.sanitise import sanitise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from debate_tui.display.markdown.block_prefix import FittedPrefix
    from debate_tui.display.markdown.lines import Line


_MARKUP_CHARACTER = re.compile(r"[\\`*_~\[\]<&]|://| \n|\n[ \t]")
_SIMPLE_TEXT = r"[^\s*_`\[\]<&\\~:](?:[^*_`\[\]<&\\~:\n]*[^\s*_`\[\]<&\\~:])?"
_SIMPLE_MARKUP = re.compile(
    rf"(?:^|(?<=[\s(]))(?:\*\*({_SIMPLE_TEXT})\*\*|\*({_SIMPLE_TEXT})\*|`([^`\s](?:[^`\n]*[^`\s])?)`)(?=$|[\s.,;:!?)])"
)
"""Strong text, emphasis and code that stand alone, without other markup in them."""

_URL = re.compile(r"https?://[!-~]*?[\w/&#=%+-](?=[.,;:!?)\]}*_~'\"]*(?:[^!-~]|[<>\"'`|]|$))", re.ASCII)
_INLINE_STOPS = re.compile(r"[\n!&*<\[\\\]_`~]")

_STYLE_OF_TOKEN = {"em_open": "emphasis", "strong_open": "strong", "s_open": "strike", "link_open": "link"}


@cache
def markdown_it_parser(*, links: bool = True) -> MarkdownIt:
    """Return the shared parser; with `links` false, one that does not look for them at every bracket."""
    from markdown_it import MarkdownIt

    rules = ["newline", "escape", "backticks", "strikethrough", "emphasis", "autolink", "entity"]
    made = MarkdownIt("zero").enable([*rules, "link", "image"] if links else rules)
    made.inline.ruler2.enable(["balance_pairs", "strikethrough", "emphasis", "fragments_join"])
    # The default terminators are for plugins: every hyphen and colon would be tried against all rules.
    made.inline.terminator_re = _INLINE_STOPS
    return made


def parse_inline(text: str, style: str = "") -> list[Run]:
    """Return the runs of a text's markup. A line feed in the result is a hard break."""
    runs = _parse_simple(text, style)
    if runs is None:
        runs = parse_with_markdown_it(text, style)
    if text.isascii() or not JOINERS.search(text):
        return runs
    return merge_runs((strip_stray_joiners(run), name) for run, name in runs)


def parse_with_markdown_it(text: str, style: str = "") -> list[Run]:
    """Return the runs of a text's markup, always using markdown-it."""
    markdown = markdown_it_parser(links="](" in text)
    return merge_runs(_tokens_to_runs(markdown.inline.parse(text, markdown, {}, []), style))


def _parse_simple(text: str, style: str) -> list[Run] | None:
    """Return the runs of a text with unambiguous markup or none, which is most text; otherwise `None`."""
    if not _MARKUP_CHARACTER.search(text):
        return [(text.replace("\n", " "), style)] if text else []
    runs: list[Run] = []
    end = 0
    for span in _SIMPLE_MARKUP.finditer(text):
        runs.append((text[end : span.start()], style))
        strong, emphasis, code = span.groups()
        end = span.end()
        if code:
            runs.append((code, combine_styles(style, "code")))
        else:
            runs.append((strong or emphasis, combine_styles(style, "strong" if strong else "emphasis")))
    runs.append((text[end:], style))
    if any(_MARKUP_CHARACTER.search(run) for run, _ in runs[::2]):
        return None
    return [(run.replace("\n", " "), name) for run, name in runs if run]


@lru_cache(512)
def parse_inline_cached(text: str, style: str = "") -> tuple[Run, ...]:
    """Cache `parse_inline`, without breaks, for repeated text such as the cells of an open table."""
    return tuple((run.replace("\n", " "), name) for run, name in parse_inline(text, style))


def _tokens_to_runs(tokens: Sequence[Token], style: str) -> Iterator[Run]:
    styles = [style]
    hrefs: list[tuple[str, list[str]]] = []
    for token in tokens:
        kind = token.type
        if token.nesting == 1:
            styles.append(combine_styles(styles[-1], _STYLE_OF_TOKEN[kind]))
            if kind == "link_open":
                hrefs.append((str(token.attrs.get("href", "")), []))
        elif token.nesting == -1:
            styles.pop()
            if kind == "link_close":
                href, seen = hrefs.pop()
                yield from _link_target(href, "".join(seen), styles[-1])
        else:
            for run in _token_to_runs(token, styles[-1], linked=bool(hrefs)):
                if hrefs:
                    hrefs[-1][1].append(run[0])
                yield run


def _token_to_runs(token: Token, style: str, *, linked: bool) -> Iterator[Run]:
    if token.type == "text_special":
        # A character reference (``&#13;``) may stand for what was removed from the text itself.
        token.content = sanitise(token.content).replace("\t", " ")
    match token.type:
        case "code_inline":
            yield token.content, combine_styles(style, "code")
        case "softbreak":
            yield " ", style
        case "hardbreak":
            yield "\n", style
        case "image":
            alt = runs_text(_tokens_to_runs(token.children or [], ""))
            yield alt, combine_styles(style, "link")
            yield from _link_target(str(token.attrs.get("src", "")), alt, style)
        case _ if not linked and "://" in token.content:
            yield from _linkify(token.content, style)
        case _:
            yield token.content, style


def _linkify(text: str, style: str) -> Iterator[Run]:
    end = 0
    for url in _URL.finditer(text):
        yield text[end : url.start()], style
        yield url[0], combine_styles(style, "link")
        end = url.end()
    yield text[end:], style


def _link_target(href: str, label: str, style: str) -> Iterator[Run]:
    """Yield the target of a link, unless the label already shows it."""
    if href and href not in (label, "mailto:" + label, "http://" + label):
        yield f" ({href})" if label else href, combine_styles(style, "url")


# How far the markup of a growing paragraph is final.
#
# markdown-it parses a whole text. To parse only what is new, `final_length` finds how far a text can no
# longer be changed by what follows; up to there it is parsed once and never again.


PIECE_SIZE = 2000
"""Characters that markup can always span; pieces of a long paragraph have up to twice as many."""

_DELIMITER_RUN = re.compile(r"([*_~])\1*")
_TICKS = re.compile(r"`+")
_AUTOLINK = re.compile(r"<[a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\x00-\x20]*>|<[^\s<>@]+@[^\s<>@]+>")
_AUTOLINK_END = re.compile(r"[\s<>]")
_LINK_DESTINATION = re.compile(r"\([ \n]*([^\s()<>\\*_~\[\]`&]*)(?:[ \n]+\"[^\"\\*_~\[\]`&]*\")?[ \n]*\)")
_SPECIAL_CHARACTER = re.compile(r"[\\`*_~\[\]<]")
_UNDECIDED = -1


def _unmarked_stretches(text: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a text that are outside all markup whatever follows, in order.

    It stops at the first doubt: then less is final, and more is parsed again, than necessary. What it
    yields for a text holds for every longer one.
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
    """Return the end of the markup at a position, or `_UNDECIDED` if in doubt.

    What it opens or closes is pushed to or popped from `stack`.
    """
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
    """Return whether a delimiter run can open and close emphasis, by CommonMark's flanking rules."""
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
    """Return how far a text's markup is final; the parts before and after can be parsed separately."""
    end = 0
    for start, stop in _unmarked_stretches(text):
        # The text after the stretch only serves as lookahead.
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
    """Return where to cut a long paragraph into pieces for parsing; 0 if it is short enough.

    Preferably outside all markup: after the first sentence that ends beyond `PIECE_SIZE` characters, or at
    any blank beyond one and a half times that; at twice that in any case. A longer text that begins the
    same is cut at the same place.
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


# Growing paragraphs: what can no longer change is parsed and wrapped once.


class IncrementalParagraph:
    """The lines of a growing paragraph within a prefix, updated by `update`.

    The lines do not depend on how the text grew; only the work does.
    """

    __slots__ = ("_final_lines", "_final_text", "_last_line_runs", "_last_line_start", "_prefix", "_style")

    def __init__(self, prefix: FittedPrefix, style: str) -> None:
        self._prefix = prefix
        self._style = style
        self._final_text = ""  # the text parsed for good
        self._final_lines: list[Line] = []  # its complete lines
        self._last_line_runs: list[Run] = []  # the beginning of its last line
        self._last_line_start = 0  # where that line starts

    def can_continue(self, prefix: FittedPrefix, style: str, text: str) -> bool:
        """Return whether a text with this prefix and style continues the paragraph."""
        return self._prefix == prefix and self._style == style and text.startswith(self._final_text)

    def update(self, text: str) -> list[Line]:
        """Return the lines of a text that begins like the last one."""
        tail = text[len(self._final_text) :]
        if end := final_length(tail):
            self._final_text += tail[:end]
            self._append_final(parse_inline(tail[:end], self._style))
            tail = tail[end:]
        runs = merge_runs([*self._last_line_runs, *parse_inline(tail, self._style)])
        return self._final_lines + self._wrap_runs(runs)[0]

    def _append_final(self, runs: list[Run]) -> None:
        runs = merge_runs([*self._last_line_runs, *runs])
        text = runs_text(runs)
        spans = wrap(text, self._prefix.text_width)
        begin = spans[-1][0]
        if len(spans) > 1:
            self._final_lines += self._build_lines(runs, spans[:-1])
        self._last_line_runs = slice_runs(runs, [(begin, len(text))])[0]
        self._last_line_start += begin

    def _wrap_runs(self, runs: list[Run]) -> tuple[list[Line], int]:
        spans = wrap(runs_text(runs), self._prefix.text_width)
        return self._build_lines(runs, spans), spans[-1][0]

    def _build_lines(self, runs: list[Run], spans: list[tuple[int, int]]) -> list[Line]:
        return self._prefix.build_lines(
            slice_runs(runs, spans), spans, self._last_line_start, first=not self._final_lines
        )
