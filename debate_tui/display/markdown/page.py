"""All that one pane shows: what was said, and around it headings, thinking and notices."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, NamedTuple

from debate_tui.display.markdown.line import BLANK, Line, blend
from debate_tui.display.markdown.place import Place
from debate_tui.display.markdown.signs import UNICODE, Signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.markdown.document import Document

Voice = Literal["answer", "reasoning"]
Kind = Literal["answer", "reasoning", "heading", "notice"]


class Spot(NamedTuple):
    """A place in a page, whatever its width: a section's number and a place there; ordered as the text is."""

    section: int
    place: Place


class Row(NamedTuple):
    """One line of a page and the block it is of; block −1 for what stands between sections."""

    section: int
    block: int
    line: Line


class Section:
    """One part of a page; `number` grows down the page, `turn` is the turn it belongs to, if any."""

    __slots__ = ("document", "folded", "kind", "number", "turn")

    def __init__(self, number: int, kind: Kind, turn: int, document: Document) -> None:
        self.number = number
        self.kind: Kind = kind
        self.turn = turn
        self.document = document
        self.folded = False

    def label(self, signs: Signs) -> Line:
        """What stands for a folded section."""
        text = f"{signs.folded} thinking, {self.document.length:,} characters"
        return Line(((text, "reasoning"),), len(text))


