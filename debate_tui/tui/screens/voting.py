"""Voting: the viewer's vote before and after the debate, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.events import DebateFinished, PhaseStarted, Verdict, Vote
from debate_tui.domain.judging.scoring import LOCAL_VOTER
from debate_tui.domain.sanitise import one_line
from debate_tui.session.commands import CastVote
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Click

    from debate_tui.domain.events import Event
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.screens.dialogs import MenuScreen
    from debate_tui.tui.screens.verdict import VerdictScreen
    from debate_tui.tui.symbols import Glyphs

VoteTime = Literal["before", "after"]

_VOTE_QUESTIONS = {
    "before": "Before it starts: which side are you on?",
    "after": "It's over. Which side are you on now?",
}


class VoteBar(TextRows):
    """A question with its keys; hidden while there is none. `on_open` is called when it is clicked."""

    DEFAULT_CSS = "VoteBar { height: 1; background: $surface; }"

    def __init__(self, glyphs: Glyphs, on_open: Callable[[], None]) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._mark = glyphs.interjection
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
        question = Piece(f"{self._mark} {self._question}", Tone.FOCUS)
        keys = (
            Piece("v", Tone.FOCUS, bold=True),
            Piece(" vote   ", Tone.QUIET),
            Piece("esc", Tone.FOCUS, bold=True),
            Piece(" not now", Tone.QUIET),
        )
        return (Row((question,), keys),)

    def on_click(self, _: Click) -> None:
        """Open the vote menu."""
        self._on_open()


class VotingController(Controller):
    """The viewer's vote, if enabled, and the verdict, which opens at the end.

    The question stays in its bar until the user answers or declines, or it is too late; the debate does not
    wait for it. At the end of a debate, it comes before the verdict.
    """

    def __init__(self, view: DebateView) -> None:
        self._view = view
        self.bar = VoteBar(view.glyphs, self.action_open)
        self._open_vote: VoteTime | None = None
        self._vote_menu: MenuScreen | None = None
        """The menu for the open vote; there is never more than one."""
        self._verdict_screen: VerdictScreen | None = None
        self._ask_for_vote("before")

    @property
    def has_verdict(self) -> bool:
        """Whether the key shows a verdict now, and not the question."""
        return self._open_vote is None and bool(self._view.transcript.verdicts)

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        match event:
            case PhaseStarted() if event.phase == VERDICT_PHASE:
                self._ask_for_vote("after")
            case PhaseStarted() if self._open_vote == "before" and len(self._view.transcript.steps) > 1:
                self._close_vote()
            case Vote() if event.voter == LOCAL_VOTER and event.when == self._open_vote:
                self._close_vote()
            case DebateFinished():
                self._finish_judging(event)
        if isinstance(event, Verdict | Vote) and self._verdict_screen is not None:
            self._verdict_screen.update_verdict()

    def action_open(self) -> None:
        """Open the vote menu if there is a question, otherwise the verdict."""
        if self._open_vote is not None:
            self._show_vote_menu(self._open_vote)
        else:
            self._show_verdict()

    # The viewer's vote

    def _has_voted(self, when: VoteTime) -> bool:
        votes = self._view.transcript.votes
        return any(vote.when == when and vote.voter == LOCAL_VOTER for vote in votes)

    def _ask_for_vote(self, when: VoteTime) -> None:
        view = self._view
        if self._open_vote != when:
            self._close_vote()
        if view.options.asks_for_votes and view.handle is not None and not self._has_voted(when):
            self._open_vote = when
            self.bar.ask(_VOTE_QUESTIONS[when])

    def _close_vote(self) -> None:
        """Withdraw the question with its menu, if that is open."""
        self._open_vote = None
        self.bar.ask("")
        menu, self._vote_menu = self._vote_menu, None
        if menu is not None:
            menu.withdraw()

    def decline(self) -> bool:
        """Decline to vote; return whether there was a question."""
        if self._open_vote is None:
            return False
        self._close_vote()
        if self._view.is_over:
            self._show_verdict()
        return True

    def _show_vote_menu(self, when: VoteTime) -> None:
        if self._vote_menu is not None:
            return
        from debate_tui.tui.screens.dialogs import MenuItem, MenuScreen

        states = [pane.state for pane in self._view.panes.panes]
        infos = [state.info for state in states]
        items = [
            MenuItem(
                one_line(state.info.name, 40),
                letter,
                (Piece(one_line(state.info.side, 40), Tone.QUIET),),
                state.tone,
            )
            for state, letter in zip(states, "abcd", strict=False)
        ]
        items += [MenuItem("undecided", "u"), MenuItem("not now", "n", tone=Tone.QUIET)]

        def chosen(index: int | None) -> None:
            if self._vote_menu is not menu:
                return  # the question was withdrawn
            self._vote_menu = None
            if index is None or index > len(infos):
                self.decline()
            else:
                self._vote(when, infos[index].id if index < len(infos) else None)

        menu = self._vote_menu = MenuScreen(_VOTE_QUESTIONS[when], items, self._view.glyphs)
        self._view.screen.app.push_screen(menu, chosen)

    def _vote(self, when: VoteTime, debater: str | None) -> None:
        if self._view.handle is not None:
            self._view.handle(CastVote(when, debater))
        self._close_vote()
        self._view.show_message("Vote recorded", Tone.FINISHED)
        if self._view.is_over:
            self._show_verdict()

    # The verdict

    def _finish_judging(self, event: DebateFinished) -> None:
        """Ask for the final vote if there are verdicts or the viewer voted before; then show the verdict."""
        verdicts = self._view.transcript.verdicts
        settled = self._verdict_screen is not None or not (verdicts or self._has_voted("before"))
        if settled or event.reason != "complete" or self._has_voted("after"):
            self._close_vote()
        else:
            self._ask_for_vote("after")
        if settled:
            return
        if self._open_vote is not None:
            self._show_vote_menu(self._open_vote)
        elif verdicts:
            self._show_verdict()

    def _show_verdict(self) -> None:
        from debate_tui.domain.judging.summary import summarise_outcome
        from debate_tui.tui.screens.verdict import VerdictScreen

        if summarise_outcome(self._view.transcript) is None:
            self._view.show_message("This debate was not judged" if self._view.is_over else "No verdict yet")
            return

        def closed(_: None) -> None:
            self._verdict_screen = None

        self._verdict_screen = VerdictScreen(self._view.transcript, self._view.glyphs)
        self._view.screen.app.push_screen(self._verdict_screen, closed)
