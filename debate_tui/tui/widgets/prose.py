"""A stand-in for the prose widget: plain wrapped text."""

from __future__ import annotations

import textwrap

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Prose(Widget, can_focus=True):
    BINDINGS = [
        Binding("up", "line(-1)", show=False),
        Binding("down", "line(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[tuple[str, str]] = []
        self.following = True
        self._top = 0

    def feed(self, text: str, kind: str = "") -> None:
        if self._parts and self._parts[-1][1] == kind:
            self._parts[-1] = (self._parts[-1][0] + text, kind)
        else:
            self._parts.append((text, kind))

    def speak(self, text: str, voice: str) -> None:
        self.feed(text, "" if voice == "answer" else "quiet")

    def head(self, text: str) -> None:
        self.feed(("\n\n" if self._parts else "") + text + "\n\n", "prose-heading")

    def note(self, text: str, tone: str) -> None:
        self.feed("\n\n" + text + "\n", tone)

    def clear(self) -> None:
        self._parts.clear()

    def flush(self) -> None:
        self.refresh()

    def action_line(self, n: int) -> None:
        self.following = False
        self._top = max(0, self._top + n)
        self.refresh()

    def action_page(self, n: int) -> None:
        self.action_line(n * self.size.height)

    def action_top(self) -> None:
        self.following = False
        self._top = 0
        self.refresh()

    def action_bottom(self) -> None:
        self.following = True
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        w = self.size.width
        base = self.visual_style.rich_style
        lines: list[tuple[str, Style]] = []
        for text, kind in self._parts:
            style = base
            if kind:
                try:
                    style = base + Style(color=Color.parse(self.app.theme_variables[kind]).rich_color)
                except KeyError:
                    style = base + Style(bold=True)
            for para in text.split("\n"):
                lines += [(l, style) for l in textwrap.wrap(para, w) or [""]]
        if self.following:
            self._top = max(0, len(lines) - self.size.height)
        view = lines[self._top + crop.y : self._top + crop.bottom]
        out = [Strip([Segment(t, s)]).extend_cell_length(w, base).crop(crop.x, crop.right) for t, s in view]
        return out + [Strip.blank(crop.width, base)] * (crop.height - len(out))
