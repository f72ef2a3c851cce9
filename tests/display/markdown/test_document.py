"""A document's lines depend on its text and its width, and on nothing that happened on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.markdown import STYLES, Line
from debate_tui.display.markdown.block_parser import BlockParser
from debate_tui.display.markdown.document import Document
from debate_tui.display.markdown.wrap import cell_width
from debate_tui.domain.sanitise import sanitise
from tests.display.markdown.sample_texts import ALL, EXAMPLES, cuts, markdown, specification, widths


def lines_of(document: Document, start: int = 0, stop: int = ALL) -> list[Line]:
    """The lines of a document, or some of them."""
    return [line for _, line in document.rows(start, stop)]


def document_of(text: str, width: int) -> Document:
    """A document that has read a text at once."""
    document = Document(width)
    document.feed(text)
    document.flush()
    return document


def render(text: str, width: int, *, closed: bool = False) -> list[Line]:
    """The lines of a text read at once."""
    document = document_of(text, width)
    if closed:
        document.close()
    return lines_of(document)


def settled_line_count(document: Document) -> Document:
    """The document with all lines counted."""
    while not document.measure(1):
        pass
    return document


@given(st.data(), markdown, widths, st.booleans())
def test_lines_are_the_same_however_the_text_was_cut(
    data: st.DataObject, text: str, width: int, closed: bool
) -> None:
    """Also if it was looked at in between."""
    document = Document(width)
    for piece in data.draw(cuts(text)):
        document.feed(piece)
        if data.draw(st.booleans()):
            document.flush()
    document.flush()
    if closed:
        document.close()
    assert lines_of(document) == render(text, width, closed=closed)
    assert document.line_count == len(lines_of(document))


@given(st.data(), markdown, widths)
def test_flush_names_the_first_line_that_changed(data: st.DataObject, text: str, width: int) -> None:
    """No line before it has changed, and all is the same if it names none."""
    document = Document(width)
    before: list[Line] = []
    for piece in data.draw(cuts(text)):
        document.feed(piece)
        first = document.flush()
        after = lines_of(document)
        assert after[:first] == before[:first]
        before = after


@given(st.data(), markdown, widths, widths)
def test_resizing_is_rendering_at_that_width(data: st.DataObject, text: str, before: int, after: int) -> None:
    """At any moment, once it has settled."""
    document = Document(before)
    pieces = data.draw(cuts(text))
    moment = data.draw(st.integers(0, len(pieces)))
    for piece in pieces[:moment]:
        document.feed(piece)
        document.flush()
    document.resize(after)
    assert lines_of(document, 0, 3) == render("".join(pieces[:moment]), after)[:3]
    for piece in pieces[moment:]:
        document.feed(piece)
        document.flush()
    assert lines_of(settled_line_count(document)) == render(text, after)
    assert document.line_count == len(lines_of(document))


@given(st.data(), markdown, widths, widths)
def test_prose_has_its_own_width_and_code_and_tables_the_whole(
    data: st.DataObject, text: str, prose: int, width: int
) -> None:
    """However the text was cut, and whatever the widths were before."""
    document = Document(data.draw(widths))
    for piece in data.draw(cuts(text)):
        document.feed(piece)
        document.flush()
    document.resize(width, prose)
    settled_line_count(document)
    whole, narrow = document_of(text, width), document_of(text, min(prose, width))
    expected = []
    for block in range(document.block_count):
        source = whole if document._leaf_at(block).is_wide else narrow
        expected += [line for number, line in source.rows(0, ALL) if number == block]
    assert lines_of(document) == expected
    assert document.line_count == len(expected)


@given(markdown, widths)
def test_lines_fit_and_have_styles_that_exist(text: str, width: int) -> None:
    """Unless a single grapheme does not fit."""
    for line in render(text, width):
        assert line.width == sum(cell_width(run) for run, _ in line.runs) <= max(4, width)
        assert {name for _, style in line.runs for name in style.split()} <= STYLES
        assert not any("\n" in run or "\t" in run for run, _ in line.runs)


@given(markdown, widths, widths)
def test_a_place_outlives_resizing(text: str, before: int, after: int) -> None:
    """It is on the line that is said to show it."""
    document = document_of(text, before)
    places = [document.position_at(line) for line in range(document.line_count)]
    assert places == sorted(places)
    assert [document.line_at(place) for place in places] <= list(range(document.line_count))
    settled_line_count(document)
    document.resize(after)
    settled_line_count(document)
    lines = [document.line_at(place) for place in places]
    assert lines == sorted(lines)
    for place, line in zip(places, lines, strict=True):
        assert document.position_at(line).block == place.block
        assert document.position_at(line) <= place


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_cut_in_two_anywhere(text: str) -> None:
    """Also in the middle of what they are examples of."""
    whole = render(text, 30)
    for place in range(len(text)):
        document = document_of(text[:place], 30)
        document.feed(text[place:])
        document.flush()
        assert lines_of(document) == whole


@pytest.mark.skipif(not specification(), reason="the specification's examples are not here")
def test_the_specification_cut_anywhere() -> None:
    """All of it in a row, looked at after every character."""
    for text in specification():
        document = Document(30)
        for character in text:
            document.feed(character)
            document.flush()
        assert lines_of(document) == render(text, 30)


_ENDLESS = {
    "paragraph": "word **bold** and `code`, and ",
    "word": "endless",
    "sentence": "A sentence. ",
    "han": "終わりのない文章",
    "unclosed": "*a [b `c ",
    "list": "- an item with some words in it\n",
    "nested": "  - nested\n    - deeper\n",
    "numbers": "1. an item\n",
    "one item": "- item\n\n  with another paragraph\n\n",
    "table": "| a | b | c |\n",
    "fence": "    x = 1\n",
    "quote": "> a line of a quote\n",
    "quoted list": "> - a quoted item\n",
    "code": "    indented code\n",
    "blank code": "    code\n\n\n",
    "rules": "---\n",
    "empty items": "-\n",
}
_BEGINNINGS = {"table": "| a | b | c |\n|---|---|---|\n", "fence": "```python\n", "nested": "- top\n"}


@pytest.mark.parametrize("kind", _ENDLESS)
def test_what_is_open_is_bounded(kind: str) -> None:
    """Whatever is written without end, what is read and drawn again stays small."""
    document = Document(38)
    document.feed(_BEGINNINGS.get(kind, ""))
    worst = 0
    for _ in range(40):
        document.feed(_ENDLESS[kind] * (1000 // len(_ENDLESS[kind])))
        document.flush()
        worst = max(
            worst, sum(len(drawn.leaf.text) for drawn in document._open_leaves if hasattr(drawn.leaf, "text"))
        )
        assert len(document._partial_line) < 6000
    assert document.text_length > 30_000
    assert worst <= 16_500
    assert len(lines_of(document)) == document.line_count


def test_long_paragraphs_keep_all_their_words() -> None:
    """Although they are read in pieces."""
    words = " ".join(f"word{number}" for number in range(3000))
    text = " ".join(line.text for line in render(words, 40))
    assert text == words


def test_fences_are_coloured_line_by_line_until_they_close() -> None:
    """And then as a whole; nothing above them changes."""
    document = document_of('intro\n\n```python\n"""one\ntwo"""\n', 40)
    assert lines_of(document, 3, 4)[0].runs[0] == ("two", "code block")
    document.feed("```\n")
    assert document.flush() == 3
    assert lines_of(document, 3, 4)[0].runs == (('two"""', "code block string"),)


