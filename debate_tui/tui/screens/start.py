"""The start screen: set up a debate from the available sources, and start it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens import start_menus
from debate_tui.tui.screens.start_menus import InputScreen
from debate_tui.tui.setup_form import (
    SourceOption,
    field_label,
    format_mismatch,
    parse_profile_field,
    profile_text,
)
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.footer import Footer, KeyHint, NoticeBar
from debate_tui.tui.widgets.header import TitleBar
from debate_tui.tui.widgets.input_bars import LineInput
from debate_tui.tui.widgets.rows import Piece, Row, TextRows
from debate_tui.tui.widgets.setup_list import SetupHelp, SetupList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.geometry import Size
    from textual.widgets import Input

    from debate_tui.domain.debate import Format
    from debate_tui.tui.screens.start_menus import SetupMenuScreen
    from debate_tui.tui.setup_form import DebateSetup, SetupItem
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.option_list import SelectableList

DISCOVERY_WORKER = "look around"
TAGLINE = "Language models argue, live, side by side"
WIDE_COLUMNS = 110
"""Columns from which the help is shown beside the list."""
ROOMY_ROWS = 30
"""Rows from which there is extra space around the topic."""
MAX_TOPIC_CHARACTERS = 4000

TYPED_SOURCE_TEXTS = ("named by you", "Named by you. Whether it answers is seen when the debate begins.")
_SOURCE_EXAMPLES = (
    "openai:MODEL   anthropic:MODEL   groq:MODEL   ollama:MODEL",
    "local:FILE.gguf   https://host/path   demo:VOICE",
)


class _TopicLabel(TextRows):
    """The label above the topic."""

    inset = 3

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the question."""
        return (Row((Piece("What shall they argue about?", bold=True),)),)


