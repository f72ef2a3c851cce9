"""``debate-tui config``: print the settings and their origins, create the settings file, or edit it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, inspect

from debate_tui import config
from debate_tui.cli.plan import load_settings
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.sanitise import mask_secrets, one_line, redact
from debate_tui.domain.stream import RecoveryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NOT_SET = "not set"

HIDDEN = "(not shown)"

TABLES = ("debater", "judge", "price", "provider")
"""Settings with tables of their own; only what is set in them is printed."""

MAX_VALUE_CHARACTERS = 60


# Settings and where they come from


class SettingDescription(Struct, frozen=True):
    """What a setting is, as the manual and the settings file explain it."""

    name: str
    about: str
    unit: str
    default: Any


def describe_settings(table: type[Struct]) -> Iterator[SettingDescription]:
    """Yield a description of each field of a settings table."""
    info = inspect.type_info(table)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        extra: dict[str, Any] = {}
        type_, about = field.type, ""
        while isinstance(type_, inspect.Metadata):
            extra = {**(type_.extra or {}), **extra}
            about = about or (type_.extra_json_schema or {}).get("description", "")
            type_ = type_.type
        yield SettingDescription(field.name, about, extra.get("unit", ""), field.default)


def print_settings(options: Mapping[str, object], debate_file: Path | None) -> None:
    """Print all settings with their values and origins, then the files and folders of the program.

    Headers and key commands are never printed. Raise the same errors as `config.load_settings`.
    """
    layers = config.load_layers(options, debate_file=debate_file)
    rows = [("SETTING", "VALUE", "FROM"), *_setting_rows(config.combine_layers(layers), layers)]
    _print_columns(rows)
    print()
    _print_columns(_location_rows())


def _setting_rows(
    settings: config.Settings, layers: Sequence[config.SettingsLayer]
) -> Iterator[tuple[str, str, str]]:
    for setting in describe_settings(config.Settings):
        value = getattr(settings, setting.name)
        layer = next((layer for layer in reversed(layers) if setting.name in layer.values), None)
        origin = _shorten(layer.origin(setting.name)) if layer else "default"
        if setting.name == "recovery":
            given = layer.table["recovery"] if layer else {}
            for each in describe_settings(type(value)):
                text = _format_value(getattr(value, each.name), each.unit)
                yield f"recovery.{each.name}", text, origin if each.name in given else "default"
        elif setting.name in TABLES and value:
            for name, text in _table_rows(setting.name, value):
                yield name, text, origin
        else:
            yield setting.name, _format_value(value, setting.unit), origin


def _table_rows(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield what is set in a table, in a list of tables, or in tables by name; secrets are not shown."""
    if isinstance(value, Struct):
        unset = {field.name: _default_of(field) for field in msgspec.structs.fields(value)}
        for field, default in unset.items():
            if (part := getattr(value, field)) != default:
                yield f"{name}.{field}", _format_field(field, part)
    elif isinstance(value, dict):
        for key, part in value.items():
            is_bare = key.replace("-", "").replace("_", "").isalnum()
            quoted = key if is_bare else f'"{one_line(key)}"'
            yield from _table_rows(f"{name}.{quoted}", part)
    elif isinstance(value, tuple):
        for number, part in enumerate(value, 1):
            yield from _table_rows(f"{name}.{number}", part)
    else:
        yield name, _format_value(value)


def _default_of(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _format_field(field: str, value: object) -> str:
    if field == "headers" and isinstance(value, dict):
        return f"{', '.join(value)} {HIDDEN}"
    if field == "key_command":
        return HIDDEN
    return _format_value(mask_secrets(value) if isinstance(value, dict) else value)


def _format_value(value: object, unit: str = "") -> str:
    if value in (None, "", (), {}):
        return NOT_SET
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, float):
        text = f"{value:g}"
    elif isinstance(value, tuple):
        text = ", ".join(map(str, value))
    elif isinstance(value, dict):
        text = msgspec.json.encode(value).decode()
    else:
        text = str(value)
    return f"{one_line(redact(text), MAX_VALUE_CHARACTERS)} {unit}".rstrip()


def _shorten(origin: str) -> str:
    """Return a file below the home folder with ``~``, and anything else unchanged."""
    home = str(Path.home())
    return f"~{origin.removeprefix(home)}" if origin.startswith(f"{home}{os.sep}") else origin


