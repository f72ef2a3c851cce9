"""Where in a text something is, whatever its width."""

from typing import NamedTuple


class DocumentPosition(NamedTuple):
    """A character of a block; −1 is the blank line above it."""

    block: int
    offset: int
