"""The debate log as JSON lines, for other programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.domain.events import event_to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from debate_tui.display.output import OutputWriter
    from debate_tui.domain.events import Event

# In UTF-8: DEL; C1; U+2028 to U+202E; U+2066 to U+2069. C0 controls are escaped by JSON itself.
_UNSAFE_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


def encode_line(event: Event) -> bytes:
    """An event as one line of JSON that is harmless on a terminal, and decodes to the exact event.

    The controls that `sanitise` removes elsewhere are written as ``\\uXXXX``, line separators too: some
    programs would end the line there.
    """
    return escape_controls(event_to_json(event)) + b"\n"


def escape_controls(data: bytes) -> bytes:
    """JSON, in UTF-8, that decodes to the same and does nothing to a terminal; see `encode_line`."""
    return _UNSAFE_CONTROLS.sub(_escape_match, data)


async def write_json_lines(batches: AsyncIterable[Sequence[Event]], out: OutputWriter) -> bool:
    """Write every event as a line, as it happens.

    Returns when the events end. `False` means that the reader has gone before: nobody will see any
    further output. Raises `DebateError` where the output cannot be written for another reason.
    """
    async for batch in batches:
        try:
            await out.write(b"".join(map(encode_line, batch)))
        except BrokenPipeError:
            return False
    return True


def _escape_match(match: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(match[0].decode())
