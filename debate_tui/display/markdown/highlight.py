"""Syntax highlighting by Pygments, which is imported when the first code with a language is rendered."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from debate_tui.display.markdown.lines import Run, combine_styles

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]
    from pygments.token import _TokenType  # type: ignore[import-untyped]

PRELOADED_LANGUAGES = (
    "python",
    "javascript",
    "typescript",
    "json",
    "bash",
    "html",
    "sql",
    "c",
    "cpp",
    "java",
    "go",
    "rust",
)
"""Languages to load in advance."""

MAX_HIGHLIGHTED_TEXT = 16_000
"""The maximum number of characters that are highlighted together."""


def highlight(code: str, language: str, style: str = "") -> list[list[Run]]:
    """Return the runs of each line of `code`, without colours if the language is unknown."""
    lexer = _find_lexer(language) if language and len(code) <= MAX_HIGHLIGHTED_TEXT else None
    if lexer is None:
        return [[(line, style)] if line else [] for line in code.split("\n")]
    lines: list[list[Run]] = [[]]
    for _, token, text in lexer.get_tokens_unprocessed(code + "\n"):
        name = combine_styles(style, _token_style(token))
        for index, part in enumerate(text.split("\n")):
            if index:
                lines.append([])
            line = lines[-1]
            if part and line and line[-1][1] == name:
                line[-1] = (line[-1][0] + part, name)
            elif part:
                line.append((part, name))
    return _without_final_newline(lines, code) or highlight(code, "", style)


@lru_cache(512)
def highlight_line(line: str, language: str, style: str = "") -> tuple[Run, ...]:
    """Return the runs of a line highlighted by itself; cached because visible lines repeat."""
    return tuple(highlight(line, language, style)[0])


def _without_final_newline(lines: list[list[Run]], code: str) -> list[list[Run]]:
    """Remove the line feed that lexers need at the end; return nothing if the text was changed."""
    lines.pop()
    same = "\n".join(["".join([text for text, _ in line]) for line in lines]) == code
    return lines if same else []


@lru_cache(64)
def _find_lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


@lru_cache(512)
def _token_style(token: _TokenType) -> str:
    from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String

    if token in Comment:
        return "comment"
    if token in Keyword or token in Operator.Word:
        return "keyword"
    if token in String:
        return "string"
    if token in Number or token in Literal:
        return "number"
    if token in Name.Function or token in Name.Class or token in Name.Builtin or token in Name.Tag:
        return "name"
    return ""
