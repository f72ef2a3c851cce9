"""A proposal stays one that can be shown, whatever is done to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.tui.proposal import (
    LEAST_DEBATERS,
    MOST_DEBATERS,
    MOST_JUDGES,
    NOBODY,
    Item,
    Offer,
    Proposal,
    Role,
    after,
)

OFFERS = tuple(Offer(source) for source in ("openai:a", "local", "demo"))
FORMATS = ("compare", "oxford")

deeds = st.lists(
    st.tuples(st.sampled_from(("change", "remove", "put")), st.integers(0, 12), st.sampled_from((-1, 1)))
)


@given(deeds)
def test_there_are_always_enough_and_never_too_many(deeds: list[tuple[str, int, int]]) -> None:
    proposal = Proposal()
    for deed, place, steps in deeds:
        item = proposal.items[place % len(proposal.items)]
        match deed:
            case "change":
                proposal = proposal.changed(item, steps, OFFERS, FORMATS)
            case "remove":
                proposal = proposal.without(item)
            case _ if item.what in ("debater", "judge"):
                proposal = proposal.with_source(item, "groq:x")
        assert LEAST_DEBATERS <= len(proposal.debaters) <= MOST_DEBATERS
        assert len(proposal.judges) <= MOST_JUDGES
        assert len(set(proposal.items)) == len(proposal.items)
        assert all(proposal.source(item) for item in proposal.items if proposal.may_lose(item))


@given(st.sampled_from(("debater", "judge")), st.sampled_from((-1, 1)))
def test_changing_back_and_forth_changes_nothing(what: str, steps: int) -> None:
    proposal = Proposal(debaters=("groq:x", "local"), judges=("demo", "groq:y"))
    offers = (*OFFERS, Offer("groq:x"), Offer("groq:y"))
    for place in range(2):
        item = Item(what, place)  # type: ignore[arg-type]
        there = proposal.changed(item, steps, offers, FORMATS)
        assert there != proposal
        assert there.changed(item, -steps, offers, FORMATS) == proposal


@given(st.integers(-20, 20), st.lists(st.text(), min_size=1, unique=True))
def test_offers_go_round(steps: int, offered: list[str]) -> None:
    chosen = after(offered[0], offered, steps)
    assert after(chosen, offered, -steps) == offered[0]


def test_a_role_goes_with_its_debater() -> None:
    eve = Role(name="Eve")
    proposal = Proposal(debaters=("a", "b", "c")).with_role(1, eve)
    assert [proposal.role(place) for place in range(4)] == [NOBODY, eve, NOBODY, NOBODY]
    assert proposal.without(Item("debater", 0)).role(0) == eve
    assert proposal.without(Item("debater", 1)).roles == (NOBODY, NOBODY)
    assert proposal.with_source(Item("debater", 1), "x").role(1) == eve
    assert proposal.with_source(Item("judge", 0), "x").without(Item("judge", 0)) == proposal
