"""The state of a debate as the header shows it: phase, elapsed and expected time, cost."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain import wording
from debate_tui.domain.debate import MIN_DEBATERS, VERDICT_PHASE, Debater, Round, speaking_groups
from debate_tui.domain.events import DebatePaused, DebateResumed, PhaseStarted
from debate_tui.domain.progress import Pauses, compute_progress
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import Badge, format_token_count
from debate_tui.tui.widgets.header import HeaderContent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.log_follower import LogFollower
    from debate_tui.tui.symbols import Glyphs


# The position of a debate in its format, as labels and as progress.


class PhaseProgress:
    """The steps of a debate; without a format, only those that have started are known.

    The format may define more rounds of a phase than the debate has. A viewer only knows the format by its
    name.
    """

    def __init__(self, transcript: Transcript, format_: Format | None) -> None:
        self._transcript = transcript
        self._format = format_
        self._titles = {phase.name: phase.title for phase in format_.phases} if format_ else {}

    @property
    def current_phase_label(self) -> str:
        """The current phase, such as ``Rebuttal 2/3``; empty before the first."""
        phase = self._transcript.phase
        return self._round_label(phase) if phase is not None else ""

    @property
    def current_phase_title(self) -> str:
        """The current phase without the round number."""
        phase = self._transcript.phase
        return wording.phase_title(phase.phase, self._titles.get(phase.phase, "")) if phase else ""

    def turn_phase_label(self, turn: Turn) -> str:
        """Return the label of the phase a turn belongs to, such as ``Rebuttal 2/3``."""
        steps = self._transcript.steps
        if 0 < turn.step <= len(steps):
            return self._round_label(steps[turn.step - 1])
        return wording.phase_title(turn.phase, self._titles.get(turn.phase, ""))

    @property
    def is_judging(self) -> bool:
        """Whether all turns are over and the judges are reading."""
        phase, over = self._transcript.phase, self._transcript.finish_reason is not None
        return phase is not None and phase.phase == VERDICT_PHASE and not over

    @property
    def early_end_label(self) -> str:
        """The round in which a debate ended early because one debater was left; otherwise empty."""
        transcript = self._transcript
        is_short = transcript.finish_reason == "complete" and len(transcript.active_debaters) < MIN_DEBATERS
        if not is_short or not self.remaining_rounds:
            return ""
        steps = [step for step in transcript.steps if step.phase != VERDICT_PHASE]
        return self._round_label(steps[-1]) if steps else ""

    def round_of(self, step: PhaseStarted) -> Round | None:
        """Return the round a step started, or `None` if its format is not known."""
        phases = self._format.phases if self._format is not None else ()
        found = next((phase for phase in phases if phase.name == step.phase), None)
        if found is None:
            return None
        words = step.words or found.words
        return Round(msgspec.structs.replace(found, words=words), step.round, step.rounds)

    @property
    def remaining_rounds(self) -> tuple[Round, ...]:
        """The rounds that have not started, as far as they are known."""
        if self._format is None:
            return ()
        debaters = tuple(
            Debater(id=info.id, name=info.name, side=info.side, source=info.source)
            for info in self._transcript.debaters.values()
        )
        return compute_progress(
            self._transcript, self._with_announced_rounds(self._format), debaters
        ).remaining_rounds

    def _with_announced_rounds(self, format_: Format) -> Format:
        """Return the format with the rounds of each phase limited to the number announced."""
        told = {step.phase: step.rounds for step in self._transcript.steps}
        if all(told.get(phase.name, phase.rounds) >= phase.rounds for phase in format_.phases):
            return format_
        phases = (
            msgspec.structs.replace(phase, rounds=min(phase.rounds, told.get(phase.name, phase.rounds)))
            for phase in format_.phases
        )
        return msgspec.structs.replace(format_, phases=tuple(phases))

    def step_completion(self) -> tuple[float, ...]:
        """Return how much of each step is done, from 0 to 1; empty if the number of steps is not known."""
        if self._format is None:
            return ()
        transcript = self._transcript
        begun = sum(step.phase != VERDICT_PHASE for step in transcript.steps)
        steps = begun + len(self.remaining_rounds)
        has_run_all = transcript.finish_reason == "complete" or self.is_judging
        if has_run_all and len(transcript.active_debaters) >= MIN_DEBATERS:
            return (1.0,) * steps
        done = [1.0] * max(0, begun - 1)
        if begun:
            turns = [turn for turn in transcript.turns.values() if turn.step == begun]
            speakers = max(len(transcript.active_debaters), len(turns), 1)
            done.append(sum(turn.finished for turn in turns) / speakers)
        return (*done, *(0.0,) * (steps - len(done)))

    def _round_label(self, step: PhaseStarted) -> str:
        return wording.round_label(step, self._titles.get(step.phase, ""))


# The time left, estimated from the rounds so far: unknown until one is finished.


class DurationEstimator:
    """An estimate of the time left, from the time per requested word in finished rounds.

    Pauses do not count. Only turns that follow each other add up: speakers in parallel count as one.
    """

    def __init__(self, transcript: Transcript, phase_progress: PhaseProgress) -> None:
        self._transcript = transcript
        self._phase_progress = phase_progress
        self._measured_words = self._current_round_words = 0
        self._measured_seconds = 0.0
        self._round_started_at: float | None = None
        self._paused_at: float | None = None
        self._pauses = Pauses()

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        match event:
            case PhaseStarted():
                self._finish_round(event.at)
                self._round_started_at = event.at
                self._paused_at = event.at if self._pauses.holds_all else None
                self._current_round_words = self._round_words(self._phase_progress.round_of(event))
            case DebatePaused() | DebateResumed():
                self._pauses.apply(event)
                if event.reason == "continued":
                    self._round_started_at = self._paused_at = None  # the interruption's time is not known
                elif self._pauses.holds_all:
                    self._paused_at = self._paused_at or event.at
                elif self._paused_at is not None:
                    if self._round_started_at is not None:
                        self._round_started_at += event.at - self._paused_at
                    self._paused_at = None

    def remaining_seconds(self, now: float) -> float | None:
        """Return the seconds until the last turn ends, or `None` if they cannot be estimated.

        `now` is a time on the log's clock.
        """
        phase, is_over = self._transcript.phase, self._transcript.finish_reason is not None
        if phase is None or phase.phase == VERDICT_PHASE or is_over:
            return None
        loads = [self._round_words(round_) for round_ in self._phase_progress.remaining_rounds]
        if not self._measured_words or not all((self._current_round_words, *loads)):
            return None
        if self._round_started_at is None:
            return None
        pace = self._measured_seconds / self._measured_words
        spent = (self._paused_at or now) - self._round_started_at
        return max(0.0, self._current_round_words * pace - spent) + sum(loads) * pace

    def _finish_round(self, at: float) -> None:
        """Add the words and the duration of the round that ended."""
        if self._round_started_at is not None and self._current_round_words:
            self._measured_words += self._current_round_words
            self._measured_seconds += (self._paused_at or at) - self._round_started_at

    def _round_words(self, round_: Round | None) -> int:
        if round_ is None:
            return 0
        infos = self._transcript.debaters.values()
        debaters = tuple(Debater(id=info.id, name="", side="", source="") for info in infos)
        gone = set(self._transcript.debaters) - set(self._transcript.active_debaters)
        return round_.phase.words * len(list(speaking_groups(round_, debaters, gone)))


# The total cost of the debate so far, as a short text.


def format_totals(follower: LogFollower, glyphs: Glyphs) -> str:
    """Return the tokens sent (in) and received (out) and the cost; empty if there are none yet.

    Turns in progress add an estimate of the tokens received so far, which is marked with ``~``. What they
    were sent and what they cost is known only when they end.
    """
    total = follower.bill.total
    running = [
        turn.tokens.count
        for debater in follower.transcript.debaters
        if (turn := follower.statistics.newest_turn(debater)).tokens is not None and turn.reason is None
    ]
    if total.tokens is None and not running:
        return ""
    about = "~" if running else ""
    more = "" if total.counted else "+"
    sent = f"{format_token_count(total.input_tokens)}{more} tokens in, " if total.input_tokens else ""
    received = f"{about}{format_token_count((total.output_tokens or 0) + sum(running))}{more}"
    tokens = f"{sent}{received} {'out' if sent else 'tokens out'}"
    ended = any(turn.finished for turn in follower.transcript.turns.values())
    cost = wording.format_money(total.cost, complete=total.priced, unknown=glyphs.missing_value)
    return f"{tokens} {glyphs.separator} {cost}" if ended else tokens


MAX_TOPIC_CHARACTERS = 400
MAX_JUDGE_CHARACTERS = 40

ESTIMATE_STEP_SECONDS = 30
"""The expected time is rounded up to a multiple of this, so that it does not flicker."""

_END_BADGES = {
    "complete": Badge("done", wording.debate_state("complete"), Tone.FINISHED),
    "stopped": Badge("stopped", wording.debate_state("stopped"), Tone.WAITING),
    "failed": Badge("failed", wording.debate_state("failed"), Tone.FAILED),
}


class DebateStatus:
    """The header's data about the debate as a whole.

    `topic` is shown until the log has one; `judges` are their names, none if they are not known.
    """

    def __init__(
        self,
        follower: LogFollower,
        phase_progress: PhaseProgress,
        topic: str,
        glyphs: Glyphs,
        *,
        judges: Sequence[str],
        is_replay: bool,
    ) -> None:
        self._follower = follower
        self._transcript = follower.transcript
        self._phase_progress = phase_progress
        self._topic = topic
        self._glyphs = glyphs
        self._judges = judges
        self._is_replay = is_replay
        self._clock_offset = 0.0
        self._duration_estimator = DurationEstimator(self._transcript, phase_progress)

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        self._clock_offset = time.time() - event.at
        self._duration_estimator.apply(event)

    def headline(self, mode: str, *, paused: bool) -> HeaderContent:
        """Return everything the header shows; `paused` says whether every debater is paused."""
        transcript = self._transcript
        ended = _END_BADGES[transcript.finish_reason] if transcript.finish_reason is not None else None
        if last_round := self._phase_progress.early_end_label:
            ended = Badge("stopped", f"ended in {last_round}", Tone.WAITING)
        return HeaderContent(
            topic=one_line(transcript.topic or self._topic, MAX_TOPIC_CHARACTERS),
            phase=self._phase_progress.current_phase_label,
            mode=mode,
            elapsed_seconds=self._elapsed_seconds,
            expected_seconds=self._expected_seconds(),
            phase_progress=self._phase_progress.step_completion(),
            cost=format_totals(self._follower, self._glyphs),
            judging_status=self._judging_text(),
            readers=", ".join(self._readers()),
            is_paused=paused and ended is None,
            is_replay=self._is_replay,
            ending=ended,
        )

    @property
    def _log_time(self) -> float:
        """The debate's own time, which follows the system clock between events; also in a replay."""
        return time.time() - self._clock_offset

    @property
    def _elapsed_seconds(self) -> int:
        """Whole seconds since the debate started; they stop when it ends."""
        transcript = self._transcript
        if not transcript.started_at:
            return 0
        latest = self._log_time if transcript.finished_at is None else transcript.finished_at
        return max(0, int(latest - transcript.started_at))

    def _expected_seconds(self) -> int | None:
        """Return the expected total duration of the debate in seconds, or `None` if unknown."""
        remaining = self._duration_estimator.remaining_seconds(self._log_time)
        if remaining is None:
            return None
        return ESTIMATE_STEP_SECONDS * math.ceil((self._elapsed_seconds + remaining) / ESTIMATE_STEP_SECONDS)

    def _readers(self) -> list[str]:
        """Return the judges without a verdict while they read, which they all do at the same time."""
        names = list(self._judges) if self._phase_progress.is_judging else []
        for verdict in self._transcript.verdicts:
            if verdict.judge in names:
                names.remove(verdict.judge)
        return [one_line(name, MAX_JUDGE_CHARACTERS) for name in names]

    def _judging_text(self) -> str:
        if not self._phase_progress.is_judging:
            return ""
        verdicts = sum(bool(verdict.model) for verdict in self._transcript.verdicts)
        if (judges := len(self._judges)) > 1:
            return f"judging {min(verdicts + 1, judges)} of {judges}"
        return f"judging: {wording.count_of(verdicts, 'verdict')} so far" if verdicts else "judging"
