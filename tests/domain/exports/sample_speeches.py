"""Speeches to export, and text that wants to break out of each form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import (
    TurnDelta,
    TurnFinished,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.stream import FinishReason


NOVEMBER_2023 = 1_700_000_000.0


HOSTILE = "\x1b]0;pwned\x07<script>alert(1)</script> \u202ereversed\u202c [a](javascript:alert(1)) ![i](http://t/x.png)"


def speech_deltas(
    turn: int, debater: str, *texts: str, attempt: int = 1, start: int = 0
) -> Iterable[TurnDelta]:
    for text in texts:
        yield TurnDelta(turn=turn, debater=debater, attempt=attempt, offset=start, text=text)
        start += len(text)


def turn_finished(turn: int, debater: str, reason: FinishReason = "complete", **more: object) -> TurnFinished:
    return TurnFinished(turn=turn, debater=debater, reason=reason, **more)
