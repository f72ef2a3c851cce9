"""Verdicts, votes and costs in every document of a debate."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt

from debate_tui.domain.events import (
    CriterionScore,
    DebateFinished,
    DebaterInfo,
    DebaterReplaced,
    DebatersRevealed,
    DebateStarted,
    Event,
    PhaseStarted,
    TurnFinished,
    TurnStarted,
    Verdict,
    Vote,
)
from debate_tui.domain.exports import EXPORT_TYPES, ExportType, export_debate
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Usage
from tests.domain.exports.sample_speeches import HOSTILE, NOVEMBER_2023, speech_deltas, turn_finished
from tests.golden import check_golden, page_document
from tests.sample_debates import numbered_events

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("score", [-5.0, 1e15])
def test_a_bar_is_no_longer_than_it_can_be(score: float) -> None:
    judged = Verdict(
        judge="j1", model="m", winner="a", agreed=True, controlled=True, scores={"a": score, "b": 5}
    )
    text = export_debate(judged_events(judged), "txt")
    bars = {line.count("█") + line.count("░") for line in text.splitlines() if "█" in line or "░" in line}
    assert len(bars) == 1


def judged_events(*behind: Event) -> list[Event]:
    ada = DebaterInfo("a", "Ada | A", "for <b>", "openai:gpt", "gpt")
    bob = DebaterInfo("b", "Bob", "against", "ollama:x", "x")
    return numbered_events(
        DebateStarted(debate="d1", topic="Tea or coffee?", format="oxford", debaters=(ada, bob)),
        Vote(when="before", voter="user", debater=None),
        PhaseStarted(phase="opening", round=1, rounds=1, words=200),
        TurnStarted(turn=1, debater="a", phase="opening"),
        TurnStarted(turn=2, debater="b", phase="opening"),
        *speech_deltas(1, "a", "Tea is **calm**."),
        *speech_deltas(2, "b", "Coffee is quick."),
        turn_finished(1, "a", usage=Usage(1200, 340), cost=0.0123),
        turn_finished(2, "b", usage=Usage(1100, 310)),
        *behind,
        DebateFinished(reason="complete"),
        start=NOVEMBER_2023,
    )


def verdict(judge: str, winner: str | None, **more: object) -> Verdict:
    facts = {"agreed": True, "controlled": True, "scores": {"a": 8.25, "b": 5.5}, **more}
    return Verdict(judge=judge, model=judge, winner=winner, **facts)


MARKS = (
    CriterionScore("reasons", "a", 9, "Tea is calm.", True),
    CriterionScore("reasons", "b", 5, f"Coffee was promised. {HOSTILE}", False),
    CriterionScore("clarity", "a", 8, "Tea | is # calm.", True),
    CriterionScore("clarity", "b", 6, "", False),
)

JUDGED = (
    PhaseStarted(phase="verdict", round=1, rounds=1),
    verdict(
        "openai:judge",
        "a",
        marks=MARKS,
        why=f"# Ada was *right*.\n\n{HOSTILE}",
        stance_before=40,
        stance_after=72,
        usage=Usage(5000, 900),
        cost=0.05,
    ),
    verdict("anthropic:judge", None, agreed=False, stance_after=55, usage=Usage(4000, 800), cost=0.04),
    verdict("mistral:judge", None, scores={}, problem="its answer could not be read"),
    Vote(when="after", voter="user", debater="a"),
    Vote(when="before", voter="v1", debater="b"),
    Vote(when="after", voter="v1", debater=None),
    Vote(when="after", voter="v2", debater="b"),
)


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_judged_documents_match_golden_files(form: ExportType) -> None:
    check_golden(GOLDEN / f"judged.{form}", export_debate(judged_events(*JUDGED), form))


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_nothing_in_a_verdict_acts_on_a_terminal(form: ExportType) -> None:
    document = export_debate(judged_events(*JUDGED), form)

    assert sanitise(document) == document


@pytest.mark.parametrize("form", ["md", "html", "txt"])
@pytest.mark.parametrize(
    "words",
    [
        "wins (1 of 2 judges). 1 judge gave no verdict.",
        "tie, reading orders disagreed",
        "no verdict (its answer could not be read)",
        "(not found in the debate)",
        "(no quote)",
        "The user, before: undecided; after: for",
        "up 32 points",
    ],
)
def test_what_must_be_known_of_a_verdict_is_said(form: ExportType, words: str) -> None:
    assert words in export_debate(judged_events(*JUDGED), form)


@pytest.mark.parametrize("form", ["md", "html", "txt"])
def test_a_cost_that_is_not_known_is_not_guessed(form: ExportType) -> None:
    document = export_debate(judged_events(*JUDGED), form)

    assert "$0.10+" in document
    assert "$0.0900+" in document
    assert "$–" not in document


@pytest.mark.parametrize("form", ["md", "html", "txt"])
@pytest.mark.parametrize("cost", [None, 0.0])
def test_a_debate_that_costs_nothing_has_tokens_only(form: ExportType, cost: float | None) -> None:
    free = [
        msgspec.structs.replace(event, cost=cost) if isinstance(event, TurnFinished) else event
        for event in judged_events()
    ]
    document = page_document(export_debate(free, form))

    assert "Tokens" in document
    assert "tokens out" in document
    assert "Cost" not in document
    assert "$" not in document


@pytest.mark.parametrize("form", ["md", "html", "txt"])
def test_a_tiny_cost_is_not_shown_as_none(form: ExportType) -> None:
    tiny = [
        msgspec.structs.replace(event, cost=0.00001) if isinstance(event, TurnFinished) else event
        for event in judged_events()
    ]
    document = export_debate(tiny, form)

    assert "$0.0000" not in document
    assert "$0.0001" in document


def test_a_page_begins_with_the_verdict() -> None:
    page = export_debate(judged_events(*JUDGED), "html")
    titles = ["Verdict", "Change of opinion", "Votes", "Opening", "Judges", "Cost"]

    assert sorted(titles, key=lambda title: page.index(f">{title}<")) == titles


def test_every_table_of_a_page_scrolls_in_a_box_of_its_own() -> None:
    page = export_debate(judged_events(*JUDGED), "html")

    assert page.count("<table>") == page.count('<div class="table"><table>') > 0


def test_a_debate_nobody_judged_or_paid_for_has_no_such_sections() -> None:
    silent = [event for event in judged_events() if not isinstance(event, Vote)]
    free = [
        msgspec.structs.replace(event, usage=None, cost=None) if isinstance(event, TurnFinished) else event
        for event in silent
    ]

    assert "## " in export_debate(free, "md")
    assert "Verdict" not in export_debate(free, "md")
    assert "Cost" not in export_debate(free, "md")


def test_json_has_verdicts_votes_and_what_was_spent() -> None:
    document = json.loads(export_debate(judged_events(*JUDGED), "json"))

    assert [each["judge"] for each in document["verdicts"]] == [
        "openai:judge",
        "anthropic:judge",
        "mistral:judge",
    ]
    assert document["votes"][0] == {
        "type": "vote",
        "seq": 2,
        "at": 1_700_000_002.0,
        "when": "before",
        "voter": "user",
        "debater": None,
    }
    assert document["spent"]["judges"] == {
        "input_tokens": 9000,
        "output_tokens": 1700,
        "cost": 0.09,
        "counted": False,
        "priced": False,
    }
    assert document["spent"]["debaters"]["b"]["cost"] is None


def test_no_quote_changes_the_structure_of_a_markdown_document() -> None:
    document = export_debate(judged_events(*JUDGED), "md")
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(document)
    headings = [
        tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"
    ]
    tables = [token for token in tokens if token.type == "table_open"]

    assert [heading.split(":")[0] for heading in headings] == [
        "Tea or coffee?",
        "Opening",
        "Ada \\| A (for \\<b\\>)",
        "Bob (against)",
        "Verdict",
        "Change of opinion",
        "Votes",
        "openai",
        "anthropic",
        "mistral",
        "Cost",
    ]
    assert len(tables) == 6
    kinds = {child.type for token in tokens for child in (token, *(token.children or ()))}
    assert kinds.isdisjoint({"html_block", "html_inline", "image", "link_open"})


def test_bars_are_meters_that_need_no_style_of_their_own() -> None:
    class Meters(html.parser.HTMLParser):
        found: list[dict[str, str | None]] = []  # noqa: RUF012 (one page in this test)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "meter":
                self.found.append(dict(attrs))

    page = Meters()
    page.feed(export_debate(judged_events(*JUDGED), "html"))

    assert {"max": "10", "value": "8.25"} in page.found
    assert {"max": "100", "value": "72"} in page.found
    assert all(set(attributes) == {"max", "value"} for attributes in page.found)


def blind_events(*behind: Event) -> list[Event]:
    """A blind debate and its vote, up to the reveal or past it."""
    masked = (DebaterInfo("a", "A", "for", "", ""), DebaterInfo("b", "B", "against", "", ""))
    return numbered_events(
        DebateStarted(debate="d1", topic="Tea or coffee?", format="oxford", debaters=masked, blind=True),
        PhaseStarted(phase="opening", round=1, rounds=1, words=200),
        TurnStarted(turn=1, debater="a", phase="opening"),
        TurnStarted(turn=2, debater="b", phase="opening"),
        *speech_deltas(1, "a", "As A, I say: tea is **calm**."),
        *speech_deltas(2, "b", "A is wrong. Coffee is quick."),
        turn_finished(1, "a", usage=Usage(1200, 340), cost=0.0123),
        turn_finished(2, "b", usage=Usage(1100, 310)),
        DebaterReplaced(debater="b", reason="user", remaining=("a", "b"), source="", model=""),
        PhaseStarted(phase="verdict", round=1, rounds=1),
        verdict("openai:judge", "a", marks=MARKS[2:], why="A was right.", usage=Usage(5000, 900), cost=0.05),
        *behind,
        DebateFinished(reason="complete"),
        start=NOVEMBER_2023,
    )


REVEALED = (
    Vote(when="after", voter="user", debater="b"),
    DebatersRevealed(
        debaters=(
            DebaterInfo("a", "Bob <i>", "for", "ollama:x", "x"),
            DebaterInfo("b", "Ada | A", "against", "openai:gpt?effort=high", "gpt", {"effort": "high"}),
        ),
        prices="genai-prices 1",
    ),
)


@pytest.mark.parametrize("form", EXPORT_TYPES)
@pytest.mark.parametrize(("name", "behind"), [("blind", ()), ("revealed", REVEALED)])
def test_blind_debates_match_golden_files_before_and_after_the_reveal(
    form: ExportType, name: str, behind: tuple[Event, ...]
) -> None:
    document = export_debate(blind_events(*behind), form)

    check_golden(GOLDEN / f"{name}.{form}", document)
    assert sanitise(document) == document
    assert ("Bob" in document) is (name == "revealed")
