"""Debate formats as data: TOML text → `Format`, and a `Format` explained in words.

The shipped formats lie beside this module as ``NAME.toml``; users add their own in their config folder.
Whoever may read files (`config`) passes the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.debate import Format
from debate_tui.domain.toml import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.debate import Phase

DEFAULT = "oxford"

_OUTCOMES = {
    "none": "No outcome: you make up your own mind.",
    "swing": "Outcome: opinions are taken before and after; the side that moved more of them wins.",
    "panel": "Outcome: a panel of judges scores the debate, each in both orders.",
    "consensus": "Outcome: what all agree on, shown beside the answers they began with.",
    "ranking": "Outcome: the debaters rank each other's answers without names; points are summed (Borda).",
}
_SEES = {
    "none": "sees nothing that was said",
    "own": "sees only what it said itself",
    "previous": "sees all earlier rounds",
    "all": "sees everything said so far",
}


def parse(text: str, where: str) -> Format:
    """Read a format; `where` names the file. Raises `ConfigError` naming file, line and key."""
    return decode(text, Format, where=where)


def explain(format_: Format) -> str:
    """A format in words, for ``debate-tui formats NAME``: several lines, the last one without newline."""
    lines = [f"{format_.name}: {format_.title}", "", format_.description.strip(), ""]
    lines.append(f"Debaters: {_debaters(format_)}")
    if format_.sides:
        lines.append(f"Sides:    {', '.join(format_.sides)} (dealt out in this order, again and again)")
    lines.append("")
    for number, phase in enumerate(format_.phases, 1):
        lines.append(f"{number}. {phase.title}{_times(phase)}")
        lines.extend(f"   {line}" for line in _describe(phase))
    lines += ["", _OUTCOMES[format_.outcome]]
    return "\n".join(lines)


def _debaters(format_: Format) -> str:
    least, most = format_.min_debaters, format_.max_debaters
    return f"exactly {least}" if least == most else f"{least} to {most}"


def _times(phase: Phase) -> str:
    return "" if phase.rounds == 1 else f" × {phase.rounds}"


def _describe(phase: Phase) -> Iterator[str]:
    who = "everybody" if not phase.speakers else "speakers " + ", ".join(map(str, phase.speakers))
    if len(phase.speakers) == 1:
        who = f"speaker {phase.speakers[0]}"
    order = {"parallel": "at the same time", "turns": "one after the other", "reverse": "last speaker first"}
    together = f", {order[phase.order]}" if len(phase.speakers) != 1 else ""
    length = f", about {phase.words} words" if phase.words else ""
    yield f"{who}{together}{length}; each {_SEES[phase.sees]}{' (without names)' if phase.anonymous else ''}"
    if phase.stop_when:
        yield f"ends early on {phase.stop_when}"
    if phase.instruction:
        yield f"“{' '.join(phase.instruction.split())}”"
