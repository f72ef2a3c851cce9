"""A debate as one self-contained, printable HTML page with the panes side by side, which can also play it.

Speech is hostile. It is read as Markdown without raw HTML, images or attributes; links may lead only to
http and https. The page's content security policy lets nothing run or load except its own script and style
sheets.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from debate_tui.domain.exports import outline
from debate_tui.domain.exports.player import (
    hash_source,
    page_colors,
    player_lines,
    player_script,
    player_style,
)
from debate_tui.domain.markdown import extend_markdown_it
from debate_tui.domain.material import material_for
from debate_tui.domain.quotes import insert_marks
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import describe_debate_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence, Set
    from typing import Any

    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token

    from debate_tui.domain.events import Event
    from debate_tui.domain.exports.outline import (
        FigureBar,
        RoundSection,
        SummarySection,
        SummaryTable,
        TurnEntry,
    )
    from debate_tui.domain.material import Material
    from debate_tui.domain.wording import Footnote

_TURN_HEADING_LEVEL = 3
_ALLOWED_ATTRIBUTES = frozenset({"href", "start"})

_LINK_RELATION = "noopener noreferrer nofollow"

# Noncharacters stand for the marks after quotes until Markdown is converted. Those of a speech itself are
# replaced before, and no reference (`&#xfdd0;`) stands for one.
_QUOTE_MARKS = ("\ufdd0", "\ufdd1")
_NO_MARKS = str.maketrans(dict.fromkeys(_QUOTE_MARKS, "\ufffd"))
_MARK_ELEMENTS = [
    f'<span class="quote {kind}" role="img" aria-label="{words}" title="{words}">{symbol}</span>'
    for kind, words, symbol in (("found", "quote found", "✓"), ("missing", "quote not found", "✗"))
]

# The box scrolls where the table is wider than the page.
_TABLE_START = '<div class="table"><table>'
_TABLE_END = "</table></div>"


def render_html(events: Sequence[Event], material: Iterable[Material] = ()) -> str:
    """Render the whole debate; reasoning and the texts of `material`, without hidden ones, are collapsed."""
    transcript = Transcript(events)
    title = escape(outline.document_title(transcript))
    style = page_colors() + files(__package__).joinpath("document.css").read_text("utf-8")
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="und">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_content_policy(style)}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *_body_lines(transcript, title, material),
            *(player_lines(events) if transcript.turns else ()),
            "</body>",
            "</html>\n",
        )
    )


def _content_policy(style: str) -> str:
    return (
        f"default-src 'none'; script-src {hash_source(player_script())}; "
        f"style-src {hash_source(style)} {hash_source(player_style())}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _body_lines(transcript: Transcript, title: str, material: Iterable[Material]) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{title}</h1>"
    yield f"<p>{escape(outline.document_subtitle(transcript))}</p>"
    yield "<ul>"
    places = {debater: place for place, debater in enumerate(transcript.debaters, 1)}
    citable = {number for number, each in enumerate(transcript.material, 1) if not each.debater}
    for place, speaker in enumerate(outline.speaker_lines(transcript), 1):
        yield f'<li class="pane-{place}">{escape(speaker)}</li>'
    yield "</ul>"
    yield "</header>"
    yield "<main>"
    for section in (*outline.outcome_sections(transcript), *outline.report_sections(transcript)):
        yield from _summary_lines(section, places, citable)
    for part in outline.round_sections(transcript):
        yield from _round_lines(part, places, citable)
    judges = tuple(outline.judge_sections(transcript))
    if judges:
        yield "<h2>Judges</h2>"
    for section in judges:
        yield from _summary_lines(section, places, citable)
    yield from _material_lines(transcript, material)
    for section in outline.cost_sections(transcript):
        yield from _summary_lines(section, places, citable)
    yield "</main>"
    yield f"<footer>{escape(describe_debate_end(transcript.finish_reason))}</footer>"


def _round_lines(part: RoundSection, places: dict[str, int], citable: Set[int]) -> Iterator[str]:
    yield "<section>"
    if part.title:
        yield f"<h2>{escape(part.title)}</h2>"
    if part.turns:
        yield f'<div class="panes of-{len(places)}">'
        for speech in part.turns:
            yield from _turn_lines(speech, places.get(speech.debater, 1), citable)
        yield "</div>"
    for note in part.notes:
        yield f'<p class="note">{escape(note)}</p>'
    yield "</section>"


def _turn_lines(speech: TurnEntry, place: int, citable: Set[int]) -> Iterator[str]:
    yield f'<article class="pane-{place}">'
    yield f"<h3>{escape(speech.speaker)}</h3>"
    if speech.facts:
        yield f'<p class="facts">{escape(speech.facts)}</p>'
    if speech.reasoning:
        yield f"<details><summary>Reasoning</summary><pre>{escape(speech.reasoning)}</pre></details>"
    marked = insert_marks(speech.text.translate(_NO_MARKS), speech.quote_ends, _QUOTE_MARKS)
    # A number that is also that of one of the turn's own sources may mean either.
    citable = citable - set(range(1, len(speech.sources) + 1))
    yield markdown_to_html(marked.strip("\n"), citable) or '<p class="facts">(no text)</p>'
    if speech.sources:
        yield '<ol class="sources">'
        yield from (f"<li>{_source_link(note)}</li>" for note in speech.sources)
        yield "</ol>"
    if speech.ending:
        kind = f" {speech.reason}" if speech.reason else ""
        yield f'<p class="mark{kind}">{escape(speech.ending)}</p>'
    yield "</article>"


def _source_link(note: Footnote) -> str:
    title = escape(note.title)
    return f'<a href="{escape(note.url)}" rel="{_LINK_RELATION}">{title}</a>' if note.url else title


def _summary_lines(section: SummarySection, places: dict[str, int], citable: Set[int]) -> Iterator[str]:
    level = "h3" if section.is_subsection else "h2"
    yield '<section class="outcome">'
    yield f"<{level}>{escape(section.title)}</{level}>"
    for line in section.lines:
        yield f"<p>{_link_citations(escape(line), citable)}</p>"
    if section.points:
        yield "<ul>"
        yield from (f"<li>{_link_citations(escape(point), citable)}</li>" for point in section.points)
        yield "</ul>"
    if section.bars:
        yield from _bar_lines(section.bars, places)
    if section.table is not None:
        yield from _table_lines(section.table)
    yield "</section>"


def _bar_lines(bars: tuple[FigureBar, ...], places: dict[str, int]) -> Iterator[str]:
    yield '<table class="bars">'
    for bar in bars:
        meter = f'<meter max="{bar.maximum:g}" value="{bar.value:g}"></meter>'
        whose = f' class="pane-{places[bar.debater]}"' if bar.debater in places else ""
        yield f"<tr{whose}><th>{escape(bar.label)}</th><td>{meter}</td><td>{escape(bar.text)}</td></tr>"
    yield "</table>"


def _table_lines(table: SummaryTable) -> Iterator[str]:
    yield _TABLE_START
    yield "<tr>{}</tr>".format("".join(f"<th>{escape(cell)}</th>" for cell in table.header))
    for row in table.rows:
        yield "<tr>{}</tr>".format("".join(f"<td>{escape(cell)}</td>" for cell in row))
    yield _TABLE_END


def _material_lines(transcript: Transcript, material: Iterable[Material]) -> Iterator[str]:
    """Yield the list of the material, each with its text if that is known, as targets of citations."""
    entries = outline.material_entries(transcript)
    if not entries:
        return
    texts = {each.number: sanitise(each.text) for each in material_for(material)}
    yield '<section class="outcome material">'
    yield "<h2>Material</h2>"
    for entry in entries:
        label = escape(f"[{entry.number}] {entry.name} · {entry.characters:,} characters")
        target = f'id="material-{entry.number}"'
        if entry.number in texts:
            # The target is within the details, so that browsers open them for a link to it.
            text = f"<pre {target}>{escape(texts[entry.number])}</pre>"
            yield f"<details><summary>{label}</summary>{text}</details>"
        else:
            yield f"<p {target}>{label}</p>"
    yield "</section>"


_CITATION = re.compile(r"\[([1-9]\d{0,3})\]")


def _link_citations(escaped: str, citable: Set[int]) -> str:
    """Return escaped text with its citations of material, such as ``[1]``, as links to it."""

    def link(found: re.Match[str]) -> str:
        is_known = int(found[1]) in citable
        return f'<a href="#material-{found[1]}">{found[0]}</a>' if is_known else found[0]

    return _CITATION.sub(link, escaped)


def markdown_to_html(text: str, citable: Set[int] = frozenset()) -> str:
    """Convert sanitised Markdown to safe HTML with headings below level 3.

    `citable` are the numbers of the material that a citation such as ``[1]`` is linked to; `_QUOTE_MARKS`
    become elements.
    """
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        _strip_attributes(token)
        _mark_citing_text(token)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + _TURN_HEADING_LEVEL, 6)}"
    page = str(parser.renderer.render(tokens, parser.options, {"citable": citable})).rstrip("\n")
    for mark, element in zip(_QUOTE_MARKS, _MARK_ELEMENTS, strict=True):
        page = page.replace(mark, element)
    return page


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    # The library documents this assignment, but types the method as fixed.
    parser.validateLink = _is_web_link  # type: ignore[method-assign]
    extend_markdown_it(parser)
    parser.add_render_rule("formula", _render_formula)
    parser.add_render_rule("citing_text", _render_citing_text)
    parser.add_render_rule("table_open", lambda *_: _TABLE_START)
    parser.add_render_rule("table_close", lambda *_: _TABLE_END)
    return parser


def _render_formula(_: RendererProtocol, tokens: Sequence[Token], index: int, *__: object) -> str:
    return "<p>{}</p>\n".format(escape(tokens[index].content).replace("\n", "<br />\n"))


def _mark_citing_text(token: Token) -> None:
    """Make the texts of a paragraph that are not within a link one of our own kind."""
    links = 0
    for child in token.children or ():
        if child.type in {"link_open", "link_close"}:
            links += child.nesting
        elif child.type == "text" and not links:
            child.type = "citing_text"


def _render_citing_text(
    _: RendererProtocol, tokens: Sequence[Token], index: int, __: object, env: MutableMapping[str, Any]
) -> str:
    return _link_citations(escapeHtml(tokens[index].content), env["citable"])


def _strip_attributes(token: Token) -> None:
    """Remove every attribute and class from the speech, except link targets and list starts.

    The text is sanitised again: a character reference (``&#13;``) may stand for a removed character.
    """
    token.content = sanitise(token.content)
    token.info = ""
    token.attrs = {name: value for name, value in token.attrs.items() if name in _ALLOWED_ATTRIBUTES}
    if token.type == "link_open":
        token.attrs["rel"] = _LINK_RELATION
    for child in token.children or ():
        _strip_attributes(child)


def _is_web_link(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))
