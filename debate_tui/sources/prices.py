"""What a turn costs, in US dollars: from the settings, else from genai-prices' dated table, else unknown.

The table is a package of its own (https://pypi.org/project/genai-prices), kept up by people who follow price
lists; of when it is, `prices.toml` tells. A model it does not know has no price; nothing is ever guessed.
"""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from debate_tui.domain import toml
from debate_tui.sources import sdk_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from debate_tui.domain.stream import Usage

    Rates = tuple[float, float]
    """US dollars per million tokens, of input and of output."""

    CostFunction = Callable[[Usage], float | None]

# What the table calls a provider where it is not what we call it.
_TABLE_PROVIDER_NAMES = {"xai": "x-ai", "gemini": "google", "huggingface": "huggingface_together"}
_FREE_PROVIDERS = frozenset({"ollama", "lmstudio", "llamacpp", "vllm"})
_FREE_KINDS = frozenset({"demo", "local"})
MILLION = 1_000_000


class Priced(Protocol):
    """What is known of a source before it is made: see `registry.SourceSpec`."""

    @property
    def kind(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def detail(self) -> str: ...


class PriceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Which release of which package the prices are, and the day it was published."""

    package: str
    release: str
    date: datetime.date


@cache
def price_table_version() -> str:
    """The table that is installed, with its date: ``genai-prices 0.2.3 of 2026-11-10``.

    Of any other release only the name is sure, and that it is not of that day.
    """
    from importlib.metadata import version

    recorded = toml.decode_toml(
        Path(__file__).with_name("prices.toml").read_text("utf-8"), PriceTable, file_name="prices.toml"
    )
    installed = version(recorded.package)
    if installed == recorded.release:
        return f"{recorded.package} {installed} of {recorded.date:%Y-%m-%d}"
    return f"{recorded.package} {installed}, not the one of {recorded.date:%Y-%m-%d}"


def price_table_for(specifications: Iterable[Priced], overrides: Mapping[str, Rates]) -> str:
    """The table, if any of these sources is priced by it; else nothing."""
    uses_table = any(_uses_price_table(each) and each.detail not in overrides for each in specifications)
    return price_table_version() if uses_table else ""


def cost_function(specification: Priced, overrides: Mapping[str, Rates]) -> CostFunction:
    """How to price this source's usage.

    `overrides` are rates by model, which go before the table. That is loaded when a cost is first asked for,
    if `load_price_table` was not called before.
    """
    own = overrides.get(specification.detail)
    if own is None and specification.kind in _FREE_KINDS:
        return _zero_cost
    listed = _uses_price_table(specification)

    def cost(usage: Usage) -> float | None:
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        rates = own
        if rates is None and listed:
            rates = _look_up_rates(specification.scheme, specification.detail)
        if rates is None:
            return None
        return (usage.input_tokens * rates[0] + usage.output_tokens * rates[1]) / MILLION

    return cost


def _uses_price_table(specification: Priced) -> bool:
    return specification.kind == "provider" and specification.scheme not in _FREE_PROVIDERS


def _zero_cost(usage: Usage) -> float:
    return 0.0


def load_price_table() -> None:
    """Load the table, which takes longer than some frames; to be called in a thread."""
    with sdk_import.import_without_gc():
        import genai_prices  # noqa: F401
    _look_up_rates("openai", "")


@cache
def _look_up_rates(provider: str, model: str) -> Rates | None:
    from genai_prices import Usage, calc_price

    # So few that no surcharge for long prompts applies: those of a debate are short.
    few = 1000
    asked = Usage(input_tokens=few, output_tokens=0), Usage(input_tokens=0, output_tokens=few)
    try:
        into, out = (
            calc_price(usage, model, provider_id=_TABLE_PROVIDER_NAMES.get(provider, provider))
            for usage in asked
        )
    except LookupError:
        return None
    return float(into.total_price) * MILLION / few, float(out.total_price) * MILLION / few
