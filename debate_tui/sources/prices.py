"""What a turn costs, in US dollars: from the settings, else from genai-prices' dated table, else unknown.

The table is a package of its own (https://pypi.org/project/genai-prices), kept up by people who follow price
lists. A model it does not know has no price; nothing is ever guessed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from debate_tui.sources import importing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from debate_tui.domain.stream import Usage

    Rates = tuple[float, float]
    """US dollars per million tokens, of input and of output."""

    Cost = Callable[[Usage], float | None]

# What the table calls a provider where it is not what we call it.
_NAMES = {"xai": "x-ai", "gemini": "google", "huggingface": "huggingface_together"}
_FREE = frozenset({"ollama", "lmstudio", "llamacpp", "vllm"})
_NOBODY_IS_PAID = frozenset({"demo", "local"})
MILLION = 1_000_000


class Priced(Protocol):
    """What is known of a source before it is made: see `registry.Specification`."""

    @property
    def kind(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def detail(self) -> str: ...


def cost_of(specification: Priced, overrides: Mapping[str, Rates]) -> Cost:
    """How to price this source's usage.

    `overrides` are rates by model, which go before the table. That is loaded when a cost is first asked for,
    if `load` was not called before.
    """
    own = overrides.get(specification.detail)
    if own is None and specification.kind in _NOBODY_IS_PAID:
        return _nothing
    listed = specification.kind == "provider" and specification.scheme not in _FREE

    def cost(usage: Usage) -> float | None:
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        rates = own
        if rates is None and listed:
            rates = _listed(specification.scheme, specification.detail)
        if rates is None:
            return None
        return (usage.input_tokens * rates[0] + usage.output_tokens * rates[1]) / MILLION

    return cost


def _nothing(usage: Usage) -> float:
    return 0.0


def load() -> None:
    """Load the table, which takes longer than some frames; to be called in a thread."""
    with importing.uncollected():
        import genai_prices  # noqa: F401
    _listed("openai", "")


@cache
def _listed(provider: str, model: str) -> Rates | None:
    from genai_prices import Usage, calc_price

    # So few that no surcharge for long prompts applies: those of a debate are short.
    few = 1000
    asked = Usage(input_tokens=few, output_tokens=0), Usage(input_tokens=0, output_tokens=few)
    try:
        into, out = (calc_price(usage, model, provider_id=_NAMES.get(provider, provider)) for usage in asked)
    except LookupError:
        return None
    return float(into.total_price) * MILLION / few, float(out.total_price) * MILLION / few
