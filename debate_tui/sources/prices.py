"""What a turn costs, in US dollars: from the settings, else from genai-prices' dated table, else unknown.

The table is a package of its own (https://pypi.org/project/genai-prices), kept up by people who follow price
lists. A model it does not know has no price; nothing is ever guessed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from debate_tui.domain.stream import Usage
    from debate_tui.sources.registry import Specification

    Rates = tuple[float, float]
    """US dollars per million tokens, of input and of output."""

    Cost = Callable[[Usage], float | None]

# What the table calls a provider where it is not what we call it.
_NAMES = {"xai": "x-ai", "gemini": "google", "huggingface": "huggingface_together"}
_FREE = frozenset({"ollama", "lmstudio", "llamacpp", "vllm"})
MILLION = 1_000_000


async def cost_of(specification: Specification, overrides: Mapping[str, Rates]) -> Cost:
    """How to price this source's usage; loads the table in a thread where it is needed.

    `overrides` are rates by model, which go before the table.
    """
    rates = overrides.get(specification.detail)
    if rates is None and specification.kind == "provider" and specification.scheme not in _FREE:
        rates = await asyncio.to_thread(_listed, specification.scheme, specification.detail)

    def cost(usage: Usage) -> float | None:
        if rates is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        return (usage.input_tokens * rates[0] + usage.output_tokens * rates[1]) / MILLION

    return cost


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
