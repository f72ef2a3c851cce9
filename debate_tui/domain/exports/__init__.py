"""Exports of a debate as Markdown, HTML, JSON or plain text, all from the same fold.

Text is shown sanitised; JSON keeps it as received, escaped. Every end of a turn other than a natural one is
named. How the text arrived (reconnections, dropped text) is only in JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, get_args

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import to_datetime
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event

ExportType = Literal["md", "html", "json", "txt"]
"""The export formats; also the suffix of the file."""

EXPORT_TYPES: Final[tuple[ExportType, ...]] = get_args(ExportType)


def export_debate(events: Sequence[Event], export_type: ExportType) -> str:
    """Return the debate as a complete document, to be written in UTF-8."""
    # Each format is imported when needed: HTML loads a Markdown parser.
    match export_type:
        case "md":
            from debate_tui.domain.exports.text import render_markdown

            return render_markdown(Transcript(events))
        case "html":
            from debate_tui.domain.exports.html import render_html

            return render_html(Transcript(events))
        case "json":
            from debate_tui.domain.exports.json import render_json

            return render_json(events)
        case "txt":
            from debate_tui.domain.exports.text import render_text

            return render_text(Transcript(events))


def export_filename(transcript: Transcript, export_type: ExportType) -> str:
    """Return a descriptive file name of lower-case ASCII letters, digits and hyphens."""
    words = re.findall(r"[a-z0-9]+", one_line(transcript.topic).casefold())
    topic = "-".join(words)[:48].strip("-")
    when = to_datetime(transcript.started_at)
    day = f"{when:%Y-%m-%d}" if when else ""
    return "-".join(filter(None, ("debate", day, topic))) + f".{export_type}"
