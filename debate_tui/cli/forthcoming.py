"""Commands to a debate that is still being made ready."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Commands, FaultDecision

    QueuedCall = Callable[[Commands], None]


class QueuedCommands:
    """`Commands` that are kept until the debate has begun, and then go to it at once: no key is lost."""

    def __init__(self) -> None:
        self._target: Commands | None = None
        self._queue: list[QueuedCall] = []

    def send_on_first_event(self, target: Commands, log: ReadableLog) -> None:
        """Pass everything on to this debate from its first event on."""

        def handle_first_event(_: Event) -> None:
            unsubscribe()
            # Whoever else listens is told of the beginning before what is asked of the debate.
            asyncio.get_running_loop().call_soon(self._send_queued, target)

        unsubscribe = log.subscribe(handle_first_event)

    def _send_queued(self, target: Commands) -> None:
        self._target = target
        for ask in self._queue:
            ask(target)
        self._queue.clear()

    def _send(self, call: QueuedCall) -> None:
        if self._target is not None:
            call(self._target)
        else:
            self._queue.append(call)

    def pause(self, debater: str | None) -> None:
        """See `Commands.pause`."""
        self._send(lambda debate: debate.pause(debater))

    def resume(self, debater: str | None) -> None:
        """See `Commands.resume`."""
        self._send(lambda debate: debate.resume(debater))

    def stop(self, debater: str) -> None:
        """See `Commands.stop`."""
        self._send(lambda debate: debate.stop(debater))

    def retry(self, debater: str) -> None:
        """See `Commands.retry`."""
        self._send(lambda debate: debate.retry(debater))

    def interject(self, text: str, to: str | None) -> None:
        """See `Commands.interject`."""
        self._send(lambda debate: debate.interject(text, to))

    def vote(self, when: Literal["before", "after"], debater: str | None) -> None:
        """See `Commands.vote`."""
        self._send(lambda debate: debate.vote(when, debater))

    def add_round(self) -> None:
        """See `Commands.add_round`."""
        self._send(lambda debate: debate.add_round())

    def skip_phase(self) -> None:
        """See `Commands.skip_phase`."""
        self._send(lambda debate: debate.skip_phase())

    def set_words(self, words: int) -> None:
        """See `Commands.set_words`."""
        self._send(lambda debate: debate.set_words(words))

    def decide(self, debater: str, choice: FaultDecision) -> None:
        """See `Commands.decide`."""
        self._send(lambda debate: debate.decide(debater, choice))

    def end(self) -> None:
        """See `Commands.end`."""
        self._send(lambda debate: debate.end())
