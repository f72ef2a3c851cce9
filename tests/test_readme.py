"""The README says what the code does: every setting with its type, unit and default, every option and key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import inspect

from debate_tui.cli.options import COMMAND_NAMES, debate
from debate_tui.cli.subcommands import COMMANDS
from debate_tui.config import DebaterSettings, JudgeSettings, ModelPrice, ProviderSettings, Settings
from debate_tui.domain.debate import ModelParameters
from debate_tui.domain.stream import RecoveryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")


def rows(table: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """The README's line for each field of a settings table."""
    info = inspect.type_info(table)
    assert isinstance(info, inspect.StructType)
    # A debater's own fields first, then those of its model.
    inherited = ModelParameters.__struct_fields__ if issubclass(table, ModelParameters) else ()
    for field in sorted(info.fields, key=lambda field: field.name in inherited):
        type_, extra, described = field.type, {}, ""
        while isinstance(type_, inspect.Metadata):
            extra = {**(type_.extra or {}), **extra}
            described = described or (type_.extra_json_schema or {}).get("description", "")
            type_ = type_.type
        if isinstance(type_, inspect.StructType) or field.name in ("debater", "price", "provider"):
            continue
        unit = f", {extra['unit']}" if "unit" in extra else ""
        yield f"| `{prefix}{field.name}` | {kind(type_)}{unit} | {default(field)} | {described} |"


def kind(type_: inspect.Type) -> str:
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
            return f"list of {kind(item)}"
        case inspect.DictType() | inspect.StructType():
            return "table"
        case inspect.UnionType(types=types):
            return " or ".join(kind(each) for each in types if not isinstance(each, inspect.NoneType))
        case _:
            return "text"


def default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if value in ("", None, ()) or value is msgspec.NODEFAULT:
        return "–"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def table() -> str:
    lines = ["| key | type | default | what it is |", "|---|---|---|---|"]
    for struct, prefix in (
        (Settings, ""),
        (RecoveryPolicy, "recovery."),
        (ModelPrice, "price.MODEL."),
        (ProviderSettings, "provider.NAME."),
        (DebaterSettings, "debater."),
        (JudgeSettings, "judge."),
    ):
        lines += rows(struct, prefix)
    return "\n".join(lines)


def test_every_setting_is_explained() -> None:
    assert table() in README


def options() -> str:
    lines = ["| option | does |", "|---|---|"]
    for option in debate.params:
        if isinstance(option, click.Option):
            names = ", ".join(f"`{name}`" for name in option.opts)
            lines.append(f"| {names} | {option.help} |")
    return "\n".join(lines)


def test_every_option_is_explained() -> None:
    assert options() in README


def test_every_command_is_told_from_a_topic() -> None:
    assert sorted(COMMANDS) == list(COMMAND_NAMES)
    help_ = click.Context(debate).get_help()
    assert all(f"debate-tui {name}" in help_ for name in COMMAND_NAMES)


if __name__ == "__main__":
    print(table(), options(), sep="\n\n")
