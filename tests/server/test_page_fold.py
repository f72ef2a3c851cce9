"""The page's own fold comes to the same as the program's, whatever the debate and wherever it is joined."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebatersRevealed,
    Quote,
    TurnDelta,
    TurnFinished,
)
from debate_tui.domain.judging.votes import VoteTally
from debate_tui.domain.transcript import Transcript
from debate_tui.server.encoding import StreamOptions, coalesce
from debate_tui.server.event_window import build_snapshot
from tests.sample_debates import debate_started, opening_events
from tests.server.generated_debates import debates, logged_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import FinishReason

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

SCRIPT = """
import { createInterface } from "node:readline";
import { Debate } from "./fold.js";
for await (const line of createInterface({ input: process.stdin })) {
  const { loaded, events } = JSON.parse(line);
  const debate = new Debate();
  if (loaded) debate.load(loaded);
  for (const event of events) debate.apply(event);
  const turns = [...debate.turns.values()].map((turn) => ({
    turn: turn.number, debater: turn.debater, text: turn.text, reasoning: turn.reasoning, length: turn.length,
    attempt: turn.attempt, reason: turn.reason, superseded: turn.superseded, seams: turn.seams.length,
    quotes: turn.quotes, citations: turn.citations,
  }));
  const material = debate.material.map(({ name }) => name);
  const names = [...debate.debaters.values()].map(({ id, name }) => [id, debate.letters[id] ?? "", name]);
  const heard = [...debate.debaters.keys()].filter((id) => debate.isHeard(id));
  const { topic, finished, seq } = debate;
  console.log(JSON.stringify({ topic, finished, seq, material, names, heard, turns }));
}
"""


@pytest.fixture(scope="module")
def fold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, Any]]]:
    """Folds events as the page does, perhaps after a snapshot."""
    assert NODE is not None
    folder: Path = tmp_path_factory.mktemp("page")
    for file in (resources.files("debate_tui") / "page").iterdir():
        if file.name.endswith(".js"):
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "main.js").write_text(SCRIPT)
    process = subprocess.Popen([NODE, folder / "main.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    sink, source = process.stdin, process.stdout

    def folded(events: list[Event], loaded: object = None) -> dict[str, Any]:
        sink.write(msgspec.json.encode({"loaded": loaded, "events": events}) + b"\n")
        sink.flush()
        result: dict[str, Any] = json.loads(source.readline())
        return result

    yield folded
    sink.close()
    process.wait()
    source.close()


def expected(events: list[Event]) -> dict[str, Any]:
    transcript = Transcript(events)
    turns = [
        {
            "turn": turn.number,
            "debater": turn.debater,
            "text": turn.text,
            "reasoning": turn.reasoning,
            "length": turn.length,
            "attempt": turn.attempt,
            "reason": turn.reason,
            "superseded": turn.superseded_count,
            "seams": len(turn.seams),
            "quotes": [*msgspec.to_builtins(turn.quotes)],
            "citations": [*msgspec.to_builtins(turn.citations)],
        }
        for turn in transcript.turns.values()
    ]
    return {
        "topic": transcript.topic,
        "finished": transcript.finish_reason,
        "seq": transcript.seq,
        "material": [each.name for each in transcript.material],
        "names": [
            [each.id, transcript.revealed_letter(each.id), each.name] for each in transcript.debaters.values()
        ],
        "heard": [id_ for id_ in transcript.debaters if id_ in transcript.heard_debaters],
        "turns": turns,
    }


quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@quick
@given(debates(), st.booleans())
def test_the_whole_debate(fold: Callable[..., dict[str, Any]], log: list[Event], twice: bool) -> None:
    """Put together, and, if need be, told twice."""
    told = [each.event for each in coalesce(log, StreamOptions())]
    assert fold(told * (1 + twice)) == expected(log)


@pytest.mark.parametrize("joined_after", [1, 2, 3])
def test_a_blind_debate(fold: Callable[..., dict[str, Any]], joined_after: int) -> None:
    started = debate_started()
    masked = tuple(
        DebaterInfo(debater.id, letter, debater.side, "", "")
        for debater, letter in zip(started.debaters, "AB", strict=False)
    )
    log = logged_events(
        [
            msgspec.structs.replace(started, debaters=masked, blind=True),
            DebatersRevealed(debaters=started.debaters),
            DebateFinished(reason="complete"),
        ]
    )
    snapshot = build_snapshot(Transcript(log[:joined_after]), "aa", poll=VoteTally(), live=True)
    rest = [each.event for each in coalesce(log[joined_after:], StreamOptions())]
    assert fold(rest, snapshot) == expected(log)
    assert expected(log)["names"][0] == [started.debaters[0].id, "A", started.debaters[0].name]


@pytest.mark.parametrize("reason", ["complete", "stopped", "refused", "failed", None])
def test_a_debater_who_left(fold: Callable[..., dict[str, Any]], reason: FinishReason | None) -> None:
    end = [TurnFinished(turn=1, debater="a", reason=reason)] if reason else []
    left = DebaterRemoved(debater="a", reason="Gone.", remaining=("b",))
    log = logged_events([*opening_events(), *end, left])
    snapshot = build_snapshot(Transcript(log), "aa", poll=VoteTally(), live=True)
    assert fold(log) == fold([], snapshot) == expected(log)
    assert ("a" in expected(log)["heard"]) is (reason in ("complete", "stopped"))


@pytest.mark.parametrize("joined_after", [0, 6, 7, 8])
def test_a_resumed_turn_runs_again(fold: Callable[..., dict[str, Any]], joined_after: int) -> None:
    quotes = (Quote("one two three four five", 0, 25, found=True),)
    begun = TurnDelta(turn=1, debater="a", attempt=1, offset=0, text="“one two three four five”")
    log = logged_events(
        [
            *opening_events(),
            begun,
            TurnFinished(turn=1, debater="a", reason="stopped", quotes=quotes),
            DebateFinished(reason="stopped", cut=(1,)),
            DebateResumed(reason="continued", debater=None),
            TurnDelta(turn=1, debater="a", attempt=2, offset=25, text=" and six"),
            TurnFinished(turn=1, debater="a", reason="complete"),
            DebatePaused(reason="user", debater=None),
            DebateResumed(reason="user", debater=None),
        ]
    )
    snapshot = build_snapshot(Transcript(log[:joined_after]), "aa", poll=VoteTally(), live=True)
    for upto in range(9, len(log) + 1):
        told = log[joined_after:upto]
        assert fold(told, snapshot if joined_after else None) == expected(log[:upto])
    assert fold(log[:8]) == expected(log[:8])
    assert expected(log[:9])["turns"][0]["quotes"] == []


@quick
@given(debates(), st.data())
def test_a_snapshot_and_the_rest(
    fold: Callable[..., dict[str, Any]], log: list[Event], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(log)))
    before, rest = log[:cut], log[cut:]
    start = build_snapshot(Transcript(before), "e", poll=VoteTally(), live=True)
    folded = fold([each.event for each in coalesce(rest, StreamOptions())], start)
    whole = expected(log)
    for turn in (*folded["turns"], *whole["turns"]):
        del turn["seams"]  # a snapshot does not say where they were
    assert folded == whole
