"""Dialogs: cards, menus and inputs in the middle of the screen, over the running debate."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

from rich.cells import set_cell_size
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.widgets import Static

from debate_tui.domain import wording
from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.tui import themes
from debate_tui.tui.styles import DimmedScreen, Tone
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.option_list import MarkedList, PlainScrollBarRender, to_content, to_lines
from debate_tui.tui.widgets.rows import Piece, Row, justify, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.content import Content
    from textual.events import Click, Key, Resize
    from textual.geometry import Size
    from textual.theme import Theme
    from textual.widgets import OptionList

    from debate_tui.domain.exports import ExportType
    from debate_tui.domain.stream import FaultReport
    from debate_tui.session.commands import FaultDecision
    from debate_tui.tui.symbols import Glyphs

Result = TypeVar("Result")


class OverlayScreen(ModalScreen[Result]):
    """A modal screen with the debate visible below it; Escape or a click outside its widgets closes it."""

    DEFAULT_CSS = """
    OverlayScreen {
        align: center middle;
        background: $background 60%;
        & > .card {
            width: auto;
            height: auto;
            max-width: 100%;
            max-height: 100%;
            padding: 1 3;
            background: $panel;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close"),
        Binding("question_mark,f1", "app.help"),
        Binding("ctrl+q", "app.quit"),
    ]
    HELP_TOPIC: ClassVar[str] = "card"
    """The entry of `screens.help` with the keys of this screen."""
    _is_withdrawn = False

    def render(self) -> RenderableType:
        below = super().render()
        if self.app.no_color and isinstance(below, BackgroundScreen):
            return DimmedScreen(below.screen, below.color)
        return below

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close the screen if it is in front: a key pressed twice may arrive after it has closed."""
        if self.is_active:
            return super().dismiss(result)
        # Textual (8.2) does not annotate `nothing`.
        nothing: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
        return nothing

    def withdraw(self) -> None:
        """Close the screen, which is no longer needed, now or when it is in front again."""
        self._is_withdrawn = True
        self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Close the screen if it was withdrawn while another was in front."""
        if self._is_withdrawn:
            self.dismiss(None)

    def action_close(self) -> None:
        """Close the screen without a result."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """Close the screen on a click outside its widgets."""
        if self.get_widget_at(*event.screen_offset)[0] is self:
            self.dismiss(None)


PARAGRAPH_WIDTH = 64
COLUMNS_AROUND_CARD = 6
"""Columns of a card besides its text: the padding, and one for the scrollbar."""


class CardScreen(OverlayScreen[Result]):
    """A screen with rows of text under a title; they scroll if they do not fit."""

    DEFAULT_CSS = """
    CardScreen > .card {
        padding: 1 2 1 3;
        scrollbar-size-vertical: 1;
        & > Static { width: auto; padding: 0 1 0 0; }
    }
    """

    def __init__(self, title: str, rows: Sequence[Sequence[Piece]], glyphs: Glyphs) -> None:
        super().__init__()
        self.title_text = title
        self._rows = rows
        self._glyphs = glyphs
        self._text = Static()

    def rows(self, width: int) -> Sequence[Sequence[Piece]]:
        """Return the rows under the title for `width` cells; rows of a single piece are wrapped."""
        rows: list[Sequence[Piece]] = []
        for row in self._rows:
            if len(row) == 1:
                text = self._glyphs.displayable(row[0].text)
                lines = textwrap.wrap(text, min(width, PARAGRAPH_WIDTH))
                rows += ((row[0]._replace(text=line),) for line in lines)
            else:
                rows.append(row)
        return rows

    def compose(self) -> ComposeResult:
        """Yield the text, which is wrapped for the terminal from the first frame on."""
        self.show_rows(self.app.size.width)
        with VerticalScroll(classes="card"):
            yield self._text

    def on_mount(self) -> None:
        """Draw the scrollbar without blocks of eighths, which ASCII terminals do not have."""
        # Textual (8.2) documents this assignment, but declares the attribute as one of the class.
        self.query_one(VerticalScroll).vertical_scrollbar.renderer = PlainScrollBarRender  # type: ignore[misc]

    def on_resize(self, event: Resize) -> None:
        self.show_rows(event.size.width)

    def show_rows(self, width: int) -> None:
        """Show the current title and rows on a screen of `width` cells."""
        available = max(1, width - COLUMNS_AROUND_CARD)
        rows = self.rows(available)
        title, close = (Piece(self.title_text, Tone.FOCUS, bold=True),), (Piece("esc close", Tone.QUIET),)
        least = pieces_width((*title, *close)) + 2
        heading = justify(Row(title, close), min(available, max(least, *map(pieces_width, rows))))
        self._text.update(to_lines([heading, (), *rows], self._glyphs))


# Menu dialogs. The result is the index of the chosen item, or `None`.


class MenuItem(NamedTuple):
    """A label, an optional letter that chooses the item directly, and optional details."""

    label: str
    key: str = ""
    detail: tuple[Piece, ...] = ()
    tone: Tone = Tone.TEXT


class Menu(MarkedList):
    """The list of a menu."""

    DEFAULT_CSS = "Menu { width: auto; max-width: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "cursor_down"),
        Binding("shift+tab", "cursor_up"),
        Binding("space", "select"),
    ]


INTRODUCTION_WIDTH = 60
COLUMNS_AROUND_MENU = 6
ROWS_AROUND_MENU = 3
"""Rows of a menu dialog besides heading and items: the padding, and a blank row between the two."""


class MenuScreen(OverlayScreen[int | None]):
    """A menu over a screen; the result is the index of the chosen item, or `None` if it was closed.

    `introduction` are paragraphs below the title. On a small screen, the first one is cut.
    """

    HELP_TOPIC = "menu"
    DEFAULT_CSS = "MenuScreen #heading { width: auto; height: auto; padding: 0 0 1 0; }"

    def __init__(
        self,
        title: str,
        items: Sequence[MenuItem],
        glyphs: Glyphs,
        *,
        highlighted: int = 0,
        introduction: Sequence[Piece] = (),
    ) -> None:
        super().__init__()
        self._title = title
        self._introduction = introduction
        self._glyphs = glyphs
        self._heading = Static(id="heading")
        self._keys = [item.key for item in items]
        self._highlighted = highlighted
        self.menu = Menu(glyphs, _menu_rows(items, glyphs))

    def compose(self) -> ComposeResult:
        with Vertical(classes="card"):
            yield self._heading
            yield self.menu

    def on_mount(self) -> None:
        self._fit_to(self.app.size)
        self.menu.highlighted = self._highlighted
        self.set_focus(self.menu)

    def on_resize(self, event: Resize) -> None:
        self._fit_to(event.size)

    def _fit_to(self, size: Size) -> None:
        """Cut the introduction if necessary, and scroll the menu if it is too long for the screen."""
        available = max(10, size.width - COLUMNS_AROUND_MENU)
        width = min(INTRODUCTION_WIDTH, available)
        room = size.height - ROWS_AROUND_MENU
        spare = room - self.menu.option_count - 1
        rows: list[tuple[Piece, ...]] = []
        for piece in reversed(self._introduction):
            lines = textwrap.wrap(
                self._glyphs.displayable(piece.text),
                width,
                max_lines=max(1, spare - len(rows)) if piece is self._introduction[0] else None,
                placeholder=f" {self._glyphs.ellipsis}",
            )
            rows[:0] = [(piece._replace(text=line),) for line in lines]
            if len(rows) < spare - 1:
                rows.insert(0, ())
        title = Piece(self._title, Tone.FOCUS, bold=True)
        heading = [*((title._replace(text=line),) for line in textwrap.wrap(self._title, available)), *rows]
        self._heading.update(to_lines(heading, self._glyphs))
        self.menu.styles.max_height = max(1, room - len(heading))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Close the menu with the chosen item."""
        self.dismiss(message.option_index)

    def on_key(self, event: Key) -> None:
        """Choose the item with this letter."""
        if event.character and event.character in self._keys:
            event.stop()
            self.dismiss(self._keys.index(event.character))


def _menu_rows(items: Sequence[MenuItem], glyphs: Glyphs) -> list[Content]:
    key_width = max(len(item.key) for item in items)
    labels = [glyphs.displayable(item.label) for item in items]
    label_width = max(pieces_width((Piece(label),)) for label in labels)
    return [
        to_content(
            (
                Piece(f"{item.key:<{key_width}}  " if key_width else "", Tone.FOCUS, bold=True),
                Piece(set_cell_size(label, label_width) if item.detail else label, item.tone),
                *((Piece("  "), *item.detail) if item.detail else ()),
            ),
            glyphs,
        )
        for item, label in zip(items, labels, strict=True)
    ]


_EXPORT_CHOICES: dict[ExportType, MenuItem] = {
    "md": MenuItem("Markdown", "m", (Piece("for notes and repositories", Tone.QUIET),)),
    "html": MenuItem("HTML", "h", (Piece("a page that plays, to print or send", Tone.QUIET),)),
    "json": MenuItem("JSON", "j", (Piece("every event, for programs", Tone.QUIET),)),
    "txt": MenuItem("Text", "t", (Piece("plain text without markup", Tone.QUIET),)),
    "prompts": MenuItem("Prompts", "p", (Piece("all that was sent, with parameters", Tone.QUIET),)),
}


class ExportMenuScreen(MenuScreen):
    """A menu of export types; the result is an index into them."""

    def __init__(self, glyphs: Glyphs, types: Sequence[ExportType]) -> None:
        super().__init__("Export the debate as", [_EXPORT_CHOICES[form] for form in types], glyphs)


class ConfirmDeleteScreen(MenuScreen):
    """A confirmation before a debate is deleted; the result is 1 for yes."""

    def __init__(self, topic: str, glyphs: Glyphs) -> None:
        choices = (MenuItem("Keep it", "n"), MenuItem("Delete it permanently", "y", tone=Tone.FAILED))
        super().__init__(f"Delete “{one_line(topic, 48)}”?", choices, glyphs)


SWATCH_TONES = (Tone.FOCUS, Tone.STREAMING, Tone.CONNECTED, Tone.PAUSED, Tone.RECONNECTING, Tone.FAILED)
"""The tones shown as a theme's colour sample."""


class ThemeScreen(MenuScreen):
    """A menu that previews the highlighted theme; the caller applies the final choice."""

    DEFAULT_CSS = "ThemeScreen { align: right middle; background: $background 0%; }"

    def __init__(self, available: Sequence[Theme], current: str, glyphs: Glyphs) -> None:
        self._names = [theme.name for theme in available]
        at = self._names.index(current) if current in self._names else 0
        super().__init__(
            "Theme", [_theme_choice(theme, glyphs) for theme in available], glyphs, highlighted=at
        )

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        if self.is_current:
            self.app.theme = self._names[message.option_index]


def _theme_choice(theme: Theme, glyphs: Glyphs) -> MenuItem:
    colours = themes.theme_variables(theme)
    swatch = tuple(Piece(glyphs.dot, colours[tone]) for tone in SWATCH_TONES)
    return MenuItem(theme.name, detail=(*swatch, Piece("  dark" if theme.dark else "  light", Tone.QUIET)))


# A dialog for a line of text.


MAX_INPUT_CHARACTERS = 1000


class InputScreen(OverlayScreen[str | None]):
    """A dialog for a line of text; the result is the text, or `None` if it was closed.

    `check` raises `DebateError` for invalid text; the error is shown and the dialog stays open. `text` is the
    initial text; `max_characters` limits its length.
    """

    HELP_TOPIC = "input"
    DEFAULT_CSS = """
    InputScreen > .card {
        width: 72;
        Input, Input:focus { height: 1; border: none; padding: 0 1; background: $surface; margin: 1 0; }
        #error { color: $badge-failed; margin: 0 0 1 0; }
        #examples { color: $quiet; }
    }
    """

    def __init__(
        self,
        title: str,
        examples: Sequence[str],
        glyphs: Glyphs,
        *,
        check: Callable[[str], object],
        text: str = "",
        max_characters: int = MAX_INPUT_CHARACTERS,
    ) -> None:
        super().__init__()
        self._check = check
        self._glyphs = glyphs
        self._input = LineInput(
            text,
            enter_action="accept",
            escape_action="close",
            max_length=max_characters,
            select_on_focus=False,
        )
        self._heading = to_content((Piece(title, Tone.FOCUS, bold=True),), glyphs)
        self._examples = Static(to_lines([(Piece(example),) for example in examples], glyphs), id="examples")
        self._error = Static(id="error")

    def compose(self) -> ComposeResult:
        self._error.display = False
        with Vertical(classes="card"):
            yield Static(self._heading, id="heading")
            yield self._input
            yield self._error
            yield self._examples

    def on_mount(self) -> None:
        self.set_focus(self._input)

    def action_accept(self) -> None:
        """Close the dialog with the text if it is valid."""
        text = self._input.text
        try:
            self._check(text)
        except DebateError as error:
            self._error.update(to_lines([(Piece(error.message),), (Piece(error.hint),)], self._glyphs))
            self._error.display = True
        else:
            self.dismiss(text)


# The full error of one stream.


MAX_FAULT_CHARACTERS = 4000


class FaultScreen(CardScreen[None]):
    """The dialog opened with Enter on a pane whose stream has a fault."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "close")]

    def __init__(self, name: str, fault: FaultReport, glyphs: Glyphs) -> None:
        status = f" (HTTP status {fault.status})" if fault.status is not None else ""
        kind = Piece(f"{wording.describe_fault_kind(fault).capitalize()}{status}", Tone.FAILED)
        message = Piece(one_line(fault.message, MAX_FAULT_CHARACTERS))
        super().__init__(f"{name}: error details", ((kind,), (), (message,)), glyphs)


# The decision dialog for a fault that retrying does not fix: it pauses the debate until the user chooses.


_DECISION_ITEMS: dict[FaultDecision, MenuItem] = {
    "fix": MenuItem("Retry after fixing it"),
    "replace": MenuItem("Switch to another model"),
    "remove": MenuItem("Continue without this debater"),
    "end": MenuItem("End the debate", tone=Tone.FAILED),
}


class DecisionScreen(MenuScreen):
    """A menu with the debater and the error; the result is an index into `decisions`, or `None` if closed.

    `replaceable` says whether the debater can switch to another source.
    """

    def __init__(self, name: str, reason: str, glyphs: Glyphs, *, replaceable: bool = False) -> None:
        self.decisions = [each for each in _DECISION_ITEMS if replaceable or each != "replace"]
        super().__init__(
            f"{name} cannot continue",
            [_DECISION_ITEMS[each] for each in self.decisions],
            glyphs,
            introduction=(
                Piece(one_line(reason, 1000), Tone.FAILED),
                Piece("The debate is paused until you choose.", Tone.QUIET),
                Piece("Esc shows the debate; Enter or Space returns here.", Tone.QUIET),
            ),
        )
