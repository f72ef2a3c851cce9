"""What the names of a document's styles look like in the theme of the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.color import Color, ColorParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.color import Color as RichColor
    from textual.widget import Widget

_SIGNS: dict[str, tuple[str, str, Style]] = {
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
    "match": ("background", "warning", Style()),
    "current": ("background", "accent", Style(bold=True)),
}
"""Colour, background and attributes; the colours are theme variables. Any other name is a variable itself."""


class Ink:
    """Styles for painting, made once each."""

    def __init__(self, base: Style, variables: Mapping[str, str]) -> None:
        self.base = base
        self._variables = variables
        self._styles: dict[str, Style] = {"": base}

    @classmethod
    def of(cls, widget: Widget) -> Ink:
        """The ink a widget writes with now."""
        return cls(widget.visual_style.rich_style, widget.app.theme_variables)

    def style(self, names: str) -> Style:
        """The style of some names, of which the later ones win."""
        style = self._styles.get(names)
        if style is None:
            style = self.base
            for name in names.split():
                colour, background, attributes = _SIGNS.get(name, (name, "", Style()))
                style += attributes + Style(color=self._colour(colour), bgcolor=self._colour(background))
            self._styles[names] = style
        return style

    def _colour(self, variable: str) -> RichColor | None:
        value = self._variables.get(variable)
        if not value:
            return None
        try:
            return Color.parse(value).rich_color
        except ColorParseError:
            return None
