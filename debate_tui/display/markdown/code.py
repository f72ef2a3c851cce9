"""Code blocks: finished, and still open; coloured by Pygments, which is imported with the first language."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.markdown.blocks import LeafBlock, skip_indentation
from debate_tui.display.markdown.lines import Run, combine_styles
from debate_tui.display.markdown.wrap import (
    JOINERS,
    BlockPrefix,
    cell_width,
    fit_prefix,
    runs_text,
    slice_runs,
    strip_stray_joiners_so_far,
    wrap_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    # Pygments has no types, here and below.
    from pygments.lexer import Lexer  # type: ignore[import-untyped]
    from pygments.token import _TokenType  # type: ignore[import-untyped]

    from debate_tui.display.markdown.lines import Line, MarkdownSymbols

MAX_JOINTLY_HIGHLIGHTED_LINES = 200
"""The maximum number of lines of fenced code highlighted together; longer code is done line by line."""

MAX_BLANK_LINES = 100
"""The maximum number of blank lines kept within indented code."""

CODE_GROUP_LINES = 20
"""Lines of long code that are closed together."""

MAX_LINE_PIECE = 2000
"""The maximum number of characters in a line of code; longer ones are split."""

_CLOSING_FENCE = re.compile(r"(`{3,}|~{3,}) *$")


class CodeBlock(LeafBlock, frozen=True, gc=False):
    """Lines of code, coloured by `language`: together, or one by one if `highlight_per_line` is set."""

    is_wide: ClassVar[bool] = True

    language: str = ""
    highlight_per_line: bool = False

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Return the lines of code, folded where the row ends."""
        return self._render_from(0, 0, width)

    def render_incremental(
        self, previous: CodeBlock, previous_lines: list[Line], width: int, symbols: MarkdownSymbols
    ) -> list[Line]:
        """Return the same lines as `render`, reusing the previous ones as far as the code is the same."""
        alike = (
            previous.prefix == self.prefix
            and previous.language == self.language
            and previous.highlight_per_line == self.highlight_per_line
        )
        if not alike or (self.language and not self.highlight_per_line):
            return self.render(width, symbols)
        begin = previous.text.rfind("\n", 0, len(self.text)) + 1
        if not self.text.startswith(previous.text[:begin]):
            return self.render(width, symbols)
        kept = [line for line in previous_lines if line.start < begin]
        return kept + self._render_from(begin, len(kept), width)

    def _render_from(self, start: int, lines_above: int, width: int) -> list[Line]:
        """Render from the character `start`, which begins a line; `lines_above` lines are above it."""
        prefix = fit_prefix(self.prefix, width)
        style = combine_styles(self.prefix.style, "code block")
        text = self.text[start:]
        if self.highlight_per_line:
            drawn = [list(highlight_line(line, self.language, style)) for line in text.split("\n")]
        else:
            drawn = highlight(text, self.language, style)
        lines: list[Line] = []
        for runs in drawn:
            code = runs_text(runs)
            spans = wrap_code(code, prefix.text_width)
            for span, piece in zip(spans, slice_runs(runs, spans), strict=True):
                first = not lines and not lines_above
                lines.append(prefix.build_line(piece, start=start + span[0], first=first, fill=style))
            start += len(code) + 1
        return lines

    def count_lines(self, width: int, symbols: MarkdownSymbols) -> int:
        """Return the number of lines, without highlighting the code."""
        room = fit_prefix(self.prefix, width).text_width
        return sum(
            [
                -(-cell_width(line) // room) or 1 if line.isascii() else len(wrap_code(line, room))
                for line in self.text.split("\n")
            ]
        )


class OpenFence(Struct, frozen=True):
    """Fenced code, with the lines since the last closed ones; `is_long` if highlighted line by line."""

    marker: str
    language: str
    indent: int
    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    size: int = 0
    is_long: bool = False

    @classmethod
    def start(cls, marker: str, info: str, indent: int, prefix: BlockPrefix) -> OpenFence:
        """Start an empty fence; the first word after its marker names the language."""
        words = info.split()
        return cls(marker, words[0] if words else "", indent, prefix)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` can add to the last line read."""
        return bool(self.lines)

    def is_closing_line(self, line: str, position: int) -> bool:
        """Return whether this line closes the fence."""
        start = skip_indentation(line, position)
        end = _CLOSING_FENCE.match(line, start) if start - position < 4 else None
        return end is not None and end[1].startswith(self.marker)

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenFence:
        """Return the fence with one more line, without the indentation of the fence itself."""
        start = min(skip_indentation(line, position), position + self.indent)
        return self._with_lines((*self.lines, *_split_long_line(line[start:])), len(line) - start + 1, closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenFence:
        """Return the fence with more text in its last line."""
        return self._with_lines(
            (*self.lines[:-1], *_split_long_line(self.lines[-1] + text)), len(text), closed
        )

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the fence; a draft is highlighted line by line."""
        closed.append(
            CodeBlock(
                "\n".join(self.lines), self.prefix, self.language, highlight_per_line=draft or self.is_long
            )
        )

    def _with_lines(self, lines: tuple[str, ...], added_size: int, closed: list[LeafBlock]) -> OpenFence:
        size = self.size + added_size
        if not self.is_long and len(lines) <= MAX_JOINTLY_HIGHLIGHTED_LINES and size <= MAX_HIGHLIGHTED_TEXT:
            return replace(self, lines=lines, size=size)
        lines, prefix = _close_groups(lines, self.prefix, closed, self.language, keep=CODE_GROUP_LINES)
        return replace(self, prefix=prefix, lines=lines, size=size, is_long=True)


class OpenIndentedCode(Struct, frozen=True):
    """Indented code; blank lines at its end belong to it only if more code follows."""

    prefix: BlockPrefix
    lines: tuple[str, ...] = ()
    blank_lines: tuple[str, ...] = ()

    @classmethod
    def start(cls, line: str, prefix: BlockPrefix, closed: list[LeafBlock]) -> OpenIndentedCode:
        """Start code with its first line."""
        return cls(prefix).with_lines(_split_long_line(line), closed)

    @property
    def accepts_text(self) -> bool:
        """Whether `with_text` can add to the last line read."""
        return not self.blank_lines

    def with_line(self, line: str, position: int, closed: list[LeafBlock]) -> OpenIndentedCode | None:
        """Return the code with one more line, or `None` if it is neither indented nor blank.

        Blank lines beyond `MAX_BLANK_LINES` are dropped.
        """
        start = skip_indentation(line, position)
        if start == len(line):
            blanks = (*self.blank_lines, *_split_long_line(line[position + 4 :]))
            return OpenIndentedCode(self.prefix, self.lines, blanks[:MAX_BLANK_LINES])
        if start - position < 4:
            return None
        return self.with_lines((*self.blank_lines, *_split_long_line(line[position + 4 :])), closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenIndentedCode:
        """Return the code with more text in its last line."""
        return OpenIndentedCode(self.prefix, self.lines[:-1]).with_lines(
            _split_long_line(self.lines[-1] + text), closed
        )

    def with_lines(self, more: Iterable[str], closed: list[LeafBlock]) -> OpenIndentedCode:
        """Return the code with more lines."""
        lines = (*self.lines, *more)
        lines, prefix = _close_groups(lines, self.prefix, closed, keep=2 * CODE_GROUP_LINES)
        return OpenIndentedCode(prefix, lines)

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the code, without the blank lines at its end."""
        closed.append(CodeBlock("\n".join(self.lines), self.prefix))


def _close_groups(
    lines: tuple[str, ...], prefix: BlockPrefix, closed: list[LeafBlock], language: str = "", *, keep: int
) -> tuple[tuple[str, ...], BlockPrefix]:
    """Close the first lines of long code in groups; return the last lines, up to `keep`, and their prefix."""
    while len(lines) > keep:
        text = "\n".join(lines[:CODE_GROUP_LINES])
        closed.append(CodeBlock(text, prefix, language, highlight_per_line=bool(language)))
        prefix = prefix.continuation()
        lines = lines[CODE_GROUP_LINES:]
    return lines, prefix


def _split_long_line(line: str) -> list[str]:
    """Split a line of code that is very long."""
    line = strip_stray_joiners_so_far(line)
    lines: list[str] = []
    while len(line) > MAX_LINE_PIECE:
        end = MAX_LINE_PIECE
        while end > 1 and JOINERS.search(line, end - 1, end + 1):
            end -= 1
        lines.append(line[:end])
        line = line[end:]
    return [*lines, line]


# Syntax highlighting.


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
    # Pygments has no types.
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
