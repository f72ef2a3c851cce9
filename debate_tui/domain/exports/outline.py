"""What the documents of a debate have in common: their parts, in words, sanitised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.dates import to_datetime
from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.events import DebaterRemoved, DebaterReplaced, DebaterReturned, Interjection
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.stream import FinishReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.events import PhaseStarted
    from debate_tui.domain.transcript import Seam, SideEvent, Transcript, Turn

_MAX_TOPIC_LENGTH: Final = 2000

_ENDINGS: Final = {
    "complete": "",
    "length": "✂ cut off at the length limit",
    "refused": "⊘ refused to answer",
    "stopped": "■ stopped before its end",
    "skipped": "» skipped",
    "failed": "✗ failed",
    None: "… unfinished: the record ends here",
}

_OUTCOMES: Final = {
    "complete": "The debate is over.",
    "stopped": "The debate was stopped.",
    "failed": "The debate failed.",
    None: "The record ends here; the debate was not finished.",
}


class TurnEntry(Struct, frozen=True):
    """A turn as a document shows it; everything in it is sanitised.

    `text` has a mark wherever a recovery went on with it; `seam_marks` holds the marks. `warning` comes
    before the text, `ending` behind it; both are empty where there is nothing to say.
    """

    debater: str
    speaker: str
    text: str
    seam_marks: tuple[str, ...]
    reasoning: str
    warning: str
    reason: FinishReason | None
    ending: str
    facts: str


class RoundSection(Struct, frozen=True):
    """One round of the debate; what was said and done before the first, or behind the last, has no title."""

    title: str
    turns: tuple[TurnEntry, ...]
    notes: tuple[str, ...]


def document_title(transcript: Transcript) -> str:
    """The topic, for the title."""
    return one_line(transcript.topic, _MAX_TOPIC_LENGTH)


def document_subtitle(transcript: Transcript) -> str:
    """Format and time, in one line."""
    when = to_datetime(transcript.started_at)
    held = f" · held {when:%Y-%m-%d %H:%M} UTC" if when else ""
    return f"Format: {one_line(transcript.format)}{held}"


def speaker_lines(transcript: Transcript) -> tuple[str, ...]:
    """Who took part, through which model."""
    return tuple(
        f"{speaker_label(transcript, info.id)}: {one_line(info.model or info.source)}"
        for info in transcript.debaters.values()
    )


def speaker_label(transcript: Transcript, debater: str) -> str:
    """A debater's name and side."""
    info = transcript.debaters.get(debater)
    if info is None:
        return one_line(debater)
    side = one_line(info.side)
    return f"{one_line(info.name)} ({side})" if side else one_line(info.name)


def ending_line(transcript: Transcript) -> str:
    """How the debate ended, in a sentence."""
    return _OUTCOMES[transcript.finish_reason]


def round_sections(transcript: Transcript) -> Iterator[RoundSection]:
    """The rounds of the debate in order, each with its turns and what was said beside them."""
    for number in range(len(transcript.steps) + 1):
        title = _round_title(transcript.steps[number - 1]) if number else ""
        speeches = tuple(
            _turn_entry(transcript, turn) for turn in transcript.turns.values() if turn.step == number
        )
        notes = tuple(
            _side_event_line(transcript, note) for note in transcript.side_events if note.step == number
        )
        if title or speeches or notes:
            yield RoundSection(title, speeches, notes)


def _round_title(step: PhaseStarted) -> str:
    if step.phase == VERDICT_PHASE:
        return ""
    phase = one_line(step.phase)
    title = phase[:1].upper() + phase[1:]
    return title if step.rounds == 1 else f"{title}, round {step.round} of {step.rounds}"


def _turn_entry(transcript: Transcript, turn: Turn) -> TurnEntry:
    return TurnEntry(
        debater=turn.debater,
        speaker=speaker_label(transcript, turn.debater),
        text=_text_with_seams(turn.text, turn.seams),
        seam_marks=tuple(map(_seam_mark, turn.seams)),
        reasoning=sanitise(turn.reasoning).strip("\n"),
        warning=_restart_warning(turn),
        reason=turn.reason,
        ending=_turn_ending(turn),
        facts=" · ".join(_turn_facts(turn)),
    )


def _text_with_seams(text: str, seams: tuple[Seam, ...]) -> str:
    shown: list[str] = []
    start = 0
    for seam in seams:
        piece = sanitise(text[start : seam.offset])
        shown += piece, _seam_mark(seam), "\n\n" if piece.endswith("\n") else ""
        start = seam.offset
    return "".join((*shown, sanitise(text[start:]))).strip("\n")


def _seam_mark(seam: Seam) -> str:
    return f"⟪↻ reconnected, attempt {seam.attempt}⟫"


def _restart_warning(turn: Turn) -> str:
    if not turn.superseded_count:
        return ""
    times = "" if turn.superseded_count == 1 else f" {turn.superseded_count} times"
    return f"↻ begun anew{times}: what was said before that no longer counts"


def _turn_ending(turn: Turn) -> str:
    ending = _ENDINGS[turn.reason]
    if turn.reason == "failed" and turn.faults:
        return f"{ending}: {one_line(turn.faults[-1].message)}"
    return ending


def _turn_facts(turn: Turn) -> Iterator[str]:
    if turn.model:
        yield one_line(turn.model)
    if turn.usage is not None and turn.usage.output_tokens is not None:
        yield f"{turn.usage.output_tokens:,} tokens"
    if turn.duration_ms is not None:
        yield f"{turn.duration_ms / 1000:.1f} s"
    if turn.cost is not None:
        yield f"${turn.cost:.4f}"


def _side_event_line(transcript: Transcript, note: SideEvent) -> str:
    event = note.event
    match event:
        case Interjection():
            to = speaker_label(transcript, event.to) if event.to else "everybody"
            return f"❯ The moderator, to {to}: {one_line(event.text, _MAX_TOPIC_LENGTH)}"
        case DebaterRemoved():
            return f"✗ {speaker_label(transcript, event.debater)} left the debate: {one_line(event.reason)}"
        case DebaterReplaced():
            through = one_line(event.model or event.source)
            return f"{speaker_label(transcript, event.debater)} went on through {through}."
        case DebaterReturned():
            return f"{speaker_label(transcript, event.debater)} came back into the debate."
