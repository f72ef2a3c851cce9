from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.text import CodeTracker, WordCounter, decode_text


def count_pieces(*pieces: str) -> int:
    words = WordCounter()
    for piece in pieces:
        words.feed(piece)
    return words.count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("one two\nthree", 3),
        ("don't half-way 3.5", 3),
        ("- **bold** | — |", 1),
        ("我们可以走路。", 6),
        ("OK 日本 fine", 4),
        ("도시는 차를", 2),
    ],
)
def test_words_are_what_people_would_count(text: str, count: int) -> None:
    assert count_pieces(text) == count


@given(st.text(alphabet="ab -.*'我の\n", max_size=40), st.lists(st.integers(0, 40)))
def test_no_cut_changes_the_count(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]

    assert count_pieces(*pieces) == count_pieces(text)


@given(st.text(st.characters(exclude_characters="\r\ufeff\x00", exclude_categories=["Cs"]), min_size=1))
def test_text_is_read_in_the_encoding_its_mark_names(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
        assert decode_text(f"{mark}{text}".encode(encoding)) == text
        assert decode_text(f"{mark}{text}".encode(encoding) + b"\xd8", "replace").startswith(text)


def test_what_is_no_text_is_refused() -> None:
    for data in (b"\xff\xfe", b"caf\xe9", b"\xff\xfe\x00\xd8", b"\xff\xfea"):
        with pytest.raises(UnicodeDecodeError):
            decode_text(data)
    assert decode_text(b"a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("", False),
        ("a", False),
        ("a `b", True),
        ("a `b` c", False),
        ("a ``b ` c", True),
        ("a ``b ` c`` d", False),
        ("a `b\nc", True),
        ("a `b\n\nc", False),
        ("```\na", True),
        ("```py\na\n```\nb", False),
        ("````\na\n```\nb", True),
        ("~~~\na\n```\nb", True),
        ("~~~\na\n~~~~\nb", False),
        ("> ```\n> a", True),
        ("- ```\n  a\n  ```\nb", False),
        ("```a`b", True),
        ("a\n\n    b", True),
        ("a\n    b", False),
        ("    a\n    b", True),
        ("    a\nb", False),
        ("\ta", True),
    ],
)
def test_code_is_recognised_wherever_the_text_is_cut(text: str, is_code: bool) -> None:
    for cut in range(len(text) + 1):
        if text[cut - 1 : cut + 1] == "``":
            continue  # a run of backticks comes whole
        tracker = CodeTracker()
        tracker.read(text[:cut])
        tracker.read(text[cut:])
        assert tracker.is_code is is_code, cut
