"""A debate as plain text: speech is indented, so that none of it can be taken for a heading."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.exports import outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.exports.outline import Part
    from debate_tui.domain.transcript import Transcript

_INDENT = "    "


def text(transcript: Transcript) -> str:
    """The whole debate, without reasoning; paragraphs are parted by blank lines and not wrapped."""
    return "\n\n".join(_paragraphs(transcript)) + "\n"


def _paragraphs(transcript: Transcript) -> Iterator[str]:
    title = outline.topic(transcript)
    yield f"{title}\n{'=' * min(len(title), 72)}"
    yield outline.about(transcript)
    yield "\n".join(outline.speakers(transcript))
    for part in outline.parts(transcript):
        yield from _part(part)
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