def test_long_fences_stay_coloured_line_by_line() -> None:
    """From the two hundred and first line on."""
    document = document_of('```python\n"""one\ntwo"""\n' + "x = 'a'\n" * 200 + "```\n", 40)
    assert lines_of(document, 1, 2)[0].runs[0] == ("two", "code block")
    assert lines_of(document, 150, 151)[0].runs[-1] == ("'a'", "code block string")


def test_columns_are_settled_by_the_first_ten_rows() -> None:
    """What is wider later wraps within them."""
    document = document_of("| a | b |\n|---|---|\n" + "| 1 | two |\n" * 10, 60)
    before = lines_of(document)
    document.feed("| 1 | so wide |\n")
    assert document.flush() == len(before)
    assert lines_of(document, 0, len(before)) == before
    assert [line.text for line in lines_of(document, len(before), ALL)] == ["1 │ so ", "  │ wid", "  │ e  "]


def test_columns_are_as_wide_as_their_longest_words() -> None:
    """And what is left goes to those that want more."""
    lines = render(
        "| no | a long heading | x |\n|---|---|---|\n| 1 | incomprehensible | one two three |\n", 30
    )
    assert [line.text for line in lines] == [
        "no │ a long       │ x         ",
        "   │ heading      │           ",
        "───┼──────────────┼───────────",
        "1  │ incomprehens │ one two   ",
        "   │ ible         │ three     ",
    ]


def test_tables_that_do_not_fit_become_lists() -> None:
    """Each cell behind its heading."""
    lines = render("| alpha | beta | gamma |\n|---|---|---|\n| long cell one | long cell two | three |\n", 16)
    assert [line.text for line in lines] == [
        "────────────────",
        "alpha: long cell",
        "one",
        "beta: long cell",
        "two",
        "gamma: three",
        "────────────────",
    ]


def test_a_block_says_its_text() -> None:
    """Whatever markup it has, and however it is wrapped."""
    document = Document(12)
    document.feed(
        "some **bold** words, [a](http://b.c)\nand\\\nmore\n\n- in an item\n\n```\nx = 1\ny = 2\n```\n\n***\n"
    )
    document.flush()
    assert [document.block_text(block) for block in range(document.block_count)] == [
        "some bold words, a (http://b.c) and\nmore",
        "in an item",
        "x = 1\ny = 2",
        "",
    ]


