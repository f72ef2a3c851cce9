"""``NO_COLOR``: what colours say is said by reverse and dim text, or not at all."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.renderables.background_screen import BackgroundScreen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.color import Color as RichColor

HIGHLIGHT_CONTRAST = 0.15
"""How much brighter or darker, from 0 to 1, a background is that is there to be seen, …"""

DIM_CONTRAST = 0.4
"""… text at the most that is not to be looked at first, …"""

INVISIBLE_CONTRAST = 0.05
"""… and what only takes up room."""

_HIGHLIGHT_STYLE, _DIM_STYLE, _BACKGROUND_SCREEN_STYLE = (
    Style(reverse=True),
    Style(dim=True),
    Style(dim=True, bold=False),
)


class NoColourFilter(LineFilter):
    """Takes every colour away, greys too."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            segment if segment.style is None else _without_colour(segment.text, segment.style, background)
            for segment in segments
        ]


class DimmedScreen(BackgroundScreen):
    """A screen over which another one lies, where no colour can say so."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        """See `BackgroundScreen.process_segments`."""
        return Segment.apply_style(
            super().process_segments(segments, color), post_style=_BACKGROUND_SCREEN_STYLE
        )


def _without_colour(text: str, style: Style, background: Color) -> Segment:
    plain, seen = _monochrome_style(style, background)
    segment = Segment(text, plain)
    return segment if seen else Segment(" " * segment.cell_length, plain)


@lru_cache(4096)
def _monochrome_style(style: Style, background: Color) -> tuple[Style, bool]:
    """What a style is without its colours, and whether what is written in it is there to be seen."""
    plain = style.without_color + Style.from_meta(style.meta)
    ground = background.brightness
    behind = _brightness(style.bgcolor, ground)
    if abs(behind - ground) >= HIGHLIGHT_CONTRAST or _is_terminal_highlight(style.bgcolor, background):
        return plain + _HIGHLIGHT_STYLE, True
    contrast = abs(_brightness(style.color, 1 - behind) - behind)
    return plain + _DIM_STYLE if contrast < DIM_CONTRAST else plain, contrast >= INVISIBLE_CONTRAST


def _is_terminal_highlight(colour: RichColor | None, background: Color) -> bool:
    """Whether a background is another of the terminal's own colours: nobody knows how bright they are."""
    if colour is None or colour.is_default or colour.triplet is not None:
        return False
    return colour != background.rich_color


def _brightness(colour: RichColor | None, default: float) -> float:
    if colour is None or colour.triplet is None:
        return default
    return Color.from_rich_color(colour).brightness
