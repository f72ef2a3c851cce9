"""Voting: the viewer's vote before and after the debate, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.domain.debate import VERDICT_PHASE
from debate_tui.domain.events import DebateFinished, PhaseStarted, Verdict, Vote
from debate_tui.domain.judging.scoring import LOCAL_VOTER
from debate_tui.domain.sanitise import one_line
from debate_tui.session.commands import CastVote
from debate_tui.tui.screens.debate_view import DebateView
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from typing import Any

    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.domain.events import Event
    from debate_tui.tui.screens.verdict import VerdictScreen
    from debate_tui.tui.symbols import Glyphs


# The bar that asks for a vote; the debate continues whether or not the user votes.


class VoteBar(TextRows):
    """A question with its keys; hidden while there is none."""

    DEFAULT_CSS = "VoteBar { height: 1; background: $surface; }"

    class Opened(Message):
        """Posted when the bar is clicked."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._question = ""
        self._escape_label = ""
        self.display = False

    def ask(self, question: str, escape_label: str) -> None:
        """Show a question, with a label for ``esc``."""
        self._question, self._escape_label = question, escape_label
        self.display = True
        self.refresh_rows()

    def hide(self) -> None:
        """Hide the question."""
        self.display = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the question and its two keys."""
        question = Piece(f"{self._glyphs.interjection} {self._question}", Tone.FOCUS)
        keys = (
            Piece("v", Tone.FOCUS, bold=True),
            Piece(" vote   ", Tone.QUIET),
            Piece("esc", Tone.FOCUS, bold=True),
            Piece(f" {self._escape_label}", Tone.QUIET),
        )
        return (Row((question,), keys),)

    def on_click(self, _: Click) -> None:
        """Request the vote menu."""
        self.post_message(self.Opened())


VoteTime = Literal["before", "after"]

_VOTE_QUESTIONS = {
    "before": "Where do you stand, before you hear them?",
    "after": "All is said. Where do you stand now?",
}


class VotingView(DebateView):
    """A debate view that asks for the viewer's vote, if enabled, and opens the verdict at the end.

    The question stays in its bar until the user answers or declines, or it is too late. At the end of a
    debate, it comes before the verdict.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "verdict")]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._vote_bar = VoteBar(self._glyphs)
        self._open_vote: VoteTime | None = None
        self._verdict_screen: VerdictScreen | None = None

    def compose(self) -> ComposeResult:
        """Yield the debate with the question above the footer."""
        *above, footer = super().compose()
        if self._options.asks_for_votes and self._handle is not None and not self._has_voted("before"):
            self._ask_for_vote("before")
        yield from above
        yield self._vote_bar
        yield footer

    def _apply_event(self, event: Event) -> None:
        super()._apply_event(event)
        match event:
            case PhaseStarted() if event.phase == VERDICT_PHASE:
                self._ask_for_vote("after")
            case PhaseStarted() if self._open_vote == "before" and len(self._follower.transcript.steps) > 1:
                self._close_vote()
            case Vote() if event.voter == LOCAL_VOTER and event.when == self._open_vote:
                self._close_vote()
            case DebateFinished():
                self._finish_judging(event)
        if isinstance(event, Verdict | Vote) and self._verdict_screen is not None:
            self._verdict_screen.update_verdict()

    # The viewer's vote

    def _has_voted(self, when: VoteTime) -> bool:
        """Return whether the viewer has voted."""
        votes = self._follower.transcript.votes
        return any(vote.when == when and vote.voter == LOCAL_VOTER for vote in votes)

    def _ask_for_vote(self, when: VoteTime) -> None:
        if self._options.asks_for_votes and self._handle is not None and not self._has_voted(when):
            self._open_vote = when
            self._vote_bar.ask(_VOTE_QUESTIONS[when], "not now")

    def _close_vote(self) -> None:
        self._open_vote = None
        self._vote_bar.hide()

    def decline_vote(self) -> bool:
        """Decline to vote; return whether there was a question."""
        if self._open_vote is None:
            return False
        self._close_vote()
        if self._follower.transcript.finish_reason is not None:
            self._show_verdict()
        return True

    def _show_vote_menu(self, when: VoteTime) -> None:
        from debate_tui.tui.screens.dialogs import MenuScreen
        from debate_tui.tui.widgets.option_list import Menu, MenuItem
        from debate_tui.tui.widgets.rows import Piece

        infos = [pane.state.info for pane in self._panes]
        choices = [
            MenuItem(one_line(info.name, 40), letter, (Piece(one_line(info.side, 40), Tone.QUIET),))
            for info, letter in zip(infos, "abcd", strict=False)
        ]
        choices += [MenuItem("undecided", "u"), MenuItem("not now", "n", tone=Tone.QUIET)]

        def voted(index: int | None) -> None:
            if index is None or index > len(infos) or self._handle is None:
                self.decline_vote()
                return
            self._handle(CastVote(when, infos[index].id if index < len(infos) else None))
            self._close_vote()
            self._show_message("Your vote is noted", Tone.FINISHED)
            if self._follower.transcript.finish_reason is not None:
                self._show_verdict()

        self.app.push_screen(MenuScreen(Menu(_VOTE_QUESTIONS[when], choices, self._glyphs)), voted)

    # The verdict

    def _finish_judging(self, event: DebateFinished) -> None:
        """Ask for the final vote if there are verdicts or the viewer voted before; then show the verdict."""
        transcript = self._follower.transcript
        self._close_vote()
        if self._verdict_screen is not None or not (transcript.verdicts or self._has_voted("before")):
            return
        if event.reason == "complete":
            self._ask_for_vote("after")
        if self._open_vote is not None:
            self._show_vote_menu(self._open_vote)
        elif transcript.verdicts:
            self._show_verdict()

    def _show_verdict(self) -> None:
        from debate_tui.domain.judging.summary import summarise_outcome
        from debate_tui.tui.screens.verdict import VerdictScreen

        if summarise_outcome(self._follower.transcript) is None:
            self._show_message(
                "Nobody has judged this debate" if self._is_over else "There is no verdict yet"
            )
            return

        def closed(_: None) -> None:
            self._verdict_screen = None

        self._verdict_screen = VerdictScreen(self._follower.transcript, self._glyphs)
        self.app.push_screen(self._verdict_screen, closed)

    @property
    def _is_over(self) -> bool:
        return self._follower.transcript.finish_reason is not None

    @property
    def verdict_label(self) -> str:
        """The footer's label for ``v``; empty if the key does nothing now, or the question shows it."""
        return "verdict" if self._open_vote is None and self._follower.transcript.verdicts else ""

    def action_verdict(self) -> None:
        """Open the vote menu if there is a question, otherwise the verdict."""
        if self._open_vote is not None:
            self._show_vote_menu(self._open_vote)
        else:
            self._show_verdict()

    def on_vote_bar_opened(self, _: VoteBar.Opened) -> None:
        """Open the vote menu."""
        self.action_verdict()
