"""The outcome of the debate: scores by judges, debaters and viewers, its size, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events, on
from textual.binding import Binding, BindingType

from debate_tui.display.markdown.wrap import wrap
from debate_tui.domain.judging.summary import MAX_JUDGE_SCORE, OutcomeSummary, summarise_outcome
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import (
    count_of,
    describe_debate_end,
    describe_debater,
    describe_size,
    describe_swing,
)
from debate_tui.tui.screens.dialogs import OverlayScreen
from debate_tui.tui.styles import Tone, tones_by_name
from debate_tui.tui.widgets.footer import HINT_GAP
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, clip, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.events import Key, Resize
    from textual.geometry import Size

    from debate_tui.domain.judging.summary import Quote, Score, VerdictSummary
    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.symbols import Glyphs


# The verdict as rows: bars for scores and opinions, votes, and the quotes each judge scored.


LABEL_CELLS = 18
"""Cells for the label before a bar."""

FIGURE_CELLS = 6
"""Cells for the figure after a bar."""

CRITERION_CELLS = 11
SCORE_CELLS = 5
MAX_NAME_CELLS = 16
MIN_TEXT_CELLS = 20


class VerdictRows:
    """The layout of an outcome in `width` cells, under a title.

    `tones` are the debaters' colours by name, and those of sides.
    """

    def __init__(
        self, title: str, outcome: OutcomeSummary, width: int, glyphs: Glyphs, tones: Mapping[str, Tone]
    ) -> None:
        self._title = title
        self._outcome = outcome
        self._width = width
        self._glyphs = glyphs
        self._tones = tones

    def rows(self, *notes: Piece) -> Iterator[Row]:
        """Yield all rows, from the title, with `notes` below it, to the last quote."""
        found = self._outcome
        yield from self._title_rows()
        for note in notes:
            yield from (Row((note._replace(text=line),)) for line in self._wrap_text(note.text, self._width))
        yield Row()
        judges = [ruling for ruling in found.verdicts if not ruling.by_debaters]
        if found.scores and len(judges) > 1:
            yield from self._score_rows(found.scores, MAX_JUDGE_SCORE)
            yield Row()
        yield from self._swing_rows()
        yield from self._vote_rows()
        for ruling in found.verdicts:
            yield from self._ruling_rows(ruling)

    def _title_rows(self) -> Iterator[Row]:
        """Yield the title and the winner, on separate lines if they do not fit on one."""
        tone = Tone.FINISHED if any(score.is_winner for score in self._outcome.scores) else Tone.TEXT
        title = Piece(self._title, Tone.FOCUS, bold=True)
        headline = Piece(self._outcome.headline, tone, bold=True)
        if pieces_width((title, headline)) + 2 <= self._width:
            yield Row((title,), (headline,))
        else:
            yield Row((title,))
            yield from (
                Row((headline._replace(text=line),)) for line in self._wrap_text(headline.text, self._width)
            )

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
                counts = self._vote_pieces(votes) or [Piece(self._glyphs.missing_value)]
                pieces += [Piece(f"{when} ", Tone.QUIET), *counts, Piece("   ")]
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
        yield self._ruling_title(ruling)
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
            yield from (Row((Piece(text, Tone.QUIET),)) for text in self._wrap_text(line, self._width))

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
                first, *more = self._wrap_text(text, max(MIN_TEXT_CELLS, self._width - LABEL_CELLS))
                yield Row((*label, Piece(first)))
                yield from (Row((Piece(" " * LABEL_CELLS), Piece(each))) for each in more)
            else:
                yield from (Row((Piece(each),)) for each in self._wrap_text(line, self._width))

    def _ruling_title(self, ruling: VerdictSummary) -> Row:
        glyphs = self._glyphs
        tone = Tone.FAILED if ruling.failed else Tone.PAUSED if ruling.unconfirmed else Tone.FINISHED
        decision = clip((Piece(ruling.decision, tone, bold=True),), self._width - 8, glyphs.ellipsis)
        room = self._width - pieces_width(decision) - 4
        name = clip((Piece(ruling.judge, Tone.TEXT, bold=True),), room, glyphs.ellipsis)
        line = Piece(f" {glyphs.thin_line * max(1, room - pieces_width(name) + 2)} ", Tone.FAINT)
        return Row((*name, line, *decision))

    def _stance_rows(self, ruling: VerdictSummary) -> Iterator[Row]:
        if any(stance is not None for stance in ruling.stances):
            before, after = (
                self._glyphs.missing_value if each is None else f"{each}" for each in ruling.stances
            )
            label = Piece("stance".ljust(LABEL_CELLS), Tone.QUIET)
            yield Row((label, Piece(f"{before} before, {after} after", Tone.QUIET)))

    def _quote_list_rows(self, quotes: Sequence[Quote]) -> Iterator[Row]:
        criterion = ""
        widest = max(pieces_width((Piece(quote.name),)) for quote in quotes)
        name_cells = min(MAX_NAME_CELLS, widest + 2)
        for quote in quotes:
            label = "" if quote.criterion == criterion else quote.criterion
            criterion = quote.criterion
            yield from self._quote_rows(label, quote, name_cells)

    def _quote_rows(self, criterion: str, quote: Quote, name_cells: int) -> Iterator[Row]:
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
        lines = self._wrap_text(said + missing, max(MIN_TEXT_CELLS, self._width - indent))
        yield Row((*head, Piece(lines[0], tone)))
        yield from (Row((Piece(" " * indent), Piece(line, tone))) for line in lines[1:])

    @staticmethod
    def _wrap_text(text: str, width: int) -> list[str]:
        return [text[start:end] for start, end in wrap(text, max(1, width))]


def _pad_column(pieces: tuple[Piece, ...], width: int, ellipsis: str) -> tuple[Piece, ...]:
    kept = clip(pieces, width - 1, ellipsis)
    return (*kept, Piece(" " * (width - pieces_width(kept))))


MAX_TEXT_WIDTH = 96
"""Maximum cells per line that are comfortable to read."""

MARGIN = 3
MARGIN_MIN_ROWS = 30
"""Rows of a terminal from which the card leaves part of the debate visible."""

WHEEL_ROWS = 3
"""Rows per step of the mouse wheel."""

MORE_CELLS = 12
"""Cells kept free for the number of rows below."""


class CardAction(NamedTuple):
    """Something to do next: its key, its label, and the function that does it."""

    key: str
    label: str
    run: Callable[[], object]


class VerdictCard(TextRows):
    """The outcome on a card that scrolls if necessary, with keys and the number of rows below at the bottom.

    `find_actions` returns what can be done now.
    """

    DEFAULT_CSS = "VerdictCard { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(
        self, transcript: Transcript, glyphs: Glyphs, find_actions: Callable[[], Sequence[CardAction]]
    ) -> None:
        super().__init__(glyphs)
        self._transcript = transcript
        self._find_actions = find_actions
        self._facts: Sequence[str] = ()
        self._status = Piece("")
        self._rows: tuple[Row, ...] = ()
        self._key_rows: tuple[tuple[Piece, ...], ...] = ()
        self._first_row = 0
        self._text_width = self._max_rows = self._min_rows = 0

    def fit_to(self, size: Size) -> None:
        """Use as much of a screen of this size as possible."""
        roomy = size.height >= MARGIN_MIN_ROWS
        self.inset = MARGIN if roomy else 1
        width = min(size.width, MAX_TEXT_WIDTH + 2 * MARGIN)
        self.styles.width = width if roomy else size.width
        self._text_width = (width if roomy else size.width) - 2 * self.inset
        self._max_rows = size.height - (4 if roomy else 0)
        self._min_rows = 0 if roomy else size.height
        self.update_outcome()

    def show_facts(self, facts: Sequence[str]) -> None:
        """Show these facts about the whole debate below the title."""
        self._facts = facts
        self.update_outcome()

    def show_status(self, status: Piece) -> None:
        """Show what is happening below the title; an empty text removes it."""
        self._status = status
        self.update_outcome()

    def update_outcome(self) -> None:
        """Lay out the current outcome and keys, if the size is known."""
        if not self._text_width:
            return
        found = summarise_outcome(self._transcript, self._glyphs.quote_marks)
        ending = self._transcript.finish_reason
        title = "The verdict" if found or not ending else describe_debate_end(ending).removesuffix(".")
        facts = self._facts or describe_size(self._transcript) if ending else ()
        outcome = found or OutcomeSummary("", (), (), None, ())
        tones = tones_by_name(self._transcript.debaters)
        notes = (
            Piece(f" {self._glyphs.separator} ".join(facts), Tone.QUIET),
            *self._revealed_notes(tones),
            self._status,
        )
        rows = VerdictRows(title, outcome, self._text_width, self._glyphs, tones)
        self._rows = tuple(rows.rows(*(note for note in notes if note.text)))
        self._key_rows = tuple(self._layout_keys())
        self.styles.height = max(min(len(self._rows) + self._frame_rows, self._max_rows), self._min_rows)
        self.scroll_rows(0)

    def _revealed_notes(self, tones: Mapping[str, Tone]) -> Iterator[Piece]:
        """Yield who the debaters of a blind debate were."""
        for debater in self._transcript.debaters.values():
            if self._transcript.revealed_letter(debater.id):
                text = describe_debater(self._transcript, debater.id)
                yield Piece(self._glyphs.displayable(text), tones.get(one_line(debater.name), Tone.TEXT))

    def scroll_rows(self, rows: int) -> None:
        """Scroll down or up."""
        self._first_row = max(0, min(self._first_row + rows, len(self._rows) - self._visible_rows))
        self.refresh_rows()

    @property
    def page_rows(self) -> int:
        """Rows to scroll per page."""
        return max(1, self._visible_rows - 2)

    @property
    def _frame_rows(self) -> int:
        """Rows besides the text: a blank one above and below it, and the keys."""
        return 2 + len(self._key_rows)

    @property
    def _visible_rows(self) -> int:
        return max(1, min(len(self._rows), self._max_rows - self._frame_rows))

    def rows(self, width: int) -> tuple[Row, ...]:
        shown = self._rows[self._first_row : self._first_row + self._visible_rows]
        blank = [Row()] * max(0, self.size.height - len(shown) - self._frame_rows + 1)
        below = len(self._rows) - self._first_row - self._visible_rows
        more = (Piece(f"{self._glyphs.down} {below} more", Tone.FOCUS),) if below > 0 else ()
        *keys, last_keys = self._key_rows
        return (Row(), *shown, *blank, *map(Row, keys), Row(last_keys, more))

    def _layout_keys(self) -> Iterator[tuple[Piece, ...]]:
        """Yield the keys in as many rows as they need; the last has room for the number of rows below."""
        keys = [(action.key, action.label) for action in self._find_actions()]
        keys.insert(0, ("esc", "read" if self._transcript.finish_reason else "close"))
        scrolls = len(self._rows) + 3 > self._max_rows
        if scrolls:
            keys.append((f"{self._glyphs.up} {self._glyphs.down}", "scroll"))
        room = self._text_width - (MORE_CELLS if scrolls else 0)
        pieces: tuple[Piece, ...] = ()
        for key, label in keys:
            more = (Piece(key, Tone.FOCUS, bold=True), Piece(f" {label}{' ' * HINT_GAP}", Tone.QUIET))
            if pieces and pieces_width((*pieces, *more)) - HINT_GAP > room:
                yield pieces
                pieces = ()
            pieces += more
        yield pieces


class VerdictScreen(OverlayScreen[None]):
    """The dialog opened when a debate ends, and with ``v``; it offers what can be done next.

    `find_actions` returns what can be done now; their keys have precedence.
    """

    HELP_TOPIC = "verdict"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v,enter", "close"),
        Binding("down,j", "scroll(1)"),
        Binding("up,k", "scroll(-1)"),
        Binding("pagedown,space", "page(1)"),
        Binding("pageup", "page(-1)"),
        Binding("home,g", "scroll(-100000)"),
        Binding("end,G", "scroll(100000)"),
    ]

    def __init__(
        self, transcript: Transcript, glyphs: Glyphs, find_actions: Callable[[], Sequence[CardAction]]
    ) -> None:
        super().__init__()
        self.card = VerdictCard(transcript, glyphs, find_actions)
        self._find_actions = find_actions

    def compose(self) -> ComposeResult:
        """Yield the card, sized for the terminal from the first frame on."""
        self.card.fit_to(self.app.size)
        yield self.card

    def on_resize(self, event: Resize) -> None:
        self.card.fit_to(event.size)

    def on_key(self, event: Key) -> None:
        """Do what this key is for."""
        for action in self._find_actions():
            if event.character == action.key:
                event.stop()
                action.run()
                return

    def action_scroll(self, rows: int) -> None:
        """Scroll down or up by rows."""
        self.card.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        """Scroll down or up by pages."""
        self.card.scroll_rows(pages * self.card.page_rows)

    @on(events.MouseScrollDown)
    @on(events.MouseScrollUp)
    def scroll_by_wheel(self, event: events.MouseScrollDown | events.MouseScrollUp) -> None:
        """Scroll down or up."""
        event.stop()
        self.card.scroll_rows(WHEEL_ROWS if isinstance(event, events.MouseScrollDown) else -WHEEL_ROWS)
