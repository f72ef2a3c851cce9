"""The list of recorded debates, and the details of one."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets.option_list import Option

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import debate_state, format_duration, format_money
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.option_list import MarkedList, to_lines
from debate_tui.tui.widgets.rows import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.content import Content
    from textual.events import Click

    from debate_tui.record.summary import DebateDigest, DebateSummary
    from debate_tui.tui.symbols import Glyphs

MAX_TOPIC_CHARACTERS = 400

_ENDING_LOOKS = {
    "complete": ("done", Tone.FINISHED),
    "stopped": ("stopped", Tone.PAUSED),
    "failed": ("failed", Tone.FAILED),
    "live": ("streaming", Tone.STREAMING),
    "interrupted": ("cut", Tone.PAUSED),
}
"""The glyph and the tone for each state of a recorded debate."""


class DigestCache:
    """The digests read so far; that of a debate is read again once the debate has more events."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, int], DebateDigest] = {}

    def get(self, summary: DebateSummary) -> DebateDigest | None:
        """Return the digest of a debate if it has been read."""
        return self._digests.get((summary.debate, summary.events))

    def put(self, summary: DebateSummary, digest: DebateDigest) -> None:
        """Keep the digest of a debate."""
        self._digests[summary.debate, summary.events] = digest


class DebateList(MarkedList):
    """The list of recorded debates, two rows each; a click highlights, a double click opens."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("g", "first"), Binding("G", "last")]
    rows_per_option = 2

    def __init__(self, glyphs: Glyphs, digests: DigestCache) -> None:
        super().__init__(glyphs)
        self._glyphs = glyphs
        self._digests = digests
        self._debates: Sequence[DebateSummary] = ()

    @property
    def highlighted_debate(self) -> DebateSummary | None:
        """The highlighted debate."""
        index = self.highlighted
        return self._debates[index] if index is not None and index < len(self._debates) else None

    def show_debates(self, debates: Sequence[DebateSummary], *, selected: str, empty_text: str) -> None:
        """List these debates, and highlight the one with the id `selected` or the one in its place."""
        index = self.highlighted or 0
        self._debates = debates
        options = [Option(self._prompt(debate)) for debate in debates]
        if not options:
            options = [Option(to_lines([(), (Piece(empty_text, Tone.QUIET),)], self._glyphs), disabled=True)]
        self.set_options(options)
        ids = [summary.debate for summary in debates]
        if ids:
            self.highlighted = ids.index(selected) if selected in ids else index

    def show_digests(self) -> None:
        """Show the digests that have been read meanwhile."""
        for index, debate in enumerate(self._debates):
            if self._digests.get(debate) is not None:
                self.replace_option_prompt_at_index(index, self._prompt(debate))
        self.refresh()

    def _prompt(self, debate: DebateSummary) -> Content:
        return to_lines(debate_rows(debate, self._digests.get(debate), self._glyphs), self._glyphs)

    def on_click(self, event: Click) -> None:
        """Highlight the clicked debate without opening it."""
        index = event.style.meta.get("option")
        if event.chain == 1 and index is not None:
            self.highlighted = index
            event.prevent_default()


def format_when(seconds: float) -> str:
    """Return a time (in seconds since the epoch) in local time, relative to today."""
    moment, now = (datetime.fromtimestamp(at).astimezone() for at in (seconds, time.time()))
    days = (now.date() - moment.date()).days
    day = {0: "today", 1: "yesterday"}.get(days, f"{moment:%Y-%m-%d}")
    return f"{day} {moment:%H:%M}"


def debate_rows(
    summary: DebateSummary, digest: DebateDigest | None, glyphs: Glyphs
) -> Iterator[tuple[Piece, ...]]:
    """Yield the two rows of a debate in the list; `digest` is `None` until it has been read."""
    yield (Piece(one_line(summary.topic, MAX_TOPIC_CHARACTERS), bold=True),)
    facts = (
        format_when(summary.started),
        *(digest.facts if digest is not None else ()),
        one_line(summary.format, 40),
        ", ".join(one_line(debater.name, 40) for debater in summary.debaters),
    )
    separator = f" {glyphs.separator} "
    outcome = f"{separator}{digest.outcome}" if digest is not None and digest.outcome else ""
    yield (
        _state_piece(summary, glyphs),
        Piece(outcome),
        Piece(f"{separator}{separator.join(facts)}", Tone.QUIET),
    )


def detail_rows(
    summary: DebateSummary, digest: DebateDigest | None, glyphs: Glyphs
) -> Iterator[tuple[Piece, ...]]:
    """Yield the details of a debate: topic, state, outcome, length, cost, times and debaters."""
    yield (Piece(one_line(summary.topic, MAX_TOPIC_CHARACTERS), bold=True),)
    yield ()
    yield (_state_piece(summary, glyphs),)
    yield ()
    facts = {
        **(_digest_details(digest, glyphs) if digest is not None else {}),
        "started": format_when(summary.started),
        "ended" if summary.finished else "last event": format_when(summary.updated),
        "format": one_line(summary.format, 40),
        "events": f"{summary.events:,}",
        "id": summary.debate,
    }
    for label, value in facts.items():
        yield Piece(label.ljust(12), Tone.QUIET), Piece(value)
    for debater in summary.debaters:
        yield ()
        side = one_line(debater.side, 40)
        name = Piece(one_line(debater.name, 40), bold=True)
        yield name, Piece(f" {glyphs.separator} {side}" if side else "", Tone.QUIET)
        yield (Piece(one_line(debater.model or debater.source, 80) or "not revealed yet", Tone.QUIET),)


def _digest_details(digest: DebateDigest, glyphs: Glyphs) -> dict[str, str]:
    spending, missing = digest.spending, glyphs.missing_value
    tokens = missing if spending.tokens is None else f"{spending.tokens:,}"
    return {
        "outcome": digest.outcome or "not judged",
        "length": format_duration(digest.seconds) if digest.seconds else missing,
        "cost": format_money(spending.cost, complete=spending.priced, unknown=missing),
        "tokens": tokens if spending.counted else f"{tokens}+",
    }


def _state_piece(summary: DebateSummary, glyphs: Glyphs) -> Piece:
    """Return how a debate ended; one without an end is still live or was interrupted."""
    state = debate_state(summary.finished, live=summary.live)
    glyph, tone = _ENDING_LOOKS[state]
    return Piece(f"{getattr(glyphs, glyph)} {state}", tone)
