"""Direct painting: sends the changes of several widgets to the terminal immediately, as one frame.

Textual's own way to paint (`Widget.refresh`) goes through the message pump and a timer. It takes up to 33 ms,
and composes every changed row from all widgets that cross it. A widget that knows which of its rows changed
can send them as they are if nothing covers it. This module is the only one that uses Textual's private
compositor (8.2); where its assumptions do not hold, the widget is refreshed as usual. It is removable once
Textual can paint given rows of a widget at once.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.color import Color
    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from rich.style import Style
    from textual.screen import Screen

    AnyScreen = Screen[Any]


# Encoding styled strips as escape sequences that contain only the changes between styles.
#
# Textual sets and resets the whole style of every segment. With two 24-bit colours that takes 40 bytes per
# segment, which is most of the output of a text pane.


RESET = "\x1b[0m"

_ATTRIBUTE_CODES = (
    ("bold", "1", "22"),
    ("dim", "2", "22"),
    ("italic", "3", "23"),
    ("underline", "4", "24"),
    ("blink", "5", "25"),
    ("blink2", "6", "25"),
    ("reverse", "7", "27"),
    ("conceal", "8", "28"),
    ("strike", "9", "29"),
    ("underline2", "21", "24"),
    ("frame", "51", "54"),
    ("encircle", "52", "54"),
    ("overline", "53", "55"),
)
"""Rich's attributes with the codes that turn them on and off (some share the latter)."""


class RowStrip(Strip):
    """A strip that caches its escape sequences, because it will be painted again."""

    cached_encoding: tuple[ColorSystem, str] | None = None


def encode_rows(rows: Iterable[tuple[int, int, Strip]], system: ColorSystem) -> str:
    """Encode strips with their column and row (from 0); end with the terminal's default style."""
    parts: list[str] = [RESET]
    current: Style | None = None
    for x, y, strip in rows:
        segments = strip._segments
        if not segments:
            continue
        parts.append(f"\x1b[{y + 1};{x + 1}H")
        parts.append(style_transition(current, segments[0].style, system))
        parts.append(_encode_strip(strip, segments, system))
        current = segments[-1].style
    parts.append(RESET)
    return "".join(parts)


def _encode_strip(strip: Strip, segments: list[Segment], system: ColorSystem) -> str:
    if not isinstance(strip, RowStrip):
        return _encode_segments(segments, system)
    if strip.cached_encoding is None or strip.cached_encoding[0] is not system:
        strip.cached_encoding = system, _encode_segments(segments, system)
    return strip.cached_encoding[1]


def _encode_segments(segments: list[Segment], system: ColorSystem) -> str:
    style = segments[0].style
    parts: list[str] = []
    for text, following, _ in segments:
        if following is not style:
            parts.append(style_transition(style, following, system))
            style = following
        parts.append(text)
    return "".join(parts)


@lru_cache(4096)
def style_transition(old: Style | None, new: Style | None, system: ColorSystem) -> str:
    """Return the escape sequence from one style to another; `None` is the terminal's default."""
    if old == new:
        return ""
    if new is None:
        return RESET
    codes: list[str] = []
    off: set[str] = set()
    for name, _, code in _ATTRIBUTE_CODES:
        if old is not None and getattr(old, name) and not getattr(new, name):
            off.add(code)
    codes += sorted(off)
    for name, on, code in _ATTRIBUTE_CODES:
        if getattr(new, name) and (old is None or not getattr(old, name) or code in off):
            codes.append(on)
    codes += _colour_codes(old.color if old else None, new.color, system, foreground=True)
    codes += _colour_codes(old.bgcolor if old else None, new.bgcolor, system, foreground=False)
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _colour_codes(
    old: Color | None, new: Color | None, system: ColorSystem, *, foreground: bool
) -> list[str]:
    if old == new:
        return []
    if new is None:
        return ["39" if foreground else "49"]
    return list(new.downgrade(system).get_ansi_codes(foreground))


# ruff: noqa: SLF001 (from here on, the private compositor is used; see the top)


class RowWidget(Widget, inherit_css=False):
    """A widget that renders its own rows.

    It does not inherit Textual's CSS for widgets (scroll bars, links), as none of it applies.
    """

    def row(self, y: int) -> Strip:
        """Return one row over the whole width of the widget, as `render_lines` does."""
        raise NotImplementedError


