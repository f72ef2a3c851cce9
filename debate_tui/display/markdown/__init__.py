"""Incremental Markdown: text in pieces becomes styled lines, at a cost independent of its length."""

from debate_tui.display.markdown.lines import (
    ASCII_SYMBOLS,
    STYLES,
    UNICODE_SYMBOLS,
    DocumentPosition,
    Line,
    MarkdownSymbols,
    Run,
)
from debate_tui.display.markdown.page import Page, PagePosition, PageRow, PageSection, TextKind

__all__ = [
    "ASCII_SYMBOLS",
    "STYLES",
    "UNICODE_SYMBOLS",
    "DocumentPosition",
    "Line",
    "MarkdownSymbols",
    "Page",
    "PagePosition",
    "PageRow",
    "PageSection",
    "Run",
    "TextKind",
]
