"""The arrangement of the panes: side by side, in two rows, or as tabs; and which one is current."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len
from textual.containers import Grid
from textual.geometry import Size

from debate_tui.domain.sanitise import one_line
from debate_tui.tui import painter
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import Click, DescendantFocus
    from textual.widget import AwaitMount, Widget

    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.material_panel import MaterialPanel
    from debate_tui.tui.widgets.pane import Pane
    from debate_tui.tui.widgets.turn_text import TurnText


MIN_PANE_WIDTH = 40
MIN_PANE_HEIGHT = 7
COMPACT_PANE_ROWS = 18
"""A pane with fewer rows than this has a one-line title instead of three lines."""

CHROME_HEIGHT = 3
"""Two lines for the header and one for the footer."""


MIN_PANEL_WIDTH = 40
MAX_PANEL_WIDTH = 90
MIN_WIDTH_FOR_PANEL = 100
"""Columns from which a panel is shown beside the panes, if there is room for all of them."""


class LayoutKind(enum.StrEnum):
    COLUMNS = "columns"
    ROWS = "rows"
    TABS = "tabs"


class PaneLayout(Struct, frozen=True):
    """The arrangement of the panes.

    `too_small_message` is set if the terminal is too small for anything but tabs. `compact` panes have few
    rows and need short titles.
    """

    kind: LayoutKind
    columns: int
    compact: bool = False
    too_small_message: str = ""


def choose_layout(
    panes: int, width: int, height: int, times_sign: str = "×", *, other_rows: int = CHROME_HEIGHT
) -> PaneLayout:
    """Arrange panes on a terminal of `width` by `height` cells, of which `other_rows` rows are not theirs.

    `times_sign` stands between the two numbers in messages.
    """
    room = height - other_rows
    if width >= panes * MIN_PANE_WIDTH and room >= MIN_PANE_HEIGHT:
        return PaneLayout(LayoutKind.COLUMNS, panes, compact=room < COMPACT_PANE_ROWS)
    columns = (panes + 1) // 2
    if width >= columns * MIN_PANE_WIDTH and room >= 2 * MIN_PANE_HEIGHT:
        return PaneLayout(LayoutKind.ROWS, columns, compact=room // 2 < COMPACT_PANE_ROWS)
    needed = f"{columns * MIN_PANE_WIDTH}{times_sign}{other_rows + 2 * MIN_PANE_HEIGHT}"
    size = f"{width}{times_sign}{height}"
    needs = f"{panes} panes need {needed} cells; you have {size}. Tab: next pane."
    return PaneLayout(LayoutKind.TABS, 1, compact=room < COMPACT_PANE_ROWS, too_small_message=needs)


class PaneGrid(painter.BlankWidget, Grid):
    """The panes of all debaters; they cover the grid completely.

    One pane is current: keys apply to it, and it has the focus unless the user types into an input. Only the
    current pane is visible if it is zoomed or if no more fit; `tabs` shows the others in the latter case.
    The panes of debaters who have left shrink to their titles below the others while they are not current.
    `on_change` is called when another pane becomes current or the current one is zoomed, and `show_message`
    with what a key has done. If the panes scroll together, the turns of one step stay next to each other.

    A panel can be opened beside them, or over them if there is no room; the focus is then in it or in a pane.
    """

    def __init__(
        self,
        panes: Sequence[Pane],
        glyphs: Glyphs,
        on_change: Callable[[], None],
        show_message: Callable[[str], None],
    ) -> None:
        super().__init__(*panes, id="panes")
        self.panes = panes
        self.tabs = PaneTabs(panes, glyphs, self.select)
        self.current_index = 0
        self.is_zoomed = False
        self.scrolls_together = False
        self._by_debater = {pane.state.id: pane for pane in panes}
        self._times_sign = glyphs.times
        self._on_change = on_change
        self._show_message = show_message
        self._pane_layout = PaneLayout(LayoutKind.COLUMNS, len(panes))
        self._screen_size = Size(0, 0)
        self._other_rows = CHROME_HEIGHT
        self._shrunk: list[Pane] = []
        self._panel: MaterialPanel | None = None
        self._is_covered = False
        self._reads_panel = False
        """Whether the panel has the focus, unless the user types into an input."""

    @property
    def current(self) -> Pane:
        """The pane that keys apply to."""
        return self.panes[self.current_index]

    @property
    def too_small_message(self) -> str:
        """Why only one pane fits; empty if all do."""
        return self._pane_layout.too_small_message

    @property
    def is_all_paused(self) -> bool:
        """Whether every debater is paused."""
        return all(pane.state.is_paused for pane in self.panes)

    def find(self, debater: str) -> Pane | None:
        """Return the pane of a debater."""
        return self._by_debater.get(debater)

    # Arrangement

    def fit_to(self, size: Size, reserved_rows: int = 0) -> None:
        """Arrange the panes for a screen of this size; `reserved_rows` of it are always in use."""
        self._screen_size, self._other_rows = size, CHROME_HEIGHT + reserved_rows
        self._arrange()
        if self._is_covered and not self._reads_panel:
            self.close_panel()

    def _arrange(self) -> None:
        """Show the panes that fit, or only the current one if it is zoomed or only tabs fit."""
        self._shrunk = self._find_shrunk()
        full = [pane for pane in self.panes if pane not in self._shrunk]
        self._pane_layout = self._choose_layout(len(full))
        tabs = self._pane_layout.kind is LayoutKind.TABS
        self.tabs.display = tabs
        if tabs:
            self.call_later(self._mount_tabs)
        if self._is_covered:
            for pane in self.panes:
                pane.display = False
        elif tabs or self.is_zoomed:
            self._show_current()
        else:
            self._show_grid(full)
        self.tabs.refresh_rows()

    def _choose_layout(self, panes: int) -> PaneLayout:
        """Choose the layout for the panes, and the width of the panel if it is open."""
        width, height = self._screen_size
        other_rows = self._other_rows + len(self._shrunk)
        layout = choose_layout(panes, width, height, self._times_sign, other_rows=other_rows)
        self._is_covered = False
        if self._panel is None or not self.has_panel:
            return layout
        taken = min(max(MIN_PANEL_WIDTH, width // 3), MAX_PANEL_WIDTH)
        beside = choose_layout(panes, width - taken, height, self._times_sign, other_rows=other_rows)
        self._is_covered = width < MIN_WIDTH_FOR_PANEL or beside.kind is LayoutKind.TABS
        self._panel.fit_to(width if self._is_covered else taken, covering=self._is_covered)
        return layout if self._is_covered else beside

    def _find_shrunk(self) -> list[Pane]:
        return [pane for pane in self.panes if pane.has_left and pane is not self.current]

    def _show_current(self) -> None:
        self.styles.grid_size_columns = 1
        self.styles.grid_rows = "1fr"
        for pane in self.panes:
            pane.styles.column_span = 1
            pane.set_layout(
                displayed=pane is self.current,
                compact=self._pane_layout.compact and not self.is_zoomed,
                alone=True,
            )

    def _show_grid(self, full: Sequence[Pane]) -> None:
        """Show these panes in the grid, and the titles of the others below."""
        columns, last = self._pane_layout.columns, len(full) - 1
        order = [*full, *self._shrunk]
        if self.is_attached and [pane for pane in self.children if pane is not self._panel] != order:
            places: dict[Widget, int] = {pane: place for place, pane in enumerate(order)}
            self.sort_children(key=lambda child: places.get(child, len(places)))
        self.styles.grid_size_columns = columns
        self.styles.grid_rows = " ".join(["1fr"] * (last // columns + 1) + ["1"] * len(self._shrunk))
        for place, pane in enumerate(full):
            spans_row = place == last and place % columns == 0
            pane.styles.column_span = columns if spans_row else 1
            pane.set_layout(
                displayed=True,
                left_border=place % columns > 0,
                top_border=place >= columns,
                compact=self._pane_layout.compact,
                pane_above=full[1] if place == last and place >= columns > 1 else None,
            )
        for pane in self._shrunk:
            pane.styles.column_span = columns
            pane.set_layout(displayed=True)

    def _mount_tabs(self) -> None:
        """Mount the tabs when they are first needed; on most terminals, they never are."""
        if not self.tabs.is_attached:
            self.screen.mount(self.tabs, before=self)

    # The panel

    @property
    def has_panel(self) -> bool:
        """Whether a panel is open."""
        return self._panel is not None and bool(self._panel.display)

    @property
    def current_text(self) -> TurnText:
        """The text that has the focus, unless the user types into an input: of the panel or a pane."""
        return self._panel.text if self._panel is not None and self._reads_panel else self.current.turn_text

    def add_panel(self, panel: MaterialPanel) -> AwaitMount:
        """Add a panel, which stays closed until `open_panel`."""
        self._panel = panel
        panel.display = False
        return self.mount(panel)

    def open_panel(self) -> None:
        """Open the panel and give it the focus."""
        if self._panel is not None:
            self._panel.display = True
            self._reads_panel = True
            self._arrange()
            self.focus_current()
            self._on_change()

    def close_panel(self) -> None:
        """Close the panel; if it has the focus, give that to the current pane."""
        if self._panel is not None:
            self._panel.display = False
            self._arrange()
            if self._reads_panel or self.screen.focused is self._panel.text:
                self._reads_panel = False
                self.focus_current()
            self._on_change()

    def action_zoom(self) -> None:
        """Expand the current pane to the whole screen, or restore all panes."""
        if self._pane_layout.kind is not LayoutKind.TABS:
            self.is_zoomed = not self.is_zoomed
            self._arrange()
            self._on_change()

    # Reading

    def action_jump_turn(self, steps: int) -> None:
        """Scroll the current pane to its next turn, or to the previous one with `steps` of −1."""
        self.current.jump_turn(steps)

    def action_toggle_scrolling(self) -> None:
        """Scroll the panes together from now on, or separately."""
        self.scrolls_together = not self.scrolls_together
        if self.scrolls_together:
            self._align_panes(self.current)
        self._show_message(
            "Scrolling the panes together" if self.scrolls_together else "Scrolling the panes separately"
        )

    def on_turn_text_scrolled(self, message: TurnText.Scrolled) -> None:
        if self.scrolls_together:
            self._align_panes(next(pane for pane in self.panes if pane.turn_text is message.turn_text))

    def _align_panes(self, leader: Pane) -> None:
        """Scroll the other panes to the turn at the top of this one, or to the end with it."""
        step, offset = leader.reading_position
        with painter.frame(self.screen):
            for pane in self.panes:
                if pane is leader:
                    continue
                if leader.turn_text.viewport.following:
                    pane.turn_text.show_line(pane.turn_text.line_count)
                else:
                    pane.show_position(step, offset)

    # The current pane

    def action_select_next(self, steps: int) -> None:
        """Make the next pane current, or the previous one with `steps` of −1.

        An open panel has its place after the last pane.
        """
        here = len(self.panes) if self._reads_panel else self.current_index
        index = (here + steps) % (len(self.panes) + self.has_panel)
        if index < len(self.panes):
            self.select(index)
        else:
            self.open_panel()

    def select(self, index: int) -> None:
        """Make a pane current and give it the focus; close a panel that covers it."""
        if self._is_covered:
            self.close_panel()
        self._reads_panel = False
        if index != self.current_index:
            before, self.current_index = self.current, index
            single = self.is_zoomed or self._pane_layout.kind is LayoutKind.TABS
            if single or before.has_left or self.current.has_left:
                self._arrange()
        self.focus_current()
        self._on_change()

    def focus_current(self) -> None:
        """Give the panel or the current pane the focus, and show it at once."""
        with painter.frame(self.screen):
            for pane in self.panes:
                pane.show_focus(focused=pane is self.current and not self._reads_panel)
            if self._panel is not None:
                self._panel.show_focus(focused=self._reads_panel)
        target = self.current_text if self._reads_panel else self.current.focus_target
        self.screen.set_focus(target, scroll_visible=False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Make the pane current that has got the focus, such as by a click."""
        if event.widget is not self.screen.focused:
            return  # the focus has moved to another pane since then
        if self._panel is not None and self._panel in event.widget.ancestors:
            self._reads_panel = True
            self._on_change()
        for place, pane in enumerate(self.panes):
            if (place != self.current_index or self._reads_panel) and pane in event.widget.ancestors:
                self.select(place)

    def on_click(self, event: Click) -> None:
        """Make the pane current whose title or meter was clicked."""
        clicked, _ = self.screen.get_widget_at(*event.screen_offset)
        for place, pane in enumerate(self.panes):
            if pane in clicked.ancestors_with_self:
                self.select(place)

    def tick(self) -> None:
        """Update what changes with time."""
        for pane in self.panes:
            pane.tick()
        if self._find_shrunk() != self._shrunk:
            self._arrange()
        self.tabs.refresh_rows()


