"""Addresses of endpoints: whether they can be read, what they are called, and how they may be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from debate_tui.domain.errors import UsageError

HIDDEN = "…"
"""What stands for a secret that was in an address."""

_SECRET = re.compile(r"((?:^|&)[^=&]*(?:key|token|secret|sig|pass|auth)[^=&]*=)[^&]*", re.IGNORECASE)


def check_address(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` for an address that is none; it may hold a secret, so that it is not quoted."""
    try:
        parts = urlsplit(url)
        good = parts.scheme.lower() in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError("An endpoint's address cannot be read.", f"It looks like {schemes[-1]}://host/path.")


def host(url: str) -> str:
    """What to call an endpoint: host and port, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]


def has_secrets(url: str) -> bool:
    """Whether credentials are in the address: a user, or a parameter that is called like one."""
    parts = urlsplit(url)
    return "@" in parts.netloc or _SECRET.search(parts.query) is not None


def without_secrets(url: str) -> str:
    """The address without its credentials."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    query = _SECRET.sub(rf"\1{HIDDEN}", parts.query)
    return urlunsplit((parts.scheme, f"{HIDDEN}@{place}" if user else at + place, parts.path, query, ""))
