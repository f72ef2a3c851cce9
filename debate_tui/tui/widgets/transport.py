"""The transport: where a replay stands, how fast it goes, and a bar to be clicked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.bars import merge_cells
from debate_tui.tui.widgets.header import format_elapsed
from debate_tui.tui.widgets.line import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import MouseDown, MouseMove, MouseUp

    from debate_tui.tui.glyphs import Glyphs

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
