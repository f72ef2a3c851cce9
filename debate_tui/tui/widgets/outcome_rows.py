"""The outcome of a debate and the report on it, as rows of bars, votes, quotes and points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.markdown.wrap import wrap
from debate_tui.domain.judging.summary import MAX_JUDGE_SCORE
from debate_tui.domain.wording import count_of, describe_swing
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, clip, pieces_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from debate_tui.domain.judging.summary import OutcomeSummary, Score, ScoredQuote, VerdictSummary
    from debate_tui.domain.report import ReportPoint, ReportSummary
    from debate_tui.tui.symbols import Glyphs

LABEL_CELLS = 18
"""Cells for the label before a bar."""

FIGURE_CELLS = 6
"""Cells for the figure after a bar."""

CRITERION_CELLS = 11
SCORE_CELLS = 5
MAX_NAME_CELLS = 16
MIN_TEXT_CELLS = 20


class VerdictRows:
    """The layout of an outcome in `width` cells.

    `tones` are the debaters' colours by name, and those of sides.
    """

    def __init__(
        self, outcome: OutcomeSummary, width: int, glyphs: Glyphs, tones: Mapping[str, Tone]
    ) -> None:
        self._outcome = outcome
        self._width = width
        self._glyphs = glyphs
        self._tones = tones

    def rows(self) -> Iterator[Row]:
        """Yield all rows, from the judges' mean scores to the last quote."""
        found = self._outcome
        judges = [ruling for ruling in found.verdicts if not ruling.by_debaters]
        if found.scores and len(judges) > 1:
            yield from self._score_rows(found.scores, MAX_JUDGE_SCORE)
            yield Row()
        yield from self._swing_rows()
        yield from self._vote_rows()
        for ruling in found.verdicts:
            yield from self._ruling_rows(ruling)

    # Bars

    def _score_rows(self, scores: Sequence[Score], best: float) -> Iterator[Row]:
        for score in scores:
            tone = self._tones.get(score.name, Tone.TEXT)
            side = f" {self._glyphs.separator} {score.side}" if score.side else ""
            label = (Piece(score.name, tone, bold=score.is_winner), Piece(side, Tone.QUIET))
            figure = f"{score.value:.1f}" if best == MAX_JUDGE_SCORE else f"{score.value:g}"
            yield self._bar_row(label, score.value / best, figure, (tone, Tone.FAINT), bold=score.is_winner)

    def _swing_rows(self) -> Iterator[Row]:
        moved = self._outcome.swing
        if moved is None:
            return
        judges = count_of(moved.judges, "judge")
        sides = self._side_tone("for", Tone.FOCUS), self._side_tone("against", Tone.QUIET)
        scale = (
            Piece("0 against", sides[1]),
            Piece(f" {self._glyphs.separator} ", Tone.QUIET),
            Piece("100 for", sides[0]),
        )
        yield Row((Piece(f"Support for the motion ({judges})", bold=True),), scale)
        for label, support in (("before", moved.before), ("after", moved.after)):
            is_last = label == "after"
            piece = Piece(label, Tone.TEXT if is_last else Tone.QUIET)
            yield self._bar_row((piece,), support / 100, f"{round(support)}", sides, bold=is_last)
        yield Row((Piece(" " * LABEL_CELLS), Piece(describe_swing(moved), Tone.QUIET)))
        yield Row()

    def _side_tone(self, side: str, default: Tone) -> Tone:
        """Return the tone of the first debater on a side."""
        names = (score.name for score in self._outcome.scores if score.side.casefold() == side)
        return self._tones.get(next(names, ""), default)

    def _bar_row(
        self,
        label: tuple[Piece, ...],
        share: float,
        figure: str,
        tones: tuple[Tone, Tone],
        *,
        bold: bool = False,
    ) -> Row:
        """Return a bar in two tones: of the part that is filled, and of the rest."""
        glyphs = self._glyphs
        kept = clip(label, LABEL_CELLS - 1, glyphs.ellipsis)
        cells = max(0, self._width - LABEL_CELLS - FIGURE_CELLS)
        filled = round(cells * min(max(share, 0.0), 1.0))
        bar = (
            Piece(" " * (LABEL_CELLS - pieces_width(kept))),
            Piece(glyphs.heavy_line * filled, tones[0]),
            Piece(glyphs.thin_line * (cells - filled), tones[1]),
        )
        return Row((*kept, *bar), (Piece(figure, bold=bold),))

    # Votes

    def _vote_rows(self) -> Iterator[Row]:
        for opinions in self._outcome.votes:
            who = "The audience" if opinions.by_audience else "Your vote"
            pieces = [Piece(f"{who:{LABEL_CELLS}}", bold=True)]
            for when, votes in (("before", opinions.before), ("after", opinions.after)):
                if votes:
                    pieces += [Piece(f"{when} ", Tone.QUIET), *self._vote_pieces(votes), Piece("   ")]
            yield Row(tuple(pieces))
            if opinions.by_audience and opinions.change:
                yield Row((Piece(" " * LABEL_CELLS), Piece(opinions.change, Tone.QUIET)))
        if self._outcome.votes:
            yield Row()

    def _vote_pieces(self, votes: Sequence[tuple[str, int]]) -> list[Piece]:
        many = sum(count for _, count in votes) > 1
        pieces: list[Piece] = []
        for name, count in votes:
            text = f"{name} {count}" if many else name
            pieces += [Piece(", ")] * bool(pieces) + [Piece(text, self._tones.get(name, Tone.TEXT))]
        return pieces

    # Judges

    def _ruling_rows(self, ruling: VerdictSummary) -> Iterator[Row]:
        yield from self._title_rows(ruling)
        reason_rows = self._agreement_rows if ruling.by_debaters else self._reason_rows
        yield from reason_rows(ruling.reasons)
        if ruling.scores:
            yield Row()
            yield from self._score_rows(ruling.scores, ruling.max_score)
            yield from self._stance_rows(ruling)
        if ruling.quotes:
            yield Row()
            yield from self._quote_list_rows(ruling.quotes)
        yield Row()

    def _reason_rows(self, lines: Sequence[str]) -> Iterator[Row]:
        for line in lines:
            yield from wrapped_rows(Piece(line, Tone.QUIET), self._width)

    def _agreement_rows(self, lines: Sequence[str]) -> Iterator[Row]:
        """Yield the debaters' conclusions: headings, and a line for each debater under them."""
        listed = False
        for line in lines:
            name, colon, text = line.partition(": ")
            if line.endswith(":"):
                listed = True
                yield from (Row(), Row((Piece(line.removesuffix(":"), bold=True),)))
            elif listed and colon:
                label = _pad_column((Piece(name, Tone.QUIET),), LABEL_CELLS, self._glyphs.ellipsis)
                first, *more = _wrap_text(text, max(MIN_TEXT_CELLS, self._width - LABEL_CELLS))
                yield Row((*label, Piece(first)))
                yield from (Row((Piece(" " * LABEL_CELLS), Piece(each))) for each in more)
            else:
                yield from wrapped_rows(Piece(line), self._width)

    def _title_rows(self, ruling: VerdictSummary) -> Iterator[Row]:
        """Yield the judge with its decision, which is below it if there is no room beside it."""
        glyphs = self._glyphs
        tone = Tone.FAILED if ruling.failed else Tone.PAUSED if ruling.unconfirmed else Tone.FINISHED
        decision = Piece(ruling.decision, tone, bold=True)
        name = clip((Piece(ruling.judge, Tone.TEXT, bold=True),), self._width - 4, glyphs.ellipsis)
        room = self._width - pieces_width(name) - pieces_width((decision,)) - 2
        if room > 0:
            yield Row((*name, Piece(f" {glyphs.thin_line * room} ", Tone.FAINT), decision))
        else:
            cells = self._width - pieces_width(name) - 1
            yield Row((*name, Piece(f" {glyphs.thin_line * cells}", Tone.FAINT)))
            yield from wrapped_rows(decision._replace(bold=False), self._width)

    def _stance_rows(self, ruling: VerdictSummary) -> Iterator[Row]:
        if any(stance is not None for stance in ruling.stances):
            before, after = (
                self._glyphs.missing_value if each is None else f"{each}" for each in ruling.stances
            )
            label = Piece("stance".ljust(LABEL_CELLS), Tone.QUIET)
            yield Row((label, Piece(f"{before} before, {after} after", Tone.QUIET)))

    def _quote_list_rows(self, quotes: Sequence[ScoredQuote]) -> Iterator[Row]:
        criterion = ""
        widest = max(pieces_width((Piece(quote.name),)) for quote in quotes)
        name_cells = min(MAX_NAME_CELLS, widest + 2)
        for quote in quotes:
            label = "" if quote.criterion == criterion else quote.criterion
            criterion = quote.criterion
            yield from self._quote_rows(label, quote, name_cells)

    def _quote_rows(self, criterion: str, quote: ScoredQuote, name_cells: int) -> Iterator[Row]:
        glyphs = self._glyphs
        head = (
            *_pad_column((Piece(criterion, Tone.QUIET),), CRITERION_CELLS, glyphs.ellipsis),
            *_pad_column(
                (Piece(quote.name, self._tones.get(quote.name, Tone.TEXT)),), name_cells, glyphs.ellipsis
            ),
            Piece(f"{quote.score:>2}".ljust(SCORE_CELLS), Tone.TEXT, bold=True),
        )
        indent = CRITERION_CELLS + name_cells + SCORE_CELLS
        tone = Tone.QUIET if quote.found else Tone.FAILED
        said = f"{glyphs.quotes[0]}{quote.text}{glyphs.quotes[1]}" if quote.text else "no quote"
        missing = "" if quote.found or not quote.text else f" {glyphs.failed} not found in the debate"
        lines = _wrap_text(said + missing, max(MIN_TEXT_CELLS, self._width - indent))
        yield Row((*head, Piece(lines[0], tone)))
        yield from (Row((Piece(" " * indent), Piece(line, tone))) for line in lines[1:])


