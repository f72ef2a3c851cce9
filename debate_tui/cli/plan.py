"""What is going to be debated, by whom, and how: settings and options, checked and made definite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui import config
from debate_tui.domain.debate import Debater, Format, check_debaters, deal_sides, filled, with_rounds
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import Event
from debate_tui.domain.formats import DEFAULT
from debate_tui.sources import registry
from debate_tui.sources.registry import Specification

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAMES = ("Ada", "Ben", "Cleo", "Dan")


class Speaker(Struct, frozen=True):
    """A debater, and what its source is made from."""

    debater: Debater
    seat: config.Seat
    specification: Specification


class Plan(Struct, frozen=True):
    """A debate that can begin.

    `notice` is said on screen as long as it lasts; with `chaos`, its streams break on purpose. `past` are the
    events of a debate that is taken up again, and `debate` its id. With `stats` its figures are told
    at the end; what its streams go through is written to the file `journal`. It is hosted at the address
    `share`, if there is one; once it is, `shared` says where others watch it.
    """

    topic: str
    format: Format
    speakers: tuple[Speaker, ...]
    settings: config.Settings
    notice: str = ""
    chaos: bool = False
    judges: tuple[Specification, ...] = ()
    past: tuple[Event, ...] = ()
    debate: str = ""
    stats: bool = False
    journal: Path | None = None
    share: str = ""
    shared: str = ""


def plan(topic: str, seats: Sequence[config.Seat], settings: config.Settings, *, chaos: bool = False) -> Plan:
    """Check everything that can be checked before anything is connected.

    Raises `UsageError` for what was typed wrongly, `ConfigError` for a missing key or a wrong format file.
    """
    specifications = [registry.parse(seat.source) for seat in seats]
    format_ = _format(seats, specifications, settings)
    check_debaters(format_, len(seats))
    for specification in specifications:
        registry.check_key(specification)
    if chaos and any(specification.kind != "demo" for specification in specifications):
        raise UsageError("--chaos breaks the demo's streams only.", "Leave -d out, or say -d demo.")
    judges = with_voices(topic, [registry.parse(text) for text in settings.judge])
    for judge in judges:
        registry.check_key(judge)
    specifications = with_voices(topic, specifications)
    sides = deal_sides(format_, len(seats))
    speakers = tuple(
        Speaker(
            Debater(
                id=f"d{place + 1}",
                name=name,
                side=seat.side or sides[place],
                source=specification.public,
                persona=seat.persona,
            ),
            seat,
            specification,
        )
        for place, (seat, specification, name) in enumerate(
            zip(seats, specifications, _names(seats, specifications), strict=True)
        )
    )
    said = " ".join(filter(None, (notice(specifications), partiality(judges, specifications))))
    return Plan(topic, format_, speakers, settings, said, chaos, tuple(judges))


def unnamed(sources: Sequence[str], settings: config.Settings) -> tuple[config.Seat, ...]:
    """Seats for who named no debater: of these sources as many as the format takes, some more than once.

    Raises as `plan` does where there is no such format.
    """
    format_ = config.find_format(settings.format or DEFAULT)
    return tuple(config.Seat(source=source) for source in filled(sources, format_)[: format_.max_debaters])


def _format(
    seats: Sequence[config.Seat], specifications: Iterable[Specification], settings: config.Settings
) -> Format:
    only_listens = all(
        specification.kind == "endpoint" and seat.method == "GET"
        for seat, specification in zip(seats, specifications, strict=True)
    )
    chosen = config.find_format(settings.format or ("listen" if only_listens else DEFAULT))
    return chosen if settings.rounds is None else with_rounds(chosen, settings.rounds)


def with_voices(topic: str, specifications: Sequence[Specification]) -> list[Specification]:
    """Give each demo debater without a voice one that nobody else has; another topic, another cast."""
    if all(specification.kind != "demo" or specification.detail for specification in specifications):
        return list(specifications)
    from debate_tui.sources.demo import VOICES, lineup

    named = {specification.detail for specification in specifications}
    free = iter([voice for voice in lineup(len(VOICES), seed=sum(topic.encode())) if voice not in named])
    return [
        Specification("demo", "demo", next(free))
        if specification.kind == "demo" and not specification.detail
        else specification
        for specification in specifications
    ]


def _names(seats: Sequence[config.Seat], specifications: Sequence[Specification]) -> list[str]:
    """What the debaters are called: as asked for, a voice after itself, the others in turn; no two alike."""
    names: list[str] = []
    for seat, specification in zip(seats, specifications, strict=True):
        voice = _voice(specification)
        wanted = seat.name or voice or next(name for name in _NAMES if name not in names)
        count = sum(name == wanted or name.startswith(f"{wanted} ") for name in names)
        names.append(f"{wanted} {count + 1}" if count else wanted)
    return names


def _voice(specification: Specification) -> str:
    if specification.kind != "demo":
        return ""
    from debate_tui.sources.demo import VOICES

    return VOICES.get(specification.detail, "")


def partiality(judges: Iterable[Specification], debaters: Iterable[Specification]) -> str:
    """What there is to say of judges that judge their own kind; models prefer their own family's words."""
    families = {each.scheme for each in debaters if each.kind in ("provider", "local")}
    related = dict.fromkeys(judge.public for judge in judges if judge.scheme in families)
    if not related:
        return ""
    judge = "judges its" if len(related) == 1 else "judge their"
    return f"Not impartial: {', '.join(related)} {judge} own model family."


def notice(specifications: Iterable[Specification]) -> str:
    """What the screen says about these sources as long as the debate lasts."""
    specifications = tuple(specifications)
    scripted = [specification.kind == "demo" for specification in specifications]
    if not any(scripted):
        return _tiny(specifications)
    if not all(scripted):
        return "Demo debaters are scripted: no model speaks for them."
    from debate_tui.sources.demo import NOTICE

    return NOTICE


def _tiny(specifications: Iterable[Specification]) -> str:
    """How small the model in the box is, if it speaks."""
    if all(each.kind != "local" or each.detail for each in specifications):
        return ""
    from debate_tui.sources import boxed

    return boxed.NOTICE
