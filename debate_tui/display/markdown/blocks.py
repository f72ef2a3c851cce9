"""The blocks that lines are made of: each renders itself at any width, from its text alone.

A block that is still growing is an open block (`OpenParagraph`, `OpenTable`, …), defined beside the finished
one. Open blocks are immutable, so that a draft costs only a reference. What can no longer change is moved to
the closed blocks at once, so an open block is bounded, however long the whole block is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.markdown.lines import Line, combine_styles
from debate_tui.display.markdown.wrap import BlockPrefix, fit_prefix, strip_stray_joiners
from debate_tui.domain.markdown import MAX_FORMULA_LENGTH

if TYPE_CHECKING:
    from debate_tui.display.markdown.lines import MarkdownSymbols


_BLANKS = re.compile(" *")


def skip_indentation(line: str, position: int) -> int:
    """Return where the text after the blanks at a position begins."""
    blanks = _BLANKS.match(line, position)
    assert blanks is not None
    return blanks.end()


class LeafBlock(Struct, frozen=True, gc=False):
    """A finished block, or an open one as if it ended here: its source text and its prefix.

    `is_wide` blocks use the whole width of the page, all others that of prose.
    """

    is_wide: ClassVar[bool] = False

    text: str
    prefix: BlockPrefix

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Return the block's lines, without the blank line above it."""
        raise NotImplementedError

    def count_lines(self, width: int, symbols: MarkdownSymbols) -> int:
        """Return the number of lines that `render` would return."""
        return len(self.render(width, symbols))

    def plain_text(self, width: int, symbols: MarkdownSymbols) -> str:
        """Return the text without markup; the `start` of the lines counts in it."""
        return self.text


class ThematicBreak(LeafBlock, frozen=True, gc=False):
    """A horizontal rule."""

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Return a single line."""
        prefix = fit_prefix(self.prefix, width)
        line = (symbols.rule * prefix.text_width, combine_styles(self.prefix.style, "border"))
        return [prefix.build_line([line], start=0, first=True)]


class EmptyBlock(LeafBlock, frozen=True, gc=False):
    """A list item or a quote without content."""

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Return a single line that shows only the bullet or bar."""
        return [fit_prefix(self.prefix, width).build_line([], start=0, first=True)]


class FormulaBlock(LeafBlock, frozen=True, gc=False):
    """A formula on lines of its own, shown as written."""

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Wrap the lines."""
        return fit_prefix(self.prefix, width).wrap_runs([(self.text, self.prefix.style)])


class OpenFormula(Struct, frozen=True):
    """A formula until the line that contains `closer`."""

    text: str
    prefix: BlockPrefix
    closer: str

    def with_line(self, line: str) -> OpenFormula | None:
        """Return the formula with one more line, or `None` if it would be too long."""
        text = f"{self.text}\n{strip_stray_joiners(line.rstrip())}"
        return None if len(text) > MAX_FORMULA_LENGTH else replace(self, text=text)

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the formula."""
        closed.append(FormulaBlock(self.text, self.prefix))


class LabelBlock(LeafBlock, frozen=True, gc=False):
    """Plain text of the screen itself, without markup; `fill_with_rule` draws a rule after it."""

    style: str = ""
    fill_with_rule: bool = False

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Wrap the text, with the rule to the end of the last row."""
        lines = fit_prefix(self.prefix, width).wrap_runs([(self.text, self.style)])
        free = width - lines[-1].width - 1
        if self.fill_with_rule and free > 0:
            runs = (*lines[-1].runs, (" ", ""), (symbols.rule * free, "border"))
            lines[-1] = replace(lines[-1], runs=runs, width=width)
        return lines
