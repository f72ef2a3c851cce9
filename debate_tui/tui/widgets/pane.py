"""A pane: one debater's name and badge, what was said, and how quick it came."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from debate_tui.display.feed import Text, merged
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.script import Script
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row, width_of
from debate_tui.tui.widgets.meter import meter
from debate_tui.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import DescendantBlur, DescendantFocus, Resize

    from debate_tui.display.feed import Item
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.speaker import Speaker

COMPACT_BELOW = 13
"""Rows of a pane under which its title is one line instead of two."""

MAX_NAME = 40


class Title(Lines):
    """Name and side, badge, model or trouble, and a line that is heavy where the keys go."""

    def __init__(self, speaker: Speaker, glyphs: Glyphs) -> None:
        super().__init__()
        self._speaker = speaker
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self.compact = False
        self.lit = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """One or two lines of title, and the line under it."""
        speaker, glyphs = self._speaker, self._glyphs
        badge = speaker.badge(time.monotonic())
        tone = Tone.QUIET if speaker.removed else Tone.FOCUS if self.lit else Tone.TEXT
        name = Piece(one_line(speaker.info.name, MAX_NAME), tone, bold=not speaker.removed)
        side = one_line(speaker.info.side, MAX_NAME)
        aside = (Piece(f" {glyphs.between} {side}", Tone.QUIET),) if side else ()
        icon = Piece(badge.text(glyphs), badge.tone, bold=badge.tone is Tone.FAILED)
        top = Row((name, *aside), (icon,))
        edge = glyphs.heavy if self.lit else glyphs.thin
        line = Row((Piece(edge * width, Tone.FOCUS if self.lit else Tone.FAINT),))
        if not self.compact:
            return top, self._second(), line
        if speaker.trouble:
            room = width - width_of((name, icon)) - 2
            trouble = Piece(f" {glyphs.between} {speaker.trouble}", badge.tone)
            return Row((name,), (icon, trouble) if room > 12 else (icon,)), line
        return top, line

    def _second(self) -> Row:
        speaker = self._speaker
        if speaker.trouble:
            return Row((Piece(speaker.trouble, speaker.badge(time.monotonic()).tone),))
        return Row((Piece(one_line(speaker.info.model, 60), Tone.QUIET),))


class MeterLine(Lines):
    """The meter, and at its right how much there is below what is read."""

    def __init__(self, speaker: Speaker, prose: Prose, glyphs: Glyphs) -> None:
        super().__init__()
        self._speaker = speaker
        self._prose = prose
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis

    def rows(self, width: int) -> tuple[Row, ...]:
        """The figures of the newest turn."""
        below = getattr(self._prose, "unseen", 0)
        right = (Piece(f"{self._glyphs.down} {below} new", Tone.FOCUS),) if below else ()
        room = width - width_of(right) - 2 * bool(right)
        return (Row((Piece(meter(self._speaker.reading(), room), Tone.QUIET),), right),)


class Pane(Vertical):
    """One debater on screen. `apply` takes the events of a frame; `tick` what changes with time alone."""

    def __init__(
        self, speaker: Speaker, transcript: Transcript, glyphs: Glyphs, title: Callable[[Turn], str]
    ) -> None:
        super().__init__()
        self.speaker = speaker
        self.prose = Prose()
        self.unread = False
        self._title = Title(speaker, glyphs)
        self._meter = MeterLine(speaker, self.prose, glyphs)
        self.script = Script(self.prose, transcript, glyphs, title)

    def compose(self) -> ComposeResult:
        """Title, text, meter."""
        yield self._title
        yield self.prose
        yield self._meter

    def apply(self, items: Sequence[Item], now: float) -> None:
        """Take in what is due, and show it."""
        told = False
        for item in merged(items):
            self.script.apply(item)
            if not isinstance(item, Text):
                self.speaker.apply(item, now)
                told = True
        self.unread = not self.shown
        self.prose.flush()
        if told:
            self.tick()

    def tick(self) -> None:
        """Show what the clock has changed."""
        self._title.sync()
        self._meter.sync()
        self.set_class(bool(self.speaker.removed), "-removed")

    @property
    def shown(self) -> bool:
        """Whether the pane is not behind a tab or another pane's zoom."""
        return bool(self.display)

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        """The keys go here now."""
        self._title.lit = True
        self._title.sync()

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        """The keys go elsewhere."""
        self._title.lit = False
        self._title.sync()

    def on_resize(self, event: Resize) -> None:
        """A low pane has a low title."""
        compact = event.size.height < COMPACT_BELOW
        if compact != self._title.compact:
            self._title.compact = compact
            self._title.set_class(compact, "-compact")
        self._title.sync()

    def explain(self) -> None:
        """Put the whole of what is wrong where the mouse finds it."""
        fault = self.speaker.fault
        self._title.tooltip = Content(fault.message) if fault is not None else None
