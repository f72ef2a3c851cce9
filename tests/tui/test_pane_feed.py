"""The feed turns the log's events into what panes show, safe and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.buffer import PaneItem, PaneText, SharedBuffer, merge_pane_text
from debate_tui.domain import events
from debate_tui.domain.sanitise import sanitise, sanitise_strings
from debate_tui.domain.stream import FaultKind, FaultReport, StreamState
from debate_tui.domain.transcript import Transcript
from debate_tui.record.log import MemoryLog
from debate_tui.tui.log_follower import PaneFeed


class FeedHarness:
    """A log, and a feed that listens to it."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.buffer: SharedBuffer[PaneItem] = SharedBuffer(["a", "b"])
        self.feed = PaneFeed(self.buffer)
        self.log.subscribe(
            lambda event: (
                self.feed.add_delta(event)
                if isinstance(event, events.TurnDelta)
                else self.feed.add_event(event)
            )
        )

    def start(self, turn: int = 1, debater: str = "a") -> None:
        self.log.append(events.TurnStarted(turn=turn, debater=debater, phase="opening"))

    def say(
        self, text: str, offset: int, *, turn: int = 1, attempt: int = 1, reasoning: bool = False
    ) -> None:
        self.log.append(
            events.TurnDelta(
                turn=turn, debater="a", attempt=attempt, offset=offset, text=text, reasoning=reasoning
            )
        )

    def finish(self, turn: int = 1) -> None:
        self.log.append(events.TurnFinished(turn=turn, debater="a", reason="complete"))

    def supersede(self, attempt: int, turn: int = 1) -> None:
        self.log.append(events.TurnSuperseded(turn=turn, debater="a", attempt=attempt))

    def status(self, debater: str, state: StreamState) -> None:
        self.log.append(events.StreamStatus(debater=debater, state=state, attempt=1))

    def items(self, pane: str = "a") -> list[PaneItem]:
        return merge_pane_text(self.buffer.take().get(pane, []))

    def texts(self) -> list[PaneText]:
        return [item for item in self.items() if isinstance(item, PaneText)]


def test_deltas_become_text_in_order_between_the_events_around_them() -> None:
    stage = FeedHarness()
    stage.start()
    stage.say("hmm", 0, reasoning=True)
    stage.say("one ", 0)
    stage.say("two", 4)
    stage.say(" three", 7, attempt=2)
    stage.finish()
    started, thinking, text, seam, finished = stage.items()
    assert isinstance(started, events.TurnStarted)
    assert thinking == PaneText(1, 1, "hmm", reasoning=True)
    assert text == PaneText(1, 1, "one two")
    assert seam == PaneText(1, 2, " three")
    assert isinstance(finished, events.TurnFinished)


def test_duplicates_and_gaps_are_passed_over() -> None:
    stage = FeedHarness()
    stage.start()
    stage.say("one ", 0)
    stage.say("one ", 0)
    stage.say("three", 8)
    stage.say("two", 4)
    stage.say("nowhere", 0, turn=2)
    assert stage.texts() == [PaneText(1, 1, "one two")]


def test_a_superseded_text_begins_again_and_stragglers_are_passed_over() -> None:
    stage = FeedHarness()
    stage.start()
    stage.say("wrong\x1b[", 0)
    stage.supersede(2)
    stage.supersede(2)
    stage.say("late", 0, attempt=1)
    stage.say("31right", 0, attempt=2)
    _, wrong, superseded, right = stage.items()
    assert wrong == PaneText(1, 1, "wrong")
    assert isinstance(superseded, events.TurnSuperseded)
    assert right == PaneText(1, 2, "31right")


def test_an_escape_sequence_cut_between_deltas_and_attempts_does_nothing() -> None:
    stage = FeedHarness()
    stage.start()
    stage.say("a\x1b", 0)
    stage.say("[3", 2, attempt=2)
    stage.say("1mb\x1b]0;unclosed", 4, attempt=2)
    stage.finish()
    assert stage.texts() == [PaneText(1, 1, "a"), PaneText(1, 2, "b0;unclosed")]


