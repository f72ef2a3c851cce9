"""Characters that a server cut in two: JSON escapes of half a surrogate pair, one in each of two events.

Servers that slice text by UTF-16 units and then write JSON (many small ones in JavaScript do) send emoji that
way. No decoder takes such an escape, so the first half waits here for the second.
"""

from __future__ import annotations

import re

_SURROGATE_ESCAPE = re.compile(
    r"\\\\"  # an escaped backslash: what follows is text
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<high>\\u[dD][89abAB][0-9a-fA-F]{2})"
    r"|(?P<low>\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


class SurrogateJoiner:
    """Mends the JSON of one stream; a half that finds no other is a replacement character, or nothing."""

    def __init__(self) -> None:
        self._pending_high = ""

    def join_pairs(self, data: str) -> str:
        """The event's data without half pairs."""
        return _SURROGATE_ESCAPE.sub(self._join_escape, data) if "\\ud" in data or "\\uD" in data else data

    def _join_escape(self, escape: re.Match[str]) -> str:
        if high := escape["high"]:
            self._pending_high = high
            return ""
        if low := escape["low"]:
            high, self._pending_high = self._pending_high, ""
            return high + low if high else "\ufffd"
        return escape[0]
