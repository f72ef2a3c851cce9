"""What is pasted is text: nothing in it is a key, and all of it fits in one line."""

from __future__ import annotations

from debate_tui.domain.sanitise import Sanitiser

START, END = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a paste (xterm's bracketed paste mode, 2004)."""

_BREAKS = str.maketrans("\r\n\t", "   ")


class Pastes:
    """Cleans the pastes in what a terminal sends, and leaves all else as it is.

    Textual (8.2) takes an escape sequence within a paste for keys that were pressed, and of several lines an
    input takes the first.
    """

    def __init__(self) -> None:
        self._typed = ""  # the last of it, which may be the beginning of a start
        self._held = ""  # of a paste, what may be the beginning of its end
        self._pasting = False
        self._sanitiser = Sanitiser()

    def feed(self, data: str) -> str:
        """What is to be read of the next piece; it may end anywhere."""
        read: list[str] = []
        while data:
            data = self._paste(data, read) if self._pasting else self._type(data, read)
        return "".join(read)

    def _type(self, data: str, read: list[str]) -> str:
        """Pass on what is typed, up to a paste; returns the rest."""
        known = len(self._typed)
        found = (self._typed + data).find(START)
        if found < 0:
            read.append(data)
            self._typed = (self._typed + data)[1 - len(START) :]
            return ""
        begin = found + len(START) - known
        read.append(data[:begin])
        self._typed, self._pasting = "", True
        return data[begin:]

    def _paste(self, data: str, read: list[str]) -> str:
        """Pass on what is text of what is pasted, up to its end; returns the rest."""
        pasted, end, rest = (self._held + data).partition(END)
        if not end:
            self._held = pasted[_settled(pasted) :]
            read.append(self._text(pasted.removesuffix(self._held)))
            return ""
        read += self._text(pasted), self._sanitiser.flush().translate(_BREAKS), END
        self._held, self._pasting = "", False
        return rest

    def _text(self, pasted: str) -> str:
        return self._sanitiser.feed(pasted.translate(_BREAKS)).translate(_BREAKS)


def _settled(pasted: str) -> int:
    """How much of a paste is no beginning of its end."""
    starts = (size for size in range(min(len(END) - 1, len(pasted)), 0, -1) if END.startswith(pasted[-size:]))
    return len(pasted) - next(starts, 0)
