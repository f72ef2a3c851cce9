"""Addresses of endpoints: whether they can be read, what they are called, and how they may be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from debate_tui.domain.errors import UsageError

CREDENTIAL_MASK = "…"
"""What stands for a secret that was in an address."""

_CREDENTIAL_PARAMETER = re.compile(
    r"((?:^|&)[^=&]*(?:key|token|secret|sig|pass|auth)[^=&]*=)[^&]*", re.IGNORECASE
)


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` for an address that is none; it may hold a secret, so that it is not quoted."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme.lower() in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise UsageError("An endpoint's address cannot be read.", f"It looks like {schemes[-1]}://host/path.")


def url_host(url: str) -> str:
    """What to call an endpoint: host and port, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]


def has_credentials(url: str) -> bool:
    """Whether credentials are in the address: a user, or a parameter that is called like one."""
    parts = urlsplit(url)
    return "@" in parts.netloc or _CREDENTIAL_PARAMETER.search(parts.query) is not None


def redact_url(url: str) -> str:
    """The address without its credentials."""
    parts = urlsplit(url)
    user, at, host_and_port = parts.netloc.rpartition("@")
    query = _CREDENTIAL_PARAMETER.sub(rf"\1{CREDENTIAL_MASK}", parts.query)
    return urlunsplit(
        (
            parts.scheme,
            f"{CREDENTIAL_MASK}@{host_and_port}" if user else at + host_and_port,
            parts.path,
            query,
            "",
        )
    )
