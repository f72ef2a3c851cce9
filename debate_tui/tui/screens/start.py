"""The start screen: set up a debate from the available sources, and start it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.events import DescendantFocus
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.start_menus import StartMenus
from debate_tui.tui.setup_form import SetupEstimate, SetupItem, SourceOption, format_mismatch
from debate_tui.tui.single_screen import TitledScreen
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.footer import KeyHint
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.option_list import to_content, to_lines
from debate_tui.tui.widgets.rows import Piece
from debate_tui.tui.widgets.setup_list import SetupList, SetupRows, help_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.geometry import Size
    from textual.widgets import Input

    from debate_tui.domain.debate import Format
    from debate_tui.tui.setup_form import DebateSetup
    from debate_tui.tui.symbols import Glyphs

DISCOVERY_WORKER = "discovery"
TAGLINE = "Language models debate live, side by side"
WIDE_COLUMNS = 110
"""Columns from which the help is shown beside the list."""
ROOMY_ROWS = 30
"""Rows from which there is extra space around the topic."""
LOW_ROWS = 20
"""Below this many rows, there is none."""
MAX_TOPIC_CHARACTERS = 4000
MAX_HELP_CHARACTERS = 2000

TYPED_SOURCE_TEXTS = ("entered by you", "Entered by you. It is checked when the debate starts.")
_SECTION_STARTS = (SetupItem("format"), SetupItem("judge"), SetupItem("begin"))
"""Items with a blank row above them."""


class StartCallbacks(NamedTuple):
    """What the start screen calls.

    `on_sources_change` is called with the setup's sources after the first frame is painted, and whenever they
    change. `discover` then finds more sources, and debaters that replace the initial ones; it returns no
    debaters if the user chose them or nothing better was found. `check_source` raises `DebateError` for a
    source that is not valid, `check_judge` for one that cannot judge, `check_place` for a place where there
    is no material. `estimate` returns what is expected of a debate. `on_start` is called with the debate to
    start; call `show_start_error` if it cannot start. `on_history` is called with the setup when the user
    wants to see the recorded debates.
    """

    on_sources_change: Callable[[tuple[str, ...]], None]
    discover: Callable[[], Awaitable[tuple[Sequence[SourceOption], tuple[str, ...]]]]
    check_source: Callable[[str], object]
    check_judge: Callable[[str], object]
    check_place: Callable[[str], object]
    estimate: Callable[[DebateSetup], Awaitable[SetupEstimate]]
    on_start: Callable[[DebateSetup], None]
    on_history: Callable[[DebateSetup], None]


class StartScreen(TitledScreen):
    """A screen to set up a debate, initially `setup`; `options` are the sources known so far.

    `notice` reports a problem with the program's own files.
    """

    DEFAULT_CSS = """
    StartScreen #start-body { height: 1fr; align-horizontal: center; }
    StartScreen #setup { width: 100%; max-width: 136; }
    StartScreen #topic { height: auto; padding: 0 0 1 0; }
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
    StartScreen.-low #topic { padding: 0; }
    StartScreen.-roomy #topic Static { height: 2; }
    """
    AUTO_FOCUS = None
    HELP_TOPIC: ClassVar[str] = "start"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "switch_focus"),
        Binding("down", "focus_list"),
        Binding("up", "choose_topic"),
        Binding("ctrl+r", "history"),
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
        super().__init__("debate-tui", glyphs)
        self.setup = setup
        self._startup_notice = notice
        self._source_options = tuple(options)
        self._formats = {format_.name: format_ for format_ in formats}
        self._start_callbacks = callbacks
        self._has_default_debaters = True
        self._is_starting = False
        self._estimate = SetupEstimate()
        self._topic_input = LineInput(
            enter_action="begin",
            escape_action="focus_topic",
            placeholder="A question or a motion",
            max_length=MAX_TOPIC_CHARACTERS,
            select_on_focus=False,
        )
        self._menus = StartMenus(
            self,
            glyphs,
            checks={
                "debater": callbacks.check_source,
                "judge": callbacks.check_judge,
                "material": callbacks.check_place,
            },
            on_change=self._change_setup,
            on_typed=self._apply_typed,
        )
        self._rows: list[SetupItem | None] = [*setup.items]
        """The item in each row of the list; `None` for a blank row."""
        self._setup_list = SetupList(glyphs)
        self._setup_help = Static(id="setup-help")

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
        self.warn("")
        self.call_after_refresh(self._start_discovery)

    def on_resize(self, event: Resize) -> None:
        self._apply_size(event.size)
        self._show_setup()

    def _apply_size(self, size: Size) -> None:
        self.set_class(size.width >= WIDE_COLUMNS, "-wide")
        self.set_class(size.height >= ROOMY_ROWS, "-roomy")
        self.set_class(size.height < LOW_ROWS, "-low")
        self._title_bar.styles.margin = (0, 0, max(0, size.height - ROOMY_ROWS) // 4, 0)

    def warn(self, text: str) -> None:
        super().warn(" ".join(filter(None, (self._startup_notice, text))))

    def show_start_error(self, message: str) -> None:
        """Show why the debate cannot start, and let the user change the setup."""
        self._is_starting = False
        self._footer.show_status(one_line(message, 300), Tone.FAILED)

    # Source discovery

    def _start_discovery(self) -> None:
        self._start_callbacks.on_sources_change(self.setup.sources)
        self.run_worker(self._run_discovery(), name=DISCOVERY_WORKER)
        self._start_estimate()

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

    def _start_estimate(self) -> None:
        setup = self.setup

        async def run() -> None:
            estimate = await self._start_callbacks.estimate(setup)
            if estimate != self._estimate:
                self._estimate = estimate
                self._show_setup()

        self.run_worker(run(), group="estimate", exclusive=True)

    # Display

    @property
    def _item(self) -> SetupItem:
        """The highlighted item."""
        return self._rows[self._setup_list.highlighted or 0] or self.setup.items[0]

    def _show_setup(self) -> None:
        """Show the setup, and highlight the same item as before, or the last one like it."""
        here = self._item
        sections = (
            _SECTION_STARTS if self.has_class("-wide") or self.has_class("-roomy") else _SECTION_STARTS[-1:]
        )
        self._rows = []
        for item in self.setup.items:
            self._rows += [None, item] if item in sections and not self.has_class("-low") else [item]
        rows = SetupRows(
            self.setup,
            self._source_options,
            self._formats.get(self.setup.format),
            self._glyphs,
            self.app.size.width,
            self._estimate,
        )
        same = [item for item in self.setup.items if item.kind == here.kind]
        options = [
            Option("", disabled=True) if item is None else Option(to_content(rows.row(item), self._glyphs))
            for item in self._rows
        ]
        self._setup_list.set_options(options)
        self._setup_list.highlighted = self._rows.index(same[min(here.position, len(same) - 1)])
        self.show_help()

    @on(DescendantFocus)
    @on(OptionList.OptionHighlighted)
    def show_help(self) -> None:
        """Show the help and the hints for what has the focus."""
        item = self._item if self._setup_list.has_focus else None
        title, *paragraphs = help_text(item, self.setup, self._source_options, self._formats)
        text = "\n\n".join(filter(None, paragraphs))
        lines = [Piece(one_line(line, MAX_HELP_CHARACTERS), Tone.QUIET) for line in text.split("\n")]
        rows = [Piece(one_line(title), bold=True), *lines]
        self._setup_help.update(to_lines([(row,) for row in rows], self._glyphs))
        self._footer.set_hints(_hints(item, self.setup, self._glyphs))

    def _change_setup(self, setup: DebateSetup) -> None:
        self._has_default_debaters = self._has_default_debaters and setup.debaters == self.setup.debaters
        if setup.sources != self.setup.sources:
            self._start_callbacks.on_sources_change(setup.sources)
        self.setup = setup
        self._footer.show_status("")
        self._show_setup()
        self._start_estimate()

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
        self.set_focus(self._topic_input)

    def action_change(self, steps: int) -> None:
        """Change the highlighted item to the option `steps` after the current one."""
        choices = self.setup.choices(self._item, self._source_options, self._formats)
        self._change_setup(self.setup.cycled(choices, steps))

    def action_remove(self) -> None:
        """Remove the highlighted item."""
        self._change_setup(self.setup.without(self._item))

    def action_add(self) -> None:
        """Add a judge or material if one is highlighted, else a debater."""
        counts = {"judge": len(self.setup.judges), "material": len(self.setup.material)}
        kind = self._item.kind if self._item.kind in counts else "debater"
        item = SetupItem(kind, counts.get(kind, len(self.setup.debaters)))
        if item in self.setup.items:
            self.action_open(item)

    def action_choose_topic(self) -> None:
        """Let the user choose an example topic."""

        def choose(topic: str) -> None:
            self._topic_input.value = topic
            self._topic_input.action_end()

        self.set_focus(self._topic_input)
        self._menus.choose_topic(choose)

    def action_history(self) -> None:
        """Leave for the recorded debates."""
        if not self._is_starting:
            self._start_callbacks.on_history(replace(self.setup, topic=self._topic_input.text))

    def action_open(self, item: SetupItem | None = None) -> None:
        """Show all options for an item, or for the highlighted one; or start the debate."""
        item = item or self._item
        if item.kind == "begin":
            self.action_begin()
        else:
            self._menus.open_item(item, self.setup, self._source_options, self._formats)

    def action_edit(self) -> None:
        """Edit the profile of the highlighted debater."""
        if self._item.kind == "debater" and self.setup.source(self._item):
            self._menus.edit_profile(self._item.position, self.setup)

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

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        self.action_open()

    def _apply_typed(self, item: SetupItem, text: str) -> None:
        """Apply what was typed for an item; a source is offered from then on."""
        if item.kind in ("debater", "judge"):
            self._source_options = (*self._source_options, SourceOption(text, *TYPED_SOURCE_TEXTS))
        self._change_setup(self.setup.with_typed(item, text))


def _hints(item: SetupItem | None, setup: DebateSetup, glyphs: Glyphs) -> tuple[KeyHint, ...]:
    """Return the hints while an item has the focus, or the topic, which is the item `None`."""
    is_debater = item is not None and item.kind == "debater" and bool(setup.source(item))
    choosing = item is not None and item.kind != "begin"
    changing = choosing and item is not None and item.kind != "material"
    arrows, up = ("left/right", "up") if glyphs.is_ascii else ("←→", "↑")
    hints = (
        (not choosing, KeyHint("enter", "start", "begin", 1)),
        (item is None, KeyHint(up, "examples", "choose_topic", 2)),
        (item is None, KeyHint("tab", "setup", "switch_focus", 3)),
        (changing, KeyHint(arrows, "change", "change(1)", 1)),
        (choosing, KeyHint("enter", "choose", "open", 2)),
        (is_debater, KeyHint("e", "settings", "edit", 3)),
        (item is not None and setup.can_remove(item), KeyHint("del", "remove", "remove", 4)),
        (item is not None, KeyHint("tab", "topic", "switch_focus", 5)),
        (item is not None, KeyHint("T", "theme", "app.themes", 6)),
        (True, KeyHint("^r", "history", "history", 4)),
        (True, KeyHint("F1" if item is None else "?", "help", "app.help", 3)),
        (True, KeyHint("^q" if item is None else "q", "quit", "app.quit", 0)),
    )
    return tuple(hint for wanted, hint in hints if wanted)
