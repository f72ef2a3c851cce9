"""Incremental Markdown: text in pieces becomes lines of styled runs, at a cost that does not grow with it."""

from debate_tui.display.markdown.line import STYLES, Line, Run
from debate_tui.display.markdown.page import Page, Row, Section, Spot, Voice
from debate_tui.display.markdown.place import Place
from debate_tui.display.markdown.signs import ASCII, UNICODE, Signs

__all__ = [
    "ASCII",
    "STYLES",
    "UNICODE",
    "Line",
    "Page",
    "Place",
    "Row",
    "Run",
    "Section",
    "Signs",
    "Spot",
    "Voice",
]
