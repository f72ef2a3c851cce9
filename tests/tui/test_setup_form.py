"""A proposal stays one that can be shown, whatever is done to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.cli.format_files import find_format
from debate_tui.tui.setup_form import (
    EMPTY_PROFILE,
    MAX_DEBATERS,
    MAX_JUDGES,
    MIN_DEBATERS,
    DebaterProfile,
    DebateSetup,
    SetupItem,
    SourceOption,
)

OFFERS = tuple(SourceOption(source) for source in ("openai:a", "local", "demo"))
FORMATS = {name: find_format(name) for name in ("compare", "oxford")}

changes = st.lists(
    st.tuples(st.sampled_from(("change", "remove", "put")), st.integers(0, 12), st.sampled_from((-1, 1)))
)


@given(changes)
def test_there_are_always_enough_and_never_too_many(deeds: list[tuple[str, int, int]]) -> None:
    proposal = DebateSetup()
    for deed, place, steps in deeds:
        item = proposal.items[place % len(proposal.items)]
        match deed:
            case "change":
                proposal = proposal.cycled(proposal.choices(item, OFFERS, FORMATS), steps)
            case "remove":
                proposal = proposal.without(item)
            case _ if item.kind in ("debater", "judge"):
                proposal = proposal.with_source(item, "groq:x")
        assert MIN_DEBATERS <= len(proposal.debaters) <= MAX_DEBATERS
        assert len(proposal.judges) <= MAX_JUDGES
        assert len(set(proposal.items)) == len(proposal.items)
        assert all(proposal.source(item) for item in proposal.items if proposal.can_remove(item))


@given(st.sampled_from(("debater", "judge")), st.sampled_from((-1, 1)))
def test_changing_back_and_forth_changes_nothing(what: str, steps: int) -> None:
    proposal = DebateSetup(debaters=("groq:x", "local"), judges=("demo", "groq:y"))
    offers = (*OFFERS, SourceOption("groq:x"), SourceOption("groq:y"))
    for place in range(2):
        item = SetupItem(what, place)  # type: ignore[arg-type]
        there = proposal.cycled(proposal.choices(item, offers, FORMATS), steps)
        assert there != proposal
        assert there.cycled(there.choices(item, offers, FORMATS), -steps) == proposal


def test_what_is_not_offered_is_first_of_what_is() -> None:
    item, proposal = SetupItem("debater", 0), DebateSetup(debaters=("groq:x", "demo"))
    choices = proposal.choices(item, OFFERS, {})
    assert proposal.cycled(choices, 1).debaters[0] == "openai:a"
    assert proposal.cycled(choices, -1).debaters[0] == "demo"
    assert proposal.with_source(item, "demo").cycled(choices, 1).debaters[0] == "openai:a"


def test_a_role_goes_with_its_debater() -> None:
    eve = DebaterProfile(name="Eve")
    proposal = DebateSetup(debaters=("a", "b", "c")).with_profile(1, eve)
    assert [proposal.profile(place) for place in range(4)] == [
        EMPTY_PROFILE,
        eve,
        EMPTY_PROFILE,
        EMPTY_PROFILE,
    ]
    assert proposal.without(SetupItem("debater", 0)).profile(0) == eve
    assert proposal.without(SetupItem("debater", 1)).profiles == (EMPTY_PROFILE, EMPTY_PROFILE)
    assert proposal.with_source(SetupItem("debater", 1), "x").profile(1) == eve
    assert proposal.with_source(SetupItem("judge", 0), "x").without(SetupItem("judge", 0)) == proposal
