"""The wording of what happened in a debate: endings, phases, outcomes, money and durations.

Screens, plain output, exports and logs all take these words from here, so that they agree. Everything
returned is sanitised and on one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from debate_tui.domain.events import DebaterRemoved, DebaterReplaced
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.text import WordCounter, join_names
from debate_tui.domain.usage import compute_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import PhaseStarted, Quote, Verdict
    from debate_tui.domain.judging.scoring import OpinionSwing, PanelDecision
    from debate_tui.domain.stream import Citation, FaultReport, FinishReason
    from debate_tui.domain.transcript import RosterChange, Transcript

    VoteCounts = Sequence[tuple[str, int]]
    """Votes by the name of the side or debater."""

UNKNOWN: Final = "–"
"""Shown in place of an unknown figure."""

UNDECIDED: Final = "undecided"
"""Shown in place of a side or debater for votes that are for none."""

# Money, durations and counts


def format_money(dollars: float | None, *, complete: bool = True, unknown: str = UNKNOWN) -> str:
    """Format an amount of US dollars, such as ``$0.0031`` or ``<$0.0001``.

    A ``+`` marks a sum that is not `complete`; `unknown` stands for an amount that is not known.
    """
    if dollars is None:
        return unknown
    if 0 < dollars < 0.00005:
        return f"<$0.0001{'' if complete else '+'}"
    digits = 0 if not dollars else 4 if dollars < 0.1 else 2
    return f"${dollars:.{digits}f}{'' if complete else '+'}"


def format_estimate(dollars: float) -> str:
    """Say roughly how much something costs: ``about $0.03``."""
    if not dollars:
        return "no cost"
    return f"about ${dollars:.2f}" if dollars >= 0.01 else "less than $0.01"


def format_duration(seconds: float) -> str:
    """Format a duration with up to three digits: ``310 ms``, ``1.25 s``, ``2 min 5 s``, ``1 h 5 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (0 if hours else rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def format_clock(seconds: float) -> str:
    """Format a time in a debate as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 judge``, ``2 judges``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# Phases and debaters


def phase_title(name: str, title: str = "") -> str:
    """Return the title of a phase, made from its name if the format is not known."""
    title = one_line(title or name, 40)
    return title[:1].upper() + title[1:]


def round_label(step: PhaseStarted, title: str = "") -> str:
    """Return a short label for a round, such as ``Rebuttal 2/3``."""
    of = f" {step.round}/{step.rounds}" if step.rounds > 1 else ""
    return f"{phase_title(step.phase, title)}{of}"


def round_title(step: PhaseStarted) -> str:
    """Return the heading of a round, such as ``Rebuttal, round 2 of 3``."""
    of = f", round {step.round} of {step.rounds}" if step.rounds > 1 else ""
    return f"{phase_title(step.phase)}{of}"


def debater_name(transcript: Transcript, debater: str) -> str:
    """Return the name of the debater with the id `debater`."""
    info = transcript.debaters.get(debater)
    return one_line(info.name if info is not None else debater)


def debater_label(transcript: Transcript, debater: str) -> str:
    """Return a debater's name and side, such as ``Ada (for)``."""
    info = transcript.debaters.get(debater)
    side = one_line(info.side) if info is not None else ""
    return f"{debater_name(transcript, debater)} ({side})" if side else debater_name(transcript, debater)


def speaker_label(transcript: Transcript, debater: str) -> str:
    """Return a debater's label, after its letter if that was revealed: ``A → Ada (for)``.

    In a blind debate, speeches call the others by their letters.
    """
    letter, label = transcript.revealed_letter(debater), debater_label(transcript, debater)
    return f"{one_line(letter)} → {label}" if letter else label


def describe_debater(transcript: Transcript, debater: str) -> str:
    """Return a debater's name, side and model, such as ``Ada (for): gpt-5``.

    In a blind debate that is its letter and side, and ``A → Ada (for): openai:gpt-5`` once it is revealed.
    """
    info, label = transcript.debaters[debater], speaker_label(transcript, debater)
    is_revealed = bool(transcript.revealed_letter(debater))
    model = one_line(info.source if is_revealed else info.model or info.source)
    return f"{label}: {model}" if model else label


def describe_roster_change(event: RosterChange) -> str:
    """Say what a debater did, without its name: ``switched to gpt-5``."""
    if isinstance(event, DebaterRemoved):
        return f"left the debate: {one_line(event.reason)}"
    if isinstance(event, DebaterReplaced):
        return f"switched to {one_line(event.model or event.source) or 'another model'}"
    return "returned to the debate"


def describe_dropped(settings: Sequence[str]) -> str:
    """Return one sentence that names the settings a server refused."""
    names = join_names([f"'{one_line(name)}'" for name in settings])
    return f"The server refused {names}: no longer sent."


# Endings


_FAULT_KINDS: Final = {
    "network": "connection lost",
    "timeout": "timed out",
    "rate_limited": "rate limited",
    "overloaded": "overloaded",
    "server": "server error",
    "auth": "key refused",
    "quota": "no credit left",
    "bad_request": "request refused",
    "refused": "refused",
    "unknown": "failed",
}
_BAD_REQUESTS: Final = {200: "no valid answer", 404: "not found", 413: "prompt too long"}


def describe_fault_kind(fault: FaultReport) -> str:
    """Name the cause of a fault in two or three words, such as ``key refused``."""
    if fault.kind == "auth" and "no api key" in fault.message.casefold():
        return "no key"
    if fault.kind == "auth" and "needs a login" in fault.message:
        return "login needed"
    if fault.kind != "bad_request":
        return _FAULT_KINDS[fault.kind]
    words = (word for word in fault.message.casefold().split() if "://" not in word)
    if fault.status == 404 and any("model" in word for word in words):
        return "model not found"
    return _BAD_REQUESTS.get(fault.status or 0, _FAULT_KINDS[fault.kind])


def describe_hidden_fault(fault: FaultReport) -> tuple[str, str]:
    """Return the message and the hint for a fault whose own words would tell who a debater is.

    The message names the cause as `describe_fault_kind` does, also when it is described again.
    """
    words = describe_fault_kind(fault).replace("no key", "no API key")
    hint = "Check all keys: debate-tui doctor" if fault.kind in ("auth", "quota") else ""
    return f"{words[:1].upper()}{words[1:]}; the details are hidden in a blind debate.", hint


_TURN_ENDINGS: Final = {
    "complete": "",
    "length": "cut off at the length limit",
    "refused": "refused to answer",
    "stopped": "stopped early",
    "skipped": "skipped",
    "failed": "failed",
    None: "unfinished",
}
_DEBATE_ENDINGS: Final = {
    "complete": "The debate is over.",
    "stopped": "The debate was stopped.",
    "failed": "The debate failed: no turn was completed.",
    None: "The record ends here; the debate was not finished.",
}


def describe_turn_end(reason: FinishReason | None, faults: Sequence[FaultReport] = ()) -> str:
    """Say how a turn ended, with its last fault if it failed; empty if it is complete."""
    ending = _TURN_ENDINGS[reason]
    return f"{ending}: {one_line(faults[-1].message)}" if reason == "failed" and faults else ending


def describe_debate_end(reason: str | None) -> str:
    """Return a sentence about how a debate ended; `None` means that it has no end."""
    return _DEBATE_ENDINGS[reason]


def describe_size(transcript: Transcript, seconds: float = 0.0) -> tuple[str, ...]:
    """Return the length of a debate, how much was said, and its cost: ``2 min``, ``840 words``, ``$0.04``.

    `seconds` are its `speaking_seconds`. What is not known, or nothing, is left out.
    """
    words = WordCounter()
    for turn in transcript.turns.values():
        words.feed(f"{turn.text}\n")
    total = compute_costs(transcript).total
    duration = format_duration(round(seconds)) if round(seconds) > 0 else ""
    cost = format_money(total.cost, complete=total.priced) if total.cost else ""
    return tuple(filter(None, (duration, count_of(words.count, "word") if words.count else "", cost)))


def debate_state(finished: str | None, *, live: bool = False) -> str:
    """Return one word for the state of a debate: how it ended, ``live`` or ``interrupted``."""
    return finished or ("live" if live else "interrupted")


# Quotes and sources


def describe_quotes(quotes: Sequence[Quote]) -> str:
    """Say how many quotes were found: ``quotes found: 2 of 3``; empty if there are none."""
    return f"quotes found: {sum(quote.found for quote in quotes)} of {len(quotes)}" if quotes else ""


class Footnote(NamedTuple):
    """A source that a provider named, as it may be shown; `url` is empty unless it leads to the web."""

    number: int
    title: str
    url: str

    def __str__(self) -> str:
        return f"[{self.number}] {self.title}" + (f": {self.url}" if self.url not in ("", self.title) else "")


def footnotes(citations: Sequence[Citation]) -> tuple[Footnote, ...]:
    """Return the sources of a turn, numbered from 1, sanitised; one without a title has its address."""
    notes: list[Footnote] = []
    for number, citation in enumerate(citations, 1):
        url = "".join(sanitise(citation.url).split())
        url = url if url.lower().startswith(("http://", "https://")) else ""
        notes.append(Footnote(number, one_line(citation.title) or url or "unknown source", url))
    return tuple(notes)


# Outcomes


def describe_swing(swing: OpinionSwing) -> str:
    """Say how far support for the motion moved, in points that match the rounded figures next to it."""
    if not swing.winner:
        return "unchanged"
    return f"{'up' if swing.winner > 0 else 'down'} {_swing_size(swing)}"


def describe_swing_winner(swing: OpinionSwing) -> str:
    """Say who wins in a format settled by the larger swing of opinion."""
    if not swing.winner:
        return "No winner: opinion did not move"
    return f"{'For' if swing.winner > 0 else 'Against'} wins: opinion moved {_swing_size(swing)}"


def label_winner(name: str) -> str:
    """Return who won in two words; without a name, that it is a tie."""
    return f"{name} wins" if name else "tie"


def _swing_size(swing: OpinionSwing) -> str:
    points = abs(round(swing.after) - round(swing.before))
    return count_of(points, "point") if points else "less than a point"


def describe_panel(transcript: Transcript, panel: PanelDecision, swing: OpinionSwing | None) -> str:
    """Say who won, by the larger swing if there is one, else by the panel, without a final full stop."""
    parts = [describe_swing_winner(swing)] if swing is not None else []
    if panel.winner is not None:
        name, votes = debater_name(transcript, panel.winner), f"({panel.votes} of {panel.judges} judges)"
        parts.append(f"Best speaker: {name} {votes}" if parts else f"{name} wins {votes}")
    elif panel.judges:
        parts.append(f"{'Best speaker: tie' if parts else 'Tie'} ({count_of(panel.judges, 'judge')})")
    elif not parts:
        parts.append("No judge gave a verdict")
    if panel.judges and panel.without_verdict:
        parts.append(f"{count_of(panel.without_verdict, 'judge')} gave no verdict")
    return ". ".join(parts)


def describe_vote(before: VoteCounts, after: VoteCounts) -> str:
    """Say what one voter decided; if a `before` is given, the side the vote moved to wins."""
    choice = after[0][0]
    if before:
        change = f"the vote {describe_vote_change(before, after)}"
        moved = choice not in (before[0][0], UNDECIDED)
        return f"{choice[:1].upper()}{choice[1:]} wins: {change}" if moved else f"No winner: {change}"
    return "The vote is undecided" if choice == UNDECIDED else f"The vote goes to {choice}"


def describe_vote_change(before: VoteCounts, after: VoteCounts) -> str:
    """Say how a vote, or the counts of many, changed during the debate: ``moved from Ben to Ada``."""
    if sum(count for _, count in (*before, *after)) == 2:
        old, new = before[0][0], after[0][0]
        if old != new:
            return f"moved from {old} to {new}"
        return f"stayed {new}" if new == UNDECIDED else f"stayed with {new}"
    counts = {name: -count for name, count in before}
    for name, count in after:
        counts[name] = counts.get(name, 0) + count
    largest_first = sorted(counts.items(), key=lambda change: -change[1])
    changes = (f"{name} {count:+d}".replace("-", "−") for name, count in largest_first if count)
    return ", ".join(changes) or "unchanged"


def format_quote(quote: str, *, found: bool) -> str:
    """Return a judge's quote in quotation marks, marked if the debater did not say it."""
    if not quote:
        return "(no quote)"
    return f"“{quote}”" if found else f"“{quote}” (not found in the debate)"


def describe_decision(transcript: Transcript, verdict: Verdict) -> str:
    """Say briefly what one judge, or the debaters, decided, and how reliable that is."""
    if verdict.problem:
        return f"no verdict ({one_line(verdict.problem)})"
    winner = debater_name(transcript, verdict.winner) if verdict.winner else ""
    if not verdict.model:  # the debaters themselves
        return winner or ("agreed" if verdict.agreed else "divided")
    if not verdict.controlled:
        return f"{winner or 'tie'}, one reading order"
    if not verdict.agreed:
        return f"{winner or 'tie'}, reading orders disagreed"
    return winner or "tie"
