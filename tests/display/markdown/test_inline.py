"""Markup within paragraphs: what is settled stays, links are safe, and long text is read in pieces."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from debate_tui.display.markdown.inline import parse_inline, parse_with_markdown_it
from debate_tui.display.markdown.paragraphs import PIECE_SIZE, final_length, split_point
from debate_tui.display.markdown.wrap import merge_runs, runs_text, strip_stray_joiners

_PIECES = (
    *(
        "*",
        "**",
        "_",
        "__",
        "~~",
        "`",
        "``",
        "[",
        "]",
        "](",
        ")",
        "(http://a.b)",
        "<",
        ">",
        "<http://c.d>",
        "\\",
    ),
    *(
        "&amp;",
        "&",
        "!",
        "word",
        "word ",
        " ",
        " ",
        " word",
        ". ",
        "\n",
        "  \n",
        "http://e.f/g_h",
        "日本",
        "語。",
    ),
    *("é", "👩‍👧", "\ufe0f", "\u200d", "(", "'", '"', "-", "1"),
    *("$$", "$", "\\(", "\\)", "\\[", "\\]", "<br>", "<br ", "/>", "「", "」", "**「", "」**"),
)

texts = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


@given(
    st.lists(st.sampled_from((*_PIECES, "**b**", "*e f*", "`c*d`", "(", ". ", " ")), max_size=20).map("".join)
)
def test_simple_markup_is_read_as_any_markup_is(text: str) -> None:
    """The quick way is not another way."""
    assert parse_inline(text) == [
        run
        for run in merge_runs(
            (strip_stray_joiners(shown), style) for shown, style in parse_with_markdown_it(text)
        )
        if run[0]
    ]


@given(texts, texts)
@example("\n 日本", "*")
def test_what_is_settled_does_not_depend_on_what_follows(text: str, more: str) -> None:
    """Reading on from there is the same as reading the whole."""
    end = final_length(text)
    whole = text + more
    assert merge_runs([*parse_inline(whole[:end]), *parse_inline(whole[end:])]) == parse_inline(whole)


@given(texts)
def test_text_grows_more_settled(text: str) -> None:
    """What was settled once is so for good."""
    ends = [final_length(text[:length]) for length in range(len(text) + 1)]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("plain words go", len("plain words ")),
        ("**bold** and", len("**bold** ")),
        ("**bold and", 0),
        ("a `tick and", len("a ")),
        ("[a link](http://a.b) and", len("[a link](http://a.b) ")),
        ("[a link] and", len("[a link] ")),
        ("[a link", 0),
        ("2 * 3 and", len("2 * 3 ")),
        ("snake_case and", len("snake_case ")),
        ("日本語", 2),
        (r"a \(b _c and", len("a ")),
        (r"a \(b _c\) and", len(r"a \(b _c\) ")),
        ("a $$ b _c and", len("a ")),
        ("a $5 and", len("a $5 ")),
        ("a <br and", len("a <br ")),
        ("a <br> and", len("a <br> ")),
        ("**「強」**の 'a", len("**「強」**の ")),
    ],
)
def test_markup_is_settled_once_it_is_closed(text: str, end: int) -> None:
    """So that only what is open is read again."""
    assert final_length(text) == end


@given(st.integers(0, 3000), st.sampled_from(("word ", "**b** word. ", "`x` ", "日本語。", "x", "[a", "*a ")))
def test_a_long_text_is_cut_in_one_place_however_it_grew(start: int, piece: str) -> None:
    """The place is found as soon as the text is long enough, and found again in every longer one."""
    text = piece * (3 * PIECE_SIZE // len(piece))
    place = split_point(text)
    assert 0 < place <= 2 * PIECE_SIZE
    shorter = text[: PIECE_SIZE + start]
    assert split_point(shorter) in (0, place)
    assert split_point(text[: 2 * PIECE_SIZE + 1]) == place


def test_a_cut_falls_between_sentences_and_outside_of_markup() -> None:
    """As long as nothing is open for more than `PIECE_SIZE` characters."""
    text = ("word " * 30 + "**" + "bold. " * 200 + "bold** end. ") * 6
    place = split_point(text)
    assert text[place - 2 : place] == ". "
    assert text[:place].count("**") % 2 == 0


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("[a](http://b.c)", [("a", "link"), (" (http://b.c)", "url")]),
        ("[http://b.c](http://b.c)", [("http://b.c", "link")]),
        ("<http://b.c>", [("http://b.c", "link")]),
        ("<a@b.c>", [("a@b.c", "link")]),
        ("[](http://b.c)", [("http://b.c", "url")]),
        ("![a](b.png)", [("a", "link"), (" (b.png)", "url")]),
        ("see https://b.c/d_e_f.", [("see ", ""), ("https://b.c/d_e_f", "link"), (".", "")]),
        ("[a](javascript:alert(1))", [("[a](javascript:alert(1))", "")]),
        ("[a](data:text/html,x)", [("[a](data:text/html,x)", "")]),
        ("[a][b]", [("[a][b]", "")]),
        ("<b>x</b>", [("<b>x</b>", "")]),
        (
            "**a *b* `c`**",
            [("a ", "strong"), ("b", "strong emphasis"), (" ", "strong"), ("c", "strong code")],
        ),
        ("~~a~~ ~b~", [("a", "strike"), (" ~b~", "")]),
        ("[bold]red[/bold]", [("[bold]red[/bold]", "")]),
        (r"*a* \(b*c\) d*", [("a", "emphasis"), (r" \(b*c\) d*", "")]),
        (r"\[ a_1 \\ b_1 \] \* c", [(r"\[ a_1 \\ b_1 \] * c", "")]),
        ("$$ **a**\nb $$", [("$$ **a** b $$", "")]),
        ("**a $$ b** c **d $$ e**", [("a $$ b** c **d $$ e", "strong")]),
        ("a<br>**b**<br />c", [("a\n", ""), ("b", "strong"), ("\nc", "")]),
        ("これは**「強調」**の例", [("これは", ""), ("「強調」", "strong"), ("の例", "")]),
    ],
)
def test_markup_and_links(text: str, runs: list[tuple[str, str]]) -> None:
    """A link says where it leads; one that would lead anywhere unsafe is the text it is."""
    assert parse_inline(text) == runs


@given(st.text(alphabet="ab👩\u200d\ufe0f❤日1 ", max_size=20))
def test_joiners_only_remain_where_they_join_emoji(text: str) -> None:
    """Elsewhere the terminal and the arithmetic would not agree."""
    shown = runs_text(parse_inline(text))
    assert not shown.startswith(("\u200d", "\ufe0f"))
    assert not shown.endswith("\u200d")
    assert "a\u200d" not in shown
