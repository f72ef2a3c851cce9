"""Another source for a debater while the debate is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui.cli.plan import assign_voices
from debate_tui.sources import registry
from debate_tui.sources.prices import cost_function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.session import Session
    from debate_tui.sources.prices import Rates
    from debate_tui.sources.registry import SourceFactory


class SourceSwapper:
    """Reads what was typed for ``-d``, and lets it speak for a debater from its next connection on."""

    def __init__(self, sources: SourceFactory, session: Session, rates: Mapping[str, Rates]) -> None:
        self._sources = sources
        self._session = session
        self._rates = rates

    async def __call__(self, debater: str, text: str) -> None:
        """Raises `UsageError` for what names no source, `ConfigError` where its key is missing."""
        spec = self._session.spec
        (specification,) = assign_voices(spec.topic, [registry.parse_source(text)])
        await asyncio.to_thread(registry.check_availability, specification)
        names = (debater, next(each.name for each in spec.debaters if each.id == debater))
        source = self._sources.make(specification, names=names)
        self._session.replace(
            debater, source, specification.public_name, cost_function(specification, self._rates)
        )
