"""The tables of the manual that are made from the code.

`python -m tests.manual_tables` writes them into debate_tui/manual, each between `<!-- NAME -->` and
`<!-- /NAME -->`; `tests/test_manual.py` holds them to the code.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, get_args

import click
import msgspec
from msgspec import inspect

import debate_tui
from debate_tui.cli.manual import FOLDER
from debate_tui.cli.options import debate
from debate_tui.cli.subcommands import COMMANDS
from debate_tui.config import DebaterSettings, JudgeSettings, ModelPrice, ProviderSettings, Settings
from debate_tui.domain import events
from debate_tui.domain.debate import ModelParameters
from debate_tui.domain.formats import DEFAULT_FORMAT, parse_format, summarise_format
from debate_tui.domain.stream import RecoveryPolicy
from debate_tui.sources.providers import providers
from tests import quirk_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = FOLDER.parent
APIS = {"chat": "Chat Completions", "responses": "Responses", "messages": "Messages"}


def table(heading: str, rows: Iterable[str]) -> str:
    """A table in Markdown, from `a | b | c` rows."""
    columns = heading.count("|") + 1
    return "\n".join((f"| {heading} |", "|" + "---|" * columns, *(f"| {row} |" for row in rows))) + "\n"


# Settings


def settings() -> str:
    """Every key of the settings file, with type, unit and default."""

    def rows() -> Iterator[str]:
        for struct, prefix in (
            (Settings, ""),
            (RecoveryPolicy, "recovery."),
            (ModelPrice, "price.MODEL."),
            (ProviderSettings, "provider.NAME."),
            (DebaterSettings, "debater."),
            (JudgeSettings, "judge."),
        ):
            yield from setting_rows(struct, prefix)

    return table("key | type | default | meaning", rows())


def setting_rows(struct: type[msgspec.Struct], prefix: str) -> Iterator[str]:
    """A row for each field of a settings table."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    # A debater's own fields first, then those of its model.
    inherited = ModelParameters.__struct_fields__ if issubclass(struct, ModelParameters) else ()
    for field in sorted(info.fields, key=lambda field: field.name in inherited):
        type_, extra, described = field.type, {}, ""
        while isinstance(type_, inspect.Metadata):
            extra = {**(type_.extra or {}), **extra}
            described = described or (type_.extra_json_schema or {}).get("description", "")
            type_ = type_.type
        if isinstance(type_, inspect.StructType) or field.name in ("debater", "price", "provider"):
            continue
        unit = f", {extra['unit']}" if "unit" in extra else ""
        yield f"`{prefix}{field.name}` | {type_name(type_)}{unit} | {default(field)} | {described}"


def type_name(type_: inspect.Type) -> str:
    match type_:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "whole number"
        case inspect.FloatType():
            return "number"
        case inspect.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values)
        case inspect.VarTupleType(item_type=item):
            return f"list of {type_name(item)}"
        case inspect.DictType() | inspect.StructType():
            return "table"
        case inspect.UnionType(types=types):
            return " or ".join(type_name(each) for each in types if not isinstance(each, inspect.NoneType))
        case _:
            return "text"


def default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if value in ("", None, ()) or value is msgspec.NODEFAULT:
        return "–"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


# Options


def options() -> str:
    """The options of every command; those of the debate itself are explained once."""
    explained = option_rows(debate)
    parts = [f"### `debate-tui [TOPIC]`\n\n{table('option | meaning', explained.values())}"]
    for name, command in COMMANDS.items():
        arguments = [part for part in command.collect_usage_pieces(click.Context(command))[1:] if part]
        rows = option_rows(command)
        own = [row for option, row in rows.items() if explained.get(option) != row]
        shared = ", ".join(f"`{option}`" for option, row in rows.items() if explained.get(option) == row)
        parts.append(f"### `{' '.join(('debate-tui', name, *arguments))}`\n")
        parts.append(f"{command.help.splitlines()[0]}\n" if command.help else "")
        parts.append(table("option | meaning", own) if own else "")
        parts.append(f"Also {shared}, as above.\n" if shared else "")
    return "\n".join(part for part in parts if part)


