"""What stands behind the last round in every document: the verdict, the votes and the costs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.exports.outline import speaker
from debate_tui.domain.judgement import judgement
from debate_tui.domain.outcome import direction
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.spending import bill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.judgement import Judgement, Opinions, Ruling, Score
    from debate_tui.domain.spending import Spending
    from debate_tui.domain.transcript import Transcript

UNKNOWN = "–"
"""What stands for a figure nobody told."""


class Bar(Struct, frozen=True):
    """A figure from 0 to `best`; a debater's own has the `debater`'s id."""

    label: str
    value: float
    best: float
    text: str
    debater: str = ""


class Table(Struct, frozen=True):
    """Rows of text under a head; those of figures are as wide as their head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(Struct, frozen=True):
    """A part of a document, in this order; a `sub` section belongs to the one before. All is sanitised."""

    title: str
    sub: bool = False
    lines: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    table: Table | None = None


def sections(transcript: Transcript) -> Iterator[Section]:
    """The sections a debate has something to say in."""
    if (found := judgement(transcript)) is not None:
        yield from _verdict(found)
    yield from _costs(transcript)


def _verdict(found: Judgement) -> Iterator[Section]:
    headline = (f"{found.headline}.",) if found.headline else ()
    yield Section("Verdict", lines=headline, bars=_bars(found.scores, 10.0))
    if found.swing is not None:
        moved = found.swing
        yield Section(
            "How opinion moved",
            sub=True,
            lines=(f"Where the judges stood, from 0, entirely against, to 100: {direction(moved)}.",),
            bars=(
                Bar("before", moved.before, 100, f"{moved.before:.0f}"),
                Bar("after", moved.after, 100, f"{moved.after:.0f}"),
            ),
        )
    if found.opinions:
        yield Section("Votes", sub=True, lines=tuple(map(voted, found.opinions)))
    for ruling in found.rulings:
        yield _ruling(ruling)


def _ruling(ruling: Ruling) -> Section:
    rows = tuple(
        (quote.criterion, quote.name, f"{quote.score}", said(quote.text, found=quote.found))
        for quote in ruling.quotes
    )
    stances = f"Stance: {' → '.join(_figure(each) for each in ruling.stances)}."
    return Section(
        f"{ruling.judge}: {ruling.decision}",
        sub=True,
        lines=(*ruling.why, *((stances,) if any(each is not None for each in ruling.stances) else ())),
        bars=_bars(ruling.scores, ruling.best),
        table=Table(("criterion", "debater", "score", "line quoted"), rows) if rows else None,
    )


def said(quote: str, *, found: bool) -> str:
    """A quote as a judge gave it; one that is nobody's is marked."""
    if not quote:
        return "(no line quoted)"
    return f"“{quote}”" if found else f"“{quote}” (not found in the debate)"


def voted(opinions: Opinions) -> str:
    """How somebody voted before and after, in a line."""
    many = sum(count for _, count in (*opinions.before, *opinions.after)) > 2
    columns = (opinions.before, opinions.after)
    before, after = (
        ", ".join(f"{name} {count}" if many else name for name, count in column) for column in columns
    )
    told = (f"before: {before}" if before else "", f"after: {after}" if after else "")
    return f"{opinions.who}, {'; '.join(filter(None, told))}."


def _bars(scores: tuple[Score, ...], best: float) -> tuple[Bar, ...]:
    return tuple(Bar(each.name, each.value, best, f"{each.value:.1f}", each.debater) for each in scores)


def _costs(transcript: Transcript) -> Iterator[Section]:
    spent = bill(transcript)
    if spent.total.tokens is None and spent.total.cost is None:
        return
    rows = [_row(speaker(transcript, debater), each) for debater, each in spent.debaters.items()]
    if spent.judges.tokens is not None or spent.judges.cost is not None:
        rows.append(_row("The judges", spent.judges))
    rows.append(_row("All together", spent.total))
    lines = (f"Prices: {one_line(transcript.prices, 200)}.",) if transcript.prices else ()
    yield Section("Cost", lines=lines, table=Table(("", "tokens in", "tokens out", "US$"), tuple(rows)))


def _row(who: str, spent: Spending) -> tuple[str, ...]:
    into, out = (
        _at_least(_figure(count), spent.counted) for count in (spent.input_tokens, spent.output_tokens)
    )
    cost = UNKNOWN if spent.cost is None else f"{spent.cost:.4f}"
    return who, into, out, _at_least(cost, spent.priced)


def _at_least(figure: str, whole: bool) -> str:
    return figure if whole or figure == UNKNOWN else f"≥ {figure}"


def _figure(count: int | None) -> str:
    return UNKNOWN if count is None else f"{count:,}"
