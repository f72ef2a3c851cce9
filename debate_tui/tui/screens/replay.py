"""The replay screen: a recorded debate as it was seen, and keys to move about in its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.geometry import Size

from debate_tui.display.statistics import Statistics
from debate_tui.tui.hints import replay_hints
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.widgets.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from textual.app import ComposeResult

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.domain.events import Event
    from debate_tui.record.player import Player
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.widgets.footer import Hint
    from debate_tui.tui.widgets.header import Headline


class ReplayScreen(DebateScreen):
    """A `DebateScreen` whose log is a player; whoever made the player runs it.

    Going back builds the screen anew from the debate's first event, by the same fold that built it first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play"),
        Binding("left_square_bracket", "previous_turn"),
        Binding("right_square_bracket", "next_turn"),
        Binding("comma", "slower"),
        Binding("full_stop", "faster"),
        *(Binding(str(tenths), f"seek_tenth({tenths})") for tenths in range(10)),
    ]

    def __init__(
        self,
        log: Player,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        **more: Any,
    ) -> None:
        more["measure"] = lambda: Statistics(lambda: log.place)
        super().__init__(log, buffer, commands, options, **more)
        self._player = log
        self._transport = Transport(log, self._glyphs)
        self._rewound = False
        log.on_rewind = self._hear_rewind

    def compose(self) -> ComposeResult:
        """The debate screen, with the transport above its footer."""
        *above, footer = super().compose()
        yield from above
        yield self._transport
        yield footer

    def _fit_into(self, size: Size) -> None:
        """The transport takes a row from the panes."""
        super()._fit_into(Size(size.width, size.height - 1))

    def tick(self, now: float) -> None:
        """Look again at what changes with time: here also where the replay stands."""
        super().tick(now)
        self._transport.sync()

    def _headline(self) -> Headline:
        return msgspec.structs.replace(super()._headline(), replay=True)

    def _hints(self) -> tuple[Hint, ...]:
        return replay_hints(
            paused=self._player.paused,
            over=self._player.over,
            zoomed=self._zoomed,
            reasoning=self._pane.script.has_reasoning,
            verdict=self.verdict_key,
        )

    def _commanding(self) -> None:
        self._say("A replay takes no commands")

    def action_help(self) -> None:
        """Explain the keys of a replay, and badges."""
        from debate_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs, "replay"))

    async def _whole(self) -> Sequence[Event]:
        """All of the debate, wherever the replay stands."""
        return self._player.events

    # Moving in time

    def action_play(self) -> None:
        """Stand still, or go on; from the end, begin again."""
        player = self._player
        over = player.over
        if over:
            self._seek(lambda: player.seek(0))
        if player.paused or not over:
            player.toggle()
        self._show_transport()

    def action_previous_turn(self) -> None:
        """Back to where this turn began, or the one before."""
        self._seek(self._player.previous_turn)

    def action_next_turn(self) -> None:
        """To where the next turn begins."""
        self._seek(self._player.next_turn)

    def action_slower(self) -> None:
        """Half the speed."""
        self._player.slower()
        self._show_transport()

    def action_faster(self) -> None:
        """Twice the speed."""
        self._player.faster()
        self._show_transport()

    def action_seek_tenth(self, tenths: int) -> None:
        """To a tenth of the debate."""
        self._seek(lambda: self._player.seek_tenth(tenths))

    def on_transport_sought(self, message: Transport.Sought) -> None:
        """To where the mouse points."""
        self._seek(lambda: self._player.seek(message.place))

    def _seek(self, go: Callable[[], None]) -> None:
        """Whoever goes elsewhere wants to see what is said there."""
        go()
        for pane in self._panes:
            pane.prose.following = True
        self._show_transport()

    def _show_transport(self) -> None:
        self._transport.sync()
        self._show_hints()

    def _hear_rewind(self) -> None:
        if not self._rewound:
            self._rewound = True
            self.call_next(self._rewind)

    async def _rewind(self) -> None:
        self._rewound = False
        await self.begin_anew()
