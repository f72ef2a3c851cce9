"""Which keys the footer offers: those that do something now, in the order people need them."""

from __future__ import annotations

from debate_tui.tui.widgets.footer import Hint

INTERJECTING = (
    Hint("enter", "say it", "say"),
    Hint("tab", "to whom", "next_recipient"),
    Hint("esc", "leave it", "back"),
)
"""What the footer offers while the moderator speaks."""

SEARCHING = (
    Hint("enter", "next", "step(1)"),
    Hint("esc", "end the search", "back"),
)
"""What the footer offers while it is typed what to search for."""

FOUND = (
    Hint("n", "next", "step(1)", 1),
    Hint("N", "previous", "step(-1)", 1),
    Hint("/", "other words", "search", 2),
    Hint("esc", "end the search", "back", 1),
    Hint("tab", "next pane", "focus_pane(1)", 3),
    Hint("y", "copy", "copy_turn", 4),
    Hint("?", "help", "help", 0),
    Hint("q", "quit", "app.quit", 0),
)
"""What it offers while matches are read."""

ANSWERING = (
    Hint("enter", "do it", "answer"),
    Hint("esc", "leave it", "back"),
)
"""What the footer offers while the moderator answers a question."""


def hints(
    *,
    paused: bool,
    pane_paused: bool,
    zoomed: bool,
    reasoning: bool,
    finished: bool,
    commands: bool,
    pausing: bool,
    failed: bool,
    verdict: str = "",
    judging: bool = False,
) -> tuple[Hint, ...]:
    """The hints for a debate in this state.

    `commands`: whether it takes any, `pausing`: whether it can be paused, `verdict`: what ``v`` does.
    """
    moderated = commands and not finished
    commanding = moderated and not judging
    pausing = pausing and not finished and not judging
    chosen = [
        (pausing, Hint("space", "resume" if paused else "pause", "pause_all", 1)),
        (not finished, Hint("m", "mode", "next_mode", 2)),
        (True, Hint("tab", "next pane", "focus_pane(1)", 3)),
        (True, Hint("z", "unzoom" if zoomed else "zoom", "zoom", 4)),
        (commanding and failed, Hint("r", "retry", "retry_turn", 1)),
        (commanding, Hint("i", "interject", "interject", 5)),
        (bool(verdict), Hint("v", verdict, "verdict", 1)),
        (moderated, Hint("M", "moderate", "moderate", 6)),
        (pausing, Hint("p", "resume pane" if pane_paused else "pause pane", "pause_one", 7)),
        (commanding, Hint("x", "stop turn", "stop_turn", 8)),
        (reasoning, Hint("t", "thinking", "reasoning", 6)),
        (True, Hint("/", "search", "search", 8)),
        (True, Hint("y", "copy", "copy_turn", 9)),
        (True, Hint("e", "export", "export", 9)),
        (True, Hint("s", "statistics", "statistics", 10)),
        (True, Hint("T", "theme", "app.themes", 11)),
        (True, Hint("?", "help", "help", 0)),
        (True, Hint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)


def replay_hints(
    *, paused: bool, over: bool, zoomed: bool, reasoning: bool, verdict: str = ""
) -> tuple[Hint, ...]:
    """The hints for a replay in this state."""
    chosen = [
        (True, Hint("space", "again" if over else "play" if paused else "pause", "play", 1)),
        (True, Hint("[", "back", "previous_turn", 2)),
        (True, Hint("]", "next turn", "next_turn", 2)),
        (bool(verdict), Hint("v", verdict, "verdict", 2)),
        (True, Hint(",", "slower", "slower", 4)),
        (True, Hint(".", "faster", "faster", 4)),
        (True, Hint("m", "mode", "next_mode", 6)),
        (True, Hint("tab", "next pane", "focus_pane(1)", 3)),
        (True, Hint("z", "unzoom" if zoomed else "zoom", "zoom", 5)),
        (reasoning, Hint("t", "thinking", "reasoning", 7)),
        (True, Hint("/", "search", "search", 7)),
        (True, Hint("y", "copy", "copy_turn", 8)),
        (True, Hint("e", "export", "export", 8)),
        (True, Hint("s", "statistics", "statistics", 9)),
        (True, Hint("T", "theme", "app.themes", 11)),
        (True, Hint("?", "help", "help", 0)),
        (True, Hint("q", "quit", "app.quit", 0)),
    ]
    return tuple(hint for offered, hint in chosen if offered)
