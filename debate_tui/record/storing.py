"""What stores have in common: an event's bytes, its weight, and how much may wait to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.events import TurnDelta, event_from_json, event_to_json

if TYPE_CHECKING:
    from debate_tui.domain.events import Event

MAX_BACKLOG_BYTES: Final = 64 * 2**20
"""Bytes of events, roughly, that may wait for the store before a debate's record is given up."""


def encode_for_storage(event: Event) -> tuple[Event, bytes]:
    """An event and its bytes; lone surrogates, which UTF-8 has no place for, become question marks."""
    try:
        return event, event_to_json(event)
    except UnicodeEncodeError:
        import json

        data = json.dumps(msgspec.to_builtins(event), ensure_ascii=False).encode("utf-8", "replace")
        return event_from_json(data), data


def memory_size(event: Event) -> int:
    """About what an event takes in memory, in bytes."""
    return 512 + (len(event.text) if isinstance(event, TurnDelta) else 0)
