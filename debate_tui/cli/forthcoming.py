"""Commands to a debate that is still being made ready."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Choice, Commands

    Ask = Callable[[Commands], None]


class Forthcoming:
    """`Commands` that are kept until the debate has begun, and then go to it at once: no key is lost."""

    def __init__(self) -> None:
        self._debate: Commands | None = None
        self._asked: list[Ask] = []

    def wait_for(self, debate: Commands, log: ReadableLog) -> None:
        """Pass everything on to this debate from its first event on."""

        def begin(_: Event) -> None:
            unsubscribe()
            # Whoever else listens is told of the beginning before what is asked of the debate.
            asyncio.get_running_loop().call_soon(self._begin, debate)

        unsubscribe = log.subscribe(begin)

    def _begin(self, debate: Commands) -> None:
        self._debate = debate
        for ask in self._asked:
            ask(debate)
        self._asked.clear()

    def _ask(self, ask: Ask) -> None:
        if self._debate is not None:
            ask(self._debate)
        else:
            self._asked.append(ask)

    def pause(self, debater: str | None) -> None:
        """See `Commands.pause`."""
        self._ask(lambda debate: debate.pause(debater))

    def resume(self, debater: str | None) -> None:
        """See `Commands.resume`."""
        self._ask(lambda debate: debate.resume(debater))

    def stop(self, debater: str) -> None:
        """See `Commands.stop`."""
        self._ask(lambda debate: debate.stop(debater))

    def retry(self, debater: str) -> None:
        """See `Commands.retry`."""
        self._ask(lambda debate: debate.retry(debater))

    def interject(self, text: str, to: str | None) -> None:
        """See `Commands.interject`."""
        self._ask(lambda debate: debate.interject(text, to))

    def vote(self, when: Literal["before", "after"], debater: str | None) -> None:
        """See `Commands.vote`."""
        self._ask(lambda debate: debate.vote(when, debater))

    def add_round(self) -> None:
        """See `Commands.add_round`."""
        self._ask(lambda debate: debate.add_round())

    def skip_phase(self) -> None:
        """See `Commands.skip_phase`."""
        self._ask(lambda debate: debate.skip_phase())

    def set_words(self, words: int) -> None:
        """See `Commands.set_words`."""
        self._ask(lambda debate: debate.set_words(words))

    def decide(self, debater: str, choice: Choice) -> None:
        """See `Commands.decide`."""
        self._ask(lambda debate: debate.decide(debater, choice))

    def end(self) -> None:
        """See `Commands.end`."""
        self._ask(lambda debate: debate.end())
