"""One-line inputs: filter, search, interjection and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

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
    from debate_tui.tui.widgets.page_search import SearchPosition


class LineInput(Input):
    """An input of one row without a border; its cursor does not blink if animations are turned off.

    Enter and Escape run the screen's actions given by name before the next key is processed. A message would
    arrive too late for the keys typed right after them.
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
        """The typed text without surrounding blanks."""
        return self.value.strip()

    def on_mount(self) -> None:
        """Respect ``TEXTUAL_ANIMATIONS``."""
        self.cursor_blink = self.app.animation_level != "none"

    async def action_submit(self) -> None:
        """Run the action for Enter."""
        await self.run_action(f"screen.{self._enter_action}")

    async def action_leave(self) -> None:
        """Run the action for Escape."""
        await self.run_action(f"screen.{self._escape_action}")


# The bar that filters a list.


class FilterLabel(TextRows):
    """The label before the input."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.styles.width = len(text) + 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the label."""
        return (Row((Piece(self._text, Tone.FOCUS, bold=True),)),)


class FilterBar(Horizontal):
    """An input that filters a list; it posts `Input.Changed` when the text changes."""

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
        """Yield the label and the input with the initial text."""
        self.input.value = self._initial_text
        yield FilterLabel("/")
        yield self.input


# The search bar.


MAX_SEARCH_CHARACTERS = 200


class SearchLabel(TextRows):
    """The label before the input."""

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return a slash."""
        return (Row((Piece("/", Tone.FOCUS, bold=True),)),)


class MatchCount(TextRows):
    """The number of matches, and which one is shown."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._piece = Piece("")

    def update(self, progress: SearchPosition | None) -> None:
        """Show the position of the search; `None` means that there is no search."""
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
        """Return the count at the right."""
        return (Row((), (self._piece,)),)


class SearchBar(Horizontal):
    """A search input; the owner searches on `Changed` and updates `match_count`."""

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
        """Posted when the search text changes."""

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
        """Yield the label, the input and the match count."""
        yield SearchLabel()
        yield self.input
        yield self.match_count

    def on_input_changed(self, message: Input.Changed) -> None:
        """Post the changed search text."""
        message.stop()
        self.post_message(self.Changed(message.value))


# The bar in which the moderator writes to one debater or to all.


MAX_INTERJECTION_CHARACTERS = 2000


class RecipientLabel(TextRows):
    """The recipient of an interjection."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.recipient_name = "all"

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return a mark and the recipient's name."""
        return (
            Row((Piece(f"{self._glyphs.interjection} to {self.recipient_name}", Tone.FOCUS, bold=True),)),
        )


class InterjectionBar(Horizontal):
    """An input for an interjection; Tab selects the recipient.

    Its owner removes it in the screen's actions ``send_interjection`` and ``back``.
    """

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
        """The debater who receives it; `None` for all."""
        self._recipient_label = RecipientLabel(glyphs)
        self._input = LineInput(
            enter_action="send_interjection",
            escape_action="back",
            placeholder="A question or remark, put to them at their next turn. Tab: to whom. Esc: close",
            max_length=MAX_INTERJECTION_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """Yield the recipient and the input."""
        yield self._recipient_label
        yield self._input

    def on_mount(self) -> None:
        """Focus the input."""
        self.screen.set_focus(self._input)

    def action_next_recipient(self) -> None:
        """Select the next debater; after the last one, select all."""
        self.recipient = self._recipients[
            (self._recipients.index(self.recipient) + 1) % len(self._recipients)
        ]
        self._recipient_label.recipient_name = (
            "all" if self.recipient is None else self._debater_names[self.recipient]
        )
        self._recipient_label.refresh_rows()

    @property
    def text(self) -> str:
        """The typed text."""
        return self._input.text


# The bar in which the moderator answers a question.


MAX_ANSWER_CHARACTERS = 2000


class QuestionLabel(TextRows):
    """The question."""

    def __init__(self, text: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._piece = Piece(f"{glyphs.interjection} {text}", Tone.FOCUS, bold=True)
        self.styles.width = pieces_width((self._piece,)) + 2 * self.inset

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return a mark and the question."""
        return (Row((self._piece,)),)


class AnswerBar(Horizontal):
    """An input for an answer.

    In the screen's actions ``submit_answer`` and ``back``, its owner removes it or keeps it for another try.
    """

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
        """Yield the question and the input."""
        yield self._question_label
        yield self._input

    def on_mount(self) -> None:
        """Focus the input."""
        self.screen.set_focus(self._input)

    @property
    def text(self) -> str:
        """The typed text."""
        return self._input.text
