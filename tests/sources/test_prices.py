"""What a turn costs: by the settings, by the table, or not known at all."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Usage
from debate_tui.sources import prices
from debate_tui.sources.prices import Rates, cost_function, price_table_for
from debate_tui.sources.providers import configure_providers
from debate_tui.sources.registry import parse_source

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = Usage(1_000_000, 100_000)


def cost_of(source: str, overrides: dict[str, Rates]) -> Callable[[Usage], float | None]:
    specification = parse_source(source)
    return cost_function(specification.scheme, specification.detail, overrides)


def test_the_settings_go_before_the_table() -> None:
    cost = cost_function("openai", "gpt-4o", {"gpt-4o": Rates(1.0, 20.0)})
    assert cost(USAGE) == pytest.approx(3.0)


def test_the_table_knows_what_is_common() -> None:
    cost = cost_function("openai", "gpt-4o", {})
    assert cost(USAGE) == pytest.approx(3.5)  # 2.50 and 10.00 US$ per million, and no change since 2024


@pytest.mark.parametrize("source", ["openai:never-heard-of", "ollama:llama3.2", "https://host/x"])
def test_what_nobody_lists_has_no_price(source: str) -> None:
    cost = cost_of(source, {"gpt-4o": Rates(1.0, 1.0)})
    assert cost(USAGE) is None


@pytest.mark.parametrize("source", ["demo", "demo:orator", "local", "local:/models/tiny.gguf"])
def test_what_this_program_runs_itself_costs_nothing(source: str) -> None:
    assert cost_of(source, {})(Usage()) == 0


def test_without_a_full_count_there_is_no_price() -> None:
    cost = cost_function("openai", "gpt-4o", {})
    assert cost(Usage(None, 5)) is None
    assert cost(Usage(5, None)) is None


def test_the_table_has_a_date() -> None:
    assert prices.price_table_version() == f"genai-prices {version('genai-prices')} of 2026-11-10"


def test_another_table_has_not_that_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9.9")
    prices.price_table_version.cache_clear()
    assert prices.price_table_version() == "genai-prices 9.9 (date unknown)"
    monkeypatch.undo()
    prices.price_table_version.cache_clear()


@pytest.mark.parametrize(
    ("sources", "asked"),
    [
        (["demo", "ollama:llama3.2", "https://host/x"], False),
        (["demo", "openai:gpt-4o"], True),
        (["openai:mine"], False),
    ],
)
def test_a_debate_says_by_which_table_it_is_priced(sources: list[str], asked: bool) -> None:
    parts = [(each.scheme, each.detail) for each in map(parse_source, sources)]
    told = price_table_for(parts, {"mine": Rates(1.0, 1.0)})
    assert told == (prices.price_table_version() if asked else "")


def test_cached_tokens_are_priced_as_such() -> None:
    usage = Usage(1_000_000, 100_000, cached_tokens=400_000)
    listed = cost_function("openai", "gpt-4o", {})
    assert listed(usage) == pytest.approx(0.6 * 2.5 + 0.4 * 1.25 + 1.0)
    own = {"gpt-4o": Rates(2.0, 10.0, cached=0.5)}
    assert cost_function("openai", "gpt-4o", own)(usage) == pytest.approx(1.2 + 0.2 + 1.0)
    assert cost_function("openai", "gpt-4o", {"gpt-4o": Rates(2.0, 10.0)})(usage) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("base_url", "known"),
    [("https://mine.openai.azure.com/openai/v1", True), ("https://gateway.example/v1", False)],
)
def test_a_provider_of_ones_own_is_priced_by_its_address_alone(base_url: str, known: bool) -> None:
    configure_providers({"mine": {"base_url": base_url}})
    cost = cost_function("mine", "gpt-4o", {})(USAGE)
    configure_providers({})
    assert (cost is not None) is known
