"""The replay screen: a recorded debate as it was seen, and keys to move about in its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.geometry import Size

from debate_tui.display.statistics import Statistics
from debate_tui.tui.hints import replay_hints
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.widgets.transport import PlaybackBar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from textual.app import ComposeResult

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.domain.events import Event
    from debate_tui.record.player import Player
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.header import HeaderContent


class ReplayScreen(DebateScreen):
    """A `DebateScreen` whose log is a player; whoever made the player runs it.

    Going back builds the screen anew from the debate's first event, by the same fold that built it first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_playback"),
        Binding("left_square_bracket", "previous_turn"),
        Binding("right_square_bracket", "next_turn"),
        Binding("comma", "slower"),
        Binding("full_stop", "faster"),
        *(Binding(str(tenths), f"seek_tenth({tenths})") for tenths in range(10)),
    ]

    def __init__(
        self,
        log: Player,
        buffer: SharedBuffer[PaneItem],
        commands: Commands | None,
        options: ScreenOptions,
        **kwargs: Any,
    ) -> None:
        kwargs["make_statistics"] = lambda: Statistics(lambda: log.position)
        super().__init__(log, buffer, commands, options, **kwargs)
        self._player = log
        self._playback_bar = PlaybackBar(log, self._glyphs)
        self._is_rewind_queued = False
        log.on_rewind = self._queue_rewind

    def compose(self) -> ComposeResult:
        """The debate screen, with the transport above its footer."""
        *above, footer = super().compose()
        yield from above
        yield self._playback_bar
        yield footer

    def _choose_pane_layout(self, size: Size) -> None:
        """The transport takes a row from the panes."""
        super()._choose_pane_layout(Size(size.width, size.height - 1))

    def tick(self, now: float) -> None:
        """Look again at what changes with time: here also where the replay stands."""
        super().tick(now)
        self._playback_bar.refresh_rows()

    def _header_content(self) -> HeaderContent:
        return msgspec.structs.replace(super()._header_content(), is_replay=True)

    def _current_hints(self) -> tuple[KeyHint, ...]:
        return replay_hints(
            paused=self._player.paused,
            finished=self._player.over,
            zoomed=self._zoomed,
            has_reasoning=self._current_pane.content.has_reasoning,
            verdict_label=self.verdict_label,
        )

    def _available_commands(self) -> None:
        self._show_message("A replay takes no commands")

    def action_help(self) -> None:
        """Explain the keys of a replay, and badges."""
        from debate_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs, "replay"))

    async def _all_events(self) -> Sequence[Event]:
        """All of the debate, wherever the replay stands."""
        return self._player.events

    # Moving in time

    def action_toggle_playback(self) -> None:
        """Stand still, or go on; from the end, begin again."""
        player = self._player
        over = player.over
        if over:
            self._seek(lambda: player.seek(0))
        if player.paused or not over:
            player.toggle_pause()
        self._refresh_playback()

    def action_previous_turn(self) -> None:
        """Back to where this turn began, or the one before."""
        self._seek(self._player.previous_turn)

    def action_next_turn(self) -> None:
        """To where the next turn begins."""
        self._seek(self._player.next_turn)

    def action_slower(self) -> None:
        """Half the speed."""
        self._player.halve_speed()
        self._refresh_playback()

    def action_faster(self) -> None:
        """Twice the speed."""
        self._player.double_speed()
        self._refresh_playback()

    def action_seek_tenth(self, tenths: int) -> None:
        """To a tenth of the debate."""
        self._seek(lambda: self._player.seek_tenth(tenths))

    def on_playback_bar_seek_requested(self, message: PlaybackBar.SeekRequested) -> None:
        """To where the mouse points."""
        self._seek(lambda: self._player.seek(message.position))

    def _seek(self, move: Callable[[], None]) -> None:
        """Whoever goes elsewhere wants to see what is said there."""
        move()
        for pane in self._panes:
            pane.turn_text.following = True
        self._refresh_playback()

    def _refresh_playback(self) -> None:
        self._playback_bar.refresh_rows()
        self._show_hints()

    def _queue_rewind(self) -> None:
        if not self._is_rewind_queued:
            self._is_rewind_queued = True
            self.call_next(self._rewind)

    async def _rewind(self) -> None:
        self._is_rewind_queued = False
        await self.rebuild()
