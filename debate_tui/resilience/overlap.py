"""Joins the words of a model that was asked to go on where its answer broke off.

Models often begin by repeating a little: the word that was cut, the last sentence, sometimes all of it, with
other white space or other quotation marks. Such an overlap is trimmed if it reaches to the very end of the
old text and can hardly be meant. A short repetition ("very, very", "haha") may be, and stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk
from debate_tui.resilience.seam import SpliceResult, is_unintended_repeat

if TYPE_CHECKING:
    from debate_tui.domain.stream import Cursor
    from debate_tui.resilience.shown import DeliveredText

CONTINUATION_SEARCH_LENGTH = 4096
"""How far back an overlap is looked for, in characters; beyond that, only at the very start."""

_SPACE = re.compile(r"\s+")
_LEAD_IN = re.compile(r"\s*(?:…|\.\.\.)?\s*")
_PARTIAL_LEAD_INS = ("", ".", "..")
_CUT_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}$")
_TYPOGRAPHY = str.maketrans("‘’“”–—", "''\"\"--")


class ContinuationTrimmer:
    """The seam of a connection that continues an answer; its reasoning is new and passes at once."""

    def __init__(self, delivered: DeliveredText) -> None:
        self.resolved = False
        answer = delivered.answer
        self._old = _normalise(answer).rstrip()
        self._old_trailing_space = answer[len(answer.rstrip()) :]
        self._pending: list[Chunk] = []
        self._started = False
        self._compared_length = 0
        """How much of the new text, made plain, has been compared."""
        self._after_space = False
        self._candidates: list[int] = []
        """The places in the old text from which it agrees with the new one as far as both go."""

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

    def note_cursor(self, cursor: Cursor) -> None:
        """See `TextSplicer.note_cursor`; a continuation has no cursors."""

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        """See `TextSplicer.feed`."""
        if chunk.reasoning:
            if not self._pending:
                return SpliceResult((chunk,))
            self._pending.append(chunk)
            return None
        self._pending.append(chunk)
        self._compare(chunk.text)
        return None if self._is_undecided() else self._resolve()

    def finish(self) -> SpliceResult:
        """See `TextSplicer.finish`."""
        self._candidates = [at for at in self._candidates if at + self._compared_length >= len(self._old)]
        return self._resolve()

    def _compare(self, text: str) -> None:
        if not self._started:
            new = "".join(chunk.text for chunk in self._pending)
            text = new[_lead_in_length(new) :]
            if text in _PARTIAL_LEAD_INS:
                return
            self._started = True
            self._candidates = self._find_candidates(new, text)
        text = _normalise(text)
        if self._after_space:
            text = text.removeprefix(" ")
        if not text:
            return
        self._after_space = text[-1] == " "
        self._candidates = [at for at in self._candidates if self._matches(at + self._compared_length, text)]
        self._compared_length += len(text)

    def _matches(self, at: int, text: str) -> bool:
        old = self._old
        return old.startswith(text, at) or text.startswith(old[at : at + len(text)])

    def _find_candidates(self, new: str, text: str) -> list[int]:
        old, first = self._old, text[0].translate(_TYPOGRAPHY)
        reach = max(0, len(old) - CONTINUATION_SEARCH_LENGTH)
        begins = [at for at in range(reach, len(old)) if old[at] == first and _is_word_start(old, at)]
        if reach:
            begins.insert(0, 0)
        begins = [at for at in begins if is_unintended_repeat(old[at:])]
        cut = _CUT_WORD.search(old)
        if cut and len(set(cut[0])) > 2 and not self._old_trailing_space and not new[0].isspace():
            begins.append(cut.start())
        return begins

    def _is_undecided(self) -> bool:
        if not self._started:
            return True
        missing = [len(self._old) - at - self._compared_length for at in self._candidates]
        if any(characters > 0 for characters in missing):
            return True
        # White space behind the overlap may be the old text's own; what follows it tells.
        return bool(missing and self._old_trailing_space) and missing[0] + self._after_space >= 0

    def _resolve(self) -> SpliceResult:
        self.resolved = True
        if not self._candidates:
            return SpliceResult(tuple(self._pending))
        new = "".join(chunk.text for chunk in self._pending if not chunk.reasoning)
        rest = self._strip_repeated_space(new[_raw_length(new, len(self._old) - self._candidates[0]) :])
        chunks = [chunk for chunk in self._pending if chunk.reasoning]
        if rest:
            chunks.append(Chunk(rest, cursor=self._pending[-1].cursor))
        return SpliceResult(tuple(chunks), repeated=len(new) - len(rest))

    def _strip_repeated_space(self, rest: str) -> str:
        """`rest` without the white space that the old text ends with already."""
        space = self._old_trailing_space
        own = rest[: len(rest) - len(rest.lstrip())]
        if own.startswith(space):
            return rest[len(space) :]
        spare = space and ("\n" not in own or space.startswith(own))
        return rest[len(own) :] if spare else rest


def _normalise(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_TYPOGRAPHY))


def _lead_in_length(new: str) -> int:
    """The length of what models put before a continuation."""
    lead = _LEAD_IN.match(new)
    return lead.end() if lead else 0


def _is_word_start(text: str, at: int) -> bool:
    """Whether a word, or a sign of a script that does not part words, begins at `at`."""
    if text[at].isspace():
        return False
    return at == 0 or not text[at - 1].isalnum() or not text[at - 1].isascii()


def _raw_length(new: str, overlap: int) -> int:
    """How many characters of `new` make up an overlap of `overlap` plain ones."""
    at = _lead_in_length(new)
    for _ in range(overlap):
        space = _SPACE.match(new, at)
        at = space.end() if space else at + 1
    return at
