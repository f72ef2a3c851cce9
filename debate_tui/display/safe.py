"""Events made safe to show."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from debate_tui.domain.sanitise import sanitise

S = TypeVar("S", bound=Struct)


def sanitise_strings(value: S) -> S:
    """The value with every string in it sanitised, at any depth; itself if none needs it.

    Not for deltas: an escape sequence may be cut between two of them, and offsets count received text.
    """
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        before: object = getattr(value, name)
        after = _sanitise_value(before)
        if after is not before:
            changed[name] = after
    return msgspec.structs.replace(value, **changed) if changed else value


def _sanitise_value(value: object) -> object:
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, Struct):
        return sanitise_strings(value)
    if isinstance(value, tuple):
        after = tuple(_sanitise_value(part) for part in value)
        return after if any(a is not b for a, b in zip(after, value, strict=True)) else value
    return value
