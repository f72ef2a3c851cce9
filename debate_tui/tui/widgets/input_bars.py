"""A line to type in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from debate_tui.tui.symbols import Glyphs


class LineInput(Input):
    """One row without a frame; its cursor stands still where animations are not wanted.

    Enter and Escape do what the screen's actions of these names do, before another key is looked at. They
    tell nobody by message: it would be heard too late for the keys that are typed right behind them.
    """

    DEFAULT_CSS = """
    LineInput, LineInput:focus {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, value: str = "", *, enter_action: str, escape_action: str, **kwargs: Any) -> None:
        super().__init__(value, **kwargs)
        self._enter_action = enter_action
        self._escape_action = escape_action

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return self.value.strip()

    def on_mount(self) -> None:
        """Heed ``TEXTUAL_ANIMATIONS``."""
        self.cursor_blink = self.app.animation_level != "none"

    async def action_submit(self) -> None:
        """What Enter does."""
        await self.run_action(f"screen.{self._enter_action}")

    async def action_leave(self) -> None:
        """What Escape does."""
        await self.run_action(f"screen.{self._escape_action}")


# The line in which a list is narrowed down to what contains some words.


class FilterLabel(TextRows):
    """The sign before the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.styles.width = len(text) + 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """The sign."""
        return (Row((Piece(self._text, Tone.FOCUS, bold=True),)),)


class FilterBar(Horizontal):
    """What is typed is heard as `Input.DirtyRows`."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        background: $surface;
        FilterLabel { height: 1; background: $surface; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._initial_text = text
        self.input = LineInput(
            enter_action="replay",
            escape_action="back",
            placeholder="words of the topic, a name, a model",
            max_length=200,
        )

    def compose(self) -> ComposeResult:
        """Sign and words, those from the beginning among them."""
        self.input.value = self._initial_text
        yield FilterLabel("/")
        yield self.input


# The line in which is typed what to search for.


MAX_SEARCH_CHARACTERS = 200


class SearchLabel(TextRows):
    """The sign before the text."""

    def rows(self, width: int) -> tuple[Row, ...]:
        """A slash."""
        return (Row((Piece("/", Tone.FOCUS, bold=True),)),)


class MatchCount(TextRows):
    """How many matches there are, and which one is shown."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._piece = Piece("")

    def update(self, progress: SearchPosition | None) -> None:
        """Show where the search stands; `None` while nothing is searched for."""
        if progress is None:
            self._piece = Piece("")
        elif not progress.total:
            self._piece = Piece("no match" if progress.is_complete else self._glyphs.ellipsis, Tone.QUIET)
        else:
            more = "" if progress.is_complete else self._glyphs.ellipsis
            shown = f"{progress.current:,} of " if progress.current else ""
            noun = "" if progress.current else " match" if progress.total == 1 else " matches"
            self._piece = Piece(f"{shown}{progress.total:,}{more}{noun}", Tone.FOCUS, bold=True)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """It, at the right."""
        return (Row((), (self._piece,)),)


class SearchBar(Horizontal):
    """Whoever hears what it says searches; `match_count` is told how that went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,up", "screen.next_match(-1)"),
        Binding("down", "screen.next_match(1)"),
    ]

    DEFAULT_CSS = """
    SearchBar {
        height: 1;
        background: $surface;
        SearchLabel { width: 3; height: 1; background: $surface; }
        MatchCount { width: 22; height: 1; background: $surface; }
    }
    """

    class Changed(Message):
        """There is something else to search for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.match_count = MatchCount(glyphs)
        self.input = LineInput(
            enter_action="next_match(1)",
            escape_action="back",
            placeholder="words in any pane; enter goes to the next match",
            max_length=MAX_SEARCH_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """SearchLabel, text, count."""
        yield SearchLabel()
        yield self.input
        yield self.match_count

    def on_input_changed(self, message: Input.Changed) -> None:
        """Search for it."""
        message.stop()
        self.post_message(self.Changed(message.value))


# The line in which the moderator speaks to one debater or to all.


MAX_INTERJECTION_CHARACTERS = 2000


class RecipientLabel(TextRows):
    """Whom it is put to."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.recipient_name = "all"

    def rows(self, width: int) -> tuple[Row, ...]:
        """A mark and a name."""
        return (
            Row((Piece(f"{self._glyphs.interjection} to {self.recipient_name}", Tone.FOCUS, bold=True),)),
        )


class InterjectionBar(Horizontal):
    """Tab chooses to whom; on the screen's actions ``say`` and ``back``, its owner removes the line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_recipient", priority=True)]

    DEFAULT_CSS = """
    InterjectionBar {
        height: 1;
        background: $surface;
        RecipientLabel { width: 20; }
    }
    """

    def __init__(self, debater_names: Mapping[str, str], glyphs: Glyphs) -> None:
        super().__init__()
        self._debater_names = debater_names
        self._recipients: list[str | None] = [None, *debater_names]
        self.recipient: str | None = None
        """The debater it is put to; `None` for all."""
        self._recipient_label = RecipientLabel(glyphs)
        self._input = LineInput(
            enter_action="send_interjection",
            escape_action="back",
            placeholder="A question or remark, put to them at their next turn. Tab: to whom. Esc: close",
            max_length=MAX_INTERJECTION_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """RecipientLabel and text."""
        yield self._recipient_label
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self._input)

    def action_next_recipient(self) -> None:
        """To the next debater, and round again to all."""
        self.recipient = self._recipients[
            (self._recipients.index(self.recipient) + 1) % len(self._recipients)
        ]
        self._recipient_label.recipient_name = (
            "all" if self.recipient is None else self._debater_names[self.recipient]
        )
        self._recipient_label.refresh_rows()

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.text


# A line in which the moderator answers a question: a label and what is typed.


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


class SearchPosition(NamedTuple):
    """Which match is shown, counted from 1 over all panes, 0 for none; of how many; whether all are found."""

    current: int
    total: int
    is_complete: bool
