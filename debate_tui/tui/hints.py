"""Which keys the footer offers: those that do something now, in the order people need them."""

from __future__ import annotations

from debate_tui.tui.widgets.footer import Hint

INTERJECTING = (
    Hint("enter", "say it", "say"),
    Hint("tab", "to whom", "next_recipient"),
    Hint("esc", "leave it", "back"),
)
"""What the footer offers while the moderator speaks."""


def hints(
    *,
    paused: bool,
    pane_paused: bool,
    zoomed: bool,
    reasoning: bool,
    finished: bool,
    commands: bool,
    failed: bool,
) -> tuple[Hint, ...]:
    """The hints for a debate in this state; `commands` says whether it takes any."""
    commanding = commands and not finished
    chosen = [
        (commanding, Hint("space", "resume" if paused else "pause", "pause_all", 1)),
        (not finished, Hint("m", "mode", "next_mode", 2)),
        (True, Hint("tab", "next pane", "focus_pane(1)", 3)),
        (True, Hint("z", "unzoom" if zoomed else "zoom", "zoom", 4)),
        (commanding and failed, Hint("r", "retry", "retry_turn", 1)),
        (commanding, Hint("i", "interject", "interject", 5)),
        (commanding, Hint("p", "resume pane" if pane_paused else "pause pane", "pause_one", 7)),
        (commanding, Hint("x", "stop turn", "stop_turn", 8)),
        (reasoning, Hint("t", "thinking", "reasoning", 6)),
        (True, Hint("y", "copy", "copy_turn", 9)),
        (True, Hint("s", "statistics", "statistics", 10)),
        (True, Hint("?", "help", "help", 0)),
        (True, Hint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)


def replay_hints(*, paused: bool, over: bool, zoomed: bool, reasoning: bool) -> tuple[Hint, ...]:
    """The hints for a replay in this state."""
    chosen = [
        (True, Hint("space", "again" if over else "play" if paused else "pause", "play", 1)),
        (True, Hint("[", "back", "previous_turn", 2)),
        (True, Hint("]", "next turn", "next_turn", 2)),
        (True, Hint(",", "slower", "slower", 4)),
        (True, Hint(".", "faster", "faster", 4)),
        (True, Hint("m", "mode", "next_mode", 6)),
        (True, Hint("tab", "next pane", "focus_pane(1)", 3)),
        (True, Hint("z", "unzoom" if zoomed else "zoom", "zoom", 5)),
        (reasoning, Hint("t", "thinking", "reasoning", 7)),
        (True, Hint("y", "copy", "copy_turn", 8)),
        (True, Hint("s", "statistics", "statistics", 9)),
        (True, Hint("?", "help", "help", 0)),
        (True, Hint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)
