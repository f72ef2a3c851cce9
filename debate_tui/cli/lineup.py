"""Who debates if nobody says so: what was remembered, models at hand, else the demo."""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import TYPE_CHECKING

from msgspec import structs

from debate_tui import config
from debate_tui.domain.errors import DebateError
from debate_tui.sources import boxed, discovery, local, registry
from debate_tui.tui.proposal import Offer, Role
from debate_tui.tui.screens.start import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.sources.providers import Provider
    from debate_tui.tui.proposal import Proposal

DEMO = ("demo", "demo")


def seats(settings: config.Settings, proposal: Proposal) -> tuple[config.Seat, ...]:
    """A seat for each debater; how a source is asked is what the settings say of it at this place."""
    known = (*settings.debater, *[None] * len(proposal.debaters))
    return tuple(
        structs.replace(
            seat if seat is not None and seat.source == source else config.Seat(source=source),
            **structs.asdict(proposal.role(place)),
        )
        for place, (seat, source) in enumerate(zip(known, proposal.debaters, strict=False))
    )


def roles(settings: config.Settings) -> tuple[Role, ...]:
    """What the debaters are besides their sources, as the settings or the last choice have it."""
    if settings.debater:
        return tuple(Role(name=s.name, side=s.side, persona=s.persona) for s in settings.debater)
    last = config.remembered()
    pairs = zip_longest(last.names or (), last.personas or (), fillvalue="")
    return tuple(Role(name=name, persona=persona) for name, persona in pairs)


def remember_roles(roles: Sequence[Role]) -> None:
    """Begin the next run with these names and personas; sides go with the topic."""
    names, personas = tuple(role.name for role in roles), tuple(role.persona for role in roles)
    config.remember(names=names if any(names) else None, personas=personas if any(personas) else None)


def remembered() -> tuple[str, ...]:
    """The debaters that were chosen last, if all of them can still debate; may ask the system keyring."""
    sources = config.remembered().debaters or ()
    try:
        for source in sources:
            registry.check_key(registry.parse(source))
    except DebateError:
        return ()
    return sources


def remember(debaters: tuple[str, ...], *, automatic: tuple[str, ...]) -> None:
    """Begin the next run with these; what is found by itself is better found anew."""
    config.remember(debaters=None if debaters == automatic else debaters)


def known(named: Iterable[str] = ()) -> list[Offer]:
    """What is at hand without looking for servers: keys, a local model, the demo; and what was `named`."""
    offers = [
        Offer(
            f"{each.name}:{each.model}",
            "key found",
            f"{each.title}; its key was found in the environment.",
        )
        for each in discovery.keyed()
    ]
    if local.program() is not None:
        fetched = boxed.find(config.model_folder()) is not None
        about = "tiny, runs here" if fetched else f"{boxed.FETCHED_MB} MB to fetch"
        offers.append(Offer("local", about, boxed.NOTICE))
    offers.append(
        Offer("demo", "scripted", "Scripted: no model is speaking. It needs no key and no network.")
    )
    at_hand = {offer.source for offer in offers}
    offers += [Offer(source, *NAMED) for source in dict.fromkeys(named) if source not in at_hand]
    return offers


async def look_around() -> tuple[list[Offer], tuple[str, ...]]:
    """The models of servers, and who debates by itself now."""
    served = await asyncio.to_thread(discovery.served)
    found = [Offer(f"{server.name}:{model}", *_told(server)) for server, models in served for model in models]
    automatic = discovery.with_keys()
    if not automatic and served:
        server, models = served[0]
        automatic = discovery.enough([f"{server.name}:{model}" for model in models])
    return found, automatic


def _told(server: Provider) -> tuple[str, str]:
    """What there is to say of a server's models."""
    if server.name in discovery.LOCAL_SERVERS:
        return "runs here", f"{server.title} runs on this machine and has this model."
    return "your server", f"{server.host} has this model; {server.base_url_env} leads there."
