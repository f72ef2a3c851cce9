"""``debate-tui`` without a topic: the start screen, and the debate started from it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import zip_longest
from threading import Thread
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from debate_tui import config
from debate_tui.cli.default_debaters import DEMO_SOURCES, default_count, remembered_sources
from debate_tui.cli.documents import STANDARD_INPUT, check_place
from debate_tui.cli.format_files import find_format, load_formats
from debate_tui.cli.judges import parse_judge
from debate_tui.cli.material import add_material, add_notice, describe_tokens, estimate_cost, load_material
from debate_tui.cli.plan import make_plan
from debate_tui.cli.terminal import catch_signals
from debate_tui.cli.tui_runner import RunningApp, make_screen_options, run_fullscreen
from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.formats import DEFAULT_FORMAT
from debate_tui.sources import discovery, local_model, registry
from debate_tui.sources.known_agents import known_agents
from debate_tui.tui.app import StartApp
from debate_tui.tui.screens.start import TYPED_SOURCE_TEXTS, StartCallbacks, StartScreen
from debate_tui.tui.setup_form import (
    DebaterProfile,
    DebateSetup,
    SetupEstimate,
    SourceOption,
    takes_parameters,
)
from debate_tui.tui.symbols import ASCII, UNICODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.cli.plan import Plan, RunOptions
    from debate_tui.domain.material import Material
    from debate_tui.sources.providers import Provider


# Default debaters: remembered ones, available models, or the demo


def debater_settings(settings: config.Settings, proposal: DebateSetup) -> tuple[config.DebaterSettings, ...]:
    """Return settings for each debater in `proposal`.

    A debater keeps the rest of its configured settings if its source is unchanged.
    """
    configured = (*settings.debater, *[None] * len(proposal.debaters))
    seats: list[config.DebaterSettings] = []
    for place, (seat, source) in enumerate(zip(configured, proposal.debaters, strict=False)):
        fields = structs.asdict(proposal.profile(place))
        if not takes_parameters(source):  # left over from the previous source
            fields |= structs.asdict(NO_PARAMETERS)
        if seat is None or seat.source != source:
            seat = config.DebaterSettings(source=source)
        seats.append(structs.replace(seat, **fields))
    return tuple(seats)


def initial_roles(settings: config.Settings) -> tuple[DebaterProfile, ...]:
    """Return the debaters' profiles from the settings, or the names and personas used last."""
    if settings.debater:
        return tuple(
            DebaterProfile(name=s.name, side=s.side, persona=s.persona, **structs.asdict(s.parameters))
            for s in settings.debater
        )
    last = config.load_remembered()
    pairs = zip_longest(last.names or (), last.personas or (), fillvalue="")
    return tuple(DebaterProfile(name=name, persona=persona) for name, persona in pairs)


def remember_choices(setup: DebateSetup, *, detected: tuple[str, ...]) -> None:
    """Save the choices for the next run.

    Sides depend on the topic and are not saved, nor are the detected sources: they are detected again.
    """
    names = tuple(each.name for each in setup.profiles)
    personas = tuple(each.persona for each in setup.profiles)
    config.save_remembered(
        debaters=None if setup.debaters == detected else setup.debaters,
        names=names if any(names) else None,
        personas=personas if any(personas) else None,
        mode=setup.mode.value,
        format=setup.format,
        judges=setup.judges,
        rounds=setup.rounds,
        max_cost=setup.max_cost,
        max_tokens=setup.max_tokens,
        step=setup.step,
    )


def known_offers(extra_sources: Iterable[str] = ()) -> list[SourceOption]:
    """Return the sources that are known without probing servers, followed by `extra_sources`.

    These are providers with a key, installed agents, the local model and the demo.
    """
    offers = [
        SourceOption(
            f"{each.name}:{each.model}",
            *(
                ("configured", f"{each.title}; its address is in your settings.")
                if each.is_configured
                else ("key found", f"{each.title}; its key was found in the environment.")
            ),
        )
        for each in discovery.providers_with_keys()
    ]
    offers += [
        SourceOption(f"acp:{name}", "agent", f"{agent.title}, an agent on this machine with its own login.")
        for name, agent in known_agents().items()
        if agent.find_program() is not None
    ]
    if local_model.find_server_program() is not None:
        fetched = local_model.find_bundled_model(config.model_folder()) is not None
        about = "very small, runs here" if fetched else f"{local_model.DOWNLOAD_MB} MB download"
        offers.append(SourceOption("local", about, local_model.BUNDLED_NOTICE))
    offers.append(
        SourceOption("demo", "scripted", "A scripted demo without a model. It needs no key and no network.")
    )
    offers.append(
        SourceOption(
            "me", "you", "You debate: when it is your turn, you write on the screen.", can_judge=False
        )
    )
    offered = {offer.source for offer in offers}
    offers += [
        SourceOption(source, *TYPED_SOURCE_TEXTS)
        for source in dict.fromkeys(extra_sources)
        if source not in offered
    ]
    return offers


