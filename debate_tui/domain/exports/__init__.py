"""A debate as a document: Markdown, HTML, JSON or plain text, all from the same fold.

Text is shown sanitised; JSON keeps it as received, escaped. How a turn went is always visible: the seams
of recoveries, text that was dropped, and every ending other than a natural one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, get_args

from debate_tui.domain.dates import date_of
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event

Form = Literal["md", "html", "json", "txt"]
"""What a debate can be exported to; also the file's suffix."""

FORMS: Final[tuple[Form, ...]] = get_args(Form)


def export(events: Sequence[Event], form: Form) -> str:
    """The debate as a whole document of that form, to be written in UTF-8."""
    # Each form is imported when it is asked for: the HTML one loads a Markdown parser.
    match form:
        case "md":
            from debate_tui.domain.exports.markdown import markdown

            return markdown(Transcript(events))
        case "html":
            from debate_tui.domain.exports.html import html

            return html(Transcript(events))
        case "json":
            from debate_tui.domain.exports.json import json

            return json(events)
        case "txt":
            from debate_tui.domain.exports.text import text

            return text(Transcript(events))


def filename(transcript: Transcript, form: Form) -> str:
    """A name for the exported file that says what it is, from ASCII letters, digits and hyphens alone."""
    words = re.findall(r"[a-z0-9]+", one_line(transcript.topic).casefold())
    topic = "-".join(words)[:48].strip("-")
    when = date_of(transcript.started_at)
    day = f"{when:%Y-%m-%d}" if when else ""
    return "-".join(filter(None, ("debate", day, topic))) + f".{form}"
