"""Dialogs: cards and menus in the middle of the screen, over the running debate."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from debate_tui.domain.exports import EXPORT_TYPES, ExportType
from debate_tui.domain.sanitise import one_line
from debate_tui.session.commands import FaultDecision
from debate_tui.tui import themes
from debate_tui.tui.styles import DimmedScreen, Tone
from debate_tui.tui.widgets.option_list import Menu, MenuItem
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.events import Click
    from textual.theme import Theme

    from debate_tui.domain.stream import FaultReport
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.option_list import SelectableList


MARGIN = 3

Result = TypeVar("Result")


class Card(TextRows):
    """Rows under a title, with a blank row above and below; as wide as the widest row."""

    DEFAULT_CSS = "Card { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(self, title: str, rows: Sequence[Row], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._rows = (Row(), Row((Piece(title, Tone.FOCUS, bold=True),)), Row(), *rows, Row())
        self.styles.width = max(pieces_width((*row.left, *row.right)) for row in self._rows) + 2 * MARGIN
        self.styles.height = len(self._rows)

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the rows, which do not depend on the width."""
        return self._rows


class OverlayScreen(ModalScreen[Result]):
    """A modal screen with the debate visible below it."""

    DEFAULT_CSS = "OverlayScreen { align: center middle; background: $background 60%; }"

    def render(self) -> RenderableType:
        """See `Screen.render`."""
        below = super().render()
        if self.app.no_color and isinstance(below, BackgroundScreen):
            return DimmedScreen(below.screen, below.color)
        return below

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close the screen; ignore repeated calls, as a key pressed twice may arrive after it has closed."""
        return super().dismiss(result) if self.is_current else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


class CardScreen(OverlayScreen[None]):
    """A card that stays until a key is pressed or the user clicks outside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,space,question_mark,f1", "dismiss_card"),
    ]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def compose(self) -> ComposeResult:
        """Yield the card."""
        yield self._card

    def action_dismiss_card(self) -> None:
        """Return to the debate."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """Close the card on a click outside it."""
        if event.widget is self:
            self.dismiss(None)


# Menu dialogs. The result is the chosen item, or nothing.


_EXPORT_CHOICES: dict[ExportType, MenuItem] = {
    "md": MenuItem("Markdown", "m", (Piece("for notes and repositories", Tone.QUIET),)),
    "html": MenuItem("HTML", "h", (Piece("panes side by side, to print or send", Tone.QUIET),)),
    "json": MenuItem("JSON", "j", (Piece("every event, for programs", Tone.QUIET),)),
    "txt": MenuItem("Text", "t", (Piece("the words as written", Tone.QUIET),)),
}


class MenuScreen(OverlayScreen[int | None]):
    """A menu over a screen; the result is the index of the chosen item, or `None` if it was closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(self, menu: Menu) -> None:
        super().__init__()
        self._menu = menu

    def compose(self) -> ComposeResult:
        """Yield the menu."""
        yield self._menu

    def on_mount(self) -> None:
        """Focus the menu."""
        self.set_focus(self._menu)

    def on_menu_selected(self, message: Menu.Selected) -> None:
        """Close the menu with the chosen item."""
        self.dismiss(message.index)

    def action_close(self) -> None:
        """Close the menu without a choice."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """Close the menu on a click outside it."""
        if event.widget is self:
            self.dismiss(None)


class ExportMenuScreen(MenuScreen):
    """A menu of export types; the result is an index into `EXPORT_TYPES`."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            Menu("Export the debate to", [_EXPORT_CHOICES[form] for form in EXPORT_TYPES], glyphs)
        )


class ConfirmDeleteScreen(MenuScreen):
    """A confirmation before a debate is deleted; the result is 1 for yes."""

    def __init__(self, topic: str, glyphs: Glyphs) -> None:
        choices = (MenuItem("keep it", "n"), MenuItem("delete it for good", "y", tone=Tone.FAILED))
        super().__init__(Menu(f"Delete “{one_line(topic, 48)}”?", choices, glyphs))


# The theme picker previews the highlighted theme.


SWATCH_TONES = (Tone.FOCUS, Tone.STREAMING, Tone.CONNECTED, Tone.PAUSED, Tone.RECONNECTING, Tone.FAILED)
"""The tones shown as a theme's colour sample."""