class BlankWidget(Widget):
    """A widget that shows only its background, where its children do not cover it.

    Textual (8.2) does not apply line filters to such widgets; this class does until Textual does.
    """

    BLANK = True

    def render_lines(self, crop: Region) -> list[Strip]:
        strips = super().render_lines(crop)
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips


DirtyRows = dict[tuple[RowWidget, Size], set[int]]
"""The changed rows of each widget, with the size the widget had at the time."""

_open_frames: dict[AnyScreen, DirtyRows] = {}
_pending_rows: dict[AnyScreen, DirtyRows] = {}


@contextmanager
def frame(screen: AnyScreen) -> Iterator[None]:
    """Collect the rows passed to `repaint_rows` within the block, and paint them as one frame at its end.

    Blocks may be nested: the outermost one paints. Do not `await` within the block.
    """
    if screen in _open_frames:
        yield
        return
    _open_frames[screen] = _pending_rows.pop(screen, {})
    try:
        yield
    finally:
        _paint(screen, _open_frames.pop(screen))


def repaint_rows(widget: RowWidget, rows: Iterable[int]) -> None:
    """Repaint rows of a widget in the open frame, or in one painted in the next loop iteration.

    So everything that a key or a message changes is also one frame, and shows immediately.
    """
    rows = set(rows)
    if not rows or not widget.is_attached:
        return
    screen = widget.screen
    changed = _open_frames[screen] if screen in _open_frames else _pending_rows.get(screen)
    if changed is None:
        changed = _pending_rows[screen] = {}
        asyncio.get_running_loop().call_soon(_paint_pending, screen)
    changed.setdefault((widget, widget.size), set()).update(rows)


def _paint_pending(screen: AnyScreen) -> None:
    if (changed := _pending_rows.pop(screen, None)) is not None:
        _paint(screen, changed)


def _paint(screen: AnyScreen, dirty: DirtyRows) -> None:
    spans: list[tuple[int, int, Strip]] = []
    ready = _can_paint_directly(screen)
    for (widget, size), rows in dirty.items():
        place = _unobstructed_region(screen, widget) if ready and widget.size == size else None
        if place is None:
            if widget.is_attached:
                _refresh(widget, rows)
            continue
        spans += [(place.x, place.y + y, widget.row(y)) for y in rows if y < place.height]
    if spans:
        spans.sort(key=lambda span: span[:2])
        screen.app._display(screen, cast("RenderableType", _RowsUpdate(spans)))


def _refresh(widget: Widget, rows: set[int]) -> None:
    width = widget.size.width
    widget.refresh(*[Region(0, first, width, last - first + 1) for first, last in _row_ranges(rows)])


def _row_ranges(rows: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last row of each contiguous range."""
    first = last = -2
    for row in sorted(rows):
        if row != last + 1:
            if last >= 0:
                yield first, last
            first = row
        last = row
    if last >= 0:
        yield first, last


def _can_paint_directly(screen: AnyScreen) -> bool:
    """Return whether the screen is active and its layout is up to date."""
    app = screen.app
    return (
        screen is app.screen
        and not app.is_inline
        and not app._batch_count
        and not screen._layout_required
        and not screen._scroll_required
        and not screen._repaint_required
    )


def _unobstructed_region(screen: AnyScreen, widget: Widget) -> Region | None:
    """Return a widget's region if all of it is visible and nothing covers it."""
    visible = screen._compositor.visible_widgets
    if widget not in visible:
        return None
    region, clip = visible[widget]
    if not clip.contains_region(region) or region.size != widget.size:
        return None
    for other, (other_region, other_clip) in visible.items():
        if other is widget:
            return region
        if other_region.intersection(other_clip).overlaps(region):
            return None
    return None


class _RowsUpdate(CompositorUpdate):
    """Whole rows of widgets with their positions."""

    def __init__(self, spans: list[tuple[int, int, Strip]]) -> None:
        self._spans = spans

    def render_segments(self, console: Console) -> str:
        return encode_rows(self._spans, console._color_system or ColorSystem.TRUECOLOR)
