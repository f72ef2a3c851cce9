"""A line in which the moderator answers a question: a label and what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import LineInput
from debate_tui.tui.widgets.line import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from debate_tui.tui.glyphs import Glyphs

MAX_ANSWER_CHARACTERS = 2000


class QuestionLabel(TextRows):
    """What is asked."""

    def __init__(self, text: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._piece = Piece(f"{glyphs.interjection} {text}", Tone.FOCUS, bold=True)
        self.styles.width = pieces_width((self._piece,)) + 2 * self.inset

    def rows(self, width: int) -> tuple[Row, ...]:
        """A mark and the question."""
        return (Row((self._piece,)),)


class AnswerBar(Horizontal):
    """On the screen's actions ``answer`` and ``back``, its owner removes the line, or has it tried again."""

    DEFAULT_CSS = """
    AnswerBar {
        height: 1;
        background: $surface;
    }
    """

    def __init__(self, question: str, placeholder: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._question_label = QuestionLabel(question, glyphs)
        self._input = LineInput(
            enter_action="submit_answer",
            escape_action="back",
            placeholder=placeholder,
            max_length=MAX_ANSWER_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """AnswerBar and answer."""
        yield self._question_label
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self._input)

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.text
