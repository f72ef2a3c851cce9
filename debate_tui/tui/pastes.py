"""What is pasted is text: nothing in it is a key, and all of it fits in one line."""

from __future__ import annotations

from debate_tui.domain.sanitise import Sanitiser

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a paste (xterm's bracketed paste mode, 2004)."""

_BREAKS_TO_SPACES = str.maketrans("\r\n\t", "   ")


class PasteSanitiser:
    """Cleans the pastes in what a terminal sends, and leaves all else as it is.

    Textual (8.2) takes an escape sequence within a paste for keys that were pressed, and of several lines an
    input takes the first.
    """

    def __init__(self) -> None:
        self._partial_start = ""  # the last of it, which may be the beginning of a start
        self._partial_end = ""  # of a paste, what may be the beginning of its end
        self._in_paste = False
        self._sanitiser = Sanitiser()

    def feed(self, data: str) -> str:
        """What is to be read of the next piece; it may end anywhere."""
        read: list[str] = []
        while data:
            data = self._feed_pasted(data, read) if self._in_paste else self._feed_typed(data, read)
        return "".join(read)

    def _feed_typed(self, data: str, output: list[str]) -> str:
        """Pass on what is typed, up to a paste; returns the rest."""
        known = len(self._partial_start)
        found = (self._partial_start + data).find(PASTE_START)
        if found < 0:
            output.append(data)
            self._partial_start = (self._partial_start + data)[1 - len(PASTE_START) :]
            return ""
        begin = found + len(PASTE_START) - known
        output.append(data[:begin])
        self._partial_start, self._in_paste = "", True
        return data[begin:]

    def _feed_pasted(self, data: str, output: list[str]) -> str:
        """Pass on what is text of what is pasted, up to its end; returns the rest."""
        pasted, end, rest = (self._partial_end + data).partition(PASTE_END)
        if not end:
            self._partial_end = pasted[_length_without_partial_end(pasted) :]
            output.append(self._clean(pasted.removesuffix(self._partial_end)))
            return ""
        output += self._clean(pasted), self._sanitiser.flush().translate(_BREAKS_TO_SPACES), PASTE_END
        self._partial_end, self._in_paste = "", False
        return rest

    def _clean(self, pasted: str) -> str:
        return self._sanitiser.feed(pasted.translate(_BREAKS_TO_SPACES)).translate(_BREAKS_TO_SPACES)


def _length_without_partial_end(pasted: str) -> int:
    """How much of a paste is no beginning of its end."""
    starts = (
        size
        for size in range(min(len(PASTE_END) - 1, len(pasted)), 0, -1)
        if PASTE_END.startswith(pasted[-size:])
    )
    return len(pasted) - next(starts, 0)
