"""What is written on a pane's page, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from debate_tui.display.buffer import PaneText
from debate_tui.display.markdown import Page
from debate_tui.domain.events import (
    DebaterRemoved,
    Interjection,
    PhaseStarted,
    Quote,
    StreamStatus,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.stream import Citation, FaultKind, FaultReport
from debate_tui.domain.transcript import Transcript
from debate_tui.tui.debate_state import PhaseProgress
from debate_tui.tui.pane_content import MAX_MARKED_CHARACTERS, PaneContent
from debate_tui.tui.symbols import ASCII, UNICODE

if TYPE_CHECKING:
    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.stream import FinishReason
    from debate_tui.tui.symbols import Glyphs


class PaneHarness:
    """A pane's content with its page and the transcript it asks."""

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        self.page = Page(80)
        self.transcript = Transcript()
        self.content = PaneContent(
            self.page, self.transcript, glyphs, PhaseProgress(self.transcript, None).turn_phase_label
        )
        self.transcript.apply(PhaseStarted(phase="rebuttal", round=1, rounds=2))

    @property
    def written(self) -> list[tuple[str, int, str]]:
        """The sections of the page: kind, turn and text."""
        self.page.flush()
        return [
            (section.kind, section.turn, self.page.block_text(section.number, 0))
            for section in self.page.sections
        ]

    def take(self, *items: PaneItem) -> PaneHarness:
        for item in items:
            if not isinstance(item, PaneText):
                self.transcript.apply(item)
            self.content.apply(item)
        return self

    def turn(self, number: int = 1) -> PaneHarness:
        return self.take(TurnStarted(turn=number, debater="a", phase="rebuttal"))

    def say(self, text: str, turn: int = 1, *, reasoning: bool = False) -> PaneHarness:
        return self.take(PaneText(turn, 1, text, reasoning))

    def end(self, reason: FinishReason = "complete", turn: int = 1, **more: Any) -> PaneHarness:
        return self.take(TurnFinished(turn=turn, debater="a", reason=reason, **more))


def test_a_turn_is_a_heading_and_what_is_said() -> None:
    lane = PaneHarness().turn().say("Hel").say("lo.").end()
    assert lane.written == [("heading", 1, "Rebuttal 1/2"), ("answer", 1, "Hello.")]


def test_thinking_is_kept_apart_and_never_part_of_the_answer() -> None:
    lane = PaneHarness().turn().say("Hm.", reasoning=True).say("Hello.")
    assert lane.written[1:] == [("reasoning", 1, "Hm."), ("answer", 1, "Hello.")]
    assert lane.content.answer == "Hello."
    assert lane.content.has_reasoning


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("length", "── ✂ Cut off at the length limit"),
        ("refused", "── ⊘ Refused to answer"),
        ("stopped", "── ■ Stopped early"),
        ("skipped", "── » Skipped"),
        ("failed", "── ✗ Failed"),
    ],
)
def test_every_other_ending_is_noted(reason: FinishReason, note: str) -> None:
    assert PaneHarness().turn().say("Hello").end(reason).written[-1] == ("notice", 1, note)


def test_a_failure_is_noted_with_its_reason_in_one_line() -> None:
    fault = FaultReport(FaultKind.NETWORK, "reset\nby [b]peer[/b]")
    lane = (
        PaneHarness()
        .turn()
        .take(StreamStatus(debater="a", state="failed", attempt=1, error=fault))
        .end("failed")
    )
    assert lane.written[-1] == ("notice", 1, "── ✗ Failed: reset by [b]peer[/b]")


def test_superseded_text_goes_and_its_heading_stays() -> None:
    lane = PaneHarness().turn().say("Old").take(TurnSuperseded(turn=1, debater="a", attempt=2)).say("New")
    assert lane.written == [("heading", 1, "Rebuttal 1/2"), ("answer", 1, "New")]


def test_a_broken_turn_that_goes_on_is_one_text_again() -> None:
    lane = PaneHarness().turn().say("Hm", reasoning=True).say("Hel").end("failed").say("lo")
    assert lane.written[1:] == [("reasoning", 1, "Hm"), ("answer", 1, "Hello")]


@pytest.mark.parametrize("text", ["", "Hel"])
def test_a_turn_that_goes_on_has_not_ended_before_it_has_more_text(text: str) -> None:
    lane = PaneHarness().turn().say(text) if text else PaneHarness().turn()
    before = lane.written
    lane.end("stopped")
    lane.take(StreamStatus(debater="a", state="waiting", attempt=1))
    assert lane.written == [*before, ("notice", 1, "── ■ Stopped early")]
    lane.take(StreamStatus(debater="a", state="connecting", attempt=1))
    assert lane.written == before
    lane.take(StreamStatus(debater="a", state="finished", attempt=1)).end("stopped")
    assert lane.written == [*before, ("notice", 1, "── ■ Stopped early")]


def test_an_interjection_waits_for_the_end_of_the_turn() -> None:
    lane = PaneHarness().turn().say("Hel").take(Interjection(text="Why\x1b[31m?", to=None)).say("lo").end()
    assert lane.written[1:] == [("answer", 1, "Hello"), ("notice", 0, "── ❯ Why?")]


def test_a_refused_setting_is_noted_before_the_text() -> None:
    connected = StreamStatus(debater="a", state="connected", attempt=1, dropped=("seed", "effort"))
    lane = PaneHarness().turn().take(connected).say("Hel").say("lo").end()
    note = ("notice", 0, "── ⊘ The server refused 'seed' and 'effort': no longer sent.")
    assert lane.written[1:] == [note, ("answer", 1, "Hello")]
    lane = PaneHarness().turn().say("Hel").take(connected).say("lo").end()
    assert lane.written[1:] == [("answer", 1, "Hello"), note]