async def discover_offers(
    count: int = discovery.DEFAULT_COUNT,
) -> tuple[list[SourceOption], tuple[str, ...]]:
    """Probe servers; return their models, and up to `count` sources for an automatic line-up."""
    served = await asyncio.to_thread(discovery.probe_servers)
    offers = [
        SourceOption(f"{server.name}:{model}", *_describe_server(server))
        for server, models in served
        for model in models
    ]
    detected_sources = discovery.sources_with_keys(count=count)
    if not detected_sources and served:
        server, models = served[0]
        detected_sources = discovery.limit_sources([f"{server.name}:{model}" for model in models], count)
    return offers, detected_sources


def _describe_server(server: Provider) -> tuple[str, str]:
    """Return a short and a long description of a server's models."""
    if server.name in discovery.LOCAL_SERVERS:
        return "runs here", f"{server.title} runs on this machine and has this model."
    return "your server", f"{server.host} has this model; {server.base_url_env} has its address."


class StartController:
    """Creates the start screen and turns its proposals into plans.

    `wants_history` is set when the user has left the screen for the recorded debates. Raise `DebateError` if
    the settings have an invalid source or format.
    """

    def __init__(self, settings: config.Settings, options: RunOptions) -> None:
        for seat in settings.debater:
            registry.parse_source(seat.source)
        if settings.format:
            find_format(settings.format)
        self._settings = settings
        self._options = options
        self._formats, self._format_errors = load_formats()
        self._count = default_count(settings)
        self._detected_sources = discovery.sources_with_keys(count=self._count) or DEMO_SOURCES
        self._last_setup: DebateSetup | None = None
        self._known_material: tuple[tuple[str, ...], tuple[Material, ...]] = (), ()
        self.wants_history = False

    @property
    def _configured_judges(self) -> dict[str, str | config.JudgeSettings]:
        """The configured judges by source; the screen knows only the sources."""
        return {judge if isinstance(judge, str) else judge.source: judge for judge in self._settings.judge}

    def _initial_setup(self) -> DebateSetup:
        settings, last = self._settings, config.load_remembered()
        chosen_sources = tuple(seat.source for seat in settings.debater) or remembered_sources()
        name = settings.format or (last.format if last.format in self._formats else DEFAULT_FORMAT)
        has_limit = settings.max_cost is not None or settings.max_tokens is not None
        setup = DebateSetup(
            debaters=DEMO_SOURCES if self._options.chaos else chosen_sources or self._detected_sources,
            profiles=initial_roles(settings),
            format=name,
            mode=DisplayMode(settings.mode),
            judges=(*self._configured_judges,) or last.judges or (),
            material=self._options.context or settings.context,
            rounds=last.rounds,
            max_cost=settings.max_cost if has_limit else last.max_cost,
            max_tokens=settings.max_tokens if has_limit else last.max_tokens,
            step=settings.step or bool(last.step),
            blind=settings.blind,
        )
        if settings.rounds is not None:
            return structs.replace(setup, rounds=settings.rounds)
        return setup.with_format(self._formats[name])

    def create_screen(self) -> StartScreen:
        """Create the screen; it puts its proposals into a new queue, `proposals`."""
        self.proposals: asyncio.Queue[DebateSetup | None] = asyncio.Queue()
        settings = self._settings
        setup = self._last_setup or self._initial_setup()
        return StartScreen(
            setup,
            known_offers(setup.sources),
            tuple(self._formats.values()),
            ASCII if settings.ascii else UNICODE,
            StartCallbacks(
                on_sources_change=_preload_sources,
                discover=self._discover_offers,
                check_source=registry.parse_source,
                check_judge=parse_judge,
                check_place=_check_place,
                estimate=self._estimate,
                on_start=self.proposals.put_nowait,
                on_history=self._request_history,
            ),
            notice=" ".join(
                f"Format not loaded: {error.message} {error.hint}".strip() for error in self._format_errors
            ),
        )

    async def _discover_offers(self) -> tuple[Sequence[SourceOption], tuple[str, ...]]:
        offers, detected_sources = await discover_offers(self._count)
        self._detected_sources = detected_sources or self._detected_sources
        chosen = (
            self._settings.debater
            or remembered_sources()
            or self._options.chaos
            or self._last_setup is not None
        )
        return offers, () if chosen else detected_sources

    async def _estimate(self, setup: DebateSetup) -> SetupEstimate:
        try:
            material = await asyncio.to_thread(self._load_material, setup.material)
        except DebateError as error:
            return SetupEstimate(problem=error.message)
        cost = None
        with suppress(DebateError):  # reported when the debate starts
            cost = await asyncio.to_thread(self._estimate_cost, setup, material)
        return SetupEstimate(cost, describe_tokens(material) if material else "")

    def _load_material(self, places: tuple[str, ...]) -> tuple[Material, ...]:
        """Return the material of a setup; it is read again when the debate starts."""
        known, material = self._known_material
        if places != known:
            material = load_material(places, self._settings.max_context)
            self._known_material = places, material
        return material

    def _estimate_cost(self, setup: DebateSetup, material: tuple[Material, ...]) -> float | None:
        """Return the likely cost of a debate, `None` if a price is not known; blocks."""
        format_ = find_format(setup.format)
        debaters = setup.with_min_debaters(format_).debaters
        return estimate_cost(
            setup.held_format(format_),
            [registry.parse_source(source) for source in debaters],
            [registry.parse_source(source) for source in setup.judges],
            self._settings,
            material,
        )

    def _request_history(self, setup: DebateSetup) -> None:
        self._last_setup = setup
        self.wants_history = True
        self.proposals.put_nowait(None)

    def plan_proposal(self, proposal: DebateSetup) -> Plan:
        """Return a checked plan for a proposal, and remember its choices; blocks.

        Raise `DebateError` if the debate cannot start.
        """
        settings = msgspec.structs.replace(
            self._settings,
            # If the format is the default, let `make_plan` choose `listen` for receive-only endpoints.
            format="" if proposal.format == DEFAULT_FORMAT and not self._settings.format else proposal.format,
            mode=proposal.mode.value,
            rounds=proposal.rounds,
            max_cost=proposal.max_cost,
            max_tokens=proposal.max_tokens,
            step=proposal.step,
            blind=proposal.blind,
            judge=tuple(self._configured_judges.get(source, source) for source in proposal.judges),
            context=(),
        )
        options = msgspec.structs.replace(self._options, context=proposal.material)
        format_ = self._formats.get(proposal.format)
        filled_proposal = proposal.with_min_debaters(format_) if format_ is not None else proposal
        seats = debater_settings(settings, filled_proposal)
        plan = add_notice(add_material(make_plan(proposal.topic, seats, settings, options)))
        remember_choices(proposal, detected=self._detected_sources)
        return plan