def wrapped_rows(piece: Piece, width: int) -> Iterator[Row]:
    """Yield the rows of a piece that is wrapped at `width` cells."""
    return (Row((piece._replace(text=line),)) for line in _wrap_text(piece.text, width))


def _wrap_text(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, max(1, width))]


def _pad_column(pieces: tuple[Piece, ...], width: int, ellipsis: str) -> tuple[Piece, ...]:
    kept = clip(pieces, width - 1, ellipsis)
    return (*kept, Piece(" " * (width - pieces_width(kept))))


# A report


POINT_INDENT = 2
"""Cells before a point: its mark and a blank."""


def report_rows(
    report: ReportSummary, width: int, glyphs: Glyphs, tones: Mapping[str, Tone]
) -> Iterator[Row]:
    """Yield the author of a report and its parts as lists; `tones` are the debaters' colours by id."""
    author_tone = Tone.FAILED if report.failed else Tone.QUIET
    yield from wrapped_rows(Piece(report.author, author_tone), width)
    for part in report.parts:
        yield Row()
        yield Row((Piece(part.title, bold=True),))
        for point in part.points:
            yield from _point_rows(point, width, glyphs, tones)


def _point_rows(point: ReportPoint, width: int, glyphs: Glyphs, tones: Mapping[str, Tone]) -> Iterator[Row]:
    indent = Piece(" " * POINT_INDENT)
    mark = Piece(f"{glyphs.separator:{POINT_INDENT}}", Tone.QUIET)
    label = f"{point.label}: " if point.label else ""
    for line in _wrap_text(label + point.text, max(MIN_TEXT_CELLS, width - POINT_INDENT)):
        if label and line.startswith(label):
            name = Piece(label, tones.get(point.debater, Tone.TEXT), bold=True)
            yield Row((mark, name, Piece(line.removeprefix(label))))
        else:
            yield Row((mark, Piece(line)))
        mark, label = indent, ""
    tone = Tone.QUIET if point.is_found else Tone.FAILED
    for line in _wrap_text(point.detail, max(MIN_TEXT_CELLS, width - POINT_INDENT)) if point.detail else ():
        yield Row((indent, Piece(line, tone)))
