"""The replay screen: plays back a recorded debate, with keys to move through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from debate_tui.display.statistics import Statistics
from debate_tui.domain.wording import format_clock
from debate_tui.tui.key_hints import replay_hints
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.statistics import merge_cells
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from textual.app import ComposeResult
    from textual.events import MouseDown, MouseMove, MouseUp

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.domain.events import Event
    from debate_tui.record.player import Player
    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.header import HeaderContent


# The playback bar: position and speed of a replay, with a clickable progress bar.


MIN_BAR_CELLS = 8
"""Below this number of cells, the progress bar is not shown."""


class Playback(Protocol):
    """The state of a playback; all positions are in seconds."""

    @property
    def position(self) -> float:
        """The current position."""
        ...

    @property
    def length(self) -> float:
        """The position of the end."""
        ...

    @property
    def round_starts(self) -> Sequence[float]:
        """The positions at which rounds start."""
        ...

    @property
    def speed(self) -> float:
        """The speed, relative to the original debate."""
        ...

    @property
    def paused(self) -> bool:
        """Whether playback is paused."""
        ...

    @property
    def over(self) -> bool:
        """Whether everything has been played."""
        ...


class PlaybackBar(TextRows):
    """One line; gaps in its bar mark the starts of rounds. Click or drag to seek."""

    class SeekRequested(Message):
        """Posted when the user clicks or drags to a position, in seconds."""

        def __init__(self, position: float) -> None:
            super().__init__()
            self.position = position

    def __init__(self, playback: Playback, glyphs: Glyphs) -> None:
        super().__init__()
        self._playback = playback
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._bar_columns = range(0)
        self._dragging = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return state, position, bar, length and speed."""
        playing, glyphs = self._playback, self._glyphs
        now = (self._state_piece(), Piece(f"  {format_clock(playing.position)}  "))
        rest = (
            Piece(f"  {format_clock(playing.length)}", Tone.QUIET),
            Piece(f"  {glyphs.separator}  ", Tone.FAINT),
            Piece(f"{playing.speed:g}{glyphs.times}", Tone.TEXT if playing.speed == 1 else Tone.FOCUS),
        )
        room = width - pieces_width((*now, *rest))
        if room < MIN_BAR_CELLS:
            self._bar_columns = range(0)
            return (Row(now, rest),)
        first = self.inset + pieces_width(now)
        self._bar_columns = range(first, first + room)
        return (Row((*now, *self._bar_pieces(room), *rest)),)

    def _state_piece(self) -> Piece:
        playing, glyphs = self._playback, self._glyphs
        if playing.over:
            return Piece(f"{glyphs.stopped} the end", Tone.QUIET)
        if playing.paused:
            return Piece(f"{glyphs.paused} paused ", Tone.PAUSED)
        return Piece(f"{glyphs.streaming} playing", Tone.STREAMING)

    def _bar_pieces(self, width: int) -> tuple[Piece, ...]:
        playing, glyphs = self._playback, self._glyphs
        length = playing.length or 1.0
        here = min(int(playing.position / length * width), width - 1)
        gaps = {int(begin / length * width) for begin in playing.round_starts} - {0, here}
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
        """Seek while dragging."""
        if self._dragging:
            self._seek(event.x)

    def on_mouse_up(self, _: MouseUp) -> None:
        """Stop dragging."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _seek(self, x: int) -> None:
        bar = self._bar_columns
        share = (min(max(x, bar.start), bar.stop - 1) - bar.start) / max(1, len(bar) - 1)
        self.post_message(self.SeekRequested(share * self._playback.length))


class ReplayScreen(DebateScreen):
    """A `DebateScreen` whose log is a player; the player's creator runs it.

    To move back, the screen is rebuilt from the debate's first event by the same code that built it before.
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
        handle: CommandHandler | None,
        options: ScreenOptions,
        **kwargs: Any,
    ) -> None:
        kwargs["make_statistics"] = lambda: Statistics(lambda: log.position)
        super().__init__(log, buffer, handle, options, **kwargs)
        self._player = log
        self._playback_bar = PlaybackBar(log, self._glyphs)
        self._is_rewind_queued = False
        log.on_rewind = self._queue_rewind

    def compose(self) -> ComposeResult:
        """Yield the debate screen's widgets with the playback bar above the footer."""
        *above, footer = super().compose()
        yield from above
        yield self._playback_bar
        yield footer

    def _choose_pane_layout(self, size: Size) -> None:
        """Leave one row for the playback bar."""
        super()._choose_pane_layout(Size(size.width, size.height - 1))

    def tick(self, now: float) -> None:
        """Update what changes with time, including the playback position."""
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

    def _command_handler(self) -> None:
        self._show_message("A replay takes no commands")

    def action_help(self) -> None:
        """Show the help for the keys of a replay, and badges."""
        from debate_tui.tui.screens.dialogs import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs, "replay"))

    async def _all_events(self) -> Sequence[Event]:
        """Return all events of the debate, whatever the playback position."""
        return self._player.events

    # Playback

    def action_toggle_playback(self) -> None:
        """Pause or resume; at the end, play again from the start."""
        player = self._player
        over = player.over
        if over:
            self._seek(lambda: player.seek(0))
        if player.paused or not over:
            player.toggle_pause()
        self._refresh_playback()

    def action_previous_turn(self) -> None:
        """Seek to the start of this turn, or of the one before."""
        self._seek(self._player.previous_turn)

    def action_next_turn(self) -> None:
        """Seek to the start of the next turn."""
        self._seek(self._player.next_turn)

    def action_slower(self) -> None:
        """Halve the speed."""
        self._player.halve_speed()
        self._refresh_playback()

    def action_faster(self) -> None:
        """Double the speed."""
        self._player.double_speed()
        self._refresh_playback()

    def action_seek_tenth(self, tenths: int) -> None:
        """Seek to a tenth of the debate."""
        self._seek(lambda: self._player.seek_tenth(tenths))

    def on_playback_bar_seek_requested(self, message: PlaybackBar.SeekRequested) -> None:
        """Seek to the position of the mouse."""
        self._seek(lambda: self._player.seek(message.position))

    def _seek(self, move: Callable[[], None]) -> None:
        """Seek, and scroll all panes to the end of the text at the new position."""
        move()
        for pane in self._panes:
            pane.turn_text.viewport.following = True
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
