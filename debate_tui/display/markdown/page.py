"""Everything one pane shows: the debater's text, with headings, reasoning and notices around it."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from debate_tui.display.markdown.lines import (
    BLANK_LINE,
    UNICODE_SYMBOLS,
    DocumentPosition,
    Line,
    MarkdownSymbols,
    combine_styles,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.display.markdown.document import Document

TextKind = Literal["answer", "reasoning", "literal"]
SectionKind = Literal["answer", "reasoning", "literal", "heading", "notice"]


class PagePosition(NamedTuple):
    """A position in a page, independent of its width: a section's number and a position in it.

    Positions are ordered like the text.
    """

    section: int
    position: DocumentPosition


class PageRow(NamedTuple):
    """One line of a page and its block; block −1 for gaps between sections and folded sections."""

    section: int
    block: int
    line: Line


class PageSection:
    """One part of a page; `number` increases down the page, `turn` is the turn it belongs to, if any."""

    __slots__ = ("document", "is_folded", "kind", "number", "turn")

    def __init__(self, number: int, kind: SectionKind, turn: int, document: Document) -> None:
        self.number = number
        self.kind: SectionKind = kind
        self.turn = turn
        self.document = document
        self.is_folded = False

    def folded_line(self, symbols: MarkdownSymbols) -> Line:
        """Return the line shown for a folded section."""
        text = f"{symbols.fold_marker} reasoning, {self.document.text_length:,} characters"
        return Line(((text, "reasoning"),), len(text))


class Page:
    """Sections from top to bottom; only the last one grows.

    As in a document, changes show after `flush`, which returns the index of the first line that changed,
    and a `PagePosition` stays valid when line indexes change.
    """

    def __init__(self, width: int, symbols: MarkdownSymbols = UNICODE_SYMBOLS) -> None:
        self.width = width
        self.prose_width: int | None = None
        """The maximum width of everything but code and tables, if it is not that of the page."""
        self._symbols = symbols
        self._sections: list[PageSection] = []
        self._first_lines = [0]  # the first line of each section, including the blank line above it
        self._last_number = 0
        self._first_changed: int | None = None
        self._layout_changed = False  # whether more than growth at the end has happened since the last flush
        self._reasoning_visible = False

    @property
    def sections(self) -> tuple[PageSection, ...]:
        """The sections, top first."""
        return tuple(self._sections)

    @property
    def line_count(self) -> int:
        """The number of lines; an estimate until `measure` returns true."""
        return self._first_lines[-1]

    @property
    def heading_lines(self) -> list[tuple[int, int]]:
        """Turn and line of each heading, from top to bottom."""
        return [
            (section.turn, self._first_lines[index] + self._gap_above(index))
            for index, section in enumerate(self._sections)
            if section.kind == "heading"
        ]

    def append_text(self, text: str, kind: TextKind = "answer", turn: int = 0) -> None:
        """Append sanitised text to the last section, or to a new one if kind or turn differ.

        It is Markdown, cut anywhere, unless it is literal: then it is lines, without the last line feed.
        """
        section = self._sections[-1] if self._sections else None
        if section is None or section.kind != kind or section.turn != turn:
            section = self._append_section(kind, turn, style="reasoning" if kind == "reasoning" else "")
            section.is_folded = kind == "reasoning" and not self._reasoning_visible
        if kind == "literal":
            section.document.append_lines(text)
        else:
            section.document.feed(text)

    def append_heading(self, text: str, turn: int = 0) -> None:
        """Start a part of the page with a heading."""
        self._append_label("heading", turn, text, "heading strong", across=True)

    def append_notice(self, text: str, tone: str = "", turn: int = 0) -> None:
        """Append a notice; `tone` is another name in its style."""
        self._append_label("notice", turn, text, combine_styles("notice", tone))

    def replace_answer(self, turn: int, texts: Sequence[str]) -> bool:
        """Replace the text of a turn's answer, section by section; positions in it stay valid.

        Return `False`, without a change, if it has another number of sections.
        """
        from debate_tui.display.markdown.document import Document

        answer = [section for section in self._sections if section.turn == turn and section.kind == "answer"]
        if len(answer) != len(texts):
            return False
        for section, text in zip(answer, texts, strict=True):
            section.document = Document(self.width, self._symbols, "", self.prose_width)
            section.document.feed(text)
            section.document.close()
            self._mark_changed(self._first_lines[self._sections.index(section)])
        self._renumber_from(0)
        return True

    def discard_turn(self, turn: int) -> None:
        """Remove a turn's text and notices, but not its heading."""
        self._retain_sections(
            [section for section in self._sections if section.turn != turn or section.kind == "heading"]
        )

    def clear(self) -> None:
        """Remove everything."""
        self._retain_sections([])

    def set_reasoning_visible(self, *, visible: bool) -> None:
        """Unfold or fold reasoning in the whole page."""
        self._reasoning_visible = visible
        for index, section in enumerate(self._sections):
            if section.kind == "reasoning" and section.is_folded == visible:
                section.is_folded = not visible
                self._mark_changed(self._first_lines[index] + self._gap_above(index))
        self._renumber_from(0)

    @property
    def first_changeable_line(self) -> int:
        """The first line that a flush could change now; lines before it are certain to stay."""
        if self._layout_changed or not self._sections:
            return 0
        last = self._sections[-1]
        inner = 0 if last.is_folded else last.document.closed_line_count
        return self._first_lines[-2] + self._gap_above(len(self._sections) - 1) + inner

    def flush(self) -> int | None:
        """Parse new text and return the index of the first line that changed, or `None` if none did."""
        self._flush_last_section()
        self._layout_changed = False
        changed, self._first_changed = self._first_changed, None
        return changed

    def rows(self, start: int, stop: int) -> list[PageRow]:
        """Return the lines from `start` up to `stop`, or fewer at the end."""
        result: list[PageRow] = []
        start = max(0, start)
        index = self._section_at(start)
        while index < len(self._sections) and len(result) < stop - start:
            first = self._first_lines[index]
            result += self._section_rows(index, start + len(result) - first, stop - first)
            self._renumber_from(index, only_if_changed=True)
            index += 1
        return result

    def resize(self, width: int, prose_width: int | None = None) -> None:
        """Wrap to another width; lazy, as in a document."""
        self.width, self.prose_width = width, prose_width
        for section in self._sections:
            section.document.resize(width, prose_width)
        self._renumber_from(0)

    def measure(self, seconds: float) -> bool:
        """Count lines at the current width for up to `seconds`; return whether all are counted."""
        deadline = time.perf_counter() + seconds
        done = True
        for section in reversed(self._sections):
            if not section.document.is_measured:
                done = section.document.measure(deadline - time.perf_counter())
            if not done:
                break
        self._renumber_from(0)
        return done

    def position_at(self, line: int) -> PagePosition:
        """Return the position that a line shows."""
        index = self._section_at(line)
        if index >= len(self._sections):
            return PagePosition(self._last_number + 1, DocumentPosition(0, 0))
        section = self._sections[index]
        inner = line - self._first_lines[index] - self._gap_above(index)
        if inner < 0 or section.is_folded:
            return PagePosition(
                section.number, DocumentPosition(-1, 0) if inner < 0 else DocumentPosition(0, 0)
            )
        return PagePosition(section.number, section.document.position_at(inner))

    def line_at(self, position: PagePosition) -> int:
        """Return the index of the line that shows a position, or of what is now in its place."""
        index = bisect_right(self._sections, position.section - 1, key=lambda section: section.number)
        if index >= len(self._sections):
            return self.line_count
        section, first = self._sections[index], self._first_lines[index]
        if section.number != position.section or position.position.block < 0:
            return first
        first += self._gap_above(index)
        return first if section.is_folded else first + section.document.line_at(position.position)

    def block_text(self, section: int, block: int) -> str:
        """Return the text of a block."""
        index = bisect_right(self._sections, section - 1, key=lambda each: each.number)
        if index < len(self._sections) and self._sections[index].number == section:
            return self._sections[index].document.block_text(block)
        return ""

    def blocks_between(self, first: tuple[int, int], last: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Yield section and block of all blocks from `first` to `last`, inclusive, except folded ones."""
        begin = bisect_right(self._sections, first[0] - 1, key=lambda section: section.number)
        for section in self._sections[begin:]:
            if section.number > last[0]:
                return
            if section.is_folded:
                continue
            start = first[1] if section.number == first[0] else 0
            stop = last[1] + 1 if section.number == last[0] else section.document.block_count
            for block in range(start, min(stop, section.document.block_count)):
                yield section.number, block

    def _append_label(
        self, kind: SectionKind, turn: int, text: str, style: str, *, across: bool = False
    ) -> None:
        from debate_tui.display.markdown.blocks import LabelBlock
        from debate_tui.display.markdown.wrap import BlockPrefix

        section = self._append_section(kind, turn)
        section.document.append_leaf(LabelBlock(text, BlockPrefix(), style, fill_with_rule=across))

    def _append_section(self, kind: SectionKind, turn: int, style: str = "") -> PageSection:
        # The modules that parse and render Markdown are loaded with the first text; an empty page needs
        # none.
        from debate_tui.display.markdown.document import Document

        self._flush_last_section(close=True)
        self._layout_changed = True
        self._last_number += 1
        document = Document(self.width, self._symbols, style, self.prose_width)
        section = PageSection(self._last_number, kind, turn, document)
        self._sections.append(section)
        self._first_lines.append(self._first_lines[-1])
        return section

    def _flush_last_section(self, *, close: bool = False) -> None:
        """Parse the new text of the last section; only that one has any."""
        if not self._sections:
            return
        index, section = len(self._sections) - 1, self._sections[-1]
        was_empty = self._first_lines[index] == self._first_lines[-1]
        changed = section.document.close() if close else section.document.flush()
        if changed is None:
            return
        inner = self._gap_above(index) + (0 if section.is_folded else changed)
        self._mark_changed(self._first_lines[index] + (0 if was_empty else inner))
        self._renumber_from(index)

    def _retain_sections(self, sections: list[PageSection]) -> None:
        for index, section in enumerate(self._sections):
            if index >= len(sections) or sections[index] is not section:
                self._mark_changed(self._first_lines[index])
                break
        self._sections = sections
        self._renumber_from(0)

    def _mark_changed(self, line: int) -> None:
        self._layout_changed = True
        self._first_changed = line if self._first_changed is None else min(self._first_changed, line)

    def _gap_above(self, index: int) -> int:
        return 1 if self._first_lines[index] > 0 else 0

    def _height(self, index: int) -> int:
        section = self._sections[index]
        lines = section.document.line_count
        if section.is_folded:
            lines = min(1, lines)
        return lines + self._gap_above(index) if lines else 0

    def _renumber_from(self, index: int, *, only_if_changed: bool = False) -> None:
        """Update the line numbers of all sections from `index` on."""
        starts = self._first_lines
        if only_if_changed and starts[index + 1] == starts[index] + self._height(index):
            return
        del starts[index + 1 :]
        for position in range(index, len(self._sections)):
            starts.append(starts[position] + self._height(position))

    def _section_rows(self, index: int, start: int, stop: int) -> list[PageRow]:
        section, gap = self._sections[index], self._gap_above(index)
        if not self._height(index):
            return []
        rows = [PageRow(section.number, -1, BLANK_LINE)] if gap and start < gap else []
        if section.is_folded:
            shown = start <= gap < stop
            return rows + ([PageRow(section.number, -1, section.folded_line(self._symbols))] if shown else [])
        lines = section.document.rows(max(0, start - gap), stop - gap)
        return rows + [PageRow(section.number, block, line) for block, line in lines]

    def _section_at(self, line: int) -> int:
        return max(0, bisect_right(self._first_lines, line, hi=len(self._sections)) - 1)
