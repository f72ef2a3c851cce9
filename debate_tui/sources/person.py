"""Debaters whose words a person at this terminal writes, and the drafts of their turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.errors import UsageError
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Chunk, Connected, Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
    from pathlib import Path

    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest

PERSON_MODEL = "a person"
"""What is shown and recorded as the model."""

MAX_CHUNK_CHARACTERS = 4096


class TurnDraft:
    """What a person has written of a turn; until it is sent, in a `file` of its own if there is one.

    `write_file` writes a private file.
    """

    def __init__(
        self, file: Path | None = None, write_file: Callable[[Path, bytes], None] = lambda _file, _data: None
    ) -> None:
        self._file = file
        self._write_file = write_file
        self._saved = self.text = sanitise(_read(file))

    def save(self) -> None:
        """Write the text to the file if it has changed; raise `OSError` if that fails."""
        if self._file is None or self.text == self._saved:
            return
        if self.text:
            self._write_file(self._file, self.text.encode("utf-8", "replace"))
        else:
            self._file.unlink(missing_ok=True)
        self._saved = self.text

    def discard(self) -> None:
        """Remove the file; the text stays in memory, for a turn that is written again."""
        self._saved = self.text
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def _read(file: Path | None) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace") if file is not None else ""
    except OSError:
        return ""


WriteTurn = Callable[[str, "TurnRequest", TurnDraft], "Awaitable[str]"]
"""A function that lets the person write the turn of a debater, given its id, and returns what was sent.

It changes the draft's text meanwhile, and saves it.
"""


class PersonSource:
    """A debater for whom a person writes, for as long as that takes: see `Connected.untimed`.

    `make_draft` returns the draft of a turn, given its number.
    """

    def __init__(self, debater: str, write_turn: WriteTurn, make_draft: Callable[[int], TurnDraft]) -> None:
        self._debater = debater
        self._write_turn = write_turn
        self._make_draft = make_draft
        self._drafts: dict[int, TurnDraft] = {}

    @property
    def model(self) -> str:
        return PERSON_MODEL

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`; a turn that is written again begins with what was written before."""
        draft = self._drafts.get(request.turn) or self._make_draft(request.turn)
        self._drafts = {request.turn: draft}
        if not draft.text and resume is not None:
            draft.text = resume.text
        items = self._items(request, draft)
        try:
            yield items
        finally:
            await items.aclose()

    async def _items(self, request: TurnRequest, draft: TurnDraft) -> AsyncGenerator[StreamItem, None]:
        yield Connected(transport="keyboard", untimed=True)
        text = await self._write_turn(self._debater, request, draft)
        for start in range(0, len(text), MAX_CHUNK_CHARACTERS):
            yield Chunk(text[start : start + MAX_CHUNK_CHARACTERS])
        draft.discard()  # by now the text is recorded
        yield Finished()


def needs_terminal() -> UsageError:
    """Return the error for a person in a debate that has no screen to write on."""
    return UsageError(
        "With 'me' as a debater, the debate needs a terminal: you write your turns on the screen.",
        "Run it on the full screen of a terminal (--share lets others watch), or name another debater.",
    )
