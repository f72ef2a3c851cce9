"""A page is its sections in order, each where the lines before it end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.markdown import Page
from tests.display.markdown.sample_texts import ALL, markdown


def lines(page: Page) -> list[str]:
    """The page as text."""
    return [row.line.text for row in page.rows(0, ALL)]


def page_of(width: int = 20) -> Page:
    """Two turns with all there is."""
    page = Page(width)
    page.append_heading("Opening", 1)
    page.append_text("I *think*, ", "reasoning", 1)
    page.append_text("therefore\n\nI am", "reasoning", 1)
    page.append_text("- a **claim**\n- another\n", "answer", 1)
    page.append_notice("✂ cut", "failed", 1)
    page.append_heading("Rebuttal 1/2", 2)
    page.append_text("words that take more than one line", "answer", 2)
    page.flush()
    return page


def test_sections_stand_one_under_the_other() -> None:
    """With a blank line between; thinking is folded until it is asked for."""
    page = page_of()
    assert lines(page) == [
        "Opening ────────────",
        "",
        "▸ reasoning, 26 characters",
        "",
        "• a claim",
        "• another",
        "",
        "✂ cut",
        "",
        "Rebuttal 1/2 ───────",
        "",
        "words that take more",
        "than one line",
    ]
    page.set_reasoning_visible(visible=True)
    assert page.flush() == 2
    assert lines(page)[2:6] == ["I think, therefore", "", "I am", ""]
    assert page.rows(2, 3)[0].line.runs[1] == ("think", "reasoning emphasis")


def test_a_turn_can_be_taken_back() -> None:
    """All but its heading; what follows moves up."""
    page = page_of()
    page.discard_turn(1)
    assert page.flush() == 1
    assert lines(page) == [
        "Opening ────────────",
        "",
        "Rebuttal 1/2 ───────",
        "",
        "words that take more",
        "than one line",
    ]
    page.clear()
    assert page.flush() == 0
    assert lines(page) == []
    assert page.line_count == 0


def test_flush_names_the_first_line_that_changed() -> None:
    """Counted from the top of the page."""
    page = page_of()
    assert page.flush() is None
    page.append_text(" and more", "answer", 2)
    assert page.flush() == 12
    page.append_notice("done")
    assert page.flush() == 14
    page.append_text("more thinking", "reasoning", 3)
    assert page.flush() == 16
    page.append_text(" yet", "reasoning", 3)
    assert page.flush() == 17


def test_speech_goes_on_only_in_its_own_voice_and_turn() -> None:
    """Anything else begins a section of its own, which ends the one before."""
    page = Page(40)
    page.append_text("**open", "answer", 1)
    page.append_text("** closed", "answer", 1)
    page.append_text("aside", "reasoning", 1)
    page.append_text("again", "answer", 1)
    page.append_text("next", "answer", 2)
    page.flush()
    assert [(section.kind, section.turn) for section in page.sections] == [
        ("answer", 1),
        ("reasoning", 1),
        ("answer", 1),
        ("answer", 2),
    ]
    assert page.rows(0, 1)[0].line.runs == (("open", "strong"), (" closed", ""))


def test_notices_are_not_markdown() -> None:
    """They are shown as they are."""
    page = Page(40)
    page.append_heading("# *no* [bold]markup[/]")
    page.append_notice("- **nor** `here`", "failed")
    page.flush()
    assert lines(page)[0].startswith("# *no* [bold]markup[/] ──")
    assert page.rows(2, 3)[0].line.runs == (("- **nor** `here`", "notice failed"),)


def test_literal_text_keeps_its_lines_and_their_indentation() -> None:
    page = Page(16)
    page.append_text("# def *f*():\n\treturn the longest word\n", "literal", 1)
    page.append_text("    end", "literal", 1)
    page.append_text("", "literal", 2)
    page.flush()
    assert lines(page) == ["# def *f*():", "    return the", "    longest word", "", "    end", "", ""]
    assert [page.block_text(1, block) for block in range(2)] == ["# def *f*():", "return the longest word"]


def test_blocks_are_numbered_within_their_sections() -> None:
    """Folded sections are passed over."""
    page = page_of()
    end = (1 << 30, 0)
    assert list(page.blocks_between((0, 0), end)) == [(1, 0), (3, 0), (3, 1), (4, 0), (5, 0), (6, 0)]
    assert list(page.blocks_between((3, 1), (5, 0))) == [(3, 1), (4, 0), (5, 0)]
    assert page.block_text(3, 0) == "a claim"
    assert page.block_text(9, 0) == ""


_sections = st.lists(
    st.tuples(st.sampled_from(("answer", "reasoning", "head", "note")), markdown, st.integers(0, 2)),
    max_size=8,
)


@given(
    _sections, st.booleans(), st.integers(4, 40), st.integers(4, 40), st.integers(0, 50), st.integers(1, 30)
)
def test_any_part_of_a_page_is_that_part_of_the_whole(
    sections: list[tuple[str, str, int]], shown: bool, before: int, after: int, start: int, height: int
) -> None:
    """At both widths, and every spot is found again on its line."""
    page = Page(before)
    page.set_reasoning_visible(visible=shown)
    for kind, text, turn in sections:
        if kind == "head":
            page.append_heading(text.replace("\n", " "), turn)
        elif kind == "note":
            page.append_notice(text.replace("\n", " "), "quiet", turn)
        elif kind == "answer":
            page.append_text(text, "answer", turn)
        else:
            page.append_text(text, "reasoning", turn)
        page.flush()
    for width in (before, after):
        page.resize(width)
        while not page.measure(1):
            pass
        whole = page.rows(0, ALL)
        assert len(whole) == page.line_count
        assert page.rows(start, start + height) == whole[start : start + height]
        spots = [page.position_at(line) for line in range(page.line_count)]
        assert spots == sorted(spots)
        assert all(page.line_at(spot) <= line for line, spot in enumerate(spots))
        assert [page.position_at(page.line_at(spot)) for spot in spots] == spots
