"""The start screen's menus: all options for one item."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.key_hints import MODE_DESCRIPTIONS
from debate_tui.tui.screens.dialogs import MARGIN, MenuScreen, OverlayScreen
from debate_tui.tui.setup_form import field_label, profile_text, takes_parameters
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.option_list import Menu, MenuItem
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.domain.debate import Format
    from debate_tui.tui.setup_form import DebateSetup, SetupItem, SourceOption
    from debate_tui.tui.symbols import Glyphs


MAX_LABEL_CHARACTERS = 60


class ProfileField(NamedTuple):
    """A field of a debater's profile: description, default and maximum length."""

    name: str
    key: str
    description: str
    default: str
    max_characters: int


_ROLE_FIELDS = (
    ProfileField("name", "n", "Shown above the pane, and what the others call it.", "made up", 40),
    ProfileField(
        "side", "s", "What it argues for. Empty: dealt out by the format.", "dealt out by the format", 200
    ),
    ProfileField(
        "persona", "p", "How it speaks, such as: a judge who has heard it all before.", "none", 1000
    ),
)
_MODEL_FIELDS = (
    ProfileField("effort", "e", "How much it reasons: none, minimal, low, medium or high.", "not set", 10),
    ProfileField("temperature", "t", "How freely it chooses its words, from 0 to 2.", "not set", 10),
    ProfileField("seed", "d", "A whole number that makes some models repeatable.", "not set", 20),
    ProfileField(
        "max_output_tokens", "m", "The longest answer of one turn, reasoning included.", "not set", 10
    ),
    ProfileField("system", "y", "Added to its instructions.", "none", 4000),
    ProfileField("extra_body", "x", 'JSON added to each request, such as {"top_k": 3}.', "none", 4000),
    ProfileField("headers", "h", 'HTTP headers as JSON, such as {"X-Team": "red"}.', "none", 4000),
)


def profile_fields(source: str) -> tuple[ProfileField, ...]:
    """Return the profile fields that apply to a debater's source."""
    return _ROLE_FIELDS + (_MODEL_FIELDS if takes_parameters(source) else ())


class SetupMenuScreen(MenuScreen):
    """A menu whose result is an index into `outcomes`, the setups that result from the choices."""

    def __init__(
        self,
        title: str,
        rows: Sequence[tuple[str, str]],
        outcomes: Sequence[DebateSetup],
        current: DebateSetup,
        glyphs: Glyphs,
    ) -> None:
        self.outcomes = tuple(outcomes)
        choices = [
            MenuItem(
                one_line(label, MAX_LABEL_CHARACTERS),
                "",
                (Piece(one_line(about, MAX_LABEL_CHARACTERS), Tone.QUIET),),
            )
            for label, about in rows
        ]
        at = self.outcomes.index(current) if current in self.outcomes else 0
        super().__init__(Menu(title, choices, glyphs, highlighted=at))


def format_menu(setup: DebateSetup, known: Mapping[str, Format], glyphs: Glyphs) -> SetupMenuScreen:
    """Return a menu of all formats."""
    rows = [(name, format_.title) for name, format_ in known.items()]
    return SetupMenuScreen("How is it held?", rows, [replace(setup, format=n) for n in known], setup, glyphs)


def mode_menu(setup: DebateSetup, glyphs: Glyphs) -> SetupMenuScreen:
    """Return a menu of all display modes."""
    rows = [(mode.value, told) for mode, told in MODE_DESCRIPTIONS.items()]
    return SetupMenuScreen(
        "When do words appear?", rows, [replace(setup, mode=m) for m in MODE_DESCRIPTIONS], setup, glyphs
    )


def source_menu(
    setup: DebateSetup, item: SetupItem, options: Sequence[SourceOption], glyphs: Glyphs
) -> SetupMenuScreen:
    """Return a menu of all sources for a debater or judge; the index after them means another one."""
    rows = [*((offer.source, offer.summary) for offer in options), ("another", "any source, as for -d")]
    made = [setup.with_source(item, offer.source) for offer in options]
    return SetupMenuScreen(source_question(item), rows, made, setup, glyphs)


def profile_menu(setup: DebateSetup, position: int, glyphs: Glyphs) -> MenuScreen:
    """Return a menu of a debater's profile fields; the indexes are those of `profile_fields`."""
    now = setup.profile(position)
    choices = [
        MenuItem(
            f"{field_label(field.name)} {glyphs.ellipsis}",
            field.key,
            (Piece(one_line(profile_text(now, field.name) or field.default, 40), Tone.QUIET),),
        )
        for field in profile_fields(setup.debaters[position])
    ]
    return MenuScreen(Menu(f"Debater {position + 1}", choices, glyphs))


def source_question(item: SetupItem) -> str:
    """Return the question for a debater or judge."""
    return "Who judges?" if item.kind == "judge" else "Who debates?"


# A dialog that asks for a line of text.


INPUT_DIALOG_WIDTH = 72
MAX_INPUT_CHARACTERS = 1000


class _StaticRows(TextRows):
    inset = MARGIN

    def __init__(self, rows: Sequence[Row], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._rows = tuple(rows)
        self.styles.height = len(self._rows)

    def set_rows(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        return self._rows


class InputScreen(OverlayScreen[str | None]):
    """A dialog for a line of text; the result is the text, or `None` if it was closed.

    `check` raises `DebateError` for invalid text; the error is shown and the dialog stays open. `text` is the
    initial text; `max_characters` limits its length.
    """

    DEFAULT_CSS = f"""
    InputScreen > Vertical {{
        width: {INPUT_DIALOG_WIDTH};
        max-width: 100%;
        height: auto;
        background: $panel;
        Input, Input:focus {{
            height: 1;
            margin: 0 {MARGIN};
            border: none;
            padding: 0 1;
            background: $surface;
        }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

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
        self._input = LineInput(
            text,
            enter_action="accept",
            escape_action="close",
            max_length=max_characters,
            select_on_focus=False,
        )
        told = [Row((Piece(example, Tone.QUIET),)) for example in examples]
        self._heading_rows = _StaticRows((Row(), Row((Piece(title, Tone.FOCUS, bold=True),)), Row()), glyphs)
        self._example_rows = _StaticRows((Row(), *told, Row()), glyphs)
        self._error_rows = _StaticRows((Row(), Row()), glyphs)

    def compose(self) -> ComposeResult:
        """Yield the title, the input and the examples."""
        self._error_rows.display = False
        with Vertical():
            yield self._heading_rows
            yield self._input
            yield self._error_rows
            yield self._example_rows

    def on_mount(self) -> None:
        """Focus the input."""
        self.set_focus(self._input)

    def action_accept(self) -> None:
        """Close the dialog with the text if it is valid."""
        text = self._input.text
        try:
            self._check(text)
        except DebateError as error:
            self._error_rows.display = True
            self._error_rows.set_rows(
                [Row((Piece(line, Tone.FAILED),)) for line in (error.message, error.hint)]
            )
        else:
            self.dismiss(text)

    def action_close(self) -> None:
        """Close the dialog without a result."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """Close the dialog on a click outside it."""
        if event.widget is self:
            self.dismiss(None)
