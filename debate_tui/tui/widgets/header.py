"""The header: what is debated, where the debate is, in which mode it is shown, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.badge import Badge
from debate_tui.tui.widgets.line import Lines, Piece, Row, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.glyphs import Glyphs


class Headline(Struct, frozen=True, kw_only=True):
    """All the header says; `elapsed` in whole seconds, `progress` from 0 to 1 for each step.

    `expected` is how many seconds all turns together will take, `None` while nobody can tell; `judging` what
    is said of the judges while they read; `spent` what the debate has cost. `replay` takes the place of the
    time, which a replay tells elsewhere.
    """

    topic: str = ""
    phase: str = ""
    mode: str = ""
    elapsed: int = 0
    expected: int | None = None
    progress: tuple[float, ...] = ()
    spent: str = ""
    judging: str = ""
    paused: bool = False
    ended: Badge | None = None
    replay: bool = False


class Header(Lines):
    """Two lines; the second is the border of the panes and the debate's progress at once."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._headline = Headline()

    def show(self, headline: Headline) -> None:
        """Show this from now on."""
        self._headline = headline
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Topic and state; progress."""
        line, glyphs = self._headline, self._glyphs
        between = Piece(f"  {glyphs.between}  ", Tone.FAINT)
        parts = []
        if line.paused:
            parts.append(Piece(f"{glyphs.paused} paused", Tone.PAUSED, bold=True))
        if line.ended is not None:
            parts.append(Piece(line.ended.text(glyphs), line.ended.tone, bold=True))
        elif line.judging:
            parts.append(Piece(f"{glyphs.streaming} {line.judging}", Tone.STREAMING, bold=True))
        elif line.phase:
            parts.append(Piece(line.phase, Tone.TEXT))
        parts.append(Piece(line.mode, Tone.QUIET))
        parts.append(Piece("replay", Tone.FOCUS) if line.replay else Piece(self._time(), Tone.QUIET))
        right = [parts[0]]
        for part in parts[1:]:
            right += [between, part]
        topic = Row((Piece(line.topic, Tone.TEXT, bold=True),), tuple(right))
        spent = (Piece(f"  {line.spent}", Tone.QUIET),) if line.spent else ()
        return topic, Row((*self._bar(width - width_of(spent)), *spent))

    def _time(self) -> str:
        line = self._headline
        if line.expected is None:
            return clock(line.elapsed)
        return f"{clock(line.elapsed)} of ~{clock(line.expected)}"

    def _bar(self, width: int) -> tuple[Piece, ...]:
        glyphs, progress = self._glyphs, self._headline.progress
        if not progress or width < 3 * len(progress):
            return (Piece(glyphs.thin * width, Tone.FAINT),)
        pieces: list[Piece] = []
        for cells, done in zip(_shares(width - len(progress) + 1, len(progress)), progress, strict=True):
            if pieces:
                pieces.append(Piece(" "))
            filled = round(cells * done)
            pieces.append(Piece(glyphs.heavy * filled, Tone.FOCUS))
            pieces.append(Piece(glyphs.thin * (cells - filled), Tone.FAINT))
        return tuple(piece for piece in pieces if piece.text)


def clock(seconds: int) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, seconds = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _shares(total: int, parts: int) -> Sequence[int]:
    """`total` cells dealt out evenly."""
    return [total * (n + 1) // parts - total * n // parts for n in range(parts)]
