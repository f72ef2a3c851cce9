"""Values of variables and the URLs in them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# What copying leaves around a value: quotes, line ends (also escaped, as in `.env` files), invisible
# characters.
_WRAPPING = re.compile(r"^(?:[\s\"'“”‘’`\ufeff\u200b])+|(?:[\s\"'“”‘’`\ufeff\u200b]|\\[rn])+$")


def clean_value(value: str) -> str:
    """Return an environment variable's value without surrounding quotes, blanks and line ends."""
    return _WRAPPING.sub("", value)


def find_url_problem(url: str, schemes: tuple[str, ...]) -> str:
    """Return what is wrong with a URL, to follow a colon, without quoting it; empty if nothing is."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in schemes:
        return f"it must start with {' or '.join(f'{known}://' for known in schemes)}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "its host is not valid"
    if not host or " " in host:
        return "its host is not valid" if rest.strip("/") else "it has no host"
    try:
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    return "" if is_port else "its port must be a number from 1 to 65535"


def url_host(url: str) -> str:
    """Return the host and port of a URL, without credentials; empty if it cannot be parsed."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
