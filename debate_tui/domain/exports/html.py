"""A debate as one self-contained, printable HTML page with the panes side by side.

Speech is hostile. It is read as Markdown without raw HTML, images or attributes; links may lead only to
http and https. The page's content security policy lets nothing run or load except its own style sheet.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.token import Token

from debate_tui.domain.exports import outline
from debate_tui.domain.exports.outline import summary_sections
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.wording import describe_debate_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.exports.outline import (
        FigureBar,
        RoundSection,
        SummarySection,
        SummaryTable,
        TurnEntry,
    )
    from debate_tui.domain.transcript import Transcript

_TURN_HEADING_LEVEL = 3
_ALLOWED_ATTRIBUTES = frozenset({"href", "start"})


def render_html(transcript: Transcript) -> str:
    """Render the whole debate; reasoning is collapsed."""
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(outline.document_title(transcript))
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="und">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *_body_lines(transcript, title),
            "</body>",
            "</html>\n",
        )
    )


def _body_lines(transcript: Transcript, title: str) -> Iterator[str]:
    yield "<header>"
    yield f"<h1>{title}</h1>"
    yield f"<p>{escape(outline.document_subtitle(transcript))}</p>"
    yield "<ul>"
    places = {debater: place for place, debater in enumerate(transcript.debaters, 1)}
    for place, speaker in enumerate(outline.speaker_lines(transcript), 1):
        yield f'<li class="pane-{place}">{escape(speaker)}</li>'
    yield "</ul>"
    yield "</header>"
    yield "<main>"
    for part in outline.round_sections(transcript):
        yield from _round_lines(part, places)
    for section in summary_sections(transcript):
        yield from _summary_lines(section, places)
    yield "</main>"
    yield f"<footer>{escape(describe_debate_end(transcript.finish_reason))}</footer>"


def _round_lines(part: RoundSection, places: dict[str, int]) -> Iterator[str]:
    yield "<section>"
    if part.title:
        yield f"<h2>{escape(part.title)}</h2>"
    if part.turns:
        yield f'<div class="panes of-{len(places)}">'
        for speech in part.turns:
            yield from _turn_lines(speech, places.get(speech.debater, 1))
        yield "</div>"
    for note in part.notes:
        yield f'<p class="note">{escape(note)}</p>'
    yield "</section>"


def _turn_lines(speech: TurnEntry, place: int) -> Iterator[str]:
    yield f'<article class="pane-{place}">'
    yield f"<h3>{escape(speech.speaker)}</h3>"
    if speech.facts:
        yield f'<p class="facts">{escape(speech.facts)}</p>'
    if speech.warning:
        yield f'<p class="mark">{escape(speech.warning)}</p>'
    if speech.reasoning:
        yield f"<details><summary>Reasoning</summary><pre>{escape(speech.reasoning)}</pre></details>"
    yield markdown_to_html(speech.text, speech.seam_marks) or '<p class="facts">(no text)</p>'
    if speech.ending:
        kind = f" {speech.reason}" if speech.reason else ""
        yield f'<p class="mark{kind}">{escape(speech.ending)}</p>'
    yield "</article>"


def _summary_lines(section: SummarySection, places: dict[str, int]) -> Iterator[str]:
    level = "h3" if section.is_subsection else "h2"
    yield '<section class="outcome">'
    yield f"<{level}>{escape(section.title)}</{level}>"
    for line in section.lines:
        yield f"<p>{escape(line)}</p>"
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
    yield "<table>"
    yield "<tr>{}</tr>".format("".join(f"<th>{escape(cell)}</th>" for cell in table.header))
    for row in table.rows:
        yield "<tr>{}</tr>".format("".join(f"<td>{escape(cell)}</td>" for cell in row))
    yield "</table>"


def markdown_to_html(text: str, seams: tuple[str, ...] = ()) -> str:
    """Convert sanitised Markdown to safe HTML with headings below level 3 and the seams marked."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    # The library documents this assignment, but types the method as fixed.
    parser.validateLink = _is_web_link  # type: ignore[method-assign]
    tokens = parser.parse(text)
    for token in tokens:
        _strip_attributes(token)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + _TURN_HEADING_LEVEL, 6)}"
        if token.children and seams:
            token.children = [part for child in token.children for part in _split_at_seams(child, seams)]
    return str(parser.renderer.render(tokens, parser.options, {})).rstrip("\n")


def _strip_attributes(token: Token) -> None:
    """Remove every attribute and class from the speech, except link targets and list starts.

    The text is sanitised again: a character reference (``&#13;``) may stand for a removed character.
    """
    token.content = sanitise(token.content)
    token.info = ""
    token.attrs = {name: value for name, value in token.attrs.items() if name in _ALLOWED_ATTRIBUTES}
    if token.type == "link_open":
        token.attrs["rel"] = "noopener noreferrer nofollow"
    for child in token.children or ():
        _strip_attributes(child)


def _split_at_seams(token: Token, seams: tuple[str, ...]) -> Iterator[Token]:
    """Split a text token at the marks of recoveries; each mark becomes an element of its own."""
    if token.type != "text":
        yield token
        return
    for piece in re.split("({})".format("|".join(map(re.escape, seams))), token.content):
        if piece in seams:
            yield Token("html_inline", "", 0, content=f'<span class="mark">{escape(piece)}</span>')
        else:
            yield Token("text", "", 0, content=piece)


def _is_web_link(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))
