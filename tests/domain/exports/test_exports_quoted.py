"""Marked quotes and the sources of turns in every document of a debate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from debate_tui.domain.events import Event, PhaseStarted, Quote, TurnFinished, TurnStarted, Verdict
from debate_tui.domain.exports import EXPORT_TYPES, ExportType, export_debate
from debate_tui.domain.quotes import find_quotes
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Citation, Usage
from tests.domain.exports.sample_speeches import NOVEMBER_2023, speech_deltas, turn_finished
from tests.golden import check_golden
from tests.sample_debates import debate_started, numbered_events

GOLDEN = Path(__file__).parent / "golden"
SPEECH = (
    "\n\n👋 \x1b[1mThe report\ufdd0 says **“tea has calmed whole nations”** [1]; it does not say\n\n"
    "> “coffee has\n> started every war” [1].\n\n"
    "| who | what |\n|---|---|\n| Bob | “only the quick ones will win” |\n"
)
REPLY = "Ada says «the report says tea has calmed». `“this is code and no quote”`"
WHY = "Ada quoted “tea has calmed whole nations”.\nBob said “something that nobody ever said”."
CITED = (
    Citation("https://example.com/tea?a=<1>&b=2", "Tea & *calm* <nations>\n# [1]"),
    Citation("javascript:alert(1)", "Bad"),
    Citation("https://example.com/no-title"),
)


def quotes_of(text: str, *found: bool) -> tuple[Quote, ...]:
    return tuple(replace(quote, found=each) for quote, each in zip(find_quotes(text), found, strict=True))


def quoted_events() -> list[Event]:
    return numbered_events(
        debate_started(),
        PhaseStarted(phase="opening", round=1, rounds=1),
        TurnStarted(turn=1, debater="a", phase="opening"),
        *speech_deltas(1, "a", SPEECH),
        turn_finished(1, "a", quotes=quotes_of(SPEECH, True, False, True), citations=CITED),
        TurnStarted(turn=2, debater="b", phase="opening"),
        *speech_deltas(2, "b", REPLY),
        turn_finished(2, "b", "length", quotes=quotes_of(REPLY, False), usage=Usage(10, 20)),
        Verdict(
            judge="j",
            model="m",
            winner="a",
            agreed=True,
            controlled=True,
            scores={"a": 8, "b": 5},
            why=WHY,
            quotes=quotes_of(WHY, True, False),
        ),
        start=NOVEMBER_2023,
    )


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_quoted_documents_match_golden_files(form: ExportType) -> None:
    document = export_debate(quoted_events(), form)
    check_golden(GOLDEN / f"quoted.{form}", document)
    assert sanitise(document) == document


@pytest.mark.parametrize("form", ["md", "txt"])
def test_a_mark_follows_each_quote(form: ExportType) -> None:
    document = export_debate(quoted_events(), form)
    assert "calmed whole nations”✓" in document
    assert "every war”✗" in document
    assert "«the report says tea has calmed»✗" in document
    assert "Bob said “something that nobody ever said”✗." in document
    assert "quotes found: 2 of 3" in document
    assert "code and no quote”`" in document


def test_marks_on_the_page_are_elements_with_words_and_cannot_be_forged() -> None:
    page = export_debate(quoted_events(), "html")
    shown = re.findall(r'<span class="quote (\w+)" role="img" aria-label="([^"]*)"', page)
    assert shown == [
        ("found", "quote found"),
        ("missing", "quote not found"),
        ("found", "quote found"),
        ("missing", "quote not found"),
    ]
    assert "The report\ufffd says" in page


def test_sources_lead_only_to_the_web_and_change_nothing_else() -> None:
    page = export_debate(quoted_events(), "html")
    assert '<li><a href="https://example.com/tea?a=&lt;1&gt;&amp;b=2"' in page
    assert "<li>Bad</li>" in page
    tokens = MarkdownIt("commonmark").parse(export_debate(quoted_events(), "md"))
    links = [
        child.attrs["href"] for token in tokens for child in token.children or () if child.type == "link_open"
    ]
    assert links == ["https://example.com/tea?a=%3C1%3E&b=2", "https://example.com/no-title"]


def test_a_turn_that_runs_again_shows_the_quotes_of_none_of_its_ends() -> None:
    events = [*quoted_events()[:5], TurnStarted(turn=1, debater="a", phase="opening")]
    assert isinstance(events[4], TurnFinished)
    document = export_debate(events, "txt")
    assert "✓" not in document
    assert "Sources:" not in document
