"""Cost of a turn in US dollars: from the settings, or genai-prices' dated table, or unknown.

The table is a separate package, genai-prices, whose maintainers follow the price lists; `prices.toml` records
its date. A model that it does not list has no price; prices are never guessed.
"""

from __future__ import annotations

import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from debate_tui.domain import toml
from debate_tui.sources import sdk_import
from debate_tui.sources.providers import find_provider, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from debate_tui.domain.stream import Usage

    CostFunction = Callable[[Usage], float | None]

# The table's names of providers that have another name here.
_TABLE_PROVIDER_NAMES = {
    "gemini": "google",
    "huggingface": "huggingface_together",
    "moonshot": "moonshotai",
    "xai": "x-ai",
}
_FREE_PROVIDERS = frozenset({"ollama", "lmstudio", "llamacpp", "vllm"})
_FREE_SCHEMES = frozenset({"demo", "local", "me"})
MILLION = 1_000_000


class Rates(NamedTuple):
    """US dollars per million tokens of input, of output, and of input cached by the provider.

    If `cached` is not known, cached input costs the same as other input.
    """

    input: float
    output: float
    cached: float | None = None

    def price(self, usage: Usage) -> float | None:
        """Return the cost of usage in US dollars, or `None` if a count is missing."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.input_tokens)
        cached_rate = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - cached
        return (fresh * self.input + cached * cached_rate + usage.output_tokens * self.output) / MILLION


class PriceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The package, release and publication date of the prices."""

    package: str
    release: str
    date: datetime.date


@cache
def price_table_version() -> str:
    """Return the installed table and its date: ``genai-prices 0.2.3 of 2026-11-10``.

    The date of any other release is unknown.
    """
    from importlib.metadata import version

    recorded = toml.decode_toml(
        Path(__file__).with_name("prices.toml").read_text("utf-8"), PriceTable, file_name="prices.toml"
    )
    installed = version(recorded.package)
    if installed == recorded.release:
        return f"{recorded.package} {installed} of {recorded.date:%Y-%m-%d}"
    return f"{recorded.package} {installed} (date unknown)"


def price_table_for(sources: Iterable[tuple[str, str]], overrides: Mapping[str, Rates]) -> str:
    """Return the version of the price table if any of these sources uses it, or an empty string.

    Each is a source's scheme and model; see `cost_function`.
    """
    uses_table = any(_is_listed(scheme) and model not in overrides for scheme, model in sources)
    return price_table_version() if uses_table else ""


def cost_function(scheme: str, model: str, overrides: Mapping[str, Rates]) -> CostFunction:
    """Return a function that prices the usage of a source, given by the parts of its specification.

    `overrides` are rates by model that take precedence over the table. The table is loaded with the first
    cost, unless `load_price_table` was called before.
    """
    own = overrides.get(model)
    if own is None and scheme in _FREE_SCHEMES:
        return lambda usage: 0.0
    is_listed = own is None and _is_listed(scheme)

    def cost(usage: Usage) -> float | None:
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        rates = _look_up_rates(_table_provider(scheme), model) if is_listed else own
        return None if rates is None else rates.price(usage)

    return cost


def estimate_cost(
    sources: Sequence[tuple[str, str]], usages: Sequence[Usage], overrides: Mapping[str, Rates]
) -> float | None:
    """Return the cost of sources with their usages, `None` if a price is not known; may load the table."""
    if price_table_for(sources, overrides):
        load_price_table()
    costs = [
        cost_function(scheme, model, overrides)(usage)
        for (scheme, model), usage in zip(sources, usages, strict=True)
    ]
    return None if None in costs else sum(filter(None, costs))


def _is_listed(scheme: str) -> bool:
    return scheme in providers() and scheme not in _FREE_PROVIDERS


def _table_provider(scheme: str) -> tuple[str, str]:
    """Return the table's key for a provider: a name, or the URL of one from the user's settings."""
    provider = find_provider(scheme)
    return (
        ("", provider.base_url) if provider.is_configured else (_TABLE_PROVIDER_NAMES.get(scheme, scheme), "")
    )


def load_price_table() -> None:
    """Load the table, which takes longer than several frames; call it in a thread."""
    with sdk_import.import_without_gc():
        import genai_prices  # noqa: F401 (imported here once, and used where prices are looked up)
    _look_up_rates(("openai", ""), "")


@cache
def _look_up_rates(provider: tuple[str, str], model: str) -> Rates | None:
    from genai_prices import Usage, calc_price

    name, url = provider
    # Few tokens, so that no surcharge for long prompts applies: prompts in a debate are short.
    few = 1000
    asked = (
        Usage(input_tokens=few, output_tokens=0),
        Usage(input_tokens=0, output_tokens=few),
        Usage(input_tokens=few, cache_read_tokens=few, output_tokens=0),
    )
    price_of = partial(calc_price, provider_id=name) if name else partial(calc_price, provider_api_url=url)
    try:
        found = [price_of(each, model) for each in asked]
    except LookupError:
        return None
    return Rates(*(float(price.total_price) * MILLION / few for price in found))
