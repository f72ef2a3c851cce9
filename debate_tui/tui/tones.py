"""The tones the screen speaks in; a theme says which colours they are."""

from __future__ import annotations

import enum

from textual.color import Color


class Tone(enum.StrEnum):
    """What a colour means; the value is the theme variable that holds it."""

    TEXT = "foreground"
    QUIET = "quiet"
    FAINT = "faint"
    FOCUS = "focus"
    WAITING = "badge-waiting"
    CONNECTED = "badge-connected"
    STREAMING = "badge-streaming"
    PAUSED = "badge-paused"
    RECONNECTING = "badge-reconnecting"
    FAILED = "badge-failed"
    FINISHED = "badge-finished"


def resolve_colour(variables: dict[str, str], tone: Tone | str) -> Color:
    """The colour of a tone in the theme whose variables these are; any other text names a colour itself."""
    return Color.parse(variables[tone] if isinstance(tone, Tone) else tone)
