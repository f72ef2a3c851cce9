"""The blocks that lines are made of: each can draw itself at any width, from its text alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.flow import Flow
from debate_tui.display.markdown.frame import Frame, Margin, margin
from debate_tui.display.markdown.highlight import highlight, highlight_line
from debate_tui.display.markdown.inline import inline
from debate_tui.display.markdown.line import Line, blend, cut, plain
from debate_tui.display.markdown.width import cells
from debate_tui.display.markdown.wrap import fold, wrap

if TYPE_CHECKING:
    from debate_tui.display.markdown.signs import Signs

_TASK = re.compile(r"\[([ xX])\] +(?=\S)")


class Leaf(Struct, frozen=True, gc=False):
    """A finished block, or what an open one would be if it ended here: its source text and its frame."""

    text: str
    frame: Frame

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """The block's lines, without the blank one above it."""
        raise NotImplementedError

    def count(self, width: int, signs: Signs) -> int:
        """How many lines that would be."""
        return len(self.draw(width, signs))

    def said(self, width: int, signs: Signs) -> str:
        """The text without markup, which the lines' `start` counts in."""
        return self.text


class Paragraph(Leaf, frozen=True, gc=False):
    """Text with markup, or one piece of a very long one."""

    task: bool = False
    level: int = 0

    @property
    def style(self) -> str:
        """Headings are drawn as paragraphs in a style of their own."""
        return blend(self.frame.style, "heading") if self.level else self.frame.style

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """Read and wrap the text."""
        text, space = self.laid(width, signs)
        runs = inline(text, self.style)
        spans = wrap(plain(runs), space.room)
        return space.lines(cut(runs, spans), spans)

    def laid(self, width: int, signs: Signs) -> tuple[str, Margin]:
        """The text and the margin it goes into; the box of a task stands for the bullet."""
        if self.task and (box := _TASK.match(self.text)):
            frame = self.frame.marked(signs.todo if box[1] == " " else signs.done)
            return self.text[box.end() :], margin(frame, width)
        return self.text, margin(self.frame, width)

    def grow(self, flow: Flow | None, width: int, signs: Signs) -> tuple[Flow, list[Line]]:
        """The same lines as `draw`, by what a shorter text left in `flow`."""
        text, space = self.laid(width, signs)
        if flow is None or not flow.fits(space, self.style, text):
            flow = Flow(space, self.style)
        return flow, flow.update(text)

    def count(self, width: int, signs: Signs) -> int:
        """As long as it is drawn."""
        text, space = self.laid(width, signs)
        return len(wrap(plain(inline(text)), space.room))

    def said(self, width: int, signs: Signs) -> str:
        """One line, but for breaks that were asked for."""
        return plain(inline(self.laid(width, signs)[0]))


class Rule(Leaf, frozen=True, gc=False):
    """A line across."""

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """One line."""
        space = margin(self.frame, width)
        line = (signs.rule * space.room, blend(self.frame.style, "border"))
        return [space.line([line], start=0, first=True)]


class Empty(Leaf, frozen=True, gc=False):
    """An item or a quote with nothing in it."""

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """One line that shows only bullet or bar."""
        return [margin(self.frame, width).line([], start=0, first=True)]


class Code(Leaf, frozen=True, gc=False):
    """Lines of code; `language` colours them, all together or, if `single`, each by itself."""

    language: str = ""
    single: bool = False

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """Each line folded where the row ends."""
        return self._lines_from(0, 0, width)

    def grow(self, before: Code, lines: list[Line], width: int, signs: Signs) -> list[Line]:
        """The same, by the lines that were drawn before for other code, as far as that is the same."""
        alike = (
            before.frame == self.frame and before.language == self.language and before.single == self.single
        )
        if not alike or (self.language and not self.single):
            return self.draw(width, signs)
        begin = before.text.rfind("\n", 0, len(self.text)) + 1
        if not self.text.startswith(before.text[:begin]):
            return self.draw(width, signs)
        kept = [line for line in lines if line.start < begin]
        return kept + self._lines_from(begin, len(kept), width)

    def _lines_from(self, start: int, above: int, width: int) -> list[Line]:
        """The lines from the character `start` on, which begins one; `above` lines stand over it."""
        space = margin(self.frame, width)
        style = blend(self.frame.style, "code block")
        text = self.text[start:]
        if self.single:
            drawn = [list(highlight_line(line, self.language, style)) for line in text.split("\n")]
        else:
            drawn = highlight(text, self.language, style)
        lines: list[Line] = []
        for runs in drawn:
            code = plain(runs)
            spans = fold(code, space.room)
            for span, piece in zip(spans, cut(runs, spans), strict=True):
                first = not lines and not above
                lines.append(space.line(piece, start=start + span[0], first=first, fill=style))
            start += len(code) + 1
        return lines

    def count(self, width: int, signs: Signs) -> int:
        """Without colouring it."""
        room = margin(self.frame, width).room
        return sum(
            [
                -(-cells(line) // room) or 1 if line.isascii() else len(fold(line, room))
                for line in self.text.split("\n")
            ]
        )


class Label(Leaf, frozen=True, gc=False):
    """Plain text that is the screen's own word and no markup; `across` draws a line behind it."""

    style: str = ""
    across: bool = False

    def draw(self, width: int, signs: Signs) -> list[Line]:
        """The text wrapped, and the line to the end of the last row."""
        space = margin(self.frame, width)
        spans = wrap(self.text, space.room)
        pieces = cut([(self.text, self.style)], spans)
        free = space.room - cells(plain(pieces[-1])) - 1
        if self.across and free > 0:
            pieces[-1] += [(" ", ""), (signs.rule * free, "border")]
        return space.lines(pieces, spans)
