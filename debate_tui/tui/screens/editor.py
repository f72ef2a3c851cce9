"""The turns that a person writes: editors in the panes, and their drafts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line, sanitise
from debate_tui.tui.key_hints import EDITOR_HINTS
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from textual.timer import Timer

    from debate_tui.domain.stream import TurnRequest
    from debate_tui.sources.person import TurnDraft
    from debate_tui.tui.notifications import Notifier
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.pane import Pane
    from debate_tui.tui.widgets.turn_editor import TurnEditor

SAVE_DELAY_SECONDS = 0.5
"""Seconds after a change until the draft is saved."""

MAX_INSTRUCTION_CHARACTERS = 2000


class _WrittenTurn:
    """A turn that is being written: its draft, and what is sent in the end."""

    def __init__(self, pane: Pane, request: TurnRequest, draft: TurnDraft) -> None:
        self.pane = pane
        self.request = request
        self.draft = draft
        self.sent: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.save_timer: Timer | None = None


class EditorController(Controller):
    """The editors of the debaters for whom a person writes; there may be several at a time.

    `notifier` also signals that it is the user's turn.
    """

    def __init__(self, view: DebateView, notifier: Notifier) -> None:
        self._view = view
        self.notifier = notifier
        self._turns: dict[str, _WrittenTurn] = {}

    async def write_turn(self, debater: str, request: TurnRequest, draft: TurnDraft) -> str:
        """Let the user write a debater's turn, and return what was sent; can be called from any task."""
        pane = self._view.panes.find(debater)
        assert pane is not None
        turn = _WrittenTurn(pane, request, draft)
        self._view.screen.call_next(self._open, turn)
        try:
            return await turn.sent
        finally:
            self._save(turn)
            self._view.screen.call_next(self._close, turn)

    # Keys

    @property
    def _focused(self) -> TurnEditor | None:
        """The editor the user types into."""
        editor = self._view.panes.current.editor
        return editor if editor is not None and editor.text_area is self._view.screen.focused else None

    @property
    def can_enter(self) -> bool:
        """Whether the current debater's turn can be written, and the user is not typing it."""
        return self._view.panes.current.editor is not None and self._focused is None

    def hints(self) -> tuple[KeyHint, ...]:
        """Return the hints while the user types a turn."""
        return EDITOR_HINTS if self._focused is not None else ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys only while there is an editor in the current pane."""
        return self._view.panes.current.editor is not None

    def action_send(self) -> None:
        """Send the turn as it is, unless it is empty."""
        pane = self._view.panes.current
        turn, editor = self._turns.get(pane.state.id), pane.editor
        if turn is None or editor is None:
            return
        if not (text := sanitise(editor.text)):
            self._view.show_message("Write something first", Tone.RECONNECTING)
            return
        turn.draft.text = text
        self._close(turn)
        if not turn.sent.done():
            turn.sent.set_result(text)

    def action_undo(self) -> None:
        """Undo the last change in the editor."""
        if (editor := self._view.panes.current.editor) is not None:
            editor.text_area.undo()

    def action_enter(self) -> None:
        """Go to the editor in the current pane."""
        self.enter()

    def enter(self) -> bool:
        """Go to the editor in the current pane; return whether there is one that the user was not in."""
        editor = self._view.panes.current.editor
        if editor is None or self._focused is not None:
            return False
        editor.active = True
        self._view.panes.focus_current()
        return True

    def leave(self) -> bool:
        """Leave the editor for the keys of the screen; return whether the user was in it."""
        editor = self._focused
        if editor is None:
            return False
        editor.active = False
        self._view.panes.focus_current()
        self._view.update_hints()
        return True

    # Editors

    async def _open(self, turn: _WrittenTurn) -> None:
        """Open an editor for the turn, and let the user type unless they are typing something else."""
        if turn.sent.done():
            return  # the debate has ended meanwhile
        from debate_tui.tui.widgets.turn_editor import TurnEditor

        pane, view = turn.pane, self._view
        self._turns[pane.state.id] = turn
        editor = TurnEditor(
            view.glyphs.displayable(self._instruction(turn.request.phase)),
            turn.draft.text,
            pane.state.word_target,
            on_change=lambda text: self._change(turn, text),
            on_focus=view.update_hints,
        )
        await pane.open_editor(editor)
        if isinstance(view.screen.focused, TurnText):
            view.show_pane(pane.state.id)
        view.update_hints()
        self.notifier.call_to_write(view.debater_name(pane.state.id))

    def _close(self, turn: _WrittenTurn) -> None:
        """Close the turn's editor; if the user was in it, go to another one, or stay in the pane."""
        debater, view = turn.pane.state.id, self._view
        if self._turns.get(debater) is not turn:
            return
        del self._turns[debater]
        had_focus = turn.pane.editor is not None and turn.pane.editor.text_area is view.screen.focused
        turn.pane.close_editor()
        if had_focus:
            view.panes.focus_current()
            if self._turns:
                view.show_pane(next(iter(self._turns)))
        if not self._turns:
            self.notifier.clear()
        view.update_hints()

    def _instruction(self, phase: str) -> str:
        """Return what the format asks for in a phase."""
        phases = self._view.options.format.phases if self._view.options.format is not None else ()
        texts = (each.instruction for each in phases if each.name == phase)
        return one_line(next(texts, ""), MAX_INSTRUCTION_CHARACTERS)

    # Drafts

    def _change(self, turn: _WrittenTurn, text: str) -> None:
        turn.draft.text = text
        turn.pane.tick()
        if turn.save_timer is None:
            turn.save_timer = self._view.screen.set_timer(SAVE_DELAY_SECONDS, lambda: self._save(turn))

    def _save(self, turn: _WrittenTurn) -> None:
        """Save the draft; if that fails, say so: the text itself is still there."""
        turn.save_timer = None
        try:
            turn.draft.save()
        except OSError as error:
            with suppress(RuntimeError):  # the screen is closed
                self._view.screen.call_next(
                    self._view.show_message, f"The draft could not be saved: {error.strerror}", Tone.FAILED
                )
