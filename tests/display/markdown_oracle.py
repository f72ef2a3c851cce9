"""The blocks of a text as markdown-it sees them when it is handed the whole, in the words of our leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from debate_tui.display.markdown.blocks import Parser
from debate_tui.display.markdown.leaves import Code, Empty, Paragraph, Rule
from debate_tui.display.markdown.signs import UNICODE
from debate_tui.display.markdown.tables import Row, split

if TYPE_CHECKING:
    from debate_tui.display.markdown.leaves import Leaf

Block = tuple[tuple[str, ...], str, str]
"""What stands at the left of its first line, outermost first; the kind; the text."""

ORACLE = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 40})
    .enable(["table"])
    .disable(["reference", "html_block"])
)
BULLETS = {"*": "bullet", "-": "bullet", "+": "bullet"}


def expected(text: str) -> list[Block]:
    """By markdown-it."""
    path: list[list[object]] = []
    blocks: list[Block] = []
    numbers: list[int | None] = []
    row: list[str] | None = None
    level = 0
    used = 0

    def emit(kind: str, content: str) -> None:
        nonlocal used
        used += 1
        signs = tuple(">" if entry[0] == ">" else "" if entry[1] else str(entry[0]) for entry in path)
        for entry in path:
            entry[1] = True
        blocks.append((signs, kind, content))

    for token in ORACLE.parse(text):
        match token.type:
            case "blockquote_open":
                path.append([">", False, used])
            case "bullet_list_open":
                numbers.append(None)
            case "ordered_list_open":
                numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
            case "list_item_open":
                number = numbers[-1]
                path.append(["•" if number is None else f"{number}{token.markup}", False, used])
                if number is not None:
                    numbers[-1] = number + 1
            case "blockquote_close" | "list_item_close":
                if path[-1][2] == used:
                    emit("empty", "")
                path.pop()
            case "heading_open":
                level = int(token.tag[1])
            case "tr_open":
                row = []
            case "tr_close":
                assert row is not None
                emit("row", "|".join(row))
                row = None
            case "inline" if row is not None:
                row.append(token.content)
            case "inline":
                emit(f"h{level}" if level else "text", _lines(token.content))
                level = 0
            case "hr":
                emit("rule", "")
            case "fence":
                emit("code", token.content.removesuffix("\n"))
            case "code_block":
                emit("code", token.content.removesuffix("\n"))
            case _:
                pass
    return blocks


def actual(text: str) -> list[Block]:
    """By our parser."""
    parser = Parser(UNICODE)
    for line in text.removesuffix("\n").split("\n"):
        parser.line(line.expandtabs(4))
    parser.end()
    return [_told(leaf) for leaf in parser.closed]


def _told(leaf: Leaf) -> Block:
    signs = tuple(
        ">" if part.style == "border" else re.sub("[•◦▪]", "•", part.first.strip())
        for part in leaf.frame.parts
    )
    match leaf:
        case Paragraph():
            return signs, f"h{leaf.level}" if leaf.level else "text", _lines(leaf.text)
        case Code():
            return signs, "code", leaf.text
        case Row():
            cells = split(leaf.text)[: len(leaf.columns.heads)]
            return signs, "row", "|".join(cells + [""] * (len(leaf.columns.heads) - len(cells)))
        case Rule():
            return signs, "rule", ""
        case Empty():
            return signs, "empty", ""
        case _:
            raise AssertionError(leaf)


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n")).strip()
