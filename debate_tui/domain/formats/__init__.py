"""Debate formats as data: TOML text → `Format`, and a `Format` described in words.

The built-in formats are the files ``NAME.toml`` in this folder; users add their own in their config folder.
`config` reads the files and passes their text.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.domain.debate import Format
from debate_tui.domain.toml import decode_toml
from debate_tui.domain.wording import phase_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.domain.debate import Phase

DEFAULT_FORMAT = "oxford"

_LINE_WIDTH = 78
_INDENT = "   "

_OUTCOME_WORDS = {
    "none": "No outcome: you make up your own mind.",
    "swing": "Outcome: opinion is measured before and after; the side that gains more wins.",
    "panel": "Outcome: each judge of a panel scores the debate in two reading orders.",
    "consensus": "Outcome: what all agree on, shown next to their first answers.",
    "ranking": "Outcome: the debaters rank the anonymous answers; their points are added up (Borda).",
}
_VISIBILITY_WORDS = {
    "none": "sees nothing",
    "own": "sees only its own turns",
    "previous": "sees all earlier rounds",
    "all": "sees everything so far",
}


def parse_format(text: str, file_name: str) -> Format:
    """Read a format; raise `ConfigError` with `file_name`, line and key if it is invalid."""
    return decode_toml(text, Format, file_name=file_name)


def format_title(name: str) -> str:
    """Return the title of a built-in format by name; other formats are called by their name."""
    for file in Path(__file__).parent.glob("*.toml"):
        if file.stem == name:
            return parse_format(file.read_text("utf-8"), file.name).title
    return phase_title(name)


def summarise_format(format_: Format) -> str:
    """Describe a format in one sentence."""
    text = " ".join(format_.description.split())
    return f"{text.partition('. ')[0].removesuffix('.')}." if text else format_.title


def describe_format(format_: Format) -> str:
    """Describe a format for ``debate-tui formats NAME``: several lines, without a final newline."""
    lines = [f"{format_.name}: {format_.title}", "", *_wrap(format_.description), ""]
    least, most = format_.min_debaters, format_.max_debaters
    lines.append(f"Debaters: {f'exactly {least}' if least == most else f'{least} to {most}'}")
    if format_.sides:
        again = ", and so on" if len(format_.sides) < format_.max_debaters else ""
        lines.append(f"Sides:    {', '.join(format_.sides)}{again}")
    lines.append("")
    for number, phase in enumerate(format_.phases, 1):
        lines.append(f"{number}. {phase.title}" + ("" if phase.rounds == 1 else f" × {phase.rounds}"))
        lines.extend(_describe_phase(phase))
    lines += ["", *_wrap(_OUTCOME_WORDS[format_.outcome])]
    return "\n".join(lines)


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _LINE_WIDTH, initial_indent=indent, subsequent_indent=indent)


def _describe_phase(phase: Phase) -> Iterator[str]:
    many = len(phase.speakers) != 1
    who = "everyone" if not phase.speakers else f"speaker{'s' * many} {_join_numbers(phase.speakers)}"
    order = {"parallel": "at the same time", "turns": "one after the other", "reverse": "in reverse order"}
    parts = [who, order[phase.order]] if many else [who]
    if phase.words:
        parts.append(f"about {phase.words} words")
    sees = f"{'each ' * many}{_VISIBILITY_WORDS[phase.sees]}{', without names' if phase.anonymous else ''}"
    yield from _wrap(f"{', '.join(parts)}; {sees}", _INDENT)
    if phase.stop_when:
        yield f"{_INDENT}ends early on {phase.stop_when}"
    if phase.instruction:
        yield from _wrap(f"“{phase.instruction.strip()}”", _INDENT)


def _join_numbers(places: Sequence[int]) -> str:
    return " and ".join(map(str, places)) if len(places) == 2 else ", ".join(map(str, places))
