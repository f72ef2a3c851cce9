"""What a pane's text is made of: headings, speech and notices, in the order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

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
from debate_tui.domain.words import WordCount
from debate_tui.tui.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.feed import Item
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.glyphs import Glyphs

Voice = Literal["answer", "reasoning"]

MAX_INTERJECTION = 2000


class Page(Protocol):
    """Where a script is written. Everything but headings belongs to a turn, or to none (0)."""

    def speak(self, text: str, voice: Voice, turn: int) -> None:
        """Add sanitised text; it goes on where the last text ended, if that had the same voice and turn."""
        ...

    def head(self, text: str, turn: int) -> None:
        """Begin a part under a heading."""
        ...

    def note(self, text: str, tone: str, turn: int) -> None:
        """Add a notice that cannot be taken for speech."""
        ...

    def drop(self, turn: int) -> None:
        """Take back what was said and noted in a turn; its heading stays."""
        ...


class Aside(NamedTuple):
    """A notice that is not part of a turn."""

    text: str
    tone: Tone


class Script:
    """The items of one debater's lane, written to a page as they come.

    `title` names the phase a turn belongs to. Everything in the items is sanitised already. Only what is
    said in the newest turn is kept: a broken turn that goes on is written anew, as one text.
    """

    def __init__(
        self, page: Page, transcript: Transcript, glyphs: Glyphs, title: Callable[[Turn], str]
    ) -> None:
        self._page = page
        self._transcript = transcript
        self._glyphs = glyphs
        self._title = title
        self.clear()

    def clear(self) -> None:
        """Forget every item; the page is left to its owner."""
        self._turn = 0
        self._said: list[tuple[Voice, list[str]]] = []
        self._words = WordCount()
        self._speaking = False
        self._ended = False
        self._later: list[Aside] = []
        self.has_reasoning = False
        self._answering = 0
        """The attempt in which the answer began; 0 before that."""
        self._late = False

    @property
    def answer(self) -> str:
        """What the debater answered in its newest turn, as far as it is on the page."""
        return "".join("".join(pieces) for voice, pieces in self._said if voice == "answer")

    @property
    def words(self) -> int:
        """How many words that is."""
        return self._words.count

    def apply(self, item: Item) -> None:
        """Write what an item adds to the page."""
        glyphs = self._glyphs
        match item:
            case Text():
                self._speak(item)
            case TurnStarted():
                self._begin(item.turn)
            case TurnSuperseded():
                self._take_back(item.turn)
            case TurnFinished():
                self._end(item)
            case Interjection():
                self._put(f"{glyphs.interjection} {one_line(item.text, MAX_INTERJECTION)}", Tone.FOCUS)
            case DebaterRemoved():
                self._put(f"{glyphs.failed} Out of the debate", Tone.FAILED)
            case DebaterReplaced():
                self._put(f"{glyphs.reconnecting} Now {one_line(item.model)}", Tone.QUIET)
            case DebaterReturned():
                self._put(f"{glyphs.connected} Back in the debate", Tone.CONNECTED)
            case _:
                pass

    def _begin(self, number: int) -> None:
        if number != self._turn:
            self._turn = number
            self._forget()
            self._page.head(self._title(self._transcript.turns[number]), number)
        self._speaking = True
        self._ended = False

    def _speak(self, item: Text) -> None:
        voice: Voice = "reasoning" if item.reasoning else "answer"
        if self._ended:
            self._go_on()
        self._speaking = True
        if item.reasoning and item.attempt > self._answering > 0:
            self._add_late(item.text)
            return
        if not item.reasoning:
            self._answering = self._answering or item.attempt
        if not self._said or self._said[-1][0] != voice:
            self._said.append((voice, []))
        self._said[-1][1].append(item.text)
        if voice == "answer":
            self._words.feed(item.text)
        self.has_reasoning = self.has_reasoning or item.reasoning
        self._page.speak(item.text, voice, item.turn)

    def _add_late(self, text: str) -> None:
        """A model that continues its answer thinks anew: that belongs above the answer, not into it."""
        first = next((pieces for voice, pieces in self._said if voice == "reasoning"), None)
        if first is None:
            first = []
            self._said.insert(0, ("reasoning", first))
        first.append(text)
        self.has_reasoning = self._late = True

    def _go_on(self) -> None:
        """The turn goes on after all: how it ended must not stand between its halves."""
        self._ended = False
        self._write_again()

    def _write_again(self) -> None:
        self._late = False
        self._page.drop(self._turn)
        for voice, pieces in self._said:
            self._page.speak("".join(pieces), voice, self._turn)

    def _forget(self) -> None:
        self._said.clear()
        self._answering = 0
        self._late = False
        self._words = WordCount()

    def _take_back(self, number: int) -> None:
        self._forget()
        self._speaking = True
        self._ended = False
        self._page.drop(number)

    def _end(self, event: TurnFinished) -> None:
        self._speaking = False
        if self._late:
            self._write_again()
        if event.reason != "complete":
            self._ended = True
            self._note(self._ending(event), event.turn)
        for aside in self._later:
            self._note(aside)
        self._later.clear()

    def _ending(self, event: TurnFinished) -> Aside:
        glyphs = self._glyphs
        match event.reason:
            case "failed":
                turn = self._transcript.turns[event.turn]
                fault = f": {one_line(turn.faults[-1].message)}" if turn.faults else ""
                said = "The answer broke off" if self.answer else "No answer"
                return Aside(f"{glyphs.failed} {said}{fault}", Tone.FAILED)
            case "length":
                return Aside(f"{glyphs.cut} Cut at the length limit", Tone.QUIET)
            case "refused":
                return Aside(f"{glyphs.refused} Declined to answer", Tone.QUIET)
            case "stopped":
                return Aside(f"{glyphs.stopped} Stopped here", Tone.QUIET)
            case _:
                return Aside(f"{glyphs.skipped} Skipped", Tone.QUIET)

    def _put(self, text: str, tone: Tone) -> None:
        """Add what is not part of a turn; never in the middle of what is being said."""
        if self._speaking:
            self._later.append(Aside(text, tone))
        else:
            self._note(Aside(text, tone))

    def _note(self, aside: Aside, turn: int = 0) -> None:
        self._page.note(f"{self._glyphs.thin * 2} {aside.text}", aside.tone, turn)
