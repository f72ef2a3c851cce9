"""The material of a debate: what was asked for becomes numbered texts, within the limit, and is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from debate_tui.cli.documents import PlaceContents, read_place
from debate_tui.cli.messages import format_info, write_stderr
from debate_tui.cli.plan import find_debater, price_rates
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.material import Material, material_for
from debate_tui.domain.text import join_names
from debate_tui.domain.usage import estimate_tokens, estimate_usage
from debate_tui.domain.wording import count_of, format_estimate
from debate_tui.sources import prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from debate_tui import config
    from debate_tui.cli.plan import Plan
    from debate_tui.domain.debate import Format
    from debate_tui.sources.registry import SourceSpec


class _Request(NamedTuple):
    """A place to read, as for ``--context``; `debater` is the id of the only one who gets what is there."""

    place: str
    debater: str = ""
    is_in_file: bool = False


def add_material(plan: Plan) -> Plan:
    """Return the plan with the material that its options and settings ask for, first what everyone gets.

    This reads files, standard input and web pages, and takes as long as they do. Raise `UsageError` if
    something cannot be read or there is more than `max_context`, `ConfigError` if a file asks for it.
    """
    requests = list(_requests(plan))
    if plan.blind:  # neither the order nor the name of hidden material tells whose it is
        requests.sort(key=lambda request: request.debater)
    texts, left_out = _load(requests, plan.settings.max_context)
    if plan.blind:
        texts = tuple(
            msgspec.structs.replace(each, name="hidden") if each.debater else each for each in texts
        )
    return msgspec.structs.replace(plan, material=texts, left_out=left_out)


def load_material(places: Sequence[str], limit: int) -> tuple[Material, ...]:
    """Read material that everyone gets; raise `UsageError` as `add_material`."""
    return _load(map(_Request, places), limit)[0]


def _load(requests: Iterable[_Request], limit: int) -> tuple[tuple[Material, ...], tuple[str, ...]]:
    """Return the numbered texts, and the names of files without text; see `add_material`."""
    texts: list[Material] = []
    left_out: list[str] = []
    for request in requests:
        found = _read(request)
        texts += (
            Material(number, each.name, each.text, request.debater)
            for number, each in enumerate(found.documents, len(texts) + 1)
        )
        left_out += found.left_out
    _check_size(texts, limit)
    return tuple(texts), tuple(left_out)


def _requests(plan: Plan) -> Iterator[_Request]:
    typed = plan.options.context
    yield from (_Request(place, is_in_file=not typed) for place in typed or plan.settings.context)
    for each in plan.debaters:
        yield from (_Request(place, each.debater.id, True) for place in each.settings.context)
    names = [each.debater.name for each in plan.debaters]
    for name, place in plan.options.context_for:
        yield _Request(place, plan.debaters[find_debater(names, name, "context-for")].debater.id)


def _read(request: _Request) -> PlaceContents:
    try:
        return read_place(request.place)
    except UsageError as error:
        if request.is_in_file:
            raise ConfigError(error.message, error.hint) from None
        raise


def _check_size(material: Sequence[Material], limit: int) -> None:
    """Raise `UsageError` if any debater would get more than `limit` characters: nothing is ever cut."""
    readers = {each.debater for each in material}
    most = max((_characters(material_for(material, reader)) for reader in readers), default=0)
    if most > limit:
        raise UsageError(
            f"The material has {most:,} characters, {most - limit:,} more than the limit of {limit:,}.",
            f"Leave something out, or raise the limit: --max-context {most}",
        )


def _characters(material: Iterable[Material]) -> int:
    return sum(len(each.text) for each in material)


def _tokens(material: Iterable[Material]) -> int:
    return sum(estimate_tokens(each.text) for each in material)


# What is shown before anything is sent


def describe_material(plan: Plan) -> str:
    """Return how much material there is, and what the debate is expected to cost."""
    sources = [each.source_spec for each in plan.debaters]
    cost = estimate_cost(plan.format, sources, plan.judges, plan.settings, plan.material)
    about = f" The debate will cost {format_estimate(cost)}." if cost else ""
    texts = count_of(len(plan.material), "text")
    size = f"{count_of(_characters(plan.material), 'character')}, {describe_tokens(plan.material)}"
    return f"Material: {texts} ({size}), sent with every request.{_unread_notice(plan)}{about}"


def _unread_notice(plan: Plan) -> str:
    """Return a sentence about the debaters whose sources get no prompt or a short one; empty if none."""
    names = [each.debater.name for each in plan.debaters if not each.reads_material]
    if not names:
        return ""
    if plan.blind and len(names) < len(plan.debaters):
        return " Some debaters do not read it."
    whose = "The debaters" if plan.blind else join_names(names)
    return f" {whose} {'does' if len(names) == 1 else 'do'} not read it."


def describe_tokens(material: Sequence[Material]) -> str:
    """Return roughly how many tokens the material has: ``about 2,003 tokens``."""
    return f"about {count_of(_tokens(material), 'token')}"


def add_notice(plan: Plan) -> Plan:
    """Return the plan with a notice about its material, if it has any."""
    if not plan.material:
        return plan
    notice = " ".join(filter(None, (describe_material(plan), plan.notice)))
    return msgspec.structs.replace(plan, notice=notice)


def print_material(plan: Plan) -> None:
    """Print to standard error what is sent with every request."""
    write_stderr("".join(map(format_info, _material_lines(plan))))


def _material_lines(plan: Plan) -> Iterator[str]:
    yield describe_material(plan)
    names = {each.debater.id: each.debater.name for each in plan.debaters}
    for each in plan.material:
        owner = "one debater" if plan.blind else names.get(each.debater)
        whose = f", only for {owner}" if each.debater else ""
        yield f"[{each.number}] {each.name} ({count_of(len(each.text), 'character')}{whose})"
    if plan.left_out:
        yield f"Left out because they have no text: {', '.join(plan.left_out)}"


def estimate_cost(
    format_: Format,
    debaters: Sequence[SourceSpec],
    judges: Sequence[SourceSpec],
    settings: config.Settings,
    material: Sequence[Material] = (),
) -> float | None:
    """Return roughly what a debate costs in US dollars, `None` if a price is not known; blocks."""
    given = [_tokens(material_for(material, f"d{number}")) for number in range(1, len(debaters) + 1)]
    usages, judge_usage = estimate_usage(format_, len(debaters), given, _tokens(material_for(material)))
    return prices.estimate_cost(
        [(each.scheme, each.detail) for each in (*debaters, *judges)],
        (*usages, *[judge_usage] * len(judges)),
        price_rates(settings),
    )
