"""Rows painted at once are what Textual would have painted, in one frame, wherever they may be painted so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.containers import Horizontal
from textual.events import Blur, Focus
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Label

from debate_tui.tui import painter, themes
from debate_tui.tui.painter import RowStrip, encode_rows, style_transition
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.pilot import Pilot

WIDTH, HEIGHT = 70, 20
SPEECH = """# On *rules*

Some **bold** claims, `code`, ~~struck~~ and [links](http://a.b/c) over lines.

- 日本語の項目です。折り返しもあります。
- item

```python
def f(x): return "s" + 1  # why
```

| a | b |
|---|--:|
| 1 | 2 |

> quoted at some length, so that it wraps
"""


class OtherScreen(Screen[None]):
    """A screen with nothing on it."""


class TwoPaneApp(App[None]):
    """Two panes whose terminal is kept: every frame that is written, and what the screen is then."""

    CSS = """
    Screen { layers: base top; }
    TurnText { width: 1fr; height: 1fr; }
    Label { layer: top; dock: bottom; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.terminal = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.terminal)
        self.frames: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.default_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield TurnText()
            yield TurnText()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if renderable is not None and hasattr(renderable, "render_segments"):
            self.write(renderable.render_segments(self.console))
        super()._display(screen, renderable)

    def write(self, text: str) -> None:
        self.frames.append(text)
        self.stream.feed(text)

    @property
    def panes(self) -> list[TurnText]:
        return list(self.query(TurnText))

    def painted(self) -> list[list[pyte.screens.Char]]:
        """The terminal as it is."""
        return [[self.terminal.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]

    def should_be(self) -> list[list[pyte.screens.Char]]:
        """The terminal as Textual paints it from nothing."""
        fresh = pyte.Screen(WIDTH, HEIGHT)
        update = self.screen._compositor.render_full_update()
        pyte.Stream(fresh).feed(update.render_segments(self.console))
        return [[fresh.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    """The stage, with its first frame painted."""
    app = TwoPaneApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as running:
        await running.pause()
        yield running


def stage_of(pilot: Pilot[None]) -> TwoPaneApp:
    """The stage."""
    assert isinstance(pilot.app, TwoPaneApp)
    return pilot.app


async def test_terminal_shows_what_textual_would_show(pilot: Pilot[None]) -> None:
    """After every flush, scroll, search and tick, down to the colours."""
    stage = stage_of(pilot)
    left, right = stage.panes
    text = SPEECH * 3
    for start in range(0, len(text), 23):
        with painter.frame(stage.screen):
            for pane in stage.panes:
                pane.page.append_text(text[start : start + 23])
                pane.flush()
        if start % 5 == 0:
            left.action_line(-start % 11)
        if start % 7 == 0:
            with painter.frame(stage.screen):
                right.tick()
        assert stage.painted() == stage.should_be()
    left.search("item")
    await pilot.pause()
    assert stage.painted() == stage.should_be()


async def test_all_panes_are_painted_in_one_frame(pilot: Pilot[None]) -> None:
    """However often they are changed within it."""
    stage = stage_of(pilot)
    stage.frames.clear()
    with painter.frame(stage.screen):
        for pane in stage.panes * 2:
            pane.page.append_text("words ")
            with painter.frame(stage.screen):
                pane.flush()
        assert stage.frames == []
    assert len(stage.frames) == 1
    assert stage.frames[0].count("words words") == 2
    with painter.frame(stage.screen):
        pass
    assert len(stage.frames) == 1


async def test_changes_outside_a_frame_are_painted_together(pilot: Pilot[None]) -> None:
    """Not one for each widget, and not when Textual's timer comes round."""
    stage = stage_of(pilot)
    stage.frames.clear()
    for pane in stage.panes * 2:
        pane.page.append_text("words ")
        pane.flush()
    assert stage.frames == []
    await asyncio.sleep(0)
    assert len(stage.frames) == 1
    assert stage.frames[0].count("words words") == 2
    assert stage.painted() == stage.should_be()


async def test_frame_includes_earlier_pending_rows(pilot: Pilot[None]) -> None:
    """Or it would be painted twice."""
    stage = stage_of(pilot)
    left, right = stage.panes
    stage.frames.clear()
    left.page.append_text("before")
    left.flush()
    with painter.frame(stage.screen):
        right.page.append_text("within")
        right.flush()
    assert len(stage.frames) == 1
    assert "before" in stage.frames[0]
    assert "within" in stage.frames[0]
    await pilot.pause()
    assert len(stage.frames) == 1


async def test_pending_rows_are_repainted_after_a_resize(pilot: Pilot[None]) -> None:
    """A layout may come between a change and its frame."""
    stage = stage_of(pilot)
    left, right = stage.panes
    left.page.append_text(SPEECH)
    left.flush()
    right.display = False
    await pilot.pause()
    assert stage.painted() == stage.should_be()
    assert left.size.width == WIDTH


async def test_keys_without_effect_paint_nothing(pilot: Pilot[None]) -> None:
    """A pane looks the same with them; whatever does not says so itself."""
    stage = stage_of(pilot)
    left, right = stage.panes
    left.focus(scroll_visible=False)
    await pilot.pause()
    stage.frames.clear()
    right.track_focus(Focus())
    left.track_focus(Blur())
    await pilot.pause()
    assert stage.frames == []
    assert (left.has_focus, right.has_focus) == (False, True)


async def test_overlapping_widgets_are_not_painted_over(pilot: Pilot[None]) -> None:
    """Then Textual paints it in its own time."""
    stage = stage_of(pilot)
    await stage.screen.mount(Label("on top"))
    await pilot.pause()
    stage.frames.clear()
    with painter.frame(stage.screen):
        for pane in stage.panes:
            pane.page.append_text(SPEECH * 2)
            pane.flush()
    assert "on top" in "\n".join(stage.terminal.display)
    await pilot.pause()
    assert stage.painted() == stage.should_be()
    assert "on top" in "\n".join(stage.terminal.display)


async def test_inactive_screen_is_not_painted(pilot: Pilot[None]) -> None:
    """Nor one that is about to be laid out anew; in the end all is there."""
    stage = stage_of(pilot)
    below = stage.screen
    stage.push_screen(OtherScreen())
    await pilot.pause()
    stage.frames.clear()
    with painter.frame(below):
        for pane in below.query(TurnText):
            pane.page.append_text("hidden words")
            pane.flush()
    assert not any("hidden" in frame for frame in stage.frames)
    stage.pop_screen()
    await pilot.pause()
    assert sum(row.count("hidden words") for row in stage.terminal.display) == 2
    assert stage.painted() == stage.should_be()


_styles = st.builds(
    Style,
    color=st.sampled_from([None, "red", "#102030", "color(200)"]),
    bgcolor=st.sampled_from([None, "blue", "#405060"]),
    bold=st.booleans(),
    dim=st.booleans(),
    italic=st.booleans(),
    underline=st.booleans(),
    strike=st.booleans(),
    reverse=st.booleans(),
)
_strips = st.lists(
    st.builds(Segment, st.text("ab ", min_size=1, max_size=4), st.none() | _styles), max_size=5
)


@given(st.lists(_strips, min_size=1, max_size=4))
def test_style_transitions_equal_full_styles(rows: list[list[Segment]]) -> None:
    """The terminal ends up the same as with every style said whole."""
    full, brief = pyte.Screen(24, 4), pyte.Screen(24, 4)
    strips = [RowStrip(segments, sum(len(segment.text) for segment in segments)) for segments in rows]
    for y, segments in enumerate(rows):
        for segment in segments:
            pyte.Stream(full).feed(
                style_transition(None, segment.style, ColorSystem.TRUECOLOR) + segment.text + "\x1b[0m"
            )
        pyte.Stream(full).feed(f"\x1b[{y + 2};1H")
    for _ in range(2):
        pyte.Stream(brief).feed(
            encode_rows([(0, y, strip) for y, strip in enumerate(strips)], ColorSystem.TRUECOLOR)
        )
    for y in range(4):
        assert [full.buffer[y][x] for x in range(24)] == [brief.buffer[y][x] for x in range(24)]


def test_encoding_is_short() -> None:
    """One change of style, not one for each row and segment."""
    plain, bold = (
        Style(color="#111111", bgcolor="#222222"),
        Style(color="#111111", bgcolor="#222222", bold=True),
    )
    strip = RowStrip([Segment("a ", plain), Segment("b", bold), Segment(" c", plain)], 5)
    said = encode_rows([(0, 0, strip), (0, 1, strip), (3, 2, Strip([]))], ColorSystem.TRUECOLOR)
    first = "\x1b[38;2;17;17;17;48;2;34;34;34m"
    row = "a \x1b[1mb\x1b[22m c"
    assert said == f"\x1b[0m\x1b[1;1H{first}{row}\x1b[2;1H{row}\x1b[0m"
