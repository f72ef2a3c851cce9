"""Another source for a debater while the debate is held: read as -d is, and priced as its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli.plan import default_judge, make_plan, swap_sides
from debate_tui.cli.wiring import DebateContext, open_debate
from debate_tui.domain import events as ev
from debate_tui.domain.errors import ConfigError, DebateError, UsageError
from tests.sample_debates import whole_debate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.events import Event


@asynccontextmanager
async def open_context() -> AsyncIterator[tuple[DebateContext, list[Event]]]:
    """A debate of two scripted debaters that has not begun, and what is logged of it."""
    settings = config.load_settings(
        {"record": False, "debater": [{"source": "demo:sceptic"}, {"source": "demo"}]}
    )
    seen: list[Event] = []

    def fail(trouble: DebateError) -> None:
        raise trouble

    planned = make_plan("Should cats vote?", settings.debater, settings)
    async with open_debate(planned, unattended=False, on_error=fail) as made:
        made.log.subscribe(seen.append)
        yield made, seen


@pytest.mark.parametrize(
    ("typed", "source", "model"),
    [
        ("demo:orator", "demo:orator", "scripted"),
        (" ollama:qwen3 ", "ollama:qwen3", "qwen3"),
        ("https://me:secret@example.org/x?token=t", "https://…@example.org/x?token=…", "example.org"),
    ],
)
async def test_it_is_put_in_place_and_named_without_secrets(typed: str, source: str, model: str) -> None:
    async with open_context() as (made, seen):
        await made.swap_source("d1", typed)
    (replaced,) = seen
    assert isinstance(replaced, ev.DebaterReplaced)
    assert (replaced.debater, replaced.source, replaced.model) == ("d1", source, model)


async def test_a_demo_without_a_voice_gets_one() -> None:
    async with open_context() as (made, seen):
        await made.swap_source("d2", "demo")
    (replaced,) = seen
    assert isinstance(replaced, ev.DebaterReplaced)
    assert replaced.source.startswith("demo:")


@pytest.mark.parametrize(
    ("typed", "error", "says"),
    [
        ("opanai:gpt", UsageError, "opanai"),
        ("demo:yodeller", UsageError, "yodeller"),
        ("openai:gpt-x", ConfigError, "No API key found for OpenAI"),
        ("", UsageError, "A source is empty"),
    ],
)
async def test_what_is_no_source_changes_nothing(typed: str, error: type[DebateError], says: str) -> None:
    async with open_context() as (made, seen):
        with pytest.raises(error, match=says):
            await made.swap_source("d1", typed)
        assert seen == []


# After the end


async def test_a_judge_typed_at_the_end_reads_the_debate() -> None:
    async with open_context() as (made, seen):
        for event in whole_debate():
            made.log.append(event)
        await made.judge("demo")
    verdict, end = seen[-2:]
    assert isinstance(verdict, ev.Verdict)
    assert verdict.judge.startswith("demo:")
    assert isinstance(end, ev.DebateFinished)
    with pytest.raises(UsageError):
        await made.judge("nobody:x")


async def test_a_judge_typed_at_the_end_reports_if_asked() -> None:
    async with open_context() as (made, seen):
        for event in whole_debate():
            made.log.append(event)
        await made.judge("demo:orator --report")
        await made.judge("--report=demo:sceptic")
    verdict, first, end, second, last = seen[-5:]
    assert isinstance(verdict, ev.Verdict)
    assert isinstance(first, ev.Report)
    assert isinstance(second, ev.Report)
    assert (first.judge, second.judge) == ("demo:orator", "demo:sceptic")
    assert isinstance(end, ev.DebateFinished)
    assert isinstance(last, ev.DebateFinished)


def test_swapped_debaters_take_the_next_ones_place_and_side() -> None:
    seats = [
        {"source": "demo:sceptic", "name": "Ada"},
        {"source": "demo:orator", "name": "Ben", "side": "no"},
    ]
    settings = config.load_settings({"record": False, "debater": seats})
    plan = make_plan("Should cats vote?", settings.debater, settings)
    swapped = swap_sides(plan)
    places = [(each.debater.id, each.debater.name, each.debater.side) for each in swapped.debaters]
    assert places == [("d1", "Ben", "For"), ("d2", "Ada", "no")]
    assert [each.source_spec.detail for each in swapped.debaters] == ["orator", "sceptic"]
    assert swap_sides(swapped) == plan


@pytest.mark.parametrize(
    ("judges", "remembered", "expected"),
    [
        ((), (), "demo"),
        ((), ("openai:x",), "openai:x"),
        (("ollama:y",), ("openai:x",), "ollama:y"),
    ],
)
def test_judge_that_is_proposed(judges: tuple[str, ...], remembered: tuple[str, ...], expected: str) -> None:
    config.save_remembered(judges=remembered)
    settings = config.load_settings({"debater": [{"source": "demo"}, {"source": "demo"}], "judge": judges})
    assert default_judge(make_plan("Should cats vote?", settings.debater, settings)) == expected
