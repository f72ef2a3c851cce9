"""What the screen is told before it opens."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from debate_tui.display.modes import Mode
from debate_tui.domain.debate import Format
from debate_tui.domain.events import DebaterInfo

DEFAULT_WINDOW_MS = 100


class ScreenOptions(Struct, frozen=True, kw_only=True):
    """How a debate is shown.

    `topic`, `debaters` and `format` are what is known before the debate's first event, so that the first
    frame is complete; whatever is left out is taken from the log. `window_ms` is the synchronized mode's
    window. `notice` stays above the footer. `user_themes` is the folder with the user's own themes.
    """

    mode: Mode = Mode.HYBRID
    window_ms: int = DEFAULT_WINDOW_MS
    theme: str = ""
    ascii: bool = False
    topic: str = ""
    debaters: tuple[DebaterInfo, ...] = ()
    format: Format | None = None
    notice: str = ""
    user_themes: Path | None = None
