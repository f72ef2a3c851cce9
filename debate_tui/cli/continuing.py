"""Taking up a recorded debate: what it was begun with is kept beside its events."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.plan import Plan, Speaker, notice
from debate_tui.domain.debate import Debater, Format
from debate_tui.domain.errors import UsageError
from debate_tui.domain.progress import progress
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite import Store
from debate_tui.sources import registry


class _Chair(Struct, frozen=True):
    debater: Debater
    seat: config.Seat


class _Setup(Struct, frozen=True):
    """What no event says. Sources are kept as they may be shown: without credentials."""

    format: Format
    chairs: tuple[_Chair, ...]


def setup(plan: Plan) -> str:
    """What a debate is begun with, for its record."""
    chairs = tuple(
        _Chair(each.debater, msgspec.structs.replace(each.seat, source=each.specification.public))
        for each in plan.speakers
    )
    return msgspec.json.encode(_Setup(plan.format, chairs)).decode()


def format_of(setup: str) -> Format | None:
    """The format in what was kept of a debate, if that can be read."""
    try:
        return msgspec.json.decode(setup, type=_Setup).format
    except msgspec.DecodeError:
        return None


def taken_up(debate: str, settings: config.Settings) -> Plan:
    """The plan of a recorded debate, the newest if `debate` is empty, with what is left to be held.

    Raises `UsageError` for a debate that is complete, or whose addresses had credentials that were not kept.
    """
    with Store(config.record_file()) as store:
        summary = store.find(debate)
        kept = msgspec.json.decode(store.setup(summary.debate), type=_Setup)
        past = tuple(store.events(summary.debate))
    debaters = tuple(chair.debater for chair in kept.chairs)
    if progress(Transcript(past), kept.format, debaters).complete:
        raise UsageError(
            f"The debate {summary.debate} is complete: “{summary.topic}”.",
            "debate-tui history lists those that were broken off.",
        )
    specifications = []
    for chair in kept.chairs:
        if registry.HIDDEN in chair.seat.source:
            raise UsageError(
                f"The address of {chair.debater.name} had a secret in it, which was not kept.",
                "This debate cannot be continued; hold a new one.",
            )
        specifications.append(registry.parse(chair.seat.source))
    for specification in specifications:
        registry.check_key(specification)
    speakers = tuple(
        Speaker(chair.debater, chair.seat, specification)
        for chair, specification in zip(kept.chairs, specifications, strict=True)
    )
    return Plan(
        summary.topic,
        kept.format,
        speakers,
        settings,
        notice(specifications),
        past=past,
        debate=summary.debate,
    )
