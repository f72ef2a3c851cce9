"""The verdict in rows: scores and opinion as bars, votes, and what each judge rested its scores on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.markdown.wrap import wrap
from debate_tui.domain.judgement import BEST
from debate_tui.domain.outcome import direction, far
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, clip, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.domain.judgement import Judgement, Quote, Ruling, Score
    from debate_tui.tui.glyphs import Glyphs

LABEL = 18
"""Cells before a bar: whose it is."""

FIGURE = 6
"""Cells behind it: how much it is."""

CRITERION = 11
MARK = 5
NAME = 16
LEAST_TEXT = 20


class VerdictRows:
    """Lays a judgement out over `width` cells."""

    def __init__(self, judgement: Judgement, width: int, glyphs: Glyphs) -> None:
        self._judgement = judgement
        self._width = width
        self._glyphs = glyphs
        self._name = NAME

    def rows(self) -> tuple[Row, ...]:
        """All of it, from the outcome to the last quote."""
        return tuple(self._all())

    def _all(self) -> Iterator[Row]:
        found = self._judgement
        yield from self._title()
        yield Row()
        judges = [ruling for ruling in found.rulings if not ruling.by_debaters]
        if found.scores and len(judges) > 1:
            yield from self._scores(found.scores, BEST)
            yield Row()
        yield from self._swing()
        yield from self._opinions()
        for ruling in found.rulings:
            yield from self._ruling(ruling)

    def _title(self) -> Iterator[Row]:
        """What this is, and who has won: in a line of its own where there is no room beside it."""
        tone = Tone.FINISHED if any(score.wins for score in self._judgement.scores) else Tone.TEXT
        title = Piece("The verdict", Tone.FOCUS, bold=True)
        headline = Piece(self._judgement.headline, tone, bold=True)
        if width_of((title, headline)) + 2 <= self._width:
            yield Row((title,), (headline,))
        else:
            yield Row((title,))
            yield from (
                Row((headline._replace(text=line),)) for line in self._wrapped(headline.text, self._width)
            )

    # Bars

    def _scores(self, scores: Sequence[Score], best: float) -> Iterator[Row]:
        for score in scores:
            tone = Tone.FOCUS if score.wins else Tone.STREAMING
            side = f" {self._glyphs.between} {score.side}" if score.side else ""
            label = (Piece(score.name, Tone.TEXT, bold=score.wins), Piece(side, Tone.QUIET))
            figure = f"{score.value:.1f}" if best == BEST else f"{score.value:g}"
            yield self._bar(label, score.value / best, tone, figure)

    def _swing(self) -> Iterator[Row]:
        moved = self._judgement.swing
        if moved is None:
            return
        of = f", {moved.voters} judges" if moved.voters > 1 else ""
        scale = f"0 against {self._glyphs.between} 100 for"
        yield Row((Piece(f"How far for it{of}", bold=True),), (Piece(scale, Tone.QUIET),))
        yield self._bar(
            (Piece("before", Tone.QUIET),), moved.before / 100, Tone.WAITING, f"{round(moved.before)}"
        )
        yield self._bar((Piece("after"),), moved.after / 100, Tone.FOCUS, f"{round(moved.after)}")
        said = f"{far(moved)} {direction(moved)}" if moved.winner else direction(moved)
        yield Row((Piece(" " * LABEL), Piece(said, Tone.QUIET)))
        yield Row()

    def _bar(self, label: tuple[Piece, ...], share: float, tone: Tone, figure: str) -> Row:
        glyphs = self._glyphs
        kept = clip(label, LABEL - 1, glyphs.ellipsis)
        cells = max(0, self._width - LABEL - FIGURE)
        filled = round(cells * min(max(share, 0.0), 1.0))
        bar = (
            Piece(" " * (LABEL - width_of(kept))),
            Piece(glyphs.heavy * filled, tone),
            Piece(glyphs.thin * (cells - filled), Tone.FAINT),
        )
        return Row((*kept, *bar), (Piece(figure, Tone.TEXT, bold=tone is Tone.FOCUS),))

    # Votes

    def _opinions(self) -> Iterator[Row]:
        for opinions in self._judgement.opinions:
            who = "Your vote" if opinions.who == "The user" else opinions.who
            pieces = [Piece(f"{who:{LABEL}}", bold=True)]
            for when, votes in (("before", opinions.before), ("after", opinions.after)):
                pieces += [
                    Piece(f"{when} ", Tone.QUIET),
                    Piece(f"{_votes(votes) or self._glyphs.unknown}   "),
                ]
            yield Row(tuple(pieces))
        if self._judgement.opinions:
            yield Row()

    # One judge

    def _ruling(self, ruling: Ruling) -> Iterator[Row]:
        yield self._head(ruling)
        yield from self._settled(ruling.why) if ruling.by_debaters else self._why(ruling.why)
        if ruling.scores:
            yield Row()
            yield from self._scores(ruling.scores, ruling.best)
            yield from self._stances(ruling)
        if ruling.quotes:
            yield Row()
            yield from self._quotes(ruling.quotes)
        yield Row()

    def _why(self, lines: Sequence[str]) -> Iterator[Row]:
        for line in lines:
            yield from (Row((Piece(text, Tone.QUIET),)) for text in self._wrapped(line, self._width))

    def _settled(self, lines: Sequence[str]) -> Iterator[Row]:
        """What the debaters came to: headings, and under them a line for each debater."""
        listed = False
        for line in lines:
            name, colon, text = line.partition(": ")
            if line.endswith(":"):
                listed = True
                yield from (Row(), Row((Piece(line.removesuffix(":"), bold=True),)))
            elif listed and colon:
                label = _column((Piece(name, Tone.QUIET),), LABEL, self._glyphs.ellipsis)
                first, *more = self._wrapped(text, max(LEAST_TEXT, self._width - LABEL))
                yield Row((*label, Piece(first)))
                yield from (Row((Piece(" " * LABEL), Piece(each))) for each in more)
            else:
                yield from (Row((Piece(each),)) for each in self._wrapped(line, self._width))

    def _head(self, ruling: Ruling) -> Row:
        glyphs = self._glyphs
        tone = Tone.FAILED if ruling.failed else Tone.PAUSED if ruling.doubtful else Tone.FINISHED
        decision = clip((Piece(ruling.decision, tone, bold=True),), self._width - 8, glyphs.ellipsis)
        room = self._width - width_of(decision) - 4
        name = clip((Piece(ruling.judge, Tone.TEXT, bold=True),), room, glyphs.ellipsis)
        line = Piece(f" {glyphs.thin * max(1, room - width_of(name) + 2)} ", Tone.FAINT)
        return Row((*name, line, *decision))

    def _stances(self, ruling: Ruling) -> Iterator[Row]:
        if any(stance is not None for stance in ruling.stances):
            before, after = (self._glyphs.unknown if each is None else f"{each}" for each in ruling.stances)
            label = Piece("stance".ljust(LABEL), Tone.QUIET)
            yield Row((label, Piece(f"{before} before, {after} after", Tone.QUIET)))

    def _quotes(self, quotes: Sequence[Quote]) -> Iterator[Row]:
        criterion = ""
        self._name = min(NAME, max(width_of((Piece(quote.name),)) for quote in quotes) + 2)
        for quote in quotes:
            label = "" if quote.criterion == criterion else quote.criterion
            criterion = quote.criterion
            yield from self._quote(label, quote)

    def _quote(self, criterion: str, quote: Quote) -> Iterator[Row]:
        glyphs = self._glyphs
        head = (
            *_column((Piece(criterion, Tone.QUIET),), CRITERION, glyphs.ellipsis),
            *_column((Piece(quote.name),), self._name, glyphs.ellipsis),
            Piece(f"{quote.score:>2}".ljust(MARK), Tone.TEXT, bold=True),
        )
        indent = CRITERION + self._name + MARK
        tone = Tone.QUIET if quote.found else Tone.FAILED
        said = f"{glyphs.quotes[0]}{quote.text}{glyphs.quotes[1]}" if quote.text else "no line quoted"
        missing = "" if quote.found or not quote.text else f" {glyphs.failed} not found in the debate"
        lines = self._wrapped(said + missing, max(LEAST_TEXT, self._width - indent))
        yield Row((*head, Piece(lines[0], tone)))
        yield from (Row((Piece(" " * indent), Piece(line, tone))) for line in lines[1:])

    @staticmethod
    def _wrapped(text: str, width: int) -> list[str]:
        return [text[start:end] for start, end in wrap(text, max(1, width))]


def _column(pieces: tuple[Piece, ...], width: int, ellipsis: str) -> tuple[Piece, ...]:
    kept = clip(pieces, width - 1, ellipsis)
    return (*kept, Piece(" " * (width - width_of(kept))))


def _votes(votes: Sequence[tuple[str, int]]) -> str:
    many = sum(count for _, count in votes) > 1
    return ", ".join(f"{name} {count}" if many else name for name, count in votes)
