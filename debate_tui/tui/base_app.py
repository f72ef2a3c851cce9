"""The base classes of all full-screen apps and of their screens: keyboard, terminal setup and themes."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Size

from debate_tui.tui import themes
from debate_tui.tui.driver import TerminalDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Event
    from textual.screen import Screen
    from textual.widget import Widget

    from debate_tui.tui.screen_options import ScreenOptions


Result = TypeVar("Result")


# Keys are processed one at a time, even when several arrive at once over a slow connection.


KEY_TIMEOUT_SECONDS = 1.0
"""Seconds to wait for a key to be handled before the next one: its target may be gone."""


class Key(events.Key):
    """A key sent to the focused widget; `on_handled` is called when a handler stops the event.

    It must be named `Key`: Textual finds the handlers of a message by the name of its class.
    """

    def __init__(self, key: events.Key, target_widget: Widget, on_handled: Callable[[Key], None]) -> None:
        super().__init__(key.key, key.character)
        self.target_widget = target_widget
        self._handled_callback = on_handled
        self.set_sender(target_widget)  # not the app: a message stops bubbling at its sender

    def stop(self, stop: bool = True) -> Key:
        super().stop(stop)
        self._handled_callback(self)
        return self


class KeyboardApp(App[Result]):
    """An app that holds each key until the previous one is handled, then sends it to the new focus.

    Textual (8.2) sends every key to the widget focused when the key arrives, and runs the binding of the
    previous key only later: text typed after a key that opens an input would be taken as commands. Removable
    once Textual waits for a key's effect before it picks the target of the next one.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key_queue: deque[events.Key | events.Paste] = deque()
        self._current_key: Key | None = None

    async def on_event(self, event: Event) -> None:
        """Queue keys so that they are processed one at a time, with pastes in their place between them."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._key_queue.append(event)
        before = self._current_key
        if (
            before is None
            or not before.target_widget.is_attached
            or event.time - before.time > KEY_TIMEOUT_SECONDS
        ):
            await self._dispatch_queued_keys()

    async def _on_key(self, event: events.Key) -> None:
        """Process a key no widget handled: offer it to the new focus, or run its binding."""
        event.prevent_default()
        if isinstance(event, Key) and event.target_widget is not (self.focused or self.screen):
            await self._dispatch_key(event)
            return
        await super()._on_key(event)
        if isinstance(event, Key):
            self._finish_key(event)

    async def _dispatch_key(self, key: events.Key | events.Paste) -> None:
        if isinstance(key, events.Paste):
            await super().on_event(key)
            return
        self._current_key = Key(key, self.focused or self.screen, self._finish_key)
        await super().on_event(self._current_key)
        if not self._current_key.is_forwarded:  # it was handled immediately
            self._current_key = None

    async def _dispatch_queued_keys(self) -> None:
        """Send queued keys until one of them is not handled immediately."""
        self._current_key = None
        while self._key_queue and self._current_key is None:
            await self._dispatch_key(self._key_queue.popleft())

    def _finish_key(self, key: Key) -> None:
        """Mark this key as handled and send the next one."""
        if key is self._current_key:
            self._current_key = None
            if self._key_queue:
                self.call_next(self._dispatch_queued_keys)


THEME_POLL_SECONDS = 1.0
"""Seconds between checks for changed user theme files."""


class BaseApp(KeyboardApp[Result]):
    """A full-screen app that shows `first_screen`, in the theme of its options from the first frame on.

    `load_themes` registers the other themes. After that, ``T`` opens the theme picker, and the user's own
    themes are reloaded whenever their files change. Subclasses implement `warn`.
    """

    CSS_PATH = Path(__file__).with_name("app.tcss")  # otherwise relative to the module of the subclass
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "themes"),
        Binding("question_mark,f1", "help"),
        Binding("q,ctrl+q", "quit", priority=False),
        Binding("ctrl+c", "copy_or_quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, options: ScreenOptions, first_screen: Screen[None]) -> None:
        self._theme_ready = False
        if not os.environ.get("NO_COLOR"):  # an empty value counts as unset: https://no-color.org
            os.environ.pop("NO_COLOR", None)
        super().__init__(driver_class=TerminalDriver)
        self._disable_notifications = True  # toasts are never used, so screens need no `ToastRack`
        if self.no_color:  # Textual removes it from the environment, but the next app reads it there
            os.environ["NO_COLOR"] = "1"
            from debate_tui.tui.styles import NoColourFilter

            self._filters = [NoColourFilter()]
        self._first_screen = first_screen
        self._glyphs = options.glyphs
        self._theme_folders = (themes.bundled_folder(), options.user_themes)
        self._requested_theme = options.theme or themes.DEFAULT_THEME
        self._on_theme = options.on_theme
        self._file_theme_names: tuple[str, ...] = ()
        self._theme_problems = ""
        self._apply_requested_theme()

    def get_default_screen(self) -> Screen[None]:
        return self._first_screen

    @property
    def size(self) -> Size:
        """The terminal's size, from the same source as resize events."""
        if self._size is None and isinstance(self._driver, TerminalDriver):
            return Size(*get_terminal_size())
        return super().size

    async def run_async(self, **kwargs: Any) -> Result | None:
        """See `App.run_async`; raise an unexpected exception after the terminal is restored."""
        result = await super().run_async(**kwargs)
        if self._exception is not None:
            raise self._exception
        return result

    def _fatal_error(self) -> None:
        """Exit without the traceback Textual (8.2) would print, which includes local variables."""
        self._close_messages_no_wait()

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, or none before the theme is set: Textual's default is never shown."""
        return super().get_css_variables() if self._theme_ready else {}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the program's own tones for themes that do not define them."""
        return themes.default_variables(self.current_theme)

    def load_themes(self) -> None:
        """Register all themes, report files that are not valid themes, and watch the user's folder."""
        seen = themes.folder_fingerprint(self._theme_folders[1])
        self._register_themes_from(themes.load_themes(*self._theme_folders))
        if self._theme_folders[1] is not None:
            self.run_worker(self._poll_theme_files(seen), name="themes")

    def warn(self, text: str) -> None:
        """Show a problem with the program's own files; an empty `text` removes the warning."""
        raise NotImplementedError

    def action_help(self) -> None:
        """Show the keys of the current screen."""
        topic = getattr(self.screen, "HELP_TOPIC", "")
        if not topic:
            raise SkipAction
        from debate_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._glyphs, topic))

    async def action_copy_or_quit(self) -> None:
        """Copy the text selected with the mouse and clear the selection; without one, quit."""
        if self.screen.get_selected_text():
            self.screen.action_copy_text()
            self.screen.clear_selection()
        elif getattr(self.focused, "selected_text", ""):
            raise SkipAction  # an input copies its own selection
        else:
            await self.run_action("quit")

    def action_themes(self) -> None:
        """Open the theme picker: the bundled and the user's themes, followed by Textual's."""
        from debate_tui.tui.screens.dialogs import ThemeScreen

        current, known = self.theme, self.available_themes
        own = [known[name] for name in self._file_theme_names]
        choices = [*own, *(theme for theme in known.values() if theme not in own)]

        def choose(index: int | None) -> None:
            self.theme = current if index is None else choices[index].name
            if index is not None and self._on_theme is not None:
                self._on_theme(self.theme)

        self.push_screen(ThemeScreen(choices, current, self._glyphs), choose)

    async def _poll_theme_files(self, fingerprint: tuple[tuple[str, int, int], ...]) -> None:
        """Reload the themes whenever one of the user's theme files changes."""
        while True:
            await asyncio.sleep(THEME_POLL_SECONDS)
            now = await asyncio.to_thread(themes.folder_fingerprint, self._theme_folders[1])
            if now != fingerprint:
                fingerprint = now
                self._register_themes_from(await asyncio.to_thread(themes.load_themes, *self._theme_folders))

    def _register_themes_from(self, collection: themes.ThemeCollection) -> None:
        """Register these themes and reapply the current one by name."""
        names = tuple(theme.name for theme in collection.themes)
        current = self.current_theme
        for theme in collection.themes:
            self.register_theme(theme)
        for name in set(self._file_theme_names) - set(names):
            self.unregister_theme(name)
        first, self._file_theme_names = not self._file_theme_names, names
        problems = list(collection.problems)
        wanted = self._requested_theme if first else current.name
        if wanted not in self.available_themes:
            problems.append(f"No theme named '{wanted}'.")
            wanted = themes.DEFAULT_THEME
        if wanted != current.name:
            self.theme = wanted
        elif self.current_theme != current:
            self.mutate_reactive(BaseApp.theme)
        before, self._theme_problems = self._theme_problems, " ".join(problems)
        if self._theme_problems != before:
            self.warn(self._theme_problems)

    def _apply_requested_theme(self) -> None:
        """Apply the requested theme before anything is drawn; the others can be loaded later."""
        self._theme_ready = True
        for name in (self._requested_theme, themes.DEFAULT_THEME):
            if (theme := themes.find_theme(name, *self._theme_folders)) is not None:
                self.register_theme(theme)
            if name in self.available_themes:
                self.set_reactive(BaseApp.theme, name)
                self.stylesheet.set_variables(self.get_css_variables())
                return
