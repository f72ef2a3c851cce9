"""The blocks of a text as markdown-it sees them when it is handed the whole, in the words of our leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from debate_tui.display.markdown.block_parser import BlockParser
from debate_tui.display.markdown.blocks import EmptyBlock, FormulaBlock, ThematicBreak
from debate_tui.display.markdown.code import CodeBlock
from debate_tui.display.markdown.lines import UNICODE_SYMBOLS
from debate_tui.display.markdown.paragraphs import Paragraph
from debate_tui.display.markdown.tables import TableRow, split_row
from debate_tui.domain.markdown import extend_markdown_it

if TYPE_CHECKING:
    from markdown_it.token import Token

    from debate_tui.display.markdown.blocks import LeafBlock

Block = tuple[tuple[str, ...], str, str]
"""What stands at the left of its first line, outermost first; the kind; the text."""

ORACLE = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 40})
    .enable(["table"])
    .disable(["reference", "html_block"])
)
extend_markdown_it(ORACLE)


class _Reading:
    """A walk along markdown-it's tokens."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._open: list[_Container] = []
        self._numbers: list[int | None] = []
        self._row: list[str] | None = None
        self._kind = "text"

    def take(self, token: Token) -> None:
        """Go on by a token."""
        kind = token.type
        if kind.endswith("_list_open"):
            self._numbers.append(int(token.attrs.get("start", 1)) if kind.startswith("ordered") else None)
        elif kind.endswith("_list_close"):
            self._numbers.pop()
        elif kind in ("blockquote_open", "list_item_open"):
            self._open.append(
                _Container(">" if kind[0] == "b" else self._sign(token.markup), len(self.blocks))
            )
        elif kind in ("blockquote_close", "list_item_close"):
            if self._open[-1].begun == len(self.blocks):
                self._add("empty", "")
            self._open.pop()
        elif kind.startswith("tr_"):
            self._take_row(begins=token.nesting == 1)
        elif kind == "heading_open":
            self._kind = f"h{token.tag[1]}"
        elif kind == "inline":
            self._take_inline(token.content)
        elif kind == "hr":
            self._add("rule", "")
        elif kind == "formula":
            self._add("formula", token.content)
        elif kind in ("fence", "code_block"):
            self._add("code", token.content.removesuffix("\n"))

    def _sign(self, markup: str) -> str:
        number = self._numbers[-1]
        if number is None:
            return "•"
        self._numbers[-1] = number + 1
        return f"{number}{markup}"

    def _take_row(self, *, begins: bool) -> None:
        if begins:
            self._row = []
        else:
            self._add("row", "|".join(self._row or []))
            self._row = None

    def _take_inline(self, text: str) -> None:
        if self._row is not None:
            self._row.append(text)
        else:
            self._add(self._kind, _lines(text))
            self._kind = "text"

    def _add(self, kind: str, text: str) -> None:
        signs = tuple(
            container.sign if container.sign == ">" or not container.shown else "" for container in self._open
        )
        for container in self._open:
            container.shown = True
        self.blocks.append((signs, kind, text))


@dataclass
class _Container:
    """A quote or an item; `begun` is the number of blocks there were before it."""

    sign: str
    begun: int
    shown: bool = False


def reference_blocks(text: str) -> list[Block]:
    """By markdown-it."""
    reading = _Reading()
    for token in ORACLE.parse(text):
        reading.take(token)
    return reading.blocks


def parsed_blocks(text: str) -> list[Block]:
    """By our parser."""
    parser = BlockParser(UNICODE_SYMBOLS)
    for line in text.removesuffix("\n").split("\n"):
        parser.read_line(line.expandtabs(4))
    parser.close_all()
    return [_describe_leaf(leaf) for leaf in parser.closed]


def _describe_leaf(leaf: LeafBlock) -> Block:
    signs = tuple(
        ">" if part.style == "border" else re.sub("[•◦▪]", "•", part.first.strip())
        for part in leaf.prefix.parts
    )
    match leaf:
        case Paragraph():
            return signs, f"h{leaf.heading_level}" if leaf.heading_level else "text", _lines(leaf.text)
        case CodeBlock():
            return signs, "code", leaf.text
        case TableRow():
            cells = split_row(leaf.text)[: len(leaf.columns.headings)]
            return signs, "row", "|".join(cells + [""] * (len(leaf.columns.headings) - len(cells)))
        case FormulaBlock():
            return signs, "formula", leaf.text
        case ThematicBreak():
            return signs, "rule", ""
        case EmptyBlock():
            return signs, "empty", ""
        case _:
            raise AssertionError(leaf)


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n")).strip()
