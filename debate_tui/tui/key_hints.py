"""Key hints for the footer: only keys that do something now, the most useful ones first."""

from __future__ import annotations

from msgspec import Struct

from debate_tui.display.display_modes import DisplayMode
from debate_tui.tui.widgets.footer import KeyHint

INTERJECTION_HINTS = (
    KeyHint("enter", "send", "moderation.send_interjection"),
    KeyHint("tab", "recipient", "moderation.next_recipient"),
    KeyHint("esc", "cancel", "back"),
)
"""Hints while the moderator types an interjection."""

ANSWER_HINTS = (
    KeyHint("enter", "confirm", "moderation.submit_answer"),
    KeyHint("esc", "cancel", "back"),
)
"""Hints while the moderator answers a question."""

EDITOR_HINTS = (
    KeyHint("ctrl+s", "send", "editor.send"),
    KeyHint("esc", "keys", "back"),
    KeyHint("tab", "next pane", "panes.select_next(1)", 1),
    KeyHint("ctrl+z", "undo", "editor.undo", 2),
)
"""Hints while the user writes a turn."""

SEARCH_INPUT_HINTS = (
    KeyHint("enter", "next match", "search.next(1)"),
    KeyHint("esc", "close the search", "back"),
)
"""Hints while the user types a search."""

SEARCH_MATCH_HINTS = (
    KeyHint("n", "next", "search.next(1)", 1),
    KeyHint("N", "previous", "search.next(-1)", 1),
    KeyHint("/", "edit", "search.open", 2),
    KeyHint("esc", "close the search", "back", 1),
    KeyHint("tab", "next pane", "panes.select_next(1)", 3),
    KeyHint("y", "copy", "exports.copy_turn", 4),
    KeyHint("?", "help", "app.help", 0),
    KeyHint("q", "quit", "app.quit", 0),
)
"""Hints while the user moves between matches."""


def material_hints(*, several: bool) -> tuple[KeyHint, ...]:
    """Return the hints while the user reads the material, of one or of several texts."""
    return _offered(
        (several, KeyHint("[ ]", "texts", "material.choose(1)", 1)),
        (True, KeyHint("c", "close", "material.toggle", 1)),
        (True, KeyHint("/", "search", "search.open", 2)),
        (True, KeyHint("tab", "next pane", "panes.select_next(1)", 3)),
        *_GENERAL_HINTS,
    )


class HintState(Struct, frozen=True, kw_only=True):
    """What decides which keys do something now.

    `takes_commands` says whether the debate takes commands, `can_pause` whether it can be paused here;
    `resumes_all` and `resumes_pane` whether the keys for pausing would resume it now. `undecided` is the name
    of the debater whose fault needs a decision. `is_between_rounds` says whether it waits for the next round,
    and `waits_between_rounds` whether it will after this one. `is_asking` says whether there is a question to
    vote on, `can_judge` whether judges can be asked here. `can_write` says whether the current debater's turn
    is to be written by the user.
    """

    takes_commands: bool = False
    undecided: str = ""
    can_pause: bool = False
    resumes_all: bool = False
    resumes_pane: bool = False
    is_over: bool = False
    is_judging: bool = False
    is_zoomed: bool = False
    scrolls_together: bool = False
    has_failed: bool = False
    has_reasoning: bool = False
    has_material: bool = False
    has_verdict: bool = False
    is_asking: bool = False
    can_judge: bool = False
    is_between_rounds: bool = False
    waits_between_rounds: bool = False
    can_write: bool = False


