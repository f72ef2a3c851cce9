"""Moderation: interjections, commands to the debate, and decisions after faults."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import STEP_PAUSE, DebatePaused, DebateResumed
from debate_tui.domain.sanitise import one_line
from debate_tui.session.commands import (
    AddRound,
    Decide,
    EndDebate,
    Interject,
    Pause,
    Resume,
    Retry,
    SetWords,
    SkipPhase,
    StopTurn,
    WaitBetweenRounds,
)
from debate_tui.tui.key_hints import ANSWER_HINTS, INTERJECTION_HINTS
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.events import Event
    from debate_tui.session.commands import FaultDecision
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.screens.dialogs import DecisionScreen, MenuItem
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.input_bars import AnswerBar, InterjectionBar


MIN_WORDS, MAX_WORDS = 10, 5000


class PauseController(Controller):
    """The keys that pause and resume the debate for everyone, now or between rounds."""

    def __init__(self, view: DebateView, decisions: FaultDecisions | None = None) -> None:
        self._view = view
        self._decisions = decisions
        self.waits_between_rounds = view.options.step

    @property
    def can_pause(self) -> bool:
        """Whether debaters can be paused."""
        return self._view.handle is not None

    @property
    def resumes_all(self) -> bool:
        """Whether the key for all debaters would resume them now."""
        return self._view.panes.is_all_paused

    @property
    def is_between_rounds(self) -> bool:
        """Whether the debate waits for the command to start the next round."""
        pause = self._view.transcript.pause
        return self.can_pause and pause is not None and pause.reason == STEP_PAUSE

    @property
    def resumes_pane(self) -> bool:
        """Whether the key for the current debater would resume it now."""
        return self._view.panes.current.state.is_paused_alone

    def action_toggle_all(self) -> None:
        """Pause or resume all debaters; while a decision about one has paused them, ask for that."""
        if self._decisions is None or not self._decisions.ask():
            self._view.send(Resume() if self.resumes_all else Pause())

    def action_toggle_pane(self) -> None:
        """Pause or resume the current debater."""
        debater = self._view.panes.current.state
        self._view.send(Resume(debater.id) if debater.is_paused else Pause(debater.id))

    def action_toggle_step(self) -> None:
        """Start or stop waiting between rounds."""
        if self._view.can_command():
            self.waits_between_rounds = not self.waits_between_rounds
            done = "Waiting after each round" if self.waits_between_rounds else "Not waiting between rounds"
            self._view.send(WaitBetweenRounds(self.waits_between_rounds), done)
            self._view.update_hints()


class ModeratorAction(NamedTuple):
    """Something the moderator can do now: its menu item, and the function that does it."""

    item: MenuItem
    run: Callable[[], object]


class ModerationController(Controller):
    """The moderator's keys: interjections, turns, and the menu of changes to the rest of the debate."""

    def __init__(self, view: DebateView) -> None:
        self._view = view
        self._interjection_bar: InterjectionBar | None = None
        self._answer_bar: AnswerBar | None = None
        can_swap = view.options.swap_source is not None
        self.fault_decisions = FaultDecisions(view, self._ask_replacement if can_swap else None)

    def hints(self) -> tuple[KeyHint, ...]:
        """Return the hints while one of the bars is open."""
        if self._interjection_bar is not None:
            return INTERJECTION_HINTS
        return ANSWER_HINTS if self._answer_bar is not None else ()

    def close(self) -> bool:
        """Close the bar that is open; return whether one was."""
        bar = self._interjection_bar or self._answer_bar
        if bar is None:
            return False
        self._interjection_bar = self._answer_bar = None
        self._view.close_bar(bar)
        return True

    def action_decide(self) -> None:
        """Open the dialog for the next decision after a fault."""
        self.fault_decisions.ask()

    # Turns

    def action_stop_turn(self) -> None:
        """End the current debater's turn where it is."""
        self._view.send(StopTurn(self._view.panes.current.state.id))

    def action_retry_turn(self) -> None:
        """Retry the current debater's turn."""
        self._view.send(Retry(self._view.panes.current.state.id))

    # Interjections

    async def action_interject(self) -> None:
        """Open the interjection bar; streams continue meanwhile."""
        if self._view.phase_progress.is_judging:
            self._view.show_message("No turns left")
        elif not self.hints() and self._view.can_command():
            from debate_tui.tui.widgets.input_bars import InterjectionBar

            ids = [pane.state.id for pane in self._view.panes.panes]
            names = {debater: self._view.debater_name(debater) for debater in ids}
            self._interjection_bar = InterjectionBar(names, self._view.glyphs)
            await self._view.open_bar(self._interjection_bar)

    def action_next_recipient(self) -> None:
        """Select the next recipient, or all debaters."""
        if self._interjection_bar is not None:
            self._interjection_bar.action_next_recipient()

    def action_send_interjection(self) -> None:
        """Send the interjection and return the focus to the pane."""
        if self._interjection_bar is None:
            return
        text, to = self._interjection_bar.input.text, self._interjection_bar.recipient
        self.close()
        if text:
            self._view.send(Interject(text, to), "Sent for their next turn")

    # Changes to the rest of the debate

    def action_open_menu(self) -> None:
        """Open the moderator's menu."""
        if not self._view.can_command():
            return
        from debate_tui.tui.screens.dialogs import MenuScreen

        actions = self._moderator_actions()

        def chosen(index: int | None) -> None:
            if index is not None and self._view.can_command():
                actions[index].run()

        items = [action.item for action in actions]
        menu = MenuScreen("Moderate the debate", items, self._view.glyphs)
        self._view.screen.app.push_screen(menu, chosen)

    def _moderator_actions(self) -> list[ModeratorAction]:
        from debate_tui.tui.screens.dialogs import MenuItem

        view = self._view
        end = ModeratorAction(
            MenuItem("End the debate", "e", tone=Tone.FAILED),
            partial(view.send, EndDebate(), "Ending the debate"),
        )
        phase = _in_sentence(view.phase_progress.current_phase_title)
        if not phase or view.phase_progress.is_judging:
            return [end]
        debater = view.panes.current.state
        words = f"now {debater.word_target}" if debater.word_target else ""
        actions = [
            ModeratorAction(
                MenuItem(f"Add another {phase} round", "n"),
                partial(view.send, AddRound(), f"Added another {phase} round"),
            ),
            ModeratorAction(
                MenuItem(f"Skip the rest of the {phase} phase", "s"),
                partial(view.send, SkipPhase(), f"Skipped the rest of the {phase} phase"),
            ),
            ModeratorAction(
                MenuItem("Set the words per turn …", "w", (Piece(words, Tone.QUIET),)), self._ask_word_limit
            ),
        ]
        if view.options.swap_source is not None:
            source = (Piece(one_line(debater.info.source, 32), Tone.QUIET),)
            item = MenuItem(f"Switch {view.debater_name(debater.id)} to another model …", "o", source)
            actions.append(ModeratorAction(item, partial(self._ask_new_source, debater.id)))
        return [*actions, end]

    def _ask_word_limit(self) -> None:
        self._ask("Words per turn", "A number; it applies from the next round", self._set_word_limit)

    def _set_word_limit(self, text: str) -> None:
        if not text.isdecimal() or not MIN_WORDS <= int(text) <= MAX_WORDS:
            self._view.show_message(f"Enter a whole number from {MIN_WORDS} to {MAX_WORDS:,}", Tone.FAILED)
            return
        self.close()
        self._view.send(SetWords(int(text)), f"{int(text):,} words per turn from the next round")

    # Switching to another source

    def _ask_replacement(self, debater: str) -> None:
        """Ask for a source to replace the one with a fault."""
        self._ask_new_source(debater, resolves_fault=True)

    def _ask_new_source(self, debater: str, *, resolves_fault: bool = False) -> None:
        examples = "openai:MODEL, anthropic:MODEL, PROVIDER:MODEL, https://…, demo"
        self._ask(
            f"New model for {self._view.debater_name(debater)}",
            self._view.glyphs.displayable(examples),
            partial(self._start_swap, debater, resolves_fault),
        )

    def _start_swap(self, debater: str, resolves_fault: bool, source: str) -> None:
        self._view.screen.run_worker(
            self._swap_source(debater, source, resolves_fault=resolves_fault),
            name="swap",
            group="swap",
            exclusive=True,
        )

    async def _swap_source(self, debater: str, source: str, *, resolves_fault: bool) -> None:
        view = self._view
        if view.options.swap_source is None or view.handle is None:
            return
        try:
            await view.options.swap_source(debater, source)
        except DebateError as error:
            view.show_message(" ".join(filter(None, (error.message, error.hint))), Tone.FAILED)
            return
        self.close()
        if resolves_fault:
            view.handle(Decide(debater, "replace"))
        view.show_message(
            f"{view.debater_name(debater)} continues with {one_line(source, 60)}", Tone.FINISHED
        )

    # The answer bar

    def _ask(self, question: str, placeholder: str, on_answer: Callable[[str], None]) -> None:
        """Ask a question in a bar; it stays open until `on_answer` closes it."""
        from debate_tui.tui.widgets.input_bars import AnswerBar

        if not self.hints():
            self._answer_bar = AnswerBar(question, placeholder, self._view.glyphs, on_answer)
            self._view.open_bar(self._answer_bar)

    def action_submit_answer(self) -> None:
        """Apply the answer; an empty one cancels the question."""
        if self._answer_bar is not None:
            if text := self._answer_bar.input.text:
                self._answer_bar.on_answer(text)
            else:
                self.close()


