"""Controllers of the debate screen without the screen: each needs only a view."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from debate_tui.display.buffer import PaneText
from debate_tui.domain.events import DebatePaused, DebateResumed
from debate_tui.session.commands import Decide, Pause, Resume, Retry, StopTurn
from debate_tui.tui.screens.moderation import ModerationController, PauseController
from debate_tui.tui.screens.watch import WatchController


def make_view(**pane_state: bool) -> Any:
    """A view of one debater that keeps the commands it is given in `sent`."""
    state = SimpleNamespace(id="ada", paused_here=False, is_paused=False, is_paused_alone=False)
    vars(state).update(pane_state)
    pane = SimpleNamespace(state=state)
    panes = SimpleNamespace(panes=[pane], current=pane, is_all_paused=state.is_paused, find=lambda _: pane)
    sent: list[object] = []
    return SimpleNamespace(
        panes=panes,
        sent=sent,
        send=sent.append,
        handle=sent.append,
        glyphs=None,
        options=SimpleNamespace(swap_source=None, step=False),
        debater_name=str.title,
        show_pane=lambda _: None,
        screen=SimpleNamespace(app=SimpleNamespace(push_screen=lambda dialog, decided: decided(0))),
    )


def test_pause_controller_pauses_and_resumes() -> None:
    running, paused = make_view(), make_view(is_paused=True)
    for view in (running, paused):
        PauseController(view).action_toggle_all()
        PauseController(view).action_toggle_pane()
    assert running.sent == [Pause(), Pause("ada")]
    assert paused.sent == [Resume(), Resume("ada")]


def test_moderation_controller_stops_and_retries_the_current_turn() -> None:
    view = make_view()
    ModerationController(view).action_stop_turn()
    ModerationController(view).action_retry_turn()
    assert view.sent == [StopTurn("ada"), Retry("ada")]


def test_fault_decisions_are_sent_and_forgotten_when_made(monkeypatch: Any) -> None:
    view = make_view()
    monkeypatch.setattr(
        "debate_tui.tui.screens.dialogs.DecisionScreen",
        lambda *_, **__: SimpleNamespace(decisions=["fix"]),
    )
    decisions = ModerationController(view).fault_decisions
    decisions.apply(DebatePaused(reason="No key", debater="ada"))
    assert view.sent == [Decide("ada", "fix")]
    decisions.apply(DebateResumed(reason="decided", debater="ada"))
    assert not decisions.ask()


def test_watch_controller_holds_the_items_of_paused_panes() -> None:
    view, display = make_view(), SimpleNamespace(filter_items=None)
    WatchController(view, display, buffer=None)
    due = {"ada": [PaneText(1, 1, "Hello.")]}
    assert display.filter_items(due) == due
    view.panes.current.state.paused_here = True
    assert display.filter_items(due) == {}
