"""What one pane knows of its debater at this moment: stream, turn and the clock's part in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import (
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    StreamStatus,
    TurnStarted,
)
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.spending import NOTHING
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.badge import REMOVED, badge
from debate_tui.tui.widgets.meter import Reading

if TYPE_CHECKING:
    from debate_tui.display.feed import Item
    from debate_tui.domain.events import DebaterInfo
    from debate_tui.domain.stream import FaultReport
    from debate_tui.domain.transcript import Turn
    from debate_tui.tui.follower import Follower
from debate_tui.tui.widgets.badge import Badge


class Speaker:
    """A fold over what concerns one debater, as far as it is shown.

    `now` is the screen's own monotonic clock, for countdowns; everything else is in the log's own time, so
    that a replay shows what was measured.
    """

    def __init__(self, info: DebaterInfo, follower: Follower) -> None:
        self.id = info.id
        self._follower = follower
        self._first = info
        self.held_here = False
        """Whether only this screen holds the debater's words back."""
        self.clear()

    def clear(self) -> None:
        """Forget every event: the debate is told again from its beginning."""
        self.status: StreamStatus | None = None
        self.removed = ""
        self._held_alone = False
        self._held_with_all: set[str] = set()
        """Why everybody is held: the user (``""``), and each debater whose fault only a person can mend."""
        self._next_connection = 0.0

    @property
    def info(self) -> DebaterInfo:
        """Name, side and model; the model changes when the debater's source is replaced."""
        return self._follower.transcript.debaters.get(self.id, self._first)

    @property
    def turn(self) -> Turn | None:
        """The debater's newest turn."""
        return self._follower.transcript.turn_of(self.id)

    @property
    def paused(self) -> bool:
        """Whether the debater is held, alone or with everybody."""
        return self.held_here or self._held_alone or bool(self._held_with_all)

    @property
    def held_alone(self) -> bool:
        """Whether this debater in particular is held."""
        return self._held_alone

    @property
    def fault(self) -> FaultReport | None:
        """What is wrong with the stream now, if anything is."""
        return self.status.error if self.status is not None else None

    @property
    def trouble(self) -> str:
        """What is wrong, in one line; empty while nothing is."""
        if self.removed:
            return self.removed
        return one_line(self.fault.message) if self.fault is not None else ""

    def apply(self, event: Item | DebatePaused | DebateResumed, now: float) -> None:
        """Take one event into account."""
        match event:
            case TurnStarted():
                self.status = None
            case StreamStatus():
                self.status = event
                self._next_connection = now + (event.retry_in_ms or 0) / 1000
            case DebatePaused():
                self._hold(event)
            case DebateResumed():
                self._let_go(event)
            case DebaterRemoved():
                self.removed = one_line(event.reason) or "removed"
            case DebaterReplaced() | DebaterReturned():
                self.removed = ""
            case _:
                pass

    def badge(self, now: float) -> Badge:
        """The badge at this moment."""
        turn = self.turn
        shown = badge(
            self.status,
            turn.reason if turn is not None else None,
            paused=self.paused,
            seconds_left=self._next_connection - now,
        )
        return REMOVED if self.removed and shown.tone is not Tone.FAILED else shown

    def reading(self, words: int = 0) -> Reading:
        """The meter at this moment; `words` are those of the newest turn that are shown."""
        turn = self._follower.statistics.turn(self.id)
        tokens = turn.tokens
        spent = self._follower.bill.debaters.get(self.id, NOTHING)
        return Reading(
            words=words,
            words_asked=self.words_asked,
            ttft_ms=None if turn.first_token is None else round(turn.first_token * 1000),
            tokens=None if tokens is None else tokens.count,
            estimated=tokens is not None and tokens.estimated,
            rate=turn.rate,
            cost=spent.cost,
            priced=spent.priced,
            finished=turn.reason is not None,
        )

    @property
    def words_asked(self) -> int:
        """How many words the newest turn is asked for; 0 where nobody said."""
        turn, steps = self.turn, self._follower.transcript.steps
        return steps[turn.step - 1].words if turn is not None and 0 < turn.step <= len(steps) else 0

    def _hold(self, paused: DebatePaused) -> None:
        if paused.reason != "user":
            self._held_with_all.add(paused.debater or "")
        elif paused.debater is None:
            self._held_with_all.add("")
        elif paused.debater == self.id:
            self._held_alone = True

    def _let_go(self, resumed: DebateResumed) -> None:
        if resumed.reason == "continued":
            self._held_with_all.clear()
            self._held_alone = False
        elif resumed.reason != "user":
            self._held_with_all.discard(resumed.debater or "")
        elif resumed.debater in (None, self.id):
            self._held_with_all.discard("")
            self._held_alone = self._held_alone and resumed.debater is None
