"""Exports of a debate as Markdown, HTML, JSON or plain text, all from the same fold, and of its prompts.

Text is shown sanitised; JSON keeps it as received, escaped. Every end of a turn other than a natural one is
named. How the text arrived (reconnections, dropped text) is only in JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import to_datetime
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material

ExportType = Literal["md", "html", "json", "txt", "prompts"]
"""What can be exported: the debate as one of four types of file, and its prompts as Markdown."""

EXPORT_TYPES: Final[tuple[ExportType, ...]] = ("md", "html", "json", "txt")
"""The types of file a debate is exported as, which need only its events; each is the suffix of the file."""


def export_debate(
    events: Sequence[Event],
    export_type: ExportType,
    *,
    setup: str = "",
    material: Sequence[Material] = (),
) -> str:
    """Return the debate as a complete document, to be written in UTF-8.

    `setup` and `material` are as stored with the events. HTML has the texts of the material that everyone in
    the debate was given, JSON has all of them; Markdown and plain text only list the former. Raise
    `DebateError` if prompts are asked for and the setup is missing.
    """
    # Each format is imported when needed: HTML loads a Markdown parser.
    match export_type:
        case "md":
            from debate_tui.domain.exports.text import render_markdown

            return render_markdown(Transcript(events))
        case "html":
            from debate_tui.domain.exports.html import render_html

            return render_html(events, material)
        case "json":
            from debate_tui.domain.exports.json import render_json

            return render_json(events, material)
        case "txt":
            from debate_tui.domain.exports.text import render_text

            return render_text(Transcript(events))
        case "prompts":
            from debate_tui.domain.exports.prompts import render_prompts

            return render_prompts(events, setup, material)


def export_filename(transcript: Transcript, export_type: ExportType) -> str:
    """Return a descriptive file name of lower-case ASCII letters, digits and hyphens."""
    words = re.findall(r"[a-z0-9]+", one_line(transcript.topic).casefold())
    topic = "-".join(words)[:48].strip("-")
    when = to_datetime(transcript.started_at)
    day = f"{when:%Y-%m-%d}" if when else ""
    suffix = "prompts.md" if export_type == "prompts" else export_type
    return "-".join(filter(None, ("debate", day, topic))) + f".{suffix}"
