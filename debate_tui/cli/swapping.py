"""Another source for a debater while the debate is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui.cli.plan import with_voices
from debate_tui.sources import registry
from debate_tui.sources.prices import cost_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.session import Session
    from debate_tui.sources.prices import Rates
    from debate_tui.sources.registry import Sources


class Swapper:
    """Reads what was typed for ``-d``, and lets it speak for a debater from its next connection on."""

    def __init__(self, sources: Sources, session: Session, rates: Mapping[str, Rates]) -> None:
        self._sources = sources
        self._session = session
        self._rates = rates

    async def __call__(self, debater: str, text: str) -> None:
        """Raises `UsageError` for what names no source, `ConfigError` where its key is missing."""
        motion = self._session.motion
        (specification,) = with_voices(motion.topic, [registry.parse(text)])
        await asyncio.to_thread(registry.check_key, specification)
        names = (debater, next(each.name for each in motion.debaters if each.id == debater))
        source = self._sources.make(specification, names=names)
        self._session.replace(debater, source, specification.public, cost_of(specification, self._rates))
