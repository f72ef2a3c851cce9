"""The start screen's menus: all choices for an item, example topics, and a debater's settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.dialogs import CardScreen, InputScreen, MenuItem, MenuScreen
from debate_tui.tui.setup_form import EXAMPLE_TOPICS, has_model, profile_fields
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece
from debate_tui.tui.widgets.setup_list import CONNECT_HELP, ITEM_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.screen import Screen

    from debate_tui.domain.debate import Format
    from debate_tui.tui.setup_form import DebateSetup, SetupItem, SetupItemKind, SourceOption
    from debate_tui.tui.symbols import Glyphs

MAX_LABEL_CHARACTERS = 60


class _TypedChoice(NamedTuple):
    """The last entry of a menu, which lets the user type something else."""

    label: str
    description: str
    examples: tuple[str, ...]


_OTHER_SOURCE = _TypedChoice(
    "another source",
    "as for -d",
    (
        "openai:MODEL   anthropic:MODEL   groq:MODEL   ollama:MODEL",
        "local:FILE.gguf   acp:AGENT   https://host/path   demo:VOICE   me",
    ),
)
_TYPED_CHOICES: dict[SetupItemKind, _TypedChoice] = {
    "debater": _OTHER_SOURCE,
    "judge": _OTHER_SOURCE,
    "rounds": _TypedChoice("another number", "1 or more", ("The rounds of each repeated phase, such as 8.",)),
    "material": _TypedChoice(
        "",
        "",
        (
            "A file, a folder or the address of a web page, such as notes.md or https://host/page.",
            "All debaters and judges get its text with every request.",
        ),
    ),
    "budget": _TypedChoice(
        "another amount",
        "US$ or tokens",
        ("US dollars, such as 0.75, or tokens, such as 20000 tokens.",),
    ),
}


class StartMenus:
    """The menus over the start screen.

    `checks` raise `DebateError` for what cannot be typed for an item of a kind. `on_change` is called with a
    changed setup, and `on_typed` with an item and what was typed for it.
    """

    def __init__(
        self,
        screen: Screen[None],
        glyphs: Glyphs,
        *,
        checks: Mapping[SetupItemKind, Callable[[str], object]],
        on_change: Callable[[DebateSetup], None],
        on_typed: Callable[[SetupItem, str], None],
    ) -> None:
        self._screen = screen
        self._glyphs = glyphs
        self._checks = checks
        self._change = on_change
        self._on_typed = on_typed

    def choose_topic(self, on_topic: Callable[[str], None]) -> None:
        """Let the user choose one of the example topics."""
        self._open_menu("Example topics", [(topic, "", partial(on_topic, topic)) for topic in EXAMPLE_TOPICS])

    def open_item(
        self,
        item: SetupItem,
        setup: DebateSetup,
        options: Sequence[SourceOption],
        formats: Mapping[str, Format],
    ) -> None:
        """Let the user choose an option for an item, or type something else; material is always typed."""
        if item.kind == "material":
            self._ask(item, setup, ITEM_LABELS[item.kind], _TYPED_CHOICES[item.kind].examples)
            return
        choices = setup.choices(item, options, formats)
        entries: list[tuple[str, str, Callable[[], None]]] = [
            (choice.label, choice.description, partial(self._change, choice.setup)) for choice in choices
        ]
        setups = [choice.setup for choice in choices]
        here = setups.index(setup) if setup in setups else 0
        title = ITEM_LABELS[item.kind]
        if item.kind in ("debater", "judge"):
            title = f"{item.kind.capitalize()} {item.position + 1}"
            if item.kind == "debater" and setup.source(item):
                settings = partial(self.edit_profile, item.position, setup)
                entries.append(("settings", "name, side, persona, parameters", settings))
            if not has_model(options):
                entries.append(("connect a model", "how to", self._show_connect_help))
        other = _TYPED_CHOICES.get(item.kind)
        if other is not None and (item.kind != "rounds" or len(choices) > 1):
            ask = partial(self._ask, item, setup, title, other.examples)
            entries.append((other.label, other.description, ask))
        self._open_menu(title, entries, highlighted=here)

    def edit_profile(self, position: int, setup: DebateSetup) -> None:
        """Let the user choose a field of a debater's profile and edit it."""
        profile = setup.profile(position)
        fields = profile_fields(setup.debaters[position])

        def choose(index: int | None) -> None:
            if index is None:
                return
            field = fields[index]

            def typed(text: str | None) -> None:
                if text is not None:
                    changed = replace(profile, **{field.name: field.parse(text)})
                    self._change(setup.with_profile(position, changed))

            question = InputScreen(
                f"Debater {position + 1}: {field.label}",
                (field.description,),
                self._glyphs,
                check=field.parse,
                text=field.text(profile),
                max_characters=field.max_characters,
            )
            self._screen.app.push_screen(question, typed)

        items = [
            _menu_item(f"{field.label} …", field.text(profile) or field.default, field.key)
            for field in fields
        ]
        self._screen.app.push_screen(MenuScreen(f"Debater {position + 1}", items, self._glyphs), choose)

    def _open_menu(
        self, title: str, entries: Sequence[tuple[str, str, Callable[[], None]]], *, highlighted: int = 0
    ) -> None:
        def choose(index: int | None) -> None:
            if index is not None:
                entries[index][2]()

        items = [_menu_item(label, about) for label, about, _ in entries]
        self._screen.app.push_screen(MenuScreen(title, items, self._glyphs, highlighted=highlighted), choose)

    def _ask(self, item: SetupItem, setup: DebateSetup, title: str, examples: Sequence[str]) -> None:
        def check(text: str) -> None:
            if (check_kind := self._checks.get(item.kind)) is not None:
                check_kind(text)
            else:
                setup.with_typed(item, text)

        def typed(text: str | None) -> None:
            if text:
                self._on_typed(item, text)

        text = setup.source(item) if item.kind == "material" else ""
        question = InputScreen(title, examples, self._glyphs, check=check, text=text)
        self._screen.app.push_screen(question, typed)

    def _show_connect_help(self) -> None:
        title, *paragraphs = CONNECT_HELP
        rows = [row for paragraph in paragraphs for row in ((Piece(paragraph),), ())]
        self._screen.app.push_screen(CardScreen[None](title, rows[:-1], self._glyphs))


def _menu_item(label: str, about: str, key: str = "") -> MenuItem:
    detail = (Piece(one_line(about, MAX_LABEL_CHARACTERS), Tone.QUIET),) if about else ()
    return MenuItem(one_line(label, MAX_LABEL_CHARACTERS), key, detail)
