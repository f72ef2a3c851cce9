"""The editor in which a person writes a turn, with what the phase asks for above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.text import WordCounter
from debate_tui.domain.wording import count_of
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.events import Paste


class TurnTextArea(TextArea):
    """The text of a turn; `on_focus_gained` is called when the user goes to it, also by a click."""

    DEFAULT_CSS = """
    TurnTextArea, TurnTextArea:focus {
        height: 1fr;
        min-height: 1;
        border: none;
        padding: 0 1;
        background: $surface;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s,ctrl+enter", "editor.send", show=False)]

    def __init__(self, text: str, on_focus_gained: Callable[[], None]) -> None:
        super().__init__(text, tab_behavior="focus", highlight_cursor_line=False, max_checkpoints=500)
        self._on_focus_gained = on_focus_gained
        self.move_cursor(self.document.end)

    def on_mount(self) -> None:
        """Respect ``TEXTUAL_ANIMATIONS``."""
        self.cursor_blink = self.app.animation_level != "none"

    def on_focus(self) -> None:
        self._on_focus_gained()

    def on_resize(self) -> None:
        """Repaint the text: Textual (8.2) does not if it is wrapped into as many lines as before."""
        self.refresh()

    def on_paste(self, event: Paste) -> None:
        """Clean the text before Textual inserts it."""
        event.text = sanitise(event.text)


class TurnEditor(Vertical):
    """An editor for one turn, which begins with `text`; `words` is the length asked for, 0 if none is.

    `on_change` is called with the text after every change. The editor is `active` unless the user has left it
    for the keys of the screen.
    """

    DEFAULT_CSS = """
    TurnEditor { height: 3fr; }
    TurnEditor Static { height: auto; max-height: 50%; padding: 0 1; color: $quiet; }
    """

    def __init__(
        self,
        instruction: str,
        text: str,
        words: int,
        *,
        on_change: Callable[[str], None],
        on_focus: Callable[[], None],
    ) -> None:
        super().__init__()
        self.active = True
        self._instruction = Static(Content(instruction))
        self._instruction.display = bool(instruction)
        self._words = words
        self._report_change = on_change
        self._report_focus = on_focus
        self._word_count = _count_words(text)
        self.text_area = TurnTextArea(text, self._enter)

    def compose(self) -> ComposeResult:
        yield self._instruction
        yield self.text_area

    @property
    def text(self) -> str:
        """The text without blank lines and spaces around it."""
        return self.text_area.text.strip()

    @property
    def length_pieces(self) -> tuple[Piece, ...]:
        """The number of words, against the target if there is one."""
        count, target = self._word_count, self._words
        if not target:
            return (Piece(count_of(count, "word"), Tone.QUIET),)
        if count <= target:
            return (Piece(f"{count:,}/{target:,} words", Tone.QUIET),)
        return (Piece(f"{count:,}/{target:,} words: {count - target:,} too many", Tone.RECONNECTING),)

    def _enter(self) -> None:
        self.active = True
        self._report_focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._word_count = _count_words(self.text_area.text)
        self._report_change(self.text_area.text)


def _count_words(text: str) -> int:
    counter = WordCounter()
    counter.feed(text)
    return counter.count