class ThemeScreen(MenuScreen):
    """A menu that previews the highlighted theme; the caller applies the final choice."""

    DEFAULT_CSS = "ThemeScreen { align: right middle; background: $background 0%; }"

    def __init__(self, available: Sequence[Theme], current: str, glyphs: Glyphs) -> None:
        self._names = [theme.name for theme in available]
        at = self._names.index(current) if current in self._names else 0
        super().__init__(
            Menu("Theme", [_theme_choice(theme, glyphs) for theme in available], glyphs, highlighted=at)
        )

    def on_selectable_list_highlighted(self, message: SelectableList.Highlighted) -> None:
        """Preview the highlighted theme."""
        self.app.theme = self._names[message.index]


def _theme_choice(theme: Theme, glyphs: Glyphs) -> MenuItem:
    colours = themes.theme_variables(theme)
    swatch = tuple(Piece(glyphs.dot, colours[tone]) for tone in SWATCH_TONES)
    return MenuItem(theme.name, detail=(*swatch, Piece("  dark" if theme.dark else "  light", Tone.QUIET)))


# The full error of one stream, on a card.


FAULT_WIDTH = 64


class FaultScreen(CardScreen):
    """The dialog opened with Enter on a pane whose stream has a fault."""

    def __init__(self, name: str, fault: FaultReport, glyphs: Glyphs) -> None:
        status = f", HTTP status {fault.status}" if fault.status is not None else ""
        kind = Row((Piece(f"{fault.kind.value.replace('_', ' ')}{status}", Tone.FAILED),))
        text = [Row((Piece(line),)) for line in textwrap.wrap(one_line(fault.message, 4000), FAULT_WIDTH)]
        super().__init__(Card(f"{name}: what went wrong", [kind, Row(), *text], glyphs))


# Help: all keys and badges on one card.


