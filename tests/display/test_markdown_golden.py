"""A rich document at the widths of narrow, usual and wide panes; ``GOLDEN=write`` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from debate_tui.display.markdown import ASCII, UNICODE, Line, Signs
from debate_tui.display.markdown.document import Document

FOLDER = Path(__file__).parent / "golden"


def drawn(width: int, signs: Signs) -> list[Line]:
    """The lines of the document."""
    document = Document(width, signs)
    document.feed((FOLDER / "speech.md").read_text("utf-8"))
    document.close()
    return document.lines(0, document.line_count)


def told(line: Line) -> str:
    """A line with the names of its styles."""
    runs = [text if not style else f"⟨{style}: {text}⟩" for text, style in line.runs]
    return "".join(runs) + (f" ⟨fill {line.fill}⟩" if line.fill else "")


def check(name: str, text: str) -> None:
    """Compare with what is on file."""
    path = FOLDER / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("width", [24, 40, 78])
def test_a_document_at_a_width(width: int) -> None:
    """As text."""
    check(f"speech-{width}.txt", "".join(line.text + "\n" for line in drawn(width, UNICODE)))


def test_a_document_in_ascii() -> None:
    """Nothing of the screen's own is anything else."""
    check("speech-ascii.txt", "".join(line.text + "\n" for line in drawn(40, ASCII)))


def test_styles_of_a_document() -> None:
    """With the names of the styles."""
    check("speech-styles.txt", "".join(told(line) + "\n" for line in drawn(40, UNICODE)))
