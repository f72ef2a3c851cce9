"""The appearance of a document's named styles in the current theme."""

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
"""Colour, background and attributes; colours are theme variables. Any other name is itself a variable."""


class StyleResolver:
    """The styles of a widget and the strips drawn with them; create a new one when the theme changes."""

    def __init__(self, widget: Widget) -> None:
        self.base_style = widget.visual_style.rich_style
        self._variables = widget.app.theme_variables
        self._filters = widget.get_line_filters()
        self._background = widget.background_colors[1]
        self._styles: dict[str, Style] = {"": self.base_style}
        self._blank_strips: dict[int, RowStrip] = {}

    def style(self, names: str) -> Style:
        """Return the style for space-separated names; later names override earlier ones."""
        style = self._styles.get(names)
        if style is None:
            style = self.base_style
            for name in names.split():
                colour, background, attributes = _STYLE_TABLE.get(name, (name, "", Style()))
                style += attributes + Style(color=self._colour(colour), bgcolor=self._colour(background))
            self._styles[names] = style
        return style

    def build_strip(self, runs: Iterable[Run], line: Line, width: int) -> RowStrip:
        """Build a row of `width` cells from runs, with a blank at either end and the line's `fill`."""
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
        """Return an empty row."""
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
        """Return a theme variable's colour over the widget's background; `None` if it is transparent."""
        try:
            colour = Color.parse(self._variables.get(variable, "transparent"))
        except ColorParseError:
            return None
        if not colour.a and colour.ansi is None:
            return None
        return (self._background + colour).rich_color if colour.a < 1 else colour.rich_color


# The tones used on screen; the theme sets their colours.


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
        """See `LineFilter.apply`."""
        return [
            segment if segment.style is None else _without_colour(segment.text, segment.style, background)
            for segment in segments
        ]


class DimmedScreen(BackgroundScreen):
    """A screen below another one, dimmed by style because colours cannot show it."""

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
