"""A debate that is judged on screen: the viewer's own vote before and after it, and then the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType

from debate_tui.domain.debate import VERDICT
from debate_tui.domain.events import DebateFinished, PhaseStarted, Verdict, Vote
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.votes import USER
from debate_tui.tui.screens.view import DebateView
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.ballot import BallotLine

if TYPE_CHECKING:
    from typing import Any

    from textual.app import ComposeResult

    from debate_tui.domain.events import Event
    from debate_tui.tui.screens.verdict import VerdictScreen

When = Literal["before", "after"]

_QUESTIONS = {
    "before": "Where do you stand, before you hear them?",
    "after": "All is said. Where do you stand now?",
}


class JudgedView(DebateView):
    """Asks for the viewer's vote where a vote is wanted and taken, and opens the verdict at the end.

    The question waits in a line of its own until it is answered, refused or too late. At the end of a debate
    it comes before the verdict.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "verdict")]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._ballot = BallotLine(self._glyphs)
        self._asked: When | None = None
        self._shown: VerdictScreen | None = None

    def compose(self) -> ComposeResult:
        """The debate, with the question above its footer."""
        *above, footer = super().compose()
        if self._options.votes and self._commands is not None and not self._votes("before"):
            self._ask("before")
        yield from above
        yield self._ballot
        yield footer

    def _take(self, event: Event) -> None:
        super()._take(event)
        match event:
            case PhaseStarted() if event.phase == VERDICT:
                self._ask("after")
            case PhaseStarted() if self._asked == "before" and len(self._follower.transcript.steps) > 1:
                self._stop_asking()
            case Vote() if event.voter == USER and event.when == self._asked:
                self._stop_asking()
            case DebateFinished():
                self._conclude(event)
        if isinstance(event, Verdict | Vote) and self._shown is not None:
            self._shown.look()

    # The viewer's vote

    def _votes(self, when: When) -> bool:
        """Whether the viewer has voted."""
        votes = self._follower.transcript.votes
        return any(vote.when == when and vote.voter == USER for vote in votes)

    def _ask(self, when: When) -> None:
        if self._options.votes and self._commands is not None and not self._votes(when):
            self._asked = when
            self._ballot.ask(_QUESTIONS[when], "not now")

    def _stop_asking(self) -> None:
        self._asked = None
        self._ballot.close()

    def refuse_vote(self) -> bool:
        """Leave the question unanswered; says whether there was one."""
        if self._asked is None:
            return False
        self._stop_asking()
        if self._follower.transcript.finished is not None:
            self._show_verdict()
        return True

    def _vote(self, when: When) -> None:
        from debate_tui.tui.screens.menu import MenuScreen
        from debate_tui.tui.widgets.line import Piece
        from debate_tui.tui.widgets.menu import Choice, Menu

        infos = [pane.speaker.info for pane in self._panes]
        choices = [
            Choice(one_line(info.name, 40), letter, (Piece(one_line(info.side, 40), Tone.QUIET),))
            for info, letter in zip(infos, "abcd", strict=False)
        ]
        choices += [Choice("undecided", "u"), Choice("not now", "n", tone=Tone.QUIET)]

        def voted(place: int | None) -> None:
            if place is None or place > len(infos) or self._commands is None:
                self.refuse_vote()
                return
            self._commands.vote(when, infos[place].id if place < len(infos) else None)
            self._stop_asking()
            self._say("Your vote is noted", Tone.FINISHED)
            if self._follower.transcript.finished is not None:
                self._show_verdict()

        self.app.push_screen(MenuScreen(Menu(_QUESTIONS[when], choices, self._glyphs)), voted)

    # The verdict

    def _conclude(self, event: DebateFinished) -> None:
        """The debate is over: ask once more if that was begun or somebody judged, then show the verdict."""
        transcript = self._follower.transcript
        self._stop_asking()
        if self._shown is not None or not (transcript.verdicts or self._votes("before")):
            return
        if event.reason == "complete":
            self._ask("after")
        if self._asked is not None:
            self._vote(self._asked)
        elif transcript.verdicts:
            self._show_verdict()

    def _show_verdict(self) -> None:
        from debate_tui.domain.judgement import judgement
        from debate_tui.tui.screens.verdict import VerdictScreen

        if judgement(self._follower.transcript) is None:
            self._say("Nobody has judged this debate" if self._is_over else "There is no verdict yet")
            return

        def closed(_: None) -> None:
            self._shown = None

        self._shown = VerdictScreen(self._follower.transcript, self._glyphs)
        self.app.push_screen(self._shown, closed)

    @property
    def _is_over(self) -> bool:
        return self._follower.transcript.finished is not None

    @property
    def verdict_key(self) -> str:
        """What ``v`` does now, for the footer; empty where that is nothing, or the question says it."""
        return "verdict" if self._asked is None and self._follower.transcript.verdicts else ""

    def action_verdict(self) -> None:
        """Vote, if that is asked for; else show what was decided."""
        if self._asked is not None:
            self._vote(self._asked)
        else:
            self._show_verdict()

    def on_ballot_line_opened(self, _: BallotLine.Opened) -> None:
        """Vote."""
        self.action_verdict()
