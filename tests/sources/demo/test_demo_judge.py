"""The scripted judge: readable, the same in both orders, and honest about what it is; its report, too."""

from __future__ import annotations

import pytest

from debate_tui.domain.debate import Format, Phase
from debate_tui.domain.judging.prompt import (
    JudgedDebater,
    build_judge_prompt,
    build_reading_orders,
    build_stance_prompt,
    strip_markdown,
)
from debate_tui.domain.judging.reply import parse_judge_reply, parse_stance
from debate_tui.domain.judging.scoring import combine_readings
from debate_tui.domain.prompts import Speech
from debate_tui.domain.report import build_report_prompt, parse_report
from debate_tui.sources.demo import VOICES
from debate_tui.sources.demo.script import compose_judgement

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
        parse_judge_reply(compose_judgement(voice, build_judge_prompt("Q?", FORMAT, hearing)).text, hearing)
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
    assert len({compose_judgement(voice, asked).text for voice in VOICES}) > 1


def test_asked_where_it_stands_it_says_a_number_and_keeps_to_it() -> None:
    before = parse_stance(compose_judgement("orator", build_stance_prompt("Q?")).text)
    assert before is not None
    after = parse_judge_reply(
        compose_judgement("orator", build_judge_prompt("Q?", FORMAT, HEARINGS[0])).text, HEARINGS[0]
    )
    assert after is not None
    assert after.stance is not None
    assert abs(after.stance - before) in (0, 12)


@pytest.mark.parametrize("voice", VOICES)
def test_its_report_has_real_quotes_and_says_that_it_is_scripted(voice: str) -> None:
    prompt = build_report_prompt("Q?", FORMAT, HEARINGS[0])
    said = {"ada": ROUNDS[0][0].text, "ben": strip_markdown(ROUNDS[0][1].text), "cleo": ROUNDS[0][2].text}
    answer = compose_judgement(voice, prompt).text
    report = parse_report(answer, HEARINGS[0], lambda quote, debater: quote in said[debater])
    assert report is not None
    assert [each.debater for each in report.strongest] == ["ada", "ben", "cleo"]
    assert all(each.found and "scripted" in each.argument for each in report.strongest)