def debate_hints(state: HintState) -> tuple[KeyHint, ...]:
    """Return the hints for a debate in this state."""
    moderated = state.takes_commands and not state.is_over
    commanding = moderated and not state.is_judging
    can_pause = state.can_pause and not (state.is_over or state.is_judging or state.undecided)
    next_ = "next round" if state.is_between_rounds else "resume" if state.resumes_all else "pause"
    return _offered(
        (bool(state.undecided), KeyHint("enter", f"decide about {state.undecided}", "moderation.decide", 1)),
        (state.can_write and not state.undecided, KeyHint("enter", "write", "editor.enter", 1)),
        (can_pause, KeyHint("space", next_, "pausing.toggle_all", 1)),
        (not state.is_over, KeyHint("m", "mode", "display.next_mode", 2)),
        (True, KeyHint("tab", "next pane", "panes.select_next(1)", 3)),
        (True, KeyHint("z", "unzoom" if state.is_zoomed else "zoom", "panes.zoom", 4)),
        (commanding and state.has_failed, KeyHint("r", "retry", "moderation.retry_turn", 1)),
        (commanding, KeyHint("i", "interject", "moderation.interject", 5)),
        *_outcome_hints(state),
        (moderated, KeyHint("M", "moderate", "moderation.open_menu", 6)),
        (
            can_pause and not state.is_between_rounds,
            KeyHint("p", "resume pane" if state.resumes_pane else "pause pane", "pausing.toggle_pane", 7),
        ),
        (commanding, KeyHint("x", "stop turn", "moderation.stop_turn", 8)),
        (
            commanding,
            KeyHint("w", "don't wait" if state.waits_between_rounds else "wait", "pausing.toggle_step", 8),
        ),
        (state.has_reasoning, KeyHint("t", "reasoning", "display.toggle_reasoning", 6)),
        (state.has_material, KeyHint("c", "material", "material.toggle", 4)),
        (True, KeyHint("/", "search", "search.open", 8)),
        (True, KeyHint("y", "copy", "exports.copy_turn", 9)),
        (True, KeyHint("e", "export", "exports.open_menu", 9)),
        (True, KeyHint("s", "statistics", "statistics", 10)),
        (True, KeyHint("[ ]", "turns", "panes.jump_turn(-1)", 10)),
        (True, _scrolling_hint(state, 11)),
        (True, KeyHint("Y", "copy all", "exports.copy_debate", 12)),
        *_GENERAL_HINTS,
    )


def _outcome_hints(state: HintState) -> tuple[tuple[bool, KeyHint], ...]:
    """Return the hints for the outcome of a debate that is over or being judged."""
    label = "verdict" if state.has_verdict else "summary"
    return (
        ((state.has_verdict or state.is_over) and not state.is_asking, KeyHint("v", label, "voting.open", 1)),
        (state.can_judge and state.is_over, KeyHint("J", "judge", "outcome.judge", 2)),
    )


def replay_hints(state: HintState, *, is_paused: bool, at_end: bool) -> tuple[KeyHint, ...]:
    """Return the hints for a replay in this state."""
    playback = "play" if is_paused or at_end else "pause"
    return _offered(
        (True, KeyHint("space", playback, "playback.toggle", 1)),
        (True, KeyHint("[", "previous turn", "playback.previous_turn", 2)),
        (True, KeyHint("]", "next turn", "playback.next_turn", 2)),
        *_outcome_hints(state),
        (True, KeyHint(",", "slower", "playback.slower", 4)),
        (True, KeyHint(".", "faster", "playback.faster", 4)),
        (True, KeyHint("m", "mode", "display.next_mode", 6)),
        (True, KeyHint("tab", "next pane", "panes.select_next(1)", 3)),
        (True, KeyHint("z", "unzoom" if state.is_zoomed else "zoom", "panes.zoom", 5)),
        (state.has_reasoning, KeyHint("t", "reasoning", "display.toggle_reasoning", 7)),
        (state.has_material, KeyHint("c", "material", "material.toggle", 4)),
        (True, KeyHint("/", "search", "search.open", 7)),
        (True, KeyHint("y", "copy", "exports.copy_turn", 8)),
        (True, KeyHint("e", "export", "exports.open_menu", 8)),
        (True, KeyHint("s", "statistics", "statistics", 9)),
        (True, _scrolling_hint(state, 10)),
        (True, KeyHint("Y", "copy all", "exports.copy_debate", 11)),
        *_GENERAL_HINTS,
    )


def _scrolling_hint(state: HintState, drop_order: int) -> KeyHint:
    label = "scroll separately" if state.scrolls_together else "scroll together"
    return KeyHint("S", label, "panes.toggle_scrolling", drop_order)


_GENERAL_HINTS = (
    (True, KeyHint("T", "theme", "app.themes", 13)),
    (True, KeyHint("?", "help", "app.help", 0)),
    (True, KeyHint("q", "quit", "app.quit", 0)),
)


def _offered(*hints: tuple[bool, KeyHint]) -> tuple[KeyHint, ...]:
    return tuple(hint for is_offered, hint in hints if is_offered)


MODE_SUMMARIES = {
    DisplayMode.SYNCHRONIZED: "all panes in sync",
    DisplayMode.STAGGERED: "each pane as its text arrives",
    DisplayMode.HYBRID: "in sync while several stream",
}
MODE_DESCRIPTIONS = {
    DisplayMode.SYNCHRONIZED: "all panes are updated together",
    DisplayMode.STAGGERED: "each pane is updated as its text arrives",
    DisplayMode.HYBRID: "in sync while several panes stream, at once while only one does",
}
