"""Who debates if nobody says so."""

from __future__ import annotations

import asyncio
import json

import pytest

from debate_tui import config
from debate_tui.cli import lineup
from debate_tui.cli.plan import unnamed
from debate_tui.cli.starting import Start
from debate_tui.tui.proposal import Proposal, Role
from tests.fakes.provider_server import MODELS, ProviderServer, Reply
from tests.sources.test_discovery import SILENT


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, address in SILENT.items():
        monkeypatch.setenv(name, address)
    monkeypatch.setattr("debate_tui.sources.local.program", lambda: None)


def test_a_seat_of_the_settings_keeps_what_is_known_of_it() -> None:
    ada = config.Seat(source="http://a.example/x", name="Ada", persona="a judge", method="POST")
    settings = config.Settings(debater=(ada, config.Seat(source="groq:x", name="Ben")))
    proposal = Proposal(debaters=(ada.source, "xai:y", "demo"), roles=lineup.roles(settings))
    assert lineup.seats(settings, proposal) == (
        ada,
        config.Seat(source="xai:y", name="Ben"),
        config.Seat(source="demo"),
    )
    proposal = proposal.with_role(0, Role(name="Eve")).with_role(2, Role(side="both", persona="a child"))
    assert lineup.seats(settings, proposal) == (
        config.Seat(source=ada.source, name="Eve", method="POST"),
        config.Seat(source="xai:y", name="Ben"),
        config.Seat(source="demo", side="both", persona="a child"),
    )


def test_names_and_personas_are_remembered_and_sides_are_not() -> None:
    lineup.remember_roles((Role(), Role(name="Eve", side="For tea", persona="a child")))
    assert lineup.roles(config.Settings()) == (Role(), Role(name="Eve", persona="a child"))
    named = config.Settings(debater=(config.Seat(source="demo", name="Ada"),))
    assert lineup.roles(named) == (Role(name="Ada"),)
    lineup.remember_roles(())
    assert lineup.roles(config.Settings()) == ()


def test_only_a_choice_is_remembered() -> None:
    lineup.remember(("demo", "demo:orator"), automatic=lineup.DEMO)
    assert lineup.remembered() == ("demo", "demo:orator")
    lineup.remember(lineup.DEMO, automatic=lineup.DEMO)
    assert lineup.remembered() == ()


def test_who_cannot_debate_any_more_is_forgotten() -> None:
    lineup.remember(("groq:x", "demo"), automatic=lineup.DEMO)
    assert lineup.remembered() == (), "its key is gone"
    config.remember(debaters=("no such source", "demo"))
    assert lineup.remembered() == ()


def test_what_the_start_screen_remembers_is_no_setting() -> None:
    config.remember(debaters=("demo", "demo:orator"), format="compare", judges=("demo",))
    assert config.load({}) == config.Settings()


def test_keys_are_offered_before_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "secret")
    offers = lineup.known(("demo", "ollama:m"))
    assert [offer.source.partition(":")[0] for offer in offers] == ["xai", "demo", "ollama"]
    assert not any("secret" in f"{offer.about}{offer.told}" for offer in offers)


async def test_a_local_server_lends_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ProviderServer() as server:
        body = json.dumps({"data": [{"id": "qwen3:32b"}, {"id": "nomic-embed"}]}).encode()
        server.script(MODELS, Reply(body, content_type="application/json"))
        monkeypatch.setenv("OLLAMA_BASE_URL", server.base)
        offers, automatic = await lineup.look_around()
        assert [offer.source for offer in offers] == ["ollama:qwen3:32b"]
        assert automatic == ("ollama:qwen3:32b",) * 2
        monkeypatch.setenv("XAI_API_KEY", "secret")
        _, automatic = await lineup.look_around()
        assert [source.partition(":")[0] for source in automatic] == ["xai", "xai"]


async def test_a_server_that_openai_was_moved_to_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ProviderServer() as server:
        body = json.dumps({"data": [{"id": "qwen3:32b"}]}).encode()
        server.script(MODELS, Reply(body, content_type="application/json"))
        monkeypatch.setenv("OPENAI_BASE_URL", server.base)
        offers, automatic = await lineup.look_around()
    assert [(offer.source, offer.about) for offer in offers] == [("openai:qwen3:32b", "your server")]
    assert "OPENAI_BASE_URL" in offers[0].told
    assert automatic == ("openai:qwen3:32b",) * 2


async def test_where_nobody_answers_nothing_changes() -> None:
    async with asyncio.timeout(30):
        assert await lineup.look_around() == ([], ())


def test_who_joins_for_a_format_is_not_remembered_as_chosen() -> None:
    start = Start(config.Settings(), chaos=False)
    chosen = Proposal(topic="x", debaters=("demo:orator", "demo"), format="british-parliamentary")
    made = start.planned(chosen)
    assert [speaker.seat.source for speaker in made.speakers] == ["demo:orator", "demo"] * 2
    assert config.remembered().debaters == ("demo:orator", "demo")


@pytest.mark.parametrize(
    ("name", "found", "seated"),
    [
        ("", ("demo", "demo"), ["demo", "demo"]),
        ("british-parliamentary", ("a", "b", "c"), ["a", "b", "c", "a"]),
        ("lincoln-douglas", ("a", "b", "c"), ["a", "b"]),
        ("oxford", ("a", "b", "c"), ["a", "b", "c"]),
    ],
)
def test_who_names_nobody_gets_as_many_as_the_format_takes(
    name: str, found: tuple[str, ...], seated: list[str]
) -> None:
    assert [seat.source for seat in unnamed(found, config.Settings(format=name))] == seated
