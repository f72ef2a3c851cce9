"""Moderation: interjections, and commands that change the rest of the debate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.session.commands import AddRound, Decide, EndDebate, Interject, SetWords, SkipPhase
from debate_tui.tui.key_hints import INTERJECTION_HINTS, QUESTION_HINTS
from debate_tui.tui.screens.voting import VotingView
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.input_bars import AnswerBar, InterjectionBar
    from debate_tui.tui.widgets.option_list import MenuItem


MIN_WORDS, MAX_WORDS = 10, 5000


class ModeratorAction(NamedTuple):
    """Something the moderator can do now: its menu item, and the function that does it."""

    choice: MenuItem
    run: Callable[[], None]


class ModerationView(VotingView):
    """A debate view with ``i`` for an interjection and ``M`` for the menu of other actions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "interject"),
        Binding("M", "moderate"),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._interjection_bar: InterjectionBar | None = None
        self._answer_bar: AnswerBar | None = None
        self._answer_callback: Callable[[str], None] = _ignore_answer
        if self._options.swap_source is not None:
            self._decisions.on_replace = self._ask_replacement

    def _current_hints(self) -> tuple[KeyHint, ...]:
        if self._interjection_bar is not None:
            return INTERJECTION_HINTS
        return super()._current_hints() if self._answer_bar is None else QUESTION_HINTS

    def _command_handler(self) -> CommandHandler | None:
        """Return what takes commands; if nothing does, show why and return `None`."""
        if self._handle is None or self._is_over:
            self._show_message(
                "The debate is over" if self._is_over else "This debate takes no commands here"
            )
            return None
        return self._handle

    # Interjections

    async def action_interject(self) -> None:
        """Open the interjection bar; streams continue meanwhile."""
        if self._phase_progress.is_judging:
            self._show_message("All is said: nobody has a turn any more")
        elif self._interjection_bar is None and self._answer_bar is None and self._command_handler():
            from debate_tui.tui.widgets.input_bars import InterjectionBar

            names = {pane.state.id: self._debater_name(pane.state.id) for pane in self._panes}
            self._interjection_bar = InterjectionBar(names, self._glyphs)
            self._show_message("")
            self._show_hints()
            await self.mount(self._interjection_bar, before=self._footer)

    def action_send_interjection(self) -> None:
        """Send the interjection and return the focus to the pane."""
        if self._interjection_bar is None:
            return
        text, to = self._interjection_bar.text, self._interjection_bar.recipient
        self._close_interjection_bar()
        if text and (handle := self._command_handler()):
            handle(Interject(text, to))
            self._show_message("Put to them at their next turn", Tone.FINISHED)

    def _close_interjection_bar(self) -> None:
        if self._interjection_bar is not None:
            self._interjection_bar.remove()
            self._interjection_bar = None
            self._focus_current_pane()
            self._show_hints()

    def action_next_recipient(self) -> None:
        """Select the next recipient, or all debaters."""
        if self._interjection_bar is not None:
            self._interjection_bar.action_next_recipient()

    # Changes to the rest of the debate

    def action_moderate(self) -> None:
        """Open the moderator's menu."""
        handle = self._command_handler()
        if handle is None:
            return
        from debate_tui.tui.screens.dialogs import MenuScreen
        from debate_tui.tui.widgets.option_list import Menu

        measures = self._moderator_actions(handle)

        def chosen(index: int | None) -> None:
            if index is not None and self._command_handler():
                measures[index].run()

        choices = [measure.choice for measure in measures]
        self.app.push_screen(MenuScreen(Menu("The moderator", choices, self._glyphs)), chosen)

    def _moderator_actions(self, handle: CommandHandler) -> list[ModeratorAction]:
        from debate_tui.tui.widgets.option_list import MenuItem

        phase, words = self._phase_progress.current_phase_title, self._current_pane.state.word_target
        now = f"{words} now" if words else ""
        measures = []
        if phase and not self._phase_progress.is_judging:
            measures += [
                ModeratorAction(
                    MenuItem(f"one more round of {phase}", "n"), partial(self._add_round, handle, phase)
                ),
                ModeratorAction(
                    MenuItem(f"skip the rest of {phase}", "s"), partial(self._skip_phase, handle, phase)
                ),
                ModeratorAction(
                    MenuItem("words in every turn …", "w", (Piece(now, Tone.QUIET),)),
                    partial(self._ask_word_limit, handle),
                ),
            ]
            if self._options.swap_source is not None:
                name, source = (
                    self._debater_name(self._current_pane.state.id),
                    self._current_pane.state.info.source,
                )
                detail = (Piece(one_line(source, 32), Tone.QUIET),)
                measures.append(
                    ModeratorAction(
                        MenuItem(f"another source for {name} …", "o", detail),
                        partial(self._ask_new_source, self._current_pane.state.id),
                    )
                )
        return [
            *measures,
            ModeratorAction(
                MenuItem("end the debate now", "e", tone=Tone.FAILED), partial(self._end_debate, handle)
            ),
        ]

    def _add_round(self, handle: CommandHandler, phase: str) -> None:
        handle(AddRound())
        self._show_message(f"{phase} is held once more", Tone.FINISHED)

    def _skip_phase(self, handle: CommandHandler, phase: str) -> None:
        handle(SkipPhase())
        self._show_message(f"The rest of {phase} is skipped", Tone.FINISHED)

    def _end_debate(self, handle: CommandHandler) -> None:
        handle(EndDebate())
        self._show_message("The debate is ended")

    def _ask_word_limit(self, handle: CommandHandler) -> None:
        self._open_answer_bar(
            "words in every turn", "a number, from the next round on", partial(self._set_word_limit, handle)
        )

    def _set_word_limit(self, handle: CommandHandler, text: str) -> None:
        if not text.isdecimal() or not MIN_WORDS <= int(text) <= MAX_WORDS:
            self._show_message(f"A whole number from {MIN_WORDS} to {MAX_WORDS:,}, please", Tone.FAILED)
            return
        self._close_answer_bar()
        handle(SetWords(int(text)))
        self._show_message(f"{int(text):,} words are asked for from the next round on", Tone.FINISHED)

    # Switching to another source

    def _ask_replacement(self, debater: str) -> None:
        """Ask for a source to replace the one with a fault."""
        self._ask_new_source(debater, resolves_fault=True)

    def _ask_new_source(self, debater: str, *, resolves_fault: bool = False) -> None:
        label = f"source for {self._debater_name(debater)}"
        example = self._glyphs.displayable("openai:MODEL, anthropic:MODEL, PROVIDER:MODEL, https://…, demo")
        self._open_answer_bar(label, example, partial(self._start_swap, debater, resolves_fault))

    def _start_swap(self, debater: str, resolves_fault: bool, text: str) -> None:
        self.run_worker(
            self._swap_source(debater, text, resolves_fault=resolves_fault),
            name="swap",
            group="swap",
            exclusive=True,
        )

    async def _swap_source(self, debater: str, text: str, *, resolves_fault: bool) -> None:
        if self._options.swap_source is None or self._handle is None:
            return
        try:
            await self._options.swap_source(debater, text)
        except DebateError as error:
            self._show_message(" ".join(filter(None, (error.message, error.hint))), Tone.FAILED)
            return
        self._close_answer_bar()
        if resolves_fault:
            self._handle(Decide(debater, "replace"))
        source = one_line(self._panes_by_debater[debater].state.info.source, 60)
        self._show_message(f"{self._debater_name(debater)} goes on through {source}", Tone.FINISHED)

    # The answer bar

    def _open_answer_bar(self, label: str, placeholder: str, on_answer: Callable[[str], None]) -> None:
        from debate_tui.tui.widgets.input_bars import AnswerBar

        if self._answer_bar is not None or self._interjection_bar is not None:
            return
        self._answer_bar, self._answer_callback = AnswerBar(label, placeholder, self._glyphs), on_answer
        self.mount(self._answer_bar, before=self._footer)
        self._show_message("")
        self._show_hints()

    def action_submit_answer(self) -> None:
        """Apply the answer; the bar stays open until the answer is valid."""
        if self._answer_bar is not None:
            if text := self._answer_bar.text:
                self._answer_callback(text)
            else:
                self._close_answer_bar()

    def _close_answer_bar(self) -> None:
        if self._answer_bar is not None:
            self._answer_bar.remove()
            self._answer_bar = None
            self._focus_current_pane()
            self._show_hints()


def _ignore_answer(_: str) -> None:
    """Do nothing: the answer bar is closed."""
