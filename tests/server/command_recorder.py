"""A session's place taken by one that only logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import Interjection, Vote

if TYPE_CHECKING:
    from debate_tui.record.log import MemoryLog


class CommandRecorder:
    """Takes commands like a session, and logs those that sessions log."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.heard: list[object] = []

    def pause(self, debater: str | None = None) -> None:
        self.heard.append(("pause", debater))

    def resume(self, debater: str | None = None) -> None:
        self.heard.append(("resume", debater))

    def stop(self, debater: str) -> None:
        self.heard.append(("stop", debater))

    def retry(self, debater: str) -> None:
        self.heard.append(("retry", debater))

    def end(self) -> None:
        self.heard.append("end")

    def interject(self, text: str, to: str | None = None) -> None:
        self.log.append(Interjection(text=text, to=to))

    def vote(self, when: str, debater: str | None, voter: str = "user") -> None:
        self.log.append(Vote(when=when, debater=debater, voter=voter))  # type: ignore[arg-type]
