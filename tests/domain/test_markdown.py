"""The Markdown that models write, as markdown-it reads it with our rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from debate_tui.domain.markdown import (
    MAX_FORMULA_LENGTH,
    can_open_close,
    display_formula_end,
    extend_markdown_it,
    formula_end,
    line_break_end,
    may_become_verbatim,
)

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
extend_markdown_it(PARSER)

MARKS = st.lists(
    st.sampled_from(
        ("\\(", "\\)", "\\[", "\\]", "$$", "$", "\\", "x", "1 ", "<br", " ", "/>", ">", "\n", "]", "[")
    ),
    max_size=12,
).map("".join)


def to_html(text: str) -> str:
    """The text as one line of HTML."""
    return str(PARSER.renderInline(text)).replace("\n", "")


@pytest.mark.parametrize(
    "text",
    [
        r"\(a_1 *b* c_2\)",
        r"\( \text{a} \\ b \)",
        r"\[ x^* y^* \]",
        r"\[ a \\[2pt] b \]",
        "$$ a_i + b_i $$",
        r"$$ \$5 _a_ $ $$",
    ],
)
def test_a_formula_ends_where_it_is_closed(text: str) -> None:
    assert formula_end(text, 0) == len(text)
    assert formula_end(f"{text} and \\) \\] $$ more $$", 0) == len(text)
    assert formula_end(f"so {text}", 3) == 3 + len(text)
    assert to_html(f"*so* {text}, __no__") == f"<em>so</em> {text}, <strong>no</strong>"


@pytest.mark.parametrize(
    "text", [r"\( a", r"\(\)", r"\[ \]", "$$ $$", "$5 and $6", r"\( a \( b", r"\\(a)", r"\[ a $$", "$$$"]
)
def test_what_is_not_closed_or_empty_is_not_a_formula(text: str) -> None:
    assert formula_end(text, 0) == 0


def test_the_inner_of_two_openings_counts() -> None:
    assert to_html(r"\( a \(*b*\)") == r"( a \(*b*\)"


@given(MARKS, MARKS)
@example("$$ a", "$$")
@example("<br ", "/>")
@example("\\( x \\", ")")
def test_only_what_may_still_become_verbatim_does(text: str, more: str) -> None:
    if text and not may_become_verbatim(text, 0):
        assert formula_end(text, 0) == formula_end(text + more, 0)
        assert line_break_end(text, 0) == line_break_end(text + more, 0)


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (r"\[", r"\]"),
        (r"\[ a = b", r"\]"),
        (r"\[ f[x]", r"\]"),
        (r"\[ a \\[2pt]", r"\]"),
        ("$$", "$$"),
        (r"$$ \begin{aligned}", "$$"),
        ("$$ a $$", ""),
        (r"\[ a \].", ""),
        (r"\[1\] is a source", None),
        ("$$ a $$ is one", None),
        (r"\[ ] to do", None),
        (r"\[x] done", None),
        (r"\[ \]", None),
        ("$$$ is much", None),
        ("text $$", None),
        (r"\( a", None),
        ("", None),
        ("$$" + "a" * MAX_FORMULA_LENGTH, None),
    ],
)
def test_where_a_formula_on_lines_of_its_own_ends(line: str, end: str | None) -> None:
    assert display_formula_end(line) == end


@given(st.sampled_from(("\\[", "$$", "")), MARKS, MARKS)
@example("\\[", " ] to do", "[")
@example("\\[", " ]", "\\]")
def test_a_line_that_is_no_formula_does_not_grow_into_one(start: str, text: str, more: str) -> None:
    line, longer = ((start + each).split("\n")[0] for each in (text, text + more))
    if len(line) >= 2 and display_formula_end(line) is None:
        assert display_formula_end(longer) is None


FORMULA = "\\[\na\n- b\n= c\n# d\n\\]"


@pytest.mark.parametrize(
    "text", [f"before\n{FORMULA}\nafter", f"- item\n\n{FORMULA}", f"\\(a\\)\n{FORMULA} so"]
)
def test_no_line_of_a_formula_is_a_block_of_its_own(text: str) -> None:
    kinds = [token.type for token in PARSER.parse(text)]
    assert kinds.count("formula") == 1
    assert "heading_open" not in kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("$$\na\n\n*b*", ["formula", "paragraph_open", "inline", "paragraph_close"]),
        ("> $$\n> a\nb", ["blockquote_open", "formula", "blockquote_close", "paragraph_open"]),
        ("    $$\n    a", ["code_block"]),
        ("a\n    $$\n    b", ["paragraph_open", "inline", "paragraph_close"]),
    ],
)
def test_a_formula_ends_with_its_paragraph(text: str, kinds: list[str]) -> None:
    assert [token.type for token in PARSER.parse(text)][: len(kinds)] == kinds


def test_a_formula_without_an_end_is_bounded() -> None:
    tokens = PARSER.parse("$$\n" + "a b c\n" * 3000)
    assert tokens[0].type == "formula"
    assert MAX_FORMULA_LENGTH - 10 < len(tokens[0].content) <= MAX_FORMULA_LENGTH


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("これは**「強調」**の例", "これは<strong>「強調」</strong>の例"),
        ("**强调。**后文", "<strong>强调。</strong>后文"),
        ("**“强调”**后文", "<strong>“强调”</strong>后文"),
        ("正文**“强调”**后文", "正文<strong>“强调”</strong>后文"),
        ("**「a」(b)**の", "<strong>「a」(b)</strong>の"),
        ("~~「a」~~の", "<s>「a」</s>の"),
        ("**스크립트(script)**라고", "<strong>스크립트(script)</strong>라고"),
        ("[**「a」**の](http://b.c)", '<a href="http://b.c"><strong>「a」</strong>の</a>'),
        # As CommonMark has it, away from such characters:
        ('a**"b"**c', "a**&quot;b&quot;**c"),
        ("**a.**b", "**a.**b"),
        ("👍**!a**", "👍<strong>!a</strong>"),
        ("snake_case_名_前", "snake_case_名_前"),
    ],
)
def test_emphasis_pairs_as_readers_of_cjk_text_expect(text: str, html: str) -> None:
    assert to_html(text) == html


@given(st.sampled_from("*_"), st.characters(), st.characters())
@example("*", "。", "a")
@example("*", ".", "a")
@example("*", "a", "「")
@example("_", "a", "a")
def test_other_text_pairs_as_commonmark_has_it(mark: str, before: str, after: str) -> None:
    """A character can only gain by standing next to a wide one."""
    from markdown_it.rules_inline import StateInline

    text = f"{before}{mark}{after}"
    if mark in (before, after):
        return
    state = StateInline(text, PARSER, {}, [])
    theirs = state.scanDelims(1, mark == "*")
    ours = can_open_close(mark, before, after)
    if before < "\u1100" and after < "\u1100":
        assert ours == (theirs.can_open, theirs.can_close)
    elif mark == "*":
        assert ours[0] >= theirs.can_open
        assert ours[1] >= theirs.can_close


@pytest.mark.parametrize("text", ["a<br>b", "a<br/>b", "a<br />b", "a<BR>b"])
def test_a_line_break_breaks_the_line(text: str) -> None:
    assert to_html(text) == "a<br />b"


@pytest.mark.parametrize("text", ["a<br", "a<break>b", "a</br>b", "a<br class=x>b", "`<br>`"])
def test_nothing_else_does(text: str) -> None:
    assert "<br" not in to_html(text)


def test_cells_of_a_table_have_both() -> None:
    html = PARSER.render("| a |\n|---|\n| b<br>\\(_c_\\) |\n")
    assert "<td>b<br />\n\\(_c_\\)</td>" in html
