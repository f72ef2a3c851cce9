"""The end of a debate: the user's vote before and after it, its outcome, and what to do next."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateFinished, DebatersRevealed, PhaseStarted, Report, Verdict, Vote
from debate_tui.domain.judging.summary import describe_own_vote
from debate_tui.domain.judging.votes import LOCAL_VOTER, vote_sides
from debate_tui.domain.progress import speaking_seconds
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import UNDECIDED, describe_size
from debate_tui.session.commands import CastVote, Reveal
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.events import Click

    from debate_tui.domain.events import Event
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.screens.dialogs import MenuScreen
    from debate_tui.tui.screens.verdict import CardAction, VerdictScreen
    from debate_tui.tui.symbols import Glyphs

VoteTime = Literal["before", "after"]

_BEFORE_QUESTION = "Before it starts: which side are you on?"
_AFTER_QUESTION = "It's over. Which side are you on now?"
_DEBATERS_QUESTION = "It's over. Who argued best?"


class VoteBar(TextRows):
    """A question with its keys; hidden while there is none. `on_open` is called when it is clicked."""

    DEFAULT_CSS = "VoteBar { height: 1; background: $surface; }"

    def __init__(self, glyphs: Glyphs, on_open: Callable[[], None]) -> None:
        super().__init__(glyphs)
        self._on_open = on_open
        self._question = ""
        self.display = False

    def ask(self, question: str) -> None:
        """Show a question; an empty one hides the bar."""
        self._question = question
        self.display = bool(question)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the question and its two keys."""
        question = Piece(f"{self._glyphs.interjection} {self._question}", Tone.FOCUS)
        keys = (
            Piece("v", Tone.FOCUS, bold=True),
            Piece(" vote   ", Tone.QUIET),
            Piece("esc", Tone.FOCUS, bold=True),
            Piece(" not now", Tone.QUIET),
        )
        return (Row((question,), keys),)

    def on_click(self, _: Click) -> None:
        self._on_open()


class OutcomeController(Controller):
    """The card with the outcome, and what it offers to do with a finished debate.

    `read_events` returns all events of the debate. `more_actions` returns more to offer, which comes first.
    """

    def __init__(
        self,
        view: DebateView,
        read_events: Callable[[], Awaitable[Sequence[Event]]],
        on_export: Callable[[], None],
    ) -> None:
        self._view = view
        self._read_events = read_events
        self._on_export = on_export
        self.more_actions: Callable[[], Sequence[CardAction]] = tuple
        self._screen: VerdictScreen | None = None
        self._judge = ""

    @property
    def exists(self) -> bool:
        """Whether there is anything to show on the card."""
        transcript = self._view.transcript
        return self._view.is_over or bool(transcript.verdicts) or transcript.report is not None

    @property
    def is_open(self) -> bool:
        """Whether the card is open."""
        return self._screen is not None

    def show(self) -> None:
        """Open the card; it must have something to show."""
        from debate_tui.tui.screens.verdict import VerdictScreen

        def closed(_: None) -> None:
            self._screen = None

        self._screen = VerdictScreen(self._view.transcript, self._view.glyphs, self._actions)
        self._view.screen.app.push_screen(self._screen, closed)
        self._show_status(*self._judging_status())
        if self._view.is_over:
            self._view.screen.run_worker(self._show_facts(self._screen), name="facts")

    async def _show_facts(self, screen: VerdictScreen) -> None:
        """Count what was said: the screen's own transcript does not keep the text."""
        events = await self._read_events()
        facts = await asyncio.to_thread(lambda: describe_size(Transcript(events), speaking_seconds(events)))
        screen.card.show_facts(facts)

    def update(self) -> None:
        """Show a new verdict, report or vote."""
        if self._screen is not None:
            self._screen.card.update_outcome()

    def close(self) -> None:
        """Close the card."""
        if self._screen is not None:
            self._screen.dismiss(None)

    def _actions(self) -> list[CardAction]:
        from debate_tui.tui.screens.verdict import CardAction

        ending, transcript = self._view.options.ending, self._view.transcript
        if not self._view.is_over:
            return []
        export = CardAction("e", "export", self._on_export)
        if ending is None:
            return [*self.more_actions(), export]
        has_judges = any(verdict.model for verdict in transcript.verdicts)
        has_sides = len(vote_sides(transcript.debaters.values())) > 1
        return [
            *self.more_actions(),
            CardAction("J", "another judge" if has_judges else "ask a judge", self.action_judge),
            CardAction("R", "replay", partial(ending.leave_for, "replay")),
            export,
            CardAction(
                "A",
                "again, sides swapped" if has_sides and not transcript.letters else "debate again",
                partial(ending.leave_for, "again"),
            ),
        ]

    # Judging a finished debate

    def action_judge(self) -> None:
        """Ask who should judge the finished debate."""
        view, ending = self._view, self._view.options.ending
        if ending is None:
            view.show_message("This debate cannot be judged here; see 'debate-tui judge'")
        elif not view.is_over:
            view.show_message("Judges read the debate when it is over")
        elif not self._judge:
            from debate_tui.tui.screens.dialogs import InputScreen

            examples = (
                "openai:MODEL, anthropic:MODEL, PROVIDER:MODEL, local or demo",
                "Add --report to get a report too.",
            )
            dialog = InputScreen(
                "Who should judge the debate?",
                examples,
                view.glyphs,
                check=ending.check_judge,
                text=ending.default_judge,
            )
            view.screen.app.push_screen(dialog, self._start_judging)

    def _start_judging(self, source: str | None) -> None:
        if source is not None:
            self._view.screen.run_worker(self._ask_judge(source), name="judge")

    async def _ask_judge(self, source: str) -> None:
        if (ending := self._view.options.ending) is None:
            return
        self._judge = source
        self._show_status(*self._judging_status())
        try:
            await ending.judge(source)
        except DebateError as error:
            self._show_status(" ".join(filter(None, (error.message, error.hint))), Tone.FAILED)
        else:
            self._show_status("")
        finally:
            self._judge = ""

    def _judging_status(self) -> tuple[str, Tone]:
        judge = self._judge.partition(" --report")[0].removeprefix("--report=")
        return (f"{one_line(judge, 60)} is reading the debate" if judge else ""), Tone.STREAMING

    def _show_status(self, text: str, tone: Tone = Tone.STREAMING) -> None:
        """Show this on the card or, if it is closed, in the footer."""
        if self._screen is not None:
            self._screen.card.show_status(Piece(text, tone))
        elif text:
            self._view.show_message(text, tone)