def _in_sentence(title: str) -> str:
    """Return a phase title as it is written within a sentence: ``Rebuttal`` as ``rebuttal``."""
    return title[:1].lower() + title[1:] if title[1:].islower() else title


class FaultDecisions:
    """The debaters whose fault has paused the debate until the user decides how to continue.

    The user is asked once for each debater, and again on request. `on_replace` asks for another source; it is
    `None` if debaters cannot switch. The decision waits until a source is given.
    """

    def __init__(self, view: DebateView, on_replace: Callable[[str], None] | None) -> None:
        self._view = view
        self._on_replace = on_replace
        self._reasons: dict[str, str] = {}
        self._dialogs: dict[str, DecisionScreen] = {}

    @property
    def next_debater(self) -> str | None:
        """The debater to decide about next, preferably the current one; `None` if there is none."""
        current = self._view.panes.current.state.id
        return current if current in self._reasons else next(iter(self._reasons), None)

    def apply(self, event: Event) -> None:
        """Open a dialog when a fault pauses the debate, and close it when the decision is made."""
        if not isinstance(event, DebatePaused | DebateResumed):
            return
        if event.debater is None or event.reason == "user" or self._view.handle is None:
            return
        if isinstance(event, DebatePaused):
            self._reasons[event.debater] = event.reason
            self._ask(event.debater)
        else:
            self._reasons.pop(event.debater, None)
            if (dialog := self._dialogs.pop(event.debater, None)) is not None:
                dialog.withdraw()

    def ask(self) -> bool:
        """Open the dialog again; return whether a decision is needed."""
        debater = self.next_debater
        if debater is not None:
            self._ask(debater)
        return debater is not None

    def _ask(self, debater: str) -> None:
        """Ask about this debater, whose pane becomes the current one, unless the dialog is open already."""
        if debater in self._dialogs:
            return
        from debate_tui.tui.screens.dialogs import DecisionScreen

        view = self._view
        dialog = self._dialogs[debater] = DecisionScreen(
            view.debater_name(debater),
            self._reasons[debater],
            view.glyphs,
            replaceable=self._on_replace is not None,
        )

        def decided(index: int | None) -> None:
            if self._dialogs.get(debater) is dialog:
                del self._dialogs[debater]
            if index is not None:
                self._decide(debater, dialog.decisions[index])

        view.show_pane(debater)
        view.screen.app.push_screen(dialog, decided)

    def _decide(self, debater: str, decision: FaultDecision) -> None:
        if decision == "replace" and self._on_replace is not None:
            self._on_replace(debater)
        elif self._view.handle is not None:
            self._view.handle(Decide(debater, decision))
            if decision == "remove":
                self._view.panes.action_select_next(1)
