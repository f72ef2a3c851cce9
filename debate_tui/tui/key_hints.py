"""Key hints for the footer: only keys that do something now, the most useful ones first."""

from __future__ import annotations

from debate_tui.display.display_modes import DisplayMode
from debate_tui.tui.widgets.footer import KeyHint

INTERJECTION_HINTS = (
    KeyHint("enter", "say it", "send_interjection"),
    KeyHint("tab", "to whom", "next_recipient"),
    KeyHint("esc", "leave it", "back"),
)
"""Hints while the moderator types an interjection."""

SEARCH_INPUT_HINTS = (
    KeyHint("enter", "next", "next_match(1)"),
    KeyHint("esc", "end the search", "back"),
)
"""Hints while the user types a search."""

SEARCH_MATCH_HINTS = (
    KeyHint("n", "next", "next_match(1)", 1),
    KeyHint("N", "previous", "next_match(-1)", 1),
    KeyHint("/", "other words", "search", 2),
    KeyHint("esc", "end the search", "back", 1),
    KeyHint("tab", "next pane", "focus_pane(1)", 3),
    KeyHint("y", "copy", "copy_turn", 4),
    KeyHint("?", "help", "help", 0),
    KeyHint("q", "quit", "app.quit", 0),
)
"""Hints while the user moves between matches."""

QUESTION_HINTS = (
    KeyHint("enter", "do it", "submit_answer"),
    KeyHint("esc", "leave it", "back"),
)
"""Hints while the moderator answers a question."""


def debate_hints(
    *,
    paused: bool,
    pane_paused: bool,
    zoomed: bool,
    has_reasoning: bool,
    finished: bool,
    accepts_commands: bool,
    can_pause: bool,
    failed: bool,
    verdict_label: str = "",
    judging: bool = False,
) -> tuple[KeyHint, ...]:
    """Return the hints for a debate in this state.

    `accepts_commands` says whether the debate takes commands, `can_pause` whether it can be paused.
    `verdict_label` is the label of ``v``; it is empty if there is nothing to show.
    """
    moderated = accepts_commands and not finished
    commanding = moderated and not judging
    can_pause = can_pause and not finished and not judging
    chosen = [
        (can_pause, KeyHint("space", "resume" if paused else "pause", "pause_all", 1)),
        (not finished, KeyHint("m", "mode", "next_mode", 2)),
        (True, KeyHint("tab", "next pane", "focus_pane(1)", 3)),
        (True, KeyHint("z", "unzoom" if zoomed else "zoom", "zoom", 4)),
        (commanding and failed, KeyHint("r", "retry", "retry_turn", 1)),
        (commanding, KeyHint("i", "interject", "interject", 5)),
        (bool(verdict_label), KeyHint("v", verdict_label, "verdict", 1)),
        (moderated, KeyHint("M", "moderate", "moderate", 6)),
        (can_pause, KeyHint("p", "resume pane" if pane_paused else "pause pane", "pause_pane", 7)),
        (commanding, KeyHint("x", "stop turn", "stop_turn", 8)),
        (has_reasoning, KeyHint("t", "thinking", "toggle_reasoning", 6)),
        (True, KeyHint("/", "search", "search", 8)),
        (True, KeyHint("y", "copy", "copy_turn", 9)),
        (True, KeyHint("e", "export", "export", 9)),
        (True, KeyHint("s", "statistics", "statistics", 10)),
        (True, KeyHint("T", "theme", "app.themes", 11)),
        (True, KeyHint("?", "help", "help", 0)),
        (True, KeyHint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)


def replay_hints(
    *, paused: bool, finished: bool, zoomed: bool, has_reasoning: bool, verdict_label: str = ""
) -> tuple[KeyHint, ...]:
    """Return the hints for a replay in this state."""
    chosen = [
        (
            True,
            KeyHint("space", "again" if finished else "play" if paused else "pause", "toggle_playback", 1),
        ),
        (True, KeyHint("[", "back", "previous_turn", 2)),
        (True, KeyHint("]", "next turn", "next_turn", 2)),
        (bool(verdict_label), KeyHint("v", verdict_label, "verdict", 2)),
        (True, KeyHint(",", "slower", "slower", 4)),
        (True, KeyHint(".", "faster", "faster", 4)),
        (True, KeyHint("m", "mode", "next_mode", 6)),
        (True, KeyHint("tab", "next pane", "focus_pane(1)", 3)),
        (True, KeyHint("z", "unzoom" if zoomed else "zoom", "zoom", 5)),
        (has_reasoning, KeyHint("t", "thinking", "toggle_reasoning", 7)),
        (True, KeyHint("/", "search", "search", 7)),
        (True, KeyHint("y", "copy", "copy_turn", 8)),
        (True, KeyHint("e", "export", "export", 8)),
        (True, KeyHint("s", "statistics", "statistics", 9)),
        (True, KeyHint("T", "theme", "app.themes", 11)),
        (True, KeyHint("?", "help", "help", 0)),
        (True, KeyHint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)


# Descriptions of the display modes.


MODE_SUMMARIES = {
    DisplayMode.SYNCHRONIZED: "all panes together",
    DisplayMode.STAGGERED: "each as it comes",
    DisplayMode.HYBRID: "together, or as it comes",
}
MODE_DESCRIPTIONS = {
    DisplayMode.SYNCHRONIZED: "all panes move together, ten times a second",
    DisplayMode.STAGGERED: "each pane moves as its words arrive",
    DisplayMode.HYBRID: "together while several speak, at once while one does",
}
