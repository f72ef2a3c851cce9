"""Text and bytes cut into pieces, as networks and terminals deliver them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from collections.abc import Iterable


def cut_at(data: AnyStr, places: Iterable[int]) -> list[AnyStr]:
    """Cut at places, counted round and round; a place named twice gives an empty piece."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]
