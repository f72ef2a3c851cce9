"""The blocks that lines are made of: each renders itself at any width, from its text alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.block_prefix import BlockPrefix, FittedPrefix, fit_prefix
from debate_tui.display.markdown.highlight import highlight, highlight_line
from debate_tui.display.markdown.inline import IncrementalParagraph, parse_inline
from debate_tui.display.markdown.lines import Line, combine_styles, runs_text, slice_runs
from debate_tui.display.markdown.wrap import cell_width, wrap, wrap_code

if TYPE_CHECKING:
    from debate_tui.display.markdown.symbols import MarkdownSymbols

_TASK_BOX = re.compile(r"\[([ xX])\] +(?=\S)")


class LeafBlock(Struct, frozen=True, gc=False):
    """A finished block, or an open one as if it ended here: its source text and its prefix."""

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


class Paragraph(LeafBlock, frozen=True, gc=False):
    """Text with markup, or one piece of a very long paragraph."""

    is_task: bool = False
    heading_level: int = 0

    @property
    def style(self) -> str:
        """The style of the text; headings are paragraphs with their own style."""
        return combine_styles(self.prefix.style, "heading") if self.heading_level else self.prefix.style

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Parse and wrap the text."""
        text, prefix = self.text_and_prefix(width, symbols)
        runs = parse_inline(text, self.style)
        spans = wrap(runs_text(runs), prefix.text_width)
        return prefix.build_lines(slice_runs(runs, spans), spans)

    def text_and_prefix(self, width: int, symbols: MarkdownSymbols) -> tuple[str, FittedPrefix]:
        """Return the text and its fitted prefix; a task's box replaces the bullet."""
        if self.is_task and (box := _TASK_BOX.match(self.text)):
            prefix = self.prefix.with_marker(symbols.unchecked_box if box[1] == " " else symbols.checked_box)
            return self.text[box.end() :], fit_prefix(prefix, width)
        return self.text, fit_prefix(self.prefix, width)

    def render_incremental(
        self, paragraph: IncrementalParagraph | None, width: int, symbols: MarkdownSymbols
    ) -> tuple[IncrementalParagraph, list[Line]]:
        """Return the same lines as `render`, reusing the work done for a shorter text in `paragraph`.

        Also return the paragraph to pass next time.
        """
        text, prefix = self.text_and_prefix(width, symbols)
        if paragraph is None or not paragraph.can_continue(prefix, self.style, text):
            paragraph = IncrementalParagraph(prefix, self.style)
        return paragraph, paragraph.update(text)

    def count_lines(self, width: int, symbols: MarkdownSymbols) -> int:
        """See `LeafBlock.count_lines`."""
        text, prefix = self.text_and_prefix(width, symbols)
        return len(wrap(runs_text(parse_inline(text)), prefix.text_width))

    def plain_text(self, width: int, symbols: MarkdownSymbols) -> str:
        """Return the text as one line, except for hard breaks."""
        return runs_text(parse_inline(self.text_and_prefix(width, symbols)[0]))


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


class CodeBlock(LeafBlock, frozen=True, gc=False):
    """Lines of code, coloured by `language`: together, or one by one if `highlight_per_line` is set."""

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


class LabelBlock(LeafBlock, frozen=True, gc=False):
    """Plain text of the screen itself, without markup; `fill_with_rule` draws a rule after it."""

    style: str = ""
    fill_with_rule: bool = False

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Wrap the text, with the rule to the end of the last row."""
        prefix = fit_prefix(self.prefix, width)
        spans = wrap(self.text, prefix.text_width)
        pieces = slice_runs([(self.text, self.style)], spans)
        free = prefix.text_width - cell_width(runs_text(pieces[-1])) - 1
        if self.fill_with_rule and free > 0:
            pieces[-1] += [(" ", ""), (symbols.rule * free, "border")]
        return prefix.build_lines(pieces, spans)
