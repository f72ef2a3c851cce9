"""A debate as plain text, for pipes, files and screen readers: each turn in full when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.events import (
    STEP_PAUSE,
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebatersRevealed,
    DebateStarted,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
)
from debate_tui.domain.judging.summary import describe_outcome
from debate_tui.domain.quotes import QUOTE_MARKS_IN_WORDS, mark_quotes
from debate_tui.domain.report import describe_report
from debate_tui.domain.sanitise import one_line, sanitise_strings
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import (
    debater_label,
    debater_name,
    describe_debate_end,
    describe_debater,
    describe_dropped,
    describe_roster_change,
    describe_turn_end,
    footnotes,
    format_duration,
    round_title,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator, Sequence

    from debate_tui.display.output import OutputWriter
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Turn


def format_sources(turn: Turn) -> tuple[str, ...]:
    """Return a paragraph with the sources of a turn; none if the provider named none."""
    return ("\n".join(("Sources:", *map(str, footnotes(turn.citations)))),) if turn.citations else ()


class PlainParagraph(Struct, frozen=True):
    """A paragraph for standard output, or a line for standard error if `to_stderr` is set."""

    text: str
    to_stderr: bool = False


class PlainFormatter:
    """A fold over the debate log that yields plain text, sanitised and without escape codes.

    Everything is in words, because a screen reader cannot read badges, colours or rules. `notice` appears
    once, after the header. Reasoning is omitted. `statuses` are the debaters' last states in words, by id.
    """

    def __init__(self, notice: str = "") -> None:
        self._notice = notice
        self.transcript = Transcript()
        self.statuses: dict[str, str] = {}
        self._unfinished_turns: dict[int, None] = {}

    def apply(self, event: Event) -> list[PlainParagraph]:
        """Process one event and return the paragraphs to print for it."""
        if event.seq and event.seq <= self.transcript.seq:
            return []
        if isinstance(event, TurnDelta):
            self.transcript.apply(event)
            self._unfinished_turns[event.turn] = None
            return []
        shown = sanitise_strings(event)
        self.transcript.apply(shown)
        return list(self._format_event(shown))

    def finish(self) -> list[PlainParagraph]:
        """Return the paragraphs still missing if the log ends early; none if the debate was finished."""
        turns = [
            turn
            for number in self._unfinished_turns
            if (turn := self.transcript.turns.get(number)) is not None
        ]
        left = [self._format_turn(turn, describe_turn_end(None)) for turn in turns if turn.text]
        if self.transcript.seq and self.transcript.finish_reason is None:
            left.append(PlainParagraph(describe_debate_end(None)))
        return left

    def _format_event(self, event: Event) -> Iterator[PlainParagraph]:
        match event:
            case DebateStarted():
                yield from self._format_header(event)
            case PhaseStarted() if event.phase == VERDICT_PHASE:
                yield PlainParagraph("The judges are reading.", to_stderr=True)
            case PhaseStarted():
                yield PlainParagraph(f"## {round_title(event)}")
            case TurnFinished():
                yield from self._format_turn_end(event)
            case Interjection():
                listener = self._name(event.to) if event.to else "everyone"
                yield PlainParagraph(f"The moderator, to {listener}: {event.text}")
            case DebaterRemoved() | DebaterReplaced() | DebaterReturned():
                yield PlainParagraph(f"{self._name(event.debater)} {describe_roster_change(event)}")
            case StreamStatus():
                yield from self._format_status(event)
            case DebatePaused() | DebateResumed():
                yield PlainParagraph(self._format_pause(event), to_stderr=True)
            case DebatersRevealed():
                yield PlainParagraph("\n".join(("The debaters were:", *self._debater_lines())))
            case DebateFinished():
                yield from self._format_ending(event)
            case _:
                pass

    def _format_ending(self, event: DebateFinished) -> Iterator[PlainParagraph]:
        if lines := list(describe_outcome(self.transcript)):
            yield PlainParagraph("\n".join(("## Verdict", "", *lines)))
        if paragraphs := list(describe_report(self.transcript)):
            yield PlainParagraph("\n\n".join(("## Report", *paragraphs)))
        yield PlainParagraph(describe_debate_end(event.reason))

    def _format_header(self, event: DebateStarted) -> Iterator[PlainParagraph]:
        yield PlainParagraph(f"# {one_line(event.topic, 2000)}")
        lines = [f"Format: {one_line(event.format)}. The debaters:"]
        yield PlainParagraph("\n".join((*lines, *self._debater_lines())))
        if self._notice:
            yield PlainParagraph(self._notice)

    def _debater_lines(self) -> list[str]:
        return [f"- {describe_debater(self.transcript, debater)}" for debater in self.transcript.debaters]

    def _format_turn_end(self, event: TurnFinished) -> Iterator[PlainParagraph]:
        self._unfinished_turns.pop(event.turn, None)
        if turn := self.transcript.turns.get(event.turn):
            yield self._format_turn(turn, describe_turn_end(event.reason, turn.faults))

    def _format_turn(self, turn: Turn, ending: str) -> PlainParagraph:
        text = mark_quotes(turn.text, turn.quotes, QUOTE_MARKS_IN_WORDS).rstrip("\n")
        parts = [f"### {debater_label(self.transcript, turn.debater)}", text or "(no text)"]
        parts += format_sources(turn)
        if ending:
            parts.append(f"({ending})")
        return PlainParagraph("\n\n".join(parts))

    def _format_status(self, event: StreamStatus) -> Iterator[PlainParagraph]:
        words: str = event.state
        if event.state == "reconnecting":
            words += f", retry {event.retry} of {event.max_retries}"
            if event.retry_in_ms is not None:
                words += f" in {format_duration(event.retry_in_ms / 1000)}"
        elif event.recovered:
            words += " again"
        if event.error is not None:
            words += f": {one_line(event.error.message)}"
        if event.state != "waiting" and self.statuses.get(event.debater) != words:
            yield PlainParagraph(f"{self._name(event.debater)}: {words}", to_stderr=True)
        if event.dropped:
            dropped = describe_dropped(event.dropped)
            yield PlainParagraph(f"{self._name(event.debater)}: {dropped}", to_stderr=True)
        self.statuses[event.debater] = words

    def _format_pause(self, event: DebatePaused | DebateResumed) -> str:
        state = "paused" if isinstance(event, DebatePaused) else "resumed"
        who = self._name(event.debater) if event.debater else "The debate"
        if event.reason == "user":
            return f"{who} is {state}."
        if event.reason == STEP_PAUSE:
            return "The debate waits until its host starts the next round."
        about = f" ({self._name(event.debater)})" if event.debater else ""
        return f"The debate is {state}{about}: {one_line(event.reason)}"

    def _name(self, debater: str) -> str:
        return debater_name(self.transcript, debater)


async def write_plain(
    batches: AsyncIterable[Sequence[Event]], out: OutputWriter, err: OutputWriter, *, notice: str = ""
) -> bool:
    """Write a debate as plain text, paragraphs to `out` and status lines to `err`, until the events end.

    Return `False` if the reader of `out` has closed it, so that no further output will be seen; a closed
    `err` is ignored. Raise `DebateError` if the output cannot be written for another reason.
    """
    write = _ParagraphWriter(out, err).write
    formatter = PlainFormatter(notice)
    try:
        async for batch in batches:
            for event in batch:
                for paragraph in formatter.apply(event):
                    await write(paragraph)
        for paragraph in formatter.finish():
            await write(paragraph)
    except BrokenPipeError:
        return False
    return True


class _ParagraphWriter:
    """The two outputs, with a blank line between paragraphs."""

    def __init__(self, out: OutputWriter, err: OutputWriter) -> None:
        self._out = out
        self._err: OutputWriter | None = err
        self._separator = ""

    async def write(self, paragraph: PlainParagraph) -> None:
        if not paragraph.to_stderr:
            await self._out.write(f"{self._separator}{paragraph.text}\n")
            self._separator = "\n"
        elif self._err is not None:
            try:
                await self._err.write(f"{paragraph.text}\n")
            except BrokenPipeError:
                self._err = None
