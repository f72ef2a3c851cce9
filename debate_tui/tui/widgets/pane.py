"""A pane: one debater's name and badge, what was said, and how quick it came."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.containers import Grid, Vertical
from textual.content import Content
from textual.geometry import Region

from debate_tui.display.feed import Text, merged
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.compositing import BlankWidget
from debate_tui.tui.script import Script
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row, clip, width_of
from debate_tui.tui.widgets.meter import meter
from debate_tui.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import DescendantBlur, DescendantFocus
    from textual.strip import Strip

    from debate_tui.display.feed import Item
    from debate_tui.display.markdown import Signs
    from debate_tui.domain.stream import FaultReport
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.speaker import Speaker

MAX_NAME = 40
MAX_MODEL = 60

RULE_CHROME = 8
"""Cells of a title in a line that are neither name nor badge: three of line, four of space, one between."""

LEAST_TROUBLE = 10
"""Cells below which a reason is not worth beginning."""


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
        """Two lines of title and the line under them; or all in one, written into that line."""
        speaker, glyphs = self._speaker, self._glyphs
        badge = speaker.badge(time.monotonic())
        tone = Tone.QUIET if speaker.removed else Tone.FOCUS if self.lit else Tone.TEXT
        name = Piece(one_line(speaker.info.name, MAX_NAME), tone, bold=not speaker.removed)
        icon = Piece(badge.text(glyphs), badge.tone, bold=badge.tone is Tone.FAILED)
        edge = Piece(glyphs.heavy if self.lit else glyphs.thin, Tone.FOCUS if self.lit else Tone.FAINT)
        if self.compact:
            return (self._rule(width, name, icon, edge),)
        line = Row((edge._replace(text=edge.text * width),))
        return Row((name,), (icon,)), self._second(badge.tone), line

    def _second(self, tone: Tone) -> Row:
        """Side and model; what is wrong takes their place."""
        speaker, between = self._speaker, f" {self._glyphs.between} "
        if speaker.trouble:
            return Row((Piece(speaker.trouble, tone),))
        side, model = one_line(speaker.info.side, MAX_NAME), one_line(speaker.info.model, MAX_MODEL)
        if not side:
            return Row((Piece(model, Tone.QUIET),))
        return Row((Piece(side, Tone.TEXT), Piece(f"{between}{model}" if model else "", Tone.QUIET)))

    def _rule(self, width: int, name: Piece, icon: Piece, edge: Piece) -> Row:
        """``── Ada · for ─────── ✓ done ─``, with the reason of a failure where there is room for it."""
        between = self._glyphs.between
        speaker, room = self._speaker, width - RULE_CHROME
        label: tuple[Piece, ...] = (name,)
        badge: tuple[Piece, ...] = (icon,)
        left = room - width_of((name, icon))
        if speaker.trouble and left >= LEAST_TROUBLE:
            trouble = Piece(f" {between} {speaker.trouble}", icon.tone)
            badge = (icon, *clip((trouble,), left, self.ellipsis))
        elif not speaker.trouble and (side := one_line(speaker.info.side, MAX_NAME)):
            aside = Piece(f" {between} {side}", Tone.QUIET)
            label = (name, aside) if width_of((aside,)) <= left else label
        label = clip(label, room - width_of(badge), self.ellipsis)
        fill = max(1, room - width_of(label) - width_of(badge) + 1)
        space = Piece(" ")
        line = edge._replace(text=edge.text * 2), edge._replace(text=edge.text * fill)
        return Row((line[0], space, *label, space, line[1], space, *badge, space, edge))


class MeterLine(Lines):
    """The meter, and at its right how much there is below what is read."""

    def __init__(self, speaker: Speaker, script: Script, prose: Prose, glyphs: Glyphs) -> None:
        super().__init__()
        self._speaker = speaker
        self._script = script
        self._prose = prose
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis

    def rows(self, width: int) -> tuple[Row, ...]:
        """The figures of the newest turn."""
        below = self._prose.unseen
        right = (Piece(f"{self._glyphs.down} {below} new", Tone.FOCUS),) if below else ()
        room = width - width_of(right) - 2 * bool(right)
        reading = self._speaker.reading(self._script.words)
        return (Row((Piece(meter(reading, room, self._glyphs), Tone.QUIET),), right),)


class Panes(BlankWidget, Grid):
    """Where the panes are; nothing of its own is ever seen."""


class Pane(Vertical):
    """One debater on screen. `apply` takes the events of a frame; `tick` what changes with time alone."""

    def __init__(
        self,
        speaker: Speaker,
        transcript: Transcript,
        glyphs: Glyphs,
        signs: Signs,
        title: Callable[[Turn], str],
    ) -> None:
        super().__init__()
        self.speaker = speaker
        self.prose = Prose(signs)
        self.unread = False
        self._explained: FaultReport | None = None
        self._title = Title(speaker, glyphs)
        self.script = Script(self.prose, transcript, glyphs, title)
        self._meter = MeterLine(speaker, self.script, self.prose, glyphs)

    def compose(self) -> ComposeResult:
        """Title, text, meter."""
        yield self._title
        yield self.prose
        yield self._meter

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of nothing but the pane's borders: one of each kind, which the compositor cuts up once."""
        above = self.styles.border_top[0] != ""
        lines = super().render_lines(Region(0, 0, self.outer_size.width, 2))
        shown = [lines[0] if above and y == 0 else lines[1] for y in range(crop.y, crop.bottom)]
        return shown if crop.width == self.outer_size.width else [s.crop(crop.x, crop.right) for s in shown]

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

    def clear(self) -> None:
        """Be as at the beginning of the debate; shown with what comes next."""
        self.speaker.clear()
        self.script.clear()
        self.prose.clear()
        self.prose.following = True
        self.unread = False

    def tick(self) -> None:
        """Show what the clock has changed."""
        self._title.sync()
        self._meter.sync()
        self.prose.tick()
        self.set_class(bool(self.speaker.removed), "-removed")
        fault = self.speaker.fault
        if fault is not self._explained:
            self._explained = fault
            self._title.tooltip = Content(one_line(fault.message, 2000)) if fault is not None else None

    @property
    def shown(self) -> bool:
        """Whether the pane is not behind a tab or another pane's zoom."""
        return bool(self.display)

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        """The keys go here now."""
        self.light(on=True)

    def on_descendant_blur(self, _: DescendantBlur) -> None:
        """The keys go elsewhere."""
        self.light(on=False)

    def light(self, *, on: bool) -> None:
        """Show whether the keys go here, as soon as that is known."""
        self._title.lit = on
        self._title.sync()

    def place(self, *, shown: bool, beside: bool, below: bool, compact: bool) -> None:
        """Take a place on the screen: beside another pane, below one, with a low title."""
        self.display = shown
        self.unread = self.unread and not shown
        styled = self.is_attached  # else it is when it gets there
        self.set_class(beside, "-beside", update=styled)
        self.set_class(below and not compact, "-below", update=styled)
        self.set_class(compact, "-compact", update=styled)
        self._title.compact = compact
        self._title.sync()
