"""Where a debate is in its format."""

from __future__ import annotations

import msgspec

from debate_tui.domain.debate import Format, Phase
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebateStarted,
    Event,
    PhaseStarted,
    TurnFinished,
    TurnStarted,
)
from debate_tui.domain.transcript import Transcript
from debate_tui.tui.debate_state import DurationEstimator, PhaseProgress

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


def test_no_label_and_no_progress_before_the_first_phase() -> None:
    agenda = PhaseProgress(started_transcript(), FORMAT)
    assert agenda.current_phase_label == ""
    assert agenda.step_completion() == (0.0, 0.0, 0.0)


def test_phase_label_has_the_title_and_the_round() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    assert agenda.current_phase_label == "Opening statement"
    transcript.apply(PhaseStarted(phase="rebuttal", round=2, rounds=2))
    assert agenda.current_phase_label == "Rebuttal 2/2"


def test_step_completion_follows_its_turns() -> None:
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


def test_steps_that_no_two_debaters_were_left_for_stay_empty() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    for number, debater in enumerate("ab", 1):
        transcript.apply(TurnStarted(turn=number, debater=debater, phase="opening"))
        transcript.apply(TurnFinished(turn=number, debater=debater, reason="complete"))
    transcript.apply(DebaterRemoved(debater="b", reason="gone", remaining=("a",)))
    transcript.apply(PhaseStarted(phase="verdict", round=1, rounds=1))
    assert agenda.step_completion() == (1.0, 0.0, 0.0)
    assert agenda.early_end_label == ""
    transcript.apply(DebateFinished(reason="complete"))
    assert agenda.step_completion() == (1.0, 0.0, 0.0)
    assert agenda.early_end_label == "Opening statement"


def test_unknown_format_has_labels_but_no_progress() -> None:
    transcript = started_transcript()
    transcript.apply(PhaseStarted(phase="closing\x1b[31m words", round=1, rounds=1))
    agenda = PhaseProgress(transcript, None)
    assert agenda.current_phase_label == "Closing words"
    assert agenda.step_completion() == ()


def test_announced_rounds_limit_those_of_the_format() -> None:
    transcript = started_transcript()
    agenda = PhaseProgress(transcript, FORMAT)
    transcript.apply(PhaseStarted(phase="opening", round=1, rounds=1))
    assert len(agenda.step_completion()) == 3
    transcript.apply(PhaseStarted(phase="rebuttal", round=1, rounds=1))
    assert agenda.step_completion() == (1.0, 0.0)
    assert agenda.remaining_rounds == ()


# How long a debate will take, told only when there is something to tell it by.


FORECAST_FORMAT = Format(
    name="f",
    title="F",
    description="",
    phases=(
        Phase(name="opening", title="Opening", words=100),
        Phase(name="rebuttal", title="Rebuttal", words=50, rounds=2),
        Phase(name="closing", title="Closing", words=50, order="turns"),
    ),
)
FORECAST_DEBATERS = tuple(DebaterInfo(name, name, "", "demo", "") for name in ("a", "b"))


class ForecastHarness:
    """A forecast that is told what happened, and when."""

    def __init__(self, format_: Format | None = FORECAST_FORMAT) -> None:
        self._transcript = Transcript()
        self._forecast = DurationEstimator(self._transcript, PhaseProgress(self._transcript, format_))
        self.at(0, DebateStarted(debate="d", topic="t", format="f", debaters=FORECAST_DEBATERS))

    def at(self, second: float, *events: Event) -> ForecastHarness:
        for event in events:
            dated = msgspec.structs.replace(event, at=1000 + second)
            self._transcript.apply(dated)
            self._forecast.apply(dated)
        return self

    def remaining(self, second: float) -> float | None:
        return self._forecast.remaining_seconds(1000 + second)


def phase(name: str, number: int = 1, rounds: int = 1, words: int = 0) -> PhaseStarted:
    return PhaseStarted(phase=name, round=number, rounds=rounds, words=words)


def one_round() -> ForecastHarness:
    """A hundred words took twenty seconds."""
    return ForecastHarness().at(0, phase("opening")).at(20, phase("rebuttal", 1, 2))


def test_no_estimate_before_the_first_round_ends() -> None:
    assert ForecastHarness().remaining(0) is None
    assert ForecastHarness().at(0, phase("opening")).remaining(10) is None


def test_estimate_uses_the_pace_so_far() -> None:
    # 50 words in each of two rounds, and 50 each of two who close one after the other.
    assert one_round().remaining(20) == 40
    assert one_round().remaining(25) == 35


def test_overdue_round_does_not_shorten_the_others() -> None:
    assert one_round().remaining(60) == 30


def test_pauses_do_not_count() -> None:
    watch = ForecastHarness().at(0, phase("opening"))
    watch.at(5, DebatePaused(reason="user", debater=None)).at(105, DebateResumed(reason="user", debater=None))
    watch.at(120, phase("rebuttal", 1, 2))
    assert watch.remaining(120) == 40
    watch.at(122, DebatePaused(reason="user", debater=None))
    assert watch.remaining(500) == 38


def test_waiting_for_a_decision_does_not_count() -> None:
    watch = ForecastHarness().at(0, phase("opening"))
    watch.at(5, DebatePaused(reason="auth: no key", debater="a"))
    watch.at(50, DebatePaused(reason="user", debater="b"))
    watch.at(105, DebateResumed(reason="decided", debater="a"))
    watch.at(120, phase("rebuttal", 1, 2))
    assert watch.remaining(120) == 40
    watch.at(122, DebatePaused(reason="auth: no key", debater="a"))
    assert watch.remaining(500) == 38


def test_round_that_starts_during_a_pause_lasts_from_its_end() -> None:
    watch = ForecastHarness().at(0, phase("opening")).at(20, DebatePaused(reason="user", debater=None))
    watch.at(100, phase("rebuttal", 1, 2)).at(200, DebateResumed(reason="user", debater=None))
    assert watch.remaining(205) == 35


def test_estimate_follows_added_rounds_and_word_limits() -> None:
    longer = ForecastHarness().at(0, phase("opening")).at(20, phase("rebuttal", 1, 3))
    assert longer.remaining(20) == 50
    shorter = ForecastHarness().at(0, phase("opening")).at(20, phase("rebuttal", 1, 2, words=25))
    assert shorter.remaining(20) == 20


def test_no_estimate_without_word_counts() -> None:
    wordless = msgspec.structs.replace(
        FORECAST_FORMAT,
        phases=(FORECAST_FORMAT.phases[0], msgspec.structs.replace(FORECAST_FORMAT.phases[1], words=0)),
    )
    assert ForecastHarness(None).at(0, phase("opening")).at(20, phase("rebuttal", 1, 2)).remaining(20) is None
    assert (
        ForecastHarness(wordless).at(0, phase("opening")).at(20, phase("rebuttal", 1, 2)).remaining(20)
        is None
    )
    assert one_round().at(30, phase("verdict")).remaining(30) is None
    assert one_round().at(30, DebateFinished(reason="stopped")).remaining(30) is None
    assert one_round().at(900, DebateResumed(reason="continued", debater=None)).remaining(900) is None
