"""The replay screen: plays back a recorded debate, with keys to move through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.display.statistics import Statistics
from debate_tui.domain.wording import format_clock
from debate_tui.tui.key_hints import replay_hints
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, merge_cells, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import MouseDown, MouseMove, MouseUp

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.domain.events import Event
    from debate_tui.record.player import Player
    from debate_tui.tui.key_hints import HintState
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.debate_display import DebateDisplay
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.screens.verdict import CardAction
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.footer import KeyHint


MIN_BAR_CELLS = 8
"""Below this number of cells, the progress bar is not shown."""


class PlaybackBar(TextRows):
    """Position and speed of a replay in one line; gaps in its bar mark the starts of rounds.

    `on_seek` is called with a position in seconds when the user clicks or drags to it.
    """

    def __init__(self, player: Player, glyphs: Glyphs, on_seek: Callable[[float], None]) -> None:
        super().__init__(glyphs)
        self._player = player
        self._on_seek = on_seek
        self._bar_columns = range(0)
        self._dragging = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return state, position, bar, length and speed."""
        player, glyphs = self._player, self._glyphs
        length, speed = player.playhead.length, player.playhead.speed
        now = (self._state_piece(), Piece(f"  {format_clock(player.position)}  "))
        rest = (
            Piece(f"  {format_clock(length)}", Tone.QUIET),
            Piece(f"  {glyphs.separator}  ", Tone.FAINT),
            Piece(f"{speed:g}{glyphs.times}", Tone.TEXT if speed == 1 else Tone.FOCUS),
        )
        room = width - pieces_width((*now, *rest))
        if room < MIN_BAR_CELLS:
            self._bar_columns = range(0)
            return (Row(now, rest),)
        first = self.inset + pieces_width(now)
        self._bar_columns = range(first, first + room)
        return (Row((*now, *self._bar_pieces(room), *rest)),)

    def _state_piece(self) -> Piece:
        if self._player.over:
            return Piece(f"{self._glyphs.stopped} ended  ", Tone.QUIET)
        if self._player.playhead.paused:
            return Piece(f"{self._glyphs.paused} paused ", Tone.PAUSED)
        return Piece(f"{self._glyphs.streaming} playing", Tone.STREAMING)

    def _bar_pieces(self, width: int) -> tuple[Piece, ...]:
        player, glyphs = self._player, self._glyphs
        length = player.playhead.length or 1.0
        here = min(int(player.position / length * width), width - 1)
        gaps = {int(start / length * width) for start in player.playhead.round_starts} - {0, here}
        return merge_cells(
            (glyphs.dot, Tone.FOCUS)
            if cell == here
            else (" ", Tone.FAINT)
            if cell in gaps
            else (glyphs.heavy_line, Tone.FOCUS)
            if cell < here
            else (glyphs.thin_line, Tone.FAINT)
            for cell in range(width)
        )

    def on_mouse_down(self, event: MouseDown) -> None:
        """Seek to the mouse position and start dragging."""
        if event.x in self._bar_columns:
            self._dragging = True
            self.capture_mouse()
            self._seek(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._dragging:
            self._seek(event.x)

    def on_mouse_up(self, _: MouseUp) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _seek(self, x: int) -> None:
        bar = self._bar_columns
        share = (min(max(x, bar.start), bar.stop - 1) - bar.start) / max(1, len(bar) - 1)
        self._on_seek(share * self._player.playhead.length)


class PlaybackController(Controller):
    """The keys that move through a recorded debate.

    To move back, the screen is rebuilt from the debate's first event by the same code that built it before.
    """

    def __init__(self, view: DebateView, display: DebateDisplay, player: Player) -> None:
        self._view = view
        self._display = display
        self._player = player
        self.bar = PlaybackBar(player, view.glyphs, self._seek)
        self._is_rewind_queued = False
        player.on_rewind = self._queue_rewind

    def hints(self, state: HintState) -> tuple[KeyHint, ...]:
        """Return the hints for the keys that do something now."""
        return replay_hints(state, is_paused=self._player.playhead.paused, at_end=self._player.over)

    def action_toggle(self) -> None:
        """Pause or resume; at the end, play again from the start."""
        player = self._player
        over = player.over
        if over:
            self._seek(0)
        if player.playhead.paused or not over:
            player.toggle_pause()
        self._refresh()

    def action_previous_turn(self) -> None:
        """Seek to the start of this turn, or of the one before."""
        self._player.previous_turn()
        self._follow_end()

    def action_next_turn(self) -> None:
        """Seek to the start of the next turn."""
        self._player.next_turn()
        self._follow_end()

    def action_seek_tenth(self, tenths: int) -> None:
        """Seek to a tenth of the debate."""
        self._seek(self._player.playhead.length * tenths / 10)

    def action_slower(self) -> None:
        """Halve the speed."""
        self._player.change_speed(0.5)
        self._refresh()

    def action_faster(self) -> None:
        """Double the speed."""
        self._player.change_speed(2)
        self._refresh()

    def _seek(self, position: float) -> None:
        self._player.seek(position)
        self._follow_end()

    def _follow_end(self) -> None:
        """Scroll all panes to the end of the text at the new position."""
        for pane in self._view.panes.panes:
            pane.turn_text.viewport.following = True
        self._refresh()

    def _refresh(self) -> None:
        self.bar.refresh_rows()
        self._view.update_hints()

    def _queue_rewind(self) -> None:
        if not self._is_rewind_queued:
            self._is_rewind_queued = True
            self._view.screen.call_next(self._rewind)

    async def _rewind(self) -> None:
        self._is_rewind_queued = False
        await self._display.rebuild()


class ReplayScreen(DebateScreen):
    """A `DebateScreen` whose log is a player; the player's creator runs it."""

    KIND = HELP_TOPIC = "replay"
    RESERVED_ROWS = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "playback.toggle"),
        Binding("left_square_bracket", "playback.previous_turn"),
        Binding("right_square_bracket", "playback.next_turn"),
        Binding("comma", "playback.slower"),
        Binding("full_stop", "playback.faster"),
        *(Binding(str(tenths), f"playback.seek_tenth({tenths})") for tenths in range(10)),
    ]

    def __init__(
        self,
        player: Player,
        buffer: SharedBuffer[PaneItem],
        options: ScreenOptions,
        *,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            player,
            buffer,
            None,
            options,
            make_statistics=lambda: Statistics(lambda: player.position),
            on_ready=on_ready,
        )
        self._player = player
        self._playback = self.controllers["playback"] = PlaybackController(
            self.view, self.debate_display, player
        )
        self.debate_display.bars.append(self._playback.bar)
        self.outcome.more_actions = self._card_actions

    def debate_hints(self, state: HintState) -> tuple[KeyHint, ...]:
        """Return the hints for the keys of a replay."""
        return self._playback.hints(state)

    def _card_actions(self) -> Sequence[CardAction]:
        """Return what a replay offers on the card at its end."""
        from debate_tui.tui.screens.verdict import CardAction

        return [CardAction("space", "play again", self._play_again)]

    def _play_again(self) -> None:
        self.outcome.close()
        self._playback.action_toggle()

    async def read_events(self) -> Sequence[Event]:
        """Return all events of the debate, whatever the playback position."""
        return self._player.events
