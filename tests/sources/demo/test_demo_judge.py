"""The scripted judge: readable, the same in both orders, and honest about what it is."""

from __future__ import annotations

import pytest

from debate_tui.domain.debate import Format, Phase
from debate_tui.domain.judging.prompt import (
    JudgedDebater,
    build_judge_prompt,
    build_reading_orders,
    build_stance_prompt,
)
from debate_tui.domain.judging.reply import parse_judge_reply, parse_stance
from debate_tui.domain.judging.scoring import combine_readings
from debate_tui.domain.prompts import Speech
from debate_tui.sources.demo import VOICES
from debate_tui.sources.demo.script import compose_verdict

FORMAT = Format(name="f", title="F", description="", phases=(Phase(name="opening", title="Opening"),))
ENTRIES = (
    JudgedDebater("ada", "Ada", "For"),
    JudgedDebater("ben", "Ben", "Against"),
    JudgedDebater("cleo", "Cleo", ""),
)
ROUNDS = (
    (
        Speech(
            "Ada", "For", "Opening", "A street is for people. It is not for storage. Give it back to them!"
        ),
        Speech("Ben", "Against", "Opening", "Some have no other way to come. **Who speaks for them?**"),
        Speech("Cleo", "", "Opening", "Short."),
    ),
)
HEARINGS = build_reading_orders(FORMAT, ENTRIES, ROUNDS)


@pytest.mark.parametrize("voice", VOICES)
def test_it_decides_alike_in_both_orders_and_quotes_what_was_said(voice: str) -> None:
    readings = [
        parse_judge_reply(compose_verdict(voice, build_judge_prompt("Q?", FORMAT, hearing)).text, hearing)
        for hearing in HEARINGS
    ]
    found = combine_readings(readings, len(HEARINGS))
    assert found is not None
    assert found.agreed
    first = readings[0]
    assert first is not None
    assert all(mark.found for mark in first.marks)
    assert "scripted" in first.why


def test_every_voice_has_a_taste_of_its_own() -> None:
    asked = build_judge_prompt("Q?", FORMAT, HEARINGS[0])
    assert len({compose_verdict(voice, asked).text for voice in VOICES}) > 1


def test_asked_where_it_stands_it_says_a_number_and_keeps_to_it() -> None:
    before = parse_stance(compose_verdict("orator", build_stance_prompt("Q?")).text)
    assert before is not None
    after = parse_judge_reply(
        compose_verdict("orator", build_judge_prompt("Q?", FORMAT, HEARINGS[0])).text, HEARINGS[0]
    )
    assert after is not None
    assert after.stance is not None
    assert abs(after.stance - before) in (0, 12)
