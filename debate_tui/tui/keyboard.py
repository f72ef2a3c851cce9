"""Keys one after the other, however many come at once, as they do over a slow line."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Event
    from textual.widget import Widget


KEY_TIMEOUT_SECONDS = 1.0
"""How long a key may be on its way before the next one takes its turn: whoever had it may be gone."""


class Key(events.Key):
    """A key on its way to whoever has the focus; `on_handled` is called once somebody wants it to go no
    further.

    Textual finds the handlers of a message by the name of its class.
    """

    def __init__(self, key: events.Key, target_widget: Widget, on_handled: Callable[[Key], None]) -> None:
        super().__init__(key.key, key.character)
        self.target_widget = target_widget
        self._handled_callback = on_handled
        self.set_sender(target_widget)  # not the app, at which a message of its own would stop

    def stop(self, stop: bool = True) -> Key:
        """See `Message.stop`."""
        super().stop(stop)
        self._handled_callback(self)
        return self


class KeyboardApp(App[Result]):
    """A key waits until the one before it is done with, and goes to what that one has opened.

    Textual (8.2) gives every key to whoever has the focus when it arrives, and only later does what the one
    before it is bound to: what is typed behind a key that opens a line would be commands.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key_queue: deque[events.Key] = deque()
        self._current_key: Key | None = None

    async def on_event(self, event: Event) -> None:
        """Have keys wait for their turn."""
        if not isinstance(event, events.Key) or event.is_forwarded:
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
        """Nobody took the key: offer it to whoever has come to have the focus, or do what it is bound to."""
        event.prevent_default()
        if isinstance(event, Key) and event.target_widget is not (self.focused or self.screen):
            await self._dispatch_key(event)
            return
        await super()._on_key(event)
        if isinstance(event, Key):
            self._finish_key(event)

    async def _dispatch_key(self, key: events.Key) -> None:
        self._current_key = Key(key, self.focused or self.screen, self._finish_key)
        await super().on_event(self._current_key)
        if not self._current_key.is_forwarded:  # it was done at once
            self._current_key = None

    async def _dispatch_queued_keys(self) -> None:
        """Let the keys that wait have their turn, up to one that is on its way for a while."""
        self._current_key = None
        while self._key_queue and self._current_key is None:
            await self._dispatch_key(self._key_queue.popleft())

    def _finish_key(self, key: Key) -> None:
        """This key is done with."""
        if key is self._current_key:
            self._current_key = None
            if self._key_queue:
                self.call_next(self._dispatch_queued_keys)
