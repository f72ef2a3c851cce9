"""Options for the screen, set before it opens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.debate import Format
from debate_tui.domain.events import DebaterInfo
from debate_tui.session.commands import SourceSwap
from debate_tui.tui.symbols import ASCII, UNICODE, Glyphs

DEFAULT_WINDOW_MS = 100

NextDebate = Literal["replay", "again"]
Notification = Literal["off", "bell", "desktop"]


class EndingOptions(Struct, frozen=True):
    """What can be done with a finished debate.

    `judge` lets the judge typed as for ``--judge`` read it; both `judge` and `check_judge` raise
    `DebateError` if the judge is not available. `default_judge` is proposed. `leave_for` closes the screen,
    and then replays the debate or starts it again, with sides swapped.
    """

    judge: Callable[[str], Awaitable[None]]
    check_judge: Callable[[str], object]
    default_judge: str
    leave_for: Callable[[NextDebate], None]


class ScreenOptions(Struct, frozen=True, kw_only=True):
    """How a debate is displayed.

    `topic`, `debaters` and `format` are what is known before the debate's first event, so that the first
    frame is complete; any that are missing are taken from the log. `window_ms` is the interval between
    flushes in synchronized mode. `judges` are the names of the judges, if they are known. `step` says whether
    the debate waits between rounds, `notify` how to signal that it has ended or needs the user.
    `asks_for_votes` says whether a viewer with commands is asked to vote. `ending` is what can be done with
    the debate when it is over. `read_setup` returns the setup as stored with the debate; it is `None` if it
    is not known here. `swap_source` is `None` if debaters cannot switch to another source. `notice` stays
    above the footer, and `sharing_notice`, which says where others can watch, above that. `user_themes` is
    the folder with the user's own themes, `clipboard_file` the file that holds the latest copy. `on_mode` and
    `on_theme` are called with the display mode and the theme the user chooses, so that they can be saved.
    """

    mode: DisplayMode = DisplayMode.HYBRID
    window_ms: int = DEFAULT_WINDOW_MS
    theme: str = ""
    ascii: bool = False
    topic: str = ""
    debaters: tuple[DebaterInfo, ...] = ()
    format: Format | None = None
    judges: tuple[str, ...] = ()
    notice: str = ""
    sharing_notice: str = ""
    step: bool = False
    notify: Notification = "off"
    asks_for_votes: bool = False
    read_setup: Callable[[], str] | None = None
    ending: EndingOptions | None = None
    swap_source: SourceSwap | None = None
    user_themes: Path | None = None
    clipboard_file: Path | None = None
    on_mode: Callable[[DisplayMode], None] | None = None
    on_theme: Callable[[str], None] | None = None

    @property
    def glyphs(self) -> Glyphs:
        """The symbols to draw with."""
        return ASCII if self.ascii else UNICODE
