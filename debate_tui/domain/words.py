"""How many words a text has, counted while it grows."""

from __future__ import annotations

import re
from functools import cache

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SAYS = re.compile(r"\w")


@cache
def _parts() -> re.Pattern[str]:
    """Compiled when there is something to count: so many characters take their time."""
    return re.compile(rf"(?P<space>\s+)|(?P<alone>[{_ALONE}])|[^\s{_ALONE}]+")


class WordCount:
    """A word is what stands between blanks and has a letter or a digit; a CJK character is one by itself."""

    __slots__ = ("_counted", "count")

    def __init__(self) -> None:
        self.count = 0
        self._counted = False

    def feed(self, text: str) -> None:
        """Count on; however a text is cut, the count is the same."""
        for part in _parts().finditer(text):
            if part["space"]:
                self._counted = False
            elif part["alone"]:
                self.count += 1
                self._counted = False
            elif not self._counted and _SAYS.search(part[0]):
                self.count += 1
                self._counted = True
