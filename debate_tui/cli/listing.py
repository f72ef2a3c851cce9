"""``debate-tui formats``: the formats in a sentence each, or one explained."""

from __future__ import annotations

import textwrap

from debate_tui import config
from debate_tui.domain.errors import ConfigError
from debate_tui.domain.formats import DEFAULT_FORMAT, describe_format, summarise_format

LINE_WIDTH = 80


def print_formats(name: str | None) -> None:
    """Print all formats, or the one called `name`; raises `UsageError` for an unknown name.

    Raises `ConfigError` for the first file that is wrong, once those that are right are printed.
    """
    if name is not None:
        print(describe_format(config.find_format(name)))
        return
    errors: list[ConfigError] = []
    names = config.format_names()
    indent = " " * (max(map(len, names)) + 2)
    for each in names:
        try:
            format_ = config.find_format(each)
        except ConfigError as error:
            errors.append(error)
            continue
        note = " (default)" if each == DEFAULT_FORMAT else ""
        text = f"{each:<{len(indent)}}{summarise_format(format_)}{note}"
        print(textwrap.fill(text, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False))
    print("\ndebate-tui formats NAME explains one.")
    if errors:
        raise errors[0]
