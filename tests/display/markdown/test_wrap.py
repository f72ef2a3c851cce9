"""Lines fit, lose nothing but blanks, and break alike whether a text is known to be narrow or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from debate_tui.display.markdown import wrap as wrapping
from debate_tui.display.markdown.wrap import (
    cell_width,
    graphemes,
    has_simple_widths,
    is_narrow,
    is_wide,
    strip_stray_joiners,
    wrap,
    wrap_code,
)

_texts = st.text(alphabet="ab-/. 日本語、。「é\u0301👩\u200d❤\ufe0f\n", max_size=60).map(strip_stray_joiners)
_widths = st.integers(1, 20)


@given(_texts, _widths)
def test_lines_fit(text: str, width: int) -> None:
    """Unless a single grapheme does not."""
    for start, end in [*wrap(text, width), *wrap_code(text.replace("\n", " "), width)]:
        assert cell_width(text[start:end].replace("\n", " ")) <= width or len(graphemes(text[start:end])) == 1


@given(_texts, _widths)
def test_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    """And what is lost is at the ends of lines."""
    shown = "".join(text[start:end] for start, end in wrap(text, width))
    assert "".join(shown.split()) == "".join(text.split())
    spans = wrap_code(text.replace("\n", " "), width)
    assert "".join(text[start:end] for start, end in spans) == text


@given(st.text(alphabet="abc-/.,  ", max_size=60), _widths)
def test_narrow_text_breaks_as_any_text_does(text: str, width: int) -> None:
    """The quick way is not another way."""
    assert wrapping._wrap_narrow(text, width) == wrapping._wrap_graphemes(text, width)


@given(st.text(alphabet="ab-/.,  日本語、。「」é—", max_size=60), _widths)
def test_plain_text_breaks_as_any_text_does(text: str, width: int) -> None:
    """Nor is that one."""
    assert wrapping._wrap_simple(text, width) == wrapping._wrap_graphemes(text, width)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 4, ["one", "two"]),
        ("incomprehensible", 6, ["incomp", "rehens", "ible"]),
        ("https://example.com/a/long/path", 12, ["https://", "example.com/", "a/long/path"]),
        ("日本語です。", 6, ["日本語", "です。"]),
        ("日本語。です", 6, ["日本", "語。で", "す"]),
        ("「日本」語", 4, ["「日", "本」", "語"]),
        ("a日本 b", 4, ["a日", "本 b"]),
        ("é" * 5, 3, ["ééé", "éé"]),
        ("👨‍👩‍👧👨‍👩‍👧", 2, ["👨‍👩‍👧", "👨‍👩‍👧"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("", 5, [""]),
    ],
)
def test_where_lines_break(text: str, width: int, lines: list[str]) -> None:
    """At blanks; around wide characters, but not before a closing sign; within words only if it must be."""
    assert [text[start:end] for start, end in wrap(text, width)] == lines


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("👨‍👩‍👧", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("❤️", 2),
        ("a\u200bb", 2),
    ],
)
def test_widths(text: str, width: int) -> None:
    """Those of the compositor, Rich's."""
    assert cell_width(text) == cell_len(text) == width


def test_plain_characters_take_one_cell_or_two() -> None:
    """Every one that is said to be narrow or wide."""
    characters = [chr(code) for code in range(32, 0x10000)]
    assert {get_character_cell_size(one) for one in characters if is_narrow(one)} == {1}
    assert {get_character_cell_size(one) for one in characters if is_wide(one)} == {2}
    assert all(has_simple_widths(one) for one in characters if is_narrow(one) or is_wide(one))
