"""The tones used on screen, whose colours the theme sets, and what replaces them without colours."""

from __future__ import annotations

import enum
import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.renderables.background_screen import BackgroundScreen

from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.color import Color as RichColor

    from debate_tui.domain.events import DebaterInfo


class Tone(enum.StrEnum):
    """The meaning of a colour; the value is the name of its theme variable."""

    TEXT = "foreground"
    QUIET = "quiet"
    FAINT = "faint"
    FOCUS = "focus"
    WAITING = "badge-waiting"
    CONNECTED = "badge-connected"
    STREAMING = "badge-streaming"
    PAUSED = "badge-paused"
    RECONNECTING = "badge-reconnecting"
    FAILED = "badge-failed"
    FINISHED = "badge-finished"
    DEBATER_1 = "debater-1"
    DEBATER_2 = "debater-2"
    DEBATER_3 = "debater-3"
    DEBATER_4 = "debater-4"


_DEBATER_TONES = (Tone.DEBATER_1, Tone.DEBATER_2, Tone.DEBATER_3, Tone.DEBATER_4)


def debater_tones(debaters: Iterable[str]) -> dict[str, Tone]:
    """Return the tone of each debater, by place; `debaters` are the ids of all of them in order."""
    return dict(zip(debaters, itertools.cycle(_DEBATER_TONES), strict=False))


def tones_by_name(debaters: Mapping[str, DebaterInfo]) -> dict[str, Tone]:
    """Return the tones of debaters by name, and those of sides, which are those of their first debaters."""
    tones: dict[str, Tone] = {}
    for debater, tone in debater_tones(debaters).items():
        tones.setdefault(one_line(debaters[debater].side), tone)
        tones[one_line(debaters[debater].name)] = tone
    return tones


def resolve_colour(variables: dict[str, str], tone: Tone | str) -> Color:
    """Return the colour of a tone, given a theme's variables; any other text is a colour itself."""
    return Color.parse(variables[tone] if isinstance(tone, Tone) else tone)


# With ``NO_COLOR``, reverse and dim text replace colours, or nothing does.


HIGHLIGHT_CONTRAST = 0.15
"""Difference in brightness (0 to 1) from which a background is a highlight."""

DIM_CONTRAST = 0.4
"""Contrast (0 to 1) below which text counts as secondary and is dimmed."""

INVISIBLE_CONTRAST = 0.05
"""Contrast (0 to 1) below which text only fills space."""

_HIGHLIGHT_STYLE, _DIM_STYLE, _BACKGROUND_SCREEN_STYLE = (
    Style(reverse=True),
    Style(dim=True),
    Style(dim=True, bold=False),
)


class NoColourFilter(LineFilter):
    """A filter that removes all colours, including greys."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.style is None else _without_colour(segment.text, segment.style, background)
            for segment in segments
        ]


class DimmedScreen(BackgroundScreen):
    """A screen below another one, dimmed by style because colours cannot show it."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        return Segment.apply_style(
            super().process_segments(segments, color), post_style=_BACKGROUND_SCREEN_STYLE
        )


def _without_colour(text: str, style: Style, background: Color) -> Segment:
    plain, seen = _monochrome_style(style, background)
    segment = Segment(text, plain)
    return segment if seen else Segment(" " * segment.cell_length, plain)


@lru_cache(4096)
def _monochrome_style(style: Style, background: Color) -> tuple[Style, bool]:
    """Return a style without its colours, and whether text in it would be visible."""
    plain = style.without_color + Style.from_meta(style.meta)
    ground = background.brightness
    behind = _brightness(style.bgcolor, ground)
    if abs(behind - ground) >= HIGHLIGHT_CONTRAST or _is_terminal_highlight(style.bgcolor, background):
        return plain + _HIGHLIGHT_STYLE, True
    contrast = abs(_brightness(style.color, 1 - behind) - behind)
    return plain + _DIM_STYLE if contrast < DIM_CONTRAST else plain, contrast >= INVISIBLE_CONTRAST


def _is_terminal_highlight(colour: RichColor | None, background: Color) -> bool:
    """Return whether a background is one of the terminal's own colours, of unknown brightness."""
    if colour is None or colour.is_default or colour.triplet is not None:
        return False
    return colour != background.rich_color


def _brightness(colour: RichColor | None, default: float) -> float:
    if colour is None or colour.triplet is None:
        return default
    return Color.from_rich_color(colour).brightness