def test_a_turn_taken_up_after_its_end_goes_on() -> None:
    stage = FeedHarness()
    stage.start()
    stage.say("one ", 0)
    stage.finish()
    stage.say("two", 4, attempt=2)
    assert stage.texts() == [PaneText(1, 1, "one "), PaneText(1, 2, "two")]
    stage.start(turn=3)
    stage.say("late", 7, attempt=2)
    stage.say("new", 0, turn=3)
    assert stage.texts() == [PaneText(3, 1, "new")]


def test_what_concerns_everybody_reaches_every_pane() -> None:
    stage = FeedHarness()
    stage.log.append(events.PhaseStarted(phase="opening", round=1, rounds=1))
    stage.log.append(events.Interjection(text="all\x1b[2J", to=None))
    stage.log.append(events.Interjection(text="one", to="b"))
    stage.log.append(events.DebaterRemoved(debater="b", reason="gone", remaining=("a",)))
    stage.log.append(events.DebateFinished(reason="complete"))
    taken = stage.buffer.take()
    assert [type(item).__name__ for item in taken["a"]] == ["PhaseStarted", "Interjection"]
    assert [getattr(item, "text", "") for item in taken["b"]] == ["", "all", "one", ""]


def test_debaters_without_a_pane_are_passed_over() -> None:
    stage = FeedHarness()
    stage.start(debater="stranger")
    stage.say("hello", 0)
    stage.status("stranger", "failed")
    stage.log.append(events.Interjection(text="hello", to="stranger"))
    assert stage.buffer.take() == {}


def test_active_streams_are_counted() -> None:
    stage = FeedHarness()
    counts = []
    states: tuple[StreamState, ...] = (
        "connecting",
        "connected",
        "streaming",
        "paused",
        "streaming",
        "failed",
    )
    stage.status("b", "streaming")
    for state in states:
        stage.status("a", state)
        counts.append(len(stage.feed.active_streams))
    assert counts == [1, 2, 2, 1, 2, 1]


def test_events_are_made_safe_at_any_depth_and_left_alone_otherwise() -> None:
    error = FaultReport(FaultKind.NETWORK, "no\x1b[31m\x07 route\u202e")
    status = events.StreamStatus(debater="a", state="failed", attempt=1, error=error)
    assert sanitise_strings(status).error == FaultReport(FaultKind.NETWORK, "no route")
    info = events.DebaterInfo("a", "Ann\x9b2J", "for", "demo", "demo")
    started = events.DebateStarted(debate="1", topic="t\x00", format="oxford", debaters=(info,))
    assert sanitise_strings(started).debaters[0].name == "Ann"
    assert sanitise_strings(started).topic == "t"
    clean = events.DebaterRemoved(debater="a", reason="plain", remaining=("b", "c"))
    assert sanitise_strings(clean) is clean


pieces = st.tuples(
    st.text(st.sampled_from("ab\x1b[]31m\x07\r\n\u202e é漢"), max_size=6),
    st.booleans(),
    st.sampled_from([0, 0, 0, -1, 1]),
)


@given(st.lists(pieces, max_size=30), st.data())
def test_what_panes_are_told_is_the_transcript_sanitised(
    deltas: list[tuple[str, bool, int]], data: st.DataObject
) -> None:
    stage = FeedHarness()
    transcript = Transcript()
    stage.log.subscribe(transcript.apply)
    stage.start()
    lengths = {False: 0, True: 0}
    shown: list[PaneItem] = []
    for text, reasoning, shift in deltas:
        stage.say(text, max(lengths[reasoning] + shift, 0), reasoning=reasoning)
        turn = transcript.turns[1]
        lengths = {False: turn.length, True: turn.reasoning_length}
        if data.draw(st.booleans()):
            shown += stage.items()
    stage.finish()
    shown += stage.items()
    told = [item for item in shown if isinstance(item, PaneText)]
    turn = transcript.turns[1]
    assert "".join(text.text for text in told if not text.reasoning) == sanitise(turn.text)
    assert "".join(text.text for text in told if text.reasoning) == sanitise(turn.reasoning)