_READING_KEYS = (
    ("tab", "next pane"),
    ("z", "zoom the pane"),
    ("↑ ↓", "scroll; also PgUp, PgDn"),
    ("g G", "top, bottom and follow"),
    ("t", "show or hide reasoning"),
    ("/", "search; n N: next, previous"),
    ("y", "copy the turn"),
    ("T", "try on other themes"),
    ("m", "next display mode"),
)
_MODE_KEYS = (
    ("1", "synchronized: all together"),
    ("2", "staggered: as it comes"),
    ("3", "hybrid: whichever suits"),
)
_DEBATE_KEYS = (
    ("space", "pause, go on: all"),
    ("p", "pause, go on: this pane"),
    ("x", "stop this turn"),
    ("r", "retry this turn"),
    ("i", "interject"),
    ("M", "moderate: rounds, words …"),
    ("v", "vote; see the verdict"),
    ("enter", "what went wrong"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("esc", "close, unzoom"),
    ("q", "quit; all is recorded"),
)
_REPLAY_KEYS = (
    ("space", "pause, play, play again"),
    ("[ ]", "back, and on, by a turn"),
    ("0–9", "to a tenth of the debate"),
    (", .", "half, and twice, the speed"),
    ("v", "see the verdict"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("q", "leave the replay"),
)
_WATCH_KEYS = (
    ("space", "pause here, go on: all"),
    ("p", "pause here, go on: this pane"),
    ("v", "see the verdict"),
    ("enter", "what went wrong"),
    ("e", "export the debate"),
    ("s", "stream statistics"),
    ("?", "this help"),
    ("esc", "close, unzoom"),
    ("q", "leave; the debate goes on"),
)
_KEYS_BY_SCREEN = {
    "debate": ("The debate", (*_READING_KEYS, *_MODE_KEYS), _DEBATE_KEYS),
    "replay": ("The replay", _READING_KEYS, _REPLAY_KEYS),
    "watch": ("Watching", (*_READING_KEYS, *_MODE_KEYS), _WATCH_KEYS),
}
_BADGE_EXAMPLES = (
    ("waiting", "waiting", Tone.WAITING),
    ("connecting", "connecting", Tone.WAITING),
    ("connected", "connected", Tone.CONNECTED),
    ("streaming", "streaming", Tone.STREAMING),
    ("paused", "paused", Tone.PAUSED),
    ("reconnecting", "reconnecting", Tone.RECONNECTING),
    ("failed", "failed", Tone.FAILED),
    ("done", "done", Tone.FINISHED),
    ("cut", "cut", Tone.FINISHED),
    ("refused", "refused", Tone.WAITING),
)
_KEY_WIDTH = 7
_DESCRIPTION_WIDTH = 29
_BADGE_WIDTHS = (14, 12, 12, 12, 10)


class HelpScreen(CardScreen):
    """The dialog opened with ``?`` over a debate, a replay, or a debate that is being watched."""

    def __init__(self, glyphs: Glyphs, kind: Literal["debate", "replay", "watch"] = "debate") -> None:
        title, *columns = _KEYS_BY_SCREEN[kind]
        left, right = (
            (Piece(text.ljust(_KEY_WIDTH + _DESCRIPTION_WIDTH), bold=True),) for text in ("Reading", title)
        )
        keys = [
            Row((*_key_pieces(glyphs, *reading), *_key_pieces(glyphs, *other)))
            for reading, other in zip_longest(*columns, fillvalue=("", ""))
        ]
        badges = [_badge_row(glyphs, _BADGE_EXAMPLES[:5]), _badge_row(glyphs, _BADGE_EXAMPLES[5:])]
        super().__init__(Card("Keys and badges", [Row((*left, *right)), *keys, Row(), *badges], glyphs))


def _key_pieces(glyphs: Glyphs, key: str, description: str) -> tuple[Piece, ...]:
    key, description = glyphs.displayable(key), glyphs.displayable(description)
    return Piece(key.ljust(_KEY_WIDTH), Tone.FOCUS, bold=True), Piece(description.ljust(_DESCRIPTION_WIDTH))


def _badge_row(glyphs: Glyphs, badges: Sequence[tuple[str, str, Tone]]) -> Row:
    widths = zip(badges, _BADGE_WIDTHS, strict=True)
    return Row(
        tuple(
            Piece(f"{getattr(glyphs, glyph)} {word:{width}}", tone) for (glyph, word, tone), width in widths
        )
    )


# The decision dialog for a fault that retrying does not fix: it pauses the debate until the user chooses.


DECISION_WIDTH = 60


class DecisionScreen(OverlayScreen[FaultDecision | None]):
    """A dialog with the debater and the error; the result is the decision, or `None` if closed.

    `is_pending` returns whether a decision is still needed; `replaceable` says whether the debater can switch
    to another source.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "choose('fix')"),
        Binding("o", "choose('replace')"),
        Binding("w", "choose('remove')"),
        Binding("e", "choose('end')"),
        Binding("escape", "close"),
        Binding("q,ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(
        self,
        name: str,
        reason: str,
        glyphs: Glyphs,
        is_pending: Callable[[], bool],
        *,
        replaceable: bool = False,
    ) -> None:
        super().__init__()
        self._is_pending = is_pending
        self._replaceable = replaceable
        why = [
            Row((Piece(line, Tone.FAILED),)) for line in textwrap.wrap(one_line(reason, 1000), DECISION_WIDTH)
        ]
        choices = [
            _key_row("r", "try again, once it is put right"),
            *((_key_row("o", "let another source speak for it"),) if replaceable else ()),
            _key_row("w", f"go on without {name}"),
            _key_row("e", "end the debate"),
            _key_row("esc", "look at the debate first; enter comes back here"),
        ]
        held = Row((Piece("Everything is held until you choose.", Tone.QUIET),))
        self._card = Card(f"{name} cannot go on", [*why, Row(), held, Row(), *choices], glyphs)

    def compose(self) -> ComposeResult:
        """Yield the card."""
        yield self._card

    def on_screen_resume(self) -> None:
        """Close the dialog if the decision was made while another screen was in front."""
        if not self._is_pending():
            self.dismiss(None)

    def action_choose(self, decision: FaultDecision) -> None:
        """Close the dialog with this decision."""
        if decision != "replace" or self._replaceable:
            self.dismiss(decision)

    def action_close(self) -> None:
        """Close the dialog without a decision."""
        self.dismiss(None)


def _key_row(key: str, description: str) -> Row:
    return Row((Piece(key.ljust(6), Tone.FOCUS, bold=True), Piece(description)))
