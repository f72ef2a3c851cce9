"""A page is its sections in order, each where the lines before it end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.markdown import Page
from tests.display.markdown_texts import markdown

ALL = 1 << 30


def lines(page: Page) -> list[str]:
    """The page as text."""
    return [row.line.text for row in page.rows(0, ALL)]


def page_of(width: int = 20) -> Page:
    """Two turns with all there is."""
    page = Page(width)
    page.head("Opening", 1)
    page.speak("I *think*, ", "reasoning", 1)
    page.speak("therefore\n\nI am", "reasoning", 1)
    page.speak("- a **claim**\n- another\n", "answer", 1)
    page.note("✂ cut", "failed", 1)
    page.head("Rebuttal 1/2", 2)
    page.speak("words that take more than one line", "answer", 2)
    page.flush()
    return page


def test_sections_stand_one_under_the_other() -> None:
    """With a blank line between; thinking is folded until it is asked for."""
    page = page_of()
    assert lines(page) == [
        "Opening ────────────",
        "",
        "▸ thinking, 26 characters",
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
    page.show_reasoning(shown=True)
    assert page.flush() == 2
    assert lines(page)[2:6] == ["I think, therefore", "", "I am", ""]
    assert page.rows(2, 3)[0].line.runs[1] == ("think", "reasoning emphasis")


def test_a_turn_can_be_taken_back() -> None:
    """All but its heading; what follows moves up."""
    page = page_of()
    page.drop(1)
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
    page.speak(" and more", "answer", 2)
    assert page.flush() == 12
    page.note("done")
    assert page.flush() == 14
    page.speak("more thinking", "reasoning", 3)
    assert page.flush() == 16
    page.speak(" yet", "reasoning", 3)
    assert page.flush() == 17


def test_speech_goes_on_only_in_its_own_voice_and_turn() -> None:
    """Anything else begins a section of its own, which ends the one before."""
    page = Page(40)
    page.speak("**open", "answer", 1)
    page.speak("** closed", "answer", 1)
    page.speak("aside", "reasoning", 1)
    page.speak("again", "answer", 1)
    page.speak("next", "answer", 2)
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
    page.head("# *no* [bold]markup[/]")
    page.note("- **nor** `here`", "failed")
    page.flush()
    assert lines(page)[0].startswith("# *no* [bold]markup[/] ──")
    assert page.rows(2, 3)[0].line.runs == (("- **nor** `here`", "notice failed"),)


def test_blocks_are_numbered_within_their_sections() -> None:
    """Folded sections are passed over."""
    page = page_of()
    end = (1 << 30, 0)
    assert list(page.blocks((0, 0), end)) == [(1, 0), (3, 0), (3, 1), (4, 0), (5, 0), (6, 0)]
    assert list(page.blocks((3, 1), (5, 0))) == [(3, 1), (4, 0), (5, 0)]
    assert page.text(3, 0) == "a claim"
    assert page.text(9, 0) == ""


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
    page.show_reasoning(shown=shown)
    for kind, text, turn in sections:
        if kind == "head":
            page.head(text.replace("\n", " "), turn)
        elif kind == "note":
            page.note(text.replace("\n", " "), "quiet", turn)
        elif kind == "answer":
            page.speak(text, "answer", turn)
        else:
            page.speak(text, "reasoning", turn)
        page.flush()
    for width in (before, after):
        page.resize(width)
        while not page.settle(1):
            pass
        whole = page.rows(0, ALL)
        assert len(whole) == page.line_count
        assert page.rows(start, start + height) == whole[start : start + height]
        spots = [page.spot_of(line) for line in range(page.line_count)]
        assert spots == sorted(spots)
        assert all(page.line_of(spot) <= line for line, spot in enumerate(spots))
        assert [page.spot_of(page.line_of(spot)) for spot in spots] == spots
