"""A debate as Markdown or plain text, with a structure that no speech can change.

Speech is Markdown from an untrusted author. Its headings are moved below the document's own, its raw HTML
and images become visible text, it cannot define links for other turns, its links lead only to the web or to
mail addresses, and its open code fences are closed.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from debate_tui.domain.exports import outline
from debate_tui.domain.exports.outline import summary_sections
from debate_tui.domain.markdown import LINE_BREAK
from debate_tui.domain.wording import describe_debate_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from debate_tui.domain.exports.outline import (
        FigureBar,
        RoundSection,
        SummarySection,
        SummaryTable,
        TurnEntry,
    )
    from debate_tui.domain.transcript import Transcript
    from debate_tui.domain.wording import Footnote


_TURN_HEADING_LEVEL: Final = 3
"""Level of a turn's heading; headings within its text start one level below."""

_HASHES = re.compile(r"#{1,6}(?=[ \t]|$)")
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*$")
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_TAG_START_IN_CELL = re.compile(r"<(?=[A-Za-z/!?])(?!br *+/?>)", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~#|])")
_URL_SPECIAL = re.compile(r"[<>\\]")
_LIST_MARKER = re.compile(r"^(\d{0,9})([-+.)])")


@cache
def _parser(*, html: bool = False) -> MarkdownIt:
    """Return the shared parser; plain text needs none.

    Without `html`, raw HTML is text: it is escaped later, so the final document has paragraphs in its place.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": html})
    # Accept all links: other parsers allow targets that this one would refuse. The library documents this
    # assignment, but types the method as fixed.
    parser.validateLink = lambda _: True  # type: ignore[method-assign,assignment]
    return parser


def render_markdown(transcript: Transcript) -> str:
    """Render the whole debate, without reasoning."""
    return "\n\n".join(_markdown_paragraphs(transcript)) + "\n"


def _markdown_paragraphs(transcript: Transcript) -> Iterator[str]:
    yield f"# {escape_markdown(outline.document_title(transcript))}"
    yield escape_markdown(outline.document_subtitle(transcript))
    yield "\n".join(f"- {escape_markdown(speaker)}" for speaker in outline.speaker_lines(transcript))
    for section in outline.report_sections(transcript):
        yield from _markdown_summary(section)
    for part in outline.round_sections(transcript):
        yield from _markdown_round(part)
    for section in summary_sections(transcript):
        yield from _markdown_summary(section)
    yield f"*{describe_debate_end(transcript.finish_reason)}*"


def _markdown_round(part: RoundSection) -> Iterator[str]:
    if part.title:
        yield f"## {escape_markdown(part.title)}"
    for speech in part.turns:
        yield from _markdown_turn(speech)
    for note in part.notes:
        yield f"> {escape_markdown(note)}"


def _markdown_turn(speech: TurnEntry) -> Iterator[str]:
    yield f"{'#' * _TURN_HEADING_LEVEL} {escape_markdown(speech.speaker)}"
    if speech.facts:
        yield f"*{escape_markdown(speech.facts)}*"
    yield embed_markdown(speech.marked_text) or "*(no text)*"
    if speech.sources:
        yield "*Sources*"
        yield "\n".join(f"{note.number}. {_markdown_source(note)}" for note in speech.sources)
    if speech.ending:
        yield f"**{escape_markdown(speech.ending)}**"


def _markdown_source(note: Footnote) -> str:
    title = escape_markdown(note.title)
    return f"[{title}](<{_URL_SPECIAL.sub(_percent_encode, note.url)}>)" if note.url else title


def _percent_encode(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _markdown_summary(section: SummarySection) -> Iterator[str]:
    yield f"{'###' if section.is_subsection else '##'} {escape_markdown(section.title)}"
    yield from (escape_markdown(line) for line in section.lines)
    if section.points:
        yield "\n".join(f"- {escape_markdown(point)}" for point in section.points)
    if section.bars:
        best = f"of {section.bars[0].maximum:g}"
        yield _markdown_table(("", best), [(bar.label, bar.text) for bar in section.bars])
    if section.table is not None:
        yield _markdown_table(section.table.header, section.table.rows)


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    literal = [[cell if line is lines[1] else _SPECIAL.sub(r"\\\1", cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in literal)


def embed_markdown(text: str) -> str:
    """Fit sanitised Markdown into a document, with headings below level 3.

    Text that would still be more than speech there, because one change gives another line a new meaning, is
    shown as code.
    """
    text = text.strip("\n")
    embedded = _tame_markdown(text)
    return embedded if _is_tame(embedded) else _show_as_code(text)


def _tame_markdown(text: str) -> str:
    lines = text.split("\n")
    references: dict[str, Any] = {}
    _parser().parse("\n".join(lines), references)
    for definition in _link_definitions(references):
        first = definition["map"][0]
        lines[first] = lines[first].replace("[", "\\[", 1)
    tokens = _parser().parse("\n".join(lines))
    for token in tokens:
        if token.type == "heading_open" and token.map:
            _demote_heading(lines, token)
    code = {
        line for token in tokens if token.type in _CODE_TOKENS and token.map for line in range(*token.map)
    }
    lines = _drop_unsafe_targets("\n".join(lines), code).split("\n")
    for number, line in enumerate(lines):
        if number not in code:
            lines[number] = _escape_tags(line).replace("![", "!\\[")
    if tokens and tokens[-1].type == "fence" and not _is_closed_fence(tokens[-1], lines):
        lines.append(tokens[-1].markup)
    return "\n".join(lines)


def _is_tame(markdown: str) -> bool:
    """Return whether Markdown has no raw HTML, images, unsafe links, definitions, or headings of our own."""
    references: dict[str, Any] = {}
    tokens = _parser(html=True).parse(markdown, references)
    return not any(_link_definitions(references)) and all(map(_is_tame_token, tokens))


def _is_tame_token(token: Token) -> bool:
    match token.type:
        case "html_block" | "image":
            return False
        case "html_inline":
            return LINE_BREAK.fullmatch(token.content) is not None
        case "heading_open":
            return int(token.tag[1]) > _TURN_HEADING_LEVEL
        case "link_open":
            return _is_safe_target(str(token.attrs["href"]))
    return all(map(_is_tame_token, token.children or ()))


def _show_as_code(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}\n{text}\n{fence}"


def _escape_tags(line: str) -> str:
    """Turn raw HTML into text, except for ``<br>`` after a bar: it breaks lines in a table's cell."""
    before, bar, cells = line.partition("|")
    return _TAG_START.sub("&lt;", before) + bar + _TAG_START_IN_CELL.sub("&lt;", cells)


_LINK_START = re.compile(r"\]\(\s*")
_BLANKS_AND_CONTROLS = re.compile(r"[\s\x00-\x20\x7f-\xa0]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SAFE_SCHEMES: Final = frozenset({"http", "https", "mailto"})


def _drop_unsafe_targets(text: str, code_lines: set[int]) -> str:
    """Replace link targets other than web and mail addresses, such as ``javascript:``, with ``#``."""
    from markdown_it.helpers import parseLinkDestination

    kept: list[str] = []
    end = line = counted = 0
    for link in _LINK_START.finditer(text):
        target = parseLinkDestination(text, link.end(), len(text))
        if not target.ok or _is_safe_target(target.str) or link.start() < end:
            continue
        line += text.count("\n", counted, link.start())
        counted = link.start()
        if line in code_lines:
            continue
        kept += text[end : link.end()], "#"
        end = target.pos
    return "".join((*kept, text[end:]))


def _is_safe_target(target: str) -> bool:
    scheme = _SCHEME.match(_BLANKS_AND_CONTROLS.sub("", target))
    return scheme is None or scheme[1].lower() in _SAFE_SCHEMES


_CODE_TOKENS: Final = frozenset({"fence", "code_block"})


def _link_definitions(references: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from references.get("references", {}).values()
    yield from references.get("duplicate_refs", ())


def _demote_heading(lines: list[str], heading: Token) -> None:
    first, end = heading.map or (0, 1)
    if heading.markup.startswith("#"):
        level = min(len(heading.markup) + _TURN_HEADING_LEVEL, 6)
        lines[first] = _HASHES.sub("#" * level, lines[first], count=1)
    else:  # underlined: a backslash turns the line into text
        lines[end - 1] = _UNDERLINE.sub(r"\\\1", lines[end - 1])


def _is_closed_fence(fence: Token, lines: list[str]) -> bool:
    first, end = fence.map or (0, 0)
    last = lines[end - 1].strip()
    return end - 1 > first and set(last) == set(fence.markup[0]) and len(last) >= len(fence.markup)


def escape_markdown(text: str) -> str:
    """Escape one line so that Markdown shows it as plain text."""
    return _LIST_MARKER.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))


# Plain text: speech is indented, so that none of it looks like a heading


_INDENT = "    "
_BAR_WIDTH = 20


def render_text(transcript: Transcript) -> str:
    """Render the whole debate, without reasoning; blank lines separate paragraphs, lines are not wrapped.

    Speech is shown as written, Markdown included.
    """
    return "\n\n".join(_text_paragraphs(transcript)) + "\n"


def _text_paragraphs(transcript: Transcript) -> Iterator[str]:
    title = outline.document_title(transcript)
    yield f"{title}\n{'=' * min(len(title), 72)}"
    yield outline.document_subtitle(transcript)
    yield "\n".join(outline.speaker_lines(transcript))
    for section in outline.report_sections(transcript):
        yield from _text_summary(section)
    for part in outline.round_sections(transcript):
        yield from _text_round(part)
    for section in summary_sections(transcript):
        yield from _text_summary(section)
    yield describe_debate_end(transcript.finish_reason)


def _text_round(part: RoundSection) -> Iterator[str]:
    if part.title:
        yield f"{part.title}\n{'-' * len(part.title)}"
    for speech in part.turns:
        yield f"{speech.speaker}  [{speech.facts}]" if speech.facts else speech.speaker
        yield textwrap.indent(speech.marked_text or "(no text)", _INDENT)
        if speech.sources:
            yield textwrap.indent("\n".join(("Sources:", *map(str, speech.sources))), _INDENT)
        if speech.ending:
            yield f"[{speech.ending}]"
    yield from part.notes


def _text_summary(section: SummarySection) -> Iterator[str]:
    yield section.title if section.is_subsection else f"{section.title}\n{'-' * len(section.title)}"
    yield from (textwrap.indent(line, _INDENT) for line in section.lines)
    if section.points:
        yield "\n".join(f"{_INDENT}- {point}" for point in section.points)
    if section.bars:
        yield "\n".join(_text_bars(section.bars))
    if section.table is not None:
        yield "\n".join(_text_table(section.table))


def _text_bars(bars: tuple[FigureBar, ...]) -> Iterator[str]:
    width = max(len(bar.label) for bar in bars)
    for bar in bars:
        filled = round(_BAR_WIDTH * min(max(bar.value / bar.maximum, 0), 1))
        yield f"{_INDENT}{bar.label:{width}}  {'█' * filled}{'░' * (_BAR_WIDTH - filled)}  {bar.text}"


def _text_table(table: SummaryTable) -> Iterator[str]:
    """Yield the rows, with every column except the last as wide as its widest cell."""
    rows = (table.header, *table.rows)
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.header) - 1)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"{_INDENT}{'  '.join((*cells, row[-1]))}"
