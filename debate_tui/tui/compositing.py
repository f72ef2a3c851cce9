"""Painting at once: what several widgets have changed goes to the terminal as one frame, now.

Textual's own way to the screen (`Widget.refresh`) leads through the message pump and a timer: up to 33 ms,
and every row that is touched is put together from all widgets that cross it. A widget that knows which of its
rows changed can hand them over as they are, if nothing lies over it. This module is the only one that touches
Textual's private compositor (8.2); where what it relies on does not hold, the widget is refreshed as usual.
"""

# ruff: noqa: SLF001

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.geometry import Region
from textual.widget import Widget

from debate_tui.tui.sgr import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType
    from textual.screen import Screen
    from textual.strip import Strip

    AnyScreen = Screen[Any]


class RowWidget(Widget):
    """A widget that renders its own rows."""

    def row(self, y: int) -> Strip:
        """One row over the whole width of the widget, as `render_lines` gives it."""
        raise NotImplementedError


_frames: dict[AnyScreen, dict[RowWidget, set[int]]] = {}


@contextmanager
def frame(screen: AnyScreen) -> Iterator[None]:
    """Gather what is shown with `show` within the block, and paint it as one frame at its end.

    May be nested: the outermost block paints. Must not be left open across an `await`.
    """
    if screen in _frames:
        yield
        return
    changed: dict[RowWidget, set[int]] = {}
    _frames[screen] = changed
    try:
        yield
    finally:
        del _frames[screen]
        _paint(screen, changed)


def show(widget: RowWidget, rows: Iterable[int]) -> None:
    """Have some rows of a widget repainted: with the open frame, or else as Textual does it."""
    rows = set(rows)
    if not rows or not widget.is_attached:
        return
    changed = _frames.get(widget.screen)
    if changed is None:
        _refresh(widget, rows)
    else:
        changed.setdefault(widget, set()).update(rows)


def _paint(screen: AnyScreen, changed: dict[RowWidget, set[int]]) -> None:
    spans: list[tuple[int, int, Strip]] = []
    ready = _is_ready(screen)
    for widget, rows in changed.items():
        place = _place(screen, widget) if ready else None
        if place is None:
            _refresh(widget, rows)
            continue
        spans += [(place.x, place.y + y, widget.row(y)) for y in rows if y < place.height]
    if spans:
        spans.sort(key=lambda span: span[:2])
        screen.app._display(screen, cast("RenderableType", _Update(spans)))


def _refresh(widget: Widget, rows: set[int]) -> None:
    width = widget.size.width
    widget.refresh(*[Region(0, first, width, last - first + 1) for first, last in _stretches(rows)])


def _stretches(rows: set[int]) -> Iterator[tuple[int, int]]:
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


def _is_ready(screen: AnyScreen) -> bool:
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


def _place(screen: AnyScreen, widget: Widget) -> Region | None:
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


class _Update(CompositorUpdate):
    """Whole rows of widgets, each at its place."""

    def __init__(self, spans: list[tuple[int, int, Strip]]) -> None:
        self._spans = spans

    def render_segments(self, console: Console) -> str:
        """What to write."""
        return encode(self._spans, console._color_system or ColorSystem.TRUECOLOR)
