"""A start screen to be driven by hand; what it proposes is noted, and nothing is begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from debate_tui.cli.documents import check_place
from debate_tui.cli.format_files import find_format, format_names
from debate_tui.cli.judges import parse_judge
from debate_tui.sources import registry
from debate_tui.tui.app import StartApp
from debate_tui.tui.screen_options import ScreenOptions
from debate_tui.tui.screens.start import DISCOVERY_WORKER, StartCallbacks, StartScreen
from debate_tui.tui.setup_form import DebateSetup, SetupEstimate, SourceOption
from debate_tui.tui.symbols import ASCII, UNICODE
from tests.tui.screen_harness import ScreenHarness

if TYPE_CHECKING:
    from collections.abc import Sequence


KEYS = (
    SourceOption("openai:gpt-5.6-terra", "key found", "OpenAI; its key was found in OPENAI_API_KEY."),
    SourceOption(
        "anthropic:claude-sonnet-5-5",
        "key found",
        "Anthropic; its key was found in ANTHROPIC_API_KEY.",
    ),
)
DEMO = SourceOption("demo", "scripted", "Scripted: no model is speaking. It needs no key and no network.")
LOCAL = SourceOption("local", "tiny, runs here", "SmolLM2 runs on this machine and is tiny.")
SERVED = tuple(
    SourceOption(f"ollama:{model}", "runs here", "Ollama runs on this machine and has this model.")
    for model in ("qwen3:32b", "llama3.2")
)


class StartHarness(ScreenHarness):
    """The app; `found` is what a look around brings, once `discovery_allowed` is set."""

    def __init__(
        self,
        proposal: DebateSetup | None = None,
        offers: Sequence[SourceOption] = (*KEYS, LOCAL, DEMO),
        *,
        found: Sequence[SourceOption] = (),
        debaters: tuple[str, ...] = (),
        notice: str = "",
        cost: float | None = None,
        problem: str = "",
        **options: Any,
    ) -> None:
        self.proposed: list[DebateSetup] = []
        self.left: list[DebateSetup] = []
        self.chosen: list[tuple[str, ...]] = []
        self.discovery_allowed = asyncio.Event()
        self._found = (found, debaters)
        self._cost = cost
        self._problem = problem
        chosen = proposal or DebateSetup(debaters=tuple(offer.source for offer in offers[:2]))
        self.screen = StartScreen(
            chosen,
            offers,
            [find_format(name) for name in format_names()],
            ASCII if options.get("ascii") else UNICODE,
            StartCallbacks(
                on_sources_change=self.chosen.append,
                discover=self._look,
                check_source=registry.parse_source,
                check_judge=parse_judge,
                check_place=check_place,
                estimate=self._estimate,
                on_start=self.proposed.append,
                on_history=self.left.append,
            ),
            notice=notice,
        )
        self.app = StartApp(self.screen, ScreenOptions(**options))

    async def _look(self) -> tuple[Sequence[SourceOption], tuple[str, ...]]:
        await self.discovery_allowed.wait()
        return self._found

    async def _estimate(self, setup: DebateSetup) -> SetupEstimate:
        return SetupEstimate(self._cost, "about 2,003 tokens" if setup.material else "", self._problem)

    async def finish_discovery(self) -> None:
        """Find what is there to be found."""
        self.discovery_allowed.set()
        await self.app.workers.wait_for_complete([w for w in self.app.workers if w.name == DISCOVERY_WORKER])
        await self.pilot.pause()
