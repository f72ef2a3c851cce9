"""A rich document at the widths of narrow, usual and wide panes."""

from __future__ import annotations

from pathlib import Path

import pytest

from debate_tui.display.markdown import ASCII_SYMBOLS, UNICODE_SYMBOLS, Line, MarkdownSymbols
from debate_tui.display.markdown.document import Document
from tests.golden import check_golden

FOLDER = Path(__file__).parent / "golden"


def render_lines(width: int, signs: MarkdownSymbols) -> list[Line]:
    """The lines of the document."""
    document = Document(width, signs)
    document.feed((FOLDER / "speech.md").read_text("utf-8"))
    document.close()
    return [line for _, line in document.rows(0, document.line_count)]


def describe_line(line: Line) -> str:
    """A line with the names of its styles."""
    runs = [text if not style else f"⟨{style}: {text}⟩" for text, style in line.runs]
    return "".join(runs) + (f" ⟨fill {line.fill}⟩" if line.fill else "")


@pytest.mark.parametrize("width", [24, 40, 78])
def test_a_document_at_a_width(width: int) -> None:
    """As text."""
    check_golden(
        FOLDER / f"speech-{width}.txt",
        "".join(line.text + "\n" for line in render_lines(width, UNICODE_SYMBOLS)),
    )


def test_a_document_in_ascii() -> None:
    """Nothing of the screen's own is anything else."""
    check_golden(
        FOLDER / "speech-ascii.txt", "".join(line.text + "\n" for line in render_lines(40, ASCII_SYMBOLS))
    )


def test_styles_of_a_document() -> None:
    """With the names of the styles."""
    check_golden(
        FOLDER / "speech-styles.txt",
        "".join(describe_line(line) + "\n" for line in render_lines(40, UNICODE_SYMBOLS)),
    )
