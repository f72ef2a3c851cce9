"""The debate log as JSON lines, for other programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.domain.events import event_to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from debate_tui.display.output import OutputWriter
    from debate_tui.domain.events import Event

# In UTF-8: DEL; C1; U+2028 to U+202E; U+2066 to U+2069. JSON itself escapes C0 controls.
_UNSAFE_CONTROLS = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


def encode_line(event: Event) -> bytes:
    """Encode an event as one line of JSON that is harmless on a terminal and decodes to the same event.

    The control characters that `sanitise` removes elsewhere are written as ``\\uXXXX``, and so are line
    separators, where some programs would end the line.
    """
    return escape_controls(event_to_json(event)) + b"\n"


def escape_controls(data: bytes) -> bytes:
    """Escape control characters in UTF-8 JSON, which still decodes to the same; see `encode_line`."""
    return _UNSAFE_CONTROLS.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), data)


async def write_json_lines(batches: AsyncIterable[Sequence[Event]], out: OutputWriter) -> bool:
    """Write every event as a line when it happens, until the events end.

    Return `False` if the reader has closed the output, so that no further output will be seen. Raise
    `DebateError` if the output cannot be written for another reason.
    """
    async for batch in batches:
        try:
            await out.write(b"".join(map(encode_line, batch)))
        except BrokenPipeError:
            return False
    return True
