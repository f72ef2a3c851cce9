"""The panel with a debate's material: the list of its texts, and below it all of them on one page."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from debate_tui.display.markdown import ASCII_SYMBOLS, UNICODE_SYMBOLS
from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.domain.wording import count_of
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.option_list import MARK_CELLS, MarkedList, to_content
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, justify
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.widgets import OptionList

    from debate_tui.domain.events import MaterialInfo
    from debate_tui.domain.material import Material
    from debate_tui.tui.symbols import Glyphs

MARKDOWN_SUFFIXES = (".md", ".markdown", ".html", ".htm")
"""Endings of the names of texts that are Markdown, or were made Markdown; others are shown as they are."""

SLICE_CHARACTERS = 8000
"""Characters added to the page at once, so that neither keys nor streams wait for a long text."""


class PanelRow(TextRows):
    """One row of the panel; `make_row` returns it for a number of cells."""

    DEFAULT_CSS = "PanelRow { height: 1; background: $background; }"

    def __init__(self, make_row: Callable[[int], Row], glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._make_row = make_row

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the row."""
        return (self._make_row(width),)


class MaterialPanel(Vertical):
    """A panel beside the panes, or over them.

    `infos` are the texts in the order of their numbers; they are read with `load`. `recipient_name`
    returns the name of the only debater who gets a text.
    """

    DEFAULT_CSS = """
    MaterialPanel {
        dock: right;
        height: 100%;
        background: $background;
        border-left: solid $faint;
        &.-ascii { border-left: ascii $faint; }
        &.-covering { border-left: none; }
        MarkedList { height: auto; max-height: 30%; background: $background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "material.choose(1)"),
        Binding("left_square_bracket", "material.choose(-1)"),
    ]

    def __init__(
        self, infos: Sequence[MaterialInfo], recipient_name: Callable[[str], str], glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._infos = infos
        self._recipient_name = recipient_name
        self._glyphs = glyphs
        self._width = 0
        self._is_focused = False
        self._title = PanelRow(self._title_row, glyphs)
        self._list = MarkedList(glyphs, [to_content((), glyphs) for _ in infos])
        self._list.can_focus = False  # its keys are those of the text
        self._rule = PanelRow(self._rule_row, glyphs)
        self.text = TurnText(ASCII_SYMBOLS if glyphs.is_ascii else UNICODE_SYMBOLS)
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """Yield the title, the list, a rule and the texts."""
        yield self._title
        yield self._list
        yield self._rule
        yield self.text

    # Content

    async def load(self, material: Sequence[Material]) -> None:
        """Write the texts on the page, in slices."""
        self.text.clear()
        self.text.viewport.following = False
        page = self.text.page
        for piece in material:
            page.append_heading(f"[{piece.number}] {one_line(piece.name)}", piece.number)
            for part in _slices(sanitise(piece.text).strip("\n")):
                if piece.name.lower().endswith(MARKDOWN_SUFFIXES):
                    page.append_text(f"{part}\n", turn=piece.number)
                else:
                    page.append_text(part, "literal", piece.number)
                self.text.flush()
                self.text.tick()  # lay out what is out of sight, too
                await asyncio.sleep(0)
        self._highlight_shown()

    def show_problem(self, message: str) -> None:
        """Show why there are no texts."""
        self.text.clear()
        self.text.page.append_notice(message, Tone.FAILED)
        self.text.flush()

    def choose(self, steps: int) -> None:
        """Scroll to the start of the next text, or of the previous one with `steps` of −1."""
        chosen = (self._list.highlighted or 0) + steps
        self._show_text(max(0, min(chosen, len(self._infos) - 1)))

    def _show_text(self, index: int) -> None:
        self._list.highlighted = index
        for number, line in self.text.page.heading_lines:
            if number == index + 1:
                self.text.show_line(line)

    def _highlight_shown(self) -> None:
        """Highlight the text at the top of the page in the list."""
        lines = self.text.page.heading_lines
        index = bisect_right(lines, self.text.viewport.top, key=itemgetter(1)) - 1
        self._list.highlighted = lines[max(0, index)][0] - 1 if lines else 0

    # Layout

    def fit_to(self, width: int, *, covering: bool) -> None:
        """Take `width` columns on the right, or all of them if it is `covering` the panes."""
        self._width = width - (0 if covering else 1)
        self.set_class(covering, "-covering")
        self.styles.width = "100%" if covering else width
        for index, info in enumerate(self._infos):
            self._list.replace_option_prompt_at_index(index, self._option(index, info))

    def show_focus(self, *, focused: bool) -> None:
        """Show whether the panel has the focus, without waiting for the focus events."""
        self._is_focused = focused
        self._title.refresh_rows()
        self._rule.refresh_rows()

    def _title_row(self, width: int) -> Row:
        count = count_of(len(self._infos), "text")
        size = count_of(sum(each.characters for each in self._infos), "character")
        facts = f"{count} {self._glyphs.separator} {size}"
        title = Piece("Material", Tone.FOCUS if self._is_focused else Tone.TEXT, bold=self._is_focused)
        room = width - len(title.text) - 2
        return Row((title,), (Piece(facts if len(facts) <= room else count, Tone.QUIET),))

    def _rule_row(self, width: int) -> Row:
        line = self._glyphs.heavy_line if self._is_focused else self._glyphs.thin_line
        return Row((Piece(line * width, Tone.FOCUS if self._is_focused else Tone.FAINT),))

    def _option(self, index: int, info: MaterialInfo) -> Content:
        whom = f"only for {self._recipient_name(info.debater)}" if info.debater else ""
        size = f"{info.characters:,}"
        right = (
            [Piece(f"{whom}  ", Tone.PAUSED), Piece(size, Tone.QUIET)] if whom else [Piece(size, Tone.QUIET)]
        )
        row = Row((Piece(f"[{index + 1}] ", Tone.QUIET), Piece(one_line(info.name))), tuple(right))
        room = max(1, self._width - MARK_CELLS - 1)
        return to_content(justify(row, room, self._glyphs.ellipsis), self._glyphs)

    # Messages

    def on_descendant_blur(self) -> None:
        """Show that the panel has lost the focus."""
        self.show_focus(focused=False)

    def on_descendant_focus(self) -> None:
        """Show that the panel has the focus."""
        self.show_focus(focused=True)

    def on_turn_text_scrolled(self, message: TurnText.Scrolled) -> None:
        """Highlight the text that the reader has scrolled to."""
        message.stop()  # it is not a pane that others scroll along with
        self._highlight_shown()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Scroll to the text that was clicked."""
        message.stop()
        self._show_text(message.option_index)


def _slices(text: str) -> Iterator[str]:
    """Yield the lines of a text in parts of about `SLICE_CHARACTERS`, without line feeds between them."""
    start = 0
    while len(text) - start > SLICE_CHARACTERS and (end := text.find("\n", start + SLICE_CHARACTERS)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]
