"""A debate as plain text: speech is indented, so that none of it can be taken for a heading."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.exports import outline
from debate_tui.domain.exports.closing import summary_sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.exports.closing import FigureBar, SummarySection, SummaryTable
    from debate_tui.domain.exports.outline import RoundSection
    from debate_tui.domain.transcript import Transcript

_INDENT = "    "
_BAR_WIDTH = 20


def render_text(transcript: Transcript) -> str:
    """The whole debate, without reasoning; paragraphs are parted by blank lines and not wrapped.

    What was said stands there as it was written: marks of Markdown are part of that.
    """
    return "\n\n".join(_text_paragraphs(transcript)) + "\n"


def _text_paragraphs(transcript: Transcript) -> Iterator[str]:
    title = outline.document_title(transcript)
    yield f"{title}\n{'=' * min(len(title), 72)}"
    yield outline.document_subtitle(transcript)
    yield "\n".join(outline.speaker_lines(transcript))
    for part in outline.round_sections(transcript):
        yield from _text_round(part)
    for section in summary_sections(transcript):
        yield from _text_summary(section)
    yield outline.ending_line(transcript)


def _text_round(part: RoundSection) -> Iterator[str]:
    if part.title:
        yield f"{part.title}\n{'-' * len(part.title)}"
    for speech in part.turns:
        yield f"{speech.speaker}  [{speech.facts}]" if speech.facts else speech.speaker
        if speech.warning:
            yield f"[{speech.warning}]"
        yield textwrap.indent(speech.text or "(no text)", _INDENT)
        if speech.ending:
            yield f"[{speech.ending}]"
    yield from part.notes


def _text_summary(section: SummarySection) -> Iterator[str]:
    yield section.title if section.is_subsection else f"{section.title}\n{'-' * len(section.title)}"
    yield from (textwrap.indent(line, _INDENT) for line in section.lines)
    if section.bars:
        yield "\n".join(_text_bars(section.bars))
    if section.table is not None:
        yield "\n".join(_text_table(section.table))


def _text_bars(bars: tuple[FigureBar, ...]) -> Iterator[str]:
    width = max(len(bar.label) for bar in bars)
    for bar in bars:
        filled = round(_BAR_WIDTH * min(max(bar.value / bar.maximum, 0), 1))
        yield f"{_INDENT}{bar.label:{width}}  {'█' * filled}{'░' * (_BAR_WIDTH - filled)}  {bar.text}"


def _text_table(table: SummaryTable) -> Iterator[str]:
    """The rows, with all columns but the last as wide as their widest cell."""
    rows = (table.header, *table.rows)
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.header) - 1)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"{_INDENT}{'  '.join((*cells, row[-1]))}"
