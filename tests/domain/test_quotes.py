"""What counts as a quote, what it is compared with, and how its mark is put into shown text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from debate_tui.domain import events as ev
from debate_tui.domain import quotes
from debate_tui.domain.material import Material
from debate_tui.domain.quotes import QuoteChecker, find_quotes, mark_quotes, normalise
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.text import MAX_CHECKED_LENGTH
from debate_tui.domain.transcript import Transcript

REPORT = Material(
    1,
    "report.md",
    "# Findings\n\nIn 2019 the *council* banned all cars – except buses – from the “old town”.\n"
    "> Traffic fell by half within a year. Shops\n> sold more than ever before.\n\n"
    "See [the full report](https://example.com/r) for well-known figures.",
)
HIDDEN = Material(2, "memo.txt", "Nobody must know that the mayor owns a garage.", "b")
CJK = Material(3, "報告.txt", "市議会は二〇一九年に旧市街への自動車の\n乗り入れをすべて禁止した。")


def transcript(*speeches: str, reason: ev.FinishReason = "complete") -> Transcript:
    """A debate of Ada and Ben about cars, with these speeches so far, in turn."""
    people = tuple(ev.DebaterInfo(id=id_, name=id_, side="", source="", model="") for id_ in "ab")
    told = Transcript(
        [
            ev.DebateStarted(
                debate="d", topic="Should our city ban all private cars?", format="f", debaters=people
            )
        ]
    )
    for number, text in enumerate(speeches, 1):
        debater = "ab"[(number - 1) % 2]
        told.apply(ev.TurnStarted(turn=number, debater=debater, phase="opening"))
        told.apply(ev.TurnDelta(turn=number, debater=debater, attempt=1, offset=0, text=text))
        told.apply(ev.TurnFinished(turn=number, debater=debater, reason=reason))
    return told


def check(text: str, *said: str, debater: str = "") -> list[bool]:
    """Which quotes of a text are found, for everyone or for one debater's next turn."""
    told = transcript(*said)
    checker = QuoteChecker((REPORT, HIDDEN, CJK), told)
    if not debater:
        return [quote.found for quote in checker.check_text(text)]
    number = len(said) + 1
    told.apply(ev.TurnStarted(turn=number, debater=debater, phase="opening"))
    told.apply(ev.TurnDelta(turn=number, debater=debater, attempt=1, offset=0, text=text))
    return [quote.found for quote in checker.check_turn(told.turns[number])]


def has_quote(checker: QuoteChecker, words: str) -> bool:
    [quote] = checker.check_text(f"“{words}”")
    return quote.found


# What a quote is


@pytest.mark.parametrize(
    "text",
    [
        "“one two three four five”",
        '"one two three four five"',
        "«one two three four five»",
        "« one two three four five »",
        "»one two three four five«",
        "„one two three four five“",
        "„one two three four five”",
        "”one two three four five”",
        "「one two three four five」",
        "『one two three four five』",
        '他说"市议会禁止所有汽车进入旧城区"。',
        "“市议会禁止所有汽车进入旧城区”",
        "“one two\nthree four five”",
        "**“one two three four five”**",
        "“he said 'one two three' four five”",
    ],
)
def test_five_words_between_quotation_marks_are_a_quote(text: str) -> None:
    [quote] = find_quotes(text)
    assert text[quote.offset] in '“"«»„”「『'
    assert text[quote.offset + 1 : quote.end - 1].strip() == quote.text
    assert not text[quote.end : quote.end + 1].isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "“one two three four”",
        "“mother-in-law’s well-known half-sister”",
        "“市议会禁止汽车”",
        'A 6" pipe is as long as a 6" pipe.',
        "“one two three\n\nfour five”",
        "“one two three four five",
        "one two three four five”",
        "`“one two three four five”`",
        "```\nprint('“one two three four five”')\n```",
        '[see](https://example.com "one two three four five")',
        "“. – … ! ?”",
    ],
)
def test_anything_else_is_no_quote(text: str) -> None:
    assert list(find_quotes(text)) == []


def test_a_quote_within_another_is_part_of_it_and_an_unpaired_mark_hides_none() -> None:
    text = "“Ada said «one two three four five» here” and “so “one two three four five”"
    assert [quote.text for quote in find_quotes(text)] == [
        "Ada said «one two three four five» here",
        "one two three four five",
    ]


@pytest.mark.parametrize("cited", [" [2]", "[2]", ", [2]", " ([2])", ". [2]", "* [2]", " [2, 3]", " [2][3]"])
def test_the_number_of_the_material_may_follow(cited: str) -> None:
    [quote] = find_quotes(f"*“one two three four five”{cited} and so on")
    assert quote.number == 2


