"""Joins the words of a model that was asked to go on where its answer broke off.

Models often begin by repeating a little: the word that was cut, the last sentence, sometimes all of it, with
other white space or other quotation marks. Such an overlap is trimmed if it reaches to the very end of the
old text and can hardly be meant. A short repetition ("very, very", "haha") may be, and stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk
from debate_tui.resilience.seam import Joint, telling

if TYPE_CHECKING:
    from debate_tui.domain.stream import Cursor
    from debate_tui.resilience.shown import Shown

SEARCHED = 4096
"""How far back an overlap is looked for, in characters; beyond that, only at the very start."""

_SPACE = re.compile(r"\s+")
_LEAD = re.compile(r"\s*(?:…|\.\.\.)?\s*")
_PERHAPS_LEAD = ("", ".", "..")
_CUT_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}$")
_SAME = str.maketrans("‘’“”–—", "''\"\"--")


class Overlap:
    """The seam of a connection that continues an answer; its reasoning is new and passes at once."""

    def __init__(self, shown: Shown) -> None:
        self.settled = False
        answer = shown.answer
        self._old = _plain(answer).rstrip()
        self._old_space = answer[len(answer.rstrip()) :]
        self._held: list[Chunk] = []
        self._begun = False
        self._compared = 0
        """How much of the new text, made plain, has been compared."""
        self._after_space = False
        self._begins: list[int] = []
        """The places in the old text from which it agrees with the new one as far as both go."""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def meet(self, cursor: Cursor) -> None:
        """See `Seam.meet`; a continuation has no cursors."""

    def feed(self, chunk: Chunk) -> Joint | None:
        """See `Seam.feed`."""
        if chunk.reasoning:
            if not self._held:
                return Joint((chunk,))
            self._held.append(chunk)
            return None
        self._held.append(chunk)
        self._compare(chunk.text)
        return None if self._undecided() else self._join()

    def finish(self) -> Joint:
        """See `Seam.finish`."""
        self._begins = [at for at in self._begins if at + self._compared >= len(self._old)]
        return self._join()

    def _compare(self, text: str) -> None:
        if not self._begun:
            new = "".join(chunk.text for chunk in self._held)
            text = new[_lead(new) :]
            if text in _PERHAPS_LEAD:
                return
            self._begun = True
            self._begins = self._candidates(new, text)
        text = _plain(text)
        if self._after_space:
            text = text.removeprefix(" ")
        if not text:
            return
        self._after_space = text[-1] == " "
        self._begins = [at for at in self._begins if self._agrees(at + self._compared, text)]
        self._compared += len(text)

    def _agrees(self, at: int, text: str) -> bool:
        old = self._old
        return old.startswith(text, at) or text.startswith(old[at : at + len(text)])

    def _candidates(self, new: str, text: str) -> list[int]:
        old, first = self._old, text[0].translate(_SAME)
        reach = max(0, len(old) - SEARCHED)
        begins = [at for at in range(reach, len(old)) if old[at] == first and _word_begins(old, at)]
        if reach:
            begins.insert(0, 0)
        begins = [at for at in begins if telling(old[at:])]
        cut = _CUT_WORD.search(old)
        if cut and len(set(cut[0])) > 2 and not self._old_space and not new[0].isspace():
            begins.append(cut.start())
        return begins

    def _undecided(self) -> bool:
        if not self._begun:
            return True
        missing = [len(self._old) - at - self._compared for at in self._begins]
        if any(characters > 0 for characters in missing):
            return True
        # White space behind the overlap may be the old text's own; what follows it tells.
        return bool(missing and self._old_space) and missing[0] + self._after_space >= 0

    def _join(self) -> Joint:
        self.settled = True
        if not self._begins:
            return Joint(tuple(self._held))
        new = "".join(chunk.text for chunk in self._held if not chunk.reasoning)
        rest = self._without_space(new[_reach(new, len(self._old) - self._begins[0]) :])
        chunks = [chunk for chunk in self._held if chunk.reasoning]
        if rest:
            chunks.append(Chunk(rest, cursor=self._held[-1].cursor))
        return Joint(tuple(chunks), repeated=len(new) - len(rest))

    def _without_space(self, rest: str) -> str:
        """`rest` without the white space that the old text ends with already."""
        space = self._old_space
        own = rest[: len(rest) - len(rest.lstrip())]
        if own.startswith(space):
            return rest[len(space) :]
        spare = space and ("\n" not in own or space.startswith(own))
        return rest[len(own) :] if spare else rest


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_SAME))


def _lead(new: str) -> int:
    """The length of what models put before a continuation."""
    lead = _LEAD.match(new)
    return lead.end() if lead else 0


def _word_begins(text: str, at: int) -> bool:
    """Whether a word, or a sign of a script that does not part words, begins at `at`."""
    if text[at].isspace():
        return False
    return at == 0 or not text[at - 1].isalnum() or not text[at - 1].isascii()


def _reach(new: str, overlap: int) -> int:
    """How many characters of `new` make up an overlap of `overlap` plain ones."""
    at = _lead(new)
    for _ in range(overlap):
        space = _SPACE.match(new, at)
        at = space.end() if space else at + 1
    return at
