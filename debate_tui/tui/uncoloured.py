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

MARKED = 0.15
"""How much brighter or darker, from 0 to 1, a background is that is there to be seen, …"""

DIM = 0.4
"""… text at the most that is not to be looked at first, …"""

UNSEEN = 0.05
"""… and what only takes up room."""

_MARKED, _DIM, _BELOW = Style(reverse=True), Style(dim=True), Style(dim=True, bold=False)


class Uncoloured(LineFilter):
    """Takes every colour away, greys too."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        return [
            segment if segment.style is None else _uncoloured(segment.text, segment.style, background)
            for segment in segments
        ]


class Below(BackgroundScreen):
    """A screen over which another one lies, where no colour can say so."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        """See `BackgroundScreen.process_segments`."""
        return Segment.apply_style(super().process_segments(segments, color), post_style=_BELOW)


def _uncoloured(text: str, style: Style, background: Color) -> Segment:
    plain, seen = _look(style, background)
    segment = Segment(text, plain)
    return segment if seen else Segment(" " * segment.cell_length, plain)


@lru_cache(4096)
def _look(style: Style, background: Color) -> tuple[Style, bool]:
    """What a style is without its colours, and whether what is written in it is there to be seen."""
    plain = style.without_color + Style.from_meta(style.meta)
    ground = background.brightness
    behind = _brightness(style.bgcolor, ground)
    if abs(behind - ground) >= MARKED or _is_marked_by_terminal(style.bgcolor, background):
        return plain + _MARKED, True
    contrast = abs(_brightness(style.color, 1 - behind) - behind)
    return plain + _DIM if contrast < DIM else plain, contrast >= UNSEEN


def _is_marked_by_terminal(colour: RichColor | None, background: Color) -> bool:
    """Whether a background is another of the terminal's own colours: nobody knows how bright they are."""
    if colour is None or colour.is_default or colour.triplet is not None:
        return False
    return colour != background.rich_color


def _brightness(colour: RichColor | None, otherwise: float) -> float:
    if colour is None or colour.triplet is None:
        return otherwise
    return Color.from_rich_color(colour).brightness
