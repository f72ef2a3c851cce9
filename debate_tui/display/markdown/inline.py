"""Inline markup within a paragraph (emphasis, code, links), parsed by markdown-it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from debate_tui.display.markdown.lines import Run, combine_styles
from debate_tui.display.markdown.wrap import JOINERS, merge_runs, runs_text, strip_stray_joiners
from debate_tui.domain.markdown import extend_markdown_it
from debate_tui.domain.sanitise import sanitise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token


_MARKUP_CHARACTER = re.compile(r"[\\`*_~\[\]<&]|\$\$|://| \n|\n[ \t]")
_SIMPLE_TEXT = r"[^\s*_`\[\]<&\\~:](?:[^*_`\[\]<&\\~:\n]*[^\s*_`\[\]<&\\~:])?"
_SIMPLE_MARKUP = re.compile(
    rf"(?:^|(?<=[\s(]))(?:\*\*({_SIMPLE_TEXT})\*\*|\*({_SIMPLE_TEXT})\*|`([^`\s](?:[^`\n]*[^`\s])?)`)(?=$|[\s.,;:!?)])"
)
"""Strong text, emphasis and code that stand alone, without other markup in them."""

_URL = re.compile(r"https?://[!-~]*?[\w/&#=%+-](?=[.,;:!?)\]}*_~'\"]*(?:[^!-~]|[<>\"'`|]|$))", re.ASCII)
_INLINE_STOPS = re.compile(r"[\n!$&*<\[\\\]_`~]")

_STYLE_OF_TOKEN = {"em_open": "emphasis", "strong_open": "strong", "s_open": "strike", "link_open": "link"}


@cache
def markdown_it_parser(*, links: bool = True) -> MarkdownIt:
    """Return the shared parser; with `links` false, one that does not look for them at every bracket."""
    from markdown_it import MarkdownIt

    rules = ["newline", "escape", "backticks", "strikethrough", "emphasis", "autolink", "entity"]
    made = MarkdownIt("zero").enable([*rules, "link", "image"] if links else rules)
    made.inline.ruler2.enable(["balance_pairs", "strikethrough", "emphasis", "fragments_join"])
    extend_markdown_it(made)
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
    if "$$" in text:
        return None
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
    """Cache `parse_inline` for repeated text such as the cells of an open table."""
    return tuple(parse_inline(text, style))


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
