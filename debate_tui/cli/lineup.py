"""Who debates if nobody says so: what was remembered, models at hand, else the demo."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.domain.errors import DebateError
from debate_tui.sources import boxed, discovery, local, registry
from debate_tui.tui.proposal import Offer
from debate_tui.tui.screens.start import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEMO = ("demo", "demo")


def seats(settings: config.Settings, sources: Sequence[str]) -> tuple[config.Seat, ...]:
    """A seat for each source; one that the settings have at this place keeps its name, side and persona."""
    named = (*settings.debater, *[None] * len(sources))
    return tuple(
        seat if seat is not None and seat.source == source else config.Seat(source=source)
        for seat, source in zip(named, sources, strict=False)
    )


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
    """The models of local servers, and who debates by itself now."""
    served = await asyncio.to_thread(discovery.served)
    found = [
        Offer(
            f"{server.name}:{model}", "runs here", f"{server.title} runs on this machine and has this model."
        )
        for server, models in served
        for model in models
    ]
    automatic = discovery.with_keys()
    if not automatic and served:
        server, models = served[0]
        automatic = discovery.enough([f"{server.name}:{model}" for model in models])
    return found, automatic
