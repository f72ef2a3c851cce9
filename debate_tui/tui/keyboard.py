"""Keys one after the other, however many come at once, as they do over a slow line."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from textual import events
from textual.app import App

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Event
    from textual.widget import Widget

Result = TypeVar("Result")

PATIENCE_S = 1.0
"""How long a key may be on its way before the next one takes its turn: whoever had it may be gone."""


class Key(events.Key):
    """A key on its way to whoever has the focus; `taken` is called once somebody wants it to go no further.

    Textual finds the handlers of a message by the name of its class.
    """

    def __init__(self, key: events.Key, aim: Widget, taken: Callable[[Key], None]) -> None:
        super().__init__(key.key, key.character)
        self.aim = aim
        self._taken = taken
        self.set_sender(aim)  # not the app, at which a message of its own would stop

    def stop(self, stop: bool = True) -> Key:
        """See `Message.stop`."""
        super().stop(stop)
        self._taken(self)
        return self


class KeyboardApp(App[Result]):
    """A key waits until the one before it is done with, and goes to what that one has opened.

    Textual (8.2) gives every key to whoever has the focus when it arrives, and only later does what the one
    before it is bound to: what is typed behind a key that opens a line would be commands.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._typed: deque[events.Key] = deque()
        self._under_way: Key | None = None

    async def on_event(self, event: Event) -> None:
        """Have keys wait for their turn."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        before = self._under_way
        if before is None or not before.aim.is_attached or event.time - before.time > PATIENCE_S:
            await self._press_next()

    async def _on_key(self, event: events.Key) -> None:
        """Nobody took the key: offer it to whoever has come to have the focus, or do what it is bound to."""
        event.prevent_default()
        if isinstance(event, Key) and event.aim is not (self.focused or self.screen):
            await self._press(event)
            return
        await super()._on_key(event)
        if isinstance(event, Key):
            self._go_on(event)

    async def _press(self, key: events.Key) -> None:
        self._under_way = Key(key, self.focused or self.screen, self._go_on)
        await super().on_event(self._under_way)
        if not self._under_way.is_forwarded:  # it was done at once
            self._under_way = None

    async def _press_next(self) -> None:
        """Let the keys that wait have their turn, up to one that is on its way for a while."""
        self._under_way = None
        while self._typed and self._under_way is None:
            await self._press(self._typed.popleft())

    def _go_on(self, key: Key) -> None:
        """This key is done with."""
        if key is self._under_way:
            self._under_way = None
            if self._typed:
                self.call_next(self._press_next)
