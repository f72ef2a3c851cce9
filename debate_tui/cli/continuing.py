"""Taking up a recorded debate: what it was begun with is kept beside its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.plan import Plan, Speaker, notice, partiality
from debate_tui.domain.debate import Debater, Format
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebaterReplaced
from debate_tui.domain.progress import progress
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite import Store
from debate_tui.sources import registry
from debate_tui.sources.address import HIDDEN

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import Summary
    from debate_tui.sources.registry import Specification


class _Chair(Struct, frozen=True):
    debater: Debater
    seat: config.Seat


class _Setup(Struct, frozen=True):
    """What no event says. Sources are kept as they may be shown: without credentials."""

    format: Format
    chairs: tuple[_Chair, ...]
    judges: tuple[str, ...] = ()


def setup(plan: Plan) -> str:
    """What a debate is begun with, for its record."""
    chairs = tuple(
        _Chair(each.debater, msgspec.structs.replace(each.seat, source=each.specification.public))
        for each in plan.speakers
    )
    judges = tuple(judge.public for judge in plan.judges)
    return msgspec.json.encode(_Setup(plan.format, chairs, judges)).decode()


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
        kept, past = store.setup(summary.debate), tuple(store.events(summary.debate))
    return _plan(summary, kept, past, settings)


async def taken_up_from(store: DebateStore, debate: str, settings: config.Settings) -> Plan:
    """See `taken_up`, for a debate in any store."""
    summary = await store.find(debate)
    log = await store.watch(summary.debate)
    past: list[Event] = []
    try:
        while len(past) < summary.events:
            past += await log.read(len(past))
    finally:
        await log.aclose()
    return _plan(summary, await store.setup(summary.debate), tuple(past), settings)


def check_free(summary: Summary) -> None:
    """Raise `UsageError` for a debate that another program is holding."""
    if summary.live:
        raise UsageError(
            f"The debate {summary.debate} is being held by another program right now: “{summary.topic}”.",
            "debate-tui history lists those that were broken off.",
        )


def _plan(summary: Summary, setup: str, past: tuple[Event, ...], settings: config.Settings) -> Plan:
    check_free(summary)
    try:
        kept = msgspec.json.decode(setup, type=_Setup)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"The debate {summary.debate} was begun by a version that this one cannot read: {error}.",
            f"debate-tui export {summary.debate} still writes down what was said.",
        ) from None
    transcript = Transcript(past)
    debaters = tuple(chair.debater for chair in kept.chairs)
    owed = set(kept.judges) - {verdict.judge for verdict in transcript.verdicts}
    over = transcript.finished == "complete" or (transcript.finished is not None and not owed)
    if over and progress(transcript, kept.format, debaters).complete:
        raise UsageError(
            f"The debate {summary.debate} is complete: “{summary.topic}”.",
            "debate-tui history lists those that were broken off.",
        )
    now = _sources_now(transcript)
    seats = [
        msgspec.structs.replace(chair.seat, source=now.get(chair.debater.id, chair.seat.source))
        for chair in kept.chairs
    ]
    specifications = [
        _specification(seat.source, chair.debater.name)
        for chair, seat in zip(kept.chairs, seats, strict=True)
    ]
    judges = [_specification(judge, "a judge") for judge in kept.judges or settings.judge]
    for specification in (*specifications, *judges):
        registry.check_key(specification)
    return Plan(
        summary.topic,
        kept.format,
        tuple(map(Speaker, debaters, seats, specifications)),
        settings,
        " ".join(filter(None, (notice(specifications), partiality(judges, specifications)))),
        judges=tuple(judges),
        past=past,
        debate=summary.debate,
    )


def _sources_now(transcript: Transcript) -> dict[str, str]:
    """The sources that were put in place of others while the debate was held."""
    replaced = (note.event for note in transcript.notes if isinstance(note.event, DebaterReplaced))
    return {event.debater: event.source for event in replaced}


def _specification(source: str, whose: str) -> Specification:
    if HIDDEN in source:
        raise UsageError(
            f"The address of {whose} had a secret in it, which was not kept.",
            "This debate cannot be continued; hold a new one.",
        )
    return registry.parse(source)
