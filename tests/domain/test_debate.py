"""Whose turn it is, what a turn may see, which sides are dealt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.debate import (
    Debater,
    Format,
    Phase,
    Round,
    assign_sides,
    check_debater_count,
    iter_rounds,
    may_see,
    speaking_groups,
    with_round_count,
)
from debate_tui.domain.errors import UsageError

PANEL = tuple(Debater(id=f"d{n}", name=f"D{n}", side="", source="demo") for n in range(1, 5))


def phase(**changes: object) -> Phase:
    return Phase(**{"name": "phase", "title": "Phase", **changes})


def format_of(*phases: Phase, **changes: object) -> Format:
    return Format(**{"name": "f", "title": "F", "description": "", "phases": phases, **changes})


def ids(step: Phase, absent: frozenset[str] = frozenset()) -> list[list[str]]:
    return [[d.id for d in wave] for wave in speaking_groups(Round(step, 1, 1), PANEL, absent)]


def test_in_parallel_all_speak_at_once() -> None:
    assert ids(phase()) == [["d1", "d2", "d3", "d4"]]


def test_in_turn_one_follows_the_other_and_in_reverse_the_last_begins() -> None:
    assert ids(phase(order="turns")) == [["d1"], ["d2"], ["d3"], ["d4"]]
    assert ids(phase(order="reverse")) == [["d4"], ["d3"], ["d2"], ["d1"]]


def test_speakers_speak_in_the_order_named() -> None:
    assert ids(phase(order="turns", speakers=(3, 1))) == [["d3"], ["d1"]]
    assert ids(phase(speakers=(2,))) == [["d2"]]


def test_who_has_left_is_skipped_and_the_others_keep_their_places() -> None:
    assert ids(phase(order="turns", speakers=(1, 3)), frozenset({"d1"})) == [["d3"]]
    assert ids(phase(speakers=(2,)), frozenset({"d2"})) == []
    assert ids(phase(order="turns"), frozenset({"d2"})) == [["d1"], ["d3"], ["d4"]]


@given(
    st.sampled_from(["parallel", "turns", "reverse"]),
    st.lists(st.integers(1, 4), unique=True),
    st.sets(st.sampled_from(["d1", "d2", "d3", "d4"])),
)
def test_nobody_speaks_twice_in_a_round_and_nobody_is_forgotten(
    order: str, speakers: list[int], absent: set[str]
) -> None:
    said = [d for wave in ids(phase(order=order, speakers=tuple(speakers)), frozenset(absent)) for d in wave]
    called = {f"d{place}" for place in speakers} or {d.id for d in PANEL}
    assert len(said) == len(set(said))
    assert set(said) == called - absent


def test_the_rounds_of_a_format_are_numbered_within_their_phase() -> None:
    steps = list(iter_rounds(format_of(phase(name="a"), phase(name="b", rounds=3))))
    assert [(s.phase.name, s.number, s.total) for s in steps] == [
        ("a", 1, 1),
        ("b", 1, 3),
        ("b", 2, 3),
        ("b", 3, 3),
    ]


def test_a_count_of_rounds_holds_for_the_repeated_phases_only() -> None:
    changed = with_round_count(format_of(phase(name="a"), phase(name="b", rounds=2)), 5)
    assert [p.rounds for p in changed.phases] == [1, 5]


def test_a_count_of_rounds_that_means_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="repeats no phase") as refused:
        with_round_count(format_of(phase()), 2)
    assert "--" not in refused.value.hint, "a file may have set it"
    with pytest.raises(UsageError, match="cannot be 0"):
        with_round_count(format_of(phase(rounds=2)), 0)


def test_sides_are_dealt_again_and_again() -> None:
    assert assign_sides(format_of(phase(), sides=("Yes", "No", "It depends")), 4) == (
        "Yes",
        "No",
        "It depends",
        "Yes",
    )
    assert assign_sides(format_of(phase()), 2) == ("", "")


def test_a_format_says_how_many_debaters_it_takes() -> None:
    pair = format_of(phase(), max_debaters=2)
    check_debater_count(pair, 2)
    with pytest.raises(UsageError, match="takes 2 debaters, not 3"):
        check_debater_count(pair, 3)
    with pytest.raises(UsageError, match="takes 2 to 4 debaters, not 5"):
        check_debater_count(format_of(phase()), 5)


@pytest.mark.parametrize(
    ("sees", "shown"),
    [("none", []), ("own", ["own, earlier"]), ("previous", ["own, earlier", "other, earlier"])],
)
def test_what_a_phase_lets_a_speaker_see(sees: str, shown: list[str]) -> None:
    turns = {
        "own, earlier": (True, False),
        "other, earlier": (False, False),
        "other, this round": (False, True),
    }
    assert [
        name for name, (own, this_round) in turns.items() if may_see(sees, own=own, this_round=this_round)
    ] == shown
    assert all(may_see("all", own=own, this_round=this_round) for own, this_round in turns.values())
