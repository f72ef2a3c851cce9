"""Debates of a person: where they are refused, and what the other commands know of them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from debate_tui import config
from debate_tui.cli.plan import make_notice, make_plan
from debate_tui.cli.serve import RunningDebates
from debate_tui.cli.start import known_offers
from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import Usage
from debate_tui.record.stores import open_store
from debate_tui.server.commands import DebateRequest, DebaterRequest, ForbiddenError
from debate_tui.server.hub import Hub
from debate_tui.sources import registry
from debate_tui.sources.prices import cost_function
from debate_tui.sources.registry import SourceFactory
from debate_tui.tui.setup_form import DebateSetup, SetupItem, takes_parameters
from tests.cli.process import run_program

ME = ("Tea?", "-d", "Jo=me", "-d", "demo")


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--plain",)])
async def test_without_a_terminal_it_is_refused(arguments: tuple[str, ...]) -> None:
    done = await run_program(*ME, *arguments)
    assert (done.code, done.out) == (2, "")
    assert "needs a terminal" in done.err
    assert not config.record_file().exists()


async def test_a_server_refuses_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = await run_program("serve", *ME, "--port", str(taken.getsockname()[1]))
    assert (done.code, done.out) == (2, "")
    assert "needs a terminal" in done.err
    assert "--plain" not in done.err


@pytest.mark.parametrize(("from_elsewhere", "error"), [(False, UsageError), (True, ForbiddenError)])
async def test_a_request_cannot_ask_for_it(from_elsewhere: bool, error: type[Exception]) -> None:
    store = open_store(config.record_file())
    request = DebateRequest(topic="Tea?", debaters=(DebaterRequest("me"), DebaterRequest("demo")))
    async with Hub(store) as hub:
        debates = RunningDebates(hub, store, config.Settings())
        with pytest.raises(error):
            await debates.start_debate(request, from_elsewhere=from_elsewhere)
        assert await store.debates() == []
    await store.aclose()


@pytest.mark.parametrize("options", [("--judge", "me"), ("--judge", "demo", "--report=me")])
async def test_it_neither_judges_nor_reports(options: tuple[str, ...]) -> None:
    done = await run_program("Tea?", "--json", "-d", "demo", "-d", "demo", *options)
    assert (done.code, done.out) == (2, "")
    assert "'me' can debate, but not judge or report." in done.err


@pytest.mark.parametrize("source", ["me:you", "me?effort=high", "ME:"])
def test_nothing_follows_it(source: str) -> None:
    with pytest.raises(UsageError, match="Nothing can follow 'me'"):
        registry.parse_source(source)


def test_without_a_screen_no_source_is_made() -> None:
    with pytest.raises(UsageError, match="needs a terminal"):
        SourceFactory().make(registry.parse_source("me"), names=("d1", "Jo"))


def test_plan_names_costs_and_models() -> None:
    seats = [config.DebaterSettings(source="me"), config.DebaterSettings(source="openai:gpt-5.6-terra")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-0123456789")
        plan = make_plan("Tea?", seats, config.Settings())
    me, _ = plan.debaters
    assert (me.info.name, me.info.source, me.info.model) == ("Ada", "me", "a person")
    assert not me.source_spec.takes_parameters
    assert not takes_parameters("me")
    assert make_notice(plan.debaters, ()) == ""
    assert cost_function("me", "", {})(Usage()) == 0


def test_the_start_screen_offers_it_to_debate_only() -> None:
    offers = known_offers()
    setup = DebateSetup(judges=("demo",))
    offered = {kind: setup.choices(SetupItem(kind), offers, {}) for kind in ("debater", "judge")}
    assert "me" in [choice.label for choice in offered["debater"]]
    assert "me" not in [choice.label for choice in offered["judge"]]


async def test_doctor_and_completion_know_it() -> None:
    doctor, completion = await asyncio.gather(
        run_program("doctor", "-d", "me"),
        run_program(
            _DEBATE_TUI_COMPLETE="bash_complete", COMP_WORDS="debate-tui -d Jo=m", COMP_WORDBREAKS=""
        ),
    )
    assert "✓ me" in doctor.out
    assert "plain,Jo=me" in completion.out.splitlines()
