"""Topics in several words, options by a debater's name, and ``-h`` everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from debate_tui.cli import debate
from debate_tui.cli.main import run_command
from debate_tui.cli.options import COMMAND_NAMES
from debate_tui.cli.plan import RunOptions, make_plan
from debate_tui.config import DebaterSettings, Settings
from tests.cli.process import run_program


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        (["Should", "cities", "ban", "cars?"], "Should cities ban cars?"),
        (["Trains"], "Trains"),
        (["histroy", "repeats", "itself"], "histroy repeats itself"),
        (["--", "histroy"], "histroy"),
        (["--", "replay", "of", "history"], "replay of history"),
        (["replay of history"], "replay of history"),
        (["-"], "-"),
        ([], None),
    ],
)
def test_bare_words_are_a_topic(words: list[str], topic: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    topics: list[str | None] = []

    def run_debate(topic: str | None, *_: Any, **__: Any) -> int:
        topics.append(topic)
        return 0

    monkeypatch.setattr(debate, "run_debate", run_debate)
    run_command(["--plain", "-d", "demo", *words])
    assert topics == [topic]


def test_sides_and_personas_are_set_by_name() -> None:
    options = RunOptions(sides={"ben": "for", "Cleo 2": "a = b"}, personas={"Ada": "a cautious economist"})
    debaters = [
        DebaterSettings(source="demo", name=name, persona="loud") for name in ("Ada", "Ben", "Cleo", "Cleo")
    ]
    plan = make_plan("Q?", debaters, Settings(), options)
    assert [(each.debater.side, each.debater.persona) for each in plan.debaters] == [
        ("For", "a cautious economist"),
        ("for", "loud"),
        ("For", "loud"),
        ("a = b", "loud"),
    ]


@pytest.mark.parametrize("command", ["", *COMMAND_NAMES])
async def test_the_short_option_for_help_is_known_everywhere(command: str) -> None:
    short, long = [await run_program(*([command] if command else []), each) for each in ("-h", "--help")]
    assert (short.code, short.err) == (0, "")
    assert short.out == long.out
    assert "-h, --help" in short.out
