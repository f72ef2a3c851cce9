"""The blocks of a document, line by line, by CommonMark's rules and GitHub's for tables.

CommonMark defines blocks by a stack of open containers and one open leaf, which each line goes on, closes or
adds to. A parser that is handed the whole text again would redo all of it; this one keeps the stack, so that
a line costs the same in the first list item and in the thousandth, and what is closed never changes.
The dialect: no raw HTML, no reference definitions, lists laid out tight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.display.markdown.containers import (
    DEEPEST,
    Container,
    Item,
    Quote,
    above,
    frame_of,
    go_on,
    indentation,
    item_at,
)
from debate_tui.display.markdown.leaves import Empty, Leaf, Paragraph, Rule
from debate_tui.display.markdown.open import Fence, Indented, OpenLeaf, OpenParagraph, OpenTable
from debate_tui.display.markdown.tables import sides, split

if TYPE_CHECKING:
    from debate_tui.display.markdown.frame import Frame
    from debate_tui.display.markdown.signs import Signs

LONGEST = 4000
"""Characters of a line that may be anything but a paragraph or code."""

_NEVER = 1 << 30
"""An indentation that no line has."""

_ATX = re.compile(r"(#{1,6})(?= |$)")
_ATX_END = re.compile(r"(?:^| )#+ *$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_RULE = re.compile(r"(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_UNDERLINE = re.compile(r"(=+|-+) *$")
_STARTERS = frozenset(">#`~*-_+=|:0123456789")
_SURELY_TEXT = re.compile(r"[^\s|:\-*+_=#`~>.)\d]")


class Draft(NamedTuple):
    """The leaves that are open; and whether the unfinished line may be read for good, to be extended."""

    leaves: list[Leaf]
    certain: bool


class Parser:
    """Reads lines, and keeps what they close in `closed` for the owner to take.

    A copy of it (`draft`) shows what would be closed if the document ended here.
    """

    def __init__(self, signs: Signs, style: str = "") -> None:
        self.closed: list[Leaf] = []
        self._signs = signs
        self._style = style
        self._containers: tuple[Container, ...] = ()
        self._shown = 0
        self._leaf: OpenLeaf | None = None
        self._before: tuple[Container, ...] | None = None
        self._series = 0

    def line(self, line: str) -> None:
        """Read a line, without its line feed and with blanks for tabs."""
        count, position = go_on(self._containers, line, self._shown)
        whole = count == len(self._containers)
        leaf = self._leaf
        if whole and isinstance(leaf, Fence | Indented) and self._add_code(leaf, line, position):
            return
        if isinstance(leaf, Fence | Indented):
            self._close_leaf()
        position, begun = self._begin(line, count, position)
        if position >= 0:
            self._add(line, position, count, begun=begun)

    def extend(self, text: str) -> None:
        """Add to the line read last, which is certain to be text or code."""
        leaf = self._leaf
        assert isinstance(leaf, OpenParagraph | Fence | Indented)
        self._leaf = leaf.extended(text, self.closed)

    def draft(self, line: str = "") -> Draft:
        """What is open, closed as if the document ended with this unfinished line."""
        probe = Parser.__new__(Parser)
        probe.__dict__.update(self.__dict__)
        probe.closed = []
        certain = False
        if line:
            probe.line(line)
            certain = probe.is_certain(line)
        probe.end(draft=True)
        return Draft(probe.closed, certain)

    def is_certain(self, line: str) -> bool:
        """Whether the line read last would stay what it is however it went on."""
        leaf = self._leaf
        if isinstance(leaf, OpenParagraph):
            text = leaf.last_line
            return len(text) > 16 and _SURELY_TEXT.search(text) is not None
        return len(line) > LONGEST and isinstance(leaf, Fence | Indented) and leaf.ends_in_text

    def put(self, leaf: Leaf) -> None:
        """Close everything, and add a leaf that was not read."""
        self.end()
        self.closed.append(leaf)

    def take(self) -> list[Leaf]:
        """What has been closed since this was asked last."""
        closed, self.closed = self.closed, []
        return closed

    def end(self, *, draft: bool = False) -> None:
        """Close everything."""
        self._close_leaf(draft=draft)
        self._leave(0)

    def _add_code(self, leaf: Fence | Indented, line: str, position: int) -> bool:
        """Whether the open code goes on with this line, or is ended by it and nothing else."""
        if isinstance(leaf, Fence) and leaf.is_end(line, position):
            self._close_leaf()
            return True
        grown = leaf.added(line, position, self.closed)
        if grown is None:
            return False
        self._leaf = grown
        return True

    def _begin(self, line: str, count: int, position: int) -> tuple[int, bool]:
        """Open the containers that begin in a line; where its text is then, −1 if a leaf took it all."""
        begun = False
        while True:
            start = indentation(line, position)
            if start == len(line):
                return position, begun
            paragraph = isinstance(self._leaf, OpenParagraph)
            if start - position >= 4:
                if paragraph:
                    return position, begun
                self._enter(count)
                self._leaf = Indented.begun(line[position + 4 :], self._frame(), self.closed)
                return -1, begun
            if line[start] not in _STARTERS:
                return position, begun
            if len(line) - start <= LONGEST and self._begin_leaf(line, position, start, count):
                return -1, begun
            if count >= DEEPEST:
                return position, begun
            within = paragraph and count == len(self._containers)
            if line[start] == ">":
                self._enter(count)
                self._containers += (Quote(),)
                position = start + 1 + line.startswith(" ", start + 1)
            elif found := item_at(line, position, start, within_paragraph=within):
                item, position = found
                sibling = self._containers[count] if count < len(self._containers) else None
                self._enter(count)
                self._containers += (self._placed(item, sibling),)
            else:
                return position, begun
            count += 1
            begun = True

    def _begin_leaf(self, line: str, position: int, start: int, count: int) -> bool:
        """Whether a leaf begins here that is no paragraph."""
        rest = line[start:]
        leaf = self._leaf
        if (
            isinstance(leaf, OpenParagraph)
            and count == len(self._containers)
            and (self._becomes_table(leaf, rest) or self._becomes_heading(leaf, rest))
        ):
            return True
        if atx := _ATX.match(rest):
            self._enter(count)
            text = _ATX_END.sub("", rest[atx.end() :]).strip()
            self.closed.append(Paragraph(text, self._frame(), level=len(atx[1])))
            return True
        if fence := _FENCE.match(rest):
            self._enter(count)
            sign, info = fence[1] or fence[3], fence[2] if fence[1] else fence[4]
            self._leaf = Fence.begun(sign, info, start - position, self._frame())
            return True
        if _RULE.match(rest):
            self._enter(count)
            self.closed.append(Rule("", self._frame()))
            return True
        return False

    def _becomes_table(self, leaf: OpenParagraph, line: str) -> bool:
        found = sides(line) if line[0] in "|-:" else ()
        if not found or not leaf.may_head:
            return False
        head = leaf.last_line
        cells = split(head)
        if "|" not in head or len(cells) != len(found):
            return False
        frame = leaf.frame
        if rest := leaf.without_last_line():
            self._leaf = rest
            self._close_leaf()
            frame = self._frame()
        self._leaf = OpenTable(head, tuple(cells), found, frame)
        return True

    def _becomes_heading(self, leaf: OpenParagraph, line: str) -> bool:
        underline = _UNDERLINE.match(line)
        if underline is None or leaf.cut:
            return False
        self._leaf = None
        level = 1 if line[0] == "=" else 2
        self.closed.append(Paragraph(leaf.text.strip(), leaf.frame, level=level))
        return True

    def _add(self, line: str, position: int, count: int, *, begun: bool) -> None:
        """Add what is left of a line to the leaf it belongs to."""
        start = indentation(line, position)
        leaf = self._leaf
        if start == len(line):
            if not begun:
                self._end_item(count)
            return
        lazy = not begun and count < len(self._containers)
        if isinstance(leaf, OpenParagraph) and (lazy or not begun):
            may_head = not lazy and start - position < 4
            self._leaf = leaf.added(line[start:], self.closed, may_head=may_head)
            return
        if lazy:
            self._enter(count)
            leaf = None
        if (
            isinstance(leaf, OpenTable)
            and not begun
            and start - position < 4
            and len(line) - start <= LONGEST
        ):
            self._leaf = leaf.added(line[start:], self.closed)
            return
        self._close_leaf()
        task = (
            bool(self._containers)
            and isinstance(self._containers[-1], Item)
            and self._shown < len(self._containers)
        )
        self._leaf = OpenParagraph.begun(line[start:], self._frame(), self.closed, task=task)

    def _placed(self, item: Item, sibling: Container | None) -> Item:
        """An item as the next of the list it goes on, or the first of a new one."""
        if (
            isinstance(sibling, Item)
            and sibling.kind == item.kind
            and (sibling.number < 0) == (item.number < 0)
        ):
            number = sibling.number + 1 if sibling.number >= 0 else -1
            return Item(item.content, item.kind, number, sibling.series, item.bare)
        self._series += 1
        return Item(item.content, item.kind, item.number, self._series, item.bare)

    def _end_item(self, count: int) -> None:
        """End what a blank line does not go on in; the list of an item that stayed empty is still open."""
        item = self._containers[count] if count < len(self._containers) else None
        self._enter(count)
        if isinstance(item, Item):
            self._containers += (Item(_NEVER, item.kind, item.number, item.series, bare=False),)
            self._shown = len(self._containers)

    def _enter(self, count: int) -> None:
        """Close the leaf, and all containers but the first `count`."""
        self._close_leaf()
        self._leave(count)

    def _close_leaf(self, *, draft: bool = False) -> None:
        if self._leaf is not None:
            self._leaf.close(self.closed, draft=draft)
            self._leaf = None

    def _leave(self, count: int) -> None:
        if self._shown < len(self._containers) > count:
            self.closed.append(Empty("", self._frame()))
        self._containers = self._containers[:count]
        self._shown = min(self._shown, count)

    def _frame(self) -> Frame:
        """The frame of a leaf that begins here; with it, all open containers have had their signs."""
        frame = frame_of(
            self._containers,
            self._shown,
            above(self._before, self._containers),
            signs=self._signs,
            style=self._style,
        )
        self._shown = len(self._containers)
        self._before = self._containers
        return frame
