"""What all exported documents share: their parts, in words, sanitised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.events import Interjection
from debate_tui.domain.formats import format_title
from debate_tui.domain.judging.summary import summarise_outcome
from debate_tui.domain.quotes import insert_marks, quote_ends
from debate_tui.domain.report import describe_point, summarise_report
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.stream import FinishReason
from debate_tui.domain.text import to_datetime
from debate_tui.domain.usage import compute_costs
from debate_tui.domain.wording import (
    UNKNOWN,
    Footnote,
    debater_label,
    describe_debater,
    describe_quotes,
    describe_roster_change,
    describe_swing,
    describe_turn_end,
    footnotes,
    format_duration,
    format_money,
    format_quote,
    round_title,
    speaker_label,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.judging.summary import Score, VerdictSummary, VoteSummary
    from debate_tui.domain.transcript import SideEvent, Transcript, Turn
    from debate_tui.domain.usage import Spending


_MAX_TOPIC_LENGTH: Final = 2000

_ENDING_SYMBOLS: Final = {
    "length": "✂",
    "refused": "⊘",
    "stopped": "■",
    "skipped": "»",
    "failed": "✗",
    None: "…",
}


class TurnEntry(Struct, frozen=True):
    """A turn as documents show it; everything in it is sanitised. `ending` may be empty.

    `quote_ends` are the places in `text` after its quotes, each with whether the quote was found; `sources`
    are the footnotes below the text.
    """

    debater: str
    speaker: str
    text: str
    quote_ends: tuple[tuple[int, bool], ...]
    sources: tuple[Footnote, ...]
    reasoning: str
    reason: FinishReason | None
    ending: str
    facts: str

    @property
    def marked_text(self) -> str:
        """The text with a mark after each quote."""
        return insert_marks(self.text, self.quote_ends).strip("\n")


class RoundSection(Struct, frozen=True):
    """One round; the title is empty before the first round and in the judges' phase."""

    title: str
    turns: tuple[TurnEntry, ...]
    notes: tuple[str, ...]


def document_title(transcript: Transcript) -> str:
    """Return the topic, for the title."""
    return one_line(transcript.topic, _MAX_TOPIC_LENGTH)


def document_subtitle(transcript: Transcript) -> str:
    """Return the format and the start time on one line."""
    when = to_datetime(transcript.started_at)
    date = f" · {when:%Y-%m-%d %H:%M} UTC" if when else ""
    return f"Format: {format_title(transcript.format)}{date}"


def speaker_lines(transcript: Transcript) -> tuple[str, ...]:
    """Return a line for each debater with its name, side and model."""
    return tuple(describe_debater(transcript, debater) for debater in transcript.debaters)


def round_sections(transcript: Transcript) -> Iterator[RoundSection]:
    """Yield the rounds in order, each with its turns and the events outside them."""
    for number in range(len(transcript.steps) + 1):
        step = transcript.steps[number - 1] if number else None
        title = round_title(step) if step is not None and step.phase != VERDICT_PHASE else ""
        speeches = tuple(
            _turn_entry(transcript, turn) for turn in transcript.turns.values() if turn.step == number
        )
        notes = tuple(
            _side_event_line(transcript, note) for note in transcript.side_events if note.step == number
        )
        if title or speeches or notes:
            yield RoundSection(title, speeches, notes)


def _turn_entry(transcript: Transcript, turn: Turn) -> TurnEntry:
    ending = describe_turn_end(turn.reason, turn.faults)
    text = sanitise(turn.text)
    return TurnEntry(
        debater=turn.debater,
        speaker=speaker_label(transcript, turn.debater),
        text=text,
        quote_ends=tuple(quote_ends(text, turn.quotes)),
        sources=footnotes(turn.citations),
        reasoning=sanitise(turn.reasoning).strip("\n"),
        reason=turn.reason,
        ending=f"{_ENDING_SYMBOLS.get(turn.reason, '')} {ending}".strip(),
        facts=" · ".join(_turn_facts(turn)),
    )


def _turn_facts(turn: Turn) -> Iterator[str]:
    if turn.model:
        yield one_line(turn.model)
    if turn.usage is not None and turn.usage.output_tokens is not None:
        yield f"{turn.usage.output_tokens:,} tokens"
    if turn.duration_ms is not None:
        yield format_duration(turn.duration_ms / 1000)
    if turn.cost:
        yield format_money(turn.cost)
    if turn.quotes:
        yield describe_quotes(turn.quotes)


def _side_event_line(transcript: Transcript, note: SideEvent) -> str:
    event = note.event
    if isinstance(event, Interjection):
        to = debater_label(transcript, event.to) if event.to else "everyone"
        return f"❯ The moderator, to {to}: {one_line(event.text, _MAX_TOPIC_LENGTH)}"
    return f"{debater_label(transcript, event.debater)} {describe_roster_change(event)}"


class MaterialEntry(Struct, frozen=True):
    """A text that everyone in the debate was given, by the number it is cited by; its name is sanitised."""

    number: int
    name: str
    characters: int


def material_entries(transcript: Transcript) -> tuple[MaterialEntry, ...]:
    """Return the material, without what only one debater was given."""
    return tuple(
        MaterialEntry(number, one_line(each.name), each.characters)
        for number, each in enumerate(transcript.material, 1)
        if not each.debater
    )


# The sections after the last round: verdict, votes, material and costs


