"""What a pane's text is made of: headings, speech and notices, in the order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

from debate_tui.display.feed import Text
from debate_tui.domain.events import (
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Interjection,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.feed import Item
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.glyphs import Glyphs

Voice = Literal["answer", "reasoning"]


class Page(Protocol):
    """Where a script is written; nothing is seen of it before `flush`."""

    def speak(self, text: str, voice: Voice) -> None:
        """Add sanitised text to what is being said; it goes on where the last text ended."""
        ...

    def head(self, text: str) -> None:
        """Close what is being said and begin a part under a heading."""
        ...

    def note(self, text: str, tone: Tone) -> None:
        """Close what is being said and add a notice that cannot be taken for speech."""
        ...

    def clear(self) -> None:
        """Remove everything."""
        ...

    def flush(self) -> None:
        """Show what was added."""
        ...


class Heading(Struct, frozen=True):
    text: str
    turn: int


class Speech:
    """What was said in one voice without a break, in pieces as it came."""

    __slots__ = ("pieces", "turn", "voice")

    def __init__(self, turn: int, voice: Voice) -> None:
        self.turn = turn
        self.voice = voice
        self.pieces: list[str] = []


class Notice(Struct, frozen=True):
    text: str
    tone: Tone
    turn: int = 0


Entry = Heading | Speech | Notice


class Script:
    """The items of one debater's lane, written to a page as they come.

    They are kept, so that the page can be written anew. `title` names the phase a turn belongs to.
    Everything in the items is sanitised already.
    """

    def __init__(
        self, page: Page, transcript: Transcript, glyphs: Glyphs, title: Callable[[Turn], str]
    ) -> None:
        self._page = page
        self._transcript = transcript
        self._glyphs = glyphs
        self._title = title
        self._entries: list[Entry] = []
        self._later: list[Notice] = []
        self._open = False
        self._reasoning_shown = False

    @property
    def reasoning_shown(self) -> bool:
        """Whether the debater's thinking is part of the text."""
        return self._reasoning_shown

    @property
    def has_reasoning(self) -> bool:
        """Whether the debater's thinking was told at all."""
        return any(isinstance(entry, Speech) and entry.voice == "reasoning" for entry in self._entries)

    def apply(self, event: Item) -> None:
        """Write what an event adds to the page."""
        match event:
            case Text():
                self._speak(event)
            case TurnStarted():
                self._begin(event.turn)
            case TurnSuperseded():
                self._drop(event.turn)
            case TurnFinished():
                self._end(event)
            case Interjection():
                self._add_beside(f"{self._glyphs.interjection} {one_line(event.text, 2000)}", Tone.FOCUS)
            case DebaterRemoved():
                self._add_beside(f"{self._glyphs.failed} Out of the debate", Tone.FAILED)
            case DebaterReplaced():
                self._add_beside(f"{self._glyphs.reconnecting} Now {one_line(event.model)}", Tone.QUIET)
            case DebaterReturned():
                self._add_beside(f"{self._glyphs.connected} Back in the debate", Tone.CONNECTED)
            case _:
                pass

    def words_of(self, turn: int) -> str:
        """The answer given in a turn, as it is shown."""
        return "".join(
            "".join(entry.pieces)
            for entry in self._entries
            if isinstance(entry, Speech) and entry.turn == turn and entry.voice == "answer"
        )

    def show_reasoning(self, shown: bool) -> None:
        """Show or hide the thinking in the whole of the text."""
        if shown != self._reasoning_shown:
            self._reasoning_shown = shown
            self._rewrite()

    def _begin(self, number: int) -> None:
        self._open = True
        if not any(isinstance(entry, Heading) and entry.turn == number for entry in self._entries):
            self._add(Heading(self._title(self._transcript.turns[number]), number))

    def _speak(self, item: Text) -> None:
        voice: Voice = "reasoning" if item.reasoning else "answer"
        self._open = True
        speech = self._entries[-1] if self._entries else None
        if isinstance(speech, Notice) and speech.turn == item.turn:
            speech = self._take_back_ending(item.turn)
        if not isinstance(speech, Speech) or speech.turn != item.turn or speech.voice != voice:
            speech = Speech(item.turn, voice)
            self._add(speech)
        speech.pieces.append(item.text)
        if self._is_shown(voice):
            self._page.speak(item.text, voice)

    def _take_back_ending(self, number: int) -> Entry | None:
        """The turn goes on after all: how it ended no longer stands between its halves."""
        self._entries = [e for e in self._entries if not (isinstance(e, Notice) and e.turn == number)]
        self._rewrite()
        return self._entries[-1] if self._entries else None

    def _end(self, event: TurnFinished) -> None:
        self._open = False
        if event.reason != "complete":
            self._add(self._ending(event))
        for notice in self._later:
            self._add(notice)
        self._later.clear()

    def _add_beside(self, text: str, tone: Tone) -> None:
        """Add what is not part of a turn; never in the middle of what is being said."""
        notice = Notice(text, tone)
        if self._open:
            self._later.append(notice)
        else:
            self._add(notice)

    def _is_shown(self, voice: Voice) -> bool:
        return voice == "answer" or self._reasoning_shown

    def _ending(self, event: TurnFinished) -> Notice:
        turn = self._transcript.turns[event.turn]
        glyphs = self._glyphs
        match event.reason:
            case "failed":
                fault = f": {one_line(turn.faults[-1].message)}" if turn.faults else ""
                said = "The answer broke off" if self.words_of(event.turn) else "No answer"
                return Notice(f"{glyphs.failed} {said}{fault}", Tone.FAILED, event.turn)
            case "length":
                text = f"{glyphs.cut} Cut at the length limit"
            case "refused":
                text = f"{glyphs.refused} Declined to answer"
            case "stopped":
                text = f"{glyphs.stopped} Stopped here"
            case _:
                text = f"{glyphs.skipped} Skipped"
        return Notice(text, Tone.QUIET, event.turn)

    def _drop(self, number: int) -> None:
        """Take back what was said in a turn; its heading stays, and so does all that is not part of it."""
        self._open = True
        self._entries = [
            entry for entry in self._entries if isinstance(entry, Heading) or entry.turn != number
        ]
        self._rewrite()

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._write(entry)

    def _write(self, entry: Entry) -> None:
        match entry:
            case Heading():
                self._page.head(entry.text)
            case Notice():
                self._page.note(entry.text, entry.tone)
            case Speech() if not self._is_shown(entry.voice):
                self._page.note(f"{self._glyphs.connecting} thinking", Tone.QUIET)
            case Speech():
                pass

    def _rewrite(self) -> None:
        self._page.clear()
        for entry in self._entries:
            self._write(entry)
            if isinstance(entry, Speech) and self._is_shown(entry.voice):
                self._page.speak("".join(entry.pieces), entry.voice)
        self._page.flush()