class VoteChoice(NamedTuple):
    """A side, or a debater in a debate without sides, to vote for; a side has its first debater's colour."""

    label: str
    detail: str
    tone: Tone
    debater: str | None = None
    side: str = ""


class VotingController(Controller):
    """The user's vote, if enabled; the outcome opens after it.

    Votes are for sides, before and after, or at the end for debaters. The question stays in its bar until the
    user answers or declines, or it is too late; neither the debate nor the reader is interrupted.
    """

    def __init__(self, view: DebateView, outcome: OutcomeController) -> None:
        self._view = view
        self._outcome = outcome
        outcome.more_actions = self._card_actions
        self.bar = VoteBar(view.glyphs, self.action_open)
        self._open_vote: VoteTime | None = None
        self._ballot: MenuScreen | None = None
        self._has_news = self._has_ended = False
        if self._sides:
            self._ask_for_vote("before")

    @property
    def is_asking(self) -> bool:
        """Whether there is an open question."""
        return self._open_vote is not None

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        match event:
            case PhaseStarted() if event.phase == VERDICT_PHASE:
                self._ask_for_vote("after")
            case PhaseStarted():
                self._has_ended = False
                if self._open_vote == "before" and len(self._view.transcript.steps) > 1:
                    self._close_vote()
            case Verdict() | Report() | DebatersRevealed():
                self._has_news = True
            case Vote() if event.voter == LOCAL_VOTER and event.when == self._open_vote:
                self._close_vote()
            case DebateFinished():
                self._finish(event)
        if isinstance(event, Verdict | Report | Vote | DebatersRevealed | DebateFinished):
            self._outcome.update()

    def action_open(self) -> None:
        """Open the ballot if there is a question, else the outcome, or say what counts so far."""
        if self._open_vote is not None:
            self._show_ballot(self._open_vote)
        elif self._outcome.exists:
            self._show_outcome()
        elif self._can_vote("after") and self._view.phase_progress.is_judging:
            self._reopen_vote()
        else:
            self._view.show_message(self._describe_state())

    def _describe_state(self) -> str:
        """Return what the user has voted, and when there is more to do or to read."""
        before, after = (describe_own_vote(self._view.transcript, when) for when in ("before", "after"))
        if self._can_vote("after"):
            next_ = f"{'Vote again' if before else 'You can vote'} when all turns are over"
        else:
            next_ = "No verdict yet"
        vote = after or before
        return f"{vote[:1].upper()}{vote[1:]}. {next_}" if vote else next_

    # The user's vote

    @property
    def _sides(self) -> tuple[str, ...]:
        return vote_sides(pane.state.info for pane in self._view.panes.panes)

    def _question(self, when: VoteTime) -> str:
        if not self._sides:
            return _DEBATERS_QUESTION
        return _BEFORE_QUESTION if when == "before" else _AFTER_QUESTION

    def _choices(self) -> list[VoteChoice]:
        states, sides = [pane.state for pane in self._view.panes.panes], self._sides
        if not sides:
            heard = self._view.transcript.heard_debaters
            return [
                VoteChoice(state.info.name, "", state.tone, debater=state.id)
                for state in states
                if state.id in heard
            ]
        choices: list[VoteChoice] = []
        for side in sides:
            speakers = [state for state in states if state.info.side == side]
            names = ", ".join(state.info.name for state in speakers)
            choices.append(VoteChoice(side, names, speakers[0].tone, side=side))
        return choices

    def _can_vote(self, when: VoteTime) -> bool:
        """Return whether the user is asked at this time and has not voted."""
        votes = self._view.transcript.votes
        has_voted = any(vote.when == when and vote.voter == LOCAL_VOTER for vote in votes)
        return self._view.options.asks_for_votes and self._view.handle is not None and not has_voted

    def _ask_for_vote(self, when: VoteTime) -> None:
        if self._open_vote != when:
            self._close_vote()
        if self._can_vote(when):
            self._open_vote = when
            self.bar.ask(self._question(when))

    def _close_vote(self) -> None:
        """Withdraw the question with its menu, if that is open."""
        self._open_vote = None
        self.bar.ask("")
        ballot, self._ballot = self._ballot, None
        if ballot is not None:
            ballot.withdraw()

    def decline(self) -> bool:
        """Decline to vote; return whether there was a question."""
        if self._open_vote is None:
            return False
        self._close_vote()
        if self._view.is_over:
            self._reveal()
            self._show_outcome()
        return True

    def _show_ballot(self, when: VoteTime) -> None:
        if self._ballot is not None:
            return
        from debate_tui.tui.screens.dialogs import MenuItem, MenuScreen

        choices = self._choices()
        items = [
            MenuItem(
                one_line(choice.label, 40),
                letter,
                (Piece(one_line(choice.detail, 40), Tone.QUIET),),
                choice.tone,
            )
            for choice, letter in zip(choices, "abcd", strict=False)
        ]
        items += [MenuItem(UNDECIDED, "u"), MenuItem("not now", "n", tone=Tone.QUIET)]

        def chosen(index: int | None) -> None:
            if self._ballot is not ballot:
                return  # the question was withdrawn
            self._ballot = None
            if index is None or index > len(choices):
                self.decline()
            else:
                self._vote(when, choices[index] if index < len(choices) else None)

        ballot = self._ballot = MenuScreen(self._question(when), items, self._view.glyphs)
        self._view.screen.app.push_screen(ballot, chosen)

    def _vote(self, when: VoteTime, choice: VoteChoice | None) -> None:
        if self._view.handle is not None:
            debater, side = (choice.debater, choice.side) if choice is not None else (None, "")
            self._view.handle(CastVote(when, debater, side=side))
        self._close_vote()
        self._view.show_message("Vote recorded", Tone.FINISHED)
        if self._view.is_over:
            self._show_outcome()

    # The outcome

    def _finish(self, event: DebateFinished) -> None:
        """Ask for the last vote; if there is nothing to ask, show a new outcome."""
        view, is_first_end = self._view, not self._has_ended
        has_news = self._has_news or (is_first_end and view.handle is None and view.transcript.votes)
        self._has_ended, self._has_news = True, False
        if self._open_vote == "before":
            self._close_vote()
        if is_first_end and event.reason == "complete":
            self._ask_for_vote("after")
        if self._open_vote is None:
            self._reveal()
            if has_news:
                self._show_outcome()

    def _reveal(self) -> None:
        """Ask who the debaters of a blind debate are, as there is no vote to come."""
        if self._view.transcript.is_blind and self._view.handle is not None:
            self._view.handle(Reveal())

    def _show_outcome(self) -> None:
        if not self._outcome.is_open:
            self._outcome.show()

    def _card_actions(self) -> list[CardAction]:
        from debate_tui.tui.screens.verdict import CardAction

        return [CardAction("v", "vote", self._reopen_vote)] if self._can_vote("after") else []

    def _reopen_vote(self) -> None:
        self._ask_for_vote("after")
        self._show_ballot("after")