def _check_place(place: str) -> None:
    """Raise `UsageError` if there is no material at a place; only the command line has standard input."""
    if place == STANDARD_INPUT:
        raise UsageError("Standard input can only be used on the command line.", "Enter the name of a file.")
    check_place(place)


def _preload_sources(sources: tuple[str, ...]) -> None:
    """Import the SDKs of these sources in a thread while the user types the topic."""
    specifications = [registry.parse_source(source) for source in sources]

    def load() -> None:
        with suppress(ImportError):  # reported when the source is used
            for specification in specifications:
                registry.preload_sdk(specification)

    Thread(target=load, name="preload", daemon=True).start()


async def run_start_screen(settings: config.Settings, options: RunOptions) -> int:
    """Show the start screen, and the debate or the history opened from it; return the exit code."""
    controller = StartController(settings, options)
    while True:
        code = await _show_start_screen(controller, settings)
        if not controller.wants_history:
            return code
        from debate_tui.cli.history import browse_history
        from debate_tui.record.stores import open_store

        controller.wants_history = False
        history_code = await browse_history(open_store(config.record_file()), "", can_go_back=True)
        if history_code is not None:
            return history_code
        if (theme := config.load_remembered().theme) is not None:
            settings = structs.replace(settings, theme=theme)


async def _show_start_screen(controller: StartController, settings: config.Settings) -> int:
    screen = controller.create_screen()
    app = StartApp(screen, make_screen_options(settings))
    proposals = controller.proposals
    with catch_signals(app.exit, terminal_fd=0) as signal:
        async with asyncio.TaskGroup() as group:
            app_task = group.create_task(app.run_async())
            app_task.add_done_callback(lambda _: proposals.put_nowait(None))
            while (proposal := await proposals.get()) is not None:
                try:
                    plan = await asyncio.to_thread(controller.plan_proposal, proposal)
                    return await run_fullscreen(plan, RunningApp(app, app_task, signal))
                except DebateError as error:
                    app.call_later(screen.show_start_error, f"{error.message} {error.hint}")
            if controller.wants_history:
                app.exit()
    return app.return_code or signal.exit_code
