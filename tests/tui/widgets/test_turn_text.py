"""A pane's text: what is in view, what follows, what is found and what is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.geometry import Offset, Region
from textual.selection import Selection

from debate_tui.tui import painter, themes
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.pilot import Pilot

WIDTH, HEIGHT = 32, 10
WORDS = "the claim that nothing follows from a premise we all accept is itself a claim "


class OnePaneApp(App[None]):
    """One pane, as wide as the screen."""

    CSS = "TurnText { width: 1fr; height: 1fr; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.default_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield TurnText()


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    """The app, running."""
    app = OnePaneApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as running:
        app.query_one(TurnText).focus()
        await running.pause()
        yield running


@pytest.fixture
def prose(pilot: Pilot[None]) -> TurnText:
    """The pane."""
    return pilot.app.query_one(TurnText)


def visible_rows(prose: TurnText) -> list[str]:
    """The rows in view, without the blanks around the text and without the position mark."""
    return [strip.text[1:-1].rstrip() for strip in prose.render_lines(Region(0, 0, *prose.size))]


async def finish_search(pilot: Pilot[None], prose: TurnText) -> None:
    """Wait for a search to come to the end."""
    while prose.page_search.is_scanning:
        await pilot.pause()


def numbered(count: int) -> str:
    """Items that tell which they are."""
    return "".join(f"- item {number}\n" for number in range(count))


async def test_it_follows_until_the_reader_scrolls_up(pilot: Pilot[None], prose: TurnText) -> None:
    """And then stays put, knows how much is new, and follows again at the end."""
    prose.page.append_text(numbered(30))
    prose.flush()
    assert visible_rows(prose)[-1] == "• item 29"
    await pilot.press("pageup")
    assert not prose.viewport.following
    view = visible_rows(prose)
    assert view[-1] == "• item 20"
    prose.page.append_text("- more\n- and more\n- and yet more\n")
    prose.flush()
    assert visible_rows(prose) == view
    assert prose.unseen_lines == 3
    await pilot.press("down")
    assert prose.unseen_lines == 3
    assert visible_rows(prose)[-1] == "• item 21"
    await pilot.press("G")
    assert prose.viewport.following
    assert prose.unseen_lines == 0
    prose.page.append_text("- last\n")
    prose.flush()
    assert visible_rows(prose)[-1] == "• last"


async def test_keys_and_wheel_scroll(pilot: Pilot[None], prose: TurnText) -> None:
    """Never beyond the ends."""
    prose.page.append_text(numbered(30))
    prose.flush()
    for key, first in (
        ("g", 0),
        ("up", 0),
        ("down", 1),
        ("pagedown", 10),
        ("end", 20),
        ("down", 20),
        ("home", 0),
    ):
        await pilot.press(key)
        assert visible_rows(prose)[0] == f"• item {first}", key
    prose.action_line(3)
    assert visible_rows(prose)[0] == "• item 3"


async def test_short_text_stands_at_the_top(pilot: Pilot[None], prose: TurnText) -> None:
    """With nothing to scroll, and no mark."""
    prose.page.append_heading("Opening")
    prose.page.append_text("Hello")
    prose.flush()
    prose.tick()
    await pilot.press("up")
    assert prose.viewport.following
    assert visible_rows(prose)[:4] == ["Opening ──────────────────────", "", "Hello", ""]
    assert "▐" not in "".join(strip.text for strip in prose.render_lines(Region(0, 0, *prose.size)))


async def test_the_mark_tells_where_the_view_is(pilot: Pilot[None], prose: TurnText) -> None:
    """It moves with the reader, and with the text only when it is told to."""
    prose.page.append_text(numbered(30))
    prose.flush()

    def marks() -> list[int]:
        rows = prose.render_lines(Region(0, 0, *prose.size))
        return [y for y, strip in enumerate(rows) if strip.text.endswith("▐")]

    assert marks() == []
    prose.tick()
    assert marks() == [HEIGHT - 1]
    await pilot.press("g")
    assert marks() == [0]
    await pilot.press("pagedown")
    assert marks() == [round(9 * 9 / 20)]


async def test_resizing_keeps_the_readers_place(pilot: Pilot[None], prose: TurnText) -> None:
    """Although the lines above are as many as they turn out to be."""
    for number in range(60):
        prose.page.append_text(f"Paragraph {number}. {WORDS * 3}\n\n")
    prose.flush()
    prose.action_line(-120)
    first = next(row for row in visible_rows(prose) if row.startswith("Paragraph"))
    above = visible_rows(prose).index(first)
    for size in ((60, 12), (25, 20), (WIDTH, HEIGHT)):
        await pilot.resize_terminal(*size)
        while prose._wrapping:
            await pilot.pause()
        number = first.split(".")[0]
        assert any(row.startswith(number) for row in visible_rows(prose)[: above + 2])
        assert prose.line_count == len(prose.page.rows(0, 1 << 30))
    assert not prose.viewport.following


async def test_resizing_while_following_stays_at_the_end(pilot: Pilot[None], prose: TurnText) -> None:
    """Whatever the width."""
    prose.page.append_text(WORDS * 60 + "END")
    prose.flush()
    for size in ((60, 12), (25, 20)):
        await pilot.resize_terminal(*size)
        while prose._wrapping:
            await pilot.pause()
        assert prose.viewport.following
        assert visible_rows(prose)[-1].endswith("END")


async def test_thinking_folds_and_unfolds(prose: TurnText) -> None:
    """And can be taken back with what was said in the turn."""
    prose.page.append_heading("Opening", 1)
    prose.page.append_text("Let me think", "reasoning", 1)
    prose.page.append_text("I say", "answer", 1)
    prose.page.append_notice("✂ cut", "failed", 1)
    prose.flush()
    assert visible_rows(prose)[2:7] == ["▸ reasoning, 12 characters", "", "I say", "", "✂ cut"]
    prose.set_reasoning_visible(visible=True)
    assert visible_rows(prose)[2] == "Let me think"
    prose.page.discard_turn(1)
    prose.flush()
    assert visible_rows(prose) == ["Opening ──────────────────────", *[""] * (HEIGHT - 1)]


async def test_matches_are_marked_also_those_to_come(pilot: Pilot[None], prose: TurnText) -> None:
    """And can be gone to."""
    prose.page.append_text(numbered(30) + "\nAn **item** of another kind")
    prose.flush()
    prose.search("ITEM")
    await finish_search(pilot, prose)
    assert len(prose.page_search.matches) == 31
    prose.page.append_text(", item by item")
    prose.flush()
    await finish_search(pilot, prose)
    assert len(prose.page_search.matches) == 33
    prose.show_match(4)
    assert "• item 4" in visible_rows(prose)
    assert not prose.viewport.following
    strip = prose.render_lines(Region(0, 0, *prose.size))[visible_rows(prose).index("• item 4")]
    lit = [
        segment.text
        for segment in strip
        if segment.style and segment.style.bgcolor != prose.rich_style.bgcolor
    ]
    assert lit == ["item"]
    prose.search("")
    assert len(prose.page_search.matches) == 0
    strip = prose.render_lines(Region(0, 0, *prose.size))[0]
    assert not [
        segment for segment in strip if segment.style and segment.style.bgcolor != prose.rich_style.bgcolor
    ]


async def test_selected_text_is_the_text_and_not_the_lines(pilot: Pilot[None], prose: TurnText) -> None:
    """It stays selected while text streams and after the pane is resized."""
    prose.page.append_text(f"A **paragraph** of {WORDS * 3}\n\n- item one\n- item two\n")
    prose.flush()
    prose.action_top()
    await pilot.pause()
    prose.action_line(2)
    await pilot.pause()
    await pilot.mouse_down(offset=(3, 0))
    await pilot.hover(offset=(6, 8))
    await pilot.mouse_up(offset=(6, 8))
    selected = pilot.app.screen.get_selected_text()
    assert selected is not None
    lines = selected.split("\n")
    assert f"A paragraph of {WORDS * 3}".strip().endswith(lines[0])
    assert lines[0].startswith(" all accept is itself a claim the claim")
    assert lines[1:] == ["item"]
    prose.page.append_text("- item three\n")
    prose.flush()
    await pilot.resize_terminal(60, 12)
    await pilot.pause()
    assert pilot.app.screen.get_selected_text() == selected


async def test_any_selection_can_be_taken(prose: TurnText) -> None:
    """All, from or to a place."""
    assert prose.get_selection(Selection(None, None)) is None
    prose.page.append_text("one\n\ntwo\n\nthree")
    prose.flush()
    section = 1 << 24
    assert prose.get_selection(Selection(None, None)) == ("one\ntwo\nthree", "\n")
    assert prose.get_selection(Selection(Offset(1, section + 1), None)) == ("wo\nthree", "\n")
    assert prose.get_selection(Selection(None, Offset(2, section + 1))) == ("one\ntw", "\n")
    assert prose.get_selection(Selection(Offset(1, section), Offset(2, section))) == ("n", "\n")


async def test_what_looks_like_markup_is_text(prose: TurnText) -> None:
    """Neither Textual nor Rich reads it, and nothing can be clicked."""
    prose.page.append_text("[@click=app.quit]x[/] [bold]b[/bold] [a](http://b.c)")
    prose.page.append_heading("[red]head[/]")
    prose.page.append_notice("[link=file:///etc]x[/link]")
    prose.flush()
    rows = prose.render_lines(Region(0, 0, *prose.size))
    assert visible_rows(prose)[0] == "[@click=app.quit]x[/]"
    assert "[red]head[/] ─" in "\n".join(visible_rows(prose))
    assert not any(
        segment.style and (segment.style.link or segment.style.meta) for row in rows for segment in row
    )


async def test_a_theme_changes_the_colours_of_what_is_there(pilot: Pilot[None], prose: TurnText) -> None:
    """At once."""
    prose.page.append_text("# heading")
    prose.flush()
    before = prose.render_lines(Region(0, 0, *prose.size))[0]
    pilot.app.theme = "textual-light"
    await pilot.pause()
    after = prose.render_lines(Region(0, 0, *prose.size))[0]
    assert before.text == after.text
    assert before != after


async def test_nothing_is_painted_that_did_not_change(
    pilot: Pilot[None], prose: TurnText, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is out of sight costs nothing on screen, and a changed last line only that line."""
    prose.page.append_text(numbered(30))
    prose.flush()
    await pilot.pause()
    painted: list[set[int]] = []
    monkeypatch.setattr(painter, "_paint", lambda _, changed: painted.extend(changed.values()))
    screen = pilot.app.screen
    with painter.frame(screen):
        prose.page.append_text("- word")
        prose.flush()
    with painter.frame(screen):
        prose.page.append_text(" word")
        prose.flush()
    assert painted == [set(range(HEIGHT)), {HEIGHT - 1}]
    prose.action_line(-10)
    painted.clear()
    with painter.frame(screen):
        prose.page.append_text(" word\n" * 20)
        prose.flush()
    assert painted == []
