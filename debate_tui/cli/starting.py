"""``debate-tui`` without a topic: the start screen, and the debate that is begun there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.cli import fullscreen, lineup
from debate_tui.cli.plan import make_plan
from debate_tui.cli.screens import make_screen_options, remember_theme
from debate_tui.cli.signals import catch_signals
from debate_tui.display.frame_clock import DisplayMode
from debate_tui.domain.errors import DebateError
from debate_tui.domain.formats import DEFAULT_FORMAT
from debate_tui.sources import discovery, registry
from debate_tui.tui.app import StartApp
from debate_tui.tui.screens.start import StartScreen
from debate_tui.tui.setup_form import DebateSetup
from debate_tui.tui.symbols import ASCII, UNICODE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.cli.plan import Plan
    from debate_tui.domain.debate import Format
    from debate_tui.tui.setup_form import SourceOption


class StartController:
    """What the start screen begins with, and what comes of it.

    Raises `DebateError` where the settings name a source or a format that cannot be one.
    """

    def __init__(self, settings: config.Settings, *, chaos: bool) -> None:
        for seat in settings.debater:
            registry.parse_source(seat.source)
        self._settings = settings
        self._chaos = chaos
        self._formats, self._format_errors = _load_formats(settings.format)
        self._detected_sources = discovery.sources_with_keys() or lineup.DEMO_SOURCES
        self.proposals: asyncio.Queue[DebateSetup | None] = asyncio.Queue()

    def create_screen(self) -> StartScreen:
        """The screen; proposals from it are `proposals`."""
        settings, last = self._settings, config.load_remembered()
        chosen_sources = tuple(seat.source for seat in settings.debater) or lineup.remembered_sources()
        judges = settings.judge or last.judges or ()
        names = [format_.name for format_ in self._formats]
        return StartScreen(
            DebateSetup(
                debaters=lineup.DEMO_SOURCES if self._chaos else chosen_sources or self._detected_sources,
                profiles=lineup.initial_roles(settings),
                format=settings.format or (last.format if last.format in names else DEFAULT_FORMAT),
                mode=DisplayMode(settings.mode),
                judges=judges,
            ),
            lineup.known_offers((*chosen_sources, *judges)),
            self._formats,
            ASCII if settings.ascii else UNICODE,
            notice=" ".join(self._format_errors),
            on_sources_change=_preload_sources,
            discover=self._discover_offers,
            check_source=registry.parse_source,
            on_start=self.proposals.put_nowait,
        )

    async def _discover_offers(self) -> tuple[Sequence[SourceOption], tuple[str, ...]]:
        offers, detected_sources = await lineup.discover_offers()
        self._detected_sources = detected_sources or self._detected_sources
        chosen = self._settings.debater or lineup.remembered_sources() or self._chaos
        return offers, () if chosen else detected_sources

    def plan_proposal(self, proposal: DebateSetup) -> Plan:
        """The debate that is proposed, checked; blocks. Raises `DebateError` if it cannot be held."""
        settings = msgspec.structs.replace(
            self._settings,
            # Where nothing else is chosen, who debates decides between the default and `listen`.
            format="" if proposal.format == DEFAULT_FORMAT and not self._settings.format else proposal.format,
            mode=proposal.mode.value,
            judge=proposal.judges,
        )
        format_ = next((each for each in self._formats if each.name == proposal.format), None)
        filled_proposal = proposal.with_min_debaters(format_) if format_ is not None else proposal
        debate_plan = make_plan(
            proposal.topic, lineup.debater_settings(settings, filled_proposal), settings, chaos=self._chaos
        )
        lineup.remember_sources(proposal.debaters, detected=self._detected_sources)
        lineup.remember_roles(proposal.profiles)
        config.save_remembered(mode=proposal.mode.value, format=proposal.format, judges=proposal.judges)
        return debate_plan


def _preload_sources(sources: tuple[str, ...]) -> None:
    """Import what these sources speak through while the user thinks about the topic; nobody waits for it."""
    specifications = [registry.parse_source(source) for source in sources]

    def load() -> None:
        with suppress(ImportError):  # it is said when the source is needed
            for specification in specifications:
                registry.preload_sdk(specification)

    Thread(target=load, name="preload", daemon=True).start()


async def run_start_screen(
    settings: config.Settings, *, chaos: bool, plan_fields: Mapping[str, object]
) -> int:
    """Show the start screen, and hold the debate that is begun there; returns the exit code.

    `plan_fields` are fields of the `Plan` that nobody is asked for.
    """
    controller = StartController(settings, chaos=chaos)
    app = StartApp(controller.create_screen(), make_screen_options(settings), on_theme=remember_theme)
    with catch_signals(app.exit, terminal_fd=0) as signal:
        async with asyncio.TaskGroup() as group:
            app_task = group.create_task(app.run_async())
            app_task.add_done_callback(lambda _: controller.proposals.put_nowait(None))
            while (proposal := await controller.proposals.get()) is not None:
                try:
                    debate_plan = await asyncio.to_thread(controller.plan_proposal, proposal)
                    debate_plan = msgspec.structs.replace(debate_plan, **plan_fields)
                    return await fullscreen.run_fullscreen(
                        debate_plan, fullscreen.RunningApp(app, app_task, signal)
                    )
                except DebateError as error:
                    app.show_start_error(f"{error.message} {error.hint}")
    return app.return_code or (0 if signal.number is None else 128 + signal.number)


def _load_formats(required: str) -> tuple[list[Format], list[str]]:
    """All formats, and what is wrong with those that cannot be read; the one that is `proposals` has to
    be."""
    formats, errors = [], []
    if required:
        config.find_format(required)
    for name in config.format_names():
        try:
            formats.append(config.find_format(name))
        except DebateError as error:
            errors.append(f"Format left out. {error.message} {error.hint}".strip())
    return formats, errors
