"""Wording: money, durations, phases and endings; outcomes are tested in `judging`."""

from __future__ import annotations

import pytest

from debate_tui.domain.events import PhaseStarted, Quote
from debate_tui.domain.stream import Citation, FaultKind, FaultReport
from debate_tui.domain.wording import (
    count_of,
    debate_state,
    describe_fault_kind,
    describe_quotes,
    describe_turn_end,
    footnotes,
    format_clock,
    format_duration,
    format_money,
    round_label,
    round_title,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0012, "1.2 ms"),
        (0.31, "310 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.254, "1.25 s"),
        (60, "60 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (120, "2 min"),
        (3599.7, "1 h"),
        (3900, "1 h 5 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_durations_have_up_to_three_digits(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_clocks_show_hours_only_if_there_are_any() -> None:
    assert [format_clock(seconds) for seconds in (-1, 15.9, 754, 3723)] == [
        "0:00",
        "0:15",
        "12:34",
        "1:02:03",
    ]


def test_money_is_exact_where_it_is_little_and_never_guessed() -> None:
    assert [format_money(dollars) for dollars in (0, 0.0031, 0.1, 12.345)] == [
        "$0",
        "$0.0031",
        "$0.10",
        "$12.35",
    ]
    assert format_money(0.0031, complete=False) == "$0.0031+"
    assert format_money(0.00001) == "<$0.0001"
    assert format_money(0.00001, complete=False) == "<$0.0001+"
    assert (format_money(None), format_money(None, unknown="-")) == ("–", "-")


def test_rounds_are_counted_only_if_there_are_several() -> None:
    single, second = (
        PhaseStarted(phase="opening", round=1, rounds=1),
        PhaseStarted(phase="rebuttal", round=2, rounds=3),
    )
    assert (round_label(single), round_title(single)) == ("Opening", "Opening")
    assert (round_label(second), round_title(second)) == ("Rebuttal 2/3", "Rebuttal, round 2 of 3")
    assert round_label(second, "Free discussion") == "Free discussion 2/3"


def test_a_failed_turn_names_its_last_fault() -> None:
    faults = [FaultReport(FaultKind.NETWORK, "reset"), FaultReport(FaultKind.QUOTA, "no\x1b[2J money")]
    assert describe_turn_end("failed", faults) == "failed: no money"
    assert describe_turn_end("stopped", faults) == "stopped early"
    assert describe_turn_end("failed") == "failed"


def test_debates_without_an_end_are_live_or_interrupted() -> None:
    assert (debate_state("stopped", live=True), debate_state(None, live=True)) == ("stopped", "live")
    assert debate_state(None) == "interrupted"
    assert (count_of(1, "judge"), count_of(2, "judge")) == ("1 judge", "2 judges")


@pytest.mark.parametrize(
    ("kind", "status", "message", "cause"),
    [
        (FaultKind.NETWORK, None, "Connection reset by peer", "connection lost"),
        (FaultKind.TIMEOUT, None, "No first byte in 90 s", "timed out"),
        (FaultKind.RATE_LIMIT, 429, "Slow down", "rate limited"),
        (FaultKind.OVERLOADED, 529, "Overloaded", "overloaded"),
        (FaultKind.SERVER, 500, "Internal error", "server error"),
        (FaultKind.AUTH, 401, "Incorrect API key provided: sk-…", "key refused"),
        (FaultKind.AUTH, None, "No API key found for OpenAI.", "no key"),
        (FaultKind.QUOTA, 402, "Insufficient balance", "no credit left"),
        (FaultKind.BAD_REQUEST, 404, "The model `gpt-9` does not exist", "model not found"),
        (FaultKind.BAD_REQUEST, 404, "Not found: https://host.example/model-a", "not found"),
        (FaultKind.BAD_REQUEST, 413, "Too long", "prompt too long"),
        (FaultKind.BAD_REQUEST, 400, "Unknown field", "request refused"),
        (FaultKind.BAD_REQUEST, 200, "The server returned a web page", "no valid answer"),
        (FaultKind.REFUSED, None, "Content filter", "refused"),
        (FaultKind.UNKNOWN, None, "The answer had no text.", "failed"),
    ],
)
def test_every_kind_of_fault_has_a_short_name(
    kind: FaultKind, status: int | None, message: str, cause: str
) -> None:
    assert describe_fault_kind(FaultReport(kind, message, status)) == cause


def test_quotes_are_counted() -> None:
    quotes = [Quote("a", 0, 3, found=True), Quote("b", 4, 7, found=False)]
    assert describe_quotes(quotes) == "quotes found: 1 of 2"
    assert describe_quotes([]) == ""


def test_sources_are_numbered_and_lead_only_to_the_web() -> None:
    cited = (
        Citation("HTTPS://example.com/a b", "A\n\x1b[2Jpage"),
        Citation("data:text/html,x", "Data"),
        Citation("https://example.com/\u202ec"),
        Citation("//example.com"),
    )
    assert list(map(str, footnotes(cited))) == [
        "[1] A page: HTTPS://example.com/ab",
        "[2] Data",
        "[3] https://example.com/c",
        "[4] unknown source",
    ]
    assert [note.url for note in footnotes(cited)] == [
        "HTTPS://example.com/ab",
        "",
        "https://example.com/c",
        "",
    ]
