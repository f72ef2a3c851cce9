"""The history screen: the debates on record, to be found, opened, taken up, exported and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from debate_tui.domain.errors import DebateError
from debate_tui.domain.exports import FORMS
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.archive import Visit
from debate_tui.tui.exporting import named, write
from debate_tui.tui.screens.menu import DeleteScreen, ExportScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.debates import Debates, Details
from debate_tui.tui.widgets.filter import Filter
from debate_tui.tui.widgets.footer import Footer, Hint
from debate_tui.tui.widgets.masthead import Masthead
from debate_tui.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Resize
    from textual.timer import Timer
    from textual.widgets import Input

    from debate_tui.record.summary import Summary
    from debate_tui.tui.archive import Archive
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.widgets.pointing import Pointing

WIDE = 110
"""Columns from which there is room for the details beside the list."""

ASIDE_SECONDS = 6.0

_FILTERING = (
    Hint("enter", "replay", "replay"),
    Hint("tab", "to the list", "focus_list"),
    Hint("esc", "show all", "back"),
)


class HistoryScreen(Screen[None]):
    """Shows `summaries` first, those with all of `words`; `at` is the id of the debate that is pointed at.

    `leave` is called with what the user wants to see next.
    """

    DEFAULT_CSS = """
    HistoryScreen {
        layout: vertical;
        background: $background;
        color: $foreground;
        overflow: hidden;
        Debates { height: 1fr; width: 1fr; background: $background; }
        Details { height: 1fr; background: $background; }
        #history { height: 1fr; }
        #details { height: 1fr; width: 48; background: $background; border-left: solid $faint; }
        &.-ascii #details { border-left: ascii $faint; }
    }
    """
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "replay"),
        Binding("c", "take_up"),
        Binding("e", "export"),
        Binding("d,delete", "delete"),
        Binding("slash", "filter", priority=True),
        Binding("tab", "focus_list"),
        Binding("up", "move(-1)"),
        Binding("down", "move(1)"),
        Binding("escape", "back"),
    ]

    def __init__(
        self,
        archive: Archive,
        summaries: Sequence[Summary],
        glyphs: Glyphs,
        leave: Callable[[Visit], None],
        *,
        words: str = "",
        at: str = "",
    ) -> None:
        super().__init__()
        self._archive = archive
        self._summaries = tuple(summaries)
        self._glyphs = glyphs
        self._leave = leave
        self._first = at
        self._aside: Timer | None = None
        self._masthead = Masthead("Debates on record", glyphs)
        self._filter = Filter(words)
        self._list = Debates(glyphs)
        self._details = Details(glyphs)
        self._notice = Notice(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.thin.isascii(), "-ascii")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._masthead
        yield self._filter
        with Horizontal(id="history"):
            yield self._list
            with Vertical(id="details"):
                yield self._details
        yield self._notice
        yield self._footer

    def on_mount(self) -> None:
        """Point at the debate that was seen last, or at the newest."""
        self._show(self._first)
        self.set_focus(self._list)

    def on_resize(self, event: Resize) -> None:
        """Show details where there is room."""
        self.query_one("#details").display = event.size.width >= WIDE

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong with the program's own files."""
        self._notice.say(text, self.size.width)

    # What is shown

    def _show(self, at: str = "") -> None:
        words = self._filter.input.value
        found = [summary for summary in self._summaries if summary.matches(words)]
        about = f"No debate about “{one_line(words, 60)}”." if words.strip() else "No debate is on record."
        self._list.show(found, (about,), at)
        total = len(self._summaries)
        count = f"{len(found)} of {total}" if len(found) < total else f"{total}"
        self._masthead.show(f"{count} {'debate' if total == 1 else 'debates'}, newest first")
        self._show_chosen()

    def _show_chosen(self) -> None:
        self._details.show(self._list.chosen)
        self._show_hints()

    def _show_hints(self) -> None:
        if self._typing:
            self._footer.show(_FILTERING)
            return
        chosen = self._list.chosen
        free = chosen is not None and not chosen.live
        unfinished = chosen is not None and chosen.finished != "complete"
        offered = (
            (chosen is not None, Hint("enter", "replay", "replay", 1)),
            (free and unfinished, Hint("c", "continue", "take_up", 2)),
            (chosen is not None, Hint("e", "export", "export", 3)),
            (free, Hint("d", "delete", "delete", 4)),
            (True, Hint("/", "filter", "filter", 2)),
            (bool(self._filter.input.value), Hint("esc", "show all", "back", 5)),
            (True, Hint("T", "theme", "app.themes", 6)),
            (True, Hint("q", "quit", "app.quit", 0)),
        )
        self._footer.show([hint for wanted, hint in offered if wanted])

    def _say(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        self._footer.say(text, tone, path=path)
        if self._aside is not None:
            self._aside.stop()
        self._aside = self.set_timer(ASIDE_SECONDS, lambda: self._footer.say(""))

    @property
    def _typing(self) -> bool:
        return self.focused is self._filter.input

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever types words may type a slash among them."""
        return not (action == "filter" and self._typing)

    # Keys

    def action_replay(self) -> None:
        """Play the debate back."""
        if self._typing:
            self._narrow()
        if chosen := self._list.chosen:
            self._leave(Visit(chosen.debate, "replay", self._filter.input.value))

    def action_take_up(self) -> None:
        """Continue the debate where it broke off."""
        chosen = self._list.chosen
        if chosen is not None and chosen.finished == "complete":
            self._say("This debate is complete: there is nothing left to be said")
        elif chosen is not None:
            self.run_worker(self._take_up(chosen.debate), exclusive=True)

    async def _take_up(self, debate: str) -> None:
        try:
            await self._archive.check(debate)
        except DebateError as error:
            self._say(f"{error.message} {error.hint}".strip(), Tone.FAILED)
        else:
            self._leave(Visit(debate, "continue", self._filter.input.value))

    def action_export(self) -> None:
        """Ask what to export the debate to, and do it."""
        if chosen := self._list.chosen:
            debate = chosen.debate

            def export(place: int | None) -> None:
                if place is not None:
                    self.run_worker(self._export(debate, place), exclusive=True)

            self.app.push_screen(ExportScreen(self._glyphs), export)

    async def _export(self, debate: str, form: int) -> None:
        try:
            path = await write(await self._archive.events(debate), FORMS[form], Path.cwd())
        except DebateError as error:
            self._say(error.message, Tone.FAILED)
        else:
            self._say("Wrote ", Tone.FINISHED, path=named(path))

    def action_delete(self) -> None:
        """Delete the debate, if that is confirmed."""
        if chosen := self._list.chosen:
            debate = chosen.debate

            def delete(confirmed: int | None) -> None:
                if confirmed:
                    self.run_worker(self._delete(debate), exclusive=True)

            self.app.push_screen(DeleteScreen(chosen.topic, self._glyphs), delete)

    async def _delete(self, debate: str) -> None:
        try:
            await self._archive.delete(debate)
            self._summaries = tuple(await self._archive.debates())
        except DebateError as error:
            self._say(error.message, Tone.FAILED)
        else:
            self._show()
            self._say("Deleted for good")

    def action_filter(self) -> None:
        """Type what to look for; the next key goes there already."""
        self.set_focus(self._filter.input)

    def action_focus_list(self) -> None:
        """Give the keys to the list."""
        self.set_focus(self._list)

    def action_move(self, steps: int) -> None:
        """Point at another debate, also while typing."""
        self._list.action_move(steps)

    def action_back(self) -> None:
        """Show all debates again."""
        self._filter.input.value = ""
        self.set_focus(self._list)

    # Messages

    def on_input_changed(self, _: Input.Changed) -> None:
        """Show what contains the words."""
        self._narrow()

    def _narrow(self) -> None:
        chosen = self._list.chosen
        self._show(chosen.debate if chosen else "")

    def on_descendant_focus(self) -> None:
        """Offer the keys that do something now."""
        self._show_hints()

    def on_pointing_pointed(self, _: Pointing.Pointed) -> None:
        """Tell about that debate."""
        self._show_chosen()

    def on_debates_opened(self, _: Debates.Opened) -> None:
        """Open it."""
        self.action_replay()

    async def on_footer_pressed(self, message: Footer.Pressed) -> None:
        """Do what the key would do."""
        await self.run_action(message.action)
