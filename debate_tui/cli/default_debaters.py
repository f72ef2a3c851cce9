"""Who debates when no one is named: configured debaters, those used last, available models, or the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli.format_files import find_format
from debate_tui.domain.debate import fill_debaters
from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.formats import DEFAULT_FORMAT
from debate_tui.sources import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.cli.plan import RunOptions
    from debate_tui.domain.debate import Format

DEMO_SOURCES = ("demo", "demo")


def default_debaters(
    settings: config.Settings, sources: Sequence[str] | None = None
) -> tuple[config.DebaterSettings, ...]:
    """Return the configured debaters, or else as many as the format takes, with `sources` in turn.

    Without `sources`, see `unwatched_sources`. Raise the same errors as `make_plan` if the format is unknown
    or invalid.
    """
    if settings.debater:
        return settings.debater
    if sources is None:
        sources = unwatched_sources()
    format_ = _default_format(settings)
    return tuple(
        config.DebaterSettings(source=source)
        for source in fill_debaters(sources, format_)[: format_.max_debaters]
    )


def default_count(settings: config.Settings) -> int:
    """Return the number of debaters in an automatic line-up: two, or the format's minimum if higher."""
    from debate_tui.sources.discovery import DEFAULT_COUNT

    return max(DEFAULT_COUNT, _default_format(settings).min_debaters)


def unwatched_sources() -> tuple[str, ...]:
    """Return the line-up for runs without a screen when no debater is named: the demo.

    Raise `UsageError` if an API key is set: the user probably wants a model, but must ask for it, because
    models cost money.
    """
    from debate_tui.sources.discovery import any_key

    if variable := any_key():
        raise UsageError(
            f"No debaters are named, and {variable} is set.",
            "Name the debaters with -d, such as -d openai -d anthropic; -d demo is the scripted demo.",
        )
    return DEMO_SOURCES


def _default_format(settings: config.Settings) -> Format:
    return find_format(settings.format or DEFAULT_FORMAT)


def remembered_sources() -> tuple[str, ...]:
    """Return the debaters used last if all are still available; may query the system keyring."""
    sources = config.load_remembered().debaters or ()
    try:
        for source in sources:
            registry.check_availability(registry.parse_source(source))
    except DebateError:
        return ()
    return sources


def default_sources(
    settings: config.Settings, options: RunOptions, *, on_screen: bool
) -> tuple[str, ...] | None:
    """Return the sources for a debate whose debaters are not named: available models, else the demo.

    Without a screen, return `None`: no model is used unless the user asked for it; see `default_debaters`.
    """
    if options.chaos:
        return DEMO_SOURCES
    if settings.debater or not on_screen:
        return None
    from debate_tui.sources.discovery import discover_sources

    return remembered_sources() or discover_sources(count=default_count(settings)) or DEMO_SOURCES
