"""What is written on a pane's page, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.display.buffer import PaneText
from debate_tui.display.markdown import Page
from debate_tui.domain.events import (
    DebaterRemoved,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.domain.transcript import Transcript
from debate_tui.tui.debate_state import PhaseProgress
from debate_tui.tui.pane_content import PaneContent
from debate_tui.tui.symbols import UNICODE

if TYPE_CHECKING:
    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.stream import FinishReason


class PaneHarness:
    """A pane's content with its page and the transcript it asks."""

    def __init__(self) -> None:
        self.page = Page(80)
        self.transcript = Transcript()
        self.content = PaneContent(
            self.page, self.transcript, UNICODE, PhaseProgress(self.transcript, None).turn_phase_label
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

    def end(self, reason: FinishReason = "complete", turn: int = 1) -> PaneHarness:
        return self.take(TurnFinished(turn=turn, debater="a", reason=reason))


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