class FigureBar(Struct, frozen=True):
    """A figure from 0 to `maximum`; `debater` is the id of the debater it belongs to, if any."""

    label: str
    value: float
    maximum: float
    text: str
    debater: str = ""


class SummaryTable(Struct, frozen=True):
    """Rows of text under a header; rows of figures are as wide as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class SummarySection(Struct, frozen=True):
    """A section of a document, sanitised; with `is_subsection`, it belongs to the one before it."""

    title: str
    is_subsection: bool = False
    lines: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    bars: tuple[FigureBar, ...] = ()
    table: SummaryTable | None = None


def summary_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield the sections that the debate has content for."""
    yield from outcome_sections(transcript)
    yield from judge_sections(transcript)
    yield from material_sections(transcript)
    yield from cost_sections(transcript)


def material_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield the list of the texts that everyone in the debate was given, if there are any."""
    rows = tuple(
        (f"[{each.number}]", each.name, f"{each.characters:,}") for each in material_entries(transcript)
    )
    if rows:
        yield SummarySection("Material", table=SummaryTable(("", "name", "characters"), rows))


def report_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield the report and its parts, if one was asked for."""
    report = summarise_report(transcript)
    if report is None:
        return
    yield SummarySection("Report", lines=(report.author,))
    for part in report.parts:
        yield SummarySection(part.title, is_subsection=True, points=tuple(map(describe_point, part.points)))


def outcome_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield who won, by how much, and the votes, if there is a verdict or a vote."""
    found = summarise_outcome(transcript)
    if found is None:
        return
    headline = (f"{found.headline}.",) if found.headline else ()
    yield SummarySection("Verdict", lines=headline, bars=_score_bars(found.scores, 10.0))
    if found.swing is not None:
        moved = found.swing
        yield SummarySection(
            "Change of opinion",
            is_subsection=True,
            lines=(
                "The judges' support for the motion, from 0 (entirely against) to 100 (entirely for): "
                f"{describe_swing(moved)}.",
            ),
            bars=(
                FigureBar("before", moved.before, 100, f"{moved.before:.0f}"),
                FigureBar("after", moved.after, 100, f"{moved.after:.0f}"),
            ),
        )
    if found.votes:
        yield SummarySection("Votes", is_subsection=True, lines=tuple(map(format_votes, found.votes)))


def judge_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield each judge's reasons, scores and quotes, as subsections."""
    found = summarise_outcome(transcript)
    yield from map(_judge_section, found.verdicts if found is not None else ())


def _judge_section(ruling: VerdictSummary) -> SummarySection:
    rows = tuple(
        (quote.criterion, quote.name, f"{quote.score}", format_quote(quote.text, found=quote.found))
        for quote in ruling.quotes
    )
    stances = f"Stance: {' → '.join(_format_count(each) for each in ruling.stances)}."
    return SummarySection(
        f"{ruling.judge}: {ruling.decision}",
        is_subsection=True,
        lines=(*ruling.reasons, *((stances,) if any(each is not None for each in ruling.stances) else ())),
        bars=_score_bars(ruling.scores, ruling.max_score),
        table=SummaryTable(("criterion", "debater", "score", "quote"), rows) if rows else None,
    )


def format_votes(votes: VoteSummary) -> str:
    """Return the votes before and after, on one line."""
    many = sum(count for _, count in (*votes.before, *votes.after)) > 2
    columns = {
        when: ", ".join(f"{name} {count}" if many else name for name, count in column)
        for when, column in (("before", votes.before), ("after", votes.after))
    }
    if votes.by_audience:
        columns["change"] = votes.change
    voters = "The audience" if votes.by_audience else "The user"
    return f"{voters}, {'; '.join(f'{when}: {names}' for when, names in columns.items() if names)}."


def _score_bars(scores: tuple[Score, ...], best: float) -> tuple[FigureBar, ...]:
    return tuple(FigureBar(each.name, each.value, best, f"{each.value:.1f}", each.debater) for each in scores)


def cost_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """Yield the tokens and costs, if any are known; costs are left out if all are unknown or zero."""
    spent = compute_costs(transcript)
    if spent.total.tokens is None and spent.total.cost is None:
        return
    rows = [_cost_row(debater_label(transcript, debater), each) for debater, each in spent.debaters.items()]
    if spent.judges.tokens is not None or spent.judges.cost is not None:
        rows.append(_cost_row("Judges", spent.judges))
    rows.append(_cost_row("Total", spent.total))
    if not spent.total.cost:
        table = SummaryTable(("", "tokens in", "tokens out"), tuple(row[:-1] for row in rows))
        yield SummarySection("Tokens", table=table)
        return
    lines = (f"Prices: {one_line(transcript.prices, 200)}.",) if transcript.prices else ()
    yield SummarySection(
        "Cost", lines=lines, table=SummaryTable(("", "tokens in", "tokens out", "cost"), tuple(rows))
    )


def _cost_row(who: str, spent: Spending) -> tuple[str, ...]:
    tokens = (
        f"{_format_count(count)}{'' if spent.counted or count is None else '+'}"
        for count in (spent.input_tokens, spent.output_tokens)
    )
    cost = UNKNOWN if spent.cost is None else format_money(spent.cost, complete=spent.priced)
    return who, *tokens, cost


def _format_count(count: int | None) -> str:
    return UNKNOWN if count is None else f"{count:,}"
