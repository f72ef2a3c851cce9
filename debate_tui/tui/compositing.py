"""Painting at once: what several widgets have changed goes to the terminal as one frame, now.

Textual's own way to the screen (`Widget.refresh`) leads through the message pump and a timer: up to 33 ms,
and every row that is touched is put together from all widgets that cross it. A widget that knows which of its
rows changed can hand them over as they are, if nothing lies over it. This module is the only one that touches
Textual's private compositor (8.2); where what it relies on does not hold, the widget is refreshed as usual.
"""

# ruff: noqa: SLF001

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.geometry import Region, Size
from textual.widget import Widget

from debate_tui.tui.sgr import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType
    from textual.screen import Screen
    from textual.strip import Strip

    AnyScreen = Screen[Any]


class RowWidget(Widget, inherit_css=False):
    """A widget that renders its own rows.

    Of all that Textual says of how widgets look (scroll bars, links) nothing applies to it.
    """

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget, as `render_lines` gives it."""
        raise NotImplementedError


class BlankWidget(Widget):
    """A widget that shows nothing but its background, where its children leave any to be seen.

    Textual (8.2) paints such a widget without asking the line filters.
    """

    BLANK = True

    def render_lines(self, crop: Region) -> list[Strip]:
        """See `Widget.render_lines`."""
        strips = super().render_lines(crop)
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips


DirtyRows = dict[tuple[RowWidget, Size], set[int]]
"""The rows that changed, of every widget and the size that it had then."""

_open_frames: dict[AnyScreen, DirtyRows] = {}
_pending_rows: dict[AnyScreen, DirtyRows] = {}


@contextmanager
def frame(screen: AnyScreen) -> Iterator[None]:
    """Gather what is shown with `repaint_rows` within the block, and paint it as one frame at its end.

    May be nested: the outermost block paints. Must not be left open across an `await`.
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
    """Have some rows of a widget repainted: with the open frame, or one that ends when the event loop turns.

    So all that a key or a message changes is one frame, too, and is seen at once.
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
    """The rows as first and last of each unbroken stretch."""
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
    """Whether the screen is as it was laid out last, and shown."""
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
    """Where a widget is, if it is whole and nothing lies over it."""
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
    """Whole rows of widgets, each at its place."""

    def __init__(self, spans: list[tuple[int, int, Strip]]) -> None:
        self._spans = spans

    def render_segments(self, console: Console) -> str:
        """What to write."""
        return encode_rows(self._spans, console._color_system or ColorSystem.TRUECOLOR)
