"""``debate-tui`` without a topic: the start screen, and the debate that is begun there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.cli import fullscreen, lineup
from debate_tui.cli.plan import plan
from debate_tui.cli.screens import options, remember_theme
from debate_tui.cli.signals import caught
from debate_tui.display.modes import Mode
from debate_tui.domain.errors import DebateError
from debate_tui.domain.formats import DEFAULT
from debate_tui.sources import discovery, registry
from debate_tui.tui.glyphs import ASCII, UNICODE
from debate_tui.tui.proposal import Proposal
from debate_tui.tui.screens.start import StartScreen
from debate_tui.tui.start import StartApp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.cli.plan import Plan
    from debate_tui.domain.debate import Format
    from debate_tui.tui.proposal import Offer


class Start:
    """What the start screen begins with, and what comes of it.

    Raises `DebateError` where the settings name a source or a format that cannot be one.
    """

    def __init__(self, settings: config.Settings, *, chaos: bool) -> None:
        for seat in settings.debater:
            registry.parse(seat.source)
        self._settings = settings
        self._chaos = chaos
        self._formats, self._problems = _formats(settings.format)
        self._automatic = discovery.with_keys() or lineup.DEMO
        self.wanted: asyncio.Queue[Proposal | None] = asyncio.Queue()

    def screen(self) -> StartScreen:
        """The screen; proposals from it are `wanted`."""
        settings, last = self._settings, config.remembered()
        chosen = tuple(seat.source for seat in settings.debater) or lineup.remembered()
        judges = settings.judge or last.judges or ()
        names = [format_.name for format_ in self._formats]
        return StartScreen(
            Proposal(
                debaters=lineup.DEMO if self._chaos else chosen or self._automatic,
                roles=lineup.roles(settings),
                format=settings.format or (last.format if last.format in names else DEFAULT),
                mode=Mode(settings.mode),
                judges=judges,
            ),
            lineup.known((*chosen, *judges)),
            self._formats,
            ASCII if settings.ascii else UNICODE,
            notice=" ".join(self._problems),
            choose=_preload,
            look=self._look,
            check=registry.parse,
            propose=self.wanted.put_nowait,
        )

    async def _look(self) -> tuple[Sequence[Offer], tuple[str, ...]]:
        offers, automatic = await lineup.look_around()
        self._automatic = automatic or self._automatic
        chosen = self._settings.debater or lineup.remembered() or self._chaos
        return offers, () if chosen else automatic

    def planned(self, proposal: Proposal) -> Plan:
        """The debate that is proposed, checked; blocks. Raises `DebateError` if it cannot be held."""
        settings = msgspec.structs.replace(
            self._settings,
            # Where nothing else is chosen, who debates decides between the default and `listen`.
            format="" if proposal.format == DEFAULT and not self._settings.format else proposal.format,
            mode=proposal.mode.value,
            judge=proposal.judges,
        )
        format_ = next((each for each in self._formats if each.name == proposal.format), None)
        held = proposal.filled(format_) if format_ is not None else proposal
        made = plan(proposal.topic, lineup.seats(settings, held), settings, chaos=self._chaos)
        lineup.remember(proposal.debaters, automatic=self._automatic)
        lineup.remember_roles(proposal.roles)
        config.remember(mode=proposal.mode.value, format=proposal.format, judges=proposal.judges)
        return made


def _preload(sources: tuple[str, ...]) -> None:
    """Import what these sources speak through while the user thinks about the topic; nobody waits for it."""
    specifications = [registry.parse(source) for source in sources]

    def load() -> None:
        with suppress(ImportError):  # it is said when the source is needed
            for specification in specifications:
                registry.preload(specification)

    Thread(target=load, name="preload", daemon=True).start()


async def run(settings: config.Settings, *, chaos: bool, more: Mapping[str, object]) -> int:
    """Show the start screen, and hold the debate that is begun there; returns the exit code.

    `more` are fields of the `Plan` that nobody is asked for.
    """
    start = Start(settings, chaos=chaos)
    app = StartApp(start.screen(), options(settings), on_theme=remember_theme)
    with caught(app.exit, keyboard=0) as signal:
        async with asyncio.TaskGroup() as group:
            shown = group.create_task(app.run_async())
            shown.add_done_callback(lambda _: start.wanted.put_nowait(None))
            while (proposal := await start.wanted.get()) is not None:
                try:
                    planned = await asyncio.to_thread(start.planned, proposal)
                    planned = msgspec.structs.replace(planned, **more)
                    return await fullscreen.run(planned, fullscreen.Opened(app, shown, signal))
                except DebateError as error:
                    app.refuse(f"{error.message} {error.hint}")
    return app.return_code or (0 if signal.number is None else 128 + signal.number)


def _formats(wanted: str) -> tuple[list[Format], list[str]]:
    """All formats, and what is wrong with those that cannot be read; the one that is `wanted` has to be."""
    formats, problems = [], []
    if wanted:
        config.find_format(wanted)
    for name in config.format_names():
        try:
            formats.append(config.find_format(name))
        except DebateError as error:
            problems.append(f"Format left out. {error.message} {error.hint}".strip())
    return formats, problems
