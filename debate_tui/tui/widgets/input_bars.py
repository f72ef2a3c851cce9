"""One-line inputs: filter, search, interjection and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import UNICODE
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult
    from textual.events import Paste

    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.page_search import SearchPosition


MAX_SEARCH_CHARACTERS = 200
MAX_MESSAGE_CHARACTERS = 2000
"""Maximum characters of an interjection or an answer."""


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

    def on_paste(self, event: Paste) -> None:
        """Put the text on one line: Textual (8.2) would keep only the first; removable once it does not."""
        event.text = event.text.replace("\n", " ")

    async def action_submit(self) -> None:
        """Run the action for Enter."""
        await self.screen.run_action(self._enter_action)

    async def action_leave(self) -> None:
        """Run the action for Escape."""
        await self.screen.run_action(self._escape_action)


class BarLabel(TextRows):
    """The label before an input, as wide as its text unless a `width` is given."""

    DEFAULT_CSS = "BarLabel { height: 1; background: $surface; }"

    def __init__(self, text: str, glyphs: Glyphs = UNICODE, *, width: int | None = None) -> None:
        super().__init__(glyphs)
        self._piece = Piece(text, Tone.FOCUS, bold=True)
        self.styles.width = width or pieces_width((self._piece,)) + 2 * self.inset

    def update(self, text: str) -> None:
        """Show another text in the same width."""
        self._piece = self._piece._replace(text=text)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        return (Row((self._piece,)),)


class InputBar(Horizontal):
    """A label and an input; the code that mounts it removes it in the actions for Enter and Escape."""

    FOCUS_ON_MOUNT: ClassVar[bool] = True
    DEFAULT_CSS = "InputBar { height: 1; background: $surface; }"

    def __init__(self, label: BarLabel, line_input: LineInput) -> None:
        super().__init__()
        self.label = label
        self.input = line_input

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.input

    def on_mount(self) -> None:
        if self.FOCUS_ON_MOUNT:
            self.screen.set_focus(self.input)


class FilterBar(InputBar):
    """An input that filters a list; it posts `Input.Changed` when the text changes."""

    FOCUS_ON_MOUNT = False

    def __init__(self) -> None:
        super().__init__(
            BarLabel("/"),
            LineInput(
                enter_action="open('read')",
                escape_action="back",
                placeholder="Filter by topic, name or model",
                max_length=MAX_SEARCH_CHARACTERS,
            ),
        )


class MatchCount(TextRows):
    """The number of matches, and which one is shown."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._piece = Piece("")

    def update(self, progress: SearchPosition | None) -> None:
        """Show the position of the search; `None` means that there is no search."""
        if progress is None:
            self._piece = Piece("")
        elif not progress.total:
            self._piece = Piece("no matches" if progress.is_complete else self._glyphs.ellipsis, Tone.QUIET)
        else:
            more = "" if progress.is_complete else self._glyphs.ellipsis
            shown = f"{progress.current:,} of " if progress.current else ""
            noun = "" if progress.current else " match" if progress.total == 1 else " matches"
            self._piece = Piece(f"{shown}{progress.total:,}{more}{noun}", Tone.FOCUS, bold=True)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        return (Row((), (self._piece,)),)


class SearchBar(InputBar):
    """A search input with the match count; `on_change` is called with the text when it changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,up", "search.next(-1)"),
        Binding("down", "search.next(1)"),
    ]

    DEFAULT_CSS = "SearchBar MatchCount { width: 22; height: 1; background: $surface; }"

    def __init__(self, glyphs: Glyphs, on_change: Callable[[str], None]) -> None:
        super().__init__(
            BarLabel("/"),
            LineInput(
                enter_action="search.next(1)",
                escape_action="back",
                placeholder="Search all panes; Enter goes to the next match",
                max_length=MAX_SEARCH_CHARACTERS,
            ),
        )
        self.match_count = MatchCount(glyphs)
        self._on_change = on_change

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.match_count

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._on_change(message.value)


class InterjectionBar(InputBar):
    """An input for an interjection; Tab selects the recipient."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_recipient", priority=True)]

    def __init__(self, debater_names: Mapping[str, str], glyphs: Glyphs) -> None:
        self._mark = glyphs.interjection
        super().__init__(
            BarLabel(f"{self._mark} to all", glyphs, width=20),
            LineInput(
                enter_action="moderation.send_interjection",
                escape_action="back",
                placeholder="A question or remark for their next turn (Tab: recipient, Esc: cancel)",
                max_length=MAX_MESSAGE_CHARACTERS,
                select_on_focus=False,
            ),
        )
        self._debater_names = debater_names
        self._recipients: list[str | None] = [None, *debater_names]
        self.recipient: str | None = None
        """The debater who receives it; `None` for all."""

    def action_next_recipient(self) -> None:
        """Select the next debater; after the last one, select all."""
        self.recipient = self._recipients[
            (self._recipients.index(self.recipient) + 1) % len(self._recipients)
        ]
        name = "all" if self.recipient is None else self._debater_names[self.recipient]
        self.label.update(f"{self._mark} to {name}")


class AnswerBar(InputBar):
    """An input for the answer to a question; `on_answer` is called with each answer."""

    def __init__(
        self, question: str, placeholder: str, glyphs: Glyphs, on_answer: Callable[[str], None]
    ) -> None:
        super().__init__(
            BarLabel(f"{glyphs.interjection} {question}", glyphs),
            LineInput(
                enter_action="moderation.submit_answer",
                escape_action="back",
                placeholder=placeholder,
                max_length=MAX_MESSAGE_CHARACTERS,
                select_on_focus=False,
            ),
        )
        self.on_answer = on_answer
