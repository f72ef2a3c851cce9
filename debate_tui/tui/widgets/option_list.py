"""Textual's option list with a mark at the highlighted option, and styled text for Textual's widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.content import Content
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.widgets import OptionList

from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import sanitise_piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.rows import Piece

MARK_CELLS = 2


class PlainScrollBarRender(ScrollBarRender):
    """A scrollbar whose ends are at whole rows."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8


class MarkedList(OptionList):
    """A list of options of equal height; a mark shows the highlighted one without colours, too.

    Without `marks_unfocused`, the mark is only shown while the list has the focus.
    """

    DEFAULT_CSS = """
    MarkedList {
        border: none;
        padding: 0;
        background: transparent;
        scrollbar-size: 0 0;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &.-ascii { text-overflow: clip; }
        & > .option-list--option { padding: 0 1 0 2; }
        & > .option-list--option-highlighted {
            color: $foreground;
            background: transparent;
            text-style: none;
        }
        & > .option-list--option-disabled { color: $foreground; }
        & > .option-list--option-hover { background: transparent; }
        &:focus {
            border: none;
            background-tint: transparent;
            & > .option-list--option-highlighted {
                color: $focus;
                background: transparent;
                text-style: none;
            }
        }
    }
    """
    marks_unfocused = True
    rows_per_option = 1

    def __init__(self, glyphs: Glyphs, options: Iterable[Content] = ()) -> None:
        super().__init__(*options)
        self._mark = glyphs.interjection.ljust(MARK_CELLS)
        self.set_class(glyphs.is_ascii, "-ascii")

    def render_line(self, y: int) -> Strip:
        """Return a line, with the mark if it is the first of the highlighted option."""
        strip = super().render_line(y)
        is_marked = self.has_focus or self.marks_unfocused
        if self.highlighted is None or not is_marked:
            return strip
        if self.scroll_offset.y + y != self.highlighted * self.rows_per_option:
            return strip
        style = self.get_visual_style("option-list--option", "option-list--option-highlighted").rich_style
        mark = Strip([Segment(self._mark, style)], MARK_CELLS)
        return Strip.join([mark.apply_meta({"option": self.highlighted}), strip.crop(MARK_CELLS)])


def to_content(pieces: Iterable[Piece], glyphs: Glyphs) -> Content:
    """Return pieces as content: sanitised, never parsed as markup, and in ASCII if necessary.

    Pieces in `Tone.TEXT` take the colour of the widget.
    """
    return Content.assemble(
        *(
            (
                glyphs.displayable(sanitise_piece(piece).text),
                f"{_colour(piece.tone)} {'bold' if piece.bold else ''}".strip(),
            )
            for piece in pieces
        )
    )


def to_lines(rows: Iterable[Iterable[Piece]], glyphs: Glyphs) -> Content:
    """Return rows of pieces as content of several lines."""
    return Content("\n").join(to_content(pieces, glyphs) for pieces in rows)


def _colour(tone: Tone | str) -> str:
    """Return a tone as a theme variable; any other text is a colour itself."""
    if tone is Tone.TEXT:
        return ""
    return f"${tone}" if isinstance(tone, Tone) else tone