def option_rows(command: click.Command) -> dict[str, str]:
    """A row for each option of a command, by the option's longest name."""
    found = (option for option in command.params if isinstance(option, click.Option))
    return {option.opts[-1]: option_row(option) for option in found}


def option_row(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or value_name(option)}"
    names = ", ".join(f"`{name}`" for name in option.opts[:-1])
    last = f"`{option.opts[-1]}{value}`".replace("|", "\\|")
    variable = f"; or `{option.envvar}` in the environment" if option.envvar else ""
    return f"{names}{', ' if names else ''}{last} | {option.help}{variable}"


def value_name(option: click.Option) -> str:
    """What stands for an option's value."""
    match option.type:
        case click.Choice(choices=choices):
            return "|".join(map(str, choices))
        case click.Path():
            return "FILE"
        case click.IntRange():
            return "N"
        case _:
            return option.opts[-1].rpartition("-")[2].upper()


# The other tables


def provider_table() -> str:
    """The built-in providers."""

    def rows() -> Iterator[str]:
        for name, entry in providers().items():
            key = " or ".join(f"`{variable}`" for variable in entry.key_env)
            yield (
                f"`{name}` | {entry.title} | {APIS[entry.api]} | `{entry.base_url}` "
                f"| {key if entry.needs_key else 'none needed'} "
                f"| {f'`{entry.model}`' if entry.model else 'the first it lists'}"
            )

    return table("name | provider | API | address | key | default model", rows())


def formats() -> str:
    """The built-in formats, in a sentence each."""

    def rows() -> Iterator[str]:
        for file in sorted((ROOT / "domain" / "formats").glob("*.toml")):
            format_ = parse_format(file.read_text("utf-8"), file.name)
            least, most = format_.min_debaters, format_.max_debaters
            count = f"{least}" if least == most else f"{least} to {most}"
            note = " (default)" if format_.name == DEFAULT_FORMAT else ""
            yield f"`{format_.name}`{note} | {count} | {summarise_format(format_)}"

    return table("format | debaters | description", rows())


def http_interface() -> str:
    """Methods and paths of the HTTP interface, from its OpenAPI description."""
    described = json.loads((ROOT / "server" / "static" / "openapi.json").read_text("utf-8"))
    return table(
        "request | purpose",
        (
            f"`{method.upper()} {path}` | {operation['summary']}"
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
            if method != "parameters"
        ),
    )


def event_fields() -> str:
    """The events of a debate with their fields."""

    def rows() -> Iterator[str]:
        for event in get_args(events.Event):
            tag = event.__struct_config__.tag
            names = (name for name in event.__struct_fields__ if name not in ("seq", "at"))
            yield f"`{tag}` | {', '.join(f'`{name}`' for name in names)}"

    return table("type | fields", rows())


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("configuration", settings),
    "options": ("configuration", options),
    "providers": ("providers", provider_table),
    "formats": ("formats", formats),
    "quirks": ("recovery", quirk_table.quirk_tables),
    "requests": ("hosting", http_interface),
    "events": ("scripting", event_fields),
}
"""The page and the maker of each table, by the name of its markers."""


def marked(name: str) -> re.Pattern[str]:
    """What matches the text between a table's markers."""
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)


if __name__ == "__main__":
    for name, (page, make) in TABLES.items():
        file = FOLDER / f"{page}.md"
        text = file.read_text("utf-8")
        assert marked(name).search(text), f"{file} has no <!-- {name} -->"
        file.write_text(marked(name).sub(lambda _, make=make: make(), text), "utf-8")
    print(f"Wrote {len(TABLES)} tables into {debate_tui.__name__}/manual.")
