"""Which models are at hand without being named: keys in the environment, then local servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from debate_tui.sources.keys import key_in_environment
from debate_tui.sources.providers import provider, providers

if TYPE_CHECKING:
    from collections.abc import Mapping


def at_hand(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Sources for two to four debaters, as for ``-d``; empty if nothing was found.

    One debater for each provider whose key is in the environment, with its default model; a single key gives
    two.
    """
    found = [
        f"{name}:{known.model}"
        for name in providers()
        if (known := provider(name, environ)).needs_key and known.model and key_in_environment(known, environ)
    ]
    return tuple(found[:4] if len(found) != 1 else found * 2)
