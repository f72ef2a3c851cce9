"""What a debate came to, in words."""

from __future__ import annotations

import msgspec
import pytest

from debate_tui.domain.events import DebateStarted
from debate_tui.domain.judging.summary import describe_result
from debate_tui.domain.transcript import Transcript
from tests.domain.test_judgement import CAST, NONE, verdict


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ([NONE], "No judge came to a verdict."),
        ([NONE, NONE], "No judge came to a verdict."),
        ([verdict("a"), verdict("b"), verdict(None)], "A tie between 3 judges."),
        ([verdict("a"), verdict("a"), verdict("b")], "Ada wins: 2 of 3 judges."),
        ([verdict("a"), NONE], "Ada wins: 1 of 1 judge; 1 gave no verdict."),
    ],
)
def test_what_the_judges_came_to_is_said_as_the_screen_says_it(verdicts: list, says: str) -> None:
    log = [DebateStarted(debate="d", topic="t", format="f", debaters=CAST), *verdicts]
    transcript = Transcript(msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(log, 1))
    assert list(describe_result(transcript))[-1] == says
