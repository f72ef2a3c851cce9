"""A pane: one debater's name, badge, text and meter."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip

from debate_tui.display.buffer import PaneText, merge_pane_text
from debate_tui.domain.events import TurnFinished
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.pane_content import PaneContent
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import format_metrics
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, clip, pieces_width
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import DescendantBlur, DescendantFocus
    from textual.widget import AwaitMount, Widget

    from debate_tui.display.buffer import PaneItem
    from debate_tui.display.markdown import MarkdownSymbols
    from debate_tui.domain.stream import FaultReport
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.pane_state import PaneState
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.turn_editor import TurnEditor


MAX_NAME_CHARACTERS = 40
MAX_MODEL_CHARACTERS = 60

COMPACT_TITLE_OVERHEAD = 8
"""Cells of a compact title besides name and badge: three of line, four of space, one between."""

MIN_ERROR_CELLS = 10
"""Below this number of cells, an error message is not shown at all."""


class PaneTitle(TextRows):
    """Name, side and badge; model or error; a rule. Name, side and rule have the debater's colour.

    If the pane has the focus, the name is bold and the rule heavy.
    """

    def __init__(self, state: PaneState, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._state = state
        self.compact = False
        self.pane_focused = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return two lines of title and a rule, or a compact title within the rule."""
        speaker, glyphs = self._state, self._glyphs
        badge = speaker.badge(time.monotonic())
        tone = Tone.QUIET if speaker.removal_reason else speaker.tone
        title = one_line(glyphs.displayable(speaker.title), MAX_NAME_CHARACTERS)
        name = Piece(title, tone, bold=self.pane_focused)
        icon = Piece(badge.text(glyphs), badge.tone, bold=badge.tone is Tone.FAILED)
        edge = Piece(glyphs.heavy_line if self.pane_focused else glyphs.thin_line, tone)
        if self.compact:
            return (self._compact_row(width, name, icon, edge),)
        line = Row((edge._replace(text=edge.text * width),))
        return Row((name,), (icon,)), self._details_row(badge.tone), line

    def _details_row(self, tone: Tone) -> Row:
        """Return the row with side and model, or with the error if there is one."""
        speaker, between = self._state, f" {self._glyphs.separator} "
        if speaker.problem:
            return Row((Piece(speaker.problem, tone),))
        side, model = (
            one_line(speaker.info.side, MAX_NAME_CHARACTERS),
            one_line(speaker.info.model, MAX_MODEL_CHARACTERS),
        )
        if not side:
            return Row((Piece(model, Tone.QUIET),))
        return Row((Piece(side, speaker.tone), Piece(f"{between}{model}" if model else "", Tone.QUIET)))

    def _compact_row(self, width: int, name: Piece, badge_piece: Piece, rule_piece: Piece) -> Row:
        """Return ``── Ada · for ─────── ✓ done ─``, with an error message if there is room for it."""
        between = self._glyphs.separator
        speaker, room = self._state, width - COMPACT_TITLE_OVERHEAD
        label: tuple[Piece, ...] = (name,)
        badge: tuple[Piece, ...] = (badge_piece,)
        left = room - pieces_width((name, badge_piece))
        if speaker.problem and left >= MIN_ERROR_CELLS:
            trouble = Piece(f" {between} {speaker.problem}", badge_piece.tone)
            badge = (badge_piece, *clip((trouble,), left, self._glyphs.ellipsis))
        elif not speaker.problem and (side := one_line(speaker.info.side, MAX_NAME_CHARACTERS)):
            aside = Piece(f" {between} {side}", name.tone)
            label = (name, aside) if pieces_width((aside,)) <= left else label
        label = clip(label, room - pieces_width(badge), self._glyphs.ellipsis)
        fill = max(1, room - pieces_width(label) - pieces_width(badge) + 1)
        space = Piece(" ")
        line = rule_piece._replace(text=rule_piece.text * 2), rule_piece._replace(text=rule_piece.text * fill)
        return Row((line[0], space, *label, space, line[1], space, *badge, space, rule_piece))