MAX_TAB_NAME_CHARACTERS = 16


class PaneTabs(TextRows):
    """One line with a tab per pane; the current one is bright, and a mark shows unread text."""

    def __init__(self, panes: Sequence[Pane], glyphs: Glyphs, on_select: Callable[[int], None]) -> None:
        super().__init__(glyphs)
        self._panes = panes
        self._on_select = on_select
        self._click_targets: list[range] = []

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the icon, name and unread mark of every debater."""
        now = time.monotonic()
        names = [one_line(pane.state.info.name, 40) for pane in self._panes]
        longest = max(3, min(MAX_TAB_NAME_CHARACTERS, (width - 6 * len(names)) // max(1, len(names))))
        pieces: list[Piece] = []
        self._click_targets.clear()
        x = self.inset
        for pane, name in zip(self._panes, names, strict=True):
            badge = pane.state.badge(now)
            label = name if cell_len(name) <= longest else f"{name[: longest - 1]}{self._glyphs.ellipsis}"
            shown = pane.is_displayed
            mark = self._glyphs.unread if pane.has_unread else " "
            tab = [
                Piece(f"{badge.icon(self._glyphs)} ", badge.tone),
                Piece(label, pane.state.tone if shown else Tone.QUIET, bold=shown),
                Piece(f" {mark} ", pane.state.tone),
            ]
            cells = sum(cell_len(piece.text) for piece in tab)
            self._click_targets.append(range(x, x + cells))
            x += cells
            pieces += tab
        return (Row(tuple(pieces)),)

    def on_click(self, event: Click) -> None:
        for index, cells in enumerate(self._click_targets):
            if event.x in cells:
                self._on_select(index)
                return
