"""The debate formats: built-in ones, and the user's own in ``formats/`` beside the settings file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.domain import formats
from debate_tui.domain.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from debate_tui.domain.debate import Format


def find_format(name: str) -> Format:
    """Return a format by name: the user's own ``formats/NAME.toml``, or else a built-in one.

    Raise `ConfigError` for an invalid file, `UsageError` for an unknown name.
    """
    for folder in _format_folders():
        file = folder / f"{name}.toml"
        if name == Path(name).name and file.is_file():
            return formats.parse_format(config.read_text(file), str(file))
    known = format_names()
    close = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"No format is named '{name}'.",
        f"Did you mean '{close[0]}'?" if close else f"The formats are: {', '.join(known)}.",
    )


def format_names() -> list[str]:
    """Return the names of all formats, built-in and the user's own, in alphabetical order."""
    return sorted({file.stem for folder in _format_folders() for file in folder.glob("*.toml")})


def load_formats() -> tuple[dict[str, Format], list[ConfigError]]:
    """Return all valid formats by name, and the errors of the invalid files."""
    valid: dict[str, Format] = {}
    errors: list[ConfigError] = []
    for name in format_names():
        try:
            valid[name] = find_format(name)
        except ConfigError as error:
            errors.append(error)
    return valid, errors


def _format_folders() -> tuple[Path, Path]:
    return config.config_folder() / "formats", Path(formats.__file__).parent