class Page:
    """Sections from top to bottom; only the last one grows.

    Like a document: nothing is seen before `flush`, which says which line is the first that changed, and a
    `Spot` outlives what an index does not.
    """

    def __init__(self, width: int, signs: Signs = UNICODE) -> None:
        self.width = width
        self._signs = signs
        self._sections: list[Section] = []
        self._starts = [0]  # the first line of each section, its blank one above included
        self._numbers = 0
        self._dirty: dict[int, Section] = {}
        self._changed: int | None = None
        self._rebuilt = False  # whether more has happened since the last flush than that the end grew
        self._reasoning_shown = False

    @property
    def sections(self) -> tuple[Section, ...]:
        """What there is, top first."""
        return tuple(self._sections)

    @property
    def line_count(self) -> int:
        """How many lines there are; an estimate while not settled."""
        return self._starts[-1]

    @property
    def reasoning_shown(self) -> bool:
        """Whether thinking is shown in full, or as one line."""
        return self._reasoning_shown

    def speak(self, text: str, voice: Voice = "answer", turn: int = 0) -> None:
        """Add sanitised Markdown; it goes on where the last text ended, if that had this voice and turn."""
        section = self._sections[-1] if self._sections else None
        if section is None or section.kind != voice or section.turn != turn:
            style = "reasoning" if voice == "reasoning" else ""
            section = self._add(voice, turn, self._document(style))
            section.folded = voice == "reasoning" and not self._reasoning_shown
        section.document.feed(text)
        if section.number not in self._dirty:
            self._dirty[section.number] = section

    def head(self, text: str, turn: int = 0) -> None:
        """Begin a part under a heading."""
        self._label("heading", turn, text, "heading strong", across=True)

    def note(self, text: str, tone: str = "", turn: int = 0) -> None:
        """Add a notice; `tone` is one more name in its style."""
        self._label("notice", turn, text, blend("notice", tone))

    def drop(self, turn: int) -> None:
        """Take back what was said and noted in a turn; its heading stays."""
        self._keep(
            [section for section in self._sections if section.turn != turn or section.kind == "heading"]
        )

    def clear(self) -> None:
        """Remove everything."""
        self._keep([])

    def show_reasoning(self, *, shown: bool) -> None:
        """Unfold or fold the thinking in the whole page."""
        self._reasoning_shown = shown
        for index, section in enumerate(self._sections):
            if section.kind == "reasoning" and section.folded == shown:
                section.folded = not shown
                self._touch(self._starts[index] + self._gap(index))
        self._count_from(0)

    @property
    def changes_from(self) -> int:
        """The first line that a flush can change now; lines before it are sure to stay."""
        if self._rebuilt or not self._sections:
            return 0
        last = self._sections[-1]
        inner = 0 if last.folded else last.document.closed_count
        return self._starts[-2] + self._gap(len(self._sections) - 1) + inner

    def flush(self) -> int | None:
        """Read what was said; the first line that is not what it was, `None` if all are."""
        for section in self._dirty.values():
            changed = section.document.flush()
            index = self._index(section.number)
            if changed is None or index is None:
                continue
            was_empty = self._starts[index] == self._starts[index + 1]
            inner = self._gap(index) + (0 if section.folded else changed)
            self._touch(self._starts[index] + (0 if was_empty else inner))
            self._count_from(index)
        self._dirty.clear()
        self._rebuilt = False
        changed, self._changed = self._changed, None
        return changed

    def rows(self, start: int, stop: int) -> list[Row]:
        """Some lines; fewer at the end."""
        result: list[Row] = []
        start = max(0, start)
        index = self._section_at(start)
        while index < len(self._sections) and len(result) < stop - start:
            first = self._starts[index]
            result += self._rows_of(index, start + len(result) - first, stop - first)
            self._count_from(index, only_if_changed=True)
            index += 1
        return result

    def resize(self, width: int) -> None:
        """Wrap to another width; lazy, as a document's."""
        self.width = width
        for section in self._sections:
            section.document.resize(width)
        self._count_from(0)

    def settle(self, seconds: float) -> bool:
        """Spend some time on counting lines at the present width; whether that was enough."""
        deadline = time.perf_counter() + seconds
        done = True
        for section in reversed(self._sections):
            if not section.document.is_settled:
                done = section.document.settle(deadline - time.perf_counter())
            if not done:
                break
        self._count_from(0)
        return done

    def spot_of(self, line: int) -> Spot:
        """The place a line shows."""
        index = self._section_at(line)
        if index >= len(self._sections):
            return Spot(self._numbers + 1, Place(0, 0))
        section = self._sections[index]
        inner = line - self._starts[index] - self._gap(index)
        if inner < 0 or section.folded:
            return Spot(section.number, Place(-1, 0) if inner < 0 else Place(0, 0))
        return Spot(section.number, section.document.place_of(inner))

    def line_of(self, spot: Spot) -> int:
        """The line that shows a place, or what now stands where it was."""
        index = bisect_right(self._sections, spot.section - 1, key=lambda section: section.number)
        if index >= len(self._sections):
            return self.line_count
        section, first = self._sections[index], self._starts[index]
        if section.number != spot.section or spot.place.block < 0:
            return first
        first += self._gap(index)
        return first if section.folded else first + section.document.line_of(spot.place)

    def text(self, section: int, block: int) -> str:
        """What a block says."""
        index = self._index(section)
        return self._sections[index].document.text(block) if index is not None else ""

    def blocks(self, first: tuple[int, int], last: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Section and block of all blocks between two, both included, but for those that are folded."""
        begin = bisect_right(self._sections, first[0] - 1, key=lambda section: section.number)
        for section in self._sections[begin:]:
            if section.number > last[0]:
                return
            if section.folded:
                continue
            start = first[1] if section.number == first[0] else 0
            stop = last[1] + 1 if section.number == last[0] else section.document.block_count
            for block in range(start, min(stop, section.document.block_count)):
                yield section.number, block

    def _label(self, kind: Kind, turn: int, text: str, style: str, *, across: bool = False) -> None:
        from debate_tui.display.markdown.frame import Frame
        from debate_tui.display.markdown.leaves import Label

        document = self._document()
        document.put(Label(text, Frame(), style, across=across))
        section = self._add(kind, turn, document)
        self._dirty[section.number] = section

    def _document(self, style: str = "") -> Document:
        # All that reads and draws Markdown is loaded with the first text; an empty page needs none of it.
        from debate_tui.display.markdown.document import Document

        return Document(self.width, self._signs, style)

    def _add(self, kind: Kind, turn: int, document: Document) -> Section:
        if self._sections:
            last = self._sections[-1]
            changed = last.document.close()
            if changed is not None and not last.folded:
                self._touch(self._starts[-2] + self._gap(len(self._sections) - 1) + changed)
            self._count_from(len(self._sections) - 1)
        self._rebuilt = True
        self._numbers += 1
        section = Section(self._numbers, kind, turn, document)
        self._sections.append(section)
        self._starts.append(self._starts[-1])
        return section

    def _keep(self, sections: list[Section]) -> None:
        for index, section in enumerate(self._sections):
            if index >= len(sections) or sections[index] is not section:
                self._touch(self._starts[index])
                break
        self._sections = sections
        self._dirty = {section.number: section for section in sections if section.number in self._dirty}
        self._count_from(0)

    def _touch(self, line: int) -> None:
        self._rebuilt = True
        self._changed = line if self._changed is None else min(self._changed, line)

    def _gap(self, index: int) -> int:
        return 1 if self._starts[index] > 0 else 0

    def _height(self, index: int) -> int:
        section = self._sections[index]
        lines = section.document.line_count
        if section.folded:
            lines = min(1, lines)
        return lines + self._gap(index) if lines else 0

    def _count_from(self, index: int, *, only_if_changed: bool = False) -> None:
        """Number the lines from a section on anew."""
        starts = self._starts
        if only_if_changed and starts[index + 1] == starts[index] + self._height(index):
            return
        del starts[index + 1 :]
        for position in range(index, len(self._sections)):
            starts.append(starts[position] + self._height(position))

    def _rows_of(self, index: int, start: int, stop: int) -> list[Row]:
        section, gap = self._sections[index], self._gap(index)
        if not self._height(index):
            return []
        rows = [Row(section.number, -1, BLANK)] if gap and start < gap else []
        if section.folded:
            shown = start <= gap < stop
            return rows + ([Row(section.number, -1, section.label(self._signs))] if shown else [])
        lines = section.document.rows(max(0, start - gap), stop - gap)
        return rows + [Row(section.number, block, line) for block, line in lines]

    def _section_at(self, line: int) -> int:
        return max(0, bisect_right(self._starts, line, hi=len(self._sections)) - 1)

    def _index(self, number: int) -> int | None:
        index = bisect_right(self._sections, number - 1, key=lambda section: section.number)
        if index < len(self._sections) and self._sections[index].number == number:
            return index
        return None
