"""The content of a pane: headings, text and notices in the order they arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.buffer import PaneText
from debate_tui.domain.events import (
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Interjection,
    StreamStatus,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.text import WordCounter
from debate_tui.domain.wording import (
    describe_dropped,
    describe_quotes,
    describe_roster_change,
    describe_turn_end,
    footnotes,
)
from debate_tui.tui.styles import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.buffer import PaneItem
    from debate_tui.display.markdown import Page, TextKind
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.symbols import Glyphs

MAX_NOTICE_CHARACTERS = 2000

MAX_MARKED_CHARACTERS = 30_000
"""Maximum characters of an answer whose quotes are marked: it is rendered again, within one frame."""


class PaneContent:
    """A writer that puts the items of one debater on a page as they arrive.

    `turn_heading` names the phase of a turn. All text in the items is already sanitised. Only the text of the
    latest turn is kept: when an interrupted turn resumes, it is rewritten as one text.
    """

    def __init__(
        self, page: Page, transcript: Transcript, glyphs: Glyphs, turn_heading: Callable[[Turn], str]
    ) -> None:
        self._page = page
        self._transcript = transcript
        self._glyphs = glyphs
        self._turn_heading = turn_heading
        self.clear()

    def clear(self) -> None:
        """Discard all items; the caller clears the page."""
        self._current_turn = 0
        self._segments: list[tuple[TextKind, list[str]]] = []
        self._word_counter = WordCounter()
        self._uncounted: list[str] = []
        self._is_turn_open = False
        self._is_annotated = False
        self._deferred_notices: list[tuple[str, Tone]] = []
        self.has_reasoning = False
        self._answer_attempt = 0
        """The attempt in which the answer started; 0 before that."""
        self._has_late_reasoning = False

    @property
    def answer(self) -> str:
        """The debater's answer in its latest turn, as far as it is on the page."""
        return "".join("".join(pieces) for kind, pieces in self._segments if kind == "answer")

    @property
    def word_count(self) -> int:
        """Number of words in the answer; new text is counted when this is read."""
        self._word_counter.feed("".join(self._uncounted))
        self._uncounted.clear()
        return self._word_counter.count

    def apply(self, item: PaneItem) -> None:
        """Write an item to the page."""
        glyphs = self._glyphs
        match item:
            case PaneText():
                self._append_item(item)
            case TurnStarted():
                self._start_turn(item.turn)
            case TurnSuperseded():
                self._supersede_turn(item.turn)
            case TurnFinished():
                self._finish_turn(item)
            case StreamStatus():
                self._apply_status(item)
            case Interjection():
                self._add_notice(
                    f"{glyphs.interjection} {one_line(item.text, MAX_NOTICE_CHARACTERS)}", Tone.FOCUS
                )
            case DebaterRemoved():
                self._add_notice(f"{glyphs.failed} Out of the debate", Tone.FAILED)
            case DebaterReplaced():
                self._add_notice(f"{glyphs.reconnecting} {_roster_change(item)}", Tone.QUIET)
            case DebaterReturned():
                self._add_notice(f"{glyphs.connected} {_roster_change(item)}", Tone.CONNECTED)
            case _:
                pass

    def _start_turn(self, turn: int) -> None:
        if turn != self._current_turn:
            self._current_turn = turn
            self._reset_turn()
            self._page.append_heading(self._turn_heading(self._transcript.turns[turn]), turn)
        self._is_turn_open = True
        self._is_annotated = False

    def _apply_status(self, event: StreamStatus) -> None:
        """Drop the notice of a turn's end once its stream is opened again, and name settings it refused."""
        if self._is_annotated and event.state in ("connecting", "connected"):
            self._rewrite_turn()
            self._is_turn_open = True
        if event.dropped:
            notice = f"{self._glyphs.refused} {describe_dropped(event.dropped)}"
            self._add_notice(notice, Tone.QUIET, before_text=True)

    def _append_item(self, item: PaneText) -> None:
        kind: TextKind = "reasoning" if item.reasoning else "answer"
        if self._is_annotated:  # the turn has resumed
            self._rewrite_turn()
        self._is_turn_open = True
        if item.reasoning and item.attempt > self._answer_attempt > 0:
            self._insert_late_reasoning(item.text)
            return
        if not item.reasoning:
            self._answer_attempt = self._answer_attempt or item.attempt
        if not self._segments or self._segments[-1][0] != kind:
            self._segments.append((kind, []))
        self._segments[-1][1].append(item.text)
        if kind == "answer":
            self._uncounted.append(item.text)
        self.has_reasoning = self.has_reasoning or item.reasoning
        self._page.append_text(item.text, kind, item.turn)

    def _insert_late_reasoning(self, text: str) -> None:
        """Insert reasoning from a later attempt above the answer instead of into it."""
        first = next((pieces for kind, pieces in self._segments if kind == "reasoning"), None)
        if first is None:
            first = []
            self._segments.insert(0, ("reasoning", first))
        first.append(text)
        self.has_reasoning = self._has_late_reasoning = True

    def _rewrite_turn(self) -> None:
        """Write the turn's text again as one, without the notice of its end."""
        self._is_annotated = self._has_late_reasoning = False
        self._page.discard_turn(self._current_turn)
        for kind, pieces in self._segments:
            self._page.append_text("".join(pieces), kind, self._current_turn)

    def _reset_turn(self) -> None:
        self._segments.clear()
        self._answer_attempt = 0
        self._has_late_reasoning = False
        self._word_counter = WordCounter()
        self._uncounted.clear()

    def _supersede_turn(self, number: int) -> None:
        self._reset_turn()
        self._is_turn_open = True
        self._is_annotated = False
        self._page.discard_turn(number)

    def _finish_turn(self, event: TurnFinished) -> None:
        self._is_turn_open = False
        if self._has_late_reasoning:
            self._rewrite_turn()
        if event.quotes:
            self._mark_quotes(event)
        if event.citations:
            self._write_sources(event)
        if event.reason != "complete":
            self._is_annotated = True
            self._write_ending_notice(event)
        for text, tone in self._deferred_notices:
            self._write_notice(text, tone)
        self._deferred_notices.clear()

    def _mark_quotes(self, event: TurnFinished) -> None:
        """Put a mark after each quote of the answer; if it is too long for that, say how many were found."""
        from debate_tui.domain.quotes import insert_marks, quote_ends

        answer = self.answer
        if len(answer) > MAX_MARKED_CHARACTERS:
            self._write_notice(_capitalise(describe_quotes(event.quotes)), Tone.QUIET, event.turn)
            self._is_annotated = True
            return
        ends = quote_ends(answer, event.quotes)
        marked: list[str] = []
        start = 0
        for kind, pieces in self._segments:
            if kind == "answer":
                segment = "".join(pieces)
                within = [(end - start, found) for end, found in ends if start < end <= start + len(segment)]
                marked.append(insert_marks(segment, within, self._glyphs.quote_marks))
                start += len(segment)
        if not self._page.replace_answer(event.turn, marked):  # a notice has split it
            self._rewrite_turn()
            self._page.replace_answer(event.turn, marked)
        self._is_annotated = True

    def _write_sources(self, event: TurnFinished) -> None:
        lines = "\n".join(("Sources", *map(str, footnotes(event.citations))))
        self._is_annotated = True
        self._write_notice(lines, Tone.QUIET, event.turn)

    def _write_ending_notice(self, event: TurnFinished) -> None:
        glyphs = self._glyphs
        symbol = {
            "failed": glyphs.failed,
            "length": glyphs.cut,
            "refused": glyphs.refused,
            "stopped": glyphs.stopped,
        }.get(event.reason, glyphs.skipped)
        ending = describe_turn_end(event.reason, self._transcript.turns[event.turn].faults)
        tone = Tone.FAILED if event.reason == "failed" else Tone.QUIET
        self._write_notice(f"{symbol} {_capitalise(ending)}", tone, event.turn)

    def _add_notice(self, text: str, tone: Tone, *, before_text: bool = False) -> None:
        """Add a notice that is not part of a turn; wait for the end of a turn in progress.

        With `before_text`, do not wait if the turn has no text yet.
        """
        if self._is_turn_open and (self._segments or not before_text):
            self._deferred_notices.append((text, tone))
        else:
            self._write_notice(text, tone)

    def _write_notice(self, text: str, tone: Tone, turn: int = 0) -> None:
        self._page.append_notice(f"{self._glyphs.thin_line * 2} {text}", tone, turn)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _roster_change(event: DebaterReplaced | DebaterReturned) -> str:
    return _capitalise(describe_roster_change(event))
