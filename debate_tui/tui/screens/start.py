"""The start screen: set up a debate from the available sources, and start it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.dialogs import InputScreen, MenuItem, MenuScreen
from debate_tui.tui.setup_form import (
    ITEM_LABELS,
    SetupItem,
    SourceOption,
    format_mismatch,
    help_text,
    item_row,
    profile_fields,
)
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.footer import Footer, KeyHint, NoticeBar
from debate_tui.tui.widgets.header import TitleBar
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.option_list import MarkedList, to_content, to_lines
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.geometry import Size
    from textual.widgets import Input, OptionList

    from debate_tui.domain.debate import Format
    from debate_tui.tui.setup_form import DebateSetup
    from debate_tui.tui.symbols import Glyphs

DISCOVERY_WORKER = "discovery"
TAGLINE = "Language models debate live, side by side"
WIDE_COLUMNS = 110
"""Columns from which the help is shown beside the list."""
ROOMY_ROWS = 30
"""Rows from which there is extra space around the topic."""
MAX_TOPIC_CHARACTERS = 4000
MAX_LABEL_CHARACTERS = 60
MAX_HELP_CHARACTERS = 2000

TYPED_SOURCE_TEXTS = ("entered by you", "Entered by you. It is checked when the debate starts.")
_SOURCE_EXAMPLES = (
    "openai:MODEL   anthropic:MODEL   groq:MODEL   ollama:MODEL",
    "local:FILE.gguf   https://host/path   demo:VOICE",
)

_SECTION_STARTS = (SetupItem("format"), SetupItem("judge"), SetupItem("begin"))
"""Items with a blank row above them."""


class StartCallbacks(NamedTuple):
    """What the start screen calls.

    `on_sources_change` is called with the setup's sources after the first frame is painted, and whenever they
    change. `discover` then finds more sources, and debaters that replace the initial ones; it returns no
    debaters if the user chose them or nothing better was found. `check_source` raises `DebateError` for a
    source that is not valid. `on_start` is called with the debate to start; call `show_start_error` if it
    cannot start.
    """

    on_sources_change: Callable[[tuple[str, ...]], None]
    discover: Callable[[], Awaitable[tuple[Sequence[SourceOption], tuple[str, ...]]]]
    check_source: Callable[[str], object]
    on_start: Callable[[DebateSetup], None]


class SetupList(MarkedList):
    """The list of the setup's items; its keys run actions of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_up"),
        Binding("left", "screen.change(-1)"),
        Binding("right", "screen.change(1)"),
        Binding("space", "select"),
        Binding("delete,backspace,minus", "screen.remove"),
        Binding("plus", "screen.add"),
        Binding("e", "screen.edit"),
    ]
    marks_unfocused = False

    async def action_move_up(self) -> None:
        """Move the highlight up; from the first item, move to the topic."""
        if self.highlighted:
            self.action_cursor_up()
        else:
            await self.run_action("screen.focus_topic")


