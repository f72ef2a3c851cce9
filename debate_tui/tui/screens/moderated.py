"""A debate with a moderator: remarks to the debaters, and what changes its course."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.hints import ANSWERING, INTERJECTING
from debate_tui.tui.screens.judged import JudgedView
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from debate_tui.tui.commands import Commands
    from debate_tui.tui.widgets.footer import Hint
    from debate_tui.tui.widgets.interjector import Interjector
    from debate_tui.tui.widgets.menu import Choice
    from debate_tui.tui.widgets.question import Question

LEAST_WORDS, MOST_WORDS = 10, 5000


class Measure(NamedTuple):
    """Something the moderator can do now: how the menu has it, and what does it."""

    choice: Choice
    do: Callable[[], None]


class ModeratedView(JudgedView):
    """``i`` speaks to the debaters, ``M`` opens the menu of what else a moderator can do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "interject"),
        Binding("M", "moderate"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._interjector: Interjector | None = None
        self._question: Question | None = None
        self._answer: Callable[[str], None] = _unasked
        if self._options.swap is not None:
            self._decisions.on_replace = self._replace

    def _hints(self) -> tuple[Hint, ...]:
        if self._interjector is not None:
            return INTERJECTING
        return super()._hints() if self._question is None else ANSWERING

    def _commanding(self) -> Commands | None:
        """The commands, or a word to the user that there are none."""
        if self._commands is None or self._is_over:
            self._say("The debate is over" if self._is_over else "This debate takes no commands here")
            return None
        return self._commands

    # Remarks

    async def action_interject(self) -> None:
        """Open the line in which the moderator speaks; streams go on."""
        if self._agenda.judging:
            self._say("All is said: nobody has a turn any more")
        elif self._interjector is None and self._question is None and self._commanding():
            from debate_tui.tui.widgets.interjector import Interjector

            names = {pane.speaker.id: self._name_of(pane.speaker.id) for pane in self._panes}
            self._interjector = Interjector(names, self._glyphs)
            self._say("")
            self._show_hints()
            await self.mount(self._interjector, before=self._footer)

    def action_say(self) -> None:
        """Put what was typed to the debaters, and give the keys back."""
        if self._interjector is None:
            return
        text, to = self._interjector.text, self._interjector.to
        self._close_interjector()
        if text and (commands := self._commanding()):
            commands.interject(text, to)
            self._say("Put to them at their next turn", Tone.FINISHED)

    def _close_interjector(self) -> None:
        if self._interjector is not None:
            self._interjector.remove()
            self._interjector = None
            self._focus_here()
            self._show_hints()

    def action_next_recipient(self) -> None:
        """Put it to the next debater, or to all."""
        if self._interjector is not None:
            self._interjector.action_next_recipient()

    # What changes the course of the debate

    def action_moderate(self) -> None:
        """Ask what is to be done."""
        commands = self._commanding()
        if commands is None:
            return
        from debate_tui.tui.screens.menu import MenuScreen
        from debate_tui.tui.widgets.menu import Menu

        measures = self._measures(commands)

        def chosen(place: int | None) -> None:
            if place is not None and self._commanding():
                measures[place].do()

        choices = [measure.choice for measure in measures]
        self.app.push_screen(MenuScreen(Menu("The moderator", choices, self._glyphs)), chosen)

    def _measures(self, commands: Commands) -> list[Measure]:
        from debate_tui.tui.widgets.menu import Choice

        phase, words = self._agenda.phase_now, self._pane.speaker.words_asked
        now = f"{words} now" if words else ""
        measures = []
        if phase and not self._agenda.judging:
            measures += [
                Measure(Choice(f"one more round of {phase}", "n"), partial(self._add_round, commands, phase)),
                Measure(Choice(f"skip the rest of {phase}", "s"), partial(self._skip, commands, phase)),
                Measure(
                    Choice("words in every turn …", "w", (Piece(now, Tone.QUIET),)),
                    partial(self._ask_words, commands),
                ),
            ]
            if self._options.swap is not None:
                name, source = self._name_of(self._pane.speaker.id), self._pane.speaker.info.source
                detail = (Piece(one_line(source, 32), Tone.QUIET),)
                measures.append(
                    Measure(
                        Choice(f"another source for {name} …", "o", detail),
                        partial(self._ask_source, self._pane.speaker.id),
                    )
                )
        return [
            *measures,
            Measure(Choice("end the debate now", "e", tone=Tone.FAILED), partial(self._end, commands)),
        ]

    def _add_round(self, commands: Commands, phase: str) -> None:
        commands.add_round()
        self._say(f"{phase} is held once more", Tone.FINISHED)

    def _skip(self, commands: Commands, phase: str) -> None:
        commands.skip_phase()
        self._say(f"The rest of {phase} is skipped", Tone.FINISHED)

    def _end(self, commands: Commands) -> None:
        commands.end()
        self._say("The debate is ended")

    def _ask_words(self, commands: Commands) -> None:
        self._ask_for(
            "words in every turn", "a number, from the next round on", partial(self._words, commands)
        )

    def _words(self, commands: Commands, text: str) -> None:
        if not text.isdecimal() or not LEAST_WORDS <= int(text) <= MOST_WORDS:
            self._say(f"A whole number from {LEAST_WORDS} to {MOST_WORDS:,}, please", Tone.FAILED)
            return
        self._close_question()
        commands.set_words(int(text))
        self._say(f"{int(text):,} words are asked for from the next round on", Tone.FINISHED)

    # Another source

    def _replace(self, debater: str) -> None:
        """Ask for a source that goes on where this debater's cannot."""
        self._ask_source(debater, decide=True)

    def _ask_source(self, debater: str, *, decide: bool = False) -> None:
        label = f"source for {self._name_of(debater)}"
        example = self._glyphs.typed("openai:MODEL, anthropic:MODEL, PROVIDER:MODEL, https://…, demo")
        self._ask_for(label, example, partial(self._swap, debater, decide))

    def _swap(self, debater: str, decide: bool, text: str) -> None:
        self.run_worker(
            self._swapped(debater, text, decide=decide), name="swap", group="swap", exclusive=True
        )

    async def _swapped(self, debater: str, text: str, *, decide: bool) -> None:
        if self._options.swap is None or self._commands is None:
            return
        try:
            await self._options.swap(debater, text)
        except DebateError as error:
            self._say(" ".join(filter(None, (error.message, error.hint))), Tone.FAILED)
            return
        self._close_question()
        if decide:
            self._commands.decide(debater, "replace")
        source = one_line(self._by_debater[debater].speaker.info.source, 60)
        self._say(f"{self._name_of(debater)} goes on through {source}", Tone.FINISHED)

    # The line in which it is asked

    def _ask_for(self, label: str, placeholder: str, answer: Callable[[str], None]) -> None:
        from debate_tui.tui.widgets.question import Question

        if self._question is not None or self._interjector is not None:
            return
        self._question, self._answer = Question(label, placeholder, self._glyphs), answer
        self.mount(self._question, before=self._footer)
        self._say("")
        self._show_hints()

    def action_answer(self) -> None:
        """Do as was answered; the line stays until that can be done."""
        if self._question is not None:
            if text := self._question.text:
                self._answer(text)
            else:
                self._close_question()

    def _close_question(self) -> None:
        if self._question is not None:
            self._question.remove()
            self._question = None
            self._focus_here()
            self._show_hints()


def _unasked(_: str) -> None:
    """Nothing was asked."""
