"""What a judge replies, read: whole or not at all."""

from __future__ import annotations

import json

import pytest

from debate_tui.domain.judging.reply import parse_judge_reply, parse_stance
from tests.domain.judging.sample_readings import BACKWARD, FORWARD, reply


def test_an_answer_is_turned_back_into_debaters_and_its_quotes_are_checked() -> None:
    reading = parse_judge_reply(f"Here you are:\n```json\n{reply()}\n```", FORWARD)
    assert reading is not None
    assert (reading.winner, reading.stance) == ("ada", 70)
    assert (reading.score("ada"), reading.score("bo")) == (8.0, 5.0)
    assert {(mark.debater, mark.found) for mark in reading.marks} == {("ada", True), ("bo", False)}


def test_in_the_other_order_the_same_label_is_the_other_debater() -> None:
    reading = parse_judge_reply(reply("Speaker A"), BACKWARD)
    assert reading is not None
    assert reading.winner == "bo"


def test_reasons_name_debaters_and_not_labels() -> None:
    reading = parse_judge_reply(reply(why="Speaker A met speaker B, but no Speaker Z spoke."), BACKWARD)
    assert reading is not None
    assert reading.why == "Bo met Ada, but no Speaker Z spoke."


def test_a_tie_is_an_answer() -> None:
    reading = parse_judge_reply(reply("Tie"), FORWARD)
    assert reading is not None
    assert reading.winner is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I think that A won.",
        "{",
        reply("C"),
        reply("A and B"),
        reply(a=11),
        reply(b=0),
        reply(stance=101),
        reply(criteria=[]),
        reply(criteria=json.loads(reply())["criteria"][1:]),
        reply(criteria=json.loads(reply())["criteria"] * 2),
        reply().replace("reasons", "charm"),
        '{"criteria": ' + "[" * 90_000 + "}",
    ],
)
def test_an_incomplete_answer_is_no_answer(text: str) -> None:
    assert parse_judge_reply(text, FORWARD) is None


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("50", 50),
        ("I am at 100.", 100),
        ("0", 0),
        ("101", None),
        ("40 or 60", None),
        ("", None),
        ("7.5", None),
    ],
)
def test_a_stance_is_one_whole_number(text: str, stance: int | None) -> None:
    assert parse_stance(text) == stance