class StartScreen(Screen[None]):
    """A screen to set up a debate, initially `setup`; `options` are the sources known so far.

    `notice` reports a problem with the program's own files.
    """

    DEFAULT_CSS = """
    StartScreen {
        layout: vertical;
        background: $background;
        color: $foreground;
        overflow: hidden;
    }
    StartScreen #start-body { height: 1fr; align-horizontal: center; }
    StartScreen #setup { width: 100%; max-width: 136; }
    StartScreen #topic { height: auto; padding: 1 0; }
    StartScreen #topic Static { height: 1; padding: 0 3; text-style: bold; }
    StartScreen #topic Input, StartScreen #topic Input:focus { margin: 0 1; padding: 0 2; }
    StartScreen #setup-columns { layout: vertical; height: 1fr; }
    StartScreen SetupList { width: 1fr; padding: 0 1; }
    StartScreen #setup-help {
        height: 1fr;
        width: 1fr;
        margin: 1 1 0 1;
        padding: 0 2;
        border-top: solid $faint;
    }
    StartScreen.-ascii #setup-help { border-top: ascii $faint; }
    StartScreen.-wide #setup-columns { layout: horizontal; }
    StartScreen.-wide #setup-help {
        width: 46;
        height: 100%;
        margin: 0 0 1 0;
        border-top: none;
        border-left: solid $faint;
    }
    StartScreen.-wide.-ascii #setup-help { border-top: none; border-left: ascii $faint; }
    StartScreen.-roomy #topic { padding: 2 0; }
    StartScreen.-roomy #topic Static { height: 2; }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "switch_focus"),
        Binding("down", "focus_list"),
        Binding("escape", "focus_topic"),
    ]

    def __init__(
        self,
        setup: DebateSetup,
        options: Sequence[SourceOption],
        formats: Sequence[Format],
        glyphs: Glyphs,
        callbacks: StartCallbacks,
        *,
        notice: str = "",
    ) -> None:
        super().__init__()
        self.setup = setup
        self._startup_notice = notice
        self._source_options = tuple(options)
        self._formats = {format_.name: format_ for format_ in formats}
        self._glyphs = glyphs
        self._start_callbacks = callbacks
        self._has_default_debaters = True
        self._is_starting = False
        self._title_bar = TitleBar("debate-tui", glyphs)
        self._topic_input = LineInput(
            enter_action="begin",
            escape_action="focus_topic",
            placeholder="A question or a motion",
            max_length=MAX_TOPIC_CHARACTERS,
            select_on_focus=False,
        )
        self._rows: list[SetupItem | None] = [*setup.items]
        """The item in each row of the list; `None` for a blank row."""
        self._setup_list = SetupList(glyphs)
        self._setup_help = Static(id="setup-help")
        self._notice_bar = NoticeBar(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.thin_line.isascii(), "-ascii")

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom, laid out for the terminal's size from the first frame on."""
        self._apply_size(self.app.size)
        self._title_bar.update_status(TAGLINE)
        self._topic_input.value = self.setup.topic
        yield self._title_bar
        with Container(id="start-body"), Vertical(id="setup"):
            with Vertical(id="topic"):
                yield Static("What should they debate?")
                yield self._topic_input
            with Container(id="setup-columns"):
                yield self._setup_list
                yield self._setup_help
        yield self._notice_bar
        yield self._footer

    def on_mount(self) -> None:
        """Focus the topic, and discover sources after the first frame is painted."""
        self.set_focus(self._topic_input)
        self._show_setup()
        self._notice_bar.update(self._startup_notice, self.app.size.width)
        self.call_after_refresh(self._start_discovery)

    def on_resize(self, event: Resize) -> None:
        """Adapt to the new size."""
        self._apply_size(event.size)

    def _apply_size(self, size: Size) -> None:
        self.set_class(size.width >= WIDE_COLUMNS, "-wide")
        self.set_class(size.height >= ROOMY_ROWS, "-roomy")
        self._title_bar.styles.margin = (0, 0, max(0, size.height - ROOMY_ROWS) // 4, 0)

    def warn(self, text: str) -> None:
        """Show above the footer a problem with the program's own files; an empty `text` removes it."""
        self._notice_bar.update(" ".join(filter(None, (self._startup_notice, text))), self.app.size.width)

    def show_start_error(self, message: str) -> None:
        """Show why the debate cannot start, and let the user change the setup."""
        self._is_starting = False
        self._footer.show_status(one_line(message, 300), Tone.FAILED)

    # Source discovery

    def _start_discovery(self) -> None:
        self._start_callbacks.on_sources_change(self.setup.sources)
        self.run_worker(self._run_discovery(), name=DISCOVERY_WORKER)

    async def _run_discovery(self) -> None:
        options, debaters = await self._start_callbacks.discover()
        found = {option.source for option in options}
        known = (option for option in self._source_options if option.source not in found)
        self._source_options = (*options, *known)
        if self._has_default_debaters and debaters:
            self._change_setup(replace(self.setup, debaters=debaters))
            self._has_default_debaters = True
        else:
            self._show_setup()

    # Display

    @property
    def _item(self) -> SetupItem:
        """The highlighted item."""
        return self._rows[self._setup_list.highlighted or 0] or self.setup.items[0]

    def _show_setup(self) -> None:
        """Show the setup, and highlight the same item as before, or the last one like it."""
        here = self._item
        self._rows = []
        for item in self.setup.items:
            self._rows += [None, item] if item in _SECTION_STARTS else [item]
        same = [item for item in self.setup.items if item.kind == here.kind]
        options = [
            Option("", disabled=True)
            if item is None
            else Option(
                to_content(
                    item_row(item, self.setup, self._source_options, self._formats, self._glyphs),
                    self._glyphs,
                )
            )
            for item in self._rows
        ]
        self._setup_list.set_options(options)
        self._setup_list.highlighted = self._rows.index(same[min(here.position, len(same) - 1)])
        self._show_explanation()

    def _show_explanation(self) -> None:
        item = self._item if self._setup_list.has_focus else None
        title, *paragraphs = help_text(item, self.setup, self._source_options, self._formats)
        text = "\n\n".join(filter(None, paragraphs))
        lines = [Piece(one_line(line, MAX_HELP_CHARACTERS), Tone.QUIET) for line in text.split("\n")]
        rows = [Piece(one_line(title), bold=True), *lines]
        self._setup_help.update(to_lines([(row,) for row in rows], self._glyphs))
        self._footer.set_hints(self._hints(item))

    def _hints(self, item: SetupItem | None) -> tuple[KeyHint, ...]:
        is_debater = item is not None and item.kind == "debater" and bool(self.setup.source(item))
        choosing = item is not None and item.kind != "begin"
        arrows = "left/right" if self.has_class("-ascii") else "←→"
        hints = (
            (not choosing, KeyHint("enter", "start", "begin", 1)),
            (item is None, KeyHint("tab", "debaters and format", "switch_focus", 2)),
            (choosing, KeyHint(arrows, "change", "change(1)", 1)),
            (choosing, KeyHint("enter", "choose", "open", 2)),
            (is_debater, KeyHint("e", "name, side, persona", "edit", 3)),
            (item is not None and self.setup.can_remove(item), KeyHint("del", "remove", "remove", 4)),
            (item is not None, KeyHint("tab", "topic", "switch_focus", 5)),
            (item is not None, KeyHint("T", "theme", "app.themes", 6)),
            (True, KeyHint("^q" if item is None else "q", "quit", "app.quit", 0)),
        )
        return tuple(hint for wanted, hint in hints if wanted)

    def _change_setup(self, setup: DebateSetup) -> None:
        self._has_default_debaters = self._has_default_debaters and setup.debaters == self.setup.debaters
        if setup.sources != self.setup.sources:
            self._start_callbacks.on_sources_change(setup.sources)
        self.setup = setup
        self._footer.show_status("")
        self._show_setup()

    # Keys

    def action_switch_focus(self) -> None:
        """Switch the focus between topic and list."""
        self.set_focus(self._setup_list if self._topic_input.has_focus else self._topic_input)

    def action_focus_list(self) -> None:
        """Move the focus from the topic to the list."""
        if self._topic_input.has_focus:
            self._setup_list.action_first()
            self.set_focus(self._setup_list)

    def action_focus_topic(self) -> None:
        """Focus the topic."""
        self.set_focus(self._topic_input)

    def action_change(self, steps: int) -> None:
        """Change the highlighted item to the option `steps` after the current one."""
        choices = self.setup.choices(self._item, self._source_options, self._formats)
        self._change_setup(self.setup.cycled(choices, steps))

    def action_remove(self) -> None:
        """Remove the highlighted item."""
        self._change_setup(self.setup.without(self._item))

    def action_add(self) -> None:
        """Add a judge if a judge is highlighted, else a debater."""
        judges = self._item.kind == "judge"
        count = len(self.setup.judges if judges else self.setup.debaters)
        if (item := SetupItem("judge" if judges else "debater", count)) in self.setup.items:
            self._open(item)

    def action_open(self) -> None:
        """Show all options for the highlighted item, or start the debate."""
        self._open(self._item)

    def action_edit(self) -> None:
        """Edit the profile of the highlighted debater."""
        if self._item.kind == "debater" and self.setup.source(self._item):
            self._edit_profile(self._item.position)

    def action_begin(self) -> None:
        """Start the debate if the setup is complete."""
        if self._is_starting:
            return
        topic = self._topic_input.text
        format_ = self._formats.get(self.setup.format)
        if not topic:
            self.set_focus(self._topic_input)
            self._footer.show_status("Enter a topic first", Tone.RECONNECTING)
        elif format_ is not None and (
            wrong := format_mismatch(format_, len(self.setup.with_min_debaters(format_).debaters))
        ):
            self._footer.show_status(f"{format_.title} {wrong}", Tone.RECONNECTING)
        else:
            self._is_starting = True
            self._footer.show_status(self._glyphs.displayable("Starting …"))
            self.setup = replace(self.setup, topic=topic)
            self._start_callbacks.on_start(self.setup)

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        """Clear the message about a missing topic."""
        self._footer.show_status("")

    def on_descendant_focus(self) -> None:
        """Show the help for what has the focus."""
        self._show_explanation()

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        """Show the help for the highlighted item."""
        self._show_explanation()

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Open the highlighted item."""
        self.action_open()

    # Menus

    def _open(self, item: SetupItem) -> None:
        """Let the user choose an option for an item, or enter another source."""
        if item.kind == "begin":
            self.action_begin()
            return
        choices = self.setup.choices(item, self._source_options, self._formats)
        rows = [(choice.label, choice.description) for choice in choices]
        title = ITEM_LABELS[item.kind]
        if item.kind in ("debater", "judge"):
            rows.append(("another source", "as for -d"))
            title = f"{item.kind.capitalize()} {item.position + 1}"

        def chosen(index: int | None) -> None:
            if index is not None and index < len(choices):
                self._change_setup(choices[index].setup)
            elif index is not None:
                check = self._start_callbacks.check_source
                self.app.push_screen(InputScreen(title, _SOURCE_EXAMPLES, self._glyphs, check=check), typed)

        def typed(source: str | None) -> None:
            if source:
                self._source_options = (*self._source_options, SourceOption(source, *TYPED_SOURCE_TEXTS))
                self._change_setup(self.setup.with_source(item, source))

        setups = [choice.setup for choice in choices]
        here = setups.index(self.setup) if self.setup in setups else 0
        items = [_menu_item(label, about) for label, about in rows]
        self.app.push_screen(MenuScreen(title, items, self._glyphs, highlighted=here), chosen)

    def _edit_profile(self, position: int) -> None:
        """Let the user choose a field of a debater's profile and edit it."""
        profile, fields = self.setup.profile(position), profile_fields(self.setup.debaters[position])

        def chosen(index: int | None) -> None:
            if index is None:
                return
            field = fields[index]

            def typed(text: str | None) -> None:
                if text is not None:
                    changed = replace(profile, **{field.name: field.parse(text)})
                    self._change_setup(self.setup.with_profile(position, changed))

            question = InputScreen(
                f"Debater {position + 1}: {field.label}",
                (field.description,),
                self._glyphs,
                check=field.parse,
                text=field.text(profile),
                max_characters=field.max_characters,
            )
            self.app.push_screen(question, typed)

        items = [
            _menu_item(f"{field.label} …", field.text(profile) or field.default, field.key)
            for field in fields
        ]
        self.app.push_screen(MenuScreen(f"Debater {position + 1}", items, self._glyphs), chosen)


def _menu_item(label: str, about: str, key: str = "") -> MenuItem:
    detail = Piece(one_line(about, MAX_LABEL_CHARACTERS), Tone.QUIET)
    return MenuItem(one_line(label, MAX_LABEL_CHARACTERS), key, (detail,))
