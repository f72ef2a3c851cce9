"""What the names of a document's styles look like in the theme of the moment."""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.filter import LineFilter
from textual.renderables.background_screen import BackgroundScreen

from debate_tui.tui.painter import RowStrip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.color import Color as RichColor
    from textual.widget import Widget

    from debate_tui.display.markdown import Line, Run


_STYLE_TABLE: dict[str, tuple[str, str, Style]] = {
    "heading": ("prose-heading", "", Style(bold=True)),
    "strong": ("prose-strong", "", Style(bold=True)),
    "emphasis": ("prose-emphasis", "", Style(italic=True)),
    "strike": ("", "", Style(strike=True)),
    "code": ("prose-code", "prose-code-background", Style()),
    "link": ("prose-link", "", Style(underline=True)),
    "url": ("quiet", "", Style()),
    "marker": ("prose-marker", "", Style()),
    "border": ("prose-border", "", Style()),
    "quote": ("prose-quote", "", Style()),
    "reasoning": ("quiet", "", Style(italic=True)),
    "keyword": ("syntax-keyword", "", Style()),
    "string": ("syntax-string", "", Style()),
    "number": ("syntax-number", "", Style()),
    "comment": ("syntax-comment", "", Style(italic=True)),
    "name": ("syntax-name", "", Style()),
    "selection": ("screen-selection-foreground", "screen-selection-background", Style()),
    "match": ("warning", "panel", Style(underline=True)),
    "current": ("background", "warning", Style(bold=True, underline=False)),
}
"""Colour, background and attributes; the colours are theme variables. Any other name is a variable itself."""


class StyleResolver:
    """The styles a widget writes with, and the strips it writes; to be made anew when the theme changes."""

    def __init__(self, widget: Widget) -> None:
        self.base_style = widget.visual_style.rich_style
        self._variables = widget.app.theme_variables
        self._filters = widget.get_line_filters()
        self._background = widget.background_colors[1]
        self._styles: dict[str, Style] = {"": self.base_style}
        self._blank_strips: dict[int, RowStrip] = {}

    def style(self, names: str) -> Style:
        """The style of some names, of which the later ones win."""
        style = self._styles.get(names)
        if style is None:
            style = self.base_style
            for name in names.split():
                colour, background, attributes = _STYLE_TABLE.get(name, (name, "", Style()))
                style += attributes + Style(color=self._colour(colour), bgcolor=self._colour(background))
            self._styles[names] = style
        return style

    def build_strip(self, runs: Iterable[Run], line: Line, width: int) -> RowStrip:
        """Runs with a line's text as a row of `width` cells, with a blank at either end and its `fill`."""
        base = self.base_style
        text, style = " ", base
        segments: list[Segment] = []
        for run, names in runs:
            following = self.style(names)
            if following is style:
                text += run
            else:
                segments.append(Segment(text, style))
                text, style = run, following
        free = width - line.width - 2
        if free > 0 and line.fill:
            segments += [Segment(text, style), Segment(" " * free, self.style(line.fill))]
            text, style, free = "", base, 0
        end = " " * (max(0, free) + 1)
        if style is base:
            segments.append(Segment(text + end, base))
        else:
            segments += [Segment(text, style), Segment(end, base)]
        strip = RowStrip(segments, max(width, line.width + 2))
        return strip if free >= 0 and not self._filters else self._fit_and_filter(strip, width)

    def blank_strip(self, width: int) -> RowStrip:
        """An empty row."""
        if width not in self._blank_strips:
            self._blank_strips[width] = self._fit_and_filter(
                RowStrip([Segment(" " * width, self.base_style)], width), width
            )
        return self._blank_strips[width]

    def _fit_and_filter(self, row: RowStrip, width: int) -> RowStrip:
        strip = row.adjust_cell_length(width, self.base_style)
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, self._background)
        return RowStrip(strip, width)

    def _colour(self, variable: str) -> RichColor | None:
        """A theme variable's colour as it is over the widget's background; nothing if it is transparent."""
        try:
            colour = Color.parse(self._variables.get(variable, "transparent"))
        except ColorParseError:
            return None
        if not colour.a and colour.ansi is None:
            return None
        return (self._background + colour).rich_color if colour.a < 1 else colour.rich_color


# The tones the screen speaks in; a theme says which colours they are.


class Tone(enum.StrEnum):
    """What a colour means; the value is the theme variable that holds it."""

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


def resolve_colour(variables: dict[str, str], tone: Tone | str) -> Color:
    """The colour of a tone in the theme whose variables these are; any other text names a colour itself."""
    return Color.parse(variables[tone] if isinstance(tone, Tone) else tone)


# ``NO_COLOR``: what colours say is said by reverse and dim text, or not at all.


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
