"""Where the reader is, as the text grows, shrinks and wraps anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.markdown import Page
from debate_tui.tui.widgets.page_view import Viewport

HEIGHT = 10


def view_of(lines: int, *, leap: int = 1) -> tuple[Page, Viewport]:
    """A window on a list of so many items."""
    page = Page(40)
    view = Viewport(page)
    view.scroll_step = leap
    view.resize(40, HEIGHT)
    append_lines(page, view, lines)
    return page, view


def append_lines(page: Page, view: Viewport, lines: int) -> None:
    """Add items."""
    page.append_text("- item\n" * lines)
    page.flush()
    view.adjust_top()


def test_following_keeps_the_end_in_view() -> None:
    """By lines as they come."""
    page, view = view_of(8)
    assert (view.top, view.position_row) == (0, -1)
    append_lines(page, view, 7)
    assert (view.top, view.position_row) == (5, HEIGHT - 1)


def test_leaping_leaves_room_to_be_filled() -> None:
    """So that most new lines move nothing."""
    page, view = view_of(10, leap=4)
    tops = []
    for _ in range(6):
        append_lines(page, view, 1)
        tops.append(view.top)
    assert tops == [4, 4, 4, 4, 8, 8]
    view.scroll_step = 1
    append_lines(page, view, 1)
    assert view.top == 7


def test_without_a_leap_the_view_stays_for_now() -> None:
    """Whatever room it had left is filled, and when it may move again, it comes to the end."""
    page, view = view_of(10, leap=4)
    append_lines(page, view, 1)
    assert (view.top, view.max_top) == (4, 1)
    view.scroll_step = 0
    append_lines(page, view, 5)
    assert (view.top, view.max_top) == (4, 6)
    assert view.following
    view.scroll_step = 4
    view.adjust_top()
    assert (view.top, view.max_top) == (8, 6)


@pytest.mark.parametrize("top", [0, 3, 5])
def test_a_reader_above_stays(top: int) -> None:
    """And what was never in view is counted."""
    page, view = view_of(16)
    view.scroll_to(top)
    assert not view.following
    append_lines(page, view, 5)
    assert view.top == top
    assert page.line_count - view.seen_lines == 5
    view.scroll_to(99)
    assert view.following
    assert view.seen_lines == page.line_count


def test_a_text_that_shrinks_takes_the_view_along() -> None:
    """Never beyond the end of the text."""
    page, view = view_of(30)
    view.scroll_to(15)
    page.clear()
    page.flush()
    view.adjust_top()
    assert (view.top, view.seen_lines) == (0, 0)


@given(
    st.integers(0, 60),
    st.lists(st.tuples(st.sampled_from("gus"), st.integers(0, 20), st.integers(8, 60)), max_size=12),
    st.integers(1, 5),
)
def test_the_view_is_always_within_the_text(lines: int, acts: list[tuple[str, int, int]], leap: int) -> None:
    """And the end within the view while following."""
    page, view = view_of(lines, leap=leap)
    for act, number, width in acts:
        if act == "g":
            append_lines(page, view, number)
        elif act == "u":
            view.scroll_to(view.top + number - 10)
        else:
            view.resize(width, number + 1)
            while not view.measure(1):
                pass
        assert 0 <= view.top <= view.max_top + (leap - 1 if view.following else 0)
        assert view.end >= page.line_count or not view.following
        assert -1 <= view.position_row < view.height
        assert view.seen_lines <= page.line_count
