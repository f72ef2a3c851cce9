"""What every full screen is told of the settings, and what it remembers for the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.display.frame_clock import DisplayMode
from debate_tui.tui.screen_options import ScreenOptions

if TYPE_CHECKING:
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import DebaterInfo
    from debate_tui.tui.commands import SourceSwap


def make_screen_options(
    settings: config.Settings,
    *,
    topic: str = "",
    debaters: tuple[DebaterInfo, ...] = (),
    format_: Format | None = None,
    notice: str = "",
    sharing_notice: str = "",
    asks_for_votes: bool = False,
    swap_source: SourceSwap | None = None,
) -> ScreenOptions:
    """The options of a screen; what is said of a debate is what is known before its first event."""
    return ScreenOptions(
        mode=DisplayMode(settings.mode),
        window_ms=settings.window,
        theme=settings.theme,
        ascii=settings.ascii,
        topic=topic,
        debaters=debaters,
        format=format_,
        notice=notice,
        sharing_notice=sharing_notice,
        asks_for_votes=asks_for_votes,
        swap_source=swap_source,
        user_themes=config.config_folder() / "themes",
        clipboard_file=config.state_file().with_name("copied.txt"),
    )


def remember_mode(mode: DisplayMode) -> None:
    """Begin the next run in this mode."""
    config.save_remembered(mode=mode.value)


def remember_theme(theme: str) -> None:
    """Begin the next run in this theme."""
    config.save_remembered(theme=theme)
