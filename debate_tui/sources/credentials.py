"""Where keys come from: the environment, else the system keyring; and how they are kept out of sight.

In the keyring a provider's key is the password of user PROVIDER of the service ``debate-tui``; one is stored
with ``keyring set debate-tui openai``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from debate_tui.domain.errors import UsageError
from debate_tui.domain.sanitise import API_KEY_PATTERN
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.network import clean_value, find_url_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.sources.providers import Provider


KEYRING_SERVICE = "debate-tui"

# Beside what looks like a key: tokens, and the starred fragments that OpenAI's answer to a wrong key quotes.
_TOKEN_PATTERN = re.compile(r"(?i:(?<=bearer )[^\s'\"]{4,})|[\w\-.]*\*{3,}[\w\-.*]*")
KEY_MASK = "[key]"


def find_key_variable(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The environment variable that holds the provider's key; empty if none does."""
    return next((name for name in provider.key_env if clean_value(environ.get(name, ""))), "")


def key_in_environment(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The provider's key as an environment variable has it; empty if none has."""
    return clean_value(environ.get(find_key_variable(provider, environ), ""))


def key_in_keyring(provider: Provider) -> str:
    """The provider's key as the system keyring has it; empty if it has none, or there is no keyring.

    Blocks, for as long as the keyring asks its user to be unlocked.
    """
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return ""
    # Backends raise the errors of whatever they are made of; none of these is worth more than "no key".
    try:
        return clean_value(keyring.get_password(KEYRING_SERVICE, provider.name) or "")
    except (keyring.errors.KeyringError, ImportError, OSError, RuntimeError, ValueError):
        return ""


def find_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> str:
    """The provider's key; empty if it has none and needs none. Blocks if the keyring has to be asked.

    Raises an `auth` fault if it needs one and there is none, or if what is there cannot be a key.
    """
    key = key_in_environment(provider, environ)
    if not key and provider.needs_key:
        key = key_in_keyring(provider)
    hint = f"Set {' or '.join(provider.key_env)}, or run: keyring set {KEYRING_SERVICE} {provider.name}"
    if not key and provider.needs_key:
        raise Fault(FaultKind.AUTH, f"No key for {provider.title} was found.", hint=hint)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Fault(FaultKind.AUTH, f"The key for {provider.title} has characters no key has.", hint=hint)
    return key


def has_key(provider: Provider, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the provider can be asked as far as keys go; loads no SDK, but may ask the keyring."""
    return (
        not provider.needs_key
        or bool(key_in_environment(provider, environ))
        or bool(key_in_keyring(provider))
    )


def redact_keys(text: str, *keys: str) -> str:
    """`text` without these keys, and without anything that looks like one."""
    for key in keys:
        if len(key) >= 4:
            text = text.replace(key, KEY_MASK)
    return _TOKEN_PATTERN.sub(KEY_MASK, API_KEY_PATTERN.sub(KEY_MASK, text))


# Addresses of endpoints: whether they can be read, what they are called, and how they may be shown.


CREDENTIAL_MASK = "…"
"""What stands for a secret that was in an address."""

_CREDENTIAL_PARAMETER = re.compile(
    r"((?:^|&)[^=&]*(?:key|token|secret|sig|pass|auth)[^=&]*=)[^&]*", re.IGNORECASE
)


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` for an address that is none; it may hold a secret, so that it is not quoted."""
    if problem := find_url_problem(url, schemes):
        raise UsageError(
            f"An endpoint's address cannot be read: {problem}.", f"It looks like {schemes[-1]}://host/path."
        )


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
