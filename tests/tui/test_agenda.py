"""Where a debate is in its format."""

from __future__ import annotations

from debate_tui.domain.debate import Format, Phase
from debate_tui.domain.events import (
    DebateFinished,
    DebaterInfo,
    DebateStarted,
    PhaseStarted,
    TurnFinished,
    TurnStarted,
)
from debate_tui.domain.transcript import Transcript
from debate_tui.tui.debate_state import PhaseProgress

FORMAT = Format(
    name="f",
    title="F",
    description="",
    phases=(
        Phase(name="opening", title="Opening statement"),
        Phase(name="rebuttal", title="Rebuttal", rounds=2),
    ),
)
DEBATERS = tuple(DebaterInfo(name, name, "", "demo", "") for name in ("a", "b"))


def started_transcript() -> Transcript:
    return Transcript([DebateStarted(debate="d", topic="t", format="f", debaters=DEBATERS)])


def test_before_the_first_phase_nothing_is_said_and_nothing_is_done() -> None:
    agenda = PhaseProgress(started_transcript(), FORMAT)
    assert agenda.current_phase_label == ""
    assert agenda.step_completion() == (0.0, 0.0, 0.0)


def test_a_phase_is_named_by_its_title_and_counted_if_it_has_rounds() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    assert agenda.current_phase_label == "Opening statement"
    transcript.apply(PhaseStarted(phase="rebuttal", round=2, rounds=2))
    assert agenda.current_phase_label == "Rebuttal 2/2"


def test_a_step_is_done_by_as_much_as_its_turns_are() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    transcript.apply(TurnStarted(turn=1, debater="a", phase="opening"))
    transcript.apply(TurnFinished(turn=1, debater="a", reason="complete"))
    assert agenda.step_completion() == (0.5, 0.0, 0.0)
    transcript.apply(PhaseStarted(phase="rebuttal", round=1, rounds=2))
    assert agenda.step_completion() == (1.0, 0.0, 0.0)
    transcript.apply(DebateFinished(reason="complete"))
    assert agenda.step_completion() == (1.0, 1.0, 1.0)


def test_without_a_format_there_is_a_name_but_no_progress() -> None:
    transcript = started_transcript()
    transcript.apply(PhaseStarted(phase="closing\x1b[31m words", round=1, rounds=1))
    agenda = PhaseProgress(transcript, None)
    assert agenda.current_phase_label == "Closing words"
    assert agenda.step_completion() == ()


def test_a_format_known_by_name_alone_has_no_more_rounds_than_were_announced() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    assert len(agenda.step_completion()) == 3
    transcript.apply(PhaseStarted(phase="rebuttal", round=1, rounds=1))
    assert agenda.step_completion() == (1.0, 0.0)
    assert agenda.remaining_rounds == ()
