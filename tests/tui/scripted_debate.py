"""A scripted debate on the real screen, to look at: ``python -m tests.tui.scripted_debate [--panes 4] …``.

The events are of the kind a session writes; only their text and timing are made up.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from typing import TYPE_CHECKING

from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebateStarted,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
)
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.record.log import MemoryLog
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screen_options import ScreenOptions
from tests.tui.debate_harness import DEBATERS, OXFORD, TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.events import Event

SPEECH = """\
A city centre is the one place where **everything is near everything else**. The car takes that
nearness away twice: once while it drives, and once while it stands.

Consider what the street is *for*:

1. Meeting people, which needs quiet.
2. Trade, which needs people on foot; shops in Ghent and Oslo gained custom after the change.
3. Getting through, which needs *order* rather than asphalt.

> A street that is only a way to somewhere else has stopped being a place.

My opponent will say that some people cannot walk. I agree, and that is why exemptions exist: blue
badges, deliveries until eleven, `permits` for trades. The ban frees the road **for them**.

| city | cars before | after |
|---|---|---|
| Oslo | 700 spaces | 0 |
| Ghent | 12,000 a day | 4,900 |

So the question is not whether we can afford to do it, but what we have been paying not to. 我们可以走路 🚶‍♀️.
"""


def pieces(text: str, seed: int) -> Iterator[str]:
    """The text in pieces of a token's size."""
    rng = random.Random(seed)
    while text:
        size = rng.randint(1, 8)
        yield text[:size]
        text = text[size:]


class Session:
    """Writes a debate to a log, and takes commands by writing what they would come to."""

    def __init__(self, log: MemoryLog, panes: int, speed: float) -> None:
        self.log = log
        self.debaters = DEBATERS[:panes]
        self.speed = speed
        self.gates = {d.id: asyncio.Event() for d in self.debaters}
        self.turn = 0

    def append(self, event: Event) -> None:
        self.log.append(event)

    async def run(self) -> None:
        for gate in self.gates.values():
            gate.set()
        self.append(DebateStarted(debate="d", topic=TOPIC, format="oxford", debaters=self.debaters))
        for phase, number, total in (
            ("opening", 1, 1),
            ("rebuttal", 1, 2),
            ("rebuttal", 2, 2),
            ("closing", 1, 1),
        ):
            self.append(PhaseStarted(phase=phase, round=number, rounds=total))
            async with asyncio.TaskGroup() as group:
                for place, debater in enumerate(self.debaters):
                    self.turn += 1
                    group.create_task(self.speak(debater.id, self.turn, phase, place))
            await self.wait(1.5)
        self.append(DebateFinished(reason="complete"))

    async def speak(self, debater: str, turn: int, phase: str, place: int) -> None:
        self.append(TurnStarted(turn=turn, debater=debater, phase=phase))
        self.status(debater, "connecting")
        await self.wait(0.3 + 0.4 * place)
        self.status(debater, "connected")
        await self.wait(0.3)
        self.status(debater, "streaming")
        offset = 0
        if place == 2:
            for piece in pieces(
                "The user wants a short speech. I should concede the strongest point first. ", turn
            ):
                await self.delta(debater, turn, offset, piece, reasoning=True)
                offset += len(piece)
            offset = 0
        for n, piece in enumerate(pieces(SPEECH, turn)):
            await self.delta(debater, turn, offset, piece)
            offset += len(piece)
            if n == 60 and place == 1 and phase == "opening":
                for left in (2, 4):
                    self.append(
                        StreamStatus(
                            debater=debater,
                            state="reconnecting",
                            attempt=1,
                            retry=left,
                            max_retries=5,
                            retry_in_ms=3000,
                            error=FaultReport(
                                FaultKind.NETWORK, "Connection reset by peer (api.example.com:443)"
                            ),
                        )
                    )
                    await self.wait(3)
                self.status(debater, "connecting", 2)
                await self.wait(0.3)
                self.append(StreamStatus(debater=debater, state="streaming", attempt=2, recovered=True))
            if n == 120 and place == 3 and phase == "rebuttal":
                message = "The model is overloaded; [bold]please[/bold] try again later (529)"
                self.append(
                    StreamStatus(
                        debater=debater,
                        state="failed",
                        attempt=1,
                        error=FaultReport(FaultKind.OVERLOADED, message, 529),
                    )
                )
                self.append(TurnFinished(turn=turn, debater=debater, reason="failed"))
                self.append(
                    DebaterRemoved(
                        debater=debater,
                        reason=message,
                        remaining=tuple(d.id for d in self.debaters if d.id != debater),
                    )
                )
                self.debaters = tuple(d for d in self.debaters if d.id != debater)
                return
        self.status(debater, "finished")
        reason = "length" if place == 2 and phase == "rebuttal" else "complete"
        usage = Usage(input_tokens=900, output_tokens=offset // 4)
        self.append(
            TurnFinished(
                turn=turn,
                debater=debater,
                reason=reason,
                usage=usage,
                cost=0.0031 if place < 2 else None,
                ttft_ms=640 + 90 * place,
            )
        )

    def status(self, debater: str, state: str, attempt: int = 1) -> None:
        self.append(StreamStatus(debater=debater, state=state, attempt=attempt))

    async def delta(
        self, debater: str, turn: int, offset: int, text: str, *, reasoning: bool = False
    ) -> None:
        await self.gates[debater].wait()
        self.append(
            TurnDelta(turn=turn, debater=debater, attempt=1, offset=offset, text=text, reasoning=reasoning)
        )
        await self.wait(random.uniform(0.01, 0.04))

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def pause(self, debater: str | None) -> None:
        self.append(DebatePaused(reason="user", debater=debater))
        for name in self.gates if debater is None else (debater,):
            self.gates[name].clear()
            self.status(name, "paused")

    def resume(self, debater: str | None) -> None:
        self.append(DebateResumed(reason="user", debater=debater))
        for name in self.gates if debater is None else (debater,):
            self.gates[name].set()
            self.status(name, "streaming")

    def stop(self, debater: str) -> None:
        pass

    def retry(self, debater: str) -> None:
        pass

    def interject(self, text: str, to: str | None) -> None:
        self.append(Interjection(text=text, to=to))

    def end(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--panes", type=int, default=4)
    parser.add_argument("--mode", default="hybrid")
    parser.add_argument("--theme", default="")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--speed", type=float, default=1.0)
    arguments = parser.parse_args()
    log = MemoryLog()
    buffer: SharedBuffer[PaneItem] = SharedBuffer([d.id for d in DEBATERS[: arguments.panes]])
    session = Session(log, arguments.panes, arguments.speed)
    tasks: list[asyncio.Task[None]] = []
    app = DebateApp(
        log,
        buffer,
        session,
        ScreenOptions(
            mode=DisplayMode(arguments.mode),
            theme=arguments.theme,
            ascii=arguments.ascii,
            topic=TOPIC,
            debaters=session.debaters,
            format=OXFORD,
            notice="Scripted: nothing is sent to any model. To connect one, set OPENAI_API_KEY.",
        ),
        on_ready=lambda: tasks.append(asyncio.create_task(session.run())),
    )
    app.run()


if __name__ == "__main__":
    main()
