"""Who debates if nobody says so: what was remembered, models at hand, else the demo."""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec import structs

from debate_tui import config
from debate_tui.domain.errors import DebateError
from debate_tui.sources import discovery, local_model, registry
from debate_tui.tui.screens.start import TYPED_SOURCE_TEXTS
from debate_tui.tui.setup_form import DebaterProfile, SourceOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.sources.providers import Provider
    from debate_tui.tui.setup_form import DebateSetup

DEMO_SOURCES = ("demo", "demo")


def debater_settings(settings: config.Settings, proposal: DebateSetup) -> tuple[config.DebaterSettings, ...]:
    """A seat for each debater; how a source is asked is what the settings say of it at this place."""
    configured = (*settings.debater, *[None] * len(proposal.debaters))
    return tuple(
        structs.replace(
            seat if seat is not None and seat.source == source else config.DebaterSettings(source=source),
            **structs.asdict(proposal.profile(place)),
        )
        for place, (seat, source) in enumerate(zip(configured, proposal.debaters, strict=False))
    )


def initial_roles(settings: config.Settings) -> tuple[DebaterProfile, ...]:
    """What the debaters are besides their sources, as the settings or the last choice have it."""
    if settings.debater:
        return tuple(DebaterProfile(name=s.name, side=s.side, persona=s.persona) for s in settings.debater)
    last = config.load_remembered()
    pairs = zip_longest(last.names or (), last.personas or (), fillvalue="")
    return tuple(DebaterProfile(name=name, persona=persona) for name, persona in pairs)


def remember_roles(roles: Sequence[DebaterProfile]) -> None:
    """Begin the next run with these names and personas; sides go with the topic."""
    names, personas = tuple(role.name for role in roles), tuple(role.persona for role in roles)
    config.save_remembered(names=names if any(names) else None, personas=personas if any(personas) else None)


def remembered_sources() -> tuple[str, ...]:
    """The debaters that were chosen last, if all of them can still debate; may ask the system keyring."""
    sources = config.load_remembered().debaters or ()
    try:
        for source in sources:
            registry.check_availability(registry.parse_source(source))
    except DebateError:
        return ()
    return sources


def remember_sources(sources: tuple[str, ...], *, detected: tuple[str, ...]) -> None:
    """Begin the next run with these; what is found by itself is better found anew."""
    config.save_remembered(debaters=None if sources == detected else sources)


def known_offers(extra_sources: Iterable[str] = ()) -> list[SourceOption]:
    """What is at hand without looking for servers: keys, a local model, the demo; and what was
    `extra_sources`."""
    offers = [
        SourceOption(
            f"{each.name}:{each.model}",
            "key found",
            f"{each.title}; its key was found in the environment.",
        )
        for each in discovery.providers_with_keys()
    ]
    if local_model.find_server_program() is not None:
        fetched = local_model.find_bundled_model(config.model_folder()) is not None
        about = "tiny, runs here" if fetched else f"{local_model.DOWNLOAD_MB} MB to fetch"
        offers.append(SourceOption("local", about, local_model.BUNDLED_NOTICE))
    offers.append(
        SourceOption("demo", "scripted", "Scripted: no model is speaking. It needs no key and no network.")
    )
    at_hand = {offer.source for offer in offers}
    offers += [
        SourceOption(source, *TYPED_SOURCE_TEXTS)
        for source in dict.fromkeys(extra_sources)
        if source not in at_hand
    ]
    return offers


async def discover_offers() -> tuple[list[SourceOption], tuple[str, ...]]:
    """The models of servers, and who debates by itself now."""
    served = await asyncio.to_thread(discovery.probe_servers)
    offers = [
        SourceOption(f"{server.name}:{model}", *_describe_server(server))
        for server, models in served
        for model in models
    ]
    detected_sources = discovery.sources_with_keys()
    if not detected_sources and served:
        server, models = served[0]
        detected_sources = discovery.limit_sources([f"{server.name}:{model}" for model in models])
    return offers, detected_sources


def _describe_server(server: Provider) -> tuple[str, str]:
    """What there is to say of a server's models."""
    if server.name in discovery.LOCAL_SERVERS:
        return "runs here", f"{server.title} runs on this machine and has this model."
    return "your server", f"{server.host} has this model; {server.base_url_env} leads there."
