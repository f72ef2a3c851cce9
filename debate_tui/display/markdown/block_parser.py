"""The blocks of a document, parsed line by line by CommonMark's rules, and GitHub's for tables.

CommonMark defines blocks by a stack of open containers and one open leaf, which each line continues, closes
or adds to. Parsing the whole text again for each update would repeat all of that. This parser keeps the
stack, so that a line costs the same in the first list item and in the thousandth, and what is closed never
changes. The dialect has no raw HTML and no reference definitions, and lists are always tight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.display.markdown.blocks import (
    EmptyBlock,
    LeafBlock,
    OpenFormula,
    ThematicBreak,
    skip_indentation,
)
from debate_tui.display.markdown.code import OpenFence, OpenIndentedCode
from debate_tui.display.markdown.containers import (
    MAX_NESTING,
    BlockQuote,
    Container,
    ListItem,
    build_prefix,
    gap_depth_between,
    match_containers,
    parse_list_item,
)
from debate_tui.display.markdown.paragraphs import OpenParagraph, Paragraph
from debate_tui.display.markdown.tables import OpenTable, parse_alignments, split_row
from debate_tui.display.markdown.wrap import strip_stray_joiners
from debate_tui.domain.markdown import display_formula_end

if TYPE_CHECKING:
    from debate_tui.display.markdown.lines import MarkdownSymbols
    from debate_tui.display.markdown.wrap import BlockPrefix

OpenBlock = OpenParagraph | OpenFence | OpenIndentedCode | OpenFormula | OpenTable

MAX_MARKUP_LINE = 4000
"""The length in characters beyond which a line can only be a paragraph or code."""

_UNREACHABLE_INDENT = 1 << 30
"""An indentation that no line reaches."""

_ATX_HEADING = re.compile(r"(#{1,6})(?= |$)")
_ATX_END = re.compile(r"(?:^| )#+ *$")
_OPENING_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_THEMATIC_BREAK = re.compile(r"(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_SETEXT_UNDERLINE = re.compile(r"(=+|-+) *$")
_BLOCK_STARTERS = frozenset(">#`~*-_+=|:$\\0123456789")
_TEXT_CHARACTER = re.compile(r"[^\s|:\-*+_=#`~>.)\d]")


class Draft(NamedTuple):
    """The open leaves, and whether the unfinished line may be read for good and extended later."""

    leaves: list[LeafBlock]
    is_final: bool


class BlockParser:
    """A parser that reads lines and collects closed leaves in `closed` for its owner to take.

    `draft` uses a copy of it to show what would be closed if the document ended here.
    """

    def __init__(self, symbols: MarkdownSymbols, style: str = "") -> None:
        self.closed: list[LeafBlock] = []
        self._symbols = symbols
        self._style = style
        self._containers: tuple[Container, ...] = ()
        self._marked_count = 0
        self._open_block: OpenBlock | None = None
        self._previous_containers: tuple[Container, ...] | None = None
        self._last_list_id = 0
        self._text_start = 0  # where in its line a paragraph's last line begins

    def read_line(self, line: str) -> None:
        """Read a line, without its line feed and with tabs expanded."""
        count, position = match_containers(self._containers, line, self._marked_count)
        whole = count == len(self._containers)
        leaf = self._open_block
        if whole and isinstance(leaf, OpenFence | OpenIndentedCode) and self._add_code(leaf, line, position):
            return
        if whole and isinstance(leaf, OpenFormula) and self._add_to_formula(leaf, line, position):
            return
        if isinstance(leaf, OpenFence | OpenIndentedCode):
            self._close_open_block()
        position, begun = self._open_containers(line, count, position)
        if position >= 0:
            self._add_text(line, position, count, opened=begun)

    def extend_line(self, text: str) -> None:
        """Append to the last line read, which must be certain to be text or code."""
        leaf = self._open_block
        assert isinstance(leaf, OpenParagraph | OpenFence | OpenIndentedCode)
        self._open_block = leaf.with_text(text, self.closed)

    def draft(self, line: str = "") -> Draft:
        """Return the open leaves as if the document ended with this unfinished line."""
        probe = BlockParser.__new__(BlockParser)
        probe.__dict__.update(self.__dict__)
        probe.closed = []
        certain = False
        if line:
            probe.read_line(line)
            certain = probe.is_final(line)
        probe.close_all(draft=True)
        return Draft(probe.closed, certain)

    def is_final(self, line: str) -> bool:
        """Return whether the last line read keeps its meaning however it continues."""
        leaf = self._open_block
        if isinstance(leaf, OpenParagraph):
            is_text = len(leaf.last_line) > 16 and _TEXT_CHARACTER.search(leaf.last_line) is not None
            return is_text or len(line) - self._text_start > MAX_MARKUP_LINE
        is_code = isinstance(leaf, OpenFence | OpenIndentedCode) and leaf.accepts_text
        return is_code and len(line) > MAX_MARKUP_LINE

    def append_leaf(self, leaf: LeafBlock) -> None:
        """Close everything and add a leaf that does not come from Markdown."""
        self.close_all()
        self.closed.append(leaf)

    def take_closed(self) -> list[LeafBlock]:
        """Return the leaves closed since the last call."""
        closed, self.closed = self.closed, []
        return closed

    def close_all(self, *, draft: bool = False) -> None:
        """Close all containers and the open leaf."""
        self._close_open_block(draft=draft)
        self._close_containers(0)

    def _add_code(self, leaf: OpenFence | OpenIndentedCode, line: str, position: int) -> bool:
        """Add a line to open code or close its fence; return whether the line belonged to the code."""
        if isinstance(leaf, OpenFence) and leaf.is_closing_line(line, position):
            self._close_open_block()
            return True
        grown = leaf.with_line(line, position, self.closed)
        if grown is None:
            return False
        self._open_block = grown
        return True

    def _add_to_formula(self, leaf: OpenFormula, line: str, position: int) -> bool:
        """Add a line to a formula, or close it; return whether the line belonged to the formula."""
        start = skip_indentation(line, position)
        grown = leaf.with_line(line[start:]) if start < len(line) else None
        if grown is None:
            return False
        self._open_block = grown
        if leaf.closer in line:
            self._close_open_block()
        return True

    def _open_containers(self, line: str, count: int, position: int) -> tuple[int, bool]:
        """Open the containers that begin in a line; return where its text begins, and if any were opened.

        The position is −1 if a leaf took the whole line.
        """
        opened = False
        while True:
            start = skip_indentation(line, position)
            if start == len(line):
                return position, opened
            paragraph = isinstance(self._open_block, OpenParagraph)
            if start - position >= 4:
                if paragraph:
                    return position, opened
                self._close_beyond(count)
                self._open_block = OpenIndentedCode.start(
                    line[position + 4 :], self._next_prefix(), self.closed
                )
                return -1, opened
            if line[start] not in _BLOCK_STARTERS:
                return position, opened
            if len(line) - start <= MAX_MARKUP_LINE and self._open_leaf(line, position, start, count):
                return -1, opened
            if count >= MAX_NESTING:
                return position, opened
            within = paragraph and count == len(self._containers)
            if line[start] == ">":
                self._close_beyond(count)
                self._containers += (BlockQuote(),)
                position = start + 1 + line.startswith(" ", start + 1)
            elif found := parse_list_item(line, position, start, within_paragraph=within):
                item, position = found
                sibling = self._containers[count] if count < len(self._containers) else None
                self._close_beyond(count)
                self._containers += (self._place_in_list(item, sibling),)
            else:
                return position, opened
            count += 1
            opened = True

    def _open_leaf(self, line: str, position: int, start: int, count: int) -> bool:
        """Open a leaf other than a paragraph if one begins here, and return whether one did."""
        rest = line[start:]
        leaf = self._open_block
        if (
            isinstance(leaf, OpenParagraph)
            and count == len(self._containers)
            and (self._becomes_table(leaf, rest) or self._becomes_heading(leaf, rest))
        ):
            return True
        if atx := _ATX_HEADING.match(rest):
            self._close_beyond(count)
            text = _ATX_END.sub("", rest[atx.end() :]).strip()
            self.closed.append(Paragraph(text, self._next_prefix(), heading_level=len(atx[1])))
            return True
        if fence := _OPENING_FENCE.match(rest):
            self._close_beyond(count)
            sign, info = fence[1] or fence[3], fence[2] if fence[1] else fence[4]
            self._open_block = OpenFence.start(sign, info, start - position, self._next_prefix())
            return True
        closer = display_formula_end(rest)
        if closer is not None:
            self._close_beyond(count)
            self._open_block = OpenFormula(strip_stray_joiners(rest.rstrip()), self._next_prefix(), closer)
            if not closer:
                self._close_open_block()
            return True
        if _THEMATIC_BREAK.match(rest):
            self._close_beyond(count)
            self.closed.append(ThematicBreak("", self._next_prefix()))
            return True
        return False

    def _becomes_table(self, leaf: OpenParagraph, line: str) -> bool:
        alignments = parse_alignments(line) if line[0] in "|-:" else ()
        if not alignments or not leaf.can_head_table:
            return False
        heading_line = leaf.last_line
        cells = split_row(heading_line)
        if "|" not in heading_line or len(cells) != len(alignments):
            return False
        prefix = leaf.prefix
        if rest := leaf.without_last_line():
            self._open_block = rest
            self._close_open_block()
            prefix = self._next_prefix()
        self._open_block = OpenTable(heading_line, tuple(cells), alignments, prefix)
        return True

    def _becomes_heading(self, leaf: OpenParagraph, line: str) -> bool:
        underline = _SETEXT_UNDERLINE.match(line)
        if underline is None or leaf.was_split:
            return False
        self._open_block = None
        level = 1 if line[0] == "=" else 2
        self.closed.append(Paragraph(leaf.text.strip(), leaf.prefix, heading_level=level))
        return True

    def _add_text(self, line: str, position: int, count: int, *, opened: bool) -> None:
        """Add the rest of a line to the leaf it belongs to."""
        self._text_start = position
        start = skip_indentation(line, position)
        leaf = self._open_block
        if start == len(line):
            if not opened:
                self._end_item(count)
            return
        lazy = not opened and count < len(self._containers)
        if isinstance(leaf, OpenParagraph) and (lazy or not opened):
            may_head = not lazy and start - position < 4
            self._open_block = leaf.with_line(line[start:], self.closed, can_head_table=may_head)
            return
        if lazy:
            self._close_beyond(count)
            leaf = None
        if (
            isinstance(leaf, OpenTable)
            and not opened
            and start - position < 4
            and len(line) - start <= MAX_MARKUP_LINE
        ):
            self._open_block = leaf.with_row(line[start:], self.closed)
            return
        self._close_open_block()
        task = (
            bool(self._containers)
            and isinstance(self._containers[-1], ListItem)
            and self._marked_count < len(self._containers)
        )
        paragraph = OpenParagraph(line[start:], self._next_prefix(), task)
        self._open_block = paragraph.split_off_closed(self.closed)

    def _place_in_list(self, item: ListItem, sibling: Container | None) -> ListItem:
        """Return the item as the next of its sibling's list, or as the first of a new list."""
        if (
            isinstance(sibling, ListItem)
            and sibling.marker == item.marker
            and (sibling.number < 0) == (item.number < 0)
        ):
            number = sibling.number + 1 if sibling.number >= 0 else -1
            return ListItem(item.content_indent, item.marker, number, sibling.list_id, item.starts_blank)
        self._last_list_id += 1
        return ListItem(item.content_indent, item.marker, item.number, self._last_list_id, item.starts_blank)

    def _end_item(self, count: int) -> None:
        """End what a blank line does not continue; the list of an item that stayed empty stays open."""
        item = self._containers[count] if count < len(self._containers) else None
        self._close_beyond(count)
        if isinstance(item, ListItem):
            self._containers += (
                ListItem(_UNREACHABLE_INDENT, item.marker, item.number, item.list_id, starts_blank=False),
            )
            self._marked_count = len(self._containers)

    def _close_beyond(self, count: int) -> None:
        """Close the leaf and all containers after the first `count`."""
        self._close_open_block()
        self._close_containers(count)

    def _close_open_block(self, *, draft: bool = False) -> None:
        if self._open_block is not None:
            self._open_block.close(self.closed, draft=draft)
            self._open_block = None

    def _close_containers(self, count: int) -> None:
        if self._marked_count < len(self._containers) > count:
            self.closed.append(EmptyBlock("", self._next_prefix()))
        self._containers = self._containers[:count]
        self._marked_count = min(self._marked_count, count)

    def _next_prefix(self) -> BlockPrefix:
        """Return the prefix of a leaf that begins here, and count all open containers' markers as shown."""
        prefix = build_prefix(
            self._containers,
            self._marked_count,
            gap_depth_between(self._previous_containers, self._containers),
            symbols=self._symbols,
            style=self._style,
        )
        self._marked_count = len(self._containers)
        self._previous_containers = self._containers
        return prefix