def test_offsets_count_code_points_and_include_the_marks() -> None:
    text = "👋 He said “one two three four five”."
    [quote] = find_quotes(text)
    assert text[quote.offset : quote.end] == "“one two three four five”"


# What is the same


@pytest.mark.parametrize(
    "quoted",
    [
        "“In 2019 the council banned all cars” [1]",
        '"the council banned all cars — except buses — from the old town"',
        "“the council banned all cars -- except buses -- from the ‘old town’”",
        "“The council banned all cars–except buses–from the 'old town.'”",
        "“[t]he council banned all cars”",
        "“the **council** banned\nall   cars”",
        "“Traffic fell by half within a year. Shops sold more”",
        "“In 2019 the council … from the «old town»”",
        "“In 2019 the council [...] from the 'old town'”",
        "“…the council banned all cars...”",
        "“In 2019 ... Traffic fell by half. . . sold more than ever”",
        "“See the full report for well‑known figures”",
        "“the coun\u00adcil banned all cars”",
        "“Should our city ban all private cars”",
        "「自動車の乗り入れをすべて禁止した」",
        "“旧市街への自動車の乗り入れをすべて禁止した。” [3]",
        "“the council banned all cars” [9]",
        "“the council banned all cars” [3]",
    ],
)
def test_a_true_quote_is_found(quoted: str) -> None:
    assert check(quoted) == [True]


@pytest.mark.parametrize(
    "quoted",
    [
        "“In 2019 the council banned most cars”",
        "“the council banned all car”",
        "“he council banned all cars except”",
        "“In 2019 THE council banned all cars”",
        "“from the old town … In 2019 the council”",
        "“the council banned all cars, except buses, from the”",
        "“Traffic fell by half. Shops sold more”",
        "「自動車の乗り入れをすべて許可した」",
        "“In … 2019 … the … council … banned … all … cars … except … buses”",
        "“a b c d e f g … … …”",
    ],
)
def test_a_changed_quote_is_not(quoted: str) -> None:
    assert check(quoted) == [False]


def test_quotes_of_speeches_are_found_and_only_of_those_that_count() -> None:
    text = "“Ada opened with these very words”"
    assert check(text, "Well: Ada opened with these very words.") == [True]
    told = transcript("Ada opened with these very words", "But Ben failed to say", reason="failed")
    assert QuoteChecker((), told).check_text(text) == ()
    told = transcript("Something else was said here", "Ada opened with these very words")
    told.apply(ev.TurnSuperseded(turn=2, debater="b", attempt=2))
    assert [quote.found for quote in QuoteChecker((), told).check_text(text)] == [False]


def test_a_speech_that_is_given_again_replaces_the_one_before() -> None:
    told = transcript("Something else was said here", "Ada opened with these very words")
    checker = QuoteChecker((), told)
    assert has_quote(checker, "opened with these very words")
    told.apply(ev.TurnSuperseded(turn=2, debater="b", attempt=2))
    told.apply(ev.TurnDelta(turn=2, debater="b", attempt=2, offset=0, text="Ben is brief this time round."))
    told.apply(ev.TurnFinished(turn=2, debater="b", reason="complete"))
    assert not has_quote(checker, "opened with these very words")
    assert has_quote(checker, "Ben is brief this time")


def test_a_debater_has_said_only_what_stands_in_its_own_speeches() -> None:
    told = transcript("Ada opened with **these** very words", "Ben was brief", "Ada closed")
    checker = QuoteChecker((), told)
    speakers = {turn.debater for turn in told.turns.values()}
    for quote in ("opened with these very words", "Ada opened … very words", "Ben was brief"):
        (author,) = (who for who in speakers if checker.is_said(quote, who))
        assert (author == told.turns[2].debater) == quote.startswith("Ben")
    assert not any(
        checker.is_said(quote, who) for quote in ("", "nothing", "Ada … brief") for who in speakers
    )


def test_a_turn_does_not_prove_its_own_quotes() -> None:
    assert check("So: “nobody ever said any such thing”", "Hello.", debater="b") == [False]


def test_hidden_material_is_for_its_debater_alone() -> None:
    quoted = "“the mayor owns a garage” [2]"
    assert check(quoted, "Hello.", debater="b") == [True]
    assert check(quoted, debater="a") == [False]
    assert check(quoted) == [False]


def test_a_moderators_words_may_be_quoted() -> None:
    told = transcript("Hello, all of you.")
    told.apply(ev.Interjection(text="Tell us what it would cost!", to=None))
    assert has_quote(QuoteChecker((), told), "Tell us what it would cost")


def test_without_anything_to_compare_with_nothing_is_marked() -> None:
    assert QuoteChecker((), transcript()).check_text("“one two three four five”") == ()


