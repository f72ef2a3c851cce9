"""The transport: where a replay stands, how fast it goes, and a bar to be clicked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.bars import joined
from debate_tui.tui.widgets.header import clock
from debate_tui.tui.widgets.line import Lines, Piece, Row, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import MouseDown, MouseMove, MouseUp

    from debate_tui.tui.glyphs import Glyphs

LEAST_BAR = 8
"""Cells below which a bar says nothing."""


class Playing(Protocol):
    """What is known of a playback; places are in seconds."""

    @property
    def place(self) -> float:
        """Where it stands."""
        ...

    @property
    def length(self) -> float:
        """Where it ends."""
        ...

    @property
    def rounds(self) -> Sequence[float]:
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


class Transport(Lines):
    """One line; the gaps in its bar are where rounds begin. Clicking and dragging ask for a place."""

    class Sought(Message):
        """A place, in seconds, was pointed at."""

        def __init__(self, place: float) -> None:
            super().__init__()
            self.place = place

    def __init__(self, playing: Playing, glyphs: Glyphs) -> None:
        super().__init__()
        self._playing = playing
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._bar = range(0)
        self._dragging = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """State and place, the bar, length and speed."""
        playing, glyphs = self._playing, self._glyphs
        now = (self._state(), Piece(f"  {clock(int(playing.place))}  "))
        rest = (
            Piece(f"  {clock(int(playing.length))}", Tone.QUIET),
            Piece(f"  {glyphs.between}  ", Tone.FAINT),
            Piece(f"{playing.speed:g}{glyphs.times}", Tone.TEXT if playing.speed == 1 else Tone.FOCUS),
        )
        room = width - width_of((*now, *rest))
        if room < LEAST_BAR:
            self._bar = range(0)
            return (Row(now, rest),)
        first = self.inset + width_of(now)
        self._bar = range(first, first + room)
        return (Row((*now, *self._cells(room), *rest)),)

    def _state(self) -> Piece:
        playing, glyphs = self._playing, self._glyphs
        if playing.over:
            return Piece(f"{glyphs.stopped} the end", Tone.QUIET)
        if playing.paused:
            return Piece(f"{glyphs.paused} paused ", Tone.PAUSED)
        return Piece(f"{glyphs.streaming} playing", Tone.STREAMING)

    def _cells(self, width: int) -> tuple[Piece, ...]:
        playing, glyphs = self._playing, self._glyphs
        length = playing.length or 1.0
        here = min(int(playing.place / length * width), width - 1)
        gaps = {int(begin / length * width) for begin in playing.rounds} - {0, here}
        return joined(
            (glyphs.knob, Tone.FOCUS)
            if cell == here
            else (" ", Tone.FAINT)
            if cell in gaps
            else (glyphs.heavy, Tone.FOCUS)
            if cell < here
            else (glyphs.thin, Tone.FAINT)
            for cell in range(width)
        )

    def on_mouse_down(self, event: MouseDown) -> None:
        """Go to the place under the mouse, and along with it."""
        if event.x in self._bar:
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
        bar = self._bar
        share = (min(max(x, bar.start), bar.stop - 1) - bar.start) / max(1, len(bar) - 1)
        self.post_message(self.Sought(share * self._playing.length))