class MetricsLine(TextRows):
    """The meter, with the number of unread lines below the visible ones at the right."""

    def __init__(self, state: PaneState, content: PaneContent, turn_text: TurnText, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._state = state
        self._content = content
        self._turn_text = turn_text
        self.editor: TurnEditor | None = None

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the figures of the latest turn, or the length of the one being written."""
        below = self._turn_text.unseen_lines
        right = (Piece(f"{self._glyphs.down} {below} new", Tone.FOCUS),) if below else ()
        if self.editor is not None:
            return (Row(self.editor.length_pieces, right),)
        room = width - pieces_width(right) - 2 * bool(right)
        reading = self._state.meter_reading(self._content.word_count)
        return (Row((Piece(format_metrics(reading, room, self._glyphs), Tone.QUIET),), right),)


class Pane(Vertical):
    """One debater on screen.

    `apply` takes the events of a frame; `tick` updates what only changes with time.
    """

    def __init__(
        self,
        state: PaneState,
        transcript: Transcript,
        glyphs: Glyphs,
        symbols: MarkdownSymbols,
        turn_title: Callable[[Turn], str],
    ) -> None:
        super().__init__()
        self.state = state
        self._transcript = transcript
        self.turn_text = TurnText(symbols, state.tone)
        self.has_unread = False
        self._glyphs = glyphs
        self._pane_above: Pane | None = None
        """The pane in the row above whose left border ends at this pane, if there is one."""
        self._tooltip_fault: FaultReport | None = None
        self._title = PaneTitle(state, glyphs)
        self.content = PaneContent(self.turn_text.page, transcript, glyphs, turn_title)
        self._metrics_line = MetricsLine(state, self.content, self.turn_text, glyphs)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.turn_text
        yield self._metrics_line

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the pane's border rows; one row of each kind is rendered and reused."""
        above = self.styles.border_top[0] != ""
        lines = super().render_lines(Region(0, 0, self.outer_size.width, 2))
        first = self._join_borders(lines[0 if above else 1])
        shown = [first if y == 0 else lines[1] for y in range(crop.y, crop.bottom)]
        return shown if crop.width == self.outer_size.width else [s.crop(crop.x, crop.right) for s in shown]

    def _join_borders(self, row: Strip) -> Strip:
        """Return the pane's first row, joined to the border that ends above it."""
        if self._pane_above is None:
            return row
        x = self._pane_above.region.x - self.region.x
        joint = self._glyphs.cross_line if self.styles.border_left[0] else self._glyphs.tee_line
        style = next(iter(row.crop(x, x + 1))).style
        return Strip.join([row.crop(0, x), Strip([Segment(joint, style)], 1), row.crop(x + 1)])

    def apply(self, items: Sequence[PaneItem], now: float) -> None:
        """Apply the pending items and show them."""
        has_state = False
        for item in merge_pane_text(items):
            if isinstance(item, TurnFinished) and item.quotes:
                with self.turn_text.viewport.keep_position():  # marks are put into the text
                    self.content.apply(item)
            else:
                self.content.apply(item)
            if not isinstance(item, PaneText):
                self.state.apply(item, now)
                has_state = True
        self.has_unread = not self.is_displayed
        self.turn_text.flush()
        if has_state:
            self.tick()

    def clear(self) -> None:
        """Reset the pane to the start of the debate; the change shows with the next items."""
        self.state.clear()
        self.content.clear()
        self.turn_text.clear()
        self.has_unread = False

    def tick(self) -> None:
        """Update what changes with time."""
        self._title.refresh_rows()
        self._metrics_line.refresh_rows()
        self.turn_text.tick()
        if self.editor is not None:  # the text needs no more room than it fills
            self.turn_text.styles.max_height = max(1, self.turn_text.line_count)
        self.set_class(self.has_left, "-removed")
        fault = self.state.fault
        if fault is not self._tooltip_fault:
            self._tooltip_fault = fault
            self._title.tooltip = Content(one_line(fault.message, 2000)) if fault is not None else None

    @property
    def has_left(self) -> bool:
        """Whether the debater has left the debate."""
        return bool(self.state.removal_reason)

    @property
    def is_displayed(self) -> bool:
        """Whether the pane is visible, not hidden by tabs or another pane's zoom."""
        return bool(self.display)

    # Reading

    def jump_turn(self, steps: int) -> None:
        """Scroll to the next turn or, with `steps` of −1, to the start of this one or the previous one."""
        text = self.turn_text
        lines = [line for _, line in text.page.heading_lines]
        if steps > 0:
            index = bisect_right(lines, text.viewport.top)
            target = lines[index] if index < len(lines) else text.line_count
        else:
            index = bisect_left(lines, text.viewport.top) - 1
            target = lines[index] if index >= 0 else 0
        text.action_line(target - text.viewport.top)

    @property
    def reading_position(self) -> tuple[int, int]:
        """The step of the turn at the top of the visible text, and the lines above that belong to it."""
        top = self.turn_text.viewport.top
        starts = self._step_lines()
        index = bisect_right(starts, top, key=itemgetter(1)) - 1
        return (starts[index][0], top - starts[index][1]) if index >= 0 else (0, top)

    def show_position(self, step: int, offset: int) -> None:
        """Scroll to the turn of a step or the last one before it; see `reading_position` for `offset`."""
        starts = self._step_lines()
        index = bisect_right(starts, step, key=itemgetter(0)) - 1
        first = starts[index][1] if index >= 0 else 0
        end = starts[index + 1][1] if index + 1 < len(starts) else self.turn_text.line_count
        if index >= 0 and starts[index][0] < step:
            offset = end
        self.turn_text.show_line(min(first + offset, max(first, end - 1)))

    def _step_lines(self) -> list[tuple[int, int]]:
        """Return the step of each turn and the line of its heading."""
        turns = self._transcript.turns
        return [(turns[turn].step, line) for turn, line in self.turn_text.page.heading_lines if turn in turns]

    # The editor, while the user writes the debater's turn

    @property
    def editor(self) -> TurnEditor | None:
        """The editor, if it is open."""
        return self._metrics_line.editor

    def open_editor(self, editor: TurnEditor) -> AwaitMount:
        """Show an editor below the text, which keeps the upper rows."""
        self._metrics_line.editor = editor
        self.state.is_writing = True
        self.tick()
        return self.mount(editor, after=self.turn_text)

    def close_editor(self) -> None:
        """Remove the editor."""
        if (editor := self._metrics_line.editor) is not None:
            self._metrics_line.editor = None
            self.state.is_writing = False
            self.turn_text.styles.max_height = None
            self.tick()
            editor.remove()

    @property
    def focus_target(self) -> Widget:
        """What has the focus while the pane is current: the editor, unless the user has left it."""
        editor = self.editor
        return editor.text_area if editor is not None and editor.active else self.turn_text

    # Focus and layout

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        self.show_focus(focused=True)

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        self.show_focus(focused=False)

    def show_focus(self, *, focused: bool) -> None:
        """Show whether the pane has the focus, without waiting for the focus events."""
        self._title.pane_focused = focused
        self._title.refresh_rows()

    def set_layout(
        self,
        *,
        displayed: bool,
        left_border: bool = False,
        top_border: bool = False,
        compact: bool = True,
        pane_above: Pane | None = None,
        alone: bool = False,
    ) -> None:
        """Set the pane's place: visible or not, its borders towards other panes, and its title's height.

        `pane_above` is the pane in the row above whose left border ends at this pane, if there is one. If the
        pane is `alone` on the screen, the lines of its prose have a comfortable length.
        """
        self._pane_above = pane_above if left_border or not compact else None
        self.display = displayed
        self.turn_text.page_view.limit_prose(limited=alone)
        self.has_unread = self.has_unread and not displayed
        styled = self.is_attached  # otherwise it is styled when it is mounted
        self.set_class(left_border, "-left-border", update=styled)
        self.set_class(top_border and not compact, "-top-border", update=styled)
        self.set_class(compact, "-compact", update=styled)
        self._title.compact = compact
        self._title.refresh_rows()
