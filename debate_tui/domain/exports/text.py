"""A debate as plain text: speech is indented, so that none of it can be taken for a heading."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.exports import outline
from debate_tui.domain.exports.closing import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.exports.closing import Bar, Section, Table
    from debate_tui.domain.exports.outline import Part
    from debate_tui.domain.transcript import Transcript

_INDENT = "    "
_BAR = 20


def text(transcript: Transcript) -> str:
    """The whole debate, without reasoning; paragraphs are parted by blank lines and not wrapped.

    What was said stands there as it was written: marks of Markdown are part of that.
    """
    return "\n\n".join(_paragraphs(transcript)) + "\n"


def _paragraphs(transcript: Transcript) -> Iterator[str]:
    title = outline.topic(transcript)
    yield f"{title}\n{'=' * min(len(title), 72)}"
    yield outline.about(transcript)
    yield "\n".join(outline.speakers(transcript))
    for part in outline.parts(transcript):
        yield from _part(part)
    for section in sections(transcript):
        yield from _section(section)
    yield outline.outcome(transcript)


def _part(part: Part) -> Iterator[str]:
    if part.title:
        yield f"{part.title}\n{'-' * len(part.title)}"
    for speech in part.speeches:
        yield f"{speech.speaker}  [{speech.facts}]" if speech.facts else speech.speaker
        if speech.warning:
            yield f"[{speech.warning}]"
        yield textwrap.indent(speech.text or "(no text)", _INDENT)
        if speech.ending:
            yield f"[{speech.ending}]"
    yield from part.notes


def _section(section: Section) -> Iterator[str]:
    yield section.title if section.sub else f"{section.title}\n{'-' * len(section.title)}"
    yield from (textwrap.indent(line, _INDENT) for line in section.lines)
    if section.bars:
        yield "\n".join(_bars(section.bars))
    if section.table is not None:
        yield "\n".join(_columns(section.table))


def _bars(bars: tuple[Bar, ...]) -> Iterator[str]:
    width = max(len(bar.label) for bar in bars)
    for bar in bars:
        filled = round(_BAR * min(max(bar.value / bar.best, 0), 1))
        yield f"{_INDENT}{bar.label:{width}}  {'█' * filled}{'░' * (_BAR - filled)}  {bar.text}"


def _columns(table: Table) -> Iterator[str]:
    """The rows, with all columns but the last as wide as their widest cell."""
    rows = (table.head, *table.rows)
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.head) - 1)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"{_INDENT}{'  '.join((*cells, row[-1]))}"
