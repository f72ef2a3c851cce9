"""What stands behind the last round in every document: the verdict, the votes and the costs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.exports.outline import speaker_label
from debate_tui.domain.judgement import summarise_outcome
from debate_tui.domain.outcome import swing_direction
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.spending import compute_costs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.judgement import OutcomeSummary, Score, VerdictSummary, VoteSummary
    from debate_tui.domain.spending import Spending
    from debate_tui.domain.transcript import Transcript

UNKNOWN_FIGURE = "–"
"""What stands for a figure nobody told."""


class FigureBar(Struct, frozen=True):
    """A figure from 0 to `maximum`; a debater's own has the `debater`'s id."""

    label: str
    value: float
    maximum: float
    text: str
    debater: str = ""


class SummaryTable(Struct, frozen=True):
    """Rows of text under a head; those of figures are as wide as their head."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class SummarySection(Struct, frozen=True):
    """A part of a document, in this order; a `is_subsection` section belongs to the one before. All is
    sanitised."""

    title: str
    is_subsection: bool = False
    lines: tuple[str, ...] = ()
    bars: tuple[FigureBar, ...] = ()
    table: SummaryTable | None = None


def summary_sections(transcript: Transcript) -> Iterator[SummarySection]:
    """The sections a debate has something to say in."""
    if (found := summarise_outcome(transcript)) is not None:
        yield from _verdict_sections(found)
    yield from _cost_section(transcript)


def _verdict_sections(found: OutcomeSummary) -> Iterator[SummarySection]:
    headline = (f"{found.headline}.",) if found.headline else ()
    yield SummarySection("Verdict", lines=headline, bars=_score_bars(found.scores, 10.0))
    if found.swing is not None:
        moved = found.swing
        yield SummarySection(
            "How opinion moved",
            is_subsection=True,
            lines=(f"Where the judges stood, from 0, entirely against, to 100: {swing_direction(moved)}.",),
            bars=(
                FigureBar("before", moved.before, 100, f"{moved.before:.0f}"),
                FigureBar("after", moved.after, 100, f"{moved.after:.0f}"),
            ),
        )
    if found.votes:
        yield SummarySection("Votes", is_subsection=True, lines=tuple(map(format_votes, found.votes)))
    for ruling in found.verdicts:
        yield _judge_section(ruling)


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
        table=SummaryTable(("criterion", "debater", "score", "line quoted"), rows) if rows else None,
    )


def format_quote(quote: str, *, found: bool) -> str:
    """A quote as a judge gave it; one that is nobody's is marked."""
    if not quote:
        return "(no line quoted)"
    return f"“{quote}”" if found else f"“{quote}” (not found in the debate)"


def format_votes(opinions: VoteSummary) -> str:
    """How somebody voted before and after, in a line."""
    many = sum(count for _, count in (*opinions.before, *opinions.after)) > 2
    columns = (opinions.before, opinions.after)
    before, after = (
        ", ".join(f"{name} {count}" if many else name for name, count in column) for column in columns
    )
    told = (f"before: {before}" if before else "", f"after: {after}" if after else "")
    return f"{opinions.voters}, {'; '.join(filter(None, told))}."


def _score_bars(scores: tuple[Score, ...], best: float) -> tuple[FigureBar, ...]:
    return tuple(FigureBar(each.name, each.value, best, f"{each.value:.1f}", each.debater) for each in scores)


def _cost_section(transcript: Transcript) -> Iterator[SummarySection]:
    spent = compute_costs(transcript)
    if spent.total.tokens is None and spent.total.cost is None:
        return
    rows = [_cost_row(speaker_label(transcript, debater), each) for debater, each in spent.debaters.items()]
    if spent.judges.tokens is not None or spent.judges.cost is not None:
        rows.append(_cost_row("The judges", spent.judges))
    rows.append(_cost_row("All together", spent.total))
    lines = (f"Prices: {one_line(transcript.prices, 200)}.",) if transcript.prices else ()
    yield SummarySection(
        "Cost", lines=lines, table=SummaryTable(("", "tokens in", "tokens out", "US$"), tuple(rows))
    )


def _cost_row(who: str, spent: Spending) -> tuple[str, ...]:
    into, out = (
        _mark_minimum(_format_count(count), spent.counted)
        for count in (spent.input_tokens, spent.output_tokens)
    )
    cost = UNKNOWN_FIGURE if spent.cost is None else f"{spent.cost:.4f}"
    return who, into, out, _mark_minimum(cost, spent.priced)


def _mark_minimum(figure: str, whole: bool) -> str:
    return figure if whole or figure == UNKNOWN_FIGURE else f"≥ {figure}"


def _format_count(count: int | None) -> str:
    return UNKNOWN_FIGURE if count is None else f"{count:,}"
