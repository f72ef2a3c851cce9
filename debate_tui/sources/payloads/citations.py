"""The sources that a server names for its answer: web pages, as annotations, citations or search results.

Every provider has its own place and shape for them, and none is needed for the text. So they are decoded as
plain JSON, and whatever has a web address in a known place counts; anything else is ignored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.stream import MAX_CITATIONS, Citation

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_URL_LENGTH: Final = 2048
"""Longest URL that counts, in characters."""

MAX_TITLE_LENGTH: Final = 200
"""Longest title, in characters; longer ones are shortened."""

_MAX_VALUES: Final = 20 * MAX_CITATIONS
"""JSON values examined in one event."""

# A user name in an address would only disguise its host.
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#][^\s\\]*)?", re.IGNORECASE)
_URL_FIELDS: Final = ("url", "uri", "source")
_WRAPPERS: Final = ("url_citation", "web", "content")
"""Fields that contain the citation itself: in chat annotations, Gemini's chunks, and tool results."""


def find_citations(value: object) -> Iterator[Citation]:
    """Yield the citations in a JSON value, in its order: URLs in lists, and objects that have one.

    URLs are limited to ``http`` and ``https``; titles are sanitised.
    """
    pending = [value]
    for _ in range(_MAX_VALUES):
        if not pending:
            return
        match pending.pop():
            case str() as text if url := _to_web_address(text):
                yield Citation(url)
            case list() as items:
                pending += reversed(items[:_MAX_VALUES])
            case dict() as fields:
                if url := next(filter(None, (_to_web_address(fields.get(name)) for name in _URL_FIELDS)), ""):
                    title = fields.get("title")
                    yield Citation(url, one_line(title, MAX_TITLE_LENGTH) if isinstance(title, str) else "")
                else:
                    inner = (fields.get(name) for name in _WRAPPERS)
                    pending += (each for each in inner if isinstance(each, dict | list))


def _to_web_address(value: object) -> str:
    """Return an ``http`` or ``https`` URL as it may be shown, or an empty string for anything else."""
    if not isinstance(value, str) or len(value) > MAX_URL_LENGTH:
        return ""
    url = value.strip()
    return url if url.isprintable() and _WEB_ADDRESS.fullmatch(url) else ""
