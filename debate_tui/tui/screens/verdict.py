"""The card at the end of a debate: its outcome, the report on it, its size, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events, on
from textual.binding import Binding, BindingType

from debate_tui.domain.judging.summary import OutcomeSummary, summarise_outcome
from debate_tui.domain.report import summarise_report
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import describe_debate_end, describe_debater, describe_size
from debate_tui.tui.screens.dialogs import OverlayScreen
from debate_tui.tui.styles import Tone, debater_tones, tones_by_name
from debate_tui.tui.widgets.footer import HINT_GAP
from debate_tui.tui.widgets.outcome_rows import VerdictRows, report_rows, wrapped_rows
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Key, Resize
    from textual.geometry import Size

    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.symbols import Glyphs


MAX_TEXT_WIDTH = 96
"""Maximum cells per line that are comfortable to read."""

MARGIN = 3
MARGIN_MIN_ROWS = 30
"""Rows of a terminal from which the card leaves part of the debate visible."""

WHEEL_ROWS = 3
"""Rows per step of the mouse wheel."""

MORE_CELLS = 12
"""Cells kept free for the number of rows below."""


class CardPage(NamedTuple):
    """A page of the card: its title, the name of the key that shows it, its headline and its rows."""

    title: str
    name: str
    headline: Piece
    rows: Iterable[Row]


class CardAction(NamedTuple):
    """Something to do next: its key, its label, and the function that does it."""

    key: str
    label: str
    run: Callable[[], object]


class VerdictCard(TextRows):
    """The outcome and the report, each on a page that scrolls if necessary; keys are at the bottom.

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
        self._first_row = self._page = 0
        self._other_page = ""
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
        pages = self._pages()
        page = pages[self._page % len(pages)]
        self._other_page = pages[self._page - 1].name if len(pages) > 1 else ""
        self._rows = (*self._title_rows(page, pages), *self._note_rows(), Row(), *page.rows)
        self._key_rows = tuple(self._layout_keys())
        self.styles.height = max(min(len(self._rows) + self._frame_rows, self._max_rows), self._min_rows)
        self.scroll_rows(0)

    def turn_page(self) -> None:
        """Show the other page, if there is one, from its start."""
        if self._other_page:
            self._page = 1 - self._page
            self._first_row = 0
            self.update_outcome()

    def _pages(self) -> list[CardPage]:
        """Return the outcome and the report, if they exist; without either, a page without rows."""
        transcript, width, glyphs = self._transcript, self._text_width, self._glyphs
        outcome, report = summarise_outcome(transcript, glyphs.quote_marks), summarise_report(transcript)
        pages: list[CardPage] = []
        if outcome is not None or report is None:
            ending = transcript.finish_reason
            over = describe_debate_end(ending).removesuffix(".") if ending else ""
            found = outcome or OutcomeSummary("", (), (), None, ())
            tone = Tone.FINISHED if any(score.is_winner for score in found.scores) else Tone.TEXT
            rows = VerdictRows(found, width, glyphs, tones_by_name(transcript.debaters)).rows()
            title = "The verdict" if outcome or not over else over
            pages.append(CardPage(title, "verdict", Piece(found.headline, tone, bold=True), rows))
        if report is not None:
            rows = report_rows(report, width, glyphs, debater_tones(transcript.debaters))
            pages.append(CardPage("The report", "report", Piece(""), rows))
        return pages

    def _title_rows(self, page: CardPage, pages: Sequence[CardPage]) -> Iterator[Row]:
        """Yield the titles and the winner, on separate lines if they do not fit on one."""
        titles: tuple[Piece, ...] = ()
        for each in pages:
            separator = Piece(f" {self._glyphs.separator} ", Tone.QUIET)
            is_shown = each is page
            title = Piece(each.title, Tone.FOCUS if is_shown else Tone.QUIET, bold=is_shown)
            titles += (*([separator] if titles else []), title)
        if not page.headline.text:
            yield Row(titles)
        elif pieces_width((*titles, page.headline)) + 2 <= self._text_width:
            yield Row(titles, (page.headline,))
        else:
            yield Row(titles)
            yield from wrapped_rows(page.headline, self._text_width)

    def _note_rows(self) -> Iterator[Row]:
        """Yield the facts about the debate, and what is happening."""
        is_over = self._transcript.finish_reason is not None
        facts = self._facts or describe_size(self._transcript) if is_over else ()
        size = Piece(f" {self._glyphs.separator} ".join(facts), Tone.QUIET)
        for note in (size, *self._revealed_notes(), self._status):
            if note.text:
                yield from wrapped_rows(note, self._text_width)

    def _revealed_notes(self) -> Iterator[Piece]:
        """Yield who the debaters of a blind debate were."""
        tones = tones_by_name(self._transcript.debaters)
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
        if self._other_page:
            keys.insert(1, ("tab", self._other_page))
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
        Binding("tab,shift+tab,left,right", "turn_page"),
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
            if action.key in (event.character, event.key):
                event.stop()
                action.run()
                return

    def action_turn_page(self) -> None:
        """Show the other page."""
        self.card.turn_page()

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