@given(markdown, widths)
def test_lines_are_cut_from_the_text_that_blocks_say(text: str, width: int) -> None:
    """Each from its start on."""
    document = document_of(text, width)
    for block, line in document.rows(0, ALL):
        if line.content and not set(line.content) <= set("─ "):
            assert document.block_text(block)[line.start :].startswith(line.content)


def test_settling_takes_no_longer_than_it_may() -> None:
    """With no time at all, it says that it is not done; what is looked at is right all the same."""
    document = document_of("some words that will wrap at a smaller width\n\n" * 50, 60)
    document.resize(20)
    assert not document.measure(0)
    assert [line.text for line in lines_of(document, 0, 3)] == [
        "some words that will",
        "wrap at a smaller",
        "width",
    ]
    assert settled_line_count(document).line_count == len(lines_of(document)) == 199


_AROUND = (
    "{}",
    "**{}**",
    "# {}",
    "- [ ] {}",
    "> {}",
    "| a | {} |\n|--|--|\n| {} | b |",
    "[{}](http://h/{})",
    "a `{}`",
)


@given(
    st.sampled_from(_AROUND),
    st.lists(st.sampled_from(["a", " "]) | st.integers(0, 0x2070).map("&#{};".format), max_size=6).map(
        "".join
    ),
)
def test_no_character_reference_brings_back_what_was_taken_out(around: str, text: str) -> None:
    for line in render(around.format(text, text), 40, closed=True):
        assert sanitise(line.content) == line.content
        assert "\t" not in line.content
        assert "\n" not in line.content


HOSTILE_LINES = (
    "* ",
    "_ ",
    "- ",
    "*",
    "_",
    "_*",
    "* _ ",
    "> ",
    "1. ",
    "+ ",
    "=",
    "`",
    "~",
    "|",
    "[",
    "](",
    "<",
    "0",
)


@pytest.mark.parametrize("unit", HOSTILE_LINES)
def test_a_long_line_of_marks_is_read_once(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, a flush reads what is new and what is still open, which is bounded."""
    lengths: list[int] = []
    read_line = BlockParser.read_line

    def counting(self: BlockParser, line: str) -> None:
        lengths.append(len(line))
        read_line(self, line)

    monkeypatch.setattr(BlockParser, "read_line", counting)
    document = Document(40)
    for _ in range(30):
        document.feed(unit * (1000 // len(unit)))
        document.flush()
    lengths.clear()
    document.feed(unit * 20)
    document.flush()
    assert sum(lengths) <= 10_000


@pytest.mark.parametrize("unit", HOSTILE_LINES)
@pytest.mark.parametrize("before", ["", "text\n", "- item\n\n  ", "> "])
def test_a_long_line_of_marks_is_the_same_however_it_came(unit: str, before: str) -> None:
    text = before + unit * (9000 // len(unit)) + " and words\n\nmore\n"
    whole, cut = Document(40), Document(40)
    whole.feed(text)
    whole.flush()
    for start in range(0, len(text), 700):
        cut.feed(text[start : start + 700])
        cut.flush()
    whole.close()
    cut.close()
    assert lines_of(cut) == lines_of(whole)


def test_formulas_are_shown_as_written() -> None:
    text = (
        "So *this*\n\\[\na_1 = *b*\n- c_1\n\\]\nholds, as \\(x_1 * y * z\\) does:\n\n"
        "- item\n  $$ \\frac{a}{b} $$\n"
    )
    assert [line.text for line in render(text, 36)] == [
        "So this",
        "",
        "\\[",
        "a_1 = *b*",
        "- c_1",
        "\\]",
        "",
        "holds, as \\(x_1 * y * z\\) does:",
        "",
        "• item",
        "",
        "  $$ \\frac{a}{b} $$",
    ]


def test_an_escaped_bracket_does_not_begin_a_formula() -> None:
    assert [line.text for line in render("- \\[ ] *a*\n- \\[x] b\n", 30)] == ["• [ ] a", "• [x] b"]


def test_a_cell_grows_by_the_lines_that_are_broken_in_it() -> None:
    text = "| a<br>b | c |\n|---|--:|\n| one<br>**two**<br/>3 | 4<br />56 |\n| 7 | 8 |\n"
    assert [line.text for line in render(text, 40)] == [
        "a   │  c",
        "b   │   ",
        "────┼───",
        "one │  4",
        "two │ 56",
        "3   │   ",
        "7   │  8",
    ]


def test_a_cell_of_a_list_breaks_its_lines_too() -> None:
    text = "| al<br>pha | beta | gamma |\n|---|---|---|\n| one<br>two | long cell two | three |\n"
    assert [line.text for line in render(text, 12)][:4] == [
        "────────────",
        "al pha: one",
        "two",
        "beta: long",
    ]
