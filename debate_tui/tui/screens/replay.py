"""The replay screen: a recorded debate as it was seen, and keys to move about in its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from debate_tui.display.statistics import Statistics
from debate_tui.tui.key_hints import replay_hints
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.statistics import merge_cells
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.header import format_elapsed
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from textual.app import ComposeResult
    from textual.events import MouseDown, MouseMove, MouseUp

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.domain.events import Event
    from debate_tui.record.player import Player
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.symbols import Glyphs
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.header import HeaderContent


# The transport: where a replay stands, how fast it goes, and a bar to be clicked on.


MIN_BAR_CELLS = 8
"""Cells below which a bar says nothing."""


class Playback(Protocol):
    """What is known of a playback; places are in seconds."""

    @property
    def position(self) -> float:
        """Where it stands."""
        ...

    @property
    def length(self) -> float:
        """Where it ends."""
        ...

    @property
    def round_starts(self) -> Sequence[float]:
        """Where rounds begin."""
        ...

    @property
    def speed(self) -> float:
        """How much faster than it was held the debate is played."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        ...

    @property
    def over(self) -> bool:
        """Whether everything was played."""
        ...


class PlaybackBar(TextRows):
    """One line; the gaps in its bar are where rounds begin. Clicking and dragging ask for a place."""

    class SeekRequested(Message):
        """A place, in seconds, was pointed at."""

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
        """State and place, the bar, length and speed."""
        playing, glyphs = self._playback, self._glyphs
        now = (self._state_piece(), Piece(f"  {format_elapsed(int(playing.position))}  "))
        rest = (
            Piece(f"  {format_elapsed(int(playing.length))}", Tone.QUIET),
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
        """Go to the place under the mouse, and along with it."""
        if event.x in self._bar_columns:
            self._dragging = True
            self.capture_mouse()
            self._seek(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Go along with the mouse."""
        if self._dragging:
            self._seek(event.x)

    def on_mouse_up(self, _: MouseUp) -> None:
        """Let the mouse go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _seek(self, x: int) -> None:
        bar = self._bar_columns
        share = (min(max(x, bar.start), bar.stop - 1) - bar.start) / max(1, len(bar) - 1)
        self.post_message(self.SeekRequested(share * self._playback.length))


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
        from debate_tui.tui.screens.dialogs import HelpScreen

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