def _location_rows() -> Iterator[tuple[str, str]]:
    file = config.user_file()
    missing = "" if file.exists() else "  (create it with 'debate-tui config init')"
    yield "Settings file", _shorten(str(file)) + missing
    yield "Your formats", _shorten(str(config.config_folder() / "formats"))
    yield "Your themes", _shorten(str(config.config_folder() / "themes"))
    yield "Debates", _shorten(str(config.record_file()))
    yield "Last choices", _shorten(str(config.state_file()))


def _print_columns(rows: Iterable[Sequence[str]]) -> None:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


# The settings file

EXAMPLES = {"rounds": "2", "max_cost": "0.50", "max_tokens": "100_000"}
"""Values to show for settings that are not set by default."""

_HEADER = """\
# Settings of debate-tui.
#
# All lines are comments with the defaults. Remove the '# ' in front of a setting and change its value.
# 'debate-tui config' prints all settings and where they come from; 'debate-tui help configuration' explains
# them. Options on the command line and DEBATE_TUI_* variables come before this file.
"""

_TABLES_TEXT = """

# Debaters, two to four: who argues if no -d is given.
#
# [[debater]]
# source = "openai:gpt-5.6-terra"
# name = "Ada"
# side = "for"
# persona = "a cautious economist"
#
# [[debater]]
# source = "anthropic:claude-sonnet-5-5"
# effort = "low"

# Prices of a model in US$ per million tokens, instead of the listed ones.
#
# [price."gpt-5.6-terra"]
# input = 1.25
# output = 10.0

# Providers of your own.
#
# [provider.work]
# base_url = "https://llm.example.com/v1"
# key_env = "WORK_LLM_KEY"
# model = "house-model"
"""


def settings_template() -> str:
    """Return a settings file in which everything is a comment, so that it changes nothing."""
    lines = [_HEADER]
    for setting in describe_settings(config.Settings):
        if setting.name not in ("topic", "recovery", "debater", "price", "provider"):
            lines += _template_lines(setting)
    lines += ["# How streams recover from faults.", "[recovery]", ""]
    for setting in describe_settings(RecoveryPolicy):
        lines += _template_lines(setting)
    return "\n".join(lines).rstrip("\n") + _TABLES_TEXT


def _template_lines(setting: SettingDescription) -> Iterator[str]:
    about = setting.about[:1].upper() + setting.about[1:]
    unit = f" ({setting.unit})" if setting.unit else ""
    unset = "; not set by default" if setting.name in EXAMPLES else ""
    yield from textwrap.wrap(
        f"{about}{unit}{unset}", 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    # JSON writes texts, numbers, booleans and lists in the same way as TOML.
    default = msgspec.json.encode(setting.default).decode()
    yield f"# {setting.name} = {EXAMPLES.get(setting.name, default)}"
    yield ""


def create_user_file() -> Path:
    """Write the user's settings file with all defaults as comments, and return its path.

    Raise `UsageError` if it exists, `DebateError` if it cannot be written.
    """
    file = config.user_file()
    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} already exists.", "Edit it with: debate-tui config edit")
    try:
        config.write_private_file(file, settings_template().encode())
    except OSError as error:
        raise DebateError(f"Cannot write {file}: {error.strerror}.") from None
    return file


def edit_user_file() -> None:
    """Open the user's settings file in the user's editor, and check it afterwards.

    A missing file is created first. Raise `ConfigError` if the file is not valid any more.
    """
    file = config.user_file()
    usual = next((name for name in ("nano", "vi") if shutil.which(name)), "")
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or usual)
    if not command:
        raise UsageError(
            "No editor is set: VISUAL and EDITOR are empty.", f"Set one of them, or open {file} yourself."
        )
    if not file.exists():
        create_user_file()
    sys.stdout.flush()
    try:
        code = subprocess.run([*command, str(file)], check=False).returncode  # noqa: S603 (the user's editor)
    except OSError as error:
        raise DebateError(
            f"Cannot run the editor '{command[0]}': {error.strerror}.",
            "Set VISUAL or EDITOR to the command of an editor.",
        ) from None
    if code:
        raise DebateError(f"The editor '{command[0]}' failed with exit code {code}.", f"The file is {file}.")
    load_settings({})
