"""Shipped formats read and make sense; wrong ones say file, line, key and the nearest right key."""

from __future__ import annotations

from importlib.resources import files

import pytest

from debate_tui.domain.debate import assign_sides, check_debater_count, iter_rounds
from debate_tui.domain.errors import ConfigError
from debate_tui.domain.formats import DEFAULT_FORMAT, describe_format, parse_format

FOLDER = files("debate_tui.domain.formats")
FILES = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".toml"))
SHIPPED = [name.removesuffix(".toml") for name in FILES]


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_format_reads_under_its_own_name(name: str) -> None:
    format_ = parse_format(text_of(name), f"{name}.toml")
    assert format_.name == name
    check_debater_count(format_, format_.min_debaters)
    assert len(assign_sides(format_, format_.max_debaters)) == format_.max_debaters


@pytest.mark.parametrize("name", SHIPPED)
def test_an_explanation_names_every_phase_and_is_plain_text(name: str) -> None:
    format_ = parse_format(text_of(name), name)
    explained = describe_format(format_)
    for phase in format_.phases:
        assert phase.title in explained
        if phase.words:
            assert f"about {phase.words} words" in explained
    assert not explained.endswith("\n")
    assert "\x1b" not in explained


def test_the_default_is_the_oxford_debate() -> None:
    oxford = parse_format(text_of(DEFAULT_FORMAT), DEFAULT_FORMAT)
    assert [(step.phase.name, step.number, step.total, step.phase.words) for step in iter_rounds(oxford)] == [
        ("opening", 1, 1, 200),
        ("rebuttal", 1, 2, 150),
        ("rebuttal", 2, 2, 150),
        ("closing", 1, 1, 120),
    ]
    assert all(
        step.phase.order == "parallel" and step.phase.sees == "previous" for step in iter_rounds(oxford)
    )
    assert assign_sides(oxford, 4) == ("For", "Against", "For", "Against")


def test_listening_is_one_turn_each_that_sees_nothing() -> None:
    listen = parse_format(text_of("listen"), "listen")
    (step,) = iter_rounds(listen)
    assert (step.total, step.phase.sees, step.phase.words) == (1, "none", 0)
    assert assign_sides(listen, 3) == ("", "", "")


GOOD = '''name = "mine"
title = "Mine"
description = """
phase = "not a key"
"""

[[phase]]
name = "opening"
title = "Opening"
words = 200

[[phase]]
name = "closing"
title = "Closing"
order = "turns"
'''


@pytest.mark.parametrize(
    ("right", "wrong", "line", "says", "hint"),
    [
        ("words = 200", "wrods = 200", 10, "unknown key `wrods`", "Did you mean `words`?"),
        ('title = "Mine"', 'tilte = "Mine"', 2, "unknown key `tilte`", "Did you mean `title`?"),
        ("words = 200", 'words = "many"', 10, "`words`: expected a whole number, got text", ""),
        ("words = 200", "words = -1", 10, "`words`: expected a whole number of at least 0", ""),
        ('order = "turns"', 'order = "trun"', 15, "`order` cannot be `trun`", "Did you mean `turns`?"),
        ('title = "Closing"\n', "", 12, "the key `title` is missing", ""),
        ('name = "mine"\n', "", 1, "the key `name` is missing", ""),
        ("words = 200", "words = ", 10, "Invalid value", "This line is not valid TOML."),
        ('name = "closing"', 'name = "opening"', 1, "two phases are named `opening`", ""),
        ("words = 200", "speakers = [1, 1]", 7, "the phase `opening` names a speaker twice", ""),
        ("words = 200", "speakers = [3]", 1, "needs a speaker 3", ""),
        ("words = 200", "speakers = [1, 5]", 10, "`speakers`: expected a whole number of at most 4", ""),
        ("words = 200", 'sees = "all"', 7, "all speak at once", ""),
        ("words = 200", 'zzz = "all"', 10, "unknown key `zzz`", "Known here: name, title"),
    ],
)
def test_a_wrong_file_is_explained(right: str, wrong: str, line: int, says: str, hint: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as caught:
        parse_format(GOOD.replace(right, wrong), "mine.toml")
    assert caught.value.message.startswith(f"mine.toml:{line}: ")
    assert says in caught.value.message
    assert caught.value.hint.startswith(hint)
    assert "\n" not in caught.value.message


def test_all_formats_of_the_contract_are_shipped() -> None:
    assert set(SHIPPED) == {
        "oxford",
        "assigned-sides",
        "lincoln-douglas",
        "british-parliamentary",
        "consensus",
        "council",
        "compare",
        "listen",
    }
    outcomes = {name: parse_format(text_of(name), name).outcome for name in SHIPPED}
    assert outcomes == {
        "oxford": "swing",
        "assigned-sides": "panel",
        "lincoln-douglas": "panel",
        "british-parliamentary": "panel",
        "consensus": "consensus",
        "council": "ranking",
        "compare": "none",
        "listen": "none",
    }


def test_questions_come_before_their_answers() -> None:
    names = [phase.name for phase in parse_format(text_of("lincoln-douglas"), "").phases]
    assert names.index("negative-questions") + 1 == names.index("affirmative-answers")
    assert names.index("affirmative-questions") + 1 == names.index("negative-answers")


def test_a_blind_first_vote_is_blind_and_may_end_early() -> None:
    blind, revision = parse_format(text_of("consensus"), "").phases
    assert blind.sees == "none"
    assert (revision.rounds, revision.stop_when) == (3, "agreement")


def test_a_council_is_ranked_without_names() -> None:
    proposal, ranking, synthesis = parse_format(text_of("council"), "").phases
    assert proposal.sees == "none"
    assert ranking.anonymous
    assert synthesis.speakers == (1,)
