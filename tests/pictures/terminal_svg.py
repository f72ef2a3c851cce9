"""What a terminal shows as SVG: one picture, or several as a film that repeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.terminal.terminal_emulator import EmulatedDisplay

CELL_WIDTH = 8.4
ROW_HEIGHT = 18
FONT_SIZE = 14
TITLE_HEIGHT = 30
MARGIN = 10
BACKGROUND, FOREGROUND = "#0b101d", "#e6ebf5"
"""The colours of a cell that has none of its own; those of the theme `vigil`."""
FONT = "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',Consolas,monospace"


class Style(NamedTuple):
    """What a cell looks like; colours are hexadecimal."""

    colour: str = FOREGROUND
    background: str = BACKGROUND
    bold: bool = False
    italic: bool = False
    underlined: bool = False


class Run(NamedTuple):
    """Cells of one style in a row, from column `start` on."""

    start: int
    width: int
    text: str
    style: Style


Picture = tuple[tuple[Run, ...], ...]
"""The rows of a terminal."""


def take_picture(display: EmulatedDisplay) -> Picture:
    """What the terminal shows now."""
    columns, rows = display.cells.columns, display.cells.lines
    return tuple(_runs(display.cells.buffer[y], columns) for y in range(rows))


def _runs(line: object, columns: int) -> tuple[Run, ...]:
    cells = [(x, line[x]) for x in range(columns)]  # type: ignore[index]  # pyte has no types
    runs = []
    for style, group in groupby(cells, key=lambda cell: _style(cell[1])):
        members = list(group)
        text = "".join(cell.data for _, cell in members)
        if text.strip() or style.background != BACKGROUND:
            runs.append(Run(members[0][0], len(members), text, style))
    return tuple(runs)


def _style(cell: object) -> Style:
    colour = _hexadecimal(cell.fg, FOREGROUND)  # type: ignore[attr-defined]  # pyte has no types
    background = _hexadecimal(cell.bg, BACKGROUND)  # type: ignore[attr-defined]
    if cell.reverse:  # type: ignore[attr-defined]
        colour, background = background, colour
    return Style(colour, background, cell.bold, cell.italics, cell.underscore)  # type: ignore[attr-defined]


def _hexadecimal(colour: str, default: str) -> str:
    return default if colour == "default" else f"#{colour}"


@dataclass
class SvgWriter:
    """Writes pictures of one size; styles and rows that appear again are written once."""

    columns: int
    rows: int
    title: str
    styles: dict[Style, str] = field(default_factory=dict)
    row_ids: dict[tuple[Run, ...], str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[float, int]:
        """Width and height of the window."""
        width = self.columns * CELL_WIDTH + 2 * MARGIN
        return round(width, 1), self.rows * ROW_HEIGHT + TITLE_HEIGHT + MARGIN

    def still(self, picture: Picture, alternative: str) -> str:
        """One picture."""
        return self._document("".join(self._uses(picture)), alternative)

    def film(self, frames: Sequence[tuple[float, Picture]], alternative: str) -> str:
        """Pictures with the seconds each is shown; the last one is also what stands still.

        Each picture has an animation of its own that shows it for its share of the whole. The delays are
        negative, so that every animation runs from the beginning.
        """
        total = sum(seconds for seconds, _ in frames)
        shares: dict[str, str] = {}
        groups, start = [], 0.0
        for number, (seconds, picture) in enumerate(frames):
            share = f"{100 * seconds / total:.3f}"
            name = shares.setdefault(share, f"s{len(shares)}")
            kept = " k" if number == len(frames) - 1 else ""
            delay = f'style="animation:{name} {total:.2f}s steps(1) {start - total:.2f}s infinite"'
            groups.append(f'<g class="f{kept}" {delay}>{"".join(self._uses(picture))}</g>\n')
            start += seconds
        rules = [
            f"@keyframes {name}{{0%{{visibility:visible}}{share}%,100%{{visibility:hidden}}}}"
            for share, name in shares.items()
        ]
        css = (
            ".f{visibility:hidden}.k{visibility:visible}"
            + "".join(rules)
            + "@media(prefers-reduced-motion:reduce){.f{animation:none!important}}"
        )
        return self._document("".join(groups), alternative, css)

    def _uses(self, picture: Picture) -> list[str]:
        return [
            f'<use href="#{self.row_ids.setdefault(row, f"r{len(self.row_ids)}")}" y="{y * ROW_HEIGHT}"/>'
            for y, row in enumerate(picture)
            if row
        ]

    def _row(self, row: tuple[Run, ...]) -> str:
        parts = []
        for run in row:
            name = self.styles.setdefault(run.style, f"c{len(self.styles)}")
            if run.style.background != BACKGROUND:
                parts.append(
                    f'<rect x="{run.start * CELL_WIDTH:.1f}" width="{run.width * CELL_WIDTH:.1f}" '
                    f'height="{ROW_HEIGHT}" fill="{run.style.background}"/>'
                )
            parts += _words(run, name)
        return "".join(parts)

    def _document(self, body: str, alternative: str, css: str = "") -> str:
        width, height = self.size
        defs = "".join(f'<g id="{name}">{self._row(row)}</g>\n' for row, name in self.row_ids.items())
        classes = "".join(f".{name}{{{_css(style)}}}" for style, name in self.styles.items())
        dots = "".join(
            f'<circle cx="{18 + 18 * place}" cy="15" r="5" fill="{colour}"/>'
            for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-label="{escape(alternative)}">\n'
            f"<style>text{{font:{FONT_SIZE}px {FONT};white-space:pre}}{classes}{css}</style>\n"
            f"<defs>\n{defs}</defs>\n"
            f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>\n'
            f'<rect width="{width}" height="{TITLE_HEIGHT}" rx="8" fill="#1c2333"/>\n{dots}\n'
            f'<text x="{width / 2}" y="20" text-anchor="middle" fill="#9aa6bf">{escape(self.title)}</text>\n'
            f'<g transform="translate({MARGIN} {TITLE_HEIGHT + 2})">\n{body}</g>\n</svg>\n'
        )


def _words(run: Run, name: str) -> list[str]:
    """The run's text at its columns, whatever the width of the font's characters."""
    text = run.text
    stripped = text.strip(" ")
    if not stripped:
        return []
    start = run.start + len(text) - len(text.lstrip(" "))
    # A run's text can have fewer characters than cells, where characters are wide.
    cells = run.width - (len(text) - len(stripped))
    length = f' textLength="{cells * CELL_WIDTH:.1f}"' if cells > 1 else ""
    return [
        f'<text x="{start * CELL_WIDTH:.1f}" y="14" class="{name}"{length}>'
        f"{escape(stripped, quote=False)}</text>"
    ]


def _css(style: Style) -> str:
    return (
        f"fill:{style.colour}"
        + (";font-weight:bold" if style.bold else "")
        + (";font-style:italic" if style.italic else "")
        + (";text-decoration:underline" if style.underlined else "")
    )