def test_leaving_the_debate_is_noted_after_how_the_turn_ended() -> None:
    lane = PaneHarness().turn().say("Hel").end("failed")
    lane.take(DebaterRemoved(debater="a", reason="broken", remaining=("b",)))
    assert [text for kind, _, text in lane.written if kind == "notice"] == [
        "── ✗ Failed",
        "── ✗ Out of the debate",
    ]


def test_thinking_of_a_continued_answer_does_not_tear_the_answer() -> None:
    lane = PaneHarness().turn()
    pieces = [("Hm, ", 1, True), ("in the mid", 1, False), ("again? ", 2, True), ("dle of it.", 2, False)]
    for text, attempt, reasoning in pieces:
        lane.take(PaneText(1, attempt, text, reasoning))
    assert lane.written[-1] == ("answer", 1, "in the middle of it.")
    lane.take(TurnFinished(turn=1, debater="a", reason="complete"))
    assert lane.written[1:] == [("reasoning", 1, "Hm, again?"), ("answer", 1, "in the middle of it.")]


def test_thinking_between_two_answers_of_one_attempt_stays_where_it_was() -> None:
    lane = PaneHarness().turn()
    for text, reasoning in (("One. ", False), ("Hm. ", True), ("Two.", False)):
        lane.take(PaneText(1, 1, text, reasoning))
    assert [part[0] for part in lane.written[1:]] == ["answer", "reasoning", "answer"]


# Quotes and sources

QUOTING = "So “one two three” and “**four** five” it is."
QUOTES = (Quote("one two three", 3, 18, found=True), Quote("**four** five", 23, 38, found=False))


@pytest.mark.parametrize(
    ("glyphs", "shown"),
    [
        (UNICODE, "So “one two three”✓ and “four five”✗ it is."),
        (ASCII, "So “one two three” [found] and “four five” [not found] it is."),
    ],
)
def test_quotes_are_marked_once_the_turn_ends(glyphs: Glyphs, shown: str) -> None:
    lane = PaneHarness(glyphs).turn().say(QUOTING[:20]).say(QUOTING[20:])
    before = [section.number for section in lane.page.sections]
    assert lane.written[-1] == ("answer", 1, "So “one two three” and “four five” it is.")
    assert lane.end(quotes=QUOTES).written[-1] == ("answer", 1, shown)
    assert [section.number for section in lane.page.sections] == before
    assert lane.content.answer == QUOTING
    assert lane.content.word_count == 9


def test_marks_stand_in_each_part_of_an_answer() -> None:
    lane = PaneHarness().turn().say(QUOTING[:20]).say("Hm.", reasoning=True).say(QUOTING[20:])
    assert [text for kind, _, text in lane.end(quotes=QUOTES).written if kind == "answer"] == [
        "So “one two three”✓ a",
        "nd “four five”✗ it is.",
    ]


def test_a_turn_that_goes_on_loses_its_marks_until_it_ends_again() -> None:
    lane = PaneHarness().turn().say(QUOTING).end("stopped", quotes=QUOTES).say(" More.")
    assert lane.written[1:] == [("answer", 1, "So “one two three” and “four five” it is. More.")]
    lane.end(quotes=QUOTES)
    assert lane.written[1:] == [("answer", 1, "So “one two three”✓ and “four five”✗ it is. More.")]


def test_an_answer_that_a_notice_has_split_is_one_again_with_its_marks() -> None:
    lane = PaneHarness().turn().say(QUOTING[:20]).end()
    lane.take(Interjection(text="Why?", to=None)).say(QUOTING[20:])
    assert [kind for kind, _, _ in lane.written] == ["heading", "answer", "notice", "answer"]
    assert lane.end(quotes=QUOTES).written[1:] == [
        ("notice", 0, "── ❯ Why?"),
        ("answer", 1, "So “one two three”✓ and “four five”✗ it is."),
    ]


def test_text_without_the_quotes_is_not_marked() -> None:
    lane = PaneHarness().turn().say("Something else, and longer than the text with these quotes.")
    assert "✓" not in lane.end(quotes=QUOTES).written[-1][2]


def test_a_very_long_answer_is_not_written_again_only_to_be_marked() -> None:
    said = QUOTING + " And so on." * (MAX_MARKED_CHARACTERS // 11)
    lane = PaneHarness().turn().say(said).end(quotes=QUOTES)
    assert lane.written[-1] == ("notice", 1, "── Quotes found: 1 of 2")
    assert "✓" not in lane.written[1][2]
    assert [kind for kind, _, _ in lane.say(" More.").written] == ["heading", "answer"]


def test_sources_follow_the_text_and_lead_only_to_the_web() -> None:
    cited = (
        Citation("https://example.com/a b", "A\n[bold]page[/]\x1b[2J"),
        Citation("javascript:alert(1)", "Bad"),
        Citation("https://example.com/c"),
        Citation("file:///etc/passwd"),
    )
    lane = PaneHarness().turn().say("Hello.").end(citations=cited)
    assert lane.written[1:] == [
        ("answer", 1, "Hello."),
        (
            "notice",
            1,
            "── Sources\n[1] A [bold]page[/]: https://example.com/ab\n[2] Bad\n[3] https://example.com/c\n"
            "[4] unknown source",
        ),
    ]
    assert lane.say(" More.").written[1:] == [("answer", 1, "Hello. More.")]
