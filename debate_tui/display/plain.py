"""A debate as plain text, for pipes, files and screen readers: every turn whole, when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.safe import safe
from debate_tui.domain.debate import VERDICT
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebateStarted,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
)
from debate_tui.domain.outcome import in_words
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator, Sequence

    from debate_tui.display.outlet import Outlet
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Turn

_ENDINGS = {
    "length": "cut off at the length limit",
    "refused": "refused to answer",
    "stopped": "stopped before its end",
    "skipped": "skipped",
    "failed": "failed",
}
_OUTCOMES = {
    "complete": "The debate is over.",
    "stopped": "The debate was stopped.",
    "failed": "The debate failed: no turn was completed.",
}


class Said(Struct, frozen=True):
    """A paragraph for standard output; an `aside` is a line for standard error."""

    text: str
    aside: bool = False


class Plain:
    """A fold over the debate log that yields what is to be said of it, sanitised and without escape codes.

    Everything is said in words: a screen reader meets no badge, colour or ruler. `notice` is said once,
    behind the topic. Reasoning is left out.
    """

    def __init__(self, notice: str = "") -> None:
        self._notice = notice
        self._transcript = Transcript()
        self._statuses: dict[str, str] = {}
        self._unsaid: dict[int, None] = {}

    def apply(self, event: Event) -> list[Said]:
        """Take one event, and say what is to be said of it."""
        if event.seq and event.seq <= self._transcript.seq:
            return []
        if isinstance(event, TurnDelta):
            self._transcript.apply(event)
            self._unsaid[event.turn] = None
            return []
        shown = safe(event)
        self._transcript.apply(shown)
        return list(self._say(shown))

    def end(self) -> list[Said]:
        """Say what a log that just breaks off has left unsaid; nothing if its debate was finished."""
        turns = [turn for number in self._unsaid if (turn := self._transcript.turns.get(number)) is not None]
        left = [self._turn(turn, "unfinished") for turn in turns if turn.text]
        if self._transcript.seq and self._transcript.finished is None:
            left.append(Said("The record ends here; the debate was not finished."))
        return left

    def _say(self, event: Event) -> Iterator[Said]:
        match event:
            case DebateStarted():
                yield from self._open(event)
            case PhaseStarted() if event.phase == VERDICT:
                yield Said("The judges are reading.", aside=True)
            case PhaseStarted():
                yield Said(f"## {_round(event)}")
            case TurnFinished():
                yield from self._close(event)
            case Interjection():
                listener = self._name(event.to) if event.to else "everybody"
                yield Said(f"The moderator, to {listener}: {event.text}")
            case DebaterRemoved() | DebaterReplaced() | DebaterReturned():
                yield Said(self._change(event))
            case StreamStatus():
                yield from self._status(event)
            case DebatePaused() | DebateResumed():
                yield Said(self._pause(event), aside=True)
            case DebateFinished():
                if lines := list(in_words(self._transcript)):
                    yield Said("\n".join(("## Verdict", "", *lines)))
                yield Said(_OUTCOMES[event.reason])
            case _:
                pass

    def _open(self, event: DebateStarted) -> Iterator[Said]:
        yield Said(f"# {one_line(event.topic, 2000)}")
        lines = [f"Format: {one_line(event.format)}. The debaters:"]
        lines += [
            f"- {self._speaker(info.id)}: {one_line(info.model or info.source)}" for info in event.debaters
        ]
        yield Said("\n".join(lines))
        if self._notice:
            yield Said(self._notice)

    def _close(self, event: TurnFinished) -> Iterator[Said]:
        self._unsaid.pop(event.turn, None)
        turn = self._transcript.turns.get(event.turn)
        if turn is None:
            return
        ending = _ENDINGS.get(event.reason, "")
        if event.reason == "failed" and turn.faults:
            ending += f": {one_line(turn.faults[-1].message)}"
        yield self._turn(turn, ending)

    def _turn(self, turn: Turn, ending: str) -> Said:
        text = sanitise(turn.text).rstrip("\n")
        parts = [f"### {self._speaker(turn.debater)}", text or "(no text)"]
        if ending:
            parts.append(f"({ending})")
        return Said("\n\n".join(parts))

    def _change(self, event: DebaterRemoved | DebaterReplaced | DebaterReturned) -> str:
        name = self._name(event.debater)
        match event:
            case DebaterRemoved():
                return f"{name} leaves the debate: {one_line(event.reason)}"
            case DebaterReplaced():
                return f"{name} now speaks through {one_line(event.model or event.source)}."
            case DebaterReturned():
                return f"{name} is back in the debate."

    def _status(self, event: StreamStatus) -> Iterator[Said]:
        words: str = event.state
        if event.state == "reconnecting":
            words += f", retry {event.retry} of {event.max_retries}"
            if event.retry_in_ms is not None:
                words += f" in {event.retry_in_ms / 1000:.1f} s"
        elif event.recovered:
            words += " again"
        if event.error is not None:
            words += f": {one_line(event.error.message)}"
        if event.state != "waiting" and self._statuses.get(event.debater) != words:
            yield Said(f"{self._name(event.debater)}: {words}", aside=True)
        self._statuses[event.debater] = words

    def _pause(self, event: DebatePaused | DebateResumed) -> str:
        state = "paused" if isinstance(event, DebatePaused) else "resumed"
        who = self._name(event.debater) if event.debater else "The debate"
        if event.reason == "user":
            return f"{who} is {state}."
        about = f" ({self._name(event.debater)})" if event.debater else ""
        return f"The debate is {state}{about}: {one_line(event.reason)}"

    def _speaker(self, debater: str) -> str:
        info = self._transcript.debaters.get(debater)
        side = one_line(info.side) if info is not None else ""
        return f"{self._name(debater)} ({side})" if side else self._name(debater)

    def _name(self, debater: str) -> str:
        info = self._transcript.debaters.get(debater)
        return one_line(info.name if info is not None else debater)


async def write_plain(
    batches: AsyncIterable[Sequence[Event]], out: Outlet, err: Outlet, *, notice: str = ""
) -> bool:
    """Write a debate as plain text, paragraphs to `out` and asides to `err`, until the events end.

    `False` means that the reader of `out` has gone before: nobody will see any further output. The reader
    of `err` is not missed. Raises `DebateError` where the output cannot be written for another reason.
    """
    page = _Page(out, err)
    plain = Plain(notice)
    try:
        async for batch in batches:
            for event in batch:
                for said in plain.apply(event):
                    await page.write(said)
        for said in plain.end():
            await page.write(said)
    except BrokenPipeError:
        return False
    return True


class _Page:
    """The two outputs, with a blank line between paragraphs."""

    def __init__(self, out: Outlet, err: Outlet) -> None:
        self._out = out
        self._err: Outlet | None = err
        self._between = ""

    async def write(self, said: Said) -> None:
        if not said.aside:
            await self._out.write(f"{self._between}{said.text}\n")
            self._between = "\n"
        elif self._err is not None:
            try:
                await self._err.write(f"{said.text}\n")
            except BrokenPipeError:
                self._err = None


def _round(event: PhaseStarted) -> str:
    phase = one_line(event.phase)
    title = phase[:1].upper() + phase[1:]
    return title if event.rounds == 1 else f"{title}, round {event.round} of {event.rounds}"
