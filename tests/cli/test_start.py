"""Who debates if nobody says so."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from debate_tui import config
from debate_tui.cli import start as lineup
from debate_tui.cli.default_debaters import default_debaters
from debate_tui.cli.plan import RunOptions, swap_sides
from debate_tui.cli.start import StartController
from debate_tui.tui.setup_form import DebaterProfile, DebateSetup
from tests.fakes.provider_server import MODELS, NO_LOCAL_SERVERS, ProviderReply, ProviderServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, address in NO_LOCAL_SERVERS.items():
        monkeypatch.setenv(name, address)
    monkeypatch.setattr("debate_tui.sources.local_model.find_server_program", lambda: None)


def remember(debaters: tuple[str, ...] = ("demo",), profiles: tuple[DebaterProfile, ...] = ()) -> None:
    setup = DebateSetup(debaters=debaters, profiles=profiles)
    lineup.remember_choices(setup, detected=lineup.DEMO_SOURCES)


def test_a_seat_of_the_settings_keeps_what_is_known_of_it() -> None:
    ada = config.DebaterSettings(source="http://a.example/x", name="Ada", persona="a judge", method="POST")
    settings = config.Settings(debater=(ada, config.DebaterSettings(source="groq:x", name="Ben")))
    proposal = DebateSetup(debaters=(ada.source, "xai:y", "demo"), profiles=lineup.initial_roles(settings))
    assert lineup.debater_settings(settings, proposal) == (
        ada,
        config.DebaterSettings(source="xai:y", name="Ben"),
        config.DebaterSettings(source="demo"),
    )
    proposal = proposal.with_profile(0, DebaterProfile(name="Eve")).with_profile(
        2, DebaterProfile(side="both", persona="a child")
    )
    assert lineup.debater_settings(settings, proposal) == (
        config.DebaterSettings(source=ada.source, name="Eve", method="POST"),
        config.DebaterSettings(source="xai:y", name="Ben"),
        config.DebaterSettings(source="demo", side="both", persona="a child"),
    )


def test_names_and_personas_are_remembered_and_sides_are_not() -> None:
    eve = DebaterProfile(name="Eve", side="For tea", persona="a child")
    remember(profiles=(DebaterProfile(), eve))
    assert lineup.initial_roles(config.Settings()) == (
        DebaterProfile(),
        DebaterProfile(name="Eve", persona="a child"),
    )
    named = config.Settings(debater=(config.DebaterSettings(source="demo", name="Ada"),))
    assert lineup.initial_roles(named) == (DebaterProfile(name="Ada"),)
    remember()
    assert lineup.initial_roles(config.Settings()) == ()


def test_only_a_choice_is_remembered() -> None:
    remember(("demo", "demo:orator"))
    assert lineup.remembered_sources() == ("demo", "demo:orator")
    remember(lineup.DEMO_SOURCES)
    assert lineup.remembered_sources() == ()


def test_unavailable_remembered_debaters_are_forgotten() -> None:
    remember(("groq:x", "demo"))
    assert lineup.remembered_sources() == (), "its key is gone"
    config.save_remembered(debaters=("no such source", "demo"))
    assert lineup.remembered_sources() == ()


def test_rounds_budget_and_pace_are_chosen_as_last_time() -> None:
    chosen = DebateSetup(
        topic="x", debaters=("demo",) * 2, rounds=4, max_cost=0.5, max_tokens=9000, step=True
    )
    StartController(config.Settings(), RunOptions()).plan_proposal(chosen)
    setup = StartController(config.Settings(), RunOptions()).create_screen().setup
    assert (setup.rounds, setup.max_cost, setup.max_tokens, setup.step) == (4, 0.5, 9000, True)
    given = config.Settings(rounds=2, max_tokens=100, format="compare")
    setup = StartController(given, RunOptions()).create_screen().setup
    assert (setup.rounds, setup.max_cost, setup.max_tokens) == (2, None, 100), "the settings come first"
    unrepeated = StartController(config.Settings(format="compare"), RunOptions()).create_screen().setup
    assert unrepeated.rounds is None, "no phase of this format is repeated"


def test_what_the_start_screen_remembers_is_no_setting() -> None:
    config.save_remembered(debaters=("demo", "demo:orator"), format="compare", judges=("demo",))
    assert config.load_settings({}) == config.Settings()


def test_keys_are_offered_before_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "secret")
    offers = lineup.known_offers(("demo", "ollama:m"))
    assert [offer.source.partition(":")[0] for offer in offers] == ["xai", "demo", "me", "ollama"]
    assert not any("secret" in f"{offer.summary}{offer.description}" for offer in offers)


async def test_a_local_server_lends_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ProviderServer() as server:
        body = json.dumps({"data": [{"id": "qwen3:32b"}, {"id": "nomic-embed"}]}).encode()
        server.script(MODELS, ProviderReply(body, content_type="application/json"))
        monkeypatch.setenv("OLLAMA_BASE_URL", server.base)
        offers, automatic = await lineup.discover_offers()
        assert [offer.source for offer in offers] == ["ollama:qwen3:32b"]
        assert automatic == ("ollama:qwen3:32b",) * 2
        monkeypatch.setenv("XAI_API_KEY", "secret")
        _, automatic = await lineup.discover_offers()
        assert [source.partition(":")[0] for source in automatic] == ["xai", "xai"]


async def test_a_server_that_openai_was_moved_to_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ProviderServer() as server:
        body = json.dumps({"data": [{"id": "qwen3:32b"}]}).encode()
        server.script(MODELS, ProviderReply(body, content_type="application/json"))
        monkeypatch.setenv("OPENAI_BASE_URL", server.base)
        offers, automatic = await lineup.discover_offers()
    assert [(offer.source, offer.summary) for offer in offers] == [("openai:qwen3:32b", "your server")]
    assert "OPENAI_BASE_URL" in offers[0].description
    assert automatic == ("openai:qwen3:32b",) * 2


async def test_without_local_servers_nothing_changes() -> None:
    async with asyncio.timeout(30):
        assert await lineup.discover_offers() == ([], ())


def test_who_joins_for_a_format_is_not_remembered_as_chosen() -> None:
    start = StartController(config.Settings(), RunOptions())
    chosen = DebateSetup(topic="x", debaters=("demo:orator", "demo"), format="british-parliamentary")
    made = start.plan_proposal(chosen)
    assert [speaker.settings.source for speaker in made.debaters] == ["demo:orator", "demo"] * 2
    assert config.load_remembered().debaters == ("demo:orator", "demo")


@pytest.mark.parametrize(
    ("name", "found", "seated"),
    [
        ("", ("demo", "demo"), ["demo", "demo"]),
        ("british-parliamentary", ("a", "b", "c"), ["a", "b", "c", "a"]),
        ("lincoln-douglas", ("a", "b", "c"), ["a", "b"]),
        ("oxford", ("a", "b", "c"), ["a", "b", "c"]),
    ],
)
def test_without_names_the_format_decides_the_number_of_debaters(
    name: str, found: tuple[str, ...], seated: list[str]
) -> None:
    assert [seat.source for seat in default_debaters(config.Settings(format=name), found)] == seated


def test_parameters_go_with_a_model_only() -> None:
    profile = DebaterProfile(name="Ada", effort="high")
    setup = DebateSetup(debaters=("openai:m", "demo"), profiles=(profile, profile))
    first, second = lineup.debater_settings(config.Settings(), setup)
    assert (first.effort, second.effort, second.name) == ("high", None, "Ada")


def test_rounds_and_budget_are_those_of_the_settings_until_they_are_changed() -> None:
    settings = config.Settings(rounds=3, max_cost=0.5)
    start = StartController(settings, RunOptions())
    start.create_screen()
    plan = start.plan_proposal(DebateSetup(topic="x", rounds=4, max_tokens=20_000, step=True))
    assert [phase.rounds for phase in plan.format.phases] == [1, 4, 1]
    assert (plan.settings.max_cost, plan.settings.max_tokens, plan.settings.step) == (None, 20_000, True)


async def test_material_of_the_settings_is_proposed_estimated_and_read_again_for_the_debate(
    tmp_path: Path,
) -> None:
    notes, own = tmp_path / "notes.md", tmp_path / "own.md"
    notes.write_text("Tea keeps. " * 1000)
    own.write_text("Only Ben.")
    options = RunOptions(context=(str(notes),), context_for=(("Ben", str(own)),))
    price = config.ModelPrice(input=100, output=0)
    start = StartController(config.Settings(price={"a": price}), options)
    proposal = start.create_screen().setup
    assert proposal.material == (str(notes),)
    setup = structs.replace(proposal, topic="x", debaters=("ollama:a", "ollama:a"))
    estimate = await start._estimate(setup)
    without = await start._estimate(structs.replace(setup, material=()))
    assert estimate.tokens == "about 2,750 tokens"
    assert (estimate.cost or 0) - (without.cost or 0) == pytest.approx(8 * 2750 * 100 / 1e6)
    notes.write_text("Coffee keeps.")
    names = (DebaterProfile(name="Ada"), DebaterProfile(name="Ben"))
    plan = start.plan_proposal(structs.replace(setup, debaters=("demo", "demo"), profiles=names))
    texts = [(each.text, each.debater) for each in plan.material]
    assert texts == [("Coffee keeps.", ""), ("Only Ben.", "d2")]
    assert plan.notice.startswith("Material: 2 texts (22 characters, about 7 tokens), sent with every")
    swapped = swap_sides(plan)
    assert [each.debater for each in swapped.material] == ["", "d1"]
    gone = await start._estimate(structs.replace(setup, material=("none.md",)))
    assert gone.problem == "Cannot read 'none.md': No such file or directory."
    assert plan.asks_for_material


async def test_a_debate_is_estimated_where_prices_are_known() -> None:
    price = config.ModelPrice(input=1, output=10)
    start = StartController(config.Settings(price={"a": price}), RunOptions())
    setup = DebateSetup(debaters=("ollama:a", "demo"))
    one = (await start._estimate(setup)).cost
    assert one is not None
    assert 0.005 < one < 0.02
    two = (await start._estimate(DebateSetup(debaters=("ollama:a", "ollama:a"), judges=("ollama:a",)))).cost
    assert two is not None
    assert two > 2 * one
    longer = (await start._estimate(DebateSetup(debaters=("ollama:a", "demo"), rounds=6))).cost
    assert longer is not None
    assert longer > one
    assert (await start._estimate(DebateSetup())).cost == 0
    assert (await start._estimate(DebateSetup(debaters=("ollama:b", "demo")))).cost is None
    assert (await start._estimate(DebateSetup(debaters=("no such source", "demo")))).cost is None