def test_a_false_quote_of_the_material_does_not_come_true_when_another_repeats_it() -> None:
    false = "the city closed every road at once"
    told = transcript(f"The report says “{false}” [1].", f"It does: “{false}” [1]. You said “{false}”.")
    checker = QuoteChecker((REPORT,), told)
    assert [quote.found for quote in checker.check_turn(told.turns[1])] == [False]
    assert [quote.found for quote in checker.check_turn(told.turns[2])] == [False, True]


def test_a_quote_of_a_page_that_the_provider_cites_is_not_judged() -> None:
    told = transcript("Hello.", "“some page says this and that” [1], “another page says this and that” [3]")
    checker = QuoteChecker((), told)
    assert [quote.number for quote in checker.check_turn(told.turns[2], 2)] == [3]
    assert [quote.number for quote in checker.check_turn(told.turns[2])] == [1, 3]
    with_material = QuoteChecker((REPORT,), told)
    assert [quote.number for quote in with_material.check_turn(told.turns[2], 3)] == [1]


# Hostile text


@pytest.mark.parametrize(
    "piece",
    ['"', "“", "”", "„", "«", "»", '"a ', "“a b c d e ", "`", "[", "](x", "“…", "\n“", " >", "*_", "\\", " "],
)
def test_a_text_of_nothing_but_marks_is_read_in_one_pass(piece: str) -> None:
    # If the work grew with the square of the length, this would take hours.
    text = piece * (MAX_CHECKED_LENGTH // len(piece))
    list(find_quotes(text))
    normalise(text)


def test_the_number_of_quotes_and_what_is_searched_for_them_are_bounded() -> None:
    text = "“one two three four five” " * 100_000
    checked = QuoteChecker((REPORT,), transcript()).check_text(text)
    assert len(checked) == quotes.MAX_QUOTES
    size = quotes.MAX_SCANNED // 10
    huge = Material(1, "huge.txt", "one two three four " * (size // 19 + 1))
    assert len(QuoteChecker((huge,), transcript()).check_text(text)) == 9


def test_each_text_is_normalised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(quotes, "normalise", lambda text: read.append(len(text)) or normalise(text))
    checker = QuoteChecker((REPORT,), transcript("Words " * 1000, "More words " * 1000))
    for _ in range(10):
        checker.check_text("“the council banned all cars”")
    assert sum(size > 300 for size in read) == 2
    assert sum(size == len(REPORT.text) for size in read) == 1


WORDS = st.text(st.sampled_from('ab “”"„«»「」`>\n.…[]1*_-é車'), max_size=60)


@given(WORDS)
def test_quotes_are_in_order_apart_and_within_the_text(text: str) -> None:
    end = 0
    for quote in find_quotes(text):
        assert end <= quote.offset < quote.end <= len(text)
        assert quote.text in text[quote.offset : quote.end]
        end = quote.end


@given(WORDS)
def test_what_is_quoted_word_for_word_is_found(text: str) -> None:
    quoted = f"one two three {text} four five"
    parts = [part for part in quotes._parts_of(quoted) if part]
    assert quotes._contains(normalise(f"Before it. {quoted} After it."), parts)


@given(WORDS)
def test_normalising_twice_changes_nothing_more_of_plain_words(text: str) -> None:
    assert "  " not in normalise(text)
    assert normalise(text) == normalise(text).strip()


# Marks


@example(["\x1b[1m" * 6, "x", "“one two three four five”", "“one two three four five”"])  # moved by one quote
@given(
    st.lists(st.sampled_from(["“one two three four five”", "so ", "\n", "👋", "“six", "\x1b[1m", "\u202e"]))
)
def test_a_mark_follows_each_quote_also_where_characters_are_removed(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = list(find_quotes(text))
    marked = mark_quotes(text, found)
    assert marked.replace("✗", "") == sanitise(text)
    assert marked.count("five”✗") == len(found)


@given(st.text(st.sampled_from("a “”"), max_size=20), st.integers(-5, 25), st.integers(-5, 25))
def test_the_places_of_other_programs_quotes_may_be_anywhere(text: str, offset: int, end: int) -> None:
    for quoted in ("a", "", "“a", "b"):
        marks = (ev.Quote(quoted, offset, end, found=True), ev.Quote("a", 1, 4, found=False))
        assert re.sub("[✓✗]", "", mark_quotes(text, marks)) == text


def test_a_mark_stands_right_after_its_quote() -> None:
    text = "So “the council banned all cars” [1]. And “the council sold all cars” [1]."
    checked = QuoteChecker((REPORT,), transcript()).check_text(text)
    assert (
        mark_quotes(text, checked)
        == "So “the council banned all cars”✓ [1]. And “the council sold all cars”✗ [1]."
    )
