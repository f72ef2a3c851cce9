"""A rich document at the widths of narrow, usual and wide panes; ``GOLDEN=write`` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from debate_tui.display.markdown import ASCII_SYMBOLS, UNICODE_SYMBOLS, Line, MarkdownSymbols
from debate_tui.display.markdown.document import Document

FOLDER = Path(__file__).parent / "golden"


def render_lines(width: int, signs: MarkdownSymbols) -> list[Line]:
    """The lines of the document."""
    document = Document(width, signs)
    document.feed((FOLDER / "speech.md").read_text("utf-8"))
    document.close()
    return document.lines(0, document.line_count)


def describe_line(line: Line) -> str:
    """A line with the names of its styles."""
    runs = [text if not style else f"⟨{style}: {text}⟩" for text, style in line.runs]
    return "".join(runs) + (f" ⟨fill {line.fill}⟩" if line.fill else "")


def check_golden(name: str, text: str) -> None:
    """Compare with what is on file."""
    path = FOLDER / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("width", [24, 40, 78])
def test_a_document_at_a_width(width: int) -> None:
    """As text."""
    check_golden(
        f"speech-{width}.txt", "".join(line.text + "\n" for line in render_lines(width, UNICODE_SYMBOLS))
    )


def test_a_document_in_ascii() -> None:
    """Nothing of the screen's own is anything else."""
    check_golden("speech-ascii.txt", "".join(line.text + "\n" for line in render_lines(40, ASCII_SYMBOLS)))


def test_styles_of_a_document() -> None:
    """With the names of the styles."""
    check_golden(
        "speech-styles.txt", "".join(describe_line(line) + "\n" for line in render_lines(40, UNICODE_SYMBOLS))
    )
