"""``debate-tui formats``: the formats in a line each, or one explained."""

from __future__ import annotations

from debate_tui import config
from debate_tui.domain.formats import DEFAULT, explain


def show_formats(name: str | None) -> None:
    """Print all formats, or the one called `name`; raises `UsageError` for an unknown name."""
    if name is not None:
        print(explain(config.find_format(name)))
        return
    names = config.format_names()
    width = max(map(len, names))
    for each in names:
        format_ = config.find_format(each)
        note = " (default)" if each == DEFAULT else ""
        print(f"{each:<{width}}  {format_.title}{note}")
    print("\ndebate-tui formats NAME explains one.")
