"""Nothing a model says may act on the reader's terminal, and nothing it says may get lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.sanitise import MAX_CONTROL_STRING, Sanitiser, one_line, redact, redact_line, sanitise
from tests.cutting import cut_at

BIDI = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
FORBIDDEN = {c for c in map(chr, range(0x110000)) if unicodedata.category(c) in ("Cc", "Cs")} | BIDI
FORBIDDEN = (FORBIDDEN | {"\u2028", "\u2029"}) - {"\n", "\t"}

SEQUENCE_PARTS = [
    *("\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bN", "\x1bO", "\x1b(", "\x1b\\"),
    *("\x9b", "\x9d", "\x90", "\x9f", "\x9e", "\x98", "\x8e", "\x8f", "\x9c", "\x85"),
    *("\x07", "\x18", "\x1a", "\r", "\n", "\t", "\r\n", "\x00", "\x7f"),
    *("31", ";", "m", "B", " ", "0;title", "say", "é", "\u202e", "\u2028", "\ud800", "👩‍👩‍👧", "漢"),
]
hostile = st.lists(st.sampled_from(SEQUENCE_PARTS) | st.text(max_size=3), max_size=24).map("".join)
anything = st.text(st.characters(exclude_categories=())) | hostile


def sanitise_pieces(pieces: list[str]) -> str:
    sanitiser = Sanitiser()
    return "".join([*map(sanitiser.feed, pieces), sanitiser.flush()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b[?1049l\x1b[2J\x1b[3 qx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x9d0;title\x9cx", "x"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;cm0gLXJm\x07x", "x"),
        ("\x1bPq#0;2;0;0;0\x1b\\x", "x"),
        ("\x90q#0\x9cx", "x"),
        ("\x1b_Gf=100;AAAA\x1b\\x", "x"),
        ("\x1b^private\x1b\\x\x1bXstring\x1b\\y", "xy"),
        ("\x1bPtmux;\x1b\x1b]52;c;AAAA\x07\x1b\\x", "x"),
        ("\x1bcx\x1b(By\x1b#8z\x1b7", "xyz"),
        ("\x1bOAx\x8fBy", "xy"),
        ("a\x1b", "a"),
        ("a\x1b[", "a"),
        ("a\x1b[38;5;1", "a"),
        ("\x1b[31é", "é"),
        ("a\r\nb\rc", "a\nbc"),
        ("a\x00b\x07c\x08d\x0be\x0cf\x7fg\x85h", "abcdefgh"),
        ("a\u202eb\u2066c\u2069d", "abcd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("a\ud83d b", "a\ufffd b"),
    ],
)
def test_what_acts_on_a_terminal_is_removed(text: str, shown: str) -> None:
    assert sanitise(text) == shown
    assert sanitise_pieces(list(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain\n\ttext",
        "👩‍👩‍👧‍👦 ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می‌خواهم שלום\u200f \u200e\u061c",
        "a\u00adb\u200bc\u2060d\ufeff",
        "[bold]not markup[/bold] \\[31m",
        "e\u0301 漢字 ǆ",
    ],
)
def test_legitimate_text_comes_through_untouched(text: str) -> None:
    assert sanitise(text) is text
    assert Sanitiser().feed(text) is text


@pytest.mark.parametrize("opener", ["\x1b]", "\x9d", "\x1bP", "\x9f", "\x1bX"])
def test_an_unclosed_string_takes_no_speech_with_it(opener: str) -> None:
    speech = "first\nsecond " + "long " * MAX_CONTROL_STRING
    assert sanitise(opener + speech) == speech
    sanitiser = Sanitiser()
    assert sanitiser.feed(opener + "first") == ""
    assert sanitiser.feed("\nsecond") == "first\nsecond"


def test_a_string_is_closed_within_its_bound_or_not_at_all() -> None:
    longest = "x" * MAX_CONTROL_STRING
    assert sanitise(f"\x1b]{longest}\x07end") == "end"
    assert sanitise(f"\x1b]{longest}x\x07end") == f"{longest}xend"
    assert sanitise_pieces(list(f"\x1b]{longest}x\x07end")) == f"{longest}xend"


def test_double_encoded_quotes_lose_no_words() -> None:
    mojibake = "so “called” and “so” on".encode().decode("latin-1")
    assert sanitise(mojibake) == "so âcalledâ and âsoâ on"


def test_a_flushed_sanitiser_starts_afresh() -> None:
    sanitiser = Sanitiser()
    assert sanitiser.feed("a\x1b[3") == "a"
    assert sanitiser.flush() == ""
    assert sanitiser.feed("1m") == "1m"


@given(anything)
def test_no_forbidden_character_survives(text: str) -> None:
    assert not FORBIDDEN.intersection(sanitise(text))


@given(anything)
def test_sanitising_twice_changes_nothing(text: str) -> None:
    once = sanitise(text)
    assert sanitise(once) == once


@given(anything, st.lists(st.integers(min_value=0), max_size=12))
def test_cutting_changes_nothing(text: str, places: list[int]) -> None:
    assert sanitise_pieces(cut_at(text, places)) == sanitise(text)
    assert sanitise_pieces(list(text)) == sanitise(text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="".join(BIDI))))
def test_text_without_anything_forbidden_is_the_same_object(text: str) -> None:
    assert sanitise(text) is text


@given(hostile)
def test_what_is_held_back_is_bounded(text: str) -> None:
    sanitiser = Sanitiser()
    sanitiser.feed(text * 200)
    assert len(sanitiser._pending) <= MAX_CONTROL_STRING + 2


@given(hostile, st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert "\t" not in line
    assert line == line.strip()


def test_one_line_says_that_it_was_cut() -> None:
    assert one_line("  429:\n\ttoo   many\x1b[31m requests ") == "429: too many requests"
    assert one_line("too many requests", 9) == "too many…"
    assert one_line("too many requests", 10) == "too many…"
    assert one_line("short", 5) == "short"


# Secrets


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("bad key gsk_abcdefgh12345678", "bad key …"),
        ("AIzaSyA-1234567890", "…"),
        ("your key AbC1****xYz9 is wrong", "your key … is wrong"),
        ("own-secret-key was sent", "… was sent"),
        ("Incorrect API key provided: sk-proj-1234567890abcdef.", "Incorrect API key provided: …."),
        (
            "Key: sk-proj-abc***************wxyz. See https://h.example/keys.",
            "Key: …. See https://h.example/keys.",
        ),
        ("Authorization: Bearer abc123def", "Authorization: Bearer …"),
        (
            "https://ada:love@lace@h.example/?topic=tea&api_key=abc#x",
            "https://…@h.example/?topic=tea&api_key=…#x",
        ),
    ],
)
def test_secrets_are_masked(text: str, clean: str) -> None:
    assert redact(text, "own-secret-key") == redact(clean, "own-secret-key") == clean


@pytest.mark.parametrize(
    "text",
    [
        "The model `gpt-9` does not exist; see https://platform.openai.com/docs/api-reference, ask-me.",
        "The model gpt-4o-2024-08-06 is overloaded.",
        "Your token limit is reached. Invalid token: expired.",
    ],
)
def test_nothing_else_is_masked(text: str) -> None:
    assert redact(text, "", "a") == redact_line(text) == text


def test_a_line_of_a_log_keeps_no_value_of_a_url_and_no_controls() -> None:
    assert redact_line("GET https://h.example/s?key=abc&topic=tea failed") == (
        "GET https://h.example/s?key=…&topic=… failed"
    )
    assert redact_line("two\nlines \x1b[31mred\x1b[0m") == "two lines red"


@pytest.mark.parametrize(
    "text", ["1", "a", "-", "1.", "sk-", "sk-.", "?", "?a", "&a", "?key", "token:", "://a"]
)
def test_hostile_text_is_redacted_in_linear_time(text: str) -> None:
    """In quadratic time, each would take minutes."""
    hostile = text * (300_000 // len(text))
    assert redact_line(f"{hostile}! sk-****abcd ?key=value").endswith(" … ?key=…")