class StartScreen(Screen[None]):
    """A screen to set up a debate, initially `setup`; `options` are the sources known so far.

    `notice` reports a problem with the program's own files. `on_sources_change` is called with the setup's
    sources after the first frame is painted, and whenever they change. `discover` then finds more sources,
    and debaters that replace those of `setup`; it returns no debaters if the user chose them or nothing
    better was found. `check_source` raises `DebateError` for a source that is not valid. `on_start` is called
    with the debate to start; call `show_start_error` if it cannot start.
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
    StartScreen #topic _TopicLabel { height: 1; }
    StartScreen #topic Input, StartScreen #topic Input:focus {
        height: 1;
        margin: 0 1;
        padding: 0 1;
        border: none;
        border-left: outer $surface;
        background: $surface;
    }
    StartScreen #topic Input:focus { border-left: outer $focus; }
    StartScreen.-ascii #topic Input, StartScreen.-ascii #topic Input:focus {
        border-left: none;
        padding: 0 2;
    }
    StartScreen #setup-columns { layout: vertical; height: 1fr; }
    StartScreen SetupList { width: 1fr; max-height: 100%; }
    StartScreen #setup-help { height: 1fr; width: 1fr; margin: 1 1 0 1; border-top: solid $faint; }
    StartScreen.-ascii #setup-help { border-top: ascii $faint; }
    StartScreen SetupHelp { height: 1fr; }
    StartScreen.-wide #setup-columns { layout: horizontal; }
    StartScreen.-wide #setup-help {
        width: 46;
        margin: 0 0 1 0;
        border-top: none;
        border-left: solid $faint;
    }
    StartScreen.-wide.-ascii #setup-help { border-top: none; border-left: ascii $faint; }
    StartScreen.-roomy #topic { padding: 2 0; }
    StartScreen.-roomy #topic Input, StartScreen.-roomy #topic Input:focus {
        height: 3;
        margin: 1 1 0 1;
        padding: 1 1;
    }
    StartScreen.-roomy.-ascii #topic Input, StartScreen.-roomy.-ascii #topic Input:focus { padding: 1 2; }
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
        *,
        notice: str = "",
        on_sources_change: Callable[[tuple[str, ...]], None],
        discover: Callable[[], Awaitable[tuple[Sequence[SourceOption], tuple[str, ...]]]],
        check_source: Callable[[str], object],
        on_start: Callable[[DebateSetup], None],
    ) -> None:
        super().__init__()
        self._setup = setup
        self._startup_notice = notice
        self._source_options = tuple(options)
        self._formats = {format_.name: format_ for format_ in formats}
        self._glyphs = glyphs
        self._sources_callback = on_sources_change
        self._discover = discover
        self._check_source = check_source
        self._start_callback = on_start
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
        self._setup_list = SetupList(setup, self._formats, glyphs)
        self._setup_help = SetupHelp(self._formats, glyphs)
        self._notice_bar = NoticeBar(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.thin_line.isascii(), "-ascii")

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom, laid out for the terminal's size from the first frame on."""
        self._apply_size(self.app.size)
        self._title_bar.update_status(TAGLINE)
        self._topic_input.value = self._setup.topic
        yield self._title_bar
        with Container(id="start-body"), Vertical(id="setup"):
            with Vertical(id="topic"):
                yield _TopicLabel()
                yield self._topic_input
            with Container(id="setup-columns"):
                yield self._setup_list
                with Vertical(id="setup-help"):
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
        wide, roomy = size.width >= WIDE_COLUMNS, size.height >= ROOMY_ROWS
        self.set_class(wide, "-wide")
        self.set_class(roomy, "-roomy")
        spare = size.height - ROOMY_ROWS
        self._title_bar.styles.margin = (0, 0, max(0, spare // 4), 0)

    @property
    def setup(self) -> DebateSetup:
        """The current setup."""
        return self._setup

    def warn(self, text: str) -> None:
        """Show above the footer a problem with the program's own files; an empty `text` removes it."""
        self._notice_bar.update(" ".join(filter(None, (self._startup_notice, text))), self.app.size.width)

    def show_start_error(self, message: str) -> None:
        """Show why the debate cannot start, and let the user change the setup."""
        self._is_starting = False
        self._footer.show_status(one_line(message, 300), Tone.FAILED)

    # Source discovery

    def _start_discovery(self) -> None:
        self._sources_callback(self._setup.sources)
        self.run_worker(self._run_discovery(), name=DISCOVERY_WORKER)

    async def _run_discovery(self) -> None:
        offers, debaters = await self._discover()
        known = {offer.source for offer in offers}
        self._source_options = (
            *offers,
            *(offer for offer in self._source_options if offer.source not in known),
        )
        if self._has_default_debaters and debaters:
            self._replace_setup(replace(self._setup, debaters=debaters))
        self._show_setup()

    # Display

    def _show_setup(self) -> None:
        self._setup_list.update(self._setup, self._source_options)
        self._show_explanation()

    def _show_explanation(self) -> None:
        item = self._setup_list.highlighted_item if self._setup_list.has_focus else None
        self._setup_help.update(item, self._setup, self._source_options)
        self._footer.set_hints(self._hints(item))

    def _hints(self, item: SetupItem | None) -> tuple[KeyHint, ...]:
        removable = item is not None and self._setup.can_remove(item)
        seated = item is not None and item.kind == "debater" and bool(self._setup.source(item))
        choosing = item is not None and item.kind != "begin"
        hints = (
            (not choosing, KeyHint("enter", "begin", "begin", 1)),
            (item is None, KeyHint("tab", "who and how", "switch_focus", 2)),
            (
                choosing,
                KeyHint("←→" if not self.has_class("-ascii") else "left/right", "change", "change", 1),
            ),
            (choosing, KeyHint("enter", "choose", "open", 2)),
            (seated, KeyHint("e", "name, side, persona", "edit", 3)),
            (removable, KeyHint("del", "leave out", "remove", 4)),
            (item is not None, KeyHint("tab", "topic", "switch_focus", 5)),
            (item is not None, KeyHint("T", "theme", "app.themes", 6)),
            (True, KeyHint("^q" if item is None else "q", "quit", "app.quit", 0)),
        )
        return tuple(hint for wanted, hint in hints if wanted)

    def _change_setup(self, setup: DebateSetup) -> None:
        self._has_default_debaters = self._has_default_debaters and setup.debaters == self._setup.debaters
        self._replace_setup(setup)
        self._footer.show_status("")
        self._show_setup()

    def _replace_setup(self, setup: DebateSetup) -> None:
        if setup.sources != self._setup.sources:
            self._sources_callback(setup.sources)
        self._setup = setup

    # Keys

    def action_switch_focus(self) -> None:
        """Switch the focus between topic and list."""
        self.set_focus(self._setup_list if self._topic_input.has_focus else self._topic_input)

    def action_focus_list(self) -> None:
        """Move the focus from the topic to the list."""
        if self._topic_input.has_focus:
            self._setup_list.highlight(0)
            self.set_focus(self._setup_list)

    def action_focus_topic(self) -> None:
        """Focus the topic."""
        self.set_focus(self._topic_input)

    def action_change(self) -> None:
        """Run the action of the right arrow key in the list."""
        self._setup_list.action_change(1)

    def action_open(self) -> None:
        """Run the action of Enter in the list."""
        self._setup_list.action_open()

    def action_edit(self) -> None:
        """Run the action of ``e`` in the list."""
        self._setup_list.action_edit()

    def action_remove(self) -> None:
        """Run the action of Delete in the list."""
        self._setup_list.action_remove()

    def action_begin(self) -> None:
        """Start the debate if the setup is complete."""
        if self._is_starting:
            return
        topic = self._topic_input.text
        format_ = self._formats.get(self._setup.format)
        if not topic:
            self.set_focus(self._topic_input)
            self._footer.show_status("Say first what they shall argue about", Tone.RECONNECTING)
        elif format_ is not None and (
            wrong := format_mismatch(format_, len(self._setup.with_min_debaters(format_).debaters))
        ):
            self._footer.show_status(f"{format_.title} {wrong}", Tone.RECONNECTING)
        else:
            self._is_starting = True
            self._footer.show_status("Beginning …" if not self.has_class("-ascii") else "Beginning ...")
            self._setup = replace(self._setup, topic=topic)
            self._start_callback(self._setup)

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        """Clear the message about a missing topic."""
        self._footer.show_status("")

    def on_descendant_focus(self) -> None:
        """Show the help for what has the focus."""
        self._show_explanation()

    def on_selectable_list_highlighted(self, _: SelectableList.Highlighted) -> None:
        """Show the help for the highlighted item."""
        self._show_explanation()

    def on_setup_list_moved_above(self, _: SetupList.MovedAbove) -> None:
        """Focus the topic above the list."""
        self.set_focus(self._topic_input)

    def on_setup_list_action_requested(self, message: SetupList.ActionRequested) -> None:
        """Change an item, show its options, edit it, or remove it."""
        item, proposal = message.item, self._setup
        match message.action:
            case "change":
                self._change_setup(
                    proposal.cycled(item, message.steps, self._source_options, [*self._formats])
                )
            case "remove":
                self._change_setup(proposal.without(item))
            case "edit":
                self._edit_profile(item)
            case _ if item.kind == "begin":
                self.action_begin()
            case _ if item.kind == "format":
                self._open_setup_menu(start_menus.format_menu(proposal, self._formats, self._glyphs), item)
            case _ if item.kind == "mode":
                self._open_setup_menu(start_menus.mode_menu(proposal, self._glyphs), item)
            case _:
                self._open_setup_menu(
                    start_menus.source_menu(proposal, item, self._source_options, self._glyphs), item
                )

    def _open_setup_menu(self, menu: SetupMenuScreen, item: SetupItem) -> None:
        """Apply the option chosen from a menu, or ask for a source that is not in it."""

        def chosen(index: int | None) -> None:
            if index is not None and index < len(menu.outcomes):
                self._change_setup(menu.outcomes[index])
            elif index is not None:
                asking = InputScreen(
                    start_menus.source_question(item),
                    _SOURCE_EXAMPLES,
                    self._glyphs,
                    check=self._check_source,
                )
                self.app.push_screen(asking, typed)

        def typed(source: str | None) -> None:
            if source:
                self._source_options = (*self._source_options, SourceOption(source, *TYPED_SOURCE_TEXTS))
                self._change_setup(self._setup.with_source(item, source))

        self.app.push_screen(menu, chosen)

    def _edit_profile(self, item: SetupItem) -> None:
        """Edit a debater's profile."""
        if item.kind != "debater" or not self._setup.source(item):
            return

        def chosen(index: int | None) -> None:
            if index is None:
                return
            field = start_menus.profile_fields(self._setup.source(item))[index]
            role = self._setup.profile(item.position)
            parse = partial(parse_profile_field, field.name)

            def typed(text: str | None) -> None:
                if text is not None:
                    changed = replace(role, **{field.name: parse(text)})
                    self._change_setup(self._setup.with_profile(item.position, changed))

            asking = InputScreen(
                f"Debater {item.position + 1}: {field_label(field.name)}",
                (field.description,),
                self._glyphs,
                check=parse,
                text=profile_text(role, field.name),
                max_characters=field.max_characters,
            )
            self.app.push_screen(asking, typed)

        self.app.push_screen(start_menus.profile_menu(self._setup, item.position, self._glyphs), chosen)
